"""A village whose loudspeakers are called: web on a port, records, airings as the announcer writes them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from flask import Flask, request
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from ivr.broadcast.loudspeakers import Job, SoundFile, Speaker, Told
from ivr.broadcast.one_page import Books
from ivr.broadcast.page_links import PageLinks
from ivr.broadcast.paging import PagedLoudspeakers
from ivr.broadcast.plays import write_down
from ivr.broadcast.store import SoundStore
from ivr.outbound.door import CallsDoor, OutLine
from ivr.web.broadcast import create_sound_door
from ivr.web.paging import create_page_door
from ivr.web.signature import PhoneLine
from speech.audio import Audio
from sync.archive import Archive
from sync.records.tables import Airing, Community, Loudspeaker, Play, Programme
from tests.broadcast.jobs import Ledger
from tests.exchange.town import TOKEN, speech

Adapter = TypeVar("Adapter", bound=PagedLoudspeakers)
ACCOUNT, COMMUNITY, NUMBER = "TJexchange", "cm_test", "+8657112345678"
DIGEST = "5e" * 32


@dataclass
class Village:
    """Records and web; `asked` and `given` are paths.

    `is_down`: web answers nothing but 503. `is_soundless`: sounds are not found.
    """

    archive: Archive
    home: Path
    base: str = ""
    is_down: bool = False
    is_soundless: bool = False
    asked: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    _count: int = 0

    def __post_init__(self) -> None:
        self.sounds = SoundStore.under(self.home)
        now = datetime.now(UTC)
        with self.archive.database.begin() as session:
            session.add(Community(id=COMMUNITY, name="桃源社区", dialled_number=NUMBER, created_at=now))
            session.flush()
            session.add(
                Programme(
                    id="pg1", community_id=COMMUNITY, title="晚间播报", state="approved", sound_state="ready",
                    sound_digest=DIGEST, approved_digest=DIGEST, approved_by="st1", approved_at=now,
                    created_by="st1", created_at=now, changed_by="st1", changed_at=now,
                )
            )  # fmt: skip
        self.record(1.5)

    def record(self, seconds: float) -> None:
        """Another sound for the programme."""
        voice = np.frombuffer(speech(seconds, seed=9), "<i2").astype(np.float32) / 32768
        self.sounds.write(DIGEST, Audio(np.repeat(voice, 3), 24_000))

    @property
    def sound(self) -> SoundFile:
        return self.sounds.file(DIGEST, "phone")

    def job(self, address: dict[str, Any], secret: str = "", kind: str = "sip", **changes: Any) -> Job:
        """A job for a loudspeaker of its own, in an airing of its own, sent just now."""
        self._count += 1
        n, now = self._count, datetime.now(UTC) + timedelta(seconds=changes.pop("wait", 0))
        expires_at = datetime.now(UTC) + timedelta(seconds=changes.pop("expires", 30))
        repeat = changes.pop("repeat", 1)
        with self.archive.database.begin() as session:
            speaker = Loudspeaker(
                id=f"ls{n}", community_id=COMMUNITY, name=f"村口{n}号", kind=kind, address=address,
                created_at=now,
            )  # fmt: skip
            airing = Airing(
                id=f"ai{n}", natural_key=f"key{n}", community_id=COMMUNITY, programme_id="pg1",
                state="airing", digest=DIGEST, repeats=repeat, due_at=now, expires_at=expires_at,
                made_by="st1",
            )  # fmt: skip
            session.add_all([speaker, airing])
            session.flush()
            session.add(
                Play(
                    id=f"pl{n}", airing_id=f"ai{n}", loudspeaker_id=f"ls{n}", community_id=COMMUNITY,
                    state="sent", volume=60, due_at=now,
                )
            )  # fmt: skip
        loudspeaker = Speaker(f"ls{n}", address, secret, 60, COMMUNITY, f"村口{n}号")
        return Job(f"pl{n}", f"ai{n}", loudspeaker, self.sound, repeat, now, expires_at)

    def path(self, job: Job) -> str:
        """Where its call finds what it may play."""
        return PageLinks(self.archive).url(job.play_id, job.loudspeaker.id)

    def change(self, table: type[Any], key: str, **values: Any) -> None:
        """Change a record under everybody's hands."""
        with self.archive.database.begin() as session:
            row = session.get_one(table, key)
            for name, value in values.items():
                setattr(row, name, value)

    def state(self, play_id: str) -> str:
        """What the records say of a play."""
        with self.archive.database.read() as session:
            return session.get_one(Play, play_id).state

    def adapter(
        self, kind: type[PagedLoudspeakers], exchange_port: int, token: str = TOKEN
    ) -> PagedLoudspeakers:
        """The adapter at an exchange."""
        line = OutLine("exchange", ACCOUNT, token, f"http://127.0.0.1:{exchange_port}")
        return kind(CallsDoor(line), Books(self.archive, PageLinks(self.archive, self.base)))


@dataclass
class WrittenLedger(Ledger):
    """A ledger that writes into the records as the announcer does."""

    village: Village | None = None

    def __call__(self, told: Told) -> None:
        super().__call__(told)
        assert self.village is not None
        with self.village.archive.database.begin() as session:
            write_down(session, [told])


@contextmanager
def serving(village: Village) -> Iterator[Village]:
    """Web's doors for loudspeakers, on a free port."""
    app = Flask("village", static_folder=None)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    village.base = f"http://127.0.0.1:{server.port}"
    lines = {ACCOUNT: PhoneLine("exchange", TOKEN)}
    app.register_blueprint(create_page_door(village.archive, village.home, lines, village.base))
    app.register_blueprint(create_sound_door(village.archive, village.home))

    @app.before_request
    def note() -> Response | None:
        village.asked.append(request.path)
        is_mute = village.is_soundless and request.path.startswith("/broadcast/sound/")
        return Response(status=404) if is_mute else Response(status=503) if village.is_down else None

    @app.after_request
    def note_given(response: Response) -> Response:
        if response.mimetype == "text/xml" and b"<Play" in response.get_data():
            village.given.append(request.path)
        return response

    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield village
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
