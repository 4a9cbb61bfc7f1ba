"""From hanging up to the webhook and the call, with real workers, real Redis, and a long queue before it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from ivr.outbound.door import CallsDoor, OutLine
from ivr.outbound.placer import Placer, look
from sync import feed
from sync.alerts import open_alerts
from sync.archive import Archive
from sync.client import verify_webhook
from sync.placing.policy import change_placing
from sync.platforms import add_platform
from sync.queue import RECORDS, SPEECH, WEBHOOKS
from sync.records.tables import Alert, Call, Capture, Community, Opinion
from sync.webhooks.endpoints import add_endpoint
from tests.placing.twilio_api import ACCOUNT, TwilioApi, twilio_api
from tests.sync.recording_source import RecordingSource, a_wav, source
from tests.sync.redis_server import RedisServer, redis_server
from tests.sync.voices import Said, say
from tests.sync.webhook_receiver import NEAR, Receiver, receiver
from tests.web.platform import BASE, LINES
from tests.whole.town import until

__all__ = ["receiver", "redis_server", "source"]

BACKLOG, SLOW_SECONDS = 160, 0.5
DUTY = "+8613900139000"
WORKER = """
import sys, time
from pathlib import Path
from sync.archive import Archive
from sync.queue import WorkQueue
from sync.webhooks.addresses import Reach
from sync.worker import open_worker, run_worker
from tests.sync.recording_source import credentials
from tests.sync.voices import Parrot

class Slow(Parrot):
    def transcribe(self, audio, language="zh", hints=()):
        time.sleep(float(sys.argv[4]))
        self.text = "我家煤气漏了快来人" if audio.seconds > 1.5 else "路灯坏了"
        return super().transcribe(audio, language, hints)

archive = Archive.open(sys.argv[1], Path(sys.argv[2]))
reach = Reach.of("127.0.0.0/8")
open_worker(archive, WorkQueue(sys.argv[3]), Slow, credentials, reach=reach)
run_worker(sys.argv[5:], sweep_seconds=0.2)
"""


@pytest.fixture
def worker(
    archive: Archive, redis_server: RedisServer, tmp_path: Path
) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a worker of some queues, which takes half a second for each recording."""
    started: list[subprocess.Popen[bytes]] = []
    url = archive.database.engine.url.render_as_string(hide_password=False)

    def start(*queues: str) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-c",
            WORKER,
            url,
            str(tmp_path),
            redis_server.url,
            str(SLOW_SECONDS),
            *queues,
        ]
        started.append(subprocess.Popen(command))
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.wait()


def _said(
    archive: Archive, community: Community, source: RecordingSource, key: str, seconds: float, ago: timedelta
) -> Said:
    """A call that ended so long ago, in which something was said."""
    said = say(archive, community, [source.add(f"RE{key}", a_wav(seconds))], key, f"+86138{int(key):08}")
    at = datetime.now(UTC) - ago
    with archive.database.begin() as session:
        session.execute(update(Capture).where(Capture.source_id == key).values(cast_at=at, received_at=at))
        session.execute(
            update(Call).where(Call.id == f"cl_{key}").values(began_at=at, turned_at=at, ended_at=at)
        )
    return said


def _listening(archive: Archive, community: Community, receiver: Receiver) -> str:
    """An endpoint that wants to be told of danger alone; its secret."""
    scopes = ("changes:read", "feedback:read")
    with archive.database.begin() as session:
        platform, _ = add_platform(session, community.id, "线上", scopes)
        place, url = feed.latest(session, community.id), f"{receiver.base}/danger"
        types, now = ("cn.tingjian.opinion.urgent",), datetime.now(UTC)
        _, secret = add_endpoint(session, archive, platform, url, types, place, NEAR, "test", now)
    return secret


@pytest.mark.slow
def test_danger_overtakes_a_long_queue_and_is_told_within_two_minutes_of_hang_up(
    archive: Archive,
    community: Community,
    source: RecordingSource,
    receiver: Receiver,
    worker: Callable[..., subprocess.Popen[bytes]],
) -> None:
    secret = _listening(archive, community, receiver)
    with archive.database.begin() as session:
        change_placing(session, community.id, "duty_phone", DUTY, "test")
    for n in range(BACKLOG):
        _said(archive, community, source, str(n + 1), 1.0, timedelta(hours=2))
    worker(WEBHOOKS)  # as `tingjian run` starts them: platforms have a worker of their own
    process = worker(RECORDS, SPEECH)
    until(lambda: _heard(archive) >= 2, 90)
    danger = _said(archive, community, source, "999", 2.0, timedelta())
    until(lambda: _raised(archive, community), 60)
    process.kill()  # between the alert and whatever comes after it: another worker goes on
    process.wait()
    worker(RECORDS, SPEECH)
    with twilio_api() as api:
        line = OutLine("twilio", ACCOUNT, LINES[ACCOUNT].token, api.base)
        placer = Placer(archive, CallsDoor(line, answer_seconds=5.0), BASE, 500)
        until(lambda: _rings(placer, api), 60)
        assert [call["To"] for call in api.calls] == [DUTY]
    until(lambda: bool(receiver.received), 60)
    with archive.database.read() as session:
        alert = session.get_one(Alert, danger.opinion_id)
    took = datetime.now(UTC) - alert.said_at
    assert took < timedelta(minutes=2)
    told = verify_webhook(receiver.received[0].headers, receiver.received[0].body, [secret])
    assert (told.type, told.subject) == ("cn.tingjian.opinion.urgent", danger.opinion_id)
    assert told.data["urgency"] == "燃气"
    assert "text" not in told.data
    assert "煤气" not in receiver.received[0].body.decode()
    assert _heard(archive) < BACKLOG, "it waited behind the others"


def _rings(placer: Placer, api: TwilioApi) -> bool:
    look(placer)
    return bool(api.calls)


def _heard(archive: Archive) -> int:
    with archive.database.read() as session:
        return len(session.scalars(select(Opinion.id).where(Opinion.state == "review")).all())


def _raised(archive: Archive, community: Community) -> bool:
    with archive.database.read() as session:
        return bool(open_alerts(session, community.id))
