"""What the loudspeakers played in the last days, to be heard again on the telephone, item by item."""

from __future__ import annotations

from ivr.dialogue.steps import Listen, Menu, Prompt, Remember, Step, passed_by, prompt
from ivr.dialogue.turns import Sound, Text
from ivr.dialogue.view import BroadcastItemView, BroadcastView, CommunityView

HEARD_AGAIN = "broadcast"
"""The fact in a call's memory that tells which programme was asked for: it counts that call to it."""

MOST_BROADCASTS = 3
_CHOICES = ("broadcast.choose_1", "broadcast.choose_2", "broadcast.choose_3")


def broadcast_steps(view: CommunityView, then: str) -> dict[str, Step]:
    """The steps `broadcast…`, none where nothing was played lately; afterwards the call goes on at `then`."""
    told = view.broadcasts[:MOST_BROADCASTS]
    steps: dict[str, Step] = {}
    for place, broadcast in enumerate(told, start=1):
        steps |= _programme(_name(place, len(told)), broadcast, then)
    return (_choose(told) if len(told) > 1 else {}) | steps


def has_broadcast(view: CommunityView) -> bool:
    """Whether there is anything to be heard again."""
    return bool(view.broadcasts)


def _name(place: int, of: int) -> str:
    """One programme is come to straight away, several by a menu."""
    return "broadcast" if of == 1 else f"broadcast.{place}"


def _choose(told: tuple[BroadcastView, ...]) -> dict[str, Step]:
    """Which one? Waiting leads to the newest."""
    says = [Prompt(choice, {"title": Text(each.title)}) for choice, each in zip(_CHOICES, told, strict=False)]
    keys = {str(place): f"broadcast.{place}" for place in range(1, len(told) + 1)}
    return {"broadcast": Menu(tuple(says), keys=keys, next="broadcast.1")}


def _programme(at: str, broadcast: BroadcastView, then: str) -> dict[str, Step]:
    """Every item is listened to for itself: `#` goes to the next one, `9` back, `*` says it again."""
    names = [f"{at}.item.{place}" for place in range(1, len(broadcast.items) + 1)]
    ways = [*names, then]
    first = next((name for name, item in zip(names, broadcast.items, strict=True) if not item.is_gone), "")
    steps: dict[str, Step] = {at: Remember({HEARD_AGAIN: broadcast.programme_id}, then=ways[0])}
    for name, item, following in zip(names, broadcast.items, ways[1:], strict=True):
        opening = "broadcast.first" if name == first else "broadcast.next"
        heard: dict[str, Step] = {name: Listen((opening, *_words(item)), then=following)}
        steps |= passed_by(heard, following) if item.is_gone else heard
    return steps


def _words(item: BroadcastItemView) -> tuple[Prompt, ...]:
    said = tuple(prompt("broadcast.words", words=Text(sentence)) for sentence in item.sentences)
    voice = item.voice
    if voice is None:
        return said
    if voice.recording_id is not None:
        return (*said, prompt("broadcast.own", sound=Sound(voice.recording_id)))
    return (*said, prompt("broadcast.words", words=Text(voice.words)))
