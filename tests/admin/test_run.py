"""`tingjian run` as a person starts it: it comes up, survives kill -9 of its parts, stops without a trace."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

import psutil
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
_open = build_opener(ProxyHandler({})).open


class Running:
    """One `tingjian run` in a home of its own, with the light voice so that it is there in seconds."""

    def __init__(self, home: Path) -> None:
        self.home, self.web, self.exchange = home, _free_port(), _free_port()
        self.environment = {
            **os.environ,
            "TINGJIAN_HOME": str(home),
            "TINGJIAN_PORT": str(self.web),
            "TINGJIAN_EXCHANGE_PORT": str(self.exchange),
            "TINGJIAN_SIP": f"127.0.0.1:{_free_port()}",
            "TINGJIAN_SIP_RTP_PORTS": "18400-18599",
            "TINGJIAN_SYNTHESIZER": "espeak",
            "TINGJIAN_WEB_WORKERS": "1",
        }
        self.said = home / "said.txt"

    def start(self) -> None:
        with self.said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "admin", "run"], env=self.environment, stdout=said, stderr=said
            )

    def until_callable(self) -> None:
        _until(lambda: "/phone" in self.said.read_text() or self.process.poll() is not None, 240, self.said)
        assert self.process.poll() is None, self.said.read_text()

    def clips(self) -> dict[Path, int]:
        """What has been rendered, and when."""
        return {one: one.stat().st_mtime_ns for one in (self.home / "clips").glob("*.json")}

    def children(self) -> dict[str, psutil.Process]:
        """The processes below it, by what they do."""
        found = {}
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.Error):  # one that is just ending or beginning
                words = child.cmdline()
                if any("redis-server" in word for word in words[:1]):
                    found["redis"] = child
                elif "admin" in words:
                    own = {"prompts", "webhooks"} & {words[-1]}
                    found[own.pop() if own else words[words.index("admin") + 1]] = child
        return found

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(40)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    one = Running(tmp_path_factory.mktemp("home"))
    one.start()
    try:
        one.until_callable()
        yield one
    finally:
        if one.process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                one.stop()
            one.process.kill()


def test_it_prints_where_everything_is_and_how_to_get_in(running: Running) -> None:
    said = running.said.read_text()
    account = json.loads((running.home / "demo.json").read_text())
    for words in (f":{running.web}/phone", f":{running.web}/desk/", "/api/v1/feedback", "0571 1234 5678"):
        assert words in said
    assert account["password"] in said
    assert account["api_key"] in said


def test_the_api_answers_with_the_key_it_prints(running: Running) -> None:
    key = json.loads((running.home / "demo.json").read_text())["api_key"]
    asked = Request(
        f"http://127.0.0.1:{running.web}/api/v1/feedback", headers={"Authorization": f"Bearer {key}"}
    )
    with _open(asked, timeout=10) as answer:
        assert "路灯" in json.dumps(json.load(answer), ensure_ascii=False)


def test_everything_listens_on_loopback_alone(running: Running) -> None:
    listening = set()
    for child in running.children().values():
        for one in (child, *child.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):  # what has ended meanwhile listens to nobody
                sockets = one.net_connections("inet")
                listening |= {at.laddr for at in sockets if at.status == psutil.CONN_LISTEN}
    assert {address.port for address in listening} >= {running.web, running.exchange}
    assert {address.ip for address in listening} == {"127.0.0.1"}


def test_each_part_that_is_killed_comes_back(running: Running) -> None:
    before = running.children()
    assert set(before) == {"redis", "web", "exchange", "line", "broadcast", "worker", "webhooks", "prompts"}
    for child in before.values():
        child.kill()
    _until(lambda: _is_back(running, before), 60, running.said)
    _until(lambda: _is_up(running.web) and _is_up(running.exchange), 60, running.said)
    assert "web ended (SIGKILL); again in 1 s" in running.said.read_text()


def test_a_second_one_in_the_same_home_is_refused_kindly(running: Running) -> None:
    other = {
        **running.environment,
        "TINGJIAN_PORT": str(_free_port()),
        "TINGJIAN_EXCHANGE_PORT": str(_free_port()),
    }
    told = subprocess.run(
        [sys.executable, "-m", "admin", "run"],
        env=other,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 1
    assert "already runs" in told.stdout.replace("\n", " ")


def test_a_taken_port_is_told_before_anything_starts(running: Running, tmp_path: Path) -> None:
    other = {**running.environment, "TINGJIAN_HOME": str(tmp_path)}
    told = subprocess.run(
        [sys.executable, "-m", "admin", "run"],
        env=other,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 1
    assert f"port {running.web} is taken" in told.stdout.replace("\n", " ")
    assert "TINGJIAN_PORT" in told.stdout


def test_ctrl_c_stops_everything_and_the_second_start_renders_nothing_again(running: Running) -> None:
    children = list(running.children().values())
    assert running.stop() == 0
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)
    before = running.clips()
    assert before
    running.start()
    running.until_callable()
    assert running.stop() == 0
    assert before.items() <= running.clips().items()


def _is_back(running: Running, before: dict[str, psutil.Process]) -> bool:
    now = running.children()
    return set(now) == set(before) and all(now[name].pid != before[name].pid for name in before)


def _is_up(port: int) -> bool:
    try:
        with _open(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _until(is_so: Callable[[], bool], seconds: float, said: Path) -> None:
    give_up_at = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < give_up_at, said.read_text()
        time.sleep(0.2)
