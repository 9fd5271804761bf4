"""How many people sit at which table, where the limits leave a choice."""

import numpy as np

from .compiled import Counter

NEVER = -(2**62)


def crowded_sizes(seats: Counter) -> list[int]:
    """Sizes with as many pairs at one table as possible: some tables full, others small, for goals that reward company.

    Exact, by the best sum of squares for every number of people and the first so many tables.
    """
    spare = sum(seats.part) - sum(seats.least)
    best = np.full(max(0, spare) + 1, NEVER, dtype=np.int64)
    best[0] = 0
    choices = []
    for least, most in zip(seats.least, seats.most, strict=True):
        total, choice = np.full_like(best, NEVER), np.zeros_like(best)
        for more in range(min(most - least, max(0, spare)) + 1):
            value = best[: len(best) - more] + (least + more) ** 2
            better = value > total[more:]
            total[more:][better] = value[better]
            choice[more:][better] = more
        best = total
        choices.append(choice)
    sizes = list(seats.least)
    for group in reversed(range(len(sizes))):
        more = int(choices[group][spare]) if spare > 0 else 0
        sizes[group] += more
        spare -= more
    return sizes
