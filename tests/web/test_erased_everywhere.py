"""Who is erased is gone from every table and every file: nothing to read, nothing to find."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from admin.roster import Entry, import_roster
from ivr import conversation
from ivr.prompts.clips import ClipStore
from ivr.prompts.render import open_renderer, prune_job, render_job
from sync import desk
from sync.archive import Archive
from sync.desk import Actor
from sync.due import due
from sync.dump import tables
from sync.erase import erase_person
from sync.people import find_number
from sync.records.tables import Community, Opinion, Person, Recording, Unsaid
from sync.settle import settle_batch
from sync.storing import store_recording
from sync.words import transcribe_opinion
from tests.prompts.tone_synthesizer import ToneSynthesizer
from tests.sync.recording_source import RecordingSource, a_wav, credentials, source
from tests.sync.voices import Parrot
from tests.web.conftest import add_topics, call_of
from tests.web.platform import Platform, open_app

__all__ = ["source"]

ACTOR = Actor("st_1", "cm_test")
NUMBER = "+8613866667777"
NAME = "欧阳翠花"
SENTENCE = "紫藤花架下的长椅断了三根"
REPLY = "紫藤花架周五来修"
MARKS = ("紫藤花架", NAME, NUMBER, NUMBER.removeprefix("+86"))
"""What must not be found afterwards, however it is written down."""


@dataclass
class RealLine(Platform):
    """A call by a line whose recordings can be fetched."""

    account: str = "TJexchange"
    handset: str = "sip"
    source: RecordingSource | None = None

    def recording(self, seconds: float) -> dict[str, str]:
        told = super().recording(seconds)
        assert self.source is not None
        address = self.source.add(told["RecordingSid"], a_wav(2.0))
        return {**told, "RecordingUrl": address}


def in_database(archive: Archive) -> set[str]:
    """Which marks can be read in any column of any table."""
    found: set[str] = set()
    with archive.database.engine.connect() as connection:
        for table in tables():
            for row in connection.execute(select(table)):
                found |= {mark for value in row for mark in MARKS if mark in _readable(value)}
    return found


def _readable(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", "ignore")
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def in_files(home: Path) -> dict[str, set[str]]:
    """Which marks can be read in which file, also as JSON escapes them."""
    found: dict[str, set[str]] = {}
    for path in (one for one in home.rglob("*") if one.is_file()):
        content = path.read_bytes()
        here = {mark for mark in MARKS if mark.encode() in content or json.dumps(mark).encode() in content}
        found |= {str(path.relative_to(home)): here} if here else {}
    return found


def now() -> datetime:
    return datetime.now(UTC)


def recognizer() -> Parrot:
    return Parrot(f"{SENTENCE}，我是{NAME}")


def work(archive: Archive) -> None:
    """What workers do until nothing waits."""
    for _ in range(4):
        settle_batch(archive)
        with archive.database.read() as session:
            waiting = list(due(session, now(), ("fetch_recording", "transcribe")))
        for one in waiting:
            if one.job == "fetch_recording":
                store_recording(archive, one.arguments["recording_id"], credentials, now)
            else:
                transcribe_opinion(archive, one.arguments["opinion_id"], recognizer, now)


@pytest.fixture
def home(any_archive: Archive, any_community: Community) -> Path:
    add_topics(any_archive, any_community.id)
    return any_archive.recordings.folder.parent


def speak(archive: Archive, source: RecordingSource) -> str:
    """The resident calls, votes, speaks, lets neighbours hear the words; staff approve and answer."""
    call = RealLine(open_app(archive).test_client(), caller=NUMBER, source=source).begin()
    call.press("1").wait().press("1").press("2").press("1").wait_until("Record", most=2)
    call.speak(2).press("1").press("1")
    call.end()
    work(archive)
    with archive.database.read() as session:
        opinion = session.scalars(select(Opinion)).one()
    desk.approve(archive, ACTOR, opinion.id, now())
    desk.correct(archive, ACTOR, opinion.id, f"{SENTENCE}，我是{NAME}", now(), public=SENTENCE)
    desk.approve(archive, ACTOR, opinion.id, now())
    desk.reply(archive, ACTOR, opinion.id, REPLY, now())
    return opinion.id


def hear_neighbours(archive: Archive, is_rendered: bool) -> Platform:
    """A neighbour on the line, who hears the resident's words and is asked what to think of them."""
    call = Platform(open_app(archive).test_client(), caller="+8613900002222").begin()
    call.press("1").wait().press("1").press("1")
    assert (SENTENCE in call.said) != is_rendered
    return call.wait()


def hear_the_answer(archive: Archive, opinion_id: str) -> Platform:
    """The resident calls again and hears the answer, then once more and types the receipt."""
    with archive.database.read() as session:
        receipt = session.get_one(Opinion, opinion_id).receipt or ""
    first = Platform(open_app(archive).test_client(), caller=NUMBER).begin().press("3").wait()
    assert REPLY in first.said
    first.wait()
    work(archive)
    call = Platform(open_app(archive).test_client(), caller=NUMBER).begin().press("3", "2", f"{receipt}#")
    assert call_of(archive, call.sid).place["memory"]["reply"] == REPLY
    return call


def test_nothing_that_was_said_read_or_rendered_survives_its_speaker(
    any_archive: Archive, home: Path, source: RecordingSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "UNSAID_SECONDS", 0.0)
    archive = any_archive
    with archive.database.begin() as session:
        import_roster(session, archive, "cm_test", [Entry("1-2-301", NAME, NUMBER, 1)])
    opinion_id = speak(archive, source)
    spelt = hear_neighbours(archive, is_rendered=False)
    own = hear_the_answer(archive, opinion_id)
    clips = ClipStore(home / "clips", b"clips")
    open_renderer(archive, clips, ToneSynthesizer)
    render_job("cm_test")
    rendered = hear_neighbours(archive, is_rendered=True)
    assert {"紫藤花架"} <= in_database(archive)
    assert sum(path.startswith("clips/") for path in in_files(home)) >= 4  # words and answer, both paces

    with archive.database.read() as session:
        number = find_number(session, archive, "cm_test", NUMBER)
        assert number is not None
        people = session.scalars(select(Person.id).where(Person.number_id == number.id)).all()
        sounds = session.scalars(select(Recording.file).where(Recording.file.is_not(None))).all()
    assert sounds
    for person_id in people:
        erase_person(archive, person_id, "st_1")
    with archive.database.read() as session:
        assert [one.job for one in due(session, now(), ("prune",))] == ["prune"]
    prune_job()

    assert in_database(archive) == set()
    assert in_files(home) == {}
    assert not any(archive.recordings.exists(name or "") for name in sounds)
    for call in (spelt, rendered):  # the neighbours are still on the line
        call.press("1")
        assert call.waits == "Gather"
        assert SENTENCE not in call.raw
    own.wait()
    assert own.waits == "Hangup"
    assert in_database(archive) == set()
    assert in_files(home) == {}
    with archive.database.read() as session:
        assert all(session.scalars(select(Unsaid.pruned_at)))
