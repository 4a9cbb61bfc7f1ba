"""What the records answer while a caller waits: has this voter voted, and whose receipt is this."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session

from ivr.dialogue.turns import AskRecords, Told
from ivr.keeping import Speaker
from ivr.view import latest_replies
from sync.prepared import Prepared
from sync.records.tables import Audit, Capture, Opinion, Person
from sync.records.voices import PENDING

RECEIPT_TRIES = 5
RECEIPT_LOCK_HOURS = 1
_TRIED = "receipt_unknown"
READING_ONLY = frozenset({"standing_ballot"})
"""Questions whose answer writes nothing."""

_BALLOTS = Prepared(
    select(Capture.person_id, Person.seat, Capture.payload)
    .join(Person, Person.id == Capture.person_id)
    .where(
        Capture.topic_id == bindparam("topic"),
        Capture.kind == "ballot",
        or_(Person.number_id == bindparam("number"), Person.id == bindparam("person")),
        or_(Capture.state == "pending", Capture.state == "merged"),
    )
    .order_by(Capture.cast_at, Capture.id)
)


def tell(session: Session, question: AskRecords, speaker: Speaker, seats: int, now: datetime) -> Told:
    """The answer to `question`, seen by this transaction. Raises ValueError for a question nobody knows."""
    match question.question:
        case "standing_ballot":
            return standing_ballot(session, speaker, question.arguments["topic_id"], seats)
        case "find_receipt":
            return find_receipt(session, speaker, question.arguments["receipt"], now)
        case unknown:
            raise ValueError(f"the records cannot answer {unknown!r}")


def standing_ballot(session: Session, speaker: Speaker, topic_id: str, seats: int) -> Told:
    """`none` · `voted` (choice, next_seat) · `full` (choice), for the seat that speaks now.

    Captures are asked, not ballots: what was pressed a moment ago may not have been merged yet.
    """
    asked = {"number": speaker.number_id, "person": speaker.person_id, "topic": topic_id}
    rows = _BALLOTS.rows(session.connection(), asked)
    seated = {person_id: seat for person_id, seat, _ in rows}
    choices = {person_id: str(payload["choice"]) for person_id, _, payload in rows}
    if speaker.person_id not in choices:
        return Told("none")
    facts = {"choice": choices[speaker.person_id]}
    taken = {seated[person_id] for person_id in choices}
    free = [seat for seat in range(1, seats + 1) if seat not in taken]
    if not free or speaker.number_id is None:
        return Told("full", facts)
    return Told("voted", {**facts, "next_seat": str(free[0])})


def _seats_at(session: Session, speaker: Speaker) -> Mapping[str, int]:
    """The people of this telephone and their seats."""
    if speaker.number_id is None:
        return {speaker.person_id: 1}
    rows = session.execute(select(Person.id, Person.seat).where(Person.number_id == speaker.number_id))
    return {row.id: row.seat for row in rows}


def find_receipt(session: Session, speaker: Speaker, receipt: str, now: datetime) -> Told:
    """`own` (opinion_id, stage, reply) · `other` (stage) · `unknown` · `locked` after five wrong tries."""
    if _wrong_tries(session, speaker, now) >= RECEIPT_TRIES:
        return Told("locked")
    opinion = session.scalar(
        select(Opinion).where(
            Opinion.community_id == speaker.community_id,
            Opinion.receipt == receipt,
            Opinion.state.not_in(("withdrawn", "erased")),
        )
    )
    people = _seats_at(session, speaker)
    if opinion is None:
        return _waiting(session, speaker, people, receipt) or _wrong(session, speaker, now)
    if opinion.person_id not in people:
        return Told("other", {"stage": opinion.stage})
    reply = latest_replies(session, [opinion.id]).get(opinion.id)
    facts = {"opinion_id": opinion.id, "stage": opinion.stage}
    return Told("own", facts if reply is None else {**facts, "reply": reply.spoken})


def _waiting(session: Session, speaker: Speaker, people: Mapping[str, int], receipt: str) -> Told | None:
    """An opinion that was given a moment ago and is not merged yet."""
    rows = session.execute(
        select(Capture.person_id, Capture.payload).where(
            PENDING,
            Capture.kind == "opinion",
            Capture.community_id == speaker.community_id,
        )
    )
    for person_id, payload in rows:
        if payload.get("receipt") == receipt:
            if person_id in people:
                return Told("own", {"opinion_id": str(payload["opinion_id"]), "stage": "received"})
            return Told("other", {"stage": "received"})
    return None


def _wrong(session: Session, speaker: Speaker, now: datetime) -> Told:
    """A wrong try is written down by its telephone, so that guessing does not start anew with every call."""
    session.add(
        Audit(
            community_id=speaker.community_id,
            at=now,
            actor=_guesser(speaker),
            act=_TRIED,
            subject=speaker.sid,
        )
    )
    session.flush()
    return Told("unknown")


def _wrong_tries(session: Session, speaker: Speaker, now: datetime) -> int:
    tried = select(func.count(Audit.id)).where(
        Audit.community_id == speaker.community_id,
        Audit.at > now - timedelta(hours=RECEIPT_LOCK_HOURS),
        Audit.act == _TRIED,
        Audit.actor == _guesser(speaker),
    )
    return session.scalar(tried) or 0


def _guesser(speaker: Speaker) -> str:
    return speaker.number_id or speaker.person_id
