"""Callers for the web benchmark: each plays one call after the other, signed as platforms sign."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from twilio.request_validator import RequestValidator

SCRIPT = ("begin", "1", "wait", "1", "2", "1", "speak", "1", "3", "wait", "wait", "#")
"""Hears the first topic, agrees, speaks, keeps it, releases nothing, hears the receipt, goes on."""

_ACTION = re.compile(r'action="([^"]+)"')
_REDIRECT = re.compile(r"<Redirect[^>]*>([^<]+)<")


@dataclass
class Line:
    """Where to call and how to sign. With `is_bare` the bare route is asked instead, with the same form."""

    base: str
    account: str
    token: str
    dialled: str
    is_bare: bool = False
    documents: list[str] = field(default_factory=list)


class Caller:
    """One who calls again and again, each time from another telephone: as dear as a call can be."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._number = ""
        address = urlsplit(line.base)
        self._connection = HTTPConnection(address.hostname or "", address.port, timeout=60)
        self._validator = RequestValidator(line.token)

    def call(self) -> Iterator[float]:
        """One whole call; gives the seconds of each turn."""
        self._number = f"+861{random.randrange(3 * 10**9, 10**10)}"
        sid = f"CA{random.getrandbits(64):x}"
        document = ""
        for n, act in enumerate(SCRIPT):
            url, more = self._next(act, document)
            target = f"{self._line.base}/bare/{n}" if self._line.is_bare else url
            seconds, document = self._post(target, {**self._form(sid), **more})
            if not self._line.is_bare and n == len(self._line.documents):
                self._line.documents.append(document)
            yield seconds

    def _next(self, act: str, document: str) -> tuple[str, Mapping[str, str]]:
        if act == "begin" or self._line.is_bare:
            return f"{self._line.base}/calls", {}
        if act == "wait":
            return unescape(_REDIRECT.findall(document)[0]), {}
        url = unescape(_ACTION.findall(document)[0])
        if act != "speak":
            return url, {"Digits": act}
        if "<Record" not in document:
            raise RuntimeError("the script does not lead to the beep any more")
        sid = f"RE{random.getrandbits(64):x}"
        told = {"RecordingSid": sid, "RecordingUrl": f"http://127.0.0.1:9/{sid}", "RecordingDuration": "12"}
        return url, {**told, "Digits": "#"}

    def _form(self, sid: str) -> dict[str, str]:
        return {
            "AccountSid": self._line.account,
            "CallSid": sid,
            "CallStatus": "in-progress",
            "Direction": "inbound",
            "ApiVersion": "2010-04-01",
            "From": self._number,
            "To": self._line.dialled,
        }

    def _post(self, url: str, form: Mapping[str, str]) -> tuple[float, str]:
        address = urlsplit(url)
        path = address.path + (f"?{address.query}" if address.query else "")
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": self._validator.compute_signature(url, form),
        }
        body = urlencode(form)
        began = time.perf_counter()
        self._connection.request("POST", path, body, headers)
        response = self._connection.getresponse()
        document = response.read().decode()
        seconds = time.perf_counter() - began
        if response.status != 200 or "/media/wait.wav" in document:
            raise RuntimeError(f"not answered: {response.status}")
        return seconds, document


def rate(line: Line, callers: int, seconds: float) -> float:
    """Turns a second, `callers` calling without a pause."""
    until = time.perf_counter() + seconds
    counts = [0] * callers

    def work(place: int) -> None:
        caller = Caller(line)
        while True:
            for _ in caller.call():
                if time.perf_counter() > until:
                    return
                counts[place] += 1

    _together(callers, work)
    return sum(counts) / seconds


def latencies(line: Line, callers: int, seconds: float, think: tuple[float, float]) -> list[float]:
    """The seconds of every turn, of callers who think between turns."""
    until = time.perf_counter() + seconds
    waited: list[float] = []

    def work(place: int) -> None:
        caller = Caller(line)
        time.sleep(random.uniform(0, think[1]))
        while True:
            for taken in caller.call():
                waited.append(taken)
                if time.perf_counter() > until:
                    return
                time.sleep(random.uniform(*think))

    _together(callers, work)
    return waited


def _together(count: int, work: object) -> None:
    failed: list[Exception] = []

    def guarded(place: int) -> None:
        try:
            work(place)  # type: ignore[operator]
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
