"""The sound that platforms get: of those who agreed, with everything bleeped that their text hides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from speech.audio import Audio, read_audio, write_wav
from speech.recognize import Transcript as Heard
from speech.recognize import Word
from sync.api import create_api
from sync.archive import Archive
from sync.desk import Actor, approve, correct
from sync.erase import erase_person
from sync.platforms import add_platform
from sync.records.tables import Audit, Community, Opinion, Recording, Transcript
from sync.words import transcribe_opinion
from tests.sync.recording_source import RecordingSource, source
from tests.sync.test_api import Platform, is_problem
from tests.sync.test_words import clock, stored
from tests.sync.voices import NOW, Parrot, Said

__all__ = ["source"]

RATE, LETTER_SECONDS = 8_000, 0.5
TEXT = "我叫张建国门口的路灯坏了"
FIRST, SECOND = TEXT[:7], TEXT[7:]  # two segments, joined with 0.3 s between
GAP_SECONDS = 0.3
PRIVATE = range(2, 5)


def pitch(place: int) -> float:
    """Every letter of the text is sung at a height of its own."""
    return 600.0 + 150.0 * place


def begins(place: int) -> float:
    return place * LETTER_SECONDS + (GAP_SECONDS if place >= len(FIRST) else 0.0)


def sung(places: Sequence[int]) -> bytes:
    times = np.arange(round(RATE * LETTER_SECONDS)) / RATE
    parts = [0.4 * np.sin(2 * np.pi * pitch(place) * times) for place in places]
    return write_wav(Audio(np.concatenate(parts).astype(np.float32), RATE))


class Listener(Parrot):
    """Hears every letter when it is sung."""

    def transcribe(self, audio: Audio, language: str = "zh", hints: Sequence[str] = ()) -> Heard:
        words = tuple(
            Word(letter, begins(n), begins(n) + LETTER_SECONDS, 0.9) for n, letter in enumerate(TEXT)
        )
        return Heard(self.text, words, language, self.name, self.confidence, audio.seconds)


@pytest.fixture
def client(archive: Archive) -> FlaskClient:
    app = Flask("test")
    app.register_blueprint(create_api(archive))
    return app.test_client()


@pytest.fixture
def platform(archive: Archive, community: Community, client: FlaskClient) -> Platform:
    with archive.database.begin() as session:
        _, key = add_platform(session, community.id, "online", ["audio:read"])
    return Platform(client, key)


@pytest.fixture
def said(archive: Archive, community: Community, source: RecordingSource) -> Said:
    """An opinion that may be heard: approved, its speaker agreed."""
    opinion = stored(archive, community, source, [sung(range(7)), sung(range(7, len(TEXT)))])
    transcribe_opinion(archive, opinion.opinion_id, lambda: Listener(TEXT), clock)
    approve(archive, desk(community), opinion.opinion_id, NOW)
    change(archive, opinion, release="voice")
    return opinion


def desk(community: Community) -> Actor:
    return Actor("st_1", community.id)


def change(archive: Archive, said: Said, **columns: Any) -> None:
    with archive.database.begin() as session:
        session.execute(update(Opinion).where(Opinion.id == said.opinion_id).values(**columns))


def path(said: Said) -> str:
    return f"/api/v1/feedback/{said.opinion_id}/audio"


def audible(sound: Audio) -> set[int]:
    """The letters that can still be made out."""
    found = set()
    for place in range(len(TEXT)):
        first = int((begins(place) + 0.1) * RATE)
        part = sound.samples[first : first + int(0.3 * RATE)].astype(np.float64)
        times = np.arange(len(part)) / RATE
        if abs(np.mean(part * np.exp(-2j * np.pi * pitch(place) * times))) > 0.02:
            found.add(place)
    return found


def test_what_the_text_hides_is_bleeped_and_the_rest_is_heard(platform: Platform, said: Said) -> None:
    answer = platform.get(path(said))
    assert (answer.status_code, answer.mimetype) == (200, "audio/wav")
    assert answer.headers["Cache-Control"].startswith("private")
    heard = audible(read_audio(answer.data))
    assert not heard & set(PRIVATE)
    assert heard >= set(range(7, len(TEXT)))
    again = platform.get(path(said), **{"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_who_heard_which_opinion_is_written_down(archive: Archive, platform: Platform, said: Said) -> None:
    platform.get(path(said))
    with archive.database.read() as session:
        audit = session.scalars(select(Audit).order_by(Audit.id.desc()).limit(1)).one()
    assert (audit.subject, audit.details["status"]) == (path(said), 200)


def test_a_correction_moves_the_bleep(
    archive: Archive, community: Community, platform: Platform, said: Said
) -> None:
    public = "我叫某某，门口的路灯坏了"
    correct(archive, desk(community), said.opinion_id, "我叫张建国，门口的李明路灯坏了", NOW, public=public)
    approve(archive, desk(community), said.opinion_id, NOW)
    heard = audible(read_audio(platform.get(path(said)).data))
    assert not heard & {2, 3, 4, 7, 8}  # where the second name must be there is no time for it
    assert heard >= {10, 11}


@pytest.mark.parametrize(
    "columns",
    [{"release": "words"}, {"release": "none"}, {"state": "review"}, {"state": "rejected"}],
)
def test_without_consent_or_approval_there_is_nothing_to_hear(
    archive: Archive, platform: Platform, said: Said, columns: dict[str, str]
) -> None:
    change(archive, said, **columns)
    assert is_problem(platform.get(path(said)), 404)


def test_what_cannot_be_bleeped_for_certain_is_not_given(
    archive: Archive, community: Community, platform: Platform, said: Said
) -> None:
    def refusal() -> str:
        answer = platform.get(path(said))
        assert is_problem(answer, 409)
        return str(answer.get_json(force=True)["detail"])

    change(archive, said, needs_listening=True)
    assert "made out" in refusal()
    change(archive, said, needs_listening=False)
    other = "今天天气不错，我们一起去公园散步聊天吧"
    correct(archive, desk(community), said.opinion_id, other, NOW)
    approve(archive, desk(community), said.opinion_id, NOW)
    assert "side by side" in refusal()
    with archive.database.begin() as session:
        session.execute(update(Transcript).values(sealed_words=None))
    assert "not kept" in refusal()
    with archive.database.begin() as session:
        session.get_one(Recording, said.recordings[0]).state = "missing"
    assert "missing" in refusal()


def test_practice_strangers_and_keys_without_the_scope_hear_nothing(
    archive: Archive, community: Community, platform: Platform, said: Said
) -> None:
    with archive.database.begin() as session:
        session.add(Community(id="cm_far", name="远村", dialled_number="+8657199999999", created_at=NOW))
        session.flush()
        keys = [
            add_platform(session, "cm_far", "far", ["audio:read"])[1],
            add_platform(session, community.id, "reader", ["feedback:read"])[1],
        ]
    assert is_problem(Platform(platform.client, keys[0]).get(path(said)), 404)
    assert is_problem(Platform(platform.client, keys[1]).get(path(said)), 403)
    change(archive, said, is_practice=True)
    assert platform.get(path(said)).status_code == 200
    with archive.database.begin() as session:
        session.get_one(Community, community.id).is_demo = False
    assert is_problem(platform.get(path(said)), 404)


def test_the_times_of_words_are_sealed_and_go_with_the_words(
    archive: Archive, platform: Platform, said: Said
) -> None:
    def kept() -> Transcript:
        with archive.database.read() as session:
            return session.scalars(select(Transcript)).one()

    assert kept().sealed_words
    assert "张".encode() not in (kept().sealed_words or b"")
    erase_person(archive, said.person_id, "desk")
    assert kept().sealed_words is None
    assert is_problem(platform.get(path(said)), 404)
