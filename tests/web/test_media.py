"""What the phone plays: rendered clips under secret names, and voices behind links that expire."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from ivr.prompts.clips import ClipStore
from ivr.web.own_voice import LINK_SECONDS, OwnVoice
from speech.audio import read_audio
from sync.archive import Archive
from sync.records.tables import Person, Recording
from tests.web.platform import LINES
from tests.web.test_whole_calls import Phone, to_beep

SOUND = b"RIFF a voice"


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def own_voice(archive: Archive) -> OwnVoice:
    return OwnVoice(archive, lambda line: ("AC1", LINES["AC1"].token))


@pytest.fixture
def spoken(phone: Phone, archive: Archive) -> Recording:
    """A recording made in a call, still at its platform."""
    to_beep(phone()).speak(12)
    with archive.database.read() as session:
        return session.scalars(select(Recording)).one()


@pytest.fixture
def platform_url() -> Iterator[str]:
    """A platform that gives out recordings to who knows the account and its token."""
    expected = "Basic " + b64encode(f"AC1:{LINES['AC1'].token}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_known = self.headers.get("Authorization") == expected
            self.send_response(200 if is_known else 401)
            self.end_headers()
            self.wfile.write(SOUND if is_known else b"")

        def log_message(self, *_: object) -> None:
            """Quietly."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/RE1"
    server.shutdown()
    server.server_close()


def test_a_clip_has_its_words_beside_it_and_is_cached(client: FlaskClient, archive: Archive) -> None:
    clips = ClipStore(archive.recordings.folder.parent / "clips", b"clips")
    name = clips.name("您好", "zf_xiaobei")
    clips.write(name, b"phone", b"full", "您好")
    first = client.get(f"/media/{name}.wav")
    assert (first.status_code, first.data, first.mimetype) == (200, b"phone", "audio/wav")
    assert unquote(first.headers["X-Caption"]) == "您好"
    assert "max-age=86400" in first.headers["Cache-Control"]
    again = client.get(f"/media/{name}.wav", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_nobody_is_to_keep_a_copy_of_what_residents_said(client: FlaskClient, archive: Archive) -> None:
    clips = ClipStore(archive.recordings.folder.parent / "clips", b"clips")
    name = clips.name("路灯坏了", "zf_xiaobei")
    clips.write(name, b"phone", b"full", "路灯坏了", is_personal=True)
    assert client.get(f"/media/{name}.wav").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["a" * 40, "short", "..%2f..%2fkeys", f"{'a' * 40}.full"])
def test_there_is_nothing_behind_other_names(client: FlaskClient, name: str) -> None:
    assert client.get(f"/media/{name}.wav").status_code == 404


def test_the_sound_of_waiting_is_a_real_sound(client: FlaskClient) -> None:
    sound = read_audio(client.get("/media/wait.wav").data)
    assert sound.seconds == pytest.approx(5, abs=0.1)
    assert abs(sound.samples).max() > 0.05


def test_a_stored_voice_is_opened_for_its_link(
    client: FlaskClient, archive: Archive, own_voice: OwnVoice, spoken: Recording
) -> None:
    with archive.database.begin() as session:
        key_id = session.get_one(Person, spoken.person_id).key_id
        sealed = archive.keyring.seal(session, key_id, SOUND, spoken.id)
        archive.recordings.put(spoken.id, sealed)
        row = session.get_one(Recording, spoken.id)
        row.state, row.file = "stored", spoken.id
    response = client.get(f"/media/voice/{own_voice.token(spoken.id)}.wav")
    assert (response.status_code, response.data) == (200, SOUND)
    assert response.headers["Cache-Control"] == "no-store"
    with archive.database.begin() as session:
        archive.keyring.destroy(session, key_id)
    assert client.get(f"/media/voice/{own_voice.token(spoken.id)}.wav").status_code == 404


def test_a_voice_still_at_its_platform_is_brought(
    client: FlaskClient, archive: Archive, own_voice: OwnVoice, spoken: Recording, platform_url: str
) -> None:
    with archive.database.begin() as session:
        session.get_one(Recording, spoken.id).url = platform_url
    assert client.get(f"/media/voice/{own_voice.token(spoken.id)}.wav").data == SOUND


def test_a_platform_that_does_not_answer_is_no_error(
    client: FlaskClient, archive: Archive, own_voice: OwnVoice, spoken: Recording
) -> None:
    with archive.database.begin() as session:
        session.get_one(Recording, spoken.id).url = "http://127.0.0.1:9/RE1"
    assert client.get(f"/media/voice/{own_voice.token(spoken.id)}.wav").status_code == 404


def test_a_forged_or_old_link_opens_nothing(
    client: FlaskClient, own_voice: OwnVoice, spoken: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = own_voice.token(spoken.id)
    assert client.get(f"/media/voice/{token[:-1]}.wav").status_code == 404
    assert client.get(f"/media/voice/{spoken.id}.wav").status_code == 404
    assert own_voice.sound(own_voice.token("rec_nobody")) is None
    monkeypatch.setattr("ivr.web.own_voice.LINK_SECONDS", -1)
    assert own_voice.sound(token) is None
    assert LINK_SECONDS == 3600


def test_health_asks_the_records(client: FlaskClient) -> None:
    assert client.get("/health").json == {"status": "ok"}
