"""A platform's side of the API: pull changes with a checkpoint, push with idempotency, verify webhooks.

This one file may be copied into a platform: it needs `requests` and `standardwebhooks`, nothing else of ours.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests
from standardwebhooks import Webhook, WebhookVerificationError

Json = dict[str, Any]

RESYNC = "cn.tingjian.feed.resync"
LONGEST_WAIT_SECONDS = 25  # a call that waits for changes is answered after that at the latest
_TIMEOUTS = (5.0, 15.0)  # to connect, to answer: seconds, beside what a call waits
_TRY_AGAIN = frozenset({429, 500, 502, 503, 504})
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 30.0
_IDLE_SECONDS = 1.0  # between two empty pages that came sooner than asked for
_KEPT_ANSWERS = 500
_PAGE = 100


class ClientError(Exception):
    """Something is wrong between the platform and Tingjian."""


class Refused(ClientError):
    """The API has answered no: `status`, `detail` in a sentence, the whole `problem` (RFC 9457)."""

    def __init__(self, status: int, problem: Json) -> None:
        self.status, self.problem = status, problem
        self.detail = str(problem.get("detail", ""))
        super().__init__(f"{status}: {self.detail}")


class Away(ClientError):
    """The API could not be reached, or asked for patience, longer than we were to be patient."""


class NotSigned(ClientError):
    """A webhook that does not come from who it says, or is not of the last minutes."""


@dataclass(frozen=True)
class Event:
    """A CloudEvent: something about a record has changed. `data` is the record as it is now.

    `type` is `cn.tingjian.<record>.<act>`; `subject` the record's id. An event may come again, under the same
    id: write what it says, do not count it.
    """

    id: str
    type: str
    subject: str
    time: datetime
    data: Json
    whole: Json

    @classmethod
    def of(cls, whole: Json) -> Event:
        """From its JSON. ClientError where it is no event."""
        try:
            time_of = datetime.fromisoformat(whole["time"])
            return cls(whole["id"], whole["type"], whole["subject"], time_of, whole.get("data") or {}, whole)
        except (KeyError, TypeError, ValueError) as error:
            raise ClientError("this is not an event") from error

    @property
    def record(self) -> str:
        """topic · progress · opinion · ballot · reaction · reply · satisfaction; feed for RESYNC."""
        return self.type.split(".")[2]

    @property
    def is_gone(self) -> bool:
        """Whether the record was taken back or deleted: delete your copy."""
        return self.data.get("state") in {"withdrawn", "erased", "deleted"}

    @property
    def begins_anew(self) -> bool:
        """Whether to forget all that was told before: everything there is follows."""
        return self.type == RESYNC


@dataclass(frozen=True)
class Checkpoint:
    """Up to where changes have been dealt with, kept in a file that is never half-written."""

    path: Path

    def load(self) -> str | None:
        """The cursor; None at the first start."""
        with suppress(FileNotFoundError):
            return self.path.read_text("utf-8").strip() or None
        return None

    def save(self, cursor: str) -> None:
        """Keep the cursor: after a crash the file holds the old one or the new one."""
        draft = self.path.with_name(f"{self.path.name}.new")
        with draft.open("w", encoding="utf-8") as file:
            file.write(f"{cursor}\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, self.path)


class Client:
    """Calls one installation's API with one platform's key. Safe to share between threads.

    Calls that fail for a passing reason are repeated, for `patience_seconds` altogether, then raise Away; all
    else that is not a success raises Refused. Writing is safe to repeat: the same call made again, after a
    crash too, has the same key and is answered as the first time.
    """

    def __init__(
        self,
        base: str,
        key: str,
        patience_seconds: float = 60.0,
        session: requests.Session | None = None,
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base = base.rstrip("/") + "/api/v1"
        self._session = session or requests.Session()
        self._headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
        self._patience_seconds, self._rest = patience_seconds, rest
        self._answers: OrderedDict[str, tuple[str, bytes]] = OrderedDict()

    # --- reading ---
    def changes(self, checkpoint: Checkpoint, follow: bool = False) -> Iterator[Event]:
        """Every change since the checkpoint; with `follow` for ever, waiting for what is new.

        The checkpoint is moved when a page has been dealt with: whoever is killed before that is told again.
        At the first start, and where the feed no longer goes back so far, an event with `begins_anew` comes
        first, then every record there is.
        """
        cursor, is_idle = checkpoint.load(), False
        if cursor is None:
            yield from self._everything(cursor := self._page("latest")["next_cursor"])
            checkpoint.save(cursor)
        while True:
            asked_at = time.monotonic()
            try:
                page = self._page(cursor, LONGEST_WAIT_SECONDS if follow and is_idle else 0)
            except Refused as refusal:
                if refusal.status != 410:
                    raise
                yield from self._everything(cursor := refusal.problem["resync"]["cursor"])
                checkpoint.save(cursor)
                continue
            yield from map(Event.of, page["items"])
            if page["next_cursor"] != cursor:
                checkpoint.save(cursor := page["next_cursor"])
            was_idle, is_idle = is_idle, not page["has_more"]
            if is_idle and not follow:
                return
            if was_idle and not page["items"] and time.monotonic() - asked_at < _IDLE_SECONDS:
                self._rest(_IDLE_SECONDS)

    def topics(self) -> Iterator[Json]:
        """All topics with their results, oldest first."""
        return self._all("/topics")

    def topic(self, topic_id: str) -> Json:
        """One topic; costs next to nothing while it has not changed."""
        return self._get(f"/topics/{topic_id}")

    def feedback(self, **narrowed_by: str) -> Iterator[Json]:
        """All feedback, oldest first; `state` and `topic_id` narrow it."""
        return self._all("/feedback", **narrowed_by)

    def one_feedback(self, feedback_id: str) -> Json:
        """One opinion with its counts and replies."""
        return self._get(f"/feedback/{feedback_id}")

    def progress(self, **narrowed_by: str) -> Iterator[Json]:
        """All progress updates, oldest first; `topic_id` narrows it."""
        return self._all("/progress", **narrowed_by)

    # --- writing; every body is as the OpenAPI document says ---
    def put_topic(self, topic: Json, key: str | None = None) -> Json:
        """Make a topic of our own. Two of the same words on one day need a key each."""
        return self._send("POST", "/topics", topic, key)

    def change_topic(self, topic_id: str, changes: Json, key: str | None = None) -> Json:
        """Change a topic of our own."""
        return self._send("PATCH", f"/topics/{topic_id}", changes, key)

    def put_progress(self, topic_id: str, update: Json, key: str | None = None) -> Json:
        """Say what became of a topic of our own."""
        return self._send("POST", f"/topics/{topic_id}/progress", update, key)

    def put_feedback(self, feedback: Json, key: str | None = None) -> Json:
        """What somebody wrote; the answer has its id and the receipt to be shown."""
        return self._send("POST", "/feedback", feedback, key)

    def withdraw(self, feedback_id: str, voice: Json | None = None, key: str | None = None) -> Json:
        """Take feedback back."""
        return self._send(
            "POST", f"/feedback/{feedback_id}/withdrawal", {"voice": voice} if voice else {}, key
        )

    def put_ballot(self, topic_id: str, ballot: Json, key: str | None = None) -> Json:
        """One ballot, or `{"ballots": [...]}`."""
        return self._send("POST", f"/topics/{topic_id}/ballots", ballot, key)

    def put_reaction(self, feedback_id: str, reaction: Json, key: str | None = None) -> Json:
        """What somebody thinks of a neighbour's opinion."""
        return self._send("POST", f"/feedback/{feedback_id}/reactions", reaction, key)

    def put_reply(self, feedback_id: str, reply: Json, key: str | None = None) -> Json:
        """Answer feedback."""
        return self._send("POST", f"/feedback/{feedback_id}/replies", reply, key)

    def put_link(self, account: str, code: str, key: str | None = None) -> Json:
        """Say by a code heard on the phone that an account is that caller."""
        return self._send("POST", "/links", {"account": account, "code": code}, key)

    def drop_link(self, link_id: str, key: str | None = None) -> None:
        """Undo a link; everything is counted as if it had not been."""
        self._send("DELETE", f"/links/{link_id}", None, key)

    # --- how ---
    def _page(self, cursor: str, wait: int = 0) -> Json:
        asked = urlencode({"cursor": cursor, "limit": _PAGE, "wait": wait})
        return _parsed(self._ask("GET", f"/changes?{asked}", wait=wait)[0])

    def _everything(self, cursor: str) -> Iterator[Event]:
        """All records as events; who reads on behind `cursor`, taken before, misses nothing."""
        yield _made(RESYNC, cursor, {"cursor": cursor}, self._base)
        for record, records in (
            ("topic", self.topics()),
            ("opinion", self.feedback()),
            ("progress", self.progress()),
        ):
            try:
                for data in records:
                    yield _made(f"cn.tingjian.{record}.updated", cursor, data, self._base)
            except Refused as refusal:
                if refusal.status != 403:  # what our scopes do not show is not part of everything
                    raise

    def _all(self, path: str, **narrowed_by: str) -> Iterator[Json]:
        asked: dict[str, Any] = {**narrowed_by, "limit": _PAGE}
        while True:
            page = _parsed(self._ask("GET", f"{path}?{urlencode(asked)}")[0])
            yield from page["items"]
            if not page["has_more"]:
                return
            asked["cursor"] = page["next_cursor"]

    def _get(self, path: str) -> Json:
        """One record, from memory where the API says that nothing has changed."""
        known = self._answers.get(path)
        content, tag = self._ask("GET", path, {"If-None-Match": known[0]} if known else {})
        if tag is None and known:
            return _parsed(known[1])
        if tag:
            self._answers[path] = tag, content
            while len(self._answers) > _KEPT_ANSWERS:
                self._answers.popitem(last=False)
        return _parsed(content)

    def _send(self, method: str, path: str, body: Json | None, key: str | None) -> Json:
        content = b"" if body is None else canonical(body)
        headers = {"Idempotency-Key": key or key_for(method, path, content)}
        if body is not None:
            headers["Content-Type"] = "application/json"
        return _parsed(self._ask(method, path, headers, content)[0])

    def _ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        wait: int = 0,
    ) -> tuple[bytes, str | None]:
        """The answer's body and its ETag, None where nothing has changed. Raises Refused, Away."""
        until, pause = time.monotonic() + self._patience_seconds, _FIRST_PAUSE_SECONDS
        while True:
            try:
                return self._ask_once(method, path, {**self._headers, **(headers or {})}, body, wait)
            except _Later as later:
                seconds = max(later.seconds, pause * random.uniform(0.5, 1.0))
                if time.monotonic() + seconds > until:
                    raise (later.refusal or Away(str(later))) from later
                self._rest(seconds)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _ask_once(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, wait: int
    ) -> tuple[bytes, str | None]:
        timeouts = (_TIMEOUTS[0], _TIMEOUTS[1] + wait)
        try:
            answer = self._session.request(
                method, self._base + path, data=body, headers=headers, timeout=timeouts, allow_redirects=False
            )
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
        ) as error:
            raise _Later(type(error).__name__) from error
        if answer.status_code == 304:
            return b"", None
        if 200 <= answer.status_code < 300:
            return answer.content, answer.headers.get("ETag", "")
        asked, refused = (
            answer.headers.get("Retry-After", ""),
            Refused(answer.status_code, _problem_of(answer)),
        )
        if answer.status_code in _TRY_AGAIN or (answer.status_code == 409 and asked):
            refusal = refused if answer.status_code < 500 else None
            raise _Later(str(answer.status_code), float(asked) if asked.isdigit() else 0.0, refusal)
        raise refused


class _Later(Exception):
    """The same call may succeed after so many seconds; `refusal` is what to say where that is too long."""

    def __init__(self, why: str, seconds: float = 0.0, refusal: Refused | None = None) -> None:
        super().__init__(why)
        self.seconds, self.refusal = seconds, refusal


def verify_webhook(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> Event:
    """The event a webhook tells of. Give all secrets that are good, while they are exchanged two.

    `body` is what came, untouched. Raises NotSigned unless one secret signed it within the last five minutes.
    """
    for secret in secrets:
        try:
            whole = Webhook(secret).verify(body, dict(headers))
        except (WebhookVerificationError, ValueError):  # a header or a body that is no such thing at all
            continue
        if isinstance(whole, dict):
            return Event.of(whole)
    raise NotSigned("no good signature")


def key_for(method: str, path: str, content: bytes) -> str:
    """The idempotency key that follows from a call: made again after a crash, it is the same."""
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), content))).hexdigest()


def canonical(body: Json) -> bytes:
    """The same bytes for the same body, whatever the order in which it was put together."""
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _made(type_of: str, cursor: str, data: Json, source: str) -> Event:
    subject = str(data.get("id", ""))
    return Event.of(
        {
            "specversion": "1.0",
            "id": f"{cursor}/{subject}",
            "source": source,
            "type": type_of,
            "subject": subject,
            "time": datetime.now(UTC).isoformat(),
            "data": data,
        }
    )


def _parsed(content: bytes) -> Json:
    found = json.loads(content) if content else {}
    if not isinstance(found, dict):
        raise ClientError("this is not an answer of the API")
    return found


def _problem_of(answer: requests.Response) -> Json:
    try:
        found = answer.json()
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"detail": answer.reason}
