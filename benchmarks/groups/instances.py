"""Group problems with a name: invented conferences, famous schedules, and files of MDGPLIB where they lie beside the project."""

from pathlib import Path
from random import Random

from conference.core.grouping import (
    Balance,
    Colleagues,
    Diversity,
    Group,
    Person,
    Problem,
    Repeats,
    Wishes,
    even_groups,
)

MDGPLIB = Path(__file__).parents[3] / "shared" / "mdgplib"
BEST_KNOWN = {
    "RanInt_n030_ss_01": 5364, "RanInt_n060_ss_01": 19079, "RanInt_n120_ss_01": 47909, "RanInt_n120_ss_02": 47826,
    "RanInt_n120_ds_01": 51146, "RanInt_n240_ss_01": 155469, "RanInt_n480_ss_01": 378561, "RanReal_n060_ss_01": 18733.740,
    "RanReal_n120_ss_01": 47363.207, "Geo_n120_ss_01": 101629.993, "Geo_n240_ss_01": 188868.004,
}  # fmt: skip


def a_conference(people: int, tables: int, rounds: int, homes: int, seed: int) -> Problem:
    """A fifth from the agency in three teams, the others from so many organisations, some with several people."""
    random = Random(seed)
    agency = round(people / 5)
    names = [f"o{number}" for number in range(homes)]
    guests = [
        Person(
            f"p{number}",
            names[number] if number < homes else random.choice(names),
            {"side": "provider", "team": None},
        )
        for number in range(people - agency)
    ]
    guests += [
        Person(f"a{number}", "agency", {"side": "agency", "team": f"t{number % 3}"})
        for number in range(agency)
    ]
    random.shuffle(guests)
    groups = even_groups([Group(str(number + 1), 0, 0) for number in range(tables)], guests, rounds)
    goals = (Colleagues({"side": "agency"}), Repeats(), Balance(("side", "team")))
    return Problem(rounds, groups, tuple(guests), goals=goals)


def golfers(tables: int, size: int, rounds: int) -> Problem:
    """Nobody shall meet twice, nothing else matters."""
    people = tuple(Person(f"p{number}") for number in range(tables * size))
    groups = tuple(Group(str(number + 1), size, size) for number in range(tables))
    return Problem(rounds, groups, people, goals=(Repeats(),))


def wishers(people: int, tables: int, seed: int, rounds: int = 1) -> Problem:
    """Everybody wishes for three tables."""
    random = Random(seed)
    names = [str(number + 1) for number in range(tables)]
    guests = tuple(Person(f"p{number}", wishes=tuple(random.sample(names, 3))) for number in range(people))
    groups = even_groups([Group(name, 0, 0) for name in names], guests, rounds)
    return Problem(rounds, groups, guests, goals=(Wishes(),))


def rooms(sizes: tuple[int, ...], rounds: int, seed: int) -> Problem:
    """As many people as seats in rooms of very different sizes: few repeats, then sides spread evenly."""
    random = Random(seed)
    guests = tuple(
        Person(f"p{number}", attributes={"side": "agency" if random.random() < 1 / 3 else "provider"})
        for number in range(sum(sizes))
    )
    groups = tuple(Group(str(number + 1), size, size) for number, size in enumerate(sizes))
    return Problem(rounds, groups, guests, goals=(Repeats(), Balance(("side",))))


def mdgplib(name: str) -> Problem:
    """An instance of the library. Raises OSError where it does not lie beside the project."""
    head, *rows = (MDGPLIB / f"{name}.txt").read_text().splitlines()
    people, tables, _kind, *limits = head.split()
    sizes = list(map(int, limits))
    groups = tuple(Group(str(n + 1), sizes[2 * n], sizes[2 * n + 1]) for n in range(int(tables)))
    pairs = tuple(
        (f"p{one}", f"p{other}", float(value))
        for one, other, value in (row.split() for row in rows if row.strip())
    )
    guests = tuple(Person(f"p{number}") for number in range(int(people)))
    return Problem(1, groups, guests, goals=(Diversity(pairs),))
