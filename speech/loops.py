"""Loops: a recognizer that lost its way says the same few words, or a whole sentence, again and again."""

from __future__ import annotations

from collections.abc import Sequence

LEAST_TIMES = 3
SHORTEST, LONGEST = 2, 12  # items of one round; people do say 对对对
# Nobody says more letters a second. Where a text claims it, a sentence that comes twice is a loop.
QUICKEST = 8.0
SENTENCE = 4  # items of a round that is long enough for that


def without_loops(items: Sequence[str], seconds: float | None = None) -> list[str]:
    """The items, each loop said once."""
    return [item for item, is_kept in zip(items, kept(items, seconds), strict=True) if is_kept]


def kept(items: Sequence[str], seconds: float | None = None) -> list[bool]:
    """Which items stay when each stretch that comes three times in a row or more is said only once.

    `seconds`: how long it took to say them all. Marks in items do not count; a last round may be unfinished.
    """
    said = ["".join(filter(str.isalnum, item)) for item in items]
    is_hurried = seconds is not None and sum(map(len, said)) > QUICKEST * seconds
    stays = [True] * len(said)
    at = 0
    while at < len(said):
        size, end = _loop(said, at, is_hurried=is_hurried)
        stays[at + size : end] = [False] * (end - at - size)
        at = end
    return stays


def _loop(said: Sequence[str], at: int, *, is_hurried: bool) -> tuple[int, int]:
    """The size of the round that begins here and where its loop ends; one item where there is no loop."""
    longest = len(said) if is_hurried else LONGEST
    for size in range(SHORTEST, min(longest, (len(said) - at) // 2) + 1):
        same = at + size
        while same < len(said) and said[same] == said[same - size]:
            same += 1
        times = (same - at) // size
        if times >= LEAST_TIMES or (is_hurried and times > 1 and size >= SENTENCE):
            return size, same if same == len(said) else at + size * times
    return 1, at + 1
