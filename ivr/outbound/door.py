"""The one door out: Twilio's REST resource for calls, at Twilio or at our exchange; what its answers mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ConnectTimeout, RequestException
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client
from urllib3.exceptions import NewConnectionError

from sync.placing.courses import Told

TWILIO_BASE = "https://api.twilio.com"
ANSWER_SECONDS = 15.0
RING_SECONDS = 30
"""Six rings: long enough to walk to the telephone, short enough for most mailboxes not to answer."""
LONGEST_SECONDS = 1500
DETECTION_SECONDS = 10
_BAD_NUMBERS = frozenset({13223, 13224, 21211, 21214, 21217, 21219, 21265, 21610})
"""Twilio's codes for a `To` that can never be called, whoever asks and whenever."""
_FULL = frozenset({20429, 20503})
"""Twilio's codes for too many at once, and for no service just now: soon it may go."""

_OVER = frozenset({"line_21220", "line_20404"})
"""Twilio's codes for a call that is over, and for one it does not know."""


class DoorError(Exception):
    """The line did not say that it places the call. The message is a code, never a number."""


class NotPlaced(DoorError):
    """It certainly placed nothing. `is_number`: nor ever will, to that number. `is_passing`: soon it may."""

    def __init__(self, problem: str, *, is_number: bool = False, is_passing: bool = False) -> None:
        super().__init__(problem)
        self.is_number, self.is_passing = is_number, is_passing


class Unknown(DoorError):
    """Nobody knows whether it places the call: it must not be asked again."""


@dataclass(frozen=True)
class Order:
    """A call to be placed: from our number to theirs, where its dialogue and its course are told."""

    to: str = field(repr=False)
    from_: str
    url: str
    status_url: str


@dataclass(frozen=True)
class QuietOrder:
    """A call to a loudspeaker: once it has picked up `keys` are pressed, then it hears what `url` says alone.

    `to` is a number or a `sip:` address, whose headers stand behind a question mark (RFC 3261, 19.1.1).
    """

    to: str = field(repr=False)
    from_: str
    url: str = field(repr=False)
    most_seconds: int
    ring_seconds: int = RING_SECONDS
    keys: str = field(default="", repr=False)


@dataclass(frozen=True)
class OutLine:
    """A line that can dial out: its name among the lines, its account and secret, where its resource is."""

    name: str
    account: str
    token: str = field(repr=False)
    base: str = TWILIO_BASE
    number: str = ""
    """The number shown to who is called; '' shows the community's own."""


class CallsDoor:
    """Asks one line to place calls."""

    def __init__(self, line: OutLine, answer_seconds: float = ANSWER_SECONDS) -> None:
        self.line = line
        self._client = Client(line.account, line.token, http_client=_At(line.base, answer_seconds))

    def place(self, order: Order) -> Told:
        """Ask for the call. Raises NotPlaced, or Unknown where it may be placed all the same."""
        with _in_our_words():
            placed = self._client.calls.create(
                to=order.to,
                from_=order.from_,
                url=order.url,
                method="POST",
                status_callback=order.status_url,
                status_callback_method="POST",
                status_callback_event=["initiated", "ringing", "answered", "completed"],
                timeout=RING_SECONDS,
                time_limit=LONGEST_SECONDS,
                machine_detection="Enable",
                machine_detection_timeout=DETECTION_SECONDS,
            )
        return Told(str(placed.sid), str(placed.status), str(placed.answered_by or ""))

    def place_quietly(self, order: QuietOrder) -> Told:
        """Ask for a call to a loudspeaker. Raises as `place` does.

        `Quiet` is a parameter of our exchange alone, so the library is given the form as it is.
        """
        form: dict[str, object] = {
            "To": order.to,
            "From": order.from_,
            "Url": order.url,
            "Timeout": order.ring_seconds,
            "TimeLimit": order.most_seconds,
            "SendDigits": order.keys,
            "Quiet": "true",
        }
        with _in_our_words():
            calls = f"/Accounts/{self.line.account}/Calls.json"
            placed = self._client.api.v2010.create("POST", calls, data=form)
            return Told(str(placed["sid"]), str(placed["status"]))

    def end(self, sid: str) -> None:
        """Let it ring no longer, or hang up; a call that is over is left alone. Raises DoorError."""
        try:
            with _in_our_words():
                self._client.calls(sid).update(status="completed")
        except NotPlaced as refusal:
            if str(refusal) not in _OVER:
                raise

    def ask(self, sid: str) -> Told:
        """What became of a call. Raises DoorError."""
        with _in_our_words():
            call = self._client.calls(sid).fetch()
        return Told(sid, str(call.status), str(call.answered_by or ""))


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except TwilioRestException as error:
        raise _refusal(error) from error
    except ConnectTimeout as error:
        raise NotPlaced("no_connection", is_passing=True) from error
    except NoConnection as error:
        if _was_never_sent(error):
            raise NotPlaced("no_connection", is_passing=True) from error
        raise Unknown("connection_lost") from error
    except (RequestException, TwilioException, ValueError) as error:
        raise Unknown(type(error).__name__) from error


def _refusal(error: TwilioRestException) -> DoorError:
    """A 4xx placed nothing, nor did a line that says it has no service; of any other answer nobody knows."""
    problem = f"line_{error.code or error.status}"
    if error.code in _FULL:
        return NotPlaced(problem, is_passing=True)
    if not 400 <= error.status < 500:
        return Unknown(problem)
    return NotPlaced(problem, is_number=error.status == 400 and error.code in _BAD_NUMBERS)


def _was_never_sent(error: NoConnection) -> bool:
    """Whether the connection was not even made."""
    reasons = (getattr(each, "reason", None) for each in error.args)
    return any(isinstance(reason, NewConnectionError) for reason in reasons)


class _At(TwilioHttpClient):  # type: ignore[misc]
    """Twilio's own client, at another base address; a fresh connection each time, so that none is stale.

    A line of our own is reached directly, whatever proxy leads to the world outside.
    """

    def __init__(self, base: str, answer_seconds: float) -> None:
        super().__init__(timeout=answer_seconds)
        self._base = base.rstrip("/")
        assert self.session is not None
        self.session.headers["Connection"] = "close"
        self.session.trust_env = base == TWILIO_BASE

    def request(self, method: str, url: str, *args: object, **options: object) -> Response:
        """The same request, sent to our base."""
        return super().request(method, url.replace(TWILIO_BASE, self._base, 1), *args, **options)
