"""Bringing a recording home: fetched with retries from its source, which may forget it only later."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

import requests

Credentials = Callable[[str], tuple[str, str]]  # a line's name → user and password for its recordings
LARGEST_BYTES = 32 * 1024 * 1024  # half an hour of what phone lines send: 8 kHz, 16 bit, mono
SHORT_PAUSES = (1.0, 3.0)
_TIMEOUTS = (3.0, 20.0)  # to connect, between bytes: seconds


class Source(Protocol):
    """What fetching needs of a recording's row."""

    @property
    def id(self) -> str: ...
    @property
    def line(self) -> str: ...
    @property
    def url(self) -> str | None: ...


class FetchError(Exception):
    """A recording can't be had now. `is_absent`: its source answers, but knows no such recording (yet)."""

    def __init__(self, problem: str, *, is_absent: bool = False) -> None:
        super().__init__(problem)
        self.problem = problem
        self.is_absent = is_absent


def fetch(recording: Source, credentials: Credentials, pauses: Sequence[float] = SHORT_PAUSES) -> bytes:
    """The recording's bytes, whole. A 404 is normal in the first seconds: tried again after each pause.

    Raises FetchError when the last try failed too; its `problem` holds no address and no words.
    """
    for pause in (*pauses, None):
        try:
            return _fetch_once(recording, credentials)
        except FetchError:
            if pause is None:
                raise
            time.sleep(pause)
    raise AssertionError("unreachable")


def acknowledge(recording: Source, credentials: Credentials) -> bool:
    """Tell the source that it may forget its copy; True when it has. Safe to repeat."""
    address = _address(recording)
    if recording.line != "exchange":  # Twilio deletes the recording itself, not one of its formats
        address = address.removesuffix(".wav").removesuffix(".mp3")
    try:
        with _session(address) as session:
            answer = session.delete(address, auth=credentials(recording.line), timeout=_TIMEOUTS)
            return answer.ok or answer.status_code in {404, 410}
    except requests.RequestException:
        return False


def _fetch_once(recording: Source, credentials: Credentials) -> bytes:
    address = _address(recording)
    try:
        with (
            _session(address) as session,
            session.get(address, auth=credentials(recording.line), timeout=_TIMEOUTS, stream=True) as answer,
        ):
            _check(answer.status_code)
            return b"".join(_bounded(answer.iter_content(64 * 1024)))
    except requests.RequestException as error:
        raise FetchError(f"the source is unreachable ({type(error).__name__})") from error


def _check(status: int) -> None:
    match status:
        case 200:
            return
        case 404 | 410:
            raise FetchError("the source has no such recording", is_absent=True)
        case 401 | 403:
            raise FetchError("the source refuses our credentials")
        case _:
            raise FetchError(f"the source answered {status}")


def _bounded(chunks: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > LARGEST_BYTES:
            raise FetchError(f"the recording is larger than {LARGEST_BYTES} bytes")
        yield chunk


def _address(recording: Source) -> str:
    parts = urlsplit(recording.url or "")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise FetchError("the recording has no address to fetch it from", is_absent=True)
    return parts.geturl()


@contextmanager
def _session(address: str) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = not _is_loopback(urlsplit(address).hostname or "")  # no proxy reaches it
        yield session


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
