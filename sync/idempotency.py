"""One effect for one key: the answer to a write is kept in its transaction, and given again for a day."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.errors import RecordsError
from sync.records.tables import KeptAnswer
from sync.upsert import is_sqlite

KEPT = timedelta(hours=24)
_AT_ONCE = 1_000  # forgotten in one transaction: callers wait behind it on SQLite
_lock = threading.Lock()
_under_way: set[tuple[str, str]] = set()


class UnderWay(RecordsError):
    """A call with the same key is being worked on at this moment."""


class OtherRequest(RecordsError):
    """The key was used for something else."""


@dataclass(frozen=True)
class Claim:
    """One key of one platform, and what it asks for: both only as SHA-256 in hex."""

    platform_id: str
    digest: str
    fingerprint: str


@dataclass(frozen=True)
class Answer:
    """An answer as it was sent: HTTP status, media type, the very bytes."""

    status: int
    media: str
    body: bytes


def claim_of(platform_id: str, key: str, asked: str) -> Claim:
    """The claim of a key on `asked`: everything that makes the request what it is, in one fixed spelling."""
    return Claim(platform_id, _hex(key.encode()), _hex(asked.encode()))


@contextmanager
def held(claim: Claim) -> Iterator[None]:
    """Keep equals of this process out while the block runs. Raises UnderWay where one is at it."""
    key = claim.platform_id, claim.digest
    with _lock:
        if key in _under_way:
            raise UnderWay("the same call is being worked on")
        _under_way.add(key)
    try:
        yield
    finally:
        with _lock:
            _under_way.discard(key)


def answer_to(session: Session, claim: Claim, now: datetime) -> Answer | None:
    """What this claim was answered before; None where it is new, and then it is this transaction's alone.

    An equal one in another process is refused with UnderWay by an advisory lock on PostgreSQL; on SQLite it
    waits for this transaction's end, as every writer does. Raises OtherRequest for a key used otherwise.
    """
    if not is_sqlite(session):
        number = int(_hex(f"{claim.platform_id}/{claim.digest}".encode())[:16], 16) - 2**63
        if not session.scalar(select(func.pg_try_advisory_xact_lock(number))):
            raise UnderWay("the same call is being worked on")
    row = session.get(KeptAnswer, (claim.platform_id, claim.digest))
    if row is None:
        return None
    if row.kept_at <= now - KEPT:
        session.delete(row)
        session.flush()
        return None
    if row.fingerprint != claim.fingerprint:
        raise OtherRequest("this key was used for something else")
    return Answer(row.status, row.media, bytes(row.body))


def keep_answer(session: Session, claim: Claim, answer: Answer, now: datetime) -> None:
    """Keep an answer in the transaction of the effect it tells of: both are there, or neither."""
    session.add(
        KeptAnswer(
            platform_id=claim.platform_id,
            digest=claim.digest,
            fingerprint=claim.fingerprint,
            status=answer.status,
            media=answer.media,
            body=answer.body,
            kept_at=now,
        )
    )


def forget_answers(archive: Archive, now: datetime) -> int:
    """Delete what is older than a day, in short transactions; how many. Safe to repeat."""
    forgotten = 0
    while True:
        with archive.database.begin() as session:
            old = select(KeptAnswer.platform_id, KeptAnswer.digest).where(KeptAnswer.kept_at <= now - KEPT)
            keys = session.execute(old.order_by(KeptAnswer.kept_at).limit(_AT_ONCE)).all()
            for platform_id, digest in keys:
                mine = (KeptAnswer.platform_id == platform_id, KeptAnswer.digest == digest)
                session.execute(delete(KeptAnswer).where(*mine))
        forgotten += len(keys)
        if len(keys) < _AT_ONCE:
            return forgotten


def _hex(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
