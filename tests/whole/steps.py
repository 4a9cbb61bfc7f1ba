"""Dying between any two steps: counts what a process does that lasts or that others see, and kills it there.

A step is a commit, a file made durable, renamed or removed, a request sent or answered. None of this is in
the program: a test's child process patches its own libraries before it runs the program's real entry point.
"""

from __future__ import annotations

import functools
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

_lock = threading.Lock()
_taken = 0
_die_at = 0
_log = -1


def arm(die_at: int, log: Path) -> None:
    """Log every step from now on, one a line, and die by SIGKILL before step `die_at` (1 is the first)."""
    global _die_at, _log
    _die_at = die_at
    _log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    _watch_files()
    _watch_database()
    _watch_requests()


def step(name: str) -> None:
    """One step is about to be taken."""
    global _taken
    if _log < 0:
        return
    with _lock:
        _taken += 1
        os.write(_log, f"{name}\n".encode())
        if _taken == _die_at:
            os.kill(os.getpid(), signal.SIGKILL)


def taken(log: Path) -> list[str]:
    """The steps that a process logged."""
    return log.read_text().splitlines() if log.exists() else []


def answering(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """A WSGI app whose requests and answers are steps."""

    def stepped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith(("/media", "/health", "/static")):
            return app(environ, start_response)
        step(f"request {environ['PATH_INFO']}")
        answer = list(app(environ, start_response))
        step(f"answer {environ['PATH_INFO']}")
        return answer

    return stepped


def _watch_files() -> None:
    for name in ("fsync", "replace", "rename", "unlink", "remove", "ftruncate"):
        setattr(os, name, _before(f"file {name}", getattr(os, name)))


def _watch_database() -> None:
    from sqlalchemy import Engine, event

    event.listen(Engine, "commit", lambda connection: step("commit"))


def _watch_requests() -> None:
    import aiohttp
    import requests

    send, ask = requests.Session.send, aiohttp.ClientSession._request

    def sent(self: requests.Session, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        step(f"send {request.method}")
        answer = send(self, request, **more)
        step(f"sent {request.method}")
        return answer

    async def asked(self: aiohttp.ClientSession, method: str, url: Any, **more: Any) -> Any:
        is_media = "/media/" in str(url)
        if not is_media:
            step(f"send {method}")
        answer: Awaitable[Any] = await ask(self, method, url, **more)
        if not is_media:
            step(f"sent {method}")
        return answer

    requests.Session.send = sent  # type: ignore[method-assign]
    aiohttp.ClientSession._request = asked  # type: ignore[method-assign]


def _before(name: str, act: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(act)
    def stepped(*given: Any, **named: Any) -> Any:
        step(name)
        return act(*given, **named)

    return stepped
