"""A TwiML platform of our own for tests: it signs, posts and follows documents as a real one would."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from flask import Flask
from flask.testing import FlaskClient
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from ivr.prompts.clips import ClipStore
from ivr.web.blueprint import create_blueprint
from ivr.web.signature import PhoneLine
from sync.archive import Archive

BASE = "https://phone.example.org"
LINES = {"AC1": PhoneLine("twilio", "token-1"), "TJexchange": PhoneLine("exchange", "token-2")}
_sids = count(1)


@dataclass
class NoQueue:
    """A queue that remembers what it was asked for."""

    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def put(self, job: str, **arguments: str) -> bool:
        self.asked.append((job, arguments))
        return True


@dataclass
class UnhurriedClock:
    """A clock by which three seconds pass between any two looks at it: nobody taps twice by accident."""

    step_seconds: float = 3.0
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=self.step_seconds)
        return self.now


def open_app(
    archive: Archive,
    queue: NoQueue | None = None,
    clock: Callable[[], datetime] | None = None,
    dials_out: bool = False,
) -> Flask:
    """The door alone, in a Flask app."""
    app = Flask("door")
    clips = ClipStore(archive.recordings.folder.parent / "clips", b"clips")
    app.register_blueprint(
        create_blueprint(
            archive, queue or NoQueue(), clips, LINES, BASE, clock or UnhurriedClock(), dials_out
        )
    )
    return app


@dataclass
class Platform:
    """One call on one line. `document` is what was answered last, `n` the turn it waits for."""

    client: FlaskClient
    caller: str = "+8613800001111"
    dialled: str = "+8657112345678"
    account: str = "AC1"
    handset: str = ""
    sid: str = field(default_factory=lambda: f"CA{next(_sids)}")
    document: ElementTree.Element = field(default_factory=lambda: ElementTree.Element("Response"))
    raw: str = ""
    heard_first: str = ""
    recordings: int = 0

    def begin(self) -> Platform:
        self._hear(self.post(f"{BASE}/calls"))
        return self

    def answered(self, url: str, **parameters: str) -> Platform:
        """Somebody, or something, has answered a call that we placed."""
        self._hear(self.post(url, CallStatus="in-progress", Direction="outbound-api", **parameters))
        self.heard_first = self.said
        return self

    def press(self, *keys: str) -> Platform:
        for key in keys:
            self._hear(self.post(self._attribute("Gather", "action"), Digits=key))
        return self

    def wait(self, times: int = 1) -> Platform:
        """Says and presses nothing: the platform falls through to the redirect."""
        for _ in range(times):
            redirect = self.document.find("Redirect")
            assert redirect is not None, self.raw
            assert redirect.text is not None
            self._hear(self.post(redirect.text))
        return self

    def wait_until(self, verb: str, most: int = 60) -> Platform:
        """Says and presses nothing until a document waits with `verb`."""
        for _ in range(most):
            if self.waits == verb:
                return self
            self.wait()
        raise AssertionError(f"no {verb} came: {self.raw}")

    def speak(self, seconds: float = 12, ended_by: str = "#") -> Platform:
        self._hear(self.post(self._attribute("Record", "action"), **self.recording(seconds), Digits=ended_by))
        return self

    def speak_and_hang_up_unheard(self, seconds: float = 12) -> dict[str, str]:
        """Hangs up while recording, and the platform only announces the recording."""
        told = self.recording(seconds)
        address = self._attribute("Record", "recordingStatusCallback")
        assert self.post(address, **told, RecordingStatus="completed").status_code == 204
        return told

    def recording(self, seconds: float) -> dict[str, str]:
        self.recordings += 1
        sid = f"RE{self.sid}.{self.recordings}"
        return {
            "RecordingSid": sid,
            "RecordingUrl": f"https://platform.example/{sid}",
            "RecordingDuration": str(seconds),
        }

    def end(self, status: str = "completed") -> TestResponse:
        return self.post(f"{BASE}/calls/{self.sid}/status", CallStatus=status)

    def post(self, url: str, **parameters: str) -> TestResponse:
        form = {
            "AccountSid": self.account,
            "CallSid": self.sid,
            "From": self.caller,
            "To": self.dialled,
            **({"Handset": self.handset} if self.handset else {}),
            **parameters,
        }
        return post(self.client, url, form, LINES[self.account].token)

    @property
    def waits(self) -> str:
        """The verb this document waits with."""
        return next((verb.tag for verb in self.document if verb.tag not in {"Play", "Say"}), "")

    @property
    def said(self) -> str:
        return " ".join(verb.text or "" for verb in self.document.iter("Say"))

    def _attribute(self, verb: str, name: str) -> str:
        found = self.document.find(verb)
        assert found is not None, self.raw
        return found.attrib[name]

    def _hear(self, response: TestResponse) -> None:
        assert response.status_code == 200, response.status
        assert response.mimetype == "text/xml"
        self.raw = response.get_data(as_text=True)
        self.document = ElementTree.fromstring(response.data)


def post(client: FlaskClient, url: str, form: Mapping[str, str], token: str, **options: Any) -> TestResponse:
    """A signed request."""
    assert url.startswith(BASE)
    signature = RequestValidator(token).compute_signature(url, dict(form))
    address = urlsplit(url)
    path = address.path + (f"?{address.query}" if address.query else "")
    return client.post(path, data=dict(form), headers={"X-Twilio-Signature": signature}, **options)
