"""The way from a problem to a solution: a seating that keeps the rules, then run after run of the search."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from random import Random

from .checking import check
from .compiled import Compiled, Seats, compile_problem
from .contradiction import contradiction
from .feasible import Answer, find
from .model import NotFound, Problem, Seating, Solution
from .objective import Weights, objective
from .scoring import evaluate, status
from .state import State
from .tabu import Tabu
from .violations import violations

STEPS = 5_000
TRIES = 4
SLOPES = (Fraction(1), Fraction(3, 2))

Progress = Callable[[int, int], None]
"""Called with the steps done and the steps planned."""
Key = tuple[int, ...]
"""How bad seats are: broken rules, then every level."""


def default_iterations(problem: Problem) -> int:
    """Steps that take some seconds on a slow machine if no bound is reached before; fewer for larger problems."""
    seats = len(problem.people) * problem.rounds
    return max(1_000, min(15_000, 4_000_000 // max(1, seats)))


def solve(
    problem: Problem,
    *,
    seed: int = 1,
    iterations: int | None = None,
    deadline: Callable[[], bool] | None = None,
    on_progress: Progress | None = None,
) -> Solution:
    """Seat everybody in every round: no rule broken, the goals as good as found, in their order.

    The same problem, seed and iterations give the same solution, unless `deadline` says that it is time to stop; a
    seating is returned even then. Stops early where every goal has reached its bound. Raises BadProblem, Contradiction,
    NotFound.
    """
    check(problem)
    planned = default_iterations(problem) if iterations is None else max(0, iterations)
    search = _Search(problem, seed, planned, deadline or _never, on_progress or _silent)
    search.run()
    seating = _seating(search.compiled, search.best)
    wrong = violations(problem, seating)
    if wrong:
        raise NotFound(wrong)
    scores = evaluate(problem, seating)
    return Solution(seating, scores, status(scores), seed, search.done)


def _never() -> bool:
    return False


def _silent(done: int, planned: int) -> None:
    """Nobody wants to know."""


class _Search:
    """All runs for one problem, and the best seats of them."""

    def __init__(
        self, problem: Problem, seed: int, planned: int, deadline: Callable[[], bool], on_progress: Progress
    ) -> None:
        self.rng = Random(seed)  # noqa: S311
        self.planned, self.done, self.runs = planned, 0, 0
        self.deadline, self.on_progress = deadline, on_progress
        self.compiled = compile_problem(problem, problem.rules)
        self.goals = objective(self.compiled)
        self.best = self._first()
        self.last = self.best
        self.key = self._key(self.best)
        self.patience = 1_000 + 20 * self.compiled.people

    def run(self) -> None:
        """Runs that start in turn from new seats and from the best ones, disturbed, until one of the ends is reached."""
        while self.done < self.planned and not self._is_best() and not self.deadline():
            before = self.done
            self._one_run()
            self.runs += 1
            if self.done == before:
                break
        self.on_progress(self.done, self.planned)

    def _one_run(self) -> None:
        """A run with even weights, every other time from the best seats, disturbed; then a strict one from its end."""
        is_strict = self.runs % 2 == 1
        weights = self.goals.strict() if is_strict else self.goals.even(SLOPES[self.runs // 2 % len(SLOPES)])
        is_anew = not is_strict and self.runs % 4 == 0
        state = State(
            self.compiled,
            self.goals,
            weights,
            self._start() if is_anew and self.runs else self.last,
            self._worst(),
        )
        target = self._target(state, weights)
        tabu = Tabu(state, self.rng)
        if not is_strict and not is_anew:
            tabu.disturb(3 + self.runs % 6)
        while self.done < self.planned and not self.deadline():
            steps = tabu.run(min(100, self.planned - self.done), target)
            self.done += steps
            self.on_progress(self.done, self.planned)
            if tabu.best.cost <= target or tabu.idle > self.patience or not steps:
                break
        self.last = tabu.best.seats
        self._keep(tabu.best.seats)

    def _keep(self, seats: Seats) -> None:
        key = self._key(seats)
        if key < self.key:
            self.best, self.key = seats, key

    def _first(self) -> Seats:
        """Seats that keep the rules where the search finds some; else the proof that there are none, or a start."""
        seats: Seats = []
        for _ in range(TRIES):
            answer, seats = find(self.compiled, STEPS, self._shuffled)
            if answer is Answer.FOUND:
                return seats
            if answer is Answer.IMPOSSIBLE:
                break
        found = contradiction(self.compiled.problem)
        if found:
            raise found
        return self._filled(seats)

    def _start(self) -> Seats:
        answer, seats = find(self.compiled, STEPS, self._shuffled)
        return seats if answer is Answer.FOUND else self._filled(seats)

    def _shuffled(self, number: int, unit: int, groups: Sequence[int], seats: Seats) -> Sequence[int]:
        keys = {group: self.rng.random() for group in groups}
        return sorted(groups, key=keys.__getitem__)

    def _filled(self, seats: Seats) -> Seats:
        """Everybody without a seat goes to an allowed group; the search then has to mend what this breaks."""
        for one, groups in zip(self.compiled.rounds, seats, strict=True):
            for unit, group in enumerate(groups):
                free = [index for index, allowed in enumerate(one.allowed[unit]) if allowed]
                if group < 0 and free:
                    groups[unit] = free[int(self.rng.random() * len(free))]
        return seats

    def _key(self, seats: Seats) -> Key:
        wrong = violations(self.compiled.problem, _seating(self.compiled, seats))
        return (len(wrong), *self.goals.key(seats))

    def _is_best(self) -> bool:
        return self.key[0] == 0 and self.goals.is_best(self.key[1:])

    def _worst(self) -> int:
        """From which total on a person's wishes cost most: at first the bound, then in turn the best found and less."""
        place = next((place for place, level in enumerate(self.goals.levels) if level.kind == "worst"), None)
        if place is None:
            return 0
        least = self.goals.levels[place].bound or 0
        return least if self.runs == 0 else max(least, self.key[place + 1] - self.runs // 2 % 2)

    def _target(self, state: State, weights: Weights) -> int:
        """The cost at which every level has reached its bound; far below all costs where some bound is not known.

        The state leaves out what people who are one unit cost each other: that is the difference between the two counts.
        """
        never = -(10**9) * weights.rule
        bounds = [level.bound for level in self.goals.levels]
        if state.broken():
            return never
        values = self.goals.key(state.seats)
        least = fixed = 0
        for level, weight, value, bound in zip(
            self.goals.levels, weights.levels, values, bounds, strict=True
        ):
            if bound is None:
                return never
            least += weight * max(0, bound - state.worst if level.kind == "worst" else bound)
            over = sum(max(0, total - state.worst) for total in self.goals.totals(state.seats))
            fixed += weight * (over if level.kind == "worst" else value)
        return least - (fixed - state.cost)


def _seating(compiled: Compiled, seats: Seats) -> Seating:
    problem = compiled.problem
    seating = []
    for one, groups in zip(compiled.rounds, seats, strict=True):
        tables: dict[str, list[int]] = {group.id: [] for group in problem.groups}
        for people, group in zip(one.units, groups, strict=True):
            if group >= 0:
                tables[problem.groups[group].id].extend(people)
        seating.append(
            {
                name: tuple(problem.people[person].id for person in sorted(people))
                for name, people in tables.items()
            }
        )
    return tuple(seating)
