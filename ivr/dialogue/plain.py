"""Places, turns, what was heard and views as plain JSON, and back: a call's row holds nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, cast

from ivr.dialogue import keeps, turns, view
from ivr.dialogue.turns import Heard, Place, Turn
from ivr.dialogue.view import CommunityView

_KINDS: dict[str, type[Any]] = {
    name: kind
    for module in (keeps, turns, view)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and is_dataclass(kind)
}
_NAMES = {kind: tuple(each.name for each in fields(kind)) for kind in _KINDS.values()}


def to_plain(value: object) -> Any:
    """Any value of the dialogue as JSON-plain data: a dataclass becomes an object, `is` names its kind."""
    kind = type(value)
    if kind in _NAMES:
        return {"is": kind.__name__, **{name: to_plain(getattr(value, name)) for name in _NAMES[kind]}}
    if isinstance(value, Mapping):
        return {str(name): to_plain(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(each) for each in value]
    return value


def from_plain(data: Any) -> Any:
    """The value that `to_plain` wrote. Fields it does not know are left out: older programs read newer rows.

    Raises ValueError when an object names a kind the dialogue does not have.
    """
    if isinstance(data, list):
        return tuple(from_plain(each) for each in data)
    if not isinstance(data, dict):
        return data
    values = {name: from_plain(each) for name, each in data.items() if name != "is"}
    if "is" not in data:
        return values
    kind = _KINDS.get(data["is"])
    if kind is None:
        raise ValueError(f"not a value of the dialogue: {data['is']!r}")
    return kind(**{name: each for name, each in values.items() if name in _NAMES[kind]})


def place_to_plain(place: Place) -> dict[str, Any]:
    """A caller's place as JSON."""
    return cast("dict[str, Any]", to_plain(place))


def place_from_plain(data: Mapping[str, Any]) -> Place:
    """A caller's place from its JSON."""
    return cast(Place, from_plain(dict(data)))


def turn_to_plain(turn: Turn) -> dict[str, Any]:
    """A turn as JSON."""
    return cast("dict[str, Any]", to_plain(turn))


def turn_from_plain(data: Mapping[str, Any]) -> Turn:
    """A turn from its JSON."""
    return cast(Turn, from_plain(dict(data)))


def heard_to_plain(heard: Heard) -> dict[str, Any]:
    """What was heard, as JSON."""
    return cast("dict[str, Any]", to_plain(heard))


def heard_from_plain(data: Mapping[str, Any]) -> Heard:
    """What was heard, from its JSON."""
    return cast(Heard, from_plain(dict(data)))


def view_to_plain(view: CommunityView) -> dict[str, Any]:
    """What a call sees of its community, as JSON."""
    return cast("dict[str, Any]", to_plain(view))


def view_from_plain(data: Mapping[str, Any]) -> CommunityView:
    """What a call saw of its community, from its JSON."""
    return cast(CommunityView, from_plain(dict(data)))
