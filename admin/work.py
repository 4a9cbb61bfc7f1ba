"""The worker's and the exchange's processes, put together from their parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial

from admin.parts import (
    EXCHANGE_ACCOUNT,
    exchange_token,
    open_archive,
    open_clips,
    open_recognizer,
    open_synthesizer,
    spare_of,
)
from admin.sentences import is_needed, open_sentences, render_sentences, sentence_files
from admin.settings import Settings
from ivr.broadcast.rendering import open_studio, render_waiting
from ivr.broadcast.store import SoundStore
from ivr.exchange.server import run_exchange
from ivr.exchange.settings import ExchangeSettings
from ivr.prompts.render import open_renderer
from sync.archive import Archive
from sync.making_room import bound_memory, make_room
from sync.queue import PROMPTS, WorkQueue
from sync.webhooks.addresses import Reach
from sync.worker import open_worker, run_worker

ASK_UNANSWERED_SECONDS = 30.0
"""Between two questions at which numbers everybody is called back: so soon a change of that is felt."""


def work(settings: Settings, queues: Sequence[str]) -> None:
    """Work off these queues until SIGTERM or Ctrl-C. Engines are loaded by the first job that needs them."""
    make_room(settings.worker_niceness)
    bound_memory(settings.worker_memory)
    archive = open_archive(settings)
    open_worker(
        archive,
        WorkQueue(settings.redis_url),
        partial(open_recognizer, settings),
        credentials(settings, archive),
        reach=Reach.of(settings.webhooks_to),
    )
    clips, synthesizer = open_clips(settings, archive), cache(partial(open_synthesizer, settings))
    open_studio(archive, clips, SoundStore.under(settings.home), synthesizer)
    open_renderer(archive, clips, synthesizer, between=render_waiting, spare=spare_of(settings))
    if PROMPTS in queues and not is_needed(archive, clips):
        render_sentences(open_sentences(settings, archive), synthesizer)
    run_worker(queues)


def credentials(settings: Settings, archive: Archive) -> Callable[[str], tuple[str, str]]:
    """User and password of each line's recordings."""
    known = {"exchange": (EXCHANGE_ACCOUNT, exchange_token(archive))}
    if settings.twilio_sid:
        known["twilio"] = (settings.twilio_sid, settings.twilio_token)

    def of(line: str) -> tuple[str, str]:
        return known.get(line, ("", ""))

    return of


def exchange_calls(settings: Settings) -> None:
    """Run the exchange until SIGTERM or Ctrl-C."""
    archive = open_archive(settings)
    token = exchange_token(archive)
    run_exchange(
        ExchangeSettings(
            token=token,
            spool=settings.home / "spool",
            public_base=settings.public_base,
            web_base=settings.web_url,
            exchange_base=settings.exchange_url,
            host=settings.host,
            port=settings.exchange_port,
            account_sid=EXCHANGE_ACCOUNT,
            max_calls=settings.lines,
            max_placed=settings.lines_out,
            ring_seconds=settings.line.ring_seconds if settings.line else 0,
            ask_unanswered_seconds=ASK_UNANSWERED_SECONDS if settings.line else 0,
            speed=float(settings.practice_speed),
            origins=_origins(settings),
            sentences=sentence_files(open_sentences(settings, archive)),
        )
    )


def _origins(settings: Settings) -> frozenset[str]:
    """Where a phone page may come from: the public base, and loopback by both its names."""
    near = {f"http://{name}:{settings.port}" for name in ("127.0.0.1", "localhost")}
    return frozenset({settings.public_base, *near})
