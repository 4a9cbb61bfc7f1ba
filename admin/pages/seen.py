"""One opinion as its page shows it: words and their times, versions, what is alike, what will be hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from admin.pages.differences import Piece, differences, hidden_pieces
from admin.pages.gist import gist_of
from admin.pages.hearing import Heard, bleeps, hearing, spoken_words
from admin.pages.queueing import next_in_queue
from admin.pages.reading import Read, read_opinion, read_rows
from speech.bleep import Interval, hidden_letters
from speech.recognize import Word
from speech.summary import Summary
from sync.archive import Archive
from sync.assigning import colleagues
from sync.deadlines import days_for, proposed
from sync.errors import KeyDestroyed
from sync.likely import Belongs, Likely, likely
from sync.matters import Matter, matter_of
from sync.records.tables import Capture, Opinion, Person, SpokenReply, Staff, Topic, Transcript, Understanding
from sync.sorting import answers_of
from sync.spoken import Draft, drafts
from sync.words import transcript_name


@dataclass(frozen=True)
class Version:
    """One version of the words: who wrote it, when, and how it differs from the one before."""

    number: int
    by: str
    made_at: datetime
    pieces: Sequence[Piece]


@dataclass(frozen=True)
class Alike:
    """An opinion that is probably of the same matter; how sure we are, 0 to 1."""

    row: Read
    share: float
    pieces: Sequence[Piece] = field(default=())


@dataclass(frozen=True)
class Seen:
    """All that the page of one opinion needs. `following` is the next one of the queue."""

    row: Read
    matter: Matter
    heard: Heard | None
    words: Sequence[Word]
    bleeps: Sequence[Interval]
    hidden: Sequence[Piece]
    versions: Sequence[Version]
    alike: Sequence[Alike]
    belongs: Belongs | None
    gist: Summary | None
    topics: Sequence[tuple[str, str]]
    colleagues: Sequence[tuple[str, str]]
    until: str
    days: int
    entered_by: str | None
    following: str | None
    drafts: Sequence[Draft]
    spoken_by: Mapping[str, str]
    answers: Mapping[str, Understanding]
    """The machine's own, by what they are about: category, purpose."""


def see(session: Session, archive: Archive, community_id: str, opinion_id: str) -> Seen | None:
    """The opinion of that id in this community; None where there is none."""
    row = read_opinion(session, archive, community_id, opinion_id)
    if row is None:
        return None
    opinion, shown = row.opinion, row.transcript.redacted if row.transcript else None
    matter, heard = matter_of(session, opinion.id), hearing(session, archive, opinion)
    words = spoken_words(session, archive, opinion)
    found = likely(session, opinion)
    return Seen(
        row=row,
        matter=matter,
        heard=heard,
        words=words,
        bleeps=bleeps(heard, row.words, shown, words),
        hidden=_hidden(row),
        versions=_versions(session, archive, opinion),
        alike=_alike(session, archive, row, found, {one.id for one in matter.others}),
        belongs=found.topic,
        gist=gist_of(shown),
        topics=topic_choices(session, community_id),
        colleagues=colleagues(session, community_id),
        until=proposed(session, opinion, datetime.now(UTC)).isoformat(),
        days=days_for(session, opinion),
        entered_by=_entered_by(session, opinion),
        following=next_in_queue(session, archive, opinion),
        drafts=drafts(session, archive, opinion.id),
        spoken_by=_spoken_by(session, opinion.id),
        answers=answers_of(session, opinion.id),
    )


def topic_choices(session: Session, community_id: str) -> list[tuple[str, str]]:
    """(id, title) of every topic an opinion can be about, newest first."""
    rows = session.execute(
        select(Topic.id, Topic.title)
        .where(Topic.community_id == community_id, Topic.state != "draft")
        .order_by(Topic.created_at.desc(), Topic.id)
    )
    return [(topic_id, title) for topic_id, title in rows]


def _hidden(row: Read) -> list[Piece]:
    """The words with what nobody outside will read set apart; nothing where all of it may be read."""
    if not row.words or row.transcript is None:
        return []
    hidden = hidden_letters(row.words, row.transcript.redacted or "")
    return hidden_pieces(row.words, hidden) if hidden else []


def _versions(session: Session, archive: Archive, opinion: Opinion) -> list[Version]:
    """Newest first."""
    rows = session.scalars(
        select(Transcript).where(Transcript.opinion_id == opinion.id).order_by(Transcript.version)
    ).all()
    names = _names(session, {row.made_by for row in rows})
    key_id = session.get_one(Person, opinion.person_id).key_id
    found: list[Version] = []
    before = ""
    for row in rows:
        words = _unsealed(session, archive, key_id, row)
        pieces = differences(before, words) if found else [Piece("same", words)]
        found.append(Version(row.version, names.get(row.made_by, row.made_by), row.made_at, pieces))
        before = words
    return found[::-1]


def _unsealed(session: Session, archive: Archive, key_id: str, row: Transcript) -> str:
    if row.sealed_text is None:
        return ""
    about = transcript_name(row.opinion_id, row.version)
    try:
        return archive.keyring.unseal(session, key_id, row.sealed_text, about).decode()
    except KeyDestroyed:
        return ""


def _names(session: Session, ids: set[str]) -> Mapping[str, str]:
    rows = session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(ids)))
    return dict(iter((row.id, row.name) for row in rows))


def _alike(session: Session, archive: Archive, row: Read, found: Likely, joined: set[str]) -> list[Alike]:
    """What may be the same matter and isn't joined yet."""
    shares = {one: share for one, share in found.near if one not in joined}
    near = session.scalars(select(Opinion).where(Opinion.id.in_(shares))).all()
    rows = [one for one in read_rows(session, archive, near) if one.words]
    shown = [
        Alike(one, shares[one.opinion.id], differences(row.words or "", one.words or "")) for one in rows
    ]
    return sorted(shown, key=lambda one: -one.share)


def _spoken_by(session: Session, opinion_id: str) -> Mapping[str, str]:
    """By the ids of replies: those that were spoken, with the id of the voice."""
    rows = session.execute(
        select(SpokenReply.reply_id, SpokenReply.id).where(
            SpokenReply.opinion_id == opinion_id, SpokenReply.reply_id.is_not(None)
        )
    )
    return {reply_id or "": spoken_id for reply_id, spoken_id in rows}


def _entered_by(session: Session, opinion: Opinion) -> str | None:
    """The name of who typed it in for its speaker."""
    payload = session.scalar(
        select(Capture.payload).where(
            Capture.source == opinion.source, Capture.source_id == opinion.source_id
        )
    )
    staff_id = str((payload or {}).get("entered_by", ""))
    return _names(session, {staff_id}).get(staff_id) if staff_id else None
