"""The line's process, put together from the settings."""

from __future__ import annotations

from urllib.parse import urlsplit

from admin.line_choice import LineChoice
from admin.parts import exchange_token, open_archive
from admin.sentences import open_sentences, sentence_files
from admin.settings import Settings
from ivr.exchange.errors import ExchangeError
from ivr.exchange.sip.line import run_line
from ivr.exchange.sip.settings import LineSettings
from sync.archive import Archive

SPARE_CALLS = 10
"""More than the exchange carries: these hear that all lines are busy."""


def serve_line(settings: Settings) -> None:
    """Run the line until SIGTERM or Ctrl-C. Raises ExchangeError."""
    if settings.line is None:
        raise ExchangeError("TINGJIAN_SIP is off")
    run_line(line_settings(settings, settings.line, open_archive(settings)))


def line_settings(settings: Settings, choice: LineChoice, archive: Archive) -> LineSettings:
    """What the line is told."""
    return LineSettings(
        exchange=_plug(settings.exchange_url),
        token=exchange_token(archive),
        host=choice.host,
        port=choice.port,
        trunks=choice.trunks,
        speakers=choice.speakers,
        rtp_ports=choice.rtp_ports,
        jitter=choice.jitter,
        account=choice.account,
        out=choice.out,
        out_numbers=choice.out_numbers,
        number=choice.number,
        most_calls=settings.lines + SPARE_CALLS,
        most_calls_a_minute=choice.calls_a_minute,
        sentences=sentence_files(open_sentences(settings, archive)),
    )


def _plug(exchange_url: str) -> str:
    parts = urlsplit(exchange_url)
    return f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}{parts.path}/line/ws"
