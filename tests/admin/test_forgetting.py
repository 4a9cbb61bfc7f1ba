"""A resident who asks for deletion by telephone gets it: staff type one command."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from admin.demo.seed import COMMUNITY_ID, seed
from admin.demo.voices import TELEPHONES, opinion_id
from admin.parts import open_archive
from sync.people import find_number
from sync.records.tables import Audit, Ballot, Opinion, Person, Transcript, record_id
from tests.admin.test_commands import Shell

WANG = TELEPHONES["wang_guilan"]
LAMPS, SQUARE = record_id("tp", "demo", "lamps"), record_id("tp", "demo", "square")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A home with the demo's voices in it."""
    shell = Shell(tmp_path)
    archive = open_archive(shell.settings())
    archive.database.create()
    seed(archive, tmp_path)
    archive.close()
    return shell


def test_one_opinion_is_deleted_by_its_receipt_and_the_vote_stays(shell: Shell) -> None:
    archive = open_archive(shell.settings())
    this = opinion_id("lamps", 0)
    with archive.database.read() as session:
        opinion = session.get_one(Opinion, this)
        receipt, speaker = opinion.receipt or "", opinion.person_id
    told = shell.type("forget", "receipt", f"{receipt[:4]} {receipt[4:]}", "--reason", "asked by telephone")
    assert told.exit_code == 0, told.output
    with archive.database.read() as session:
        assert session.get_one(Opinion, this).state == "withdrawn"
        words = session.scalars(select(Transcript).where(Transcript.opinion_id == this)).all()
        assert {(one.sealed_text, one.redacted) for one in words} == {(None, None)}
        voted = select(Ballot.id).where(Ballot.person_id == speaker, Ballot.topic_id == LAMPS)
        assert session.scalar(voted) is not None
        reason = select(Audit.reason).where(Audit.act == "opinion_withdrawn")
        assert session.scalars(reason).all() == ["asked by telephone"]
    archive.close()


def test_a_mistyped_receipt_deletes_nothing(shell: Shell) -> None:
    for receipt in ("12345678", "1234", "00000000"):
        told = shell.type("forget", "receipt", receipt)
        assert told.exit_code == 1
        assert "Traceback" not in told.output
    assert _states(shell) == {"approved"}


def test_all_of_a_number_goes_and_closed_counts_stay(shell: Shell) -> None:
    archive = open_archive(shell.settings())
    with archive.database.read() as session:
        number = find_number(session, archive, COMMUNITY_ID, WANG)
        assert number is not None
        person = session.scalars(select(Person.id).where(Person.number_id == number.id)).one()
    told = shell.type("forget", "number", WANG, "--yes")
    assert told.exit_code == 0, told.output
    with archive.database.read() as session:
        assert find_number(session, archive, COMMUNITY_ID, WANG) is None
        states = session.scalars(select(Opinion.state).where(Opinion.person_id == person)).all()
        assert set(states) == {"erased"}
        left = select(Ballot.topic_id).where(Ballot.person_id == person)
        assert session.scalars(left).all() == [SQUARE]
    archive.close()
    again = shell.type("forget", "number", WANG, "--yes")
    assert again.exit_code == 1
    assert "没有打来过" in again.output


def test_without_a_yes_nothing_is_deleted(shell: Shell) -> None:
    assert shell.type("forget", "number", WANG).exit_code == 1
    assert _states(shell) == {"approved"}


def _states(shell: Shell) -> set[str]:
    archive = open_archive(shell.settings())
    with archive.database.read() as session:
        states = set(session.scalars(select(Opinion.state)))
    archive.close()
    return states
