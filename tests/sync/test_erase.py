"""What is erased is gone: words, sound, number; counts of closed topics stay."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from sync.archive import Archive
from sync.erase import delete_erased_sound, erase_person, withdraw_opinion
from sync.errors import KeyDestroyed, RecordsError
from sync.records.tables import (
    Audit,
    Ballot,
    Capture,
    Change,
    Community,
    Consent,
    Key,
    Number,
    Opinion,
    Person,
    Reaction,
    Recording,
    Topic,
    Transcript,
)
from sync.recount import recount
from tests.sync.village import NOON, ROAD, Village, at


@pytest.fixture
def village(any_archive: Archive, any_community: Community) -> Village:
    """A village with a road, on either database."""
    village = Village(any_archive)
    village.topic()
    return village


def speak(village: Village, who: str, name: str = "1") -> None:
    """An opinion with sound and words."""
    village.recording(f"r{name}", who, "stored")
    payload = {"opinion_id": f"op_{name}", "recordings": [f"r{name}"], "kind": "opinion"}
    village.keep(village.given("opinion", who, 1, f"o{name}", payload, topic_id=ROAD))
    village.settle()
    with village.archive.database.begin() as session:
        key_id = session.get_one(Person, who).key_id
        sealed = village.archive.keyring.seal(session, key_id, "路灯坏了".encode(), f"op_{name}/1")
        words = {
            "sealed_text": sealed,
            "redacted": "路灯坏了",
            "confidence": 1,
            "language": "zh",
            "engine": "e",
        }
        made = {"speech_seconds": 1, "made_by": "machine", "made_at": NOON}
        session.add(Transcript(opinion_id=f"op_{name}", version=1, **words, **made))


def tombstones(village: Village, record: str) -> list[str]:
    with village.archive.database.read() as session:
        query = select(Change.record_id).where(Change.record == record, Change.act == "deleted")
        return list(session.scalars(query))


def test_an_opinion_taken_back_loses_words_and_sound_and_leaves_a_tombstone(village: Village) -> None:
    speak(village, village.person())
    withdraw_opinion(village.archive, "op_1", "staff:1", "asked by phone")
    withdraw_opinion(village.archive, "op_1", "staff:1")
    with village.archive.database.read() as session:
        words = session.scalars(select(Transcript)).one()
        assert (words.sealed_text, words.redacted) == (None, None)
        assert session.get_one(Opinion, "op_1").state == "withdrawn"
        assert session.get_one(Recording, "r1").state == "erased"
        assert [one.act for one in session.scalars(select(Audit))] == ["opinion_withdrawn"]
    assert not village.archive.recordings.exists("r1")
    assert tombstones(village, "opinion") == ["op_1"]


def test_an_erased_person_cannot_be_read_called_or_found(village: Village) -> None:
    who = village.person()
    speak(village, who)
    consent = {"purpose": "recording", "answer": "pressed", "version": "1"}
    village.keep(village.given("consent", who, 1, "c", consent))
    village.settle()
    archive = village.archive
    with archive.database.read() as session:
        person = session.get_one(Person, who)
        number = session.get_one(Number, person.number_id)
        sealed = number.sealed or b""
    erase_person(archive, who, "staff:1", "asked by phone")
    erase_person(archive, who, "staff:1")
    with archive.database.read() as session:
        for key_id, secret, about in ((person.key_id, b"", ""), (number.key_id, sealed, number.id)):
            assert session.get_one(Key, key_id).destroyed_at is not None
            with pytest.raises(KeyDestroyed):
                archive.keyring.unseal(session, key_id, secret, about)
        assert session.get_one(Number, number.id).digest is None
        assert session.get_one(Opinion, "op_1").state == "erased"
        assert session.scalars(select(Consent)).one().withdrawn_at is not None
    assert not archive.recordings.exists("r1")
    assert tombstones(village, "opinion") == ["op_1"]
    assert village.person() != who  # the same telephone is somebody new


def test_the_other_seat_keeps_its_number(village: Village) -> None:
    first, second = village.person(seat=1), village.person(seat=2)
    erase_person(village.archive, second, "staff:1")
    assert village.person(seat=1) == first
    assert village.person(seat=2) != second


def test_ballots_on_open_topics_are_struck_and_closed_tallies_stay(village: Village) -> None:
    who, neighbour = village.person(), village.person("+8613800000002")
    village.topic("tp_closed")
    speak(village, neighbour, "2")
    village.keep(
        village.ballot(who, "agree", 1, "1"),
        village.given("ballot", who, 1, "2", {"choice": "disagree"}, topic_id="tp_closed"),
        village.given("reaction", who, 1, "3", {"opinion_id": "op_2", "choice": "agree"}),
    )
    village.settle()
    archive = village.archive
    with archive.database.begin() as session:
        closed = session.get_one(Topic, "tp_closed")
        closed.state, closed.closes_at = "closed", at(60)
    erase_person(archive, who, "staff:1")
    with archive.database.begin() as session:
        assert [(one.topic_id, one.choice) for one in session.scalars(select(Ballot))] == [
            ("tp_closed", "disagree")
        ]
        assert session.scalars(select(Reaction)).all() == []
        assert recount(session, archive, "tp_closed", at(70)) == 0
        assert recount(session, archive, ROAD, at(70)) == 0
    assert len(tombstones(village, "ballot")) == len(tombstones(village, "reaction")) == 1


def test_where_homes_count_the_other_one_of_the_home_stands_again(village: Village) -> None:
    with village.archive.database.begin() as session:
        session.get_one(Topic, ROAD).rules = {"counts": "households"}
    first, second = village.person(seat=1), village.person(seat=2)
    village.keep(village.ballot(first, "agree", 1, "1"), village.ballot(second, "disagree", 2, "2"))
    village.settle()
    erase_person(village.archive, second, "staff:1")
    with village.archive.database.read() as session:
        ballot = session.scalars(select(Ballot)).one()
    assert (ballot.person_id, ballot.choice) == (first, "agree")


def test_what_arrives_after_erasure_is_refused(village: Village) -> None:
    who = village.person()
    village.keep(village.ballot(who, "agree", 1, "waiting"))
    erase_person(village.archive, who, "staff:1")
    village.keep(village.ballot(who, "agree", 2, "late"))
    village.settle()
    with village.archive.database.read() as session:
        outcomes = {(one.state, one.problem) for one in session.scalars(select(Capture))}
        assert session.scalars(select(Ballot)).all() == []
    assert outcomes == {("refused", "erased")}


def test_a_crash_between_record_and_file_is_made_good(village: Village) -> None:
    speak(village, village.person())
    with village.archive.database.begin() as session:
        session.get_one(Recording, "r1").state = "erased"
    assert delete_erased_sound(village.archive) == 1
    assert not village.archive.recordings.exists("r1")
    assert delete_erased_sound(village.archive) == 0


def test_who_is_not_there_cannot_be_erased(village: Village) -> None:
    with pytest.raises(RecordsError):
        erase_person(village.archive, "per_none", "staff:1")
    with pytest.raises(RecordsError):
        withdraw_opinion(village.archive, "op_none", "staff:1")
