"""The way from a problem to a solution: a seating that keeps the rules, then run after run of the search."""

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from random import Random

from .bounds import bounds, quick_bounds
from .checking import check
from .compiled import Seats, compile_problem, seating_of
from .contradiction import contradiction, refuse_obvious
from .exchange import Exchange, suits
from .feasible import Answer, find
from .model import NotFound, Problem, Solution
from .objective import Objective, Weights, objective
from .relabelling import Relabelling
from .scoring import evaluate, status
from .sizes import crowded_sizes
from .skeleton import places, skeleton
from .state import State
from .tabu import NEVER, Tabu
from .violations import violations
from .watching import Progress, Stopped, Watch, never, quietly
from .wishes import granted

STEPS = 5_000
TRIES = 4
MENDING = 300
SCHEDULED = 8
"""So many runs from a schedule come first."""
SLOPES = (Fraction(1), Fraction(3, 2))

NOTED = 500
"""After so many steps of a run its best seats are looked at as a whole."""
SLICE = 40_000
"""The caller is asked after at most so many steps times seats; much less than a second."""

Key = tuple[int, ...]
"""How bad seats are: broken rules, then every level."""


def default_iterations(problem: Problem) -> int:
    """Steps that take some seconds on a slow machine if no bound is reached before; fewer for larger problems."""
    seats = len(problem.people) * problem.rounds
    return max(1_000, min(20_000, 8_000_000 // max(1, seats)))


def solve(
    problem: Problem,
    *,
    seed: int = 1,
    iterations: int | None = None,
    deadline: Callable[[], bool] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Solution:
    """Seat everybody in every round: no rule broken, the goals as good as found, in their order.

    The same problem, seed and iterations give the same solution, unless `deadline` says that it is time to stop; a
    seating is returned even then. Both `deadline` and `on_progress`, which hears how good the best seating so far is,
    are called several times a second, whatever the search is at; what they do changes no plan. Stops early where every
    goal has reached its bound. Raises BadProblem, Contradiction, NotFound.
    """
    check(problem)
    refuse_obvious(problem)
    planned = default_iterations(problem) if iterations is None else max(0, iterations)
    watch = Watch(planned, deadline or never, on_progress or quietly)
    search = _Search(problem, seed, watch)
    search.run()
    seating = seating_of(search.compiled, search.best)
    wrong = violations(problem, seating)
    if wrong:
        raise NotFound(wrong)
    scores = evaluate(problem, seating, search.goals.bounds)
    return Solution(seating, scores, status(scores), seed, watch.done)


class _Search:
    """All runs for one problem, and the best seats of them."""

    def __init__(self, problem: Problem, seed: int, watch: Watch) -> None:
        self.rng = Random(seed)  # noqa: S311
        self.watch, self.runs, self.starts = watch, 0, 0
        self.compiled = compile_problem(problem, problem.rules)
        self.slice = max(1, min(50, SLICE // max(1, len(problem.people) * problem.rounds)))
        self.goals = self._goals()
        # Pairs with values of their own are worth one long run; but not where other goals ask for new starts.
        is_alone = len(self.goals.levels) == 1 and bool(self.goals.levels[0].values)
        self.patience = 10**9 if is_alone else 1_000 + 20 * self.compiled.people
        has_repeats = problem.rounds > 1 and any(level.kind == "repeats" for level in self.goals.levels)
        self.schedule = skeleton(self.compiled) if has_repeats else None
        values = [value for level in self.goals.levels[:1] for value in level.values.values()]
        self.is_gainful = bool(values) and sum(values) < 0
        self.aims = (
            [crowded_sizes(one.counters[0]) for one in self.compiled.rounds] if self.is_gainful else []
        )
        self.best: Seats = []
        self.key: Key = ()
        self.last = self._first()
        self._note(self.last)

    def run(self) -> None:
        """Runs that start in turn from new seats and from the best ones, disturbed, until one of the ends is reached."""
        while not self._is_done() and not self._is_best():
            before = self.watch.done
            self._one_run()
            self.runs += 1
            if self.watch.done == before:
                break
        self.watch.tell()

    def _goals(self) -> Objective:
        """With bounds; weaker ones when there is no time for them."""
        try:
            known = bounds(self.compiled.problem, self.watch.beat)
        except Stopped:
            known = quick_bounds(self.compiled.problem)
        return objective(self.compiled, known)

    def _is_done(self) -> bool:
        return self.watch.done >= self.watch.planned or self.watch.is_over()

    def _steps(self) -> int:
        """So many steps before the caller is asked again."""
        return min(self.slice, self.watch.planned - self.watch.done)

    def _one_run(self) -> None:
        """From a schedule where there is one; else with even weights, anew or from the last seats, disturbed, then strict."""
        turn = self.runs % 4 if self.runs >= SCHEDULED or self.schedule is None else 0
        if turn == 0 and self.schedule is not None:
            self._keep(self._from_schedule())
            return
        is_strict = turn % 2 == 1
        weights = self.goals.strict() if is_strict else self.goals.even(SLOPES[self.runs // 2 % len(SLOPES)])
        start = self._start() if turn == 0 and self.runs else self.last
        state = State(self.compiled, self.goals, weights, start, self._worst())
        target = self._target(state, weights)
        if suits(state):
            self._keep(self._search(Exchange(state, self.rng), target, self.patience))
            return
        tabu = Tabu(state, self.rng)
        if turn == 2:
            tabu.disturb(3 + self.runs % 6)
        self._keep(self._search(tabu, target, self.patience))

    def _search(self, tabu: Tabu | Exchange, target: int, patience: int) -> Seats:
        """The best seats of a run that ends at the target, or after so many steps without anything better."""
        noted, seen = self.watch.done, tabu.best
        while not self._is_done():
            steps = tabu.run(self._steps(), target)
            self.watch.done += steps
            if tabu.best.cost <= target or tabu.idle > patience or not steps:
                break
            if self.watch.done - noted >= NOTED and tabu.best is not seen:
                noted, seen = self.watch.done, tabu.best
                self._note(tabu.state.seats_of(seen.where))
            self.watch.tell()
        return tabu.state.seats_of(tabu.best.where)

    def _from_schedule(self) -> Seats:
        """People at the places of a schedule without needless repeats, exchanged until the other goals are good."""
        if self.schedule is None:
            return []
        schedule, has_ranks = self.schedule
        start = places(self.compiled, schedule, has_ranks, self.rng, self.starts)
        self.starts += 1
        self.watch.tell()
        weights = self.goals.strict()
        relabelling = Relabelling(
            self.compiled, self.goals, weights, schedule, start, self.rng, self._least_worst()
        )
        self.watch.tell()
        target = self._target_of(weights, relabelling.seats(relabelling.place), relabelling.cost)
        patience = 200 + 3 * self.compiled.people
        idle, best = 0, relabelling.best_cost
        while idle < patience and not self._is_done():
            steps = relabelling.run(self._steps(), target)
            self.watch.done += steps
            idle += steps
            self.watch.tell()
            if relabelling.best_cost < best:
                idle, best = 0, relabelling.best_cost
            if best <= target or not steps:
                break
        return relabelling.seats(relabelling.best)

    def _keep(self, seats: Seats) -> None:
        self.last = seats
        self._note(seats)

    def _note(self, seats: Seats) -> None:
        """These are the best seats so far, if they are."""
        key = self._key(seats)
        if self.best and key >= self.key:
            return
        self.best, self.key = seats, key
        if not key[0]:
            self.watch.goals = self.goals.scores(key[1:])
        self.watch.tell()

    def _first(self) -> Seats:
        """Seats that keep the rules where the search finds some; else the proof that there are none."""
        for start in (self._from_wishes, self._from_schedule):
            self.watch.tell()
            seats = start()
            if seats and self._key(seats)[0]:
                seats = self._mended(seats)
            if seats and not self._key(seats)[0]:
                return seats
        return self._found()

    def _found(self) -> Seats:
        """Seats of the complete search; where it gives up, a start that breaks rules. Raises Contradiction."""
        for _ in range(TRIES):
            answer, seats = self._sought()
            if answer is Answer.FOUND:
                return seats
            if answer is Answer.IMPOSSIBLE or self.watch.is_over():
                break
        is_known = answer is Answer.IMPOSSIBLE or not self.watch.is_over()
        found = contradiction(self.compiled.problem) if is_known else None
        if found:
            raise found
        return self._filled(seats)

    def _from_wishes(self) -> Seats:
        """Seats that grant wishes as well as can be, where that comes first; else none."""
        comes_first = bool(self.goals.levels) and self.goals.levels[0].kind == "worst"
        if not comes_first:
            return []
        try:
            return granted(self.compiled.problem, self.watch.beat).seats or []
        except Stopped:
            return []

    def _mended(self, seats: Seats) -> Seats:
        """The seats after a short search for those rules that the schedule or the flow does not know."""
        weights = self.goals.strict()
        state = State(self.compiled, self.goals, weights, seats, self._least_worst())
        return self._search(Tabu(state, self.rng), self._target(state, weights), MENDING)

    def _sought(self) -> tuple[Answer, Seats]:
        """What a complete search finds in a while; long enough to seat everybody twice."""
        seats = sum(len(one.units) for one in self.compiled.rounds)
        return find(self.compiled, STEPS + 2 * seats, self._shuffled)

    def _start(self) -> Seats:
        answer, seats = self._sought()
        return seats if answer is Answer.FOUND else self._filled(seats)

    def _shuffled(self, number: int, unit: int, groups: Sequence[int], seats: Seats) -> Sequence[int]:
        if unit % 50 == 0:
            self.watch.tell()
        keys = {group: self.rng.random() for group in groups}
        if not self.is_gainful:
            return sorted(groups, key=keys.__getitem__)
        aims = self.aims[number]
        taken = Counter(seats[number])
        return sorted(groups, key=lambda group: (taken[group] >= aims[group], keys[group]))

    def _filled(self, seats: Seats) -> Seats:
        """Everybody without a seat goes to an allowed group; the search then has to mend what this breaks."""
        for one, groups in zip(self.compiled.rounds, seats, strict=True):
            for unit, group in enumerate(groups):
                free = [index for index, allowed in enumerate(one.allowed[unit]) if allowed]
                if group < 0 and free:
                    groups[unit] = free[int(self.rng.random() * len(free))]
        return seats

    def _key(self, seats: Seats) -> Key:
        wrong = violations(self.compiled.problem, seating_of(self.compiled, seats))
        return (len(wrong), *self.goals.key(seats))

    def _is_best(self) -> bool:
        return self.key[0] == 0 and self.goals.is_best(self.key[1:])

    def _least_worst(self) -> int:
        return next((level.bound or 0 for level in self.goals.levels if level.kind == "worst"), 0)

    def _worst(self) -> int:
        """From which total on a person's wishes cost most: at first the bound, then in turn the best found and less."""
        place = next((place for place, level in enumerate(self.goals.levels) if level.kind == "worst"), None)
        if place is None:
            return 0
        least = self._least_worst()
        return least if self.runs == 0 else max(least, self.key[place + 1] - self.runs // 2 % 2)

    def _target(self, state: State, weights: Weights) -> int:
        """The cost at which every level has reached its bound; far below all costs where some bound is not known."""
        if any(level.bound is None for level in self.goals.levels):
            return -NEVER
        return sum(
            weight * max(0, (level.bound or 0) - (state.worst if level.kind == "worst" else 0))
            for level, weight in zip(self.goals.levels, weights.levels, strict=True)
            if not (level.kind == "worst" and (level.bound or 0) <= state.worst)
        )

    def _target_of(self, weights: Weights, seats: Seats, cost: int) -> int:
        """The same for a cost that leaves out what no exchange can change: told by seats and their cost."""
        if self.compiled.problem.rules or any(level.bound is None for level in self.goals.levels):
            return -NEVER
        state = State(self.compiled, self.goals, weights, seats, self._least_worst())
        return self._target(state, weights) - (state.cost - cost)
