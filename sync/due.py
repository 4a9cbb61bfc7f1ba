"""What is still to be done, as the records say: never remembered from what was put in a queue."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, UnaryExpression, and_, exists, literal_column, or_, select
from sqlalchemy.orm import Session

from sync.leases import is_gone
from sync.records.broadcasts import SOUND_WANTED
from sync.records.tables import Call, Capture, Opinion, OpinionRecording, Programme, Recording, SpokenReply
from sync.records.voices import PENDING
from sync.unsaid import unpruned
from sync.webhooks.news import endpoints_behind

SWEPT = (
    "settle", "fetch_recording", "settle_call", "transcribe", "transcribe_spoken", "prune", "deliver",
    "render_programme",
)  # fmt: skip
# Written out, because a partial index is used only where the condition stands there as in the index.
_WAITING: ColumnElement[str] = literal_column("'waiting'")
_FALSE: ColumnElement[bool] = literal_column("FALSE")
_AT_ONCE = 200  # of one kind; the next sweep finds the rest
ABSENT_FOR_GOOD = timedelta(hours=6)  # a recording that has no address by then, or a 404, never will be had
FRESH = timedelta(minutes=30)
"""What was said so lately is heard before all that waits: somebody may be in danger (decision 0024)."""
_SPOKEN_LATELY = timedelta(days=1)  # after that its words are typed
_SILENT_CALL = timedelta(minutes=10)  # a call whose end was never told is over after that


@dataclass(frozen=True)
class Due:
    """One piece of work: the job's name in `queue.JOBS`, and its argument as (name, id), if it has one."""

    job: str
    argument: tuple[str, str] | None = None

    @property
    def arguments(self) -> dict[str, str]:
        """The job's keyword arguments."""
        return dict([self.argument]) if self.argument else {}


def due(session: Session, now: datetime, jobs: Collection[str] = SWEPT) -> Iterator[Due]:
    """What somebody should do now, in the order in which one thing makes the next possible."""
    if "settle" in jobs and _has_unsettled(session):
        yield Due("settle")
    for job, name, find in (
        ("fetch_recording", "recording_id", _recordings),
        ("settle_call", "call_id", _calls),
        ("transcribe_spoken", "spoken_id", _spoken),
    ):
        if job in jobs:
            for record_id in find(session, now):
                yield Due(job, (name, record_id))
    if "transcribe" in jobs:
        yield from _transcribing(session, now)
    if "prune" in jobs and unpruned(session, most=1):
        yield Due("prune")
    if "render_programme" in jobs:
        for programme_id in _programmes(session, now):
            yield Due("render_programme", ("programme_id", programme_id))
    if "deliver" in jobs:
        for endpoint_id in endpoints_behind(session, now):
            yield Due("deliver", ("endpoint_id", endpoint_id))


def _has_unsettled(session: Session) -> bool:
    """Captures that wait, or sound that was taken back and whose file is still there."""
    waits = exists().where(PENDING).select_from(Capture)
    is_left = exists().where(Recording.state == "erased", Recording.file.is_not(None))
    return bool(session.scalar(select(or_(waits, is_left))))


def _recordings(session: Session, now: datetime) -> Iterator[str]:
    """Announced ones; and stored, broken or erased ones whose source has not been told."""
    has_address = or_(Recording.url.is_not(None), Recording.created_at < now - ABSENT_FOR_GOOD)
    waits = or_(
        and_(Recording.state == "announced", has_address),
        and_(Recording.state.in_(["stored", "broken", "erased"]), Recording.url.is_not(None)),
    )
    rows = session.execute(
        select(Recording.id, Recording.next_try_at, Recording.held_by)
        .where(Recording.acknowledged_at.is_(None), waits, _may_be_due(Recording, now))
        .order_by(Recording.created_at)
        .limit(_AT_ONCE)
    )
    return _free(rows, now)


def _transcribing(session: Session, now: datetime) -> Iterator[Due]:
    """Fresh ones the newest last, for each goes before those put earlier; then the oldest of the others."""
    fresh = list(_opinions(session, now, Opinion.said_at > now - FRESH, Opinion.said_at.desc()))
    for opinion_id in reversed(fresh):
        yield Due("transcribe", ("opinion_id", opinion_id))
    for opinion_id in _opinions(session, now, Opinion.said_at <= now - FRESH, Opinion.said_at.asc()):
        yield Due("transcribe_later", ("opinion_id", opinion_id))


def _opinions(
    session: Session, now: datetime, when: ColumnElement[bool], order: UnaryExpression[datetime]
) -> Iterator[str]:
    """Waiting ones whose every segment has arrived (or never will) and whose call is over."""
    part_missing = (
        exists()
        .where(OpinionRecording.opinion_id == Opinion.id, OpinionRecording.recording_id == Recording.id)
        .where(Recording.state == "announced")
    )
    still_talking = (
        exists()
        .where(OpinionRecording.opinion_id == Opinion.id, OpinionRecording.recording_id == Recording.id)
        .where(Recording.call_id == Call.id, _is_live(now))
    )
    rows = session.execute(
        select(Opinion.id, Opinion.next_try_at, Opinion.held_by)
        .where(Opinion.state == _WAITING, when, _may_be_due(Opinion, now), ~part_missing, ~still_talking)
        .order_by(order)
        .limit(_AT_ONCE)
    )
    return _free(rows, now)


def _spoken(session: Session, now: datetime) -> Iterator[str]:
    """Replies that staff spoke and that have no words yet."""
    lately = SpokenReply.made_at > now - _SPOKEN_LATELY
    rows = select(SpokenReply.id).where(SpokenReply.state == _WAITING, lately)
    return iter(session.scalars(rows.order_by(SpokenReply.made_at).limit(_AT_ONCE)).all())


def _calls(session: Session, now: datetime) -> Iterator[str]:
    """Calls that are over and left a recording which no turn has taken."""
    return iter(
        session.scalars(
            select(Call.id)
            .join(Recording, Recording.call_id == Call.id)
            .where(Recording.is_claimed.is_(_FALSE), Recording.state != "erased", ~_is_live(now))
            .distinct()
            .limit(_AT_ONCE)
        ).all()
    )


def _programmes(session: Session, now: datetime) -> Iterator[str]:
    """Programmes of the loudspeakers whose sound is still to be made, emergencies first."""
    rows = session.execute(
        select(Programme.id, Programme.next_try_at, Programme.held_by)
        .where(SOUND_WANTED)
        .order_by(Programme.priority, Programme.changed_at)
        .limit(_AT_ONCE)
    )
    return _free(rows, now)


def _is_live(now: datetime) -> ColumnElement[bool]:
    return and_(Call.ended_at.is_(None), Call.turned_at > now - _SILENT_CALL)


def _may_be_due(table: type[Recording] | type[Opinion], now: datetime) -> ColumnElement[bool]:
    return or_(table.next_try_at.is_(None), table.next_try_at <= now, table.held_by.is_not(None))


def _free(rows: Iterable[tuple[str, datetime | None, str | None]], now: datetime) -> Iterator[str]:
    for row_id, next_try_at, held_by in rows:
        if next_try_at is None or next_try_at <= now or is_gone(held_by or ""):
            yield row_id
