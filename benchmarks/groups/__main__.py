"""Prints tables: bounds met by how many seeds, gaps to the best known values, seconds of this process."""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

from conference.core import grouping

from . import instances, peers

SEEDS = 20
EVERYDAY = [
    (40, 5, 3, 18, 0.1), (400, 40, 3, 120, 0.5), (1000, 100, 3, 300, 1.5), (1000, 100, 8, 300, 3.0),
    (120, 12, 4, 35, 10.0), (137, 13, 5, 40, 10.0),
]  # fmt: skip
DESIGNS = [
    (5, 3, 7, 1.0), (8, 4, 9, 0.5), (7, 7, 8, 0.5), (13, 13, 14, 0.5), (9, 3, 13, 0.5), (7, 4, 9, 0.5), (7, 3, 10, 0.5),
    (8, 4, 10, 0.5),
]  # fmt: skip
ROOMS = [("20/12/8/8/6/6 ×2", (20, 12, 8, 8, 6, 6), 2), ("20/12/8/8/6/6 ×3", (20, 12, 8, 8, 6, 6), 3)]
WISHERS = [(40, 5), (120, 12), (1000, 100)]
LIBRARY = [
    ("RanInt_n120_ss_01", 3, 0.1), ("RanInt_n120_ds_01", 3, 0.1), ("RanReal_n120_ss_01", 3, 0.1),
    ("Geo_n120_ss_01", 3, 0.1), ("RanInt_n240_ss_01", 10, 0.3), ("Geo_n240_ss_01", 10, 0.3), ("RanInt_n480_ss_01", 10, 0.3),
]  # fmt: skip


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """What the call gives and its CPU seconds, which other work on the machine does not change."""
    began = time.process_time()
    result = call()
    return result, time.process_time() - began


def row(name: str, *cells: object) -> None:
    """One line of a table."""
    print(f"{name:28}" + "".join(f"{cell!s:>16}" for cell in cells), flush=True)


def everyday(seeds: int) -> None:
    """Conferences: how many seeds meet every bound."""
    print("\nConferences (people/tables/rounds): seeds that meet every proven bound, CPU seconds\n")
    row("instance", "bounds met", "median s", "slowest s", "mark s", "random repeats")
    for people, tables, rounds, homes, mark in EVERYDAY:
        met, seconds = 0, []
        for seed in range(seeds):
            problem = instances.a_conference(people, tables, rounds, homes, seed)
            solution, spent = timed(lambda p=problem, s=seed: grouping.solve(p, seed=s))
            met += solution.status == "optimal"
            seconds.append(spent)
        shuffled = peers.shuffled(problem, seed=1)
        row(
            f"{people}/{tables}/{rounds}", f"{met} of {seeds}", f"{statistics.median(seconds):.2f}", f"{max(seconds):.2f}",
            mark, shuffled["repeats"],
        )  # fmt: skip


def designs(seeds: int) -> None:
    """Famous schedules without repeats."""
    print("\nNobody meets twice (tables-size-rounds): seeds without a repeat, CPU seconds\n")
    row("instance", "no repeat", "median s", "slowest s", "mark s", "CP-SAT")
    for tables, size, rounds, mark in DESIGNS:
        problem = instances.golfers(tables, size, rounds)
        runs = [timed(lambda p=problem, s=seed: grouping.solve(p, seed=s)) for seed in range(seeds)]
        good = sum(solution.goals[0].value == 0 for solution, _ in runs)
        seconds = [spent for _, spent in runs]
        row(
            f"{tables}-{size}-{rounds}", f"{good} of {seeds}", f"{statistics.median(seconds):.3f}", f"{max(seconds):.3f}",
            mark, peers.cp_sat(tables, size, rounds, limit=5),
        )  # fmt: skip


def library(seeds: int) -> None:
    """MDGPLIB: the gap to the best known value."""
    if not instances.MDGPLIB.is_dir():
        print("\nMDGPLIB: left out, its files do not lie beside the project")
        return
    print("\nMDGPLIB: gap to the best known value in percent (below 0: better)\n")
    row("instance", "seconds", "mean gap", "best", "worst", "mark")
    for name, seconds, mark in LIBRARY:
        problem, best, gaps = instances.mdgplib(name), instances.BEST_KNOWN[name], []
        for seed in range(seeds):
            end = time.process_time() + seconds
            solution = grouping.solve(
                problem, seed=seed, iterations=10**9, deadline=lambda e=end: time.process_time() > e
            )
            gaps.append(100 * (best - solution.goals[0].value) / best)
        row(name, seconds, f"{statistics.mean(gaps):.3f}", f"{min(gaps):.3f}", f"{max(gaps):.3f}", mark)


def gaps(seeds: int) -> None:
    """Where no proof closes every gap: the values found beside what nobody can beat."""
    print(
        "\nRooms of different sizes, and wishes over several rounds: found (bound) of the first and last seed\n"
    )
    row("instance", "optimal", "first", "last", "median s")
    cases: list[tuple[str, Callable[[int], grouping.Problem]]] = [
        (f"rooms {name}", partial(instances.rooms, sizes, rounds)) for name, sizes, rounds in ROOMS
    ]
    cases += [
        (f"wishes {people}/{tables}/3", partial(instances.wishers, people, tables, rounds=3))
        for people, tables in WISHERS
    ]
    for name, make in cases:
        problems = [make(seed) for seed in range(1, seeds + 1)]
        runs = [timed(lambda p=problem: grouping.solve(p)) for problem in problems]
        shown = [
            " ".join(f"{_short(score.value)} ({_short(score.bound)})" for score in solution.goals)
            for solution, _ in (runs[0], runs[-1])
        ]
        best = sum(solution.status == "optimal" for solution, _ in runs)
        row(name, f"{best} of {seeds}", *shown, f"{statistics.median(spent for _, spent in runs):.2f}")


def _short(value: grouping.Value | None) -> str:
    """A value that fits into a column: wishes as worst/sum."""
    return (
        "/".join(map(str, value)) if isinstance(value, tuple) else f"{value:g}" if value is not None else "–"
    )


def flows() -> None:
    """What flows solve exactly: wishes and repair; and how fast a contradiction is told."""
    print("\nExact parts, CPU seconds\n")
    row("what", "result", "seconds", "mark s")
    wishes = instances.wishers(1000, 100, 1)
    solution, spent = timed(lambda: grouping.solve(wishes))
    row("wishes 1000/100", solution.status, f"{spent:.2f}", 0.5)
    whole = instances.golfers(100, 10, 1)
    published = grouping.solve(whole).seating
    left = tuple(Random(1).sample(whole.people, 970))
    new = tuple(grouping.Person(f"n{number}") for number in range(10))
    now = replace(whole, people=left + new, groups=grouping.even_groups(whole.groups, left + new, 1))
    repaired, spent = timed(lambda: grouping.repair(now, published))
    row("repair 1000/100", f"{len(repaired.moves)} moves", f"{spent:.2f}", 0.1)
    rules = [grouping.Apart(tuple(f"p{number}" for number in range(6)))]
    june = replace(instances.a_conference(40, 5, 3, 18, 1), rules=tuple(rules))
    told, spent = timed(lambda: _contradiction(june))
    row("six apart at five tables", told, f"{spent:.2f}", 1.0)


def _contradiction(problem: grouping.Problem) -> str:
    try:
        grouping.solve(problem)
    except grouping.Contradiction as error:
        return f"{len(error.rules)} rule"
    return "not seen"


def main() -> None:
    """All tables; with a number as argument so many seeds."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS
    everyday(seeds)
    designs(seeds)
    library(min(seeds, 10))
    flows()
    gaps(min(seeds, 5))
    print(f"\n{peers.GOLFERS}")


if __name__ == "__main__":
    main()
