"""What is missing or misconfigured, one line a matter, each with what to do about it."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import func, select

from admin.announcer_doctor import look_at_loudspeakers
from admin.broker_doctor import look_at_broker
from admin.finding import Finding
from admin.line_doctor import look_at_line
from admin.parts import models_of, open_archive
from admin.placing import can_dial
from admin.settings import Settings
from speech.errors import SpeechError
from speech.models import check as check_models
from speech.synthesize import load_synthesizer
from sync.database import Database
from sync.errors import RecordsError
from sync.placing.policy import DUTY_PHONE, MISSED_CALLS, OFF, REPLY_CALLS
from sync.queue import WorkQueue
from sync.records.tables import Community, Endpoint, Setting

_LEAST_FREE_BYTES = 2 * 1024**3
_HERE = ("127.0.0.1", "::1", "localhost")
_DIAL_OUT = "set TINGJIAN_OUT_LINE to exchange (with TINGJIAN_SIP_OUT) or twilio, or turn them off"


def examine(settings: Settings, is_running: bool | None = None) -> Iterator[Finding]:
    """Look at everything, in the order in which things depend on each other. Changes nothing."""
    for look in (_python, _models, _fallback, _home, _keys, _disk, _database, _zones, _addresses, _webhooks):
        yield from _safely(look, settings)
    yield from _safely(_calls_out, settings)
    running = answers(settings.host, settings.port) if is_running is None else is_running
    yield from _safely(lambda s: _redis(s, running), settings)
    yield from _safely(lambda s: _ports(s, running), settings)
    yield from _safely(lambda s: look_at_line(s, running), settings)
    yield from _safely(look_at_broker, settings)
    yield from _safely(lambda s: look_at_loudspeakers(s, running), settings)


def answers(host: str, port: int) -> bool:
    """Whether something listens at a port of this machine."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((_reachable(host), port)) == 0


def reaches(host: str, port: int) -> bool:
    """Whether something listens at a port of another machine, by name."""
    try:
        with socket.create_connection((host, port), timeout=1.0):
            return True
    except OSError:
        return False


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def _safely(look: Callable[[Settings], Iterator[Finding]], settings: Settings) -> Iterator[Finding]:
    """A look that fails is itself a finding: the doctor always comes to the end."""
    try:
        yield from look(settings)
    except Exception as error:
        matter = getattr(look, "__name__", "examination").strip("_<>")
        yield Finding(matter, False, f"{type(error).__name__}: {error}", "report this if it makes no sense")


def _python(_: Settings) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    is_ok = (3, 11) <= sys.version_info[:2] < (3, 13)
    yield Finding("python", is_ok, version, "use Python 3.11 or 3.12: make clean run PYTHON=python3.11")


def _models(settings: Settings) -> Iterator[Finding]:
    folder = models_of(settings)
    problems = check_models(folder)
    yield Finding("models", not problems, "; ".join(problems) or str(folder), "tingjian models fetch")


def _fallback(settings: Settings) -> Iterator[Finding]:
    try:
        load_synthesizer("espeak", models_of(settings))
    except SpeechError as error:
        yield Finding("fallback voice", False, str(error), "install the requirements again: make clean run")
    else:
        yield Finding("fallback voice", True, "espeak-ng")


def _home(settings: Settings) -> Iterator[Finding]:
    home = settings.home
    nearest = next(folder for folder in (home, *home.parents) if folder.exists())
    is_ok = nearest.is_dir() and os.access(nearest, os.W_OK)
    yield Finding("home", is_ok, str(home), f"make {nearest} writable for this user, or set TINGJIAN_HOME")


def _keys(settings: Settings) -> Iterator[Finding]:
    path = settings.home / "keys.json"
    if not path.exists():
        yield Finding("keys", True, "none yet: made at the first start")
        return
    mode = path.stat().st_mode & 0o777
    yield Finding("keys", not mode & 0o077, f"mode {mode:03o}", f"others can read the keys: chmod 600 {path}")


def _disk(settings: Settings) -> Iterator[Finding]:
    nearest = next(folder for folder in (settings.home, *settings.home.parents) if folder.exists())
    free = shutil.disk_usage(nearest).free
    remedy = "make room: recordings can't be kept on a full disk"
    yield Finding("disk", free >= _LEAST_FREE_BYTES, f"{free / 1024**3:.1f} GiB free", remedy)


def _database(settings: Settings) -> Iterator[Finding]:
    if _is_unmade(settings):
        yield Finding("database", True, "none yet: made at the first start")
        return
    database = Database(settings.database_url)
    try:
        is_current = database.is_current()
    except RecordsError as error:
        yield Finding("database", False, str(error), "check DATABASE_URL, and that the database runs")
        return
    finally:
        database.close()
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    yield Finding("database", True, kind)
    yield Finding("migrations", is_current, "at head" if is_current else "behind", "tingjian migrate")


def _is_unmade(settings: Settings) -> bool:
    scheme, _, path = settings.database_url.partition(":///")
    return scheme == "sqlite" and not Path(path).exists()


def _zones(settings: Settings) -> Iterator[Finding]:
    names = {"Asia/Shanghai"}
    if not _is_unmade(settings):
        archive = open_archive(settings)
        try:
            with archive.database.read() as session:
                names |= set(session.scalars(select(Community.time_zone)))
        finally:
            archive.close()
    for name in sorted(names):
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            yield Finding(
                "time zone", False, f"{name} is unknown", "install tzdata, or correct the community"
            )
        else:
            yield Finding("time zone", True, name)


def _addresses(settings: Settings) -> Iterator[Finding]:
    base = urlsplit(settings.public_base)
    is_near = base.hostname in {"127.0.0.1", "localhost", "::1"}
    if settings.twilio_sid and (is_near or base.scheme != "https"):
        remedy = "set PUBLIC_BASE_URL to the https address that the phone platform reaches"
        yield Finding("public address", False, settings.public_base, remedy)
    else:
        yield Finding("public address", True, settings.public_base)
    is_half = bool(settings.twilio_sid) != bool(settings.twilio_token)
    told = "set both TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or neither"
    account = (
        "set by halves" if is_half else ("set" if settings.twilio_sid else "none: only our own exchange")
    )
    yield Finding("phone platform", not is_half, account, told)


def _webhooks(settings: Settings) -> Iterator[Finding]:
    """Whom platforms have to be told by another way, until somebody resumes it."""
    if _is_unmade(settings):
        return
    archive = open_archive(settings)
    try:
        if not archive.database.is_current():
            return
        with archive.database.read() as session:
            states = session.execute(select(Endpoint.state, func.count()).group_by(Endpoint.state)).all()
    finally:
        archive.close()
    count = dict(iter(states))
    stopped = count.get("paused", 0)
    told = ", ".join(f"{number} {state}" for state, number in sorted(count.items())) or "none"
    yield Finding("webhooks", not stopped, told, "see why: tingjian platforms webhook list; then … resume ID")


def _calls_out(settings: Settings) -> Iterator[Finding]:
    """Calls that communities want to be placed, and whether any line dials out."""
    if _is_unmade(settings):
        return
    archive = open_archive(settings)
    try:
        if not archive.database.is_current():
            return
        with archive.database.read() as session:
            wanted = select(Setting.community_id, Setting.value)
            names = (MISSED_CALLS, REPLY_CALLS, DUTY_PHONE)
            rows = session.execute(wanted.where(Setting.name.in_(names))).all()
    finally:
        archive.close()
    wanting = {community_id for community_id, value in rows if value not in (OFF, False, None, "")}
    line = settings.out.line if settings.out else "none"
    is_ok = not wanting or can_dial(settings)
    told = f"line: {line}; communities that want them: {len(wanting)}"
    yield Finding("calls we place", is_ok, told, _DIAL_OUT)


def _redis(settings: Settings, is_running: bool) -> Iterator[Finding]:
    if settings.owns_redis and not is_running:
        yield Finding("redis", True, "embedded: started by tingjian run")
        return
    is_here = WorkQueue(settings.redis_url).is_here()
    says = "answers" if is_here else "does not answer"
    yield Finding(
        "redis", is_here, says, "start Redis or correct REDIS_URL; work waits in the database meanwhile"
    )


def _ports(settings: Settings, is_running: bool) -> Iterator[Finding]:
    web = settings.web_url if settings.web_url != settings.public_base else ""
    for name, port, url in (
        ("web port", settings.port, web),
        ("exchange port", settings.exchange_port, settings.exchange_url),
    ):
        parts = urlsplit(url)
        host = parts.hostname or settings.host
        if host not in (_reachable(settings.host), settings.host, *_HERE):
            yield _elsewhere(name, host, parts.port or {"https": 443}.get(parts.scheme, 80))
        elif is_running:
            is_taken = answers(settings.host, port)
            says = f"{port} {'answers' if is_taken else 'is silent'}"
            yield Finding(name, is_taken, says, "see the logs in TINGJIAN_HOME/logs")
        else:
            is_taken = answers(settings.host, port)
            variable = "TINGJIAN_PORT" if port == settings.port else "TINGJIAN_EXCHANGE_PORT"
            says = f"{port} is {'taken' if is_taken else 'free'}"
            yield Finding(name, not is_taken, says, f"end what listens there, or set {variable}")


def _elsewhere(name: str, host: str, port: int) -> Finding:
    """A process of ours in another container or on another machine."""
    is_there = reaches(host, port)
    says = f"{host}:{port} {'answers' if is_there else 'is silent'}"
    return Finding(name, is_there, says, "see the logs of that process, or correct WEB_URL, EXCHANGE_URL")
