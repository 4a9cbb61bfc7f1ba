"""What a call sees of its community when it begins: what all see alike, and the caller's own part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import Session

from ivr.caller import Caller, known_caller
from ivr.dialogue.called import CALLED_BACK, REPLY_CALL
from ivr.dialogue.danger import DANGER_CALL
from ivr.dialogue.plain import to_plain, view_from_plain
from ivr.dialogue.view import AlertView, CommunityView, OwnView
from ivr.live import FINISHED
from ivr.outlook import Outlook, Shared, read_outlook
from sync.placing.consents import is_to_be_asked
from sync.placing.dangers import told_now
from sync.records.tables import Call, Community, Number, Opinion, Reply, Topic
from sync.wording import WORDED

RESUME_MINUTES = 30
MOST_OWN = 5
SHARED = "shared"
"""In the caller's part: the id of the part that others share."""


def community_view(
    session: Session, community: Community, number: Number | None, now: datetime
) -> CommunityView:
    """The whole view of a call from `number` (None when withheld) that began at `now`."""
    caller = Caller("") if number is None else known_caller(session, number)
    outlook = read_outlook(session, community, now)
    shared = outlook.shared(caller.people)
    return joined(shared.content, callers_part(session, outlook, shared, caller, now))


def callers_part(
    session: Session,
    outlook: Outlook,
    shared: Shared,
    caller: Caller,
    now: datetime,
    may_call: bool = False,
) -> dict[str, Any]:
    """The part of a view that is about this caller, in its plain form. `may_call`: we could call them."""
    asks = may_call and caller.number_id is not None and is_to_be_asked(session, caller.people, now)
    return {
        SHARED: shared.id,
        "own": to_plain(_own(session, caller.people)),
        "seats": 1 if caller.number_id is None else caller.rostered or outlook.seats,
        "is_slow": caller.is_slow,
        "is_first_call": caller.is_first_call,
        "resume_step": _dropped_at(session, caller.people, now),
        "asks_to_call": asks,
    }


def called_part(
    session: Session,
    outlook: Outlook,
    shared: Shared,
    caller: Caller,
    now: datetime,
    reply_id: str | None = None,
) -> dict[str, Any]:
    """The same for somebody whom we called: because they rang, or because of a reply."""
    part = callers_part(session, outlook, shared, caller, now)
    reply = session.get(Reply, reply_id) if reply_id else None
    if reply is None:
        return {**part, "placed_for": CALLED_BACK}
    own = _unheard(session, caller.person_id, reply.opinion_id)
    return {**part, "own": to_plain(own), "resume_step": None, "placed_for": REPLY_CALL}


def duty_part(
    session: Session, outlook: Outlook, shared: Shared, caller: Caller, now: datetime, alert_id: str
) -> dict[str, Any]:
    """The same for the duty phone: what it is told, and nothing of whoever else uses that telephone."""
    told = told_now(session, outlook.community_id, alert_id)
    alerts = tuple(AlertView(one.opinion_id, one.danger, one.receipt) for one in told)
    part = callers_part(session, outlook, shared, caller, now)
    return {**part, "own": [], "resume_step": None, "placed_for": DANGER_CALL, "alerts": to_plain(alerts)}


def joined(shared: Mapping[str, Any], part: Mapping[str, Any]) -> CommunityView:
    """The whole view from its two plain parts."""
    return view_from_plain({**shared, **{name: value for name, value in part.items() if name != SHARED}})


def _unheard(session: Session, person_id: str, first: str) -> tuple[OwnView, ...]:
    """What this person has asked and not heard the answer to; first the opinion they are called about."""
    replies = exists().where(Reply.opinion_id == Opinion.id, Reply.heard_at.is_(None))
    told = (one for one in _own(session, [person_id], replies) if one.opinion_id != first and one.is_new)
    return (*_own(session, [person_id], Opinion.id == first), *told)[:MOST_OWN]


def _own(session: Session, people: Sequence[str], *which: ColumnElement[bool]) -> tuple[OwnView, ...]:
    if not people:
        return ()
    rows = session.execute(
        select(Opinion.id, Opinion.receipt, Opinion.stage, Topic.title, Topic.spoken_title)
        .join(Topic, and_(Topic.id == Opinion.topic_id, WORDED), isouter=True)
        .where(
            Opinion.person_id.in_(people),
            Opinion.receipt.is_not(None),
            Opinion.state.not_in(("withdrawn", "erased")),
            *which,
        )
        .order_by(Opinion.said_at.desc(), Opinion.id)
        .limit(MOST_OWN)
    ).all()
    replies = latest_replies(session, [row.id for row in rows])
    return tuple(
        OwnView(
            opinion_id=row.id,
            receipt=row.receipt,
            stage=row.stage,
            topic_title=row.spoken_title or row.title,
            reply=replies[row.id].spoken if row.id in replies else None,
            is_new=row.id in replies and replies[row.id].heard_at is None,
            is_private=row.id in replies and replies[row.id].is_private,
        )
        for row in rows
    )


def latest_replies(session: Session, opinion_ids: Sequence[str]) -> Mapping[str, Reply]:
    """The newest reply to each opinion that has one."""
    if not opinion_ids:
        return {}
    rows = session.scalars(
        select(Reply).where(Reply.opinion_id.in_(opinion_ids)).order_by(Reply.published_at, Reply.id)
    )
    return {reply.opinion_id: reply for reply in rows}


def _dropped_at(session: Session, people: Sequence[str], now: datetime) -> str | None:
    """The step at which this number's last call broke off less than half an hour ago."""
    if not people:
        return None
    last = session.execute(
        select(Call.place, Call.end_status, Call.turned_at)
        .where(Call.person_id.in_(people))
        .order_by(Call.began_at.desc())
        .limit(1)
    ).first()
    if (
        last is None
        or last.end_status == FINISHED
        or last.turned_at < now - timedelta(minutes=RESUME_MINUTES)
    ):
        return None
    return str(last.place.get("step")) or None
