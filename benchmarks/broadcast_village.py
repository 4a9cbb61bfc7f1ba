"""A broker as we run it, with the accounts of a village whose loudspeakers all hang in one process."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path

from ivr.broadcast.broker_address import Broker
from ivr.broadcast.broker_files import accounts, our_secret, write_files
from ivr.broadcast.wire import OUR_USER
from sync.archive import Archive
from sync.broadcasting import add_loudspeaker
from sync.desk import Actor
from sync.records.tables import Community

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
COMMUNITY = "cm_bench"
CONFIG = """\
user {user}
listener {port} 127.0.0.1
allow_anonymous false
use_username_as_clientid true
password_file {folder}/passwords
acl_file {folder}/acl
max_packet_size 262144
persistence true
persistence_location {folder}/
autosave_interval 10
log_dest none
"""


@dataclass(frozen=True)
class Village:
    """Records, a broker, and who may come to it."""

    archive: Archive
    home: Path
    broker: Broker
    secrets: dict[str, str]


@contextmanager
def village(home: Path, loudspeakers: int) -> Iterator[Village]:
    """Records with so many loudspeakers on SQLite, and a running mosquitto that knows them."""
    archive = Archive.open(f"sqlite:///{home}/records.db", home)
    archive.database.create()
    try:
        _hang(archive, loudspeakers)
        with archive.database.read() as session:
            known = accounts(session, archive, our_secret(archive))
        with _mosquitto(home / "broker", archive, known) as port:
            ours = Broker("127.0.0.1", port, OUR_USER, known[OUR_USER])
            speakers = {user: secret for user, secret in known.items() if user.startswith("ls_")}
            yield Village(archive, home, ours, speakers)
    finally:
        archive.close()


def _hang(archive: Archive, loudspeakers: int) -> None:
    now = datetime.now(UTC)
    with archive.database.begin() as session:
        session.add(Community(id=COMMUNITY, name="大村", dialled_number="+8657100000000", created_at=now))
        session.flush()
        actor = Actor("bench", COMMUNITY)
        for number in range(loudspeakers):
            add_loudspeaker(session, archive, actor, f"{number + 1}号", "mqtt", now)


@contextmanager
def _mosquitto(folder: Path, archive: Archive, known: dict[str, str]) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    write_files(folder, archive, known)
    (folder / "conf").write_text(CONFIG.format(user=getuser(), port=port, folder=folder))
    process = subprocess.Popen([str(MOSQUITTO), "-c", str(folder / "conf")], stderr=subprocess.DEVNULL)
    try:
        _wait(lambda: _answers(port), "mosquitto")
        yield port
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def crowd(module: str, village: Village, *more: str) -> Iterator[list[str]]:
    """All loudspeakers, connected, in a process of their own (`python -m MODULE PORT …`); what it says."""
    command = [sys.executable, "-m", module, str(village.broker.port), *more]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        for user, secret in village.secrets.items():
            process.stdin.write(f"{user} {secret}\n")
        process.stdin.write("\n")
        process.stdin.flush()
        said = process.stdout.readline().split()
        assert said, "the loudspeakers did not connect"
        yield said
    finally:
        process.terminate()
        process.wait(20)


def accounts_given() -> dict[str, str]:
    """In the loudspeakers' process: who they are, from standard input up to an empty line."""
    return dict(line.split() for line in iter(sys.stdin.readline, "\n"))  # type: ignore[misc]


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait(is_so, what: str, seconds: float = 15.0) -> None:  # type: ignore[no-untyped-def]
    give_up_at = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"not in {seconds:g} s: {what}")
        time.sleep(0.02)
