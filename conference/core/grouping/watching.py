"""How far a search is, how good its best seating is, and whether it shall stop: told and asked in every phase."""

from collections.abc import Callable
from dataclasses import dataclass

from .model import GoalScore


@dataclass(frozen=True)
class Progress:
    """Steps done and planned, and the goals of the best seating so far with their bounds; none before there is one."""

    done: int
    planned: int
    goals: tuple[GoalScore, ...] = ()


class Stopped(Exception):
    """The caller does not want to wait any longer."""


def quietly(progress: Progress) -> None:
    """Nobody wants to know."""


def never() -> bool:
    """There is time."""
    return False


class Watch:
    """Between the search and its caller; what the caller does changes nothing but the end."""

    def __init__(
        self, planned: int, deadline: Callable[[], bool], on_progress: Callable[[Progress], None]
    ) -> None:
        self.planned, self.deadline, self.on_progress = planned, deadline, on_progress
        self.done = 0
        self.goals: tuple[GoalScore, ...] = ()
        self._is_over = False

    def is_over(self) -> bool:
        """True from the first time on that the caller says so."""
        self._is_over = self._is_over or self.deadline()
        return self._is_over

    def tell(self) -> None:
        """Let the caller know."""
        self.on_progress(Progress(self.done, self.planned, self.goals))

    def beat(self) -> None:
        """Let the caller know; raises Stopped when it is time."""
        self.tell()
        if self.is_over():
            raise Stopped
