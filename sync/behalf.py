"""What staff type in for somebody: a paper ballot, what was said on a visit or to a person behind `0`.

It goes through the same inbox as every call, with who entered it; an opinion gets a receipt as on the phone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.community_settings import audit, setting
from sync.desk import LONGEST_TEXT, Actor, DeskError, NotThere
from sync.inbox import Given, keep
from sync.people import evidence_of, find_or_create_number, normalise_number, person_at
from sync.receipts import allot
from sync.records.tables import Audit, Capture, Number, Person, Topic, record_id
from sync.recount import recount
from sync.typed import seal_words
from sync.wishes import TOLD_STAFF

SOURCE = "desk"
MET = ("paper", "visit", "call")
RELEASES = ("none", "words")
BALLOT, OPINION = "behalf.ballot", "behalf.opinion"
_LATELY = 20
_MOST_SEATS = 9


@dataclass(frozen=True)
class Who:
    """For whom: their number ("" where they gave none) and the seat at it; how staff met them."""

    number: str = ""
    seat: int = 1
    met: str = "visit"


@dataclass(frozen=True)
class Entry:
    """One thing that was typed in, as the list of the latest shows it. `is_void`: it was taken back."""

    at: datetime
    by: str
    act: str
    subject: str
    source_id: str
    is_void: bool


def enter_ballot(
    archive: Archive,
    actor: Actor,
    form: str,
    who: Who,
    topic_id: str,
    choice: str,
    cast_at: datetime,
    now: datetime,
) -> bool:
    """Type in one ballot; False where this form was sent already.

    `form` is the id that the page gave this entry: sent twice, it counts once. Raises NotThere for another
    community's topic, DeskError for what can't be counted.
    """
    with archive.database.begin() as session:
        topic = session.get(Topic, topic_id)
        if topic is None or topic.community_id != actor.community_id or topic.state == "draft":
            raise NotThere("there is no such topic", "not_there")
        if choice not in choices_of(topic):
            raise DeskError("there is no such choice", "unknown_choice")
        if cast_at > now:
            raise DeskError("that moment is still to come", "not_yet")
        person, evidence = _person(session, archive, actor, form, who)
        given = Given(
            SOURCE, f"ballot {form}", actor.community_id, person.id, "ballot", topic_id,
            {"choice": choice, "entered_by": actor.id, "met": who.met},
            "paper" if who.met == "paper" else SOURCE, evidence, False, cast_at,
        )  # fmt: skip
        is_new = keep(session, given, now)
        if is_new:
            audit(session, actor.community_id, actor.id, BALLOT, topic_id, source_id=given.source_id)
    return is_new


def enter_opinion(
    archive: Archive,
    actor: Actor,
    form: str,
    who: Who,
    topic_id: str | None,
    words: str,
    release: str,
    said_at: datetime,
    now: datetime,
) -> str:
    """Type in what somebody said; the receipt to give them. The same form sent twice has the same receipt.

    Whoever calls this has been told that they were told: it is kept as their consent.
    """
    said = words.strip()
    if not said:
        raise DeskError("something has to be said", "nothing_said")
    if len(said) > LONGEST_TEXT:
        raise DeskError(f"at most {LONGEST_TEXT} characters", "too_long", LONGEST_TEXT)
    if release not in RELEASES:
        raise DeskError("there is no such choice", "unknown_choice")
    if said_at > now:
        raise DeskError("that moment is still to come", "not_yet")
    with archive.database.begin() as session:
        topic = session.get(Topic, topic_id) if topic_id else None
        if topic_id and (topic is None or topic.community_id != actor.community_id):
            raise NotThere("there is no such topic", "not_there")
        if known := _receipt_of(session, form):
            return known
        person, evidence = _person(session, archive, actor, form, who)
        opinion_id, receipt = opinion_id_of(form), allot(session, actor.community_id)
        common = (actor.community_id, person.id)
        written = {
            "opinion_id": opinion_id, "recordings": [], "receipt": receipt, "entered_by": actor.id,
            "kind": "opinion" if topic_id else "message", "met": who.met,
            "sealed_text": seal_words(session, archive, person.id, opinion_id, said),
        }  # fmt: skip
        keep(session, Given(SOURCE, f"said {form}", *common, "opinion", topic_id, written, SOURCE, evidence,
                            False, said_at), now)  # fmt: skip
        told = {"version": str(setting(session, actor.community_id, "notice_version") or "1"),
                "entered_by": actor.id}  # fmt: skip
        agreed = {"purpose": "recording", "answer": TOLD_STAFF, **told}
        released = {"opinion_id": opinion_id, "release": release, **told}
        for kind, payload in (("consent", agreed), ("release", released)):
            keep(session, Given(SOURCE, f"{kind} {form}", *common, kind, topic_id, payload, SOURCE, evidence,
                                False, said_at), now)  # fmt: skip
        audit(session, actor.community_id, actor.id, OPINION, opinion_id, source_id=f"said {form}")
    return receipt


def take_ballot_back(archive: Archive, actor: Actor, source_id: str, now: datetime) -> None:
    """Void a ballot that was typed in by mistake; what the same voter gave before stands again.

    Raises NotThere for what nobody typed in here, DeskError where its topic is closed.
    """
    with archive.database.begin() as session:
        capture = session.scalar(
            select(Capture).where(Capture.source == SOURCE, Capture.source_id == source_id).with_for_update()
        )
        if capture is None or capture.community_id != actor.community_id or capture.kind != "ballot":
            raise NotThere("nobody typed that in here", "not_there")
        topic = session.get_one(Topic, capture.topic_id or "")
        if topic.state in {"closed", "decided"} or (topic.closes_at is not None and topic.closes_at <= now):
            raise DeskError("the topic is closed: its count stands", "topic_closed")
        if capture.state == "refused":
            return
        capture.state, capture.problem = "refused", "typed_by_mistake"
        session.flush()
        recount(session, archive, topic.id, now)
        audit(session, actor.community_id, actor.id, "behalf.voided", topic.id, source_id=source_id)


def entered_lately(session: Session, community_id: str) -> list[Entry]:
    """What was typed in last, the newest first."""
    rows = session.scalars(
        select(Audit)
        .where(Audit.community_id == community_id, Audit.act.in_((BALLOT, OPINION)))
        .order_by(Audit.at.desc(), Audit.id.desc())
        .limit(_LATELY)
    ).all()
    ids = [str(row.details.get("source_id", "")) for row in rows]
    void = select(Capture.source_id).where(
        Capture.source == SOURCE, Capture.source_id.in_(ids), Capture.problem == "typed_by_mistake"
    )
    gone = set(session.scalars(void))
    return [
        Entry(row.at, row.actor, row.act, row.subject, source_id, source_id in gone)
        for row, source_id in zip(rows, ids, strict=True)
    ]


def choices_of(topic: Topic) -> list[str]:
    """What can be chosen on a topic: its own options, else agree, disagree, pass."""
    return [str(choice) for choice, _ in topic.options] or ["agree", "disagree", "pass"]


def opinion_id_of(form: str) -> str:
    """The opinion that a form became."""
    return record_id("op", SOURCE, form)


def _person(session: Session, archive: Archive, actor: Actor, form: str, who: Who) -> tuple[Person, str]:
    """The person, and how well they are known; who gave no number is somebody new each time."""
    if who.met not in MET or not 1 <= who.seat <= _MOST_SEATS:
        raise DeskError("there is no such choice", "unknown_choice")
    number: Number | None = None
    if who.number.strip():
        e164 = normalise_number(who.number)
        if e164 is None:
            raise DeskError("that is no telephone number", "not_a_number")
        number = find_or_create_number(session, archive, actor.community_id, e164)
    elif (known := _giver_of(session, form)) is not None:
        return known, "none"
    # A number that was told is not one that was seen: only the roster proves anything.
    is_listed = number is not None and evidence_of(session, number) == "roster"
    return person_at(
        session, archive, actor.community_id, number, who.seat
    ), "roster" if is_listed else "none"


def _giver_of(session: Session, form: str) -> Person | None:
    """Who this very form was for, where it was sent before."""
    sent = select(Capture.person_id).where(
        Capture.source == SOURCE, Capture.source_id.in_((f"ballot {form}", f"said {form}"))
    )
    person_id = session.scalar(sent)
    return session.get(Person, person_id) if person_id else None


def _receipt_of(session: Session, form: str) -> str | None:
    payload = session.scalar(
        select(Capture.payload).where(Capture.source == SOURCE, Capture.source_id == f"said {form}")
    )
    return str(payload["receipt"]) if payload else None
