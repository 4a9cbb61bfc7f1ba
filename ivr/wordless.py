"""Views as they are kept: whose words come where, never the words; these are read from the records each time.

So nothing has to be hunted down when somebody takes words back, and no call goes on saying them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from ivr.dialogue.plain import to_plain
from ivr.dialogue.view import VoiceView
from ivr.neighbours import Played, broadcast_voices, voices_now
from ivr.view import latest_replies

Plain = Mapping[str, Any]


def wordless_shared(content: Plain) -> dict[str, Any]:
    """What callers share, as it is kept."""
    return _with_voices(content, lambda opinion_id: VoiceView(opinion_id, "")) | _with_broadcasts(content, {})


def wordless_part(part: Plain) -> dict[str, Any]:
    """A caller's part, as it is kept: that there was a reply stays."""
    return _with_replies(part, lambda opinion_id: "")


def worded_shared(session: Session, content: Plain) -> dict[str, Any]:
    """What callers share, with the words that may be heard now."""
    opinions = [voice["opinion_id"] for topic in content["topics"] for voice in topic["voices"]]
    voices = voices_now(session, opinions)
    played = broadcast_voices(session, frozenset(_played(content)))
    return _with_voices(
        content, lambda opinion_id: voices.get(opinion_id) or VoiceView(opinion_id, "")
    ) | _with_broadcasts(content, played)


def worded_part(session: Session, part: Plain) -> dict[str, Any]:
    """A caller's part, with the replies that are still there."""
    answered = [own["opinion_id"] for own in part["own"] if own["reply"] is not None]
    replies = latest_replies(session, answered)
    return _with_replies(part, lambda opinion_id: replies[opinion_id].spoken if opinion_id in replies else "")


def _with_voices(content: Plain, voice_of: Callable[[str], VoiceView]) -> dict[str, Any]:
    return {
        **content,
        "topics": [
            {**topic, "voices": [to_plain(voice_of(voice["opinion_id"])) for voice in topic["voices"]]}
            for topic in content["topics"]
        ],
    }


def _with_broadcasts(content: Plain, voices: Mapping[Played, VoiceView]) -> dict[str, Any]:
    """What the loudspeakers played, with these voices; a view kept by an older release knows of nothing."""
    return {
        "broadcasts": [
            {**broadcast, "items": [_item(item, voices) for item in broadcast["items"]]}
            for broadcast in content.get("broadcasts", ())
        ]
    }


def _item(item: Plain, voices: Mapping[Played, VoiceView]) -> Plain:
    if not item["voice"]:
        return item
    played = _named(item)
    return {**item, "voice": to_plain(voices.get(played) or VoiceView(played[0], ""))}


def _played(content: Plain) -> Iterator[Played]:
    """The voices that the loudspeakers played."""
    for broadcast in content.get("broadcasts", ()):
        yield from (_named(item) for item in broadcast["items"] if item["voice"])


def _named(item: Plain) -> Played:
    return item["voice"]["opinion_id"], item["is_own_voice"]


def _with_replies(part: Plain, reply_of: Callable[[str], str]) -> dict[str, Any]:
    return {
        **part,
        "own": [
            own if own["reply"] is None else {**own, "reply": reply_of(own["opinion_id"])}
            for own in part["own"]
        ],
    }
