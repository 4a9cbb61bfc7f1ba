"""Whose voices a platform brings: those known already in three queries, however many they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.accounts import Voice, digest_of, register_all, voice_of
from sync.api.asked import Asked
from sync.api.problems import Problem
from sync.people import normalise_number
from sync.records.tables import Account, Number, Person

ATTEST = "numbers:attest"
_VOUCHED = ("number", "household")  # told by a platform that has checked them

Said = Mapping[str, Any]  # a `Voice` of the published schemas


def voice_in(session: Session, asked: Asked, said: Said, place: str = "") -> Voice:
    """The person whose voice a platform brings. Problem 403 without the scope, 409 for no possible number."""
    _check(asked, said, place)
    return voice_of(
        session,
        asked.archive,
        asked.caller.id,
        asked.caller.community_id,
        said["account"],
        said.get("number"),
        said.get("seat", 1),
        said.get("household"),
    )


def voices_in(session: Session, asked: Asked, voices: Sequence[tuple[Said, str]]) -> list[Voice]:
    """The people of many voices, each with its place in the body; only new numbers cost queries of their own.

    Accounts that are new, or whose number is, are locked in one order: two batches never wait for each other.
    """
    for said, place in voices:
        _check(asked, said, place)
    everyone = [said for said, _ in voices]
    found = _known(session, asked, everyone)
    if plain := [one for n, one in enumerate(everyone) if n not in found and not set(_VOUCHED) & set(one)]:
        digests = {digest_of(asked.archive, asked.caller.id, one["account"]) for one in plain}
        register_all(session, asked.archive, asked.caller.community_id, asked.caller.id, digests)
        found = _known(session, asked, everyone)
    strange = [n for n in range(len(voices)) if n not in found]
    for n in sorted(strange, key=lambda n: (voices[n][0]["account"], n)):
        found[n] = voice_in(session, asked, *voices[n])
    return [found[n] for n in range(len(voices))]


def _check(asked: Asked, said: Said, place: str) -> None:
    for name in _VOUCHED:
        if name in said and not asked.caller.may(ATTEST):
            raise Problem(403, f"{place}voice.{name}: this key lacks the scope {ATTEST}")
    if "number" in said and normalise_number(said["number"]) is None:
        raise Problem(409, f"{place}voice.number: that is no telephone number")


def _known(session: Session, asked: Asked, voices: Sequence[Said]) -> dict[int, Voice]:
    """Those of whom nothing has to be written, by their place among `voices`."""
    digests = [digest_of(asked.archive, asked.caller.id, said["account"]) for said in voices]
    rows = session.execute(
        select(Account.digest, Account.is_attested, Person.id, Person.root_id, Person.seat, Number.digest)
        .join(Person, Person.id == Account.person_id)
        .join(Number, Number.id == Person.number_id, isouter=True)
        .where(
            Account.platform_id == asked.caller.id,
            Account.digest.in_(set(digests)),
            Person.erased_at.is_(None),
        )
    )
    people = {row[0]: row for row in rows}
    found = {}
    for n, (said, digest) in enumerate(zip(voices, digests, strict=True)):
        if digest not in people:
            continue
        _, is_attested, person_id, root_id, seat, number = people[digest]
        if "number" in said and not (
            is_attested and number == _digest(asked, said["number"]) and seat == said.get("seat", 1)
        ):
            continue
        evidence = "attested" if is_attested else "none" if root_id is None else "linked"
        found[n] = Voice(person_id, evidence)
    return found


def _digest(asked: Asked, number: str) -> str:
    return asked.archive.keyring.digest(asked.caller.community_id, normalise_number(number) or "")
