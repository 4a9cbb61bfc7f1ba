"""Opinions put together from their captures, however many there are and whenever they come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync import merge
from sync.erase import blank_opinion
from sync.errors import RecordsUnavailable
from sync.pending import COLUMNS, Batch, Pending, givers
from sync.records.tables import Capture, Opinion, OpinionRecording, Recording
from sync.typed import keep_typed_words
from sync.unsaid import heard_as, unsay
from sync.upsert import insert_for
from sync.wishes import note_releases

KINDS = frozenset({"opinion", "release", "opinion_dropped"})
RELEASES = frozenset({"none", "words", "voice"})
_ROUNDS = 5


def apply_opinions(batch: Batch, captures: Sequence[Pending]) -> None:
    """Bring every opinion that `captures` speak of to what all its captures, old and new, say together."""
    open_ids = sorted({capture.subject_id for capture in captures if capture.subject_id})
    for capture in captures:
        if capture.subject_id is None:
            batch.refused(capture, "malformed")
    for _ in range(_ROUNDS):
        if not open_ids:
            return
        rows = _locked(batch.session, open_ids)
        history = _history(batch, open_ids)
        open_ids = [one for one in open_ids if not _apply(batch, one, rows.get(one), history[one])]
    raise RecordsUnavailable("two workers would not agree on an opinion")


def _apply(batch: Batch, opinion_id: str, row: Opinion | None, captures: Sequence[Pending]) -> bool:
    """Settle one opinion. False where another worker has made its row meanwhile."""
    admitted = batch.admit(captures)
    owner = None if row is None else givers(batch.session, [row.person_id])[row.person_id].speaker
    whole = merge.merge_opinion((_utterance(batch, capture) for capture in admitted), owner)
    if whole is None:
        for capture in admitted:
            batch.refused(capture, "unknown_opinion" if row is None else "not_own")
        return True
    first = next(one for one in admitted if (one.source, one.source_id) == _key(whole.first))
    is_new = row is None
    if row is None:
        row = _create(batch, opinion_id, first)
        if row is None:
            return False
    for capture in admitted:
        is_stranger = (capture.source, capture.source_id) in whole.strangers
        batch.refused(capture, "not_own") if is_stranger else batch.merged(capture)
    note_releases(batch, admitted)
    _bring(batch, row, whole, first, is_new)
    return True


def _bring(batch: Batch, row: Opinion, whole: merge.Whole, first: Pending, is_new: bool) -> None:
    """Make the row what the whole says, and say so where that is anything new."""
    if is_new:
        batch.new_opinions.add(row.id)
    if row.state == "erased":
        return
    before = heard_as(row)
    is_longer = _write_recordings(batch.session, row, whole.recordings)
    is_other = _write_columns(row, _columns(batch, row.id, first) | {"release": whole.release})
    if whole.is_withdrawn or row.state == "withdrawn":
        _withdraw(batch, row)
        return
    is_typed = keep_typed_words(batch.session, row, first.payload)
    if is_longer and not is_new:
        row.state = "waiting"  # more was said: its words have to be made again
    if heard_as(row) != before != "none":
        unsay(batch.session, row.community_id, batch.now)
    if is_longer or is_typed or is_new:
        batch.opinions.add(row.id)
    if is_new or is_other or is_longer or is_typed:
        act = "created" if is_new else "updated"
        batch.changed("opinion", row.id, row.community_id, act, state=row.state, release=row.release)


def _withdraw(batch: Batch, row: Opinion) -> None:
    """Blank it again with every part that comes late, but tell the platforms once."""
    if row.state != "withdrawn":
        batch.changed("opinion", row.id, row.community_id, "deleted")
    blank_opinion(batch.session, row, "withdrawn", batch.now)
    batch.has_erased = True


def _create(batch: Batch, opinion_id: str, first: Pending) -> Opinion | None:
    """The opinion's new row; None where another worker was quicker."""
    values = _columns(batch, opinion_id, first) | {"id": opinion_id, "community_id": first.community_id}
    statement = (
        insert_for(batch.session, Opinion).values(values).on_conflict_do_nothing(index_elements=["id"])
    )
    created = batch.session.connection().execute(statement.returning(Opinion.__table__.c.id)).scalar()
    return None if created is None else batch.session.get_one(Opinion, opinion_id)


def _columns(batch: Batch, opinion_id: str, first: Pending) -> dict[str, Any]:
    """What the part that began an opinion says of it."""
    kind = first.payload.get("kind")
    return {
        "person_id": first.person_id,
        "topic_id": _known_topic(batch, first),
        "source": first.source,
        "source_id": first.source_id,
        "channel": first.channel,
        "evidence": first.evidence,
        "kind": kind if kind in {"opinion", "message"} else "opinion",
        "receipt": _free_receipt(batch.session, opinion_id, first),
        "is_practice": first.is_practice,
        "said_at": first.cast_at,
    }


def _write_columns(row: Opinion, columns: Mapping[str, Any]) -> bool:
    """Set the columns; True if any was another before."""
    others = {name: value for name, value in columns.items() if getattr(row, name) != value}
    for name, value in others.items():
        setattr(row, name, value)
    return bool(others)


def _known_topic(batch: Batch, first: Pending) -> str | None:
    """The topic it is about; an opinion on a topic we don't know is a message to the community."""
    topic = batch.topics.get(first.topic_id or "")
    return topic.id if topic is not None and topic.community_id == first.community_id else None


def _free_receipt(session: Session, opinion_id: str, first: Pending) -> str | None:
    """The receipt it was given, unless another opinion has it: then the other keeps it."""
    receipt = first.payload.get("receipt")
    other = select(Opinion.id).where(
        Opinion.community_id == first.community_id, Opinion.receipt == receipt, Opinion.id != opinion_id
    )
    return None if not receipt or session.scalar(other) else str(receipt)


def _write_recordings(session: Session, row: Opinion, recordings: Sequence[str]) -> bool:
    """Make the segments those of `recordings` that exist, in this order. True if they were others before."""
    mine = (
        select(OpinionRecording).where(OpinionRecording.opinion_id == row.id).order_by(OpinionRecording.part)
    )
    before = session.scalars(mine).all()
    known = set(session.scalars(select(Recording.id).where(Recording.id.in_(recordings))))
    wanted = [one for one in recordings if one in known]
    if [part.recording_id for part in before] == wanted:
        return False
    for part in before:
        session.delete(part)
    session.flush()
    for n, recording_id in enumerate(wanted):
        session.add(OpinionRecording(opinion_id=row.id, part=n, recording_id=recording_id))
    session.flush()
    return True


def _history(batch: Batch, ids: Iterable[str]) -> Mapping[str, list[Pending]]:
    """All captures ever given about these opinions; their people and topics become known to the batch."""
    found: dict[str, list[Pending]] = defaultdict(list)
    rows = batch.session.execute(
        select(*COLUMNS)
        .where(Capture.subject_id.in_(list(ids)), Capture.kind.in_(KINDS))
        .order_by(Capture.id)
    )
    for capture in (Pending(*row) for row in rows):
        found[capture.subject_id or ""].append(capture)
    batch.know(capture for captures in found.values() for capture in captures)
    return found


def _utterance(batch: Batch, capture: Pending) -> merge.Utterance:
    payload = capture.payload
    release = payload.get("release")
    return merge.Utterance(
        act=capture.kind,  # type: ignore[arg-type]
        speaker=batch.people[capture.person_id].speaker,
        cast_at=capture.cast_at,
        channel=capture.channel,
        source=capture.source,
        source_id=capture.source_id,
        recordings=tuple(str(one) for one in payload.get("recordings") or ()),
        release=release if release in RELEASES else "none",
    )


def _key(utterance: merge.Utterance) -> tuple[str, str]:
    return utterance.source, utterance.source_id


def _locked(session: Session, ids: Iterable[str]) -> Mapping[str, Opinion]:
    rows = session.scalars(
        select(Opinion)
        .where(Opinion.id.in_(list(ids)))
        .order_by(Opinion.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows}
