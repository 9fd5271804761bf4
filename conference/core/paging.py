"""Lists cut into pages of so many lines, cards into rows: nothing is left out, no page is nearly empty."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

T = TypeVar("T")


def even_pages(items: Sequence[T], most: int) -> list[list[T]]:
    """The items on as few pages as `most` allows, about equally many on each.

    >>> even_pages([1, 2, 3, 4, 5], 4)
    [[1, 2, 3], [4, 5]]
    >>> even_pages([], 4)
    []
    """
    count = -(-len(items) // most)
    ends = [-(-len(items) * number // count) for number in range(count + 1)] if count else []
    return [list(items[first:last]) for first, last in pairwise(ends)]


def pages_by_height(items: Sequence[T], heights: Sequence[int], most: int) -> list[list[T]]:
    """The items in their order on pages of about equal height, at most `most`; an item that is higher has a page to itself.

    >>> pages_by_height("abcde", [2, 2, 2, 2, 2], 6)
    [['a', 'b', 'c'], ['d', 'e']]
    >>> pages_by_height("abc", [1, 9, 1], 6)
    [['a'], ['b'], ['c']]
    """
    total = sum(heights)
    target = min(most, -(-total // max(1, -(-total // most))) + max(heights, default=0) // 2)
    pages: list[list[T]] = []
    used = 0
    for item, height in zip(items, heights, strict=True):
        if not pages or used + height > target:
            pages.append([])
            used = 0
        pages[-1].append(item)
        used += height
    return pages


def pages_of_cards(cards: Sequence[T], heights: Sequence[int], in_a_row: int, most: int) -> list[list[T]]:
    """Cards in rows of `in_a_row`, rows on pages of `most` lines; a row is as high as its highest card.

    >>> pages_of_cards("ABCDE", [5, 5, 5, 5, 5], 2, 10)
    [['A', 'B', 'C', 'D'], ['E']]
    """
    pages: list[list[T]] = []
    left = 0
    for start in range(0, len(cards), in_a_row):
        row = list(cards[start : start + in_a_row])
        height = max(heights[start : start + in_a_row])
        if not pages or height > left:
            pages.append([])
            left = most
        pages[-1] += row
        left -= height
    return pages
