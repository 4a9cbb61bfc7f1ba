"""What a town's child processes run: the program's own web, worker and exchange, armed to die at a step."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

# imported before forking, so that a child starts in milliseconds
import admin.app
import admin.line
import admin.placing
import ivr.exchange.server
import sync.worker
from admin.parts import exchange_token, open_archive, open_recognizer
from admin.settings import Settings
from admin.work import credentials
from speech.audio import Audio
from speech.errors import SpeechError
from speech.recognize import Recognizer, Transcript, Word
from sync.queue import RECORDS, SPEECH, WEBHOOKS, WorkQueue
from sync.webhooks.addresses import Reach
from tests.whole import steps

FIXED_WORDS = "希望楼下的路灯早点修好"


@dataclass(frozen=True)
class Plan:
    """How a child is to run. `recognizer` is `fixed`, `real` or `missing`; `die_at` 0 lives on. Processes of
    another `lane` have files of their own.
    """

    environment: Mapping[str, str]
    home: Path
    recognizer: str
    speed: float
    die_at: int = 0
    log: Path = Path(os.devnull)
    lane: str = ""

    @property
    def settings(self) -> Settings:
        """The program's own settings."""
        return Settings.from_environment(self.environment)


class FixedRecognizer:
    """Hears the same words in everything: for tests of what becomes of words, not of hearing."""

    name = "fixed"
    languages = frozenset({"zh"})

    def transcribe(self, audio: Audio, language: str = "zh", hints: Sequence[str] = ()) -> Transcript:
        words = (Word(FIXED_WORDS, 0.0, audio.seconds, 0.9),)
        return Transcript(FIXED_WORDS, words, language, "fixed 1", 0.9, audio.seconds)


def web(plan: Plan) -> None:
    """The whole web application on a threaded server."""
    from werkzeug.serving import make_server

    settings = _begin(plan, "web")
    app = steps.answering(admin.app.create_app(settings))
    server = make_server("127.0.0.1", settings.port, app, threaded=True)
    signal.signal(signal.SIGTERM, _exit)
    server.serve_forever()


def worker(plan: Plan) -> None:
    """A worker for records and speech, sweeping often. Clips are rendered before, where a test needs them."""
    settings = _begin(plan, "worker")
    archive = open_archive(settings)

    def load() -> Recognizer:
        match plan.recognizer:
            case "real":
                return open_recognizer(settings)
            case "fixed":
                return FixedRecognizer()
        raise SpeechError("the weights are missing", permanent=False)

    sync.worker.open_worker(archive, WorkQueue(settings.redis_url), load, credentials(settings, archive))
    sync.worker.run_worker((RECORDS, SPEECH), sweep_seconds=0.3)


def webhooks(plan: Plan) -> None:
    """A worker that tells platforms what is new."""
    settings = _begin(plan, "webhooks")
    archive, reach = open_archive(settings), Reach.of(settings.webhooks_to)
    queue, known = WorkQueue(settings.redis_url), credentials(settings, archive)
    sync.worker.open_worker(archive, queue, FixedRecognizer, known, reach=reach)
    sync.worker.run_worker((WEBHOOKS,), sweep_seconds=0.3)


def exchange(plan: Plan) -> None:
    """The telephone exchange, its time running `speed` times faster."""
    settings = _begin(plan, "exchange")
    archive = open_archive(settings)
    ivr.exchange.server.run_exchange(
        ivr.exchange.server.ExchangeSettings(
            token=exchange_token(archive),
            spool=settings.home / f"spool{plan.lane}",
            public_base=settings.public_base,
            port=settings.exchange_port,
            speed=plan.speed,
            patience_seconds=30,
            ring_seconds=settings.line.ring_seconds if settings.line else 0,
        )
    )


def line(plan: Plan) -> None:
    """The telephone line, plugged into the exchange."""
    settings = _begin(plan, "line")
    admin.line.serve_line(settings)


def placer(plan: Plan) -> None:
    """Who places calls."""
    admin.placing.serve_placer(_begin(plan, "placer"))


def _begin(plan: Plan, name: str) -> Settings:
    output = os.open(plan.home / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, sys.stderr.fileno())
    logging.basicConfig(level=logging.INFO, force=True, stream=sys.stderr)
    plan.log.unlink(missing_ok=True)
    steps.arm(plan.die_at, plan.log)
    return plan.settings


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(0)
