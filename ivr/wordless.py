"""Views as they are kept: whose words come where, never the words; these are read from the records each time.

So nothing has to be hunted down when somebody takes words back, and no call goes on saying them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from ivr.dialogue.plain import to_plain
from ivr.dialogue.view import VoiceView
from ivr.neighbours import as_broadcast, voices_now
from ivr.view import latest_replies

Plain = Mapping[str, Any]


def wordless_shared(content: Plain) -> dict[str, Any]:
    """What callers share, as it is kept."""
    return _with_voices(content, lambda opinion_id: VoiceView(opinion_id, ""))


def wordless_part(part: Plain) -> dict[str, Any]:
    """A caller's part, as it is kept: that there was a reply stays."""
    return _with_replies(part, lambda opinion_id: "")


def worded_shared(session: Session, content: Plain) -> dict[str, Any]:
    """What callers share, with the words that may be heard now."""
    opinions = [voice["opinion_id"] for topic in content["topics"] for voice in topic["voices"]]
    opinions += [item["voice"]["opinion_id"] for item in _items(content) if item["voice"]]
    voices = voices_now(session, opinions)
    return _with_voices(content, lambda opinion_id: voices.get(opinion_id) or VoiceView(opinion_id, ""))


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
        "broadcasts": [
            {**broadcast, "items": [_item(item, voice_of) for item in broadcast["items"]]}
            for broadcast in content.get("broadcasts", ())
        ],
    }


def _items(content: Plain) -> Iterator[Plain]:
    """Everything that the loudspeakers played; a view kept by an older release knows of nothing."""
    return (item for broadcast in content.get("broadcasts", ()) for item in broadcast["items"])


def _item(item: Plain, voice_of: Callable[[str], VoiceView]) -> dict[str, Any]:
    if not item["voice"]:
        return dict(item)
    voice = voice_of(item["voice"]["opinion_id"])
    return {**item, "voice": to_plain(as_broadcast(voice, item["is_own_voice"]))}


def _with_replies(part: Plain, reply_of: Callable[[str], str]) -> dict[str, Any]:
    return {
        **part,
        "own": [
            own if own["reply"] is None else {**own, "reply": reply_of(own["opinion_id"])}
            for own in part["own"]
        ],
    }
