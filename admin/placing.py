"""The placer's process, put together from the settings; and whether a line can dial out at all."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from admin.out_choice import OutChoice, base_of
from admin.parts import EXCHANGE_ACCOUNT, exchange_token, open_archive
from admin.settings import Settings
from ivr.arrivals import EXCHANGE
from ivr.outbound.door import CallsDoor, OutLine
from ivr.outbound.placer import Placer, run_placer
from sync.archive import Archive

LOG = logging.getLogger("tingjian.placer")

SILENT_SECONDS = 60.0


def serve_placer(settings: Settings) -> None:
    """Place calls until SIGTERM or Ctrl-C; where no line dials out, only wait for that."""
    beat = _beating(settings.home)
    if settings.out is None:
        LOG.info("no line is set by which calls are placed: TINGJIAN_OUT_LINE")
        run_placer(None, beat)
        return
    archive = open_archive(settings)
    run_placer(placer_of(settings, settings.out, archive), beat)


def placer_of(settings: Settings, choice: OutChoice, archive: Archive) -> Placer:
    """Who places calls by that line."""
    return Placer(
        archive, CallsDoor(out_line(settings, choice, archive)), settings.public_base, choice.most_a_day
    )


def out_line(settings: Settings, choice: OutChoice, archive: Archive) -> OutLine:
    """The line with its account."""
    base = base_of(choice, settings.exchange_url)
    if choice.line == EXCHANGE:
        return OutLine(EXCHANGE, EXCHANGE_ACCOUNT, exchange_token(archive), base, choice.number)
    return OutLine(choice.line, settings.twilio_sid, settings.twilio_token, base, choice.number)


def can_dial(settings: Settings) -> bool:
    """Whether the line that is set can dial out, as far as is known here: ours needs a trunk for it."""
    if settings.out is None:
        return False
    is_here = settings.out.line == EXCHANGE and not settings.out.url
    return not is_here or (settings.line is not None and bool(settings.line.out))


def is_beating(settings: Settings) -> bool:
    """Whether a placer of this home was at work lately."""
    try:
        return time.time() - _sign(settings.home).stat().st_mtime < SILENT_SECONDS
    except OSError:
        return False


def _beating(home: Path) -> Callable[[], None]:
    """A sign of life for the health check."""
    home.mkdir(parents=True, exist_ok=True)
    return _sign(home).touch


def _sign(home: Path) -> Path:
    return home / "placer.alive"
