"""A caller as a TwiML platform sees one: asks web for documents, again and again while web is dead."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import requests
from twilio.request_validator import RequestValidator

from ivr.exchange.twiml import Dial, Document, Gather, Hangup, Play, Record, Redirect, Say, parse

PATIENCE_SECONDS = 30.0


@dataclass
class PlatformCall:
    """One call driven through web's door. `revive` is called whenever web does not answer."""

    base: str
    account: str
    token: str
    sid: str
    caller: str
    dialled: str
    revive: Callable[[], None] = lambda: None
    document: Document = field(init=False)

    def begin(self) -> None:
        """Ring, and go on to the first wait."""
        self.document = self._ask(
            f"{self.base}/calls", From=self.caller, To=self.dialled, Direction="inbound"
        )
        self._go_on()

    def press(self, keys: str, follows: bool = True) -> None:
        """Answer the Gather that the document waits at; `follows` documents that wait for nothing."""
        self.document = self._ask(self._gather().action, Digits=keys)
        if follows:
            self._go_on()

    @property
    def is_asked_for_patience(self) -> bool:
        """Whether web could not go on, and says so instead of failing."""
        return any(isinstance(verb, Play) and verb.url.endswith("/wait.wav") for verb in self.document.verbs)

    def wait(self) -> None:
        """Say and press nothing until the time is out."""
        redirect = next(verb for verb in self.document.verbs if isinstance(verb, Redirect))
        self.document = self._ask(redirect.url)
        self._go_on()

    def speak(self, recording_sid: str, url: str, seconds: int, ended_by: str = "#") -> None:
        """Answer the Record that the document waits at: the callback first, then the action."""
        record = next(verb for verb in self.document.verbs if isinstance(verb, Record))
        told = {"RecordingSid": recording_sid, "RecordingUrl": url, "RecordingDuration": str(seconds)}
        self.tell(record.status_callback, **told, RecordingStatus="completed")
        self.document = self._ask(record.action, **told, Digits=ended_by)
        self._go_on()

    def hang_up(self) -> None:
        """The caller is gone: the platform says so."""
        self.tell(f"{self.base}/calls/{self.sid}/status", CallStatus="completed")

    def tell(self, url: str, **params: str) -> None:
        """Report something, until web has acknowledged it."""
        self._post(url, params)

    @property
    def waits_for_speech(self) -> bool:
        """Whether the document records."""
        return any(isinstance(verb, Record) for verb in self.document.verbs)

    @property
    def is_over(self) -> bool:
        """Whether the document hangs up."""
        return any(isinstance(verb, Hangup) for verb in self.document.verbs)

    def _go_on(self) -> None:
        """Follow documents that wait for nothing."""
        while not any(isinstance(verb, Gather | Record | Hangup | Dial) for verb in self.document.verbs):
            self.wait_free()

    def wait_free(self) -> None:
        """Follow the redirect of a document that only speaks."""
        redirect = next(verb for verb in self.document.verbs if isinstance(verb, Redirect))
        self.document = self._ask(redirect.url)

    def _gather(self) -> Gather:
        return next(verb for verb in self.document.verbs if isinstance(verb, Gather))

    def said(self) -> list[str]:
        """The words of the document that no clip says."""
        inside = [
            prompt for verb in self.document.verbs if isinstance(verb, Gather) for prompt in verb.prompts
        ]
        return [verb.text for verb in (*self.document.verbs, *inside) if isinstance(verb, Say)]

    def _ask(self, url: str, **params: str) -> Document:
        return parse(self._post(url, params).text, url)

    def _post(self, url: str, params: dict[str, str]) -> requests.Response:
        form = {"CallSid": self.sid, "AccountSid": self.account, **params}
        signature = RequestValidator(self.token).compute_signature(url, form)
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = requests.post(url, data=form, headers={"X-Twilio-Signature": signature}, timeout=10)
                if answer.status_code < 500:
                    answer.raise_for_status()
                    return answer
            except requests.ConnectionError:
                self.revive()
            if time.monotonic() > until:
                raise TimeoutError(f"web did not answer {url.rpartition('/calls')[2]}")
            time.sleep(0.05)


@dataclass
class Shelf:
    """Where a platform keeps recordings until they are fetched. `sounds` maps a name to its bytes."""

    base: str
    sounds: dict[str, bytes]
    fetched: list[str]
    forgotten: list[str]

    def url(self, name: str) -> str:
        """The address of a recording."""
        return f"{self.base}/{name}"


@contextmanager
def shelf() -> Iterator[Shelf]:
    """A platform's recordings over HTTP: GET fetches, DELETE forgets, a forgotten one is 404."""
    kept = Shelf("", {}, [], [])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.strip("/")
            kept.fetched.append(name)
            self._answer(200 if name in kept.sounds else 404, kept.sounds.get(name, b""))

        def do_DELETE(self) -> None:
            name = self.path.strip("/")
            is_there = any(kept.sounds.pop(each, None) is not None for each in (name, f"{name}.wav"))
            kept.forgotten.append(name)
            self._answer(204 if is_there else 404, b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.base = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield kept
    server.shutdown()
    server.server_close()
