"""The whole round with our own exchange: a line tells of a missed call, and whoever rang is called."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.serving import make_server

from ivr.exchange.sip.wire import read_to_line, said, say, sound_from_line
from ivr.exchange.tickets import make_ticket
from ivr.outbound.door import CallsDoor, OutLine
from ivr.outbound.placer import Placer, look
from ivr.prompts.clips import ClipStore
from ivr.web.blueprint import create_blueprint
from ivr.web.signature import PhoneLine
from sync.archive import Archive
from sync.placing.policy import change_placing
from sync.placing.wishes import wish_missed
from sync.records.tables import Call, Community, PlacedCall, PlacedTry
from tests.conftest import COMMUNITY_NUMBER
from tests.exchange.town import TOKEN, Web, free_port, play, speech, town
from tests.placing.world import COMMUNITY, ELDER, TEN
from tests.web.platform import NoQueue

HELLO = speech(0.8)[44:]


@contextmanager
def web_that_dials_out(archive: Archive, home: Path, port: int) -> Iterator[None]:
    app = Flask("web")
    lines, clips = {"TJexchange": PhoneLine("exchange", TOKEN)}, ClipStore(home / "clips", b"clips")
    base = f"http://127.0.0.1:{port}"
    app.register_blueprint(create_blueprint(archive, NoQueue(), clips, lines, base, dials_out=True))
    server = make_server("127.0.0.1", port, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


async def a_line(exchange: str, called: asyncio.Queue[str]) -> None:
    """A line: somebody rings and hangs up; called, they say hello, press 1 at the first menu, and go."""
    plays = 0
    ticket = {"ticket": make_ticket(TOKEN, "sip")}
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{exchange}/line/ws", params=ticket) as line,
    ):
        await line.send_str(say("ready", 0, dials=True))
        await line.send_str(say("missed", 0, **{"from": ELDER, "to": COMMUNITY_NUMBER}))
        async for message in line:
            if message.type is aiohttp.WSMsgType.BINARY:
                call, sound, is_last, _ = read_to_line(message.data)
                if is_last:
                    plays += 1
                    await line.send_str(
                        say("key", call, key="1") if plays == 2 else say("played", call, play=sound)
                    )
                if plays == 4:
                    await line.send_str(say("gone", call))
                continue
            told = said(message.data)
            match told.get("type"):
                case "place":
                    called.put_nowait(str(told["to"]))
                    await line.send_str(say("ringing", told["call"]))
                    await line.send_str(say("answered", told["call"]))
                case "listen":
                    for piece in (HELLO, bytes(16_000 * 2)):  # hello, then two seconds of waiting
                        await line.send_bytes(sound_from_line(told["call"], piece))


@pytest.mark.slow
def test_who_rings_once_on_our_own_line_is_called_back_by_it(
    archive: Archive, community: Community, tmp_path: Path
) -> None:
    with archive.database.begin() as session:
        change_placing(session, COMMUNITY, "missed_calls", "canceled", "test")
        change_placing(session, COMMUNITY, "quiet_hours", [], "test")

    async def scene() -> None:
        port, called = free_port(), asyncio.Queue[str]()
        side = Web(base=f"http://127.0.0.1:{port}")
        with web_that_dials_out(archive, tmp_path, port):
            async with town(tmp_path / "spool", side, patience_seconds=5) as t:
                exchange = f"http://127.0.0.1:{t.exchange.port}"
                door = CallsDoor(OutLine("exchange", "TJexchange", TOKEN, exchange))
                placer = Placer(archive, door, side.base, 500)
                line = asyncio.create_task(a_line(exchange, called))
                for _ in range(60):
                    await asyncio.to_thread(look, placer)
                    if not called.empty():
                        break
                    await asyncio.sleep(0.25)
                assert await asyncio.wait_for(called.get(), 5) == ELDER
                await side.until(lambda: bool(_calls(archive)) and bool(_calls(archive)[0].ended_at), 30)
                line.cancel()

    play(scene)
    (call,) = _calls(archive)
    assert (call.flow, call.handset, call.line) == ("called_back", "sip", "exchange")
    assert call.turn >= 1  # the key that was pressed led on
    with archive.database.read() as session:
        placed, tried = session.scalars(select(PlacedCall)).one(), session.scalars(select(PlacedTry)).one()
    assert (placed.state, tried.answered_by, tried.sid) == ("reached", "human", call.sid)


def test_an_exchange_without_a_line_uses_up_no_try(
    archive: Archive, community: Community, tmp_path: Path
) -> None:
    with archive.database.begin() as session:
        assert wish_missed(session, archive, COMMUNITY, ELDER, "exchange/CA1", TEN)

    async def scene() -> None:
        async with town(tmp_path / "spool") as t:
            door = CallsDoor(OutLine("exchange", "TJexchange", TOKEN, f"http://127.0.0.1:{t.exchange.port}"))
            await asyncio.to_thread(look, Placer(archive, door, "http://127.0.0.1:9", 500, lambda: TEN))
            await asyncio.to_thread(
                look, Placer(archive, door, "http://127.0.0.1:9", 500, lambda: TEN.replace(minute=1))
            )

    play(scene)
    with archive.database.read() as session:
        placed = session.scalars(select(PlacedCall)).one()
    assert (placed.state, placed.tries, placed.problem) == ("waiting", 0, "line_20503")


def _calls(archive: Archive) -> list[Call]:
    with archive.database.read() as session:
        return list(session.scalars(select(Call)))
