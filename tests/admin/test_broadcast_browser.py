"""From composing to "played", in real browsers: a real announcer, a real broker, a loudspeaker of our own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from admin.demo.seed import COMMUNITY_ID
from admin.staff import add_staff
from ivr.broadcast.broker_files import accounts, our_secret, write_files
from ivr.broadcast.rendering import open_studio, render_waiting
from ivr.broadcast.store import SoundStore
from ivr.prompts.clips import ClipStore
from speech.audio import read_audio
from sync.community_settings import change_setting
from sync.records.tables import Airing, Loudspeaker, Play, Programme
from tests.admin.browser import NEEDS_CHROMIUM, PHONE, Seat, browser, served, sit_down, violations
from tests.admin.desk import Desk, open_desk
from tests.broadcast.broker import RealBroker, needs_mosquitto, until
from tests.prompts.tone_synthesizer import ToneSynthesizer

pytestmark = [*NEEDS_CHROMIUM, needs_mosquitto, pytest.mark.timeout(240)]

REVIEWER, PASSWORD = "写稿的", "a long password"
NOTICE = "明天上午停水。"
START_SECONDS = 45.0


@dataclass
class Town:
    """A desk on loopback, its broker, and where its processes write."""

    desk: Desk
    broker: RealBroker
    base: str
    home: Path

    @contextmanager
    def process(self, *command: str, given: str = "") -> Iterator[subprocess.Popen[bytes]]:
        """One of our commands in a process of its own, ended by its id."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.endswith("_URL")},
            "TINGJIAN_HOME": str(self.home),
            "TINGJIAN_MQTT": f"mqtt://127.0.0.1:{self.broker.port}",
            "PUBLIC_BASE_URL": self.base,
        }
        with (self.home / f"{command[0]}.out").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "admin", *command],
                env=environment, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(given.encode())
        process.stdin.close()
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)

    def admit(self) -> None:
        """Let the broker know who may come in."""
        with self.desk.archive.database.read() as session:
            known = accounts(session, self.desk.archive, our_secret(self.desk.archive))
        write_files(self.broker.folder, self.desk.archive, known)
        self.broker.signal(signal.SIGHUP)

    def one(self, table: type[Loudspeaker] | type[Programme]) -> str:
        """The id of the only row."""
        with self.desk.archive.database.read() as session:
            return session.scalars(select(table.id)).one()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A community whose hours are never quiet, so that the test may run at night."""
    desk, broker = open_desk(tmp_path / "home"), RealBroker(tmp_path / "broker", {})
    with desk.archive.database.begin() as session:
        for name in ("broadcast_quiet_hours", "broadcast_noon_rest"):
            change_setting(session, COMMUNITY_ID, name, "", "st_test")
        add_staff(session, COMMUNITY_ID, REVIEWER, PASSWORD, "reviewer")
    hum = ToneSynthesizer()
    clips = ClipStore(desk.settings.home / "clips", b"clips", hum.name)
    open_studio(desk.archive, clips, SoundStore.under(desk.settings.home), lambda: hum)
    write_files(broker.folder, desk.archive, {"tingjian": our_secret(desk.archive)})
    broker.start()
    try:
        with served(desk) as base:
            yield Town(desk, broker, base, desk.settings.home)
    finally:
        broker.kill()
        desk.archive.close()


def test_a_programme_is_composed_heard_approved_and_played(town: Town) -> None:
    with browser() as opened, town.process("broadcast"):
        chief = sit_down(opened, town.base, town.desk.account.name, town.desk.account.password)
        secret = hang_up(chief, "村口1号")
        town.admit()
        speaker_id = town.one(Loudspeaker)
        address, played = f"mqtt://{speaker_id}@127.0.0.1:{town.broker.port}", town.home / "heard.wav"
        simulate = ("speaker", "simulate", "--mqtt", address, "--secret-file", "-", "--wav", str(played))
        with town.process(*simulate, given=secret):
            writer = sit_down(
                opened, town.base, REVIEWER, PASSWORD, viewport=PHONE, java_script_enabled=False
            )
            compose(writer)
            is_there(chief, f"/desk/broadcasts/loudspeakers/{speaker_id}")
            listen_and_approve(chief, town.one(Programme))
            play(chief)
            chief.page.wait_for_selector("#outcome:has-text('1 个喇叭播了 1 个')", timeout=60_000)
            chief.page.wait_for_selector("td:has-text('播完了')")
            every_page_is_for_everybody(chief, writer, speaker_id)
            assert chief.problems == writer.problems == []
    with town.desk.archive.database.read() as session:
        airing, told = session.scalars(select(Airing)).one(), session.scalars(select(Play)).one()
    assert (airing.state, told.state) == ("done", "finished")
    assert abs(read_audio(played.read_bytes()).seconds - (airing.seconds or 0.0)) < 1.0


def hang_up(chief: Seat, name: str) -> str:
    """Put a loudspeaker on the list; its password, which is shown this once."""
    chief.go("/desk/broadcasts/loudspeakers?kind=mqtt")
    assert violations(chief.page) == []
    chief.page.fill("#name", name)
    chief.page.fill("#area", "村口")
    chief.page.click("section[aria-labelledby=add] button.good")
    chief.page.wait_for_selector("#secret")
    assert violations(chief.page) == []
    return chief.page.inner_text("#secret")


def compose(writer: Seat) -> None:
    """A greeting of our own and a notice, put in order by keyboard, with no script, on a small screen."""
    writer.go("/desk/broadcasts/new")
    writer.page.fill("#name", "停水通知")
    for superfluous in ("drop:2", "drop:0"):
        writer.page.click(f"button[value='{superfluous}']")
    writer.page.wait_for_selector("textarea#text-1")
    writer.page.fill("#text-1", "大家好。")
    writer.page.focus("button[value='add:notice']")
    writer.press("Enter")
    writer.page.wait_for_selector("textarea#text-2")
    assert writer.page.input_value("#name") == "停水通知"
    writer.page.fill("#text-2", NOTICE)
    writer.page.focus("button[value='up:1']")
    writer.press("Enter")
    until(lambda: writer.page.input_value("#text-1") == NOTICE, what="the notice comes first")
    assert fits(writer)
    writer.page.click("button[value=submit].good")
    writer.confirmed("等人审批")


def is_there(chief: Seat, path: str) -> None:
    """Look until the loudspeaker has told that it is there."""

    def is_seen() -> bool:
        chief.go(path)
        return chief.page.locator("dd .tag:has-text('在线')").count() == 1

    until(is_seen, START_SECONDS, "the loudspeaker is there")


def listen_and_approve(chief: Seat, programme_id: str) -> None:
    """The page shows by itself when the sound is there; it is heard, then approved."""
    chief.go(f"/desk/broadcasts/{programme_id}")
    chief.page.wait_for_selector("#making")
    assert violations(chief.page) == []
    assert chief.page.locator("form[action$='/approve']").count() == 0
    render_waiting()
    sound = chief.page.wait_for_selector("audio")
    assert sound is not None
    length = sound.evaluate(
        "(e) => new Promise((done, fail) => { e.onerror = () => fail(e.error.message); e.muted = true;"
        " e.ontimeupdate = () => e.currentTime > 0.3 && done(e.duration); e.play().catch(fail); })"
    )
    assert length > 2.0
    assert NOTICE in chief.page.inner_text("section[aria-labelledby=heard]")
    chief.page.click("form[action$='/approve'] button")
    chief.confirmed("已批准")
    assert violations(chief.page) == []


def play(chief: Seat) -> None:
    """Play it now."""
    chief.page.click("form[action$='/play'] button")
    chief.page.wait_for_selector("#outcome")


def every_page_is_for_everybody(chief: Seat, writer: Seat, speaker_id: str) -> None:
    """axe-core finds nothing on any page, nor does a small screen have to be moved sideways."""
    assert violations(chief.page) == []
    for path in (
        "broadcasts",
        "broadcasts/airings",
        "broadcasts/rules",
        f"broadcasts/loudspeakers/{speaker_id}",
    ):
        chief.go(f"/desk/{path}")
        assert violations(chief.page) == [], path
        writer.go(f"/desk/{path}")
        assert fits(writer), path
    chief.go("/desk/broadcasts")
    assert "1 个喇叭播了 1 个" in chief.page.inner_text("section[aria-labelledby=lately]")
    chief.page.click("button[name=theme]")
    chief.page.wait_for_selector("html[data-theme=dark]")
    assert violations(chief.page) == []


def fits(seat: Seat) -> bool:
    """Whether the page is no wider than the screen."""
    return bool(seat.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))
