"""What corrections teach: words the recognizer misheard here, and categories that people chose instead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from difflib import SequenceMatcher

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, aliased

from sync.records.tables import Lesson, Opinion, Transcript

WORD, CATEGORY, PURPOSE = "word", "category", "purpose"
MOST_HINTS = 50
SAID_BY = 2  # opinions in which a word was corrected before the recognizer is told of it
_LATELY = 2_000  # lessons looked at for hints
_SHORTEST, _LONGEST = 2, 12  # characters of a word worth learning


def learn_words(
    session: Session, opinion: Opinion, machine: str, corrected: str, actor_id: str, now: datetime
) -> None:
    """Keep which words of the machine's were others in truth. Both texts as they may be published."""
    session.execute(delete(Lesson).where(Lesson.opinion_id == opinion.id, Lesson.kind == WORD))
    for heard, meant in misheard(machine, corrected):
        _teach(session, opinion, WORD, heard, meant, actor_id, now)


def learn_choice(
    session: Session, opinion: Opinion, about: str, machine: str, chosen: str, actor_id: str, now: datetime
) -> None:
    """Keep the category or purpose a person chose, the machine's own too; the latest choice alone."""
    session.execute(delete(Lesson).where(Lesson.opinion_id == opinion.id, Lesson.kind == about))
    _teach(session, opinion, about, machine, chosen, actor_id, now)


def misheard(machine: str, corrected: str) -> list[tuple[str, str]]:
    """(what the machine wrote, what it should have been) for every short stretch that was put right.

    What stands for something private is never learned, nor what a person only added or left out.
    """
    import jieba

    jieba.setLogLevel(60)
    before, after = jieba.lcut(machine), jieba.lcut(corrected)
    changes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    pairs = [("".join(before[a:b]), "".join(after[c:d])) for kind, a, b, c, d in changes if kind == "replace"]
    return [(heard, meant) for heard, meant in pairs if _is_word(heard, 1) and _is_word(meant, _SHORTEST)]


def taught_words(session: Session, community_id: str) -> tuple[str, ...]:
    """Words for the recognizer to expect: corrected in several opinions of this community, newest first."""
    lately = (
        select(Lesson.id, Lesson.meant, Lesson.opinion_id)
        .where(Lesson.community_id == community_id, Lesson.kind == WORD)
        .order_by(Lesson.id.desc())
        .limit(_LATELY)
        .subquery()
    )
    often = (
        select(lately.c.meant)
        .group_by(lately.c.meant)
        .having(func.count(lately.c.opinion_id.distinct()) >= SAID_BY)
        .order_by(func.max(lately.c.id).desc())
        .limit(MOST_HINTS)
    )
    return tuple(session.scalars(often))


def word_lessons(session: Session, community_id: str | None = None) -> Iterator[tuple[str, str]]:
    """(heard, meant) of every corrected word, oldest first, of one community or of all: to train on."""
    query = select(Lesson.heard, Lesson.meant).where(Lesson.kind == WORD).order_by(Lesson.id)
    if community_id is not None:
        query = query.where(Lesson.community_id == community_id)
    yield from ((heard, meant) for heard, meant in session.execute(query))


def category_lessons(session: Session, community_id: str | None = None) -> Iterator[tuple[str, str]]:
    """(published words, category) of every opinion whose category a person chose: to train on."""
    other = aliased(Transcript)
    newest = select(func.max(other.version)).where(other.opinion_id == Lesson.opinion_id)
    query = (
        select(Transcript.redacted, Lesson.meant)
        .join(Transcript, Transcript.opinion_id == Lesson.opinion_id)
        .where(Lesson.kind == CATEGORY, Transcript.version == newest.scalar_subquery())
        .where(Transcript.redacted.is_not(None))
        .order_by(Lesson.id)
    )
    if community_id is not None:
        query = query.where(Lesson.community_id == community_id)
    yield from ((words or "", category) for words, category in session.execute(query))


def _teach(
    session: Session, opinion: Opinion, kind: str, heard: str, meant: str, actor_id: str, now: datetime
) -> None:
    session.add(
        Lesson(
            opinion_id=opinion.id, community_id=opinion.community_id, kind=kind, heard=heard, meant=meant,
            taught_at=now, taught_by=actor_id,
        )
    )  # fmt: skip


def _is_word(text: str, shortest: int) -> bool:
    from speech.redact import STANDS_FOR

    is_private = any(stand in text or text in stand for stand in STANDS_FOR.values())
    return shortest <= len(text) <= _LONGEST and text.isalpha() and not is_private
