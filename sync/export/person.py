"""Everything kept of one person, for that person: their words, their sound, what they chose and agreed to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.errors import KeyDestroyed, RecordingMissing
from sync.export.zipped import File
from sync.people import readable_number
from sync.records.tables import (
    Account,
    Call,
    Capture,
    Consent,
    Household,
    Link,
    Number,
    Opinion,
    Person,
    Reaction,
    Recording,
    Reply,
    Request,
    Resident,
    Satisfaction,
    Transcript,
)
from sync.sound import unsealed
from sync.words import transcript_name

Json = dict[str, Any]


def person_files(session: Session, archive: Archive, person: Person) -> Iterator[File]:
    """`person.json` and one WAV a recording. Of what was erased before there is nothing left to give."""
    told = {
        "person": _who(session, archive, person),
        "consents": _rows(
            session, Consent, Consent.person_id == person.id,
            ("purpose", "answer", "version", "given_at", "withdrawn_at"),
        ),
        "opinions": [_opinion(session, archive, person, one) for one in _opinions(session, person)],
        "ballots": _ballots(session, person),
        "reactions": _rows(
            session, Reaction, Reaction.person_id == person.id, ("opinion_id", "choice", "cast_at", "channel")
        ),
        "satisfaction": _rows(
            session, Satisfaction, Satisfaction.person_id == person.id,
            ("opinion_id", "is_satisfied", "given_at", "channel"),
        ),
        "calls": _rows(
            session, Call, Call.person_id == person.id, ("id", "line", "began_at", "ended_at", "end_status")
        ),
        "requests": _rows(
            session, Request, Request.person_id == person.id, ("reason", "asked_at", "settled_at")
        ),
        "accounts": _rows(
            session, Account, Account.person_id == person.id, ("platform_id", "is_attested", "created_at")
        ),
        "links": _rows(
            session, Link, or_(Link.person_id == person.id, Link.other_id == person.id),
            ("how", "made_by", "made_at", "undone_at"),
        ),
    }  # fmt: skip
    yield "person.json", [json.dumps(told, ensure_ascii=False, indent=1).encode()]
    yield from _sounds(session, archive, person)


def _who(session: Session, archive: Archive, person: Person) -> Json:
    number = session.get(Number, person.number_id) if person.number_id else None
    home = session.get(Household, person.household_id) if person.household_id else None
    return {
        "id": person.id,
        "number": readable_number(session, archive, number) if number is not None else None,
        "seat": person.seat,
        "known_since": person.created_at.isoformat(),
        "household": home.reference if home is not None else None,
        "names_on_the_roster": _names(session, archive, person),
    }


def _names(session: Session, archive: Archive, person: Person) -> list[str]:
    mine = select(Resident).where(Resident.number_id == person.number_id, Resident.seat == person.seat)
    if person.number_id is None:
        return []
    return [
        archive.keyring.unseal(session, one.key_id, one.sealed_name, one.id).decode()
        for one in session.scalars(mine)
    ]


def _opinions(session: Session, person: Person) -> Sequence[Opinion]:
    mine = select(Opinion).where(Opinion.person_id == person.id)
    return session.scalars(mine.order_by(Opinion.said_at, Opinion.id)).all()


def _opinion(session: Session, archive: Archive, person: Person, opinion: Opinion) -> Json:
    versions = select(Transcript).where(Transcript.opinion_id == opinion.id).order_by(Transcript.version)
    columns = (
        "id",
        "topic_id",
        "kind",
        "receipt",
        "state",
        "stage",
        "release",
        "category",
        "purpose",
        "channel",
        "said_at",
    )
    return _plain(opinion, columns) | {
        "words": [_words(session, archive, person, one) for one in session.scalars(versions)],
        "replies": _rows(
            session,
            Reply,
            Reply.opinion_id == opinion.id,
            ("spoken", "is_private", "published_at", "heard_at"),
        ),
    }


def _words(session: Session, archive: Archive, person: Person, version: Transcript) -> Json:
    try:
        about = transcript_name(version.opinion_id, version.version)
        sealed = version.sealed_text
        text = archive.keyring.unseal(session, person.key_id, sealed, about).decode() if sealed else None
    except KeyDestroyed:
        text = None
    return _plain(version, ("version", "made_by", "made_at", "redacted")) | {"text": text}


def _ballots(session: Session, person: Person) -> list[Json]:
    """Every ballot ever given, whatever became of it."""
    mine = select(Capture).where(Capture.person_id == person.id, Capture.kind == "ballot")
    columns = ("topic_id", "channel", "evidence", "cast_at", "state", "problem")
    return [
        _plain(one, columns) | {"choice": one.payload.get("choice")}
        for one in session.scalars(mine.order_by(Capture.cast_at, Capture.id))
    ]


def _sounds(session: Session, archive: Archive, person: Person) -> Iterator[File]:
    mine = select(Recording).where(Recording.person_id == person.id, Recording.state == "stored")
    for recording in session.scalars(mine.order_by(Recording.created_at, Recording.id)).all():
        try:
            yield f"recordings/{recording.id}.wav", [unsealed(session, archive, recording)]
        except (KeyDestroyed, RecordingMissing):
            continue


def _rows(session: Session, table: Any, which: Any, columns: Iterable[str]) -> list[Json]:
    return [_plain(row, columns) for row in session.scalars(select(table).where(which))]


def _plain(row: object, columns: Iterable[str]) -> Json:
    values: Mapping[str, Any] = {name: getattr(row, name) for name in columns}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()
    }
