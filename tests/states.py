"""State machines of hypothesis against the real app: the same walks each time, so that a red one is red for everybody."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


def walk(machine: Callable[[], RuleBasedStateMachine], *, walks: int, steps: int) -> None:
    """So many walks of so many steps; what is checked after each step stands in the machine.

    What goes wrong is shown as it was walked: to look for a shorter way takes minutes.
    """
    chosen: dict[str, Any] = {
        "max_examples": walks,
        "stateful_step_count": steps,
        "derandomize": True,
        "deadline": None,
        "database": None,
        "phases": [Phase.generate],
        "suppress_health_check": list(HealthCheck),
    }
    run_state_machine_as_test(machine, settings=settings(**chosen))
