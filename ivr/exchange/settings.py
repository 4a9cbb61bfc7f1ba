"""What an exchange is told when it starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Speaker = Callable[[str, str], bytes]
"""Words and their language in, 8 kHz mono PCM16LE out; may be slow, runs in a thread."""

LOOPBACK_ORIGINS = frozenset({"http://127.0.0.1:8000", "http://localhost:8000"})


@dataclass(frozen=True)
class ExchangeSettings:
    """One exchange. `token` is the line token it shares with web: it signs, and opens the recordings.

    `public_base` is the base URL web checks signatures against; `web_base` where web is really reached from
    here ('' when that is the same). `exchange_base` is how web reaches this exchange, for recordings.
    `sentences` may hold WAV files for the names in `ivr.exchange.sentences`; `speaker` says what no file
    says. The key that caused a turn, pressed again within `double_tap_seconds`, is a slip of the finger and
    ignored. Of `max_calls` at most `max_placed` are calls we place. A real telephone rings for `ring_seconds`
    before it is answered: who hangs up meanwhile can be called back. Every `ask_unanswered_seconds` web is
    asked at which numbers nobody is answered; 0 never asks. `speed` above 1 makes time pass faster,
    for tests and demonstrations.
    """

    token: str
    spool: Path
    public_base: str = "http://127.0.0.1:8000"
    web_base: str = ""
    exchange_base: str = ""
    host: str = "127.0.0.1"
    port: int = 8010
    account_sid: str = "TJexchange"
    origins: frozenset[str] = LOOPBACK_ORIGINS
    sentences: Mapping[str, Path] = field(default_factory=dict)
    speaker: Speaker | None = None
    max_calls: int = 20
    max_placed: int = 5
    ring_seconds: float = 0
    ask_unanswered_seconds: float = 0
    max_call_seconds: float = 1800
    patience_seconds: float = 12
    double_tap_seconds: float = 1.5
    speed: float = 1.0

    @property
    def own_base(self) -> str:
        """How web reaches this exchange."""
        return (self.exchange_base or f"http://{self.host}:{self.port}").rstrip("/")
