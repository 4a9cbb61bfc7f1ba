"""How one call stands to web: its names, where its dialogue begins, where its end is told."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ivr.exchange.errands import Errand
from ivr.exchange.settings import ExchangeSettings

API_VERSION = "2010-04-01"


@dataclass(frozen=True)
class Calling:
    """`params` go with every request of the call, `first` with the one that begins its dialogue at `url`.

    `most_seconds` is the longest it may last. A call that is placed is up before web is asked. One that
    `is_quiet` ends where another would hear a sentence of the exchange.
    """

    params: Mapping[str, str]
    url: str
    status_url: str
    most_seconds: float
    method: str = "POST"
    first: Mapping[str, str] | None = None
    is_placed: bool = False
    is_quiet: bool = False


def incoming(
    settings: ExchangeSettings, caller: str, dialled: str, kind: str, sid: str, at: str = ""
) -> Calling:
    """A call that has come in from a telephone of this `kind`, now or `at` (ISO 8601)."""
    base = settings.public_base.rstrip("/")
    params = {
        "CallSid": sid,
        "AccountSid": settings.account_sid,
        "From": caller or "anonymous",
        "To": dialled,
        "CallStatus": "in-progress",
        "Direction": "inbound",
        "ApiVersion": API_VERSION,
        "Handset": kind,
        "CalledAt": at
        or datetime.now(UTC).isoformat(
            timespec="seconds"
        ),  # not of Twilio: web may hear of the call much later
    }
    return Calling(
        params,
        f"{base}/calls",
        f"{base}/calls/{sid}/status",
        settings.max_call_seconds,
        first={"CallStatus": "ringing"},
    )


def missed(settings: ExchangeSettings, call: Calling) -> Errand:
    """What web is told of a call whose caller gave up before anybody answered, and nothing else of it."""
    return Errand(call.params, f"{settings.public_base.rstrip('/')}/calls/status", status="canceled")


def new_sid() -> str:
    """A name for a call, as Twilio makes them."""
    return "CA" + secrets.token_hex(16)
