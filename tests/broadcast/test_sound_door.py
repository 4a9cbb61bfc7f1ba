"""The door where loudspeakers fetch programmes: by a link of ours, in time, only what is approved now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ivr.broadcast.loudspeakers import Form
from ivr.broadcast.sound_links import PATH, SPARE_SECONDS, SoundLinks
from ivr.broadcast.store import SoundStore
from ivr.web import broadcast
from ivr.web.broadcast import create_sound_door
from speech.audio import Audio, read_audio
from sync.archive import Archive
from sync.records.tables import Airing, Community, Programme

NOW = datetime.now(UTC)
DIGEST, OTHER = "a" * 64, "b" * 64


class Buffered(FlaskClient):
    """As a server does it: the answer is read and closed."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        return super().open(*args, **{"buffered": True, **kwargs})


@pytest.fixture
def store(tmp_path: Path) -> SoundStore:
    """Two programmes of a second."""
    sounds = SoundStore.under(tmp_path)
    for digest, hertz in ((DIGEST, 440), (OTHER, 880)):
        wave = np.sin(np.arange(24_000) * 2 * np.pi * hertz / 24_000).astype(np.float32) * np.float32(0.3)
        sounds.write(digest, Audio(wave, 24_000))
    return sounds


@pytest.fixture
def client(archive: Archive, community: Community, store: SoundStore, tmp_path: Path) -> FlaskClient:
    """An approved programme that is being aired, and its door."""
    with archive.database.begin() as session:
        session.add(
            Programme(
                id="pr_1",
                community_id=community.id,
                title="早间",
                state="approved",
                sound_state="ready",
                sound_digest=DIGEST,
                approved_digest=DIGEST,
                approved_by="st_1",
                approved_at=NOW,
                created_by="st_1",
                created_at=NOW,
                changed_by="st_1",
                changed_at=NOW,
            )
        )
        session.flush()
        session.add(
            Airing(
                id="air_1",
                natural_key="k",
                community_id=community.id,
                programme_id="pr_1",
                state="airing",
                digest=DIGEST,
                due_at=NOW,
                expires_at=NOW + timedelta(minutes=5),
                made_by="st_1",
            )
        )
    app = Flask("door")
    app.register_blueprint(create_sound_door(archive, tmp_path))
    app.test_client_class = Buffered
    return app.test_client()


@pytest.fixture
def link(archive: Archive, store: SoundStore) -> Callable[..., str]:
    """`link()` is the way to the programme's MP3."""

    def made(form: Form = "mp3", digest: str = DIGEST, seconds: float = 60) -> str:
        file = store.file(digest, form)
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        return SoundLinks(archive).url("air_1", file.sha256, file.media_type, until)

    return made


def test_the_whole_file_and_any_part_of_it(
    client: FlaskClient, link: Callable[..., str], store: SoundStore
) -> None:
    for form in ("mp3", "wav", "phone"):
        file = store.file(DIGEST, form)
        whole = client.get(link(form))
        assert whole.status_code == 200
        assert whole.mimetype == file.media_type
        assert whole.data == file.path.read_bytes()
        assert whole.headers["Cache-Control"] == "no-store"
        assert read_audio(whole.data).seconds == pytest.approx(1, abs=0.1)
    part = client.get(link(), headers={"Range": "bytes=100-299"})
    assert (part.status_code, part.data) == (206, store.file(DIGEST, "mp3").path.read_bytes()[100:300])
    rest = client.get(link(), headers={"Range": "bytes=300-"})
    assert part.data + rest.data == store.file(DIGEST, "mp3").path.read_bytes()[100:]
    assert client.get(link(), headers={"Range": "bytes=99999999-"}).status_code == 416
    assert client.head(link("phone")).headers["Content-Length"] == whole.headers["Content-Length"]


def test_a_link_that_was_altered_or_is_too_old_leads_nowhere(
    client: FlaskClient, link: Callable[..., str], archive: Archive
) -> None:
    good = link()
    assert client.get(good).status_code == 200
    for place in (len(PATH) + 3, len(good) - 3):
        letter = "A" if good[place] != "A" else "B"
        assert client.get(good[:place] + letter + good[place + 1 :]).status_code == 404
    assert client.get(link(seconds=-SPARE_SECONDS - 2)).status_code == 404
    assert client.get(link(digest=OTHER)).status_code == 404  # signed by us, and yet not what was approved
    other = SoundLinks(archive).url("air_2", "0" * 64, "audio/mpeg", NOW + timedelta(hours=1))
    assert client.get(other).status_code == 404


@pytest.mark.parametrize(
    ("table", "change"),
    [
        (Airing, {"state": "cut"}),
        (Airing, {"state": "done"}),
        (Airing, {"digest": OTHER}),
        (Programme, {"state": "withdrawn", "approved_digest": None}),
        (Programme, {"state": "draft"}),
        (Programme, {"approved_digest": OTHER}),
        (Programme, {"priority": "emergency"}),  # it lacks the second person
    ],
)
def test_what_may_not_be_loud_any_more_is_not_given_out(
    client: FlaskClient, link: Callable[..., str], archive: Archive, table: Any, change: dict[str, Any]
) -> None:
    with archive.database.begin() as session:
        row = session.get_one(table, "air_1" if table is Airing else "pr_1")
        for name, value in change.items():
            setattr(row, name, value)
    assert client.get(link()).status_code == 404


def test_a_file_that_is_gone_is_gone(
    client: FlaskClient, link: Callable[..., str], store: SoundStore
) -> None:
    good = link()
    store.delete(DIGEST)
    assert client.get(good).status_code == 404


def test_loudspeakers_on_slow_lines_leave_threads_for_those_who_call(
    client: FlaskClient, link: Callable[..., str]
) -> None:
    slow = [client.get(link(), buffered=False) for _ in range(broadcast.MOST_AT_ONCE)]
    turned_away = client.get(link())
    assert (turned_away.status_code, turned_away.headers["Retry-After"]) == (503, "2")
    slow.pop().close()
    assert client.get(link()).status_code == 200
    assert client.get(link(), headers={"Range": "bytes=99999999-"}).status_code == 416
    assert client.get(link()).status_code == 200  # a refusal holds no place
    for one in slow:
        one.close()
