"""One webhook sent: signed with every valid secret, to the very address that was checked, answer unread."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from standardwebhooks import Webhook

from sync.webhooks.addresses import Address, Reach, Target, Unreachable, look_up

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 10.0
LONGEST_SECONDS = 15.0  # from the first byte to the last: who trickles is cut off
_MOST_ADDRESSES = 3
_MOST_READ_BYTES = 1024  # so that a polite receiver may finish its answer; nobody looks at it
_USER_AGENT = "Tingjian-Webhooks/1"


@dataclass(frozen=True)
class Sent:
    """What came of one try: the answer's status, or a problem in one word where there was none."""

    status: int | None
    problem: str | None
    milliseconds: int

    @property
    def is_taken(self) -> bool:
        """Whether the receiver has taken it: only a 2xx says so."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants no more, ever."""
        return self.status == 410


def send(url: str, event_id: str, body: str, secrets: Sequence[str], sent_at: datetime, reach: Reach) -> Sent:
    """POST one event, once. Never raises for what the other side does; redirects are not followed."""
    began = time.monotonic()
    headers = signed(event_id, body, secrets, sent_at)
    try:
        status = _post(look_up(url, reach), body.encode(), headers)
        problem = None if 200 <= status < 300 else "refused"
    except Unreachable as error:
        status, problem = None, str(error)
    except (OSError, http.client.HTTPException) as error:
        status, problem = None, _problem(error)
    return Sent(status, problem, round((time.monotonic() - began) * 1000))


def signed(event_id: str, body: str, secrets: Sequence[str], sent_at: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks 1.0: while secrets are exchanged, one signature for each."""
    signatures = (Webhook(secret).sign(event_id, sent_at, body) for secret in secrets)
    return {
        "content-type": "application/cloudevents+json; charset=utf-8",
        "user-agent": _USER_AGENT,
        "webhook-id": event_id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


class _Pinned(http.client.HTTPConnection):
    """A connection to one checked address; the name is only what TLS and HTTP call it."""

    def __init__(self, target: Target, address: Address) -> None:
        super().__init__(target.host, target.port, timeout=ANSWER_SECONDS)
        self._target, self._address = target, address
        self._was_cut = False
        self._cutter = threading.Timer(LONGEST_SECONDS, self._cut)
        self._cutter.daemon = True

    def connect(self) -> None:
        """Connect, and for https check the certificate against the name."""
        self.sock = socket.create_connection((str(self._address), self._target.port), CONNECT_SECONDS)
        self.sock.settimeout(ANSWER_SECONDS)
        self._cutter.start()
        if self._target.is_tls:
            self.sock = _tls().wrap_socket(
                self.sock, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.sock.do_handshake()

    def post(self, body: bytes, headers: dict[str, str]) -> int:
        """The status of the answer."""
        try:
            self.request("POST", self._target.path, body, {"host": self._target.host_header, **headers})
            answer = self.getresponse()
        except (OSError, http.client.HTTPException) as error:
            if self._was_cut:
                raise TimeoutError from error
            raise
        with suppress(OSError, http.client.HTTPException):
            answer.read(_MOST_READ_BYTES)
        return answer.status

    def close(self) -> None:
        """Hang up."""
        self._cutter.cancel()
        super().close()

    def _cut(self) -> None:
        self._was_cut = True
        with suppress(OSError):  # past TLS, whose own farewell would wait for an answer
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


def _post(target: Target, body: bytes, headers: dict[str, str]) -> int:
    """To the first address that takes a connection. OSError where none does."""
    problem: OSError = TimeoutError()
    for address in target.addresses[:_MOST_ADDRESSES]:
        with closing(_Pinned(target, address)) as connection:
            try:
                connection.connect()
            except OSError as error:
                problem = error
                continue
            return connection.post(body, headers)
    raise problem


def _problem(error: Exception) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return "certificate_not_valid"
        case TimeoutError():
            return "too_slow"
        case ssl.SSLError():
            return "no_tls"
        case OSError():
            return "not_reached"
    return "no_http"


@cache
def _tls() -> ssl.SSLContext:
    """Trusts what this machine trusts, and the authorities that `requests` brings."""
    context = ssl.create_default_context()
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    return context
