"""How calls are placed, as it is set: by which line, at which address, how many; refused in our words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from ivr.arrivals import EXCHANGE
from ivr.outbound.door import TWILIO_BASE

Value = Callable[[str], str]
TWILIO = "twilio"


@dataclass(frozen=True)
class OutChoice:
    """By which line calls are placed. `url` "" is its usual address, `number` "" the community's own."""

    line: str
    url: str = ""
    number: str = ""
    most_a_day: int = 500

    def to_environment(self) -> dict[str, str]:
        """The variables that make another process choose the same."""
        return {
            "TINGJIAN_OUT_LINE": self.line,
            "TINGJIAN_OUT_URL": self.url,
            "TINGJIAN_OUT_NUMBER": self.number,
            "TINGJIAN_OUT_CALLS_A_DAY": str(self.most_a_day),
        }


def read_out(value: Value) -> OutChoice | None:
    """The choice from its variables, None where no calls are placed. Raises ValueError in our words."""
    line = value("TINGJIAN_OUT_LINE")
    if line in {"", "off"}:
        return None
    if line not in {EXCHANGE, TWILIO}:
        raise ValueError(f"TINGJIAN_OUT_LINE is {line!r}: it should be {EXCHANGE}, {TWILIO} or off")
    if line == TWILIO and not (value("TWILIO_ACCOUNT_SID") and value("TWILIO_AUTH_TOKEN")):
        raise ValueError("TINGJIAN_OUT_LINE is twilio: set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, too")
    url, number = _url(value("TINGJIAN_OUT_URL")), _number(value("TINGJIAN_OUT_NUMBER"))
    return OutChoice(line, url, number, _most(value))


def base_of(choice: OutChoice, exchange_url: str) -> str:
    """Where the line's resource for calls is."""
    return choice.url or (exchange_url if choice.line == EXCHANGE else TWILIO_BASE)


def _url(text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in {"http", "https"} or not parts.netloc or parts.query):
        raise ValueError(f"TINGJIAN_OUT_URL is {text!r}: it should look like https://api.example.org")
    return text.rstrip("/")


def _number(text: str) -> str:
    if text and not text.removeprefix("+").isdecimal():
        raise ValueError("TINGJIAN_OUT_NUMBER should look like +8657112345678")
    return text


def _most(value: Value) -> int:
    text = value("TINGJIAN_OUT_CALLS_A_DAY")
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"TINGJIAN_OUT_CALLS_A_DAY is {text!r}: it should be a number from 0")
    return int(text)
