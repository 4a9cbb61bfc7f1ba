"""Keeping the promise of the notice: after so many months sound and words are gone, the counts stay."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from sync import feed
from sync.archive import Archive
from sync.broadcasting.forgetting import forget_broadcasts
from sync.changes import note
from sync.community_settings import (
    DEFAULT_KEEP_CHANGES_DAYS,
    DEFAULT_KEEP_MONTHS,
    KEEP_CHANGES_DAYS,
    KEEP_MONTHS,
    PROMISED_BEFORE,
    audit,
    setting,
)
from sync.erase import blank_opinion, delete_erased_sound
from sync.links import forget_codes
from sync.placing.acts import forget_placed
from sync.records.tables import Call, CallTurn, Community, Opinion, OpinionRecording, PlacedCall, Recording
from sync.unsaid import empty_documents, spells, unended

ACTOR = "retention"
_GONE = ("withdrawn", "erased")
_SILENT_CALL = timedelta(hours=1)  # nobody listens any more, though no line has told so


@dataclass(frozen=True)
class _Old:
    """Ids of what is older than its community keeps it."""

    opinions: Sequence[str]
    recordings: Sequence[str]
    calls: Sequence[str]
    silent: Sequence[str]
    """Calls of late whose end was never told, with documents that spell words out."""
    placed: Sequence[str]
    """Calls that we placed, or were to place."""

    def __len__(self) -> int:
        return sum(map(len, (self.opinions, self.recordings, self.calls, self.silent, self.placed)))


def expire(archive: Archive, now: datetime, limit: int = 500) -> int:
    """Erase what is older than its community keeps it; how many opinions, stray recordings, calls, airings.

    Of each of them at most `limit` a community, in one short transaction; 0 when nothing is left to do.
    Ballots, reactions and consents stay, so no count changes. Safe to repeat and to be killed: what a crash
    leaves on the disk is deleted by the next call, or by `settle`.
    """
    erased = 0
    for community_id, before in _horizons(archive, now):
        with archive.database.read() as session:
            old = _find(session, community_id, before, limit, now)
        if old:
            with archive.database.begin() as session:
                erased += _expire_opinions(session, old.opinions, now)
                erased += _expire_recordings(session, old.recordings)
                erased += _expire_calls(session, old.calls) + forget_placed(session, old.placed)
                empty_documents(session, old.silent)
        with archive.database.begin() as session:
            erased += forget_broadcasts(session, community_id, before, limit)
    with archive.database.begin() as session:
        forget_codes(session, now)
    delete_erased_sound(archive)
    archive.database.empty_log()
    return erased


def prune_changes(archive: Archive, now: datetime, limit: int = 5_000) -> int:
    """Delete what is older in each feed than its community keeps it, at most `limit` a community; how many.

    A platform that has not read so far is told to read everything anew.
    """
    pruned = 0
    for community_id, before in _changes_horizons(archive, now):
        with archive.database.begin() as session:
            pruned += feed.prune(session, community_id, before, limit)
    return pruned


def horizon(now: datetime, months: int, promised: Iterable[tuple[datetime, int]] = ()) -> datetime:
    """The moment before which nothing said is kept any longer than `months`, nor than its own notice said.

    `promised` are earlier notices: until when they were read, and how many months they promised.
    """
    earlier = (min(until, months_before(now, fewer)) for until, fewer in promised)
    return max([months_before(now, months), *earlier])


def months_before(now: datetime, months: int) -> datetime:
    """The same day and time so many months earlier; the month's last day where it has no such day."""
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    return now.replace(year=year, month=month + 1, day=min(now.day, monthrange(year, month + 1)[1]))


def _horizons(archive: Archive, now: datetime) -> Iterator[tuple[str, datetime]]:
    """Each community, and the moment before which nothing said is kept."""
    with archive.database.read() as session:
        ids: Sequence[str] = session.scalars(select(Community.id)).all()
        horizons = [(one, horizon(now, *_promises(session, one))) for one in ids]
    yield from horizons


def _changes_horizons(archive: Archive, now: datetime) -> list[tuple[str, datetime]]:
    """The communities with changes that are too old, and the moment before which they are."""
    with archive.database.read() as session:
        ids: Sequence[str] = session.scalars(select(Community.id)).all()
        days = {
            one: int(setting(session, one, KEEP_CHANGES_DAYS) or DEFAULT_KEEP_CHANGES_DAYS) for one in ids
        }
        before = [(one, now - timedelta(days=days[one])) for one in ids]
        return [(one, moment) for one, moment in before if feed.has_older(session, one, moment)]


def _promises(session: Session, community_id: str) -> tuple[int, list[tuple[datetime, int]]]:
    """How many months the notice says now, and what earlier notices said until when."""
    months = int(setting(session, community_id, KEEP_MONTHS) or DEFAULT_KEEP_MONTHS)
    before = setting(session, community_id, PROMISED_BEFORE, [])
    return months, [(datetime.fromisoformat(until), int(fewer)) for until, fewer in before]


def _find(session: Session, community_id: str, before: datetime, limit: int, now: datetime) -> _Old:
    """Opinions still there; sound that none of these holds; calls that tell what their caller was read."""
    is_kept = (
        exists()
        .where(OpinionRecording.recording_id == Recording.id, OpinionRecording.opinion_id == Opinion.id)
        .where(Opinion.state.not_in(_GONE))
    )
    has_turns = exists().where(CallTurn.call_id == Call.id)
    opinions = select(Opinion.id).where(
        Opinion.community_id == community_id, Opinion.state.not_in(_GONE), Opinion.said_at < before
    )
    recordings = select(Recording.id).where(
        Recording.community_id == community_id,
        Recording.state != "erased",
        Recording.created_at < before,
        ~is_kept,
    )
    calls = select(Call.id).where(Call.community_id == community_id, Call.turned_at < before, has_turns)
    silent = unended(community_id, now).where(Call.turned_at < now - _SILENT_CALL, spells(Call.id))
    placed = select(PlacedCall.id).where(PlacedCall.community_id == community_id, PlacedCall.made_at < before)
    return _Old(
        session.scalars(opinions.order_by(Opinion.said_at, Opinion.id).limit(limit)).all(),
        session.scalars(recordings.limit(limit)).all(),
        session.scalars(calls.limit(limit)).all(),
        session.scalars(silent.limit(limit)).all(),
        session.scalars(placed.limit(limit)).all(),
    )


def _expire_opinions(session: Session, ids: Sequence[str], now: datetime) -> int:
    """Those that another worker holds just now are left to the next call."""
    rows = session.scalars(
        select(Opinion)
        .where(Opinion.id.in_(ids), Opinion.state.not_in(_GONE))
        .order_by(Opinion.id)
        .with_for_update(skip_locked=True)
    ).all()
    for opinion in rows:
        blank_opinion(session, opinion, "erased", now)
        note(session, "opinion", opinion.id, opinion.community_id, "deleted", now)
        audit(session, opinion.community_id, ACTOR, "opinion_expired", opinion.id)
    return len(rows)


def _expire_recordings(session: Session, ids: Sequence[str]) -> int:
    """Said again, never taken, come too late."""
    gone = update(Recording).where(Recording.id.in_(ids))
    session.execute(gone.values(state="erased", held_by=None, next_try_at=None))
    return len(ids)


def _expire_calls(session: Session, ids: Sequence[str]) -> int:
    """What was read aloud: replies, receipts, neighbours' words. That there was a call stays."""
    session.execute(delete(CallTurn).where(CallTurn.call_id.in_(ids)))
    session.execute(update(Call).where(Call.id.in_(ids)).values(view={}, place={}))
    return len(ids)
