"""Loops: a recognizer that lost its way says the same few words again and again."""

from __future__ import annotations

from collections.abc import Sequence

LEAST_TIMES = 3
SHORTEST, LONGEST = 2, 12  # items of one round; people do say 对对对


def without_loops(items: Sequence[str]) -> list[str]:
    """The items, each loop said once."""
    return [item for item, is_kept in zip(items, kept(items), strict=True) if is_kept]


def kept(items: Sequence[str]) -> list[bool]:
    """Which items stay when each stretch that comes three times in a row or more is said only once."""
    stays = [True] * len(items)
    at = 0
    while at < len(items):
        size, times = _loop(items, at)
        if times:
            stays[at + size : at + size * times] = [False] * (size * (times - 1))
        at += max(1, size * times)
    return stays


def _loop(items: Sequence[str], at: int) -> tuple[int, int]:
    """The size of the round that begins here and how often it comes; (1, 0) where there is no loop."""
    for size in range(SHORTEST, LONGEST + 1):
        first, times = items[at : at + size], 1
        while items[at + size * times : at + size * (times + 1)] == first and len(first) == size:
            times += 1
        if times >= LEAST_TIMES:
            return size, times
    return 1, 0
