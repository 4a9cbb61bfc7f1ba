"""What a community can set, by name, and how a typed value becomes the kept one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SETTINGS: Mapping[str, str] = {
    "voice": "which voice reads: female, male, or a voice's name",
    "person_number": "the number that `0` dials",
    "seats_per_number": "how many people may vote from one number",
    "notice_version": "the version of the notice before the beep",
    "keep_months": "how many months recordings and words are kept; said in the notice",
    "keep_changes_days": "how many days back platforms can read the feed",
    "vocabulary": "names and words of the place, separated by commas, that help the recognizer",
}
_RANGES = {"seats_per_number": (1, 9), "keep_months": (1, 120), "keep_changes_days": (7, 3650)}


def typed_setting(name: str, value: str) -> Any:
    """The value as it is kept. Raises KeyError for an unknown name, ValueError for a senseless value."""
    if name not in SETTINGS:
        raise KeyError(name)
    if name in _RANGES:
        number, (least, most) = int(value), _RANGES[name]
        if not least <= number <= most:
            raise ValueError(f"{name} is from {least} to {most}")
        return number
    if name == "vocabulary":
        return [word.strip() for word in value.replace("，", ",").split(",") if word.strip()]
    return value
