"""What people say to a topic: the summary of what others may read of its newest opinions."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from speech.summary import Summary, summary
from sync.records.tables import Opinion, Topic, Transcript
from sync.upsert import is_among

NEWEST = 200
"""Opinions that are summed up: staff want to know what is said now, and wait a second for it."""
_MOST_SENTENCES, _MOST_PHRASES = 8, 10
_HEARD = ("review", "approved", "rejected")


@dataclass(frozen=True)
class Gathered:
    """A summary, and of how many opinions it is."""

    gist: Summary
    opinions: int


def what_is_said(session: Session, topic: Topic, *only: ColumnElement[bool]) -> Gathered:
    """The summary of the newest opinions of a topic that have words, from their redacted versions alone.

    `only`: what has to be true of an opinion besides, because of who reads it.
    """
    newest = select(Opinion.id).where(Opinion.topic_id == topic.id, Opinion.state.in_(_HEARD), *only)
    ids = session.scalars(newest.order_by(Opinion.said_at.desc(), Opinion.id.desc()).limit(NEWEST)).all()
    rows = session.execute(
        select(Transcript.opinion_id, Transcript.redacted)
        .where(is_among(session, Transcript.opinion_id, list(ids)))
        .order_by(Transcript.opinion_id, Transcript.version)
    )
    words = {one: redacted for one, redacted in rows if redacted}
    texts = [words[one] for one in ids if one in words]
    return Gathered(summary(texts, _MOST_SENTENCES, _MOST_PHRASES), len(texts))
