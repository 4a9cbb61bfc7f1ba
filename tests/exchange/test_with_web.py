"""The exchange and the real web side together: a whole call, and a message left while web was away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from sqlalchemy import select
from werkzeug.serving import make_server

from ivr.prompts.clips import ClipStore
from ivr.web.blueprint import create_blueprint
from ivr.web.signature import PhoneLine
from sync.archive import Archive
from sync.records.tables import Call, Capture, Community, Recording
from tests.exchange.town import TOKEN, Web, free_port, play, speech, town
from tests.web.platform import NoQueue


@contextmanager
def real_web(archive: Archive, home: Path, port: int) -> Iterator[None]:
    """The webhooks over HTTP."""
    app = Flask("web")
    lines = {"TJexchange": PhoneLine("exchange", TOKEN)}
    clips = ClipStore(home / "clips", b"clips")
    app.register_blueprint(create_blueprint(archive, NoQueue(), clips, lines, f"http://127.0.0.1:{port}"))
    server = make_server("127.0.0.1", port, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def rows(archive: Archive) -> tuple[list[Call], list[Capture], list[Recording]]:
    with archive.database.read() as session:
        return tuple(list(session.scalars(select(kind))) for kind in (Call, Capture, Recording))  # type: ignore


def test_a_silent_caller_is_led_to_the_beep_and_what_they_say_is_kept(
    archive: Archive, community: Community, tmp_path: Path
):
    async def scene() -> None:
        port = free_port()
        side = Web(base=f"http://127.0.0.1:{port}")
        with real_web(archive, tmp_path, port):
            async with town(tmp_path / "spool", side, patience_seconds=5) as t, t.phone() as phone:
                await phone.wait_for_speech(90)
                await phone.speak(speech(4))
                await phone.hang_up()
                await side.until(lambda: bool(rows(archive)[0][0].ended_at), 20)
        _, captures, recordings = rows(archive)
        assert "opinion" in {capture.kind for capture in captures}
        assert all(capture.is_practice for capture in captures)
        assert [recording.url.rpartition("/")[0] for recording in recordings if recording.url] == [
            f"http://127.0.0.1:{t.exchange.port}/recordings"
        ]

    play(scene)


def test_a_message_left_while_web_was_away_lies_in_the_message_box(
    archive: Archive, community: Community, tmp_path: Path
):
    async def scene() -> None:
        port = free_port()
        side = Web(base=f"http://127.0.0.1:{port}")
        async with town(tmp_path / "spool", side) as t:
            async with t.phone() as phone:
                await phone.wait_for_speech(30)
                await phone.speak(speech(4))
                await phone.press("#")
                await phone.wait_for_end()
            assert rows(archive)[0] == []
            with real_web(archive, tmp_path, port):
                await side.until(lambda: bool(rows(archive)[0]) and bool(rows(archive)[0][0].ended_at), 20)
        calls, captures, recordings = rows(archive)
        assert [call.handset for call in calls] == ["terminal"]
        (message,) = [capture for capture in captures if capture.kind == "opinion"]
        assert message.payload["kind"] == "message"
        assert message.payload["recordings"] == [recording.id for recording in recordings]

    play(scene)
