"""One measured thing is one line: name, value, unit, ratio to its baseline, target, and `ok` or `short`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True)
class Measured:
    """A measurement. `ratio` is value / baseline (None without one); the target is on it, else on the value.

    `is_at_most`: the target is a bound from above (seconds, bytes), not from below (a rate).
    `is_absolute`: the target is on the value even though there is a ratio.
    """

    name: str
    value: float
    unit: str
    target: float
    ratio: float | None = None
    is_at_most: bool = False
    is_absolute: bool = False

    @property
    def is_ok(self) -> bool:
        """Whether the target is met."""
        judged = self.value if self.ratio is None or self.is_absolute else self.ratio
        return judged <= self.target if self.is_at_most else judged >= self.target

    def __str__(self) -> str:
        ratio = "-" if self.ratio is None else f"{self.ratio:.2f}"
        bound = "<=" if self.is_at_most else ">="
        verdict = "ok" if self.is_ok else "short"
        return f"{self.name} {self.value:.4g} {self.unit} {ratio} {bound}{self.target:g} {verdict}"


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of `values` that at least `percent` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)]
