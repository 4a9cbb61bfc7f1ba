"""What may be ordered: a form of Twilio's Calls resource, read into an order or refused in its words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from ivr.exchange.errors import ExchangeError
from ivr.exchange.sip.dialling import DIALABLE, SIP_ADDRESS

EVENTS = ("initiated", "ringing", "answered", "completed")
METHODS = ("GET", "POST")
RING_SECONDS, MOST_RING_SECONDS = 60, 600
MOST_SECONDS = 14_400
DETECT_SECONDS = range(3, 60)
"""Twilio: MachineDetectionTimeout is 3 to 59 seconds, 30 by itself."""
_HEADER = re.compile(r"X-[A-Za-z0-9-]{1,40}|Call-Info|Alert-Info")
_DIGITS = re.compile(r"[0-9*#wW]{0,64}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]{1,200}")


class Refused(ExchangeError):
    """An order that is not taken: HTTP status, Twilio's error code, and why."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True)
class Order:
    """One call to be placed. `to` is a number or a `sip:` address, `headers` go with its INVITE.

    `ring_seconds` is how long it may ring, `most_seconds` how long it may last; `events` are the ones
    `status_callback` is told of. `digits` are pressed once somebody has picked up (`w` waits half a second,
    `W` a whole one). A call that `is_quiet` carries the document's own sound and never a sentence of ours:
    whoever hears it may be a whole village.
    """

    to: str
    from_: str
    url: str
    method: str = "POST"
    status_callback: str = ""
    events: frozenset[str] = frozenset({"completed"})
    ring_seconds: int = RING_SECONDS
    most_seconds: int = MOST_SECONDS
    detects_machine: bool = False
    detect_seconds: int = 30
    headers: Mapping[str, str] = field(default_factory=dict)
    digits: str = field(default="", repr=False)
    is_quiet: bool = False


def read_order(form: Mapping[str, Sequence[str]]) -> Order:
    """An order from a form whose fields may be given several times. Raises Refused.

    Twilio's parameters we do not have (Record, Twiml, ApplicationSid, …) are passed over, as it passes over
    unknown ones; only a call without Url is refused for it. `Quiet` is ours: it passes over that one.
    """

    def value(name: str) -> str:
        return (form.get(name) or [""])[0].strip()

    to, headers = _to(value("To"))
    return Order(
        to,
        _from(value("From")),
        _url(value("Url"), 21205, "Url"),
        _method(value("Method"), "Method"),
        _url(value("StatusCallback"), 21205, "StatusCallback") if value("StatusCallback") else "",
        _events(form.get("StatusCallbackEvent") or ["completed"], value("StatusCallbackMethod")),
        _seconds(value("Timeout"), "Timeout", RING_SECONDS, range(1, MOST_RING_SECONDS + 1)),
        _seconds(value("TimeLimit"), "TimeLimit", MOST_SECONDS, range(1, MOST_SECONDS + 1)),
        value("MachineDetection") in ("Enable", "DetectMessageEnd"),
        _seconds(value("MachineDetectionTimeout"), "MachineDetectionTimeout", 30, DETECT_SECONDS),
        headers,
        _digits(value("SendDigits")),
        value("Quiet").lower() == "true",
    )


def _to(given: str) -> tuple[str, dict[str, str]]:
    """The number or address to call, and the headers that stand behind a `sip:` address."""
    if not given:
        raise Refused(400, 21201, "No 'To' number is specified")
    address, _, query = given.partition("?")
    headers = dict(parse_qsl(query))
    for name, text in headers.items():
        if not _HEADER.fullmatch(name) or not _HEADER_VALUE.fullmatch(text):
            raise Refused(400, 21211, "a header of the 'To' address is not allowed")
    if SIP_ADDRESS.fullmatch(address) or (DIALABLE.fullmatch(address) and not query):
        return address, headers
    raise Refused(400, 21211, "Invalid 'To' Phone Number")


def _from(given: str) -> str:
    if not given:
        raise Refused(400, 21213, "'From' phone number is required")
    if not DIALABLE.fullmatch(given):
        raise Refused(400, 21212, "Invalid 'From' Number")
    return given


def _url(given: str, code: int, name: str) -> str:
    try:
        parts = urlsplit(given)
    except ValueError as error:
        raise Refused(400, code, f"{name} is not a valid URL") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or len(given) > 4000:
        raise Refused(400, code, f"{name} is not a valid URL")
    return given


def _method(given: str, name: str, known: Sequence[str] = METHODS) -> str:
    method = given.upper() or "POST"
    if method not in known:
        raise Refused(400, 21209, f"{name} must be one of {', '.join(known)}")
    return method


def _events(given: Sequence[str], method: str) -> frozenset[str]:
    """Several fields, or one that holds them all with spaces between."""
    _method(method, "StatusCallbackMethod", ("POST",))
    events = {event for one in given for event in one.split()}
    if not events <= set(EVENTS):
        raise Refused(400, 21626, f"StatusCallbackEvent must be of {', '.join(EVENTS)}")
    return frozenset(events)


def _digits(given: str) -> str:
    if not _DIGITS.fullmatch(given):
        raise Refused(400, 21218, "SendDigits may hold 0-9, *, #, w and W, 64 at most")
    return given


def _seconds(given: str, name: str, default: int, allowed: range) -> int:
    if not given:
        return default
    if not given.isascii() or not given.isdigit() or int(given) not in allowed:
        raise Refused(400, 20001, f"{name} must be from {allowed[0]} to {allowed[-1]}")
    return int(given)
