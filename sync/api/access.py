"""Who calls the API: a platform with a key and a scope, at a bounded rate, every call audited."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from datetime import datetime

from flask import Request
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from sync.api.problems import Problem
from sync.archive import Archive
from sync.platforms import platform_with
from sync.records.tables import Audit

CALLS_A_MINUTE = 300  # a platform, in each web process
_ASK = {"WWW-Authenticate": 'Bearer realm="tingjian"'}


@dataclass(frozen=True)
class Caller:
    """A platform that has shown its key."""

    id: str
    community_id: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Whether it has that scope."""
        return scope in self.scopes


class Pace:
    """A bound on calls per minute for each platform."""

    def __init__(self, calls: int = CALLS_A_MINUTE) -> None:
        self._calls = calls
        self._made: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def check(self, platform_id: str) -> None:
        """Count one call. Problem 429 when there were too many in the last minute."""
        now = time.monotonic()
        with self._lock:
            made = self._made.setdefault(platform_id, deque())
            while made and made[0] <= now - 60:
                made.popleft()
            if len(made) >= self._calls:
                wait = str(int(made[0] + 60 - now) + 1)
                raise Problem(429, "too many calls in one minute", {"Retry-After": wait})
            made.append(now)


def recognise(archive: Archive, request: Request, now: datetime) -> Caller:
    """The platform whose key the request carries. Problem 401 without a valid one."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Problem(401, "send your key as Authorization: Bearer KEY", _ASK)
    with archive.database.read() as session:
        platform = platform_with(session, key.strip(), now)
    if platform is None:
        raise Problem(401, "this key is unknown or has expired", _ASK)
    return Caller(platform.id, platform.community_id, frozenset(map(str, platform.scopes)))


def demand(caller: Caller, scope: str) -> None:
    """Problem 403 unless the platform has the scope."""
    if not caller.may(scope):
        raise Problem(403, f"this key lacks the scope {scope}")


def audit(archive: Archive, caller: Caller, act: str, subject: str, status: int, now: datetime) -> None:
    """One line about one call. Raises RecordsUnavailable: what can't be accounted for isn't answered."""
    with archive.database.begin() as session:
        audit_in(session, caller, act, subject, status, now)


def audit_in(session: Session, caller: Caller, act: str, subject: str, status: int, now: datetime) -> None:
    """The same line, in the transaction of what it tells of."""
    session.add(
        Audit(
            community_id=caller.community_id,
            at=now,
            actor=caller.id,
            act=act,
            subject=subject.replace("\x00", " ")[:200],
            details={"status": status},
        )
    )


def status_of(error: Exception) -> int:
    """The status an exception will be answered with."""
    if isinstance(error, Problem):
        return error.status
    return (error.code or 500) if isinstance(error, HTTPException) else 500
