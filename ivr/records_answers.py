"""What the records answer while a caller waits: has this voter voted, and whose receipt is this."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from ivr.dialogue.turns import AskRecords, Told
from ivr.keeping import Speaker
from ivr.view import latest_replies
from sync.archive import Archive
from sync.links import issue_code
from sync.prepared import Prepared
from sync.records.tables import Audit, Capture, Opinion, Person
from sync.records.voices import PENDING
from sync.tally import tally

RECEIPT_TRIES = 5
RECEIPT_LOCK_HOURS = 1
_TRIED = "receipt_unknown"
READING_ONLY = frozenset({"standing_ballot", "running_result"})
"""Questions whose answer writes nothing."""

_HERE = aliased(Person)  # whoever speaks from the telephone


class _Cast:
    """Ballots on a topic by whoever speaks from a telephone, as (person here, seat, payload, …) in order.

    One statement for each way to the people, never two in one: a topic's ballots must not all be looked
    through. Few are linked to somebody elsewhere, so that is asked for itself, which is quick.
    """

    def __init__(self, is_here: ColumnElement[bool]) -> None:
        columns = (_HERE.id, _HERE.seat, Capture.payload, Capture.cast_at, Capture.id.label("capture"))
        on_topic = (
            Capture.topic_id == bindparam("topic"),
            Capture.kind == "ballot",
            or_(Capture.state == "pending", Capture.state == "merged"),
            is_here,
        )
        own = select(*columns).join_from(_HERE, Capture, Capture.person_id == _HERE.id).where(*on_topic)
        linked = (
            select(*columns)
            .join_from(_HERE, Person, and_(Person.root_id == _HERE.root_id, Person.id != _HERE.id))
            .join(Capture, Capture.person_id == Person.id)
            .where(*on_topic)
        )
        self._own = Prepared(own.order_by(Capture.cast_at, Capture.id))
        self._all = Prepared(union_all(own, linked).order_by("cast_at", "capture"))
        self._are_linked = Prepared(select(_HERE.id).where(is_here, _HERE.root_id.is_not(None)))

    def rows(self, connection: Connection, asked: Mapping[str, str]) -> list[tuple[Any, ...]]:
        """Theirs, and those of whoever counts as one person with them."""
        query = self._all if self._are_linked.rows(connection, asked) else self._own
        return query.rows(connection, asked)


_CAST_FROM = _Cast(_HERE.number_id == bindparam("number"))
_CAST_BY = _Cast(_HERE.id == bindparam("person"))


def tell(
    session: Session, archive: Archive, question: AskRecords, speaker: Speaker, seats: int, now: datetime
) -> Told:
    """The answer to `question`, seen by this transaction. Raises ValueError for a question nobody knows."""
    match question.question:
        case "standing_ballot":
            return standing_ballot(session, speaker, question.arguments["topic_id"], seats)
        case "find_receipt":
            return find_receipt(session, speaker, question.arguments["receipt"], now)
        case "running_result":
            return running_result(session, speaker, question.arguments["topic_id"], now)
        case "link_code":
            return link_code(session, archive, speaker, now)
        case unknown:
            raise ValueError(f"the records cannot answer {unknown!r}")


def standing_ballot(session: Session, speaker: Speaker, topic_id: str, seats: int) -> Told:
    """`none` · `voted` (choice, next_seat) · `full` (choice), for the seat that speaks now.

    Captures are asked, not ballots: what was pressed a moment ago may not have been merged yet. A ballot
    given elsewhere by somebody linked to a seat is that seat's.
    """
    rows = _ballots(session, speaker, topic_id)
    seated = {person_id: seat for person_id, seat, *_ in rows}
    choices = {person_id: str(payload["choice"]) for person_id, _, payload, *_ in rows}
    if speaker.person_id not in choices:
        return Told("none")
    facts = {"choice": choices[speaker.person_id]}
    taken = {seated[person_id] for person_id in choices}
    free = [seat for seat in range(1, seats + 1) if seat not in taken]
    if not free or speaker.number_id is None:
        return Told("full", facts)
    return Told("voted", {**facts, "next_seat": str(free[0])})


def _ballots(session: Session, speaker: Speaker, topic_id: str) -> list[tuple[Any, ...]]:
    connection, asked = session.connection(), {"topic": topic_id}
    if speaker.number_id is None:
        return _CAST_BY.rows(connection, {**asked, "person": speaker.person_id})
    return _CAST_FROM.rows(connection, {**asked, "number": speaker.number_id})


def running_result(session: Session, speaker: Speaker, topic_id: str, now: datetime) -> Told:
    """`told` (chose.CHOICE: how many) to a telephone that has voted, or else `vote_first`."""
    if not _ballots(session, speaker, topic_id):
        return Told("vote_first")
    count = tally(session, topic_id)
    if not count.may_be_shown(now, has_voted=True):
        return Told("vote_first")
    return Told("told", {f"chose.{choice}": str(voters) for choice, voters in count.choices.items()})


def link_code(session: Session, archive: Archive, speaker: Speaker, now: datetime) -> Told:
    """`given` (code) or, after too many within the hour, `often`."""
    code = issue_code(session, archive, speaker.person_id, now)
    return Told("often") if code is None else Told("given", {"code": code})


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
