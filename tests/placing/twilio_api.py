"""A stand-in for Twilio's REST resource of calls: a real HTTP server, as strict as what Twilio publishes.

What it takes is read from Twilio's own package: names, types, and the values its descriptions allow. Calls it
has placed are played on purpose by the tests (`play`), as the platform would: callbacks come signed, twice
and out of order.
"""

from __future__ import annotations

import base64
import inspect
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask.testing import FlaskClient
from twilio.rest.api.v2010.account.call import CallList

from tests.web.platform import BASE, LINES, Platform

ACCOUNT = "AC1"
_MOST_SECONDS = 600
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_CHOICE = re.compile(r"Can be: ((?:`[\w-]+`(?:, and |, or |, | or | and )?)+)")
_REQUIRED = {"To": 21201, "From": 21213, "Url": 21205}


def _published() -> dict[str, tuple[str, frozenset[str]]]:
    """Every parameter of `calls.create`: its type's name, and the values its description allows."""
    source, told = inspect.getsource(CallList._create), inspect.getdoc(CallList.create) or ""
    names = re.findall(r'"([A-Z]\w+)": (?:serialize\.\w+\(\s*)?(\w+)', source)
    kinds = inspect.signature(CallList.create).parameters
    found = {}
    for name, argument in names:
        about = re.search(rf":param {argument}: (.*)", told)
        choice = re.search(_CHOICE, about[1] if about else "")
        allowed = frozenset(re.findall(r"`([\w-]+)`", choice[1])) if choice else frozenset()
        found[name] = (str(kinds[argument].annotation), allowed)
    return found


PUBLISHED = _published()


@dataclass
class PlacedCall:
    """A call Twilio has agreed to place."""

    sid: str
    form: dict[str, list[str]]
    status: str = "queued"

    def __getitem__(self, name: str) -> str:
        return self.form[name][0]


@dataclass
class TwilioApi:
    """What was asked of it. `moods` are spent one a request: see `_Handler.do_POST`."""

    base: str = ""
    token: str = LINES[ACCOUNT].token
    moods: list[str | int] = field(default_factory=list)
    calls: list[PlacedCall] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    came: threading.Event = field(default_factory=threading.Event)
    may_answer: threading.Event = field(default_factory=threading.Event)

    def fault_of(self, form: dict[str, list[str]]) -> tuple[int, str] | None:
        """Twilio's code and why, for a request that breaks what is published; None for a good one."""
        for name, code in _REQUIRED.items():
            if not form.get(name):
                return code, f"no {name}"
        for name, values in form.items():
            if name not in PUBLISHED:
                return 20001, f"{name} is no parameter of calls"
            kind, allowed = PUBLISHED[name]
            if len(values) > 1 and "List" not in kind:
                return 20001, f"{name} was given twice"
            for value in values:
                if why := _wrong(name, value, kind, allowed):
                    return 20001, why
        return None

    def play(
        self,
        client: FlaskClient,
        call: PlacedCall,
        answered_by: str = "human",
        end: str = "completed",
        keys: str = "",
    ) -> Platform:
        """Ring, let somebody answer, press `keys` (`-` waits), and end; every callback comes twice."""
        phone = self.ring(client, call)
        if end == "completed":
            phone.answered(call["Url"], AnsweredBy=answered_by)
            for key in keys:
                phone.wait() if key == "-" else phone.press(key)
        self.tell(phone, call, end, AnsweredBy=answered_by)
        self.tell(phone, call, "ringing")  # late
        return phone

    def ring(self, client: FlaskClient, call: PlacedCall) -> Platform:
        """Twilio tells that it rings; callbacks overtake each other."""
        phone = Platform(client, caller=call["From"], dialled=call["To"], account=ACCOUNT, sid=call.sid)
        for status in ("ringing", "initiated"):
            self.tell(phone, call, status)
        return phone

    def tell(self, phone: Platform, call: PlacedCall, status: str, **more: str) -> None:
        """A status callback, delivered twice."""
        call.status = status
        form = {"CallStatus": status, "Direction": "outbound-api", **more}
        answers = [phone.post(call["StatusCallback"], **form) for _ in range(2)]
        assert [one.status_code for one in answers] == [204, 204]


def _wrong(name: str, value: str, kind: str, allowed: frozenset[str]) -> str:
    if allowed and value not in allowed:
        return f"{name} cannot be {value}"
    if "int" in kind and not (value.isdecimal() and int(value) <= _MOST_SECONDS) and name != "TimeLimit":
        return f"{name} is no number of seconds: {value}"
    if name in {"To", "From"} and not _E164.fullmatch(value):
        return f"{name} is no number in E.164"
    if name in {"Url", "StatusCallback"}:
        address = urlsplit(value)
        is_absolute = address.scheme in {"http", "https"} and address.hostname and "_" not in address.hostname
        return "" if is_absolute else f"{name} is no absolute address"
    return ""


@contextmanager
def twilio_api() -> Iterator[TwilioApi]:
    """A running stand-in."""
    api = TwilioApi()
    api.may_answer.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(api))
    api.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield api
    finally:
        api.may_answer.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(api: TwilioApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Moods: `slam` drops the connection before a call is placed, `mute` after; a status refuses."""
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            if not self._is_known() or self.path != f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json":
                return self._refuse(401 if not self._is_known() else 404, 20003, "not this way")
            mood = api.moods.pop(0) if api.moods else ""
            if mood == "slam":
                return self._slam()
            if isinstance(mood, int):
                return self._refuse(400 if mood > 1000 else mood, mood, "refused")
            if fault := api.fault_of(form):
                api.refusals.append(fault[1])
                return self._refuse(400, *fault)
            call = PlacedCall(f"CA{len(api.calls) + 1:032x}", form)
            api.calls.append(call)
            api.came.set()
            api.may_answer.wait(30)
            return self._slam() if mood == "mute" else self._answer(201, _resource(call))

        def do_GET(self) -> None:
            sid = self.path.rpartition("/")[2].removesuffix(".json")
            found = [call for call in api.calls if call.sid == sid]
            if not self._is_known() or not found:
                return self._refuse(404, 20404, "not found")
            return self._answer(200, _resource(found[0]))

        def _is_known(self) -> bool:
            given = base64.b64encode(f"{ACCOUNT}:{api.token}".encode()).decode()
            return self.headers.get("Authorization") == f"Basic {given}"

        def _slam(self) -> None:
            self.close_connection = True

        def _refuse(self, status: int, code: int, message: str) -> None:
            more = f"https://www.twilio.com/docs/errors/{code}"
            self._answer(status, {"code": code, "message": message, "more_info": more, "status": status})

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def _resource(call: PlacedCall) -> dict[str, Any]:
    """The Call resource, as Twilio shows it."""
    return {
        "sid": call.sid,
        "account_sid": ACCOUNT,
        "api_version": "2010-04-01",
        "to": call["To"],
        "from": call["From"],
        "status": call.status,
        "direction": "outbound-api",
        "answered_by": None,
        "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{call.sid}.json",
    }


__all__ = ["ACCOUNT", "BASE", "PUBLISHED", "TwilioApi", "twilio_api"]
