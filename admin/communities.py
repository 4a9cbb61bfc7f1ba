"""What a community can set, by name, and how a typed value becomes the kept one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SETTINGS: Mapping[str, str] = {
    "voice": "which voice reads: female, male, or a voice's name",
    "person_number": "the number that `0` dials",
    "seats_per_number": "how many people may vote from one number",
    "notice_version": "the version of the notice before the beep",
    "vocabulary": "names and words of the place, separated by commas, that help the recognizer",
}


def typed_setting(name: str, value: str) -> Any:
    """The value as it is kept. Raises KeyError for an unknown name, ValueError for a senseless value."""
    if name not in SETTINGS:
        raise KeyError(name)
    if name == "seats_per_number":
        if not 1 <= int(value) <= 9:
            raise ValueError("seats are 1 to 9")
        return int(value)
    if name == "vocabulary":
        return [word.strip() for word in value.replace("，", ",").split(",") if word.strip()]
    return value
