"""Learning categories from the people at the desk: what is learnt is used only once it has proved good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from speech.categorize import categorize
from speech.learned import Model
from speech.learner import Compared, Example, compare, learn, with_sentences
from speech.taxonomy import Taxonomy
from sync.archive import Archive
from sync.community_settings import audit
from sync.records.tables import Learned, Opinion, Transcript, new_id
from sync.sorting import (
    HELD_BACK,
    LEAST_HELD,
    REFUSED,
    USED,
    confirmed_in,
    lose,
    models,
    retire,
    sorting_of,
)

MOST = 5_000  # opinions learnt from, the newest
PROOF = 0.05  # the chance of doing so well by luck, at which a model is believed to beat the word lists
KEPT_MODELS = 5  # that one can go back to


@dataclass(frozen=True)
class Lessons:
    """What people confirmed: to learn from, and held back to examine with; nobody's words in both."""

    taught: tuple[Example, ...]
    held: tuple[Example, ...]


def lessons_of(session: Session, community_id: str, is_final: bool = False) -> Lessons:
    """The newest confirmed opinions of a community, in the words that may be published.

    `is_final`: whoever takes words back meanwhile waits, or is waited for, so that nothing gone is learnt.
    """
    versions = select(Transcript.opinion_id, func.max(Transcript.version).label("version"))
    latest = versions.group_by(Transcript.opinion_id).subquery()
    query = (
        select(Opinion.person_id, Opinion.category, Transcript.redacted)
        .join(latest, latest.c.opinion_id == Opinion.id)
        .join(Transcript, (Transcript.opinion_id == Opinion.id) & (Transcript.version == latest.c.version))
        .where(confirmed_in(community_id), Transcript.redacted != "")
        .order_by(Opinion.said_at.desc(), Opinion.id)
        .limit(MOST)
    )
    if is_final:
        query = query.with_for_update(read=True, of=Opinion)
    found = [(who, Example(words or "", str(label))) for who, label, words in session.execute(query)]
    return Lessons(
        tuple(example for who, example in found if not is_held_back(who)),
        tuple(example for who, example in found if is_held_back(who)),
    )


def is_held_back(person_id: str) -> bool:
    """Whether what a person says only examines: the same people for ever, so that no model has seen them."""
    return sha256(person_id.encode()).digest()[0] % HELD_BACK == 0


def teach(archive: Archive, community_id: str, now: datetime) -> Learned | None:
    """Learn a new model, examine it, and take it into use where it proves good; None with too few lessons.

    On what was held back it has to beat the word lists (exact McNemar test, one-sided, 5 %), and be right at
    least as often as the model in use. Safe to repeat and to be killed: nothing is changed before its one
    transaction at the end. The database is not held while it learns.
    """
    with archive.database.read() as session:
        lessons = lessons_of(session, community_id)
        sorting = sorting_of(session, archive, community_id)
    labels = sorting.taxonomy.labels
    taught = [example for example in lessons.taught if example.label in labels]
    held = [example for example in lessons.held if example.label in labels]
    if len(held) < LEAST_HELD or not taught:
        return None
    model = learn(with_sentences(taught, labels), sorting.taxonomy.lexicon)
    examined = examine(model, sorting.model, sorting.taxonomy, held)
    with archive.database.begin() as session:
        fresh = lessons_of(session, community_id, is_final=True)
        if not set(taught) <= set(fresh.taught):  # words were taken back meanwhile: the next hour's job
            return None
        return _keep(session, archive, community_id, model, examined, len(taught), now)


@dataclass(frozen=True)
class Examined:
    """How a new model did on what was held back, beside the word lists and the model in use."""

    held: int
    right: int
    right_lists: int
    right_before: int | None
    against_lists: Compared

    @property
    def is_better(self) -> bool:
        """Whether it may be taken into use."""
        beats_lists = self.against_lists.chance <= PROOF
        return beats_lists and (self.right_before is None or self.right >= self.right_before)


def examine(model: Model, before: Model | None, taxonomy: Taxonomy, held: Sequence[Example]) -> Examined:
    """Let all of them sort the same examples."""
    truth = [example.label for example in held]
    new = [model.answer(example.text, taxonomy.lexicon, taxonomy.labels)[0] for example in held]
    lists = [categorize(example.text, taxonomy).label for example in held]
    old = [categorize(example.text, taxonomy, before).label for example in held] if before else None
    return Examined(
        len(held),
        _right(new, truth),
        _right(lists, truth),
        None if old is None else _right(old, truth),
        compare(new, lists, truth),
    )


def _keep(
    session: Session, archive: Archive, community_id: str, model: Model, examined: Examined, taught: int,
    now: datetime,
) -> Learned:  # fmt: skip
    packed, model_id = model.pack(), new_id("lm")
    row = Learned(
        id=model_id, community_id=community_id, state=REFUSED, examples=taught, held=examined.held,
        right=examined.right, right_lists=examined.right_lists, right_before=examined.right_before,
        chance=examined.against_lists.chance, kilobytes=len(packed) // 1024 + 1, made_at=now,
    )  # fmt: skip
    if examined.is_better:
        retire(session, community_id)
        row.key_id, row.sealed = archive.keyring.seal_anew(session, packed, model_id)
        row.state, row.used_at = USED, now
    session.add(row)
    session.flush()
    for old in models(session, community_id, most=1_000)[KEPT_MODELS:]:
        if old.sealed is not None and old.state != USED:
            lose(session, old, now)
    audit(session, community_id, "machine", f"categories.{row.state}", model_id, examples=taught)
    return row


def _right(answers: Sequence[str], truth: Sequence[str]) -> int:
    return sum(answer == right for answer, right in zip(answers, truth, strict=True))
