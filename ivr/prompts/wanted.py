"""Everything a call of one community can ever say, most important first: the list that is rendered ahead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import IntEnum
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from ivr.dialogue.hotline import hotline
from ivr.dialogue.steps import Flow
from ivr.prompts.book import Book
from ivr.prompts.pieces import COUNTED, counted_texts, digit_words, ending
from ivr.prompts.walk import flow_texts
from ivr.view import community_view
from sync.records.tables import (
    Community,
    Opinion,
    Programme,
    ProgrammeItem,
    ProgressUpdate,
    Reply,
    Topic,
    Transcript,
)
from sync.wording import LONGEST_TITLE, SPOKEN, WORDED

if TYPE_CHECKING:
    from sync.archive import Archive

MOST_COUNTED = 30
"""Counts are rendered up to this number; the dialogue never says a greater one."""

_HEARD_TOPICS = ("open", "paused", "closed", "decided")


class Importance(IntEnum):
    """What is rendered before what. A call can be taken once `FIRST` is there."""

    FIRST = 0  # greeting, menu and the first topic up to the beep, and what is one key off that way
    PROMPTS = 1  # the rest of the flow and of the book
    NUMBERS = 2
    RECORDS = 3  # topics, neighbours and replies that no flow says today


@dataclass(frozen=True)
class Wanted:
    """One clip that a call may need. `is_personal`: a resident's words, or the answer to one."""

    text: str
    is_slow: bool
    importance: Importance
    is_personal: bool = False


def wanted(archive: Archive, community_id: str, book: Book, now: datetime | None = None) -> Iterator[Wanted]:
    """Every clip of the community once, most important first. Raises `LookupError` without the community."""
    with archive.database.read() as session:
        community = session.get(Community, community_id)
        if community is None:
            raise LookupError(f"no community {community_id}")
        view = community_view(session, community, None, now or datetime.now(UTC))
        records = tuple(record_texts(session, community_id))
        personal = personal_texts(session, community_id)
    return _once(_all(hotline(view), book, records), personal)


def _once(clips: Iterator[Wanted], personal: frozenset[str]) -> Iterator[Wanted]:
    seen: set[tuple[str, bool]] = set()
    for clip in sorted(clips, key=lambda clip: clip.importance):  # stable: each kind keeps its own order
        if clip.text and (clip.text, clip.is_slow) not in seen:
            seen.add((clip.text, clip.is_slow))
            yield replace(clip, is_personal=True) if clip.text in personal else clip


def _all(flow: Flow, book: Book, records: Iterable[str]) -> Iterator[Wanted]:
    for text, importance in _texts(flow, book, records):
        yield Wanted(text, False, importance)
        yield Wanted(text, True, max(importance, Importance.PROMPTS))  # while the voice remembers its words
    for digit in digit_clips(book.language):
        yield Wanted(digit, True, Importance.NUMBERS)


def digit_clips(language: str) -> tuple[str, ...]:
    """Every digit, as it is said within a group and at the end of one."""
    said = [digit_words(str(digit), language) for digit in range(10)]
    return (*said, *(ending(digit, language) for digit in said))


def _texts(flow: Flow, book: Book, records: Iterable[str]) -> Iterator[tuple[str, Importance]]:
    for text, is_near in flow_texts(flow, book):
        yield text, Importance.FIRST if is_near else Importance.PROMPTS
    for text in book_clips(book):  # what this community's flow does not say today
        yield text, Importance.PROMPTS
    for text in records:
        yield text.strip(), Importance.RECORDS


def book_clips(book: Book) -> Iterator[str]:
    """The words of every clip that the book itself brings, digits left out."""
    for prompt_id in sorted(book.ids):
        if COUNTED in book.placeholders(prompt_id):
            yield from counted_texts(prompt_id, book, range(MOST_COUNTED + 1))
            continue
        yield from (words for words, is_value in book.fragments(prompt_id) if not is_value)


def record_texts(session: Session, community_id: str) -> Iterator[str]:
    """All topics, neighbours' released words, what became of them, replies: also what no flow says today."""
    here = (Topic.community_id == community_id, Topic.state.in_(_HEARD_TOPICS), WORDED)
    topics = select(Topic).where(*here)
    for topic in session.scalars(topics.order_by(Topic.rank, Topic.created_at, Topic.id)):
        yield from _topic_texts(topic)
    yield from _voices(session, community_id)
    updates = select(ProgressUpdate.spoken).where(ProgressUpdate.community_id == community_id, SPOKEN)
    yield from session.scalars(updates.order_by(ProgressUpdate.published_at.desc()))
    yield from _replies(session, community_id)
    yield from _programmes(session, community_id)


def personal_texts(session: Session, community_id: str) -> frozenset[str]:
    """What residents said and were answered, as far as it may be heard now: deleted as soon as it may not."""
    return frozenset(
        text.strip() for text in (*_voices(session, community_id), *_replies(session, community_id))
    )


def _topic_texts(topic: Topic) -> Iterator[str]:
    yield topic.spoken_title or topic.title
    yield topic.spoken_background or topic.text
    yield from (label for _, label in topic.options)
    if topic.decision:
        yield topic.decision


def _programmes(session: Session, community_id: str) -> Iterator[str]:
    """Names and notices of programmes that may be loud: they can be heard again on the telephone."""
    approved = (Programme.community_id == community_id, Programme.state == "approved")
    for title in session.scalars(select(Programme.title).where(*approved).order_by(Programme.id)):
        yield title[:LONGEST_TITLE]
    notices = select(ProgrammeItem.text).join(Programme, Programme.id == ProgrammeItem.programme_id)
    yield from session.scalars(
        notices.where(*approved, ProgrammeItem.kind == "notice").order_by(
            ProgrammeItem.programme_id, ProgrammeItem.position
        )
    )


def _voices(session: Session, community_id: str) -> Iterator[str]:
    rows = session.execute(
        select(Opinion.id, Transcript.redacted)
        .join(Transcript, Transcript.opinion_id == Opinion.id)
        .where(Opinion.community_id == community_id, Opinion.state == "approved", Opinion.release != "none")
        .order_by(Opinion.said_at.desc(), Opinion.id, Transcript.version)
    )
    latest = {row.id: row.redacted for row in rows}
    yield from (words for words in latest.values() if words)


def _replies(session: Session, community_id: str) -> Iterator[str]:
    replies = select(Reply.spoken).where(Reply.community_id == community_id)
    yield from session.scalars(replies.order_by(Reply.published_at.desc()))
