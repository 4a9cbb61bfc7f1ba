"""Everything a call of one community can ever say, most important first: the list that is rendered ahead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from ivr.prompts.book import Book
from ivr.prompts.pieces import count_words, digit_words
from sync.records.tables import Community, Opinion, ProgressUpdate, Reply, Topic, Transcript

if TYPE_CHECKING:
    from sync.archive import Archive

MOST_COUNTED = 30
"""Counts are rendered up to this number; the dialogue never says a greater one."""

_HEARD_TOPICS = ("open", "paused", "closed", "decided")
_FIRST_PARTS = ("greeting", "topic", "menu", "ballot", "speak", "notice", "receipt")


class Importance(IntEnum):
    """What is rendered before what. A call can be taken once `FIRST` is there."""

    FIRST = 0  # greeting, menu and the first topic
    PROMPTS = 1  # the rest of the book
    NUMBERS = 2
    RECORDS = 3  # the other topics, neighbours, replies
    SLOW = 4


@dataclass(frozen=True)
class Wanted:
    """One clip that a call may need."""

    text: str
    is_slow: bool
    importance: Importance


def wanted(archive: Archive, community_id: str, book: Book) -> Iterator[Wanted]:
    """Every clip of the community once, most important first. Raises `LookupError` without the community."""
    with archive.database.read() as session:
        records = tuple(record_texts(session, community_id))
    return _once(_all(book, records))


def _once(clips: Iterator[Wanted]) -> Iterator[Wanted]:
    seen: set[tuple[str, bool]] = set()
    for clip in sorted(clips, key=lambda clip: clip.importance):  # stable: each kind keeps its own order
        if clip.text and (clip.text, clip.is_slow) not in seen:
            seen.add((clip.text, clip.is_slow))
            yield clip


def _all(book: Book, records: tuple[tuple[str, Importance], ...]) -> Iterator[Wanted]:
    spoken = [*book_texts(book), *((text.strip(), importance) for text, importance in records)]
    for text, importance in spoken:
        yield Wanted(text, False, importance)
        yield Wanted(text, True, Importance.SLOW)
    for number in range(MOST_COUNTED + 1):
        yield Wanted(count_words(number, book.language), False, Importance.NUMBERS)
        yield Wanted(count_words(number, book.language), True, Importance.SLOW)
    for digits in (*map(str, range(10)), *(f"{number:02}" for number in range(100))):
        yield Wanted(digit_words(digits, book.language), True, Importance.NUMBERS)


def book_texts(book: Book) -> Iterator[tuple[str, Importance]]:
    """All fixed words of the book: the way of a first call first."""
    parts = {part: place for place, part in enumerate(_FIRST_PARTS)}
    for prompt_id in sorted(book.ids, key=lambda name: (parts.get(name.split(".")[0], len(parts)), name)):
        is_first = prompt_id.split(".")[0] in parts
        for words, is_value in book.fragments(prompt_id):
            if not is_value:
                yield words, Importance.FIRST if is_first else Importance.PROMPTS


def record_texts(session: Session, community_id: str) -> Iterator[tuple[str, Importance]]:
    """The community's name, topics, neighbours' released words, what became of them, replies."""
    community = session.get(Community, community_id)
    if community is None:
        raise LookupError(f"no community {community_id}")
    yield community.name, Importance.FIRST
    topics = session.scalars(
        select(Topic)
        .where(Topic.community_id == community_id, Topic.state.in_(_HEARD_TOPICS))
        .order_by(Topic.rank, Topic.created_at, Topic.id)
    ).all()
    for place, topic in enumerate(topics):
        for text in _topic_texts(topic):
            yield text, Importance.RECORDS if place else Importance.FIRST
    for text in (*_voices(session, community_id), *_answers(session, community_id)):
        yield text, Importance.RECORDS


def _topic_texts(topic: Topic) -> Iterator[str]:
    yield topic.spoken_title or topic.title
    yield topic.spoken_background or topic.text
    yield from (label for _, label in topic.options)
    if topic.decision:
        yield topic.decision


def _voices(session: Session, community_id: str) -> Iterator[str]:
    rows = session.execute(
        select(Opinion.id, Transcript.redacted)
        .join(Transcript, Transcript.opinion_id == Opinion.id)
        .where(Opinion.community_id == community_id, Opinion.state == "approved", Opinion.release != "none")
        .order_by(Opinion.said_at.desc(), Opinion.id, Transcript.version)
    )
    latest = {row.id: row.redacted for row in rows}
    yield from (words for words in latest.values() if words)


def _answers(session: Session, community_id: str) -> Iterator[str]:
    updates = select(ProgressUpdate.spoken).where(ProgressUpdate.community_id == community_id)
    replies = select(Reply.spoken).where(Reply.community_id == community_id)
    yield from session.scalars(updates.order_by(ProgressUpdate.published_at.desc()))
    yield from session.scalars(replies.order_by(Reply.published_at.desc()))
