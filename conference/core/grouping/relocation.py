"""Moves of what is bound together: people tied at one table, and people who stay in one group over several rounds.

Moved alone, each step of such a move would break a rule. So a bundle goes as a whole, and others come back for it one by
one, the cheapest first, until the sizes are as before.
"""

from collections.abc import Callable

from .state import State

Place = tuple[int, int]
"""(round, unit)."""


def bundles(state: State) -> list[list[Place]]:
    """The places that only move well together: those of each person who stays, and each unit of several people."""
    rounds = state.compiled.rounds
    staying = [
        [(number, rounds[number].unit_of[person]) for number in numbers]
        for person, numbers in state.compiled.stays
    ]
    tied = [
        [(number, unit)]
        for number, one in enumerate(rounds)
        for unit, people in enumerate(one.units)
        if len(people) > 1
    ]
    return staying + tied


def relocate(state: State, bundle: list[Place], random: Callable[[], float]) -> None:
    """Move the bundle to a random group that all its places may take; undo it if that makes things worse."""
    rounds = state.compiled.rounds
    now = {int(state.where[number, unit]) for number, unit in bundle}
    goals = [
        group
        for group in range(state.compiled.groups)
        if now != {group} and all(rounds[number].allowed[unit][group] for number, unit in bundle)
    ]
    if not goals:
        return
    goal, before = goals[int(random() * len(goals))], state.cost
    done = [(number, unit, int(state.where[number, unit])) for number, unit in bundle]
    for number, unit in bundle:
        state.move(number, unit, goal)
    for number, unit, group in done[:]:
        if group != goal:
            done.extend(_come_back(state, number, unit, goal, group))
    if state.cost > before:
        for number, unit, group in reversed(done):
            state.move(number, unit, group)


def _come_back(state: State, number: int, unit: int, goal: int, group: int) -> list[tuple[int, int, int]]:
    """As many people as have come move from the goal to the group that was left."""
    units = state.compiled.rounds[number].units
    missing = len(units[unit])
    done: list[tuple[int, int, int]] = []
    while missing > 0:
        others = [
            int(other)
            for other in state.members(number, goal)
            if other != unit and len(units[other]) <= missing
        ]
        if not others:
            break
        other = min(others, key=lambda other: state.move_cost(number, other, group))
        state.move(number, other, group)
        done.append((number, other, goal))
        missing -= len(units[other])
    return done
