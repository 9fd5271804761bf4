"""What happened in this process since it started, by name: for whoever watches the house. Figures only."""

import threading
from collections import Counter

_lock = threading.Lock()
_counts: Counter[str] = Counter()


def add(name: str) -> None:
    """One more of these."""
    with _lock:
        _counts[name] += 1


def number(name: str) -> int:
    """How many there were."""
    with _lock:
        return _counts[name]
