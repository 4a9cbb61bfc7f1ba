"""A person's rights: found by number or receipt, told what is kept, given it, consents withdrawn, erased."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from sqlalchemy import select

from sync import personal
from sync.archive import Archive
from sync.desk import Actor, DeskError, NotThere
from sync.erase import erase_person
from sync.errors import RecordingMissing
from sync.export.person import person_files
from sync.export.zipped import zipped
from sync.people import find_number
from sync.receipts import is_wellformed
from sync.records.tables import (
    Audit,
    Change,
    Community,
    Consent,
    Opinion,
    Person,
    Receipt,
    Recording,
    Request,
    Transcript,
    Unsaid,
)
from tests.sync.village import COMMUNITY, NOON, ROAD, Village, at

NUMBER = "+8613800000001"
CLERK = Actor("st_admin", COMMUNITY)
RECEIPT = next(f"{n:08}" for n in range(48210000, 48219999) if is_wellformed(f"{n:08}"))


@pytest.fixture
def speaker(any_archive: Archive, any_community: Community) -> str:
    """Somebody who has voted, spoken with sound, agreed to be heard, and waits for a call."""
    village = Village(any_archive)
    village.topic()
    who = village.person(NUMBER)
    village.keep(village.ballot(who, "agree", 1, "b1"))
    village.settle()
    keyring, wav = any_archive.keyring, b"RIFF sound"
    with any_archive.database.begin() as session:
        key_id = session.get_one(Person, who).key_id
        any_archive.recordings.put("rec_1", keyring.seal(session, key_id, wav, "rec_1"))
        session.add(
            Recording(
                id="rec_1", community_id=COMMUNITY, person_id=who, sid="RE1", line="exchange", state="stored",
                file="rec_1", created_at=NOON,
            )
        )  # fmt: skip
        for name, release in (("1", "voice"), ("2", "words")):
            session.add(
                Opinion(
                    id=f"op_{name}", community_id=COMMUNITY, person_id=who, topic_id=ROAD, source="exchange",
                    source_id=name, channel="phone", evidence="caller_id", kind="opinion", state="approved",
                    release=release, said_at=at(int(name)), receipt=RECEIPT if name == "1" else None,
                )
            )  # fmt: skip
            session.flush()
            sealed = keyring.seal(session, key_id, f"我的话{name}".encode(), f"op_{name}/1")
            session.add(
                Transcript(
                    opinion_id=f"op_{name}", version=1, sealed_text=sealed, redacted="他的话", confidence=1,
                    language="zh", engine="e", speech_seconds=1, made_by="machine", made_at=NOON,
                )
            )  # fmt: skip
        session.add(Receipt(community_id=COMMUNITY, digits=RECEIPT))
        for purpose in (personal.RECORDING, personal.WORDS, personal.VOICE, personal.CALL_BACK):
            session.add(
                Consent(
                    id=f"con_{purpose}", source="exchange", source_id=purpose, community_id=COMMUNITY,
                    person_id=who, purpose=purpose, answer="pressed", version="1", given_at=NOON,
                )
            )  # fmt: skip
        session.add(
            Request(
                id="req_1", source="exchange", source_id="q", community_id=COMMUNITY, person_id=who,
                reason="person", asked_at=NOON,
            )
        )  # fmt: skip
    return who


def find(archive: Archive, asked: str, reason: str = "本人来问", actor: Actor = CLERK) -> list[str]:
    with archive.database.begin() as session:
        return personal.find(session, archive, actor, asked, reason)


def test_somebody_is_found_by_number_or_receipt_for_a_reason_that_is_kept(
    any_archive: Archive, speaker: str
) -> None:
    assert find(any_archive, "138 0000 0001") == [speaker]
    assert find(any_archive, RECEIPT) == [speaker]
    for asked, reason, code in (
        (NUMBER, "  ", "privacy_reason_needed"),
        ("13900000000", "x", "nobody_found"),
        ("不是号码", "x", "nobody_found"),
    ):
        with pytest.raises(DeskError) as refused:
            find(any_archive, asked, reason)
        assert refused.value.code == code
    with pytest.raises(DeskError):
        find(any_archive, NUMBER, actor=Actor("st", "cm_other"))
    with any_archive.database.read() as session:
        written = session.scalars(select(Audit).where(Audit.act == "person.found").order_by(Audit.id)).all()
        kept = personal.kept_of(session, COMMUNITY, speaker)
        with pytest.raises(NotThere):
            personal.kept_of(session, "cm_other", speaker)
    assert [(one.subject, one.reason, one.details["by"]) for one in written] == [
        (speaker, "本人来问", "number"),
        (speaker, "本人来问", "receipt"),
    ]
    assert not any(NUMBER[3:] in f"{one.subject}{one.reason}{one.details}" for one in written)
    assert (kept.opinions, kept.recordings, kept.ballots, kept.requests, kept.calls) == (2, 1, 1, 1, 0)
    assert len(kept.consents) == 4


def test_they_take_all_of_it_along_words_sound_and_number(any_archive: Archive, speaker: str) -> None:
    with any_archive.database.read() as session:
        person = session.get_one(Person, speaker)
        content = b"".join(zipped(person_files(session, any_archive, person), NOON))
    files = zipfile.ZipFile(io.BytesIO(content))
    told = json.loads(files.read("person.json"))
    assert told["person"]["number"] == NUMBER
    assert [one["words"][0]["text"] for one in told["opinions"]] == ["我的话1", "我的话2"]
    assert [(one["topic_id"], one["choice"]) for one in told["ballots"]] == [(ROAD, "agree")]
    assert {one["purpose"] for one in told["consents"]} == set(personal.PURPOSES)
    assert files.read("recordings/rec_1.wav") == b"RIFF sound"


def test_a_withdrawn_consent_takes_back_what_rested_on_it_and_no_more(
    any_archive: Archive, speaker: str
) -> None:
    def withdraw(purpose: str) -> int:
        return personal.withdraw(any_archive, CLERK, speaker, purpose, "本人要求", at(5))

    def releases() -> list[str]:
        with any_archive.database.read() as session:
            return list(session.scalars(select(Opinion.release).order_by(Opinion.id)))

    with pytest.raises(DeskError):
        personal.withdraw(any_archive, CLERK, speaker, personal.VOICE, "", at(5))
    assert withdraw(personal.VOICE) == 1
    assert releases() == ["words", "words"]  # still agreed to be read aloud
    assert withdraw(personal.WORDS) == 1
    assert releases() == ["none", "none"]
    assert withdraw(personal.WORDS) == 0  # said twice is said once
    assert withdraw(personal.CALL_BACK) == 1
    with any_archive.database.read() as session:
        assert session.get_one(Request, "req_1").settled_at == at(5)
        assert session.scalars(select(Unsaid.id)).first() is not None  # running calls and clips are told
        assert session.get_one(Opinion, "op_1").state == "approved"
    assert withdraw(personal.RECORDING) == 1
    with any_archive.database.read() as session:
        assert set(session.scalars(select(Opinion.state))) == {"withdrawn"}
        assert session.scalars(select(Transcript.sealed_text)).all() == [None, None]
        assert session.scalars(select(Change.act).where(Change.record_id == "op_1")).all()[-1] == "deleted"
    with pytest.raises(RecordingMissing):
        any_archive.recordings.get("rec_1")


def test_who_is_erased_is_found_no_more_and_leaves_an_empty_file(any_archive: Archive, speaker: str) -> None:
    erase_person(any_archive, speaker, CLERK.id, "本人要求")
    with pytest.raises(DeskError):
        find(any_archive, NUMBER)
    with any_archive.database.read() as session:
        assert find_number(session, any_archive, COMMUNITY, NUMBER) is None
        content = b"".join(zipped(person_files(session, any_archive, session.get_one(Person, speaker)), NOON))
    told = zipfile.ZipFile(io.BytesIO(content)).read("person.json").decode()
    assert "我的话" not in told
    assert NUMBER not in told
