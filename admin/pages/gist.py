"""What people say to a topic, on a page of its own; and a long opinion in short."""

from __future__ import annotations

from flask import Blueprint, abort, render_template

from admin.pages.access import archive, reader
from admin.roles import for_role
from speech.summary import Summary, summary
from sync.gathered import what_is_said
from sync.records.tables import Topic

LONG = 120
"""Characters of an opinion that is easier to take in by its main sentences first."""
_MOST_SENTENCES, _MOST_PHRASES = 3, 5


def add_gist(desk: Blueprint) -> None:
    """Put the page on the desk."""
    desk.add_url_rule("/topics/<topic_id>/said", "topic_said", topic_said)


def gist_of(redacted: str | None) -> Summary | None:
    """The main sentences of a long opinion, of what others may read; None where it is short."""
    if redacted is None or len(redacted) < LONG:
        return None
    return summary([redacted], _MOST_SENTENCES, _MOST_PHRASES)


@for_role("voices.see")
def topic_said(topic_id: str) -> str:
    """The sentences that stand for the most opinions of one topic."""
    with archive().database.read() as session:
        topic = session.get(Topic, topic_id)
        if topic is None or topic.community_id != reader().community_id:
            abort(404)
        said = what_is_said(session, topic)
    return render_template("desk/topic_said.html", topic=topic, said=said)
