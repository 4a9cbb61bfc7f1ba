"""What the page asks about how a loudspeaker of each kind is reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class AddressField:
    """One field of an address; its word is `speaker_<name>`. `choices`: what it may be, none: anything."""

    name: str
    is_needed: bool = False
    is_number: bool = False
    choices: tuple[str, ...] = ()


FIELDS: Mapping[str, tuple[AddressField, ...]] = {
    "mqtt": (AddressField("form", choices=("mp3", "wav")),),
    "sip": (
        AddressField("uri", is_needed=True),
        AddressField("auto_answer", choices=("both", "call-info", "alert-info", "none")),
    ),
    "callin": (AddressField("number", is_needed=True), AddressField("keys")),
    "multicast": (
        AddressField("group", is_needed=True),
        AddressField("port", is_needed=True, is_number=True),
        AddressField("ttl", is_number=True),
        AddressField("law", choices=("alaw", "ulaw")),
    ),
    "files": (AddressField("folder"),),
    "certified": (),
}
"""By kind: see the adapter of each in `ivr.broadcast`. The first of `choices` holds where none was chosen."""

WITH_SECRET = frozenset({"mqtt", "callin"})
"""Kinds whose loudspeakers are opened by a password or by keys."""

LONGEST = 120


def read_address(
    kind: str, typed: Callable[[str, int], str], before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The address of a form, each field `address_<name>`; what the form does not ask about stays."""
    address = dict(before or {})
    for field in FIELDS.get(kind, ()):
        text = typed(f"address_{field.name}", LONGEST)
        address.pop(field.name, None)
        if text:
            address[field.name] = int(text) if field.is_number and text.isdecimal() else text
    return address
