"""How a community's opinions are sorted: its categories, its model, the machine's answers as kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from sync.acting import Actor, DeskError
from sync.archive import Archive
from sync.community_settings import audit, setting
from sync.errors import KeyDestroyed
from sync.learning import CATEGORY
from sync.records.tables import Community, Key, Learned, Lesson, Opinion, Understanding

if TYPE_CHECKING:
    from speech.categorize import Category
    from speech.learned import Model
    from speech.taxonomy import Taxonomy

CATEGORIES = "categories"
"""The community's setting: by category `off`, or words of its own."""

REFUSED, USED, KEPT, GONE = "refused", "used", "kept", "gone"
LEAST_HELD = 12  # opinions held back, below which nothing can be proved
HELD_BACK = 4  # of every so many people one teaches nothing and examines
LEAST_NEW = 20  # confirmed since the last model, before another is tried
_MOST_KNOWN = 4  # models of a few MiB each
_KNOWN: dict[str, Model] = {}


@dataclass(frozen=True)
class Sorting:
    """The categories of a community and the model it uses; no model: the word lists alone."""

    taxonomy: Taxonomy
    model: Model | None = None
    model_id: str | None = None


def labels_of(session: Session, community_id: str) -> tuple[str, ...]:
    """The categories of a community in the order of the desk."""
    return _taxonomy(session, community_id).labels


def sorting_of(session: Session, archive: Archive, community_id: str) -> Sorting:
    """How opinions of this community are to be sorted just now."""
    row = session.scalar(select(Learned).where(Learned.community_id == community_id, Learned.state == "used"))
    categories = _taxonomy(session, community_id)
    if row is None or row.sealed is None:
        return Sorting(categories)
    try:
        return Sorting(categories, model_of(session, archive, row), row.id)
    except (KeyDestroyed, ValueError):  # forgotten, or learnt by a version that saw texts otherwise
        return Sorting(categories)


def model_of(session: Session, archive: Archive, row: Learned) -> Model:
    """A model that is still kept. Raises KeyDestroyed, OtherShapeError."""
    if row.sealed is None or row.key_id is None:
        raise KeyDestroyed(row.id)
    if row.id not in _KNOWN:
        from speech.learned import Model

        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN[row.id] = Model.unpack(archive.keyring.unseal(session, row.key_id, row.sealed, row.id))
    return _KNOWN[row.id]


def keep_answers(
    session: Session,
    opinion: Opinion,
    answers: Mapping[str, Category | None],
    model_id: str | None,
    now: datetime,
) -> None:
    """Keep what the machine thinks of an opinion, and let it stand where no person has chosen otherwise."""
    chosen = set(session.scalars(select(Lesson.kind).where(Lesson.opinion_id == opinion.id)))
    session.execute(delete(Understanding).where(Understanding.opinion_id == opinion.id))
    for about, answer in answers.items():
        if answer is not None:
            session.add(
                Understanding(
                    opinion_id=opinion.id, about=about, label=answer.label, confidence=answer.confidence,
                    because=list(answer.because), made_at=now,
                    model_id=model_id if about == CATEGORY else None,
                )
            )  # fmt: skip
        if about not in chosen:
            setattr(opinion, about, answer.label if answer else None)
            setattr(opinion, f"{about}_confidence", answer.confidence if answer else None)


def answers_of(session: Session, opinion_id: str) -> dict[str, Understanding]:
    """The machine's own answers about an opinion, by what they are about."""
    rows = session.scalars(select(Understanding).where(Understanding.opinion_id == opinion_id))
    return {row.about: row for row in rows}


def forget_understanding(session: Session, opinion: Opinion, now: datetime) -> None:
    """Forget the reasons about an opinion that is taken back, and every model that may have learnt from it.

    Their keys are destroyed; the word lists answer until the next hour's job has learnt anew.
    """
    session.execute(delete(Understanding).where(Understanding.opinion_id == opinion.id))
    knew = select(Learned).where(
        Learned.community_id == opinion.community_id,
        Learned.state != GONE,
        Learned.made_at >= opinion.said_at,
    )
    rows = session.scalars(knew.with_for_update()).all()
    is_left_without = any(row.state == USED for row in rows)
    for row in rows:
        if row.sealed is not None or is_left_without:  # then what was refused since is tried anew, too
            lose(session, row, now)


def lessons_due(archive: Archive) -> list[str]:
    """The communities in which enough was confirmed to learn from."""
    with archive.database.read() as session:
        communities = session.scalars(select(Community.id)).all()
        return [community_id for community_id in communities if is_due(session, community_id)]


def is_due(session: Session, community_id: str) -> bool:
    """Whether enough was confirmed since the last model, or that one had to go with words taken back."""
    newest = select(Learned).where(Learned.community_id == community_id).order_by(Learned.made_at.desc())
    last = session.scalar(newest.limit(1))
    count = select(func.count()).select_from(Opinion).where(confirmed_in(community_id))
    confirmed = session.scalar(count) or 0
    if last is None or last.state == GONE:
        return confirmed >= LEAST_HELD * HELD_BACK
    return confirmed >= last.examples + last.held + max(LEAST_NEW, last.examples // 10)


def confirmed_in(community_id: str) -> ColumnElement[bool]:
    """Opinions whose category a person chose, or saw and let pass."""
    is_chosen = exists().where(Lesson.opinion_id == Opinion.id, Lesson.kind == CATEGORY)
    return and_(
        Opinion.community_id == community_id,
        Opinion.category.is_not(None),
        Opinion.is_practice.is_(False),
        or_(Opinion.state == "approved", and_(Opinion.state.in_(("review", "rejected")), is_chosen)),
    )


def models(session: Session, community_id: str, most: int = 20) -> Sequence[Learned]:
    """The models of a community, the newest first, with how they did."""
    query = select(Learned).where(Learned.community_id == community_id).order_by(Learned.made_at.desc())
    return session.scalars(query.limit(most)).all()


def go_back(session: Session, actor: Actor, model_id: str, now: datetime) -> None:
    """Use an earlier model again; with "" the word lists alone. DeskError `model_gone`."""
    row = session.get(Learned, model_id, with_for_update=True) if model_id else None
    if model_id and (row is None or row.community_id != actor.community_id or row.sealed is None):
        raise DeskError("that model is not kept", "model_gone")
    retire(session, actor.community_id)
    if row is not None:
        row.state, row.used_at = USED, now
    audit(session, actor.community_id, actor.id, "categories.back", model_id or "lists")


def retire(session: Session, community_id: str) -> None:
    """Let no model be in use."""
    in_use = update(Learned).where(Learned.community_id == community_id, Learned.state == USED)
    session.execute(in_use.values(state=KEPT))


def lose(session: Session, row: Learned, now: datetime) -> None:
    """Make a model unreadable, here and in every copy; what is known about it stays."""
    row.state, row.sealed = GONE, None
    key = session.get(Key, row.key_id) if row.key_id else None
    if key is not None:
        key.wrapped, key.destroyed_at = None, now


def _taxonomy(session: Session, community_id: str) -> Taxonomy:
    from speech.taxonomy import taxonomy

    return taxonomy(setting(session, community_id, CATEGORIES))
