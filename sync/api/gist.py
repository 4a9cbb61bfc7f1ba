"""What people say to a topic in short, for platforms: of the words alone that they may show to residents."""

from __future__ import annotations

from sqlalchemy.orm import Session

from sync.api.asked import Asked, Json
from sync.api.topics import topic_of
from sync.records.tables import Opinion
from sync.shown.opinions import is_demo, readable_states


def topic_gist(session: Session, asked: Asked) -> Json:
    """The sentences that stand for the most opinions, and phrases. Problem 404: there is no such topic."""
    from sync.gathered import what_is_said  # its dictionary is large, and most calls are for something else

    topic = topic_of(session, asked)
    only = [Opinion.state.in_(readable_states(asked.caller.scopes)), Opinion.release != "none"]
    if not is_demo(session, topic.community_id):
        only.append(Opinion.is_practice.is_(False))
    said = what_is_said(session, topic, *only)
    return {
        "topic_id": topic.id,
        "opinions": said.opinions,
        "sentences": [{"text": one.sentence, "voices": one.voices} for one in said.gist.sentences],
        "phrases": list(said.gist.phrases),
    }
