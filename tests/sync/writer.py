"""A platform that writes: every call with a key of its own unless told which, the worker run by hand."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from sync.api import create_api
from sync.archive import Archive
from sync.platforms import SCOPES, add_platform
from sync.settle import settle_batch
from sync.waking import Queue
from sync.words import transcribe_opinion
from tests.sync.voices import Parrot

ALL_BUT_ATTESTING = tuple(sorted(set(SCOPES) - {"numbers:attest"}))
_keys = itertools.count(1)


class Told:
    """A queue that only remembers what it was asked for."""

    def __init__(self) -> None:
        self.jobs: list[str] = []

    def put(self, job: str, **arguments: str) -> bool:
        self.jobs.append(" ".join([job, *arguments.values()]))
        return True


@dataclass
class Writer:
    """One platform with its key, before an app on an archive."""

    archive: Archive
    client: FlaskClient
    key: str
    id: str
    now: list[datetime] = field(default_factory=list)

    def send(self, method: str, path: str, body: Any, **headers: str) -> Any:
        """One write; `key` names its Idempotency-Key."""
        key = headers.pop("key", None) or f"key-{next(_keys)}"
        told = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": key, **headers}
        return self.client.open(f"/api/v1{path}", method=method, json=body, headers=told)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        return self.send("PATCH", path, body, **headers)

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {self.key}"})

    def topic(self, **fields: Any) -> str:
        """A topic of this platform, worded for the phone; its id."""
        body = {
            "title": "小区的路灯",
            "text": "要不要换新的路灯？",
            "spoken_title": "小区的路灯",
            "spoken_background": "路灯坏了三盏。",
        }
        answer = self.post("/topics", body | fields)
        assert answer.status_code == 201, answer.get_json(force=True)
        return str(answer.get_json()["id"])

    def feedback(self, text: str = "路灯坏了，晚上看不见路", **fields: Any) -> str:
        """Something a resident wrote here; our id of it."""
        answer = self.post("/feedback", {"id": "f1", "voice": {"account": "li"}, "text": text} | fields)
        assert answer.status_code == 202, answer.get_json(force=True)
        return str(answer.get_json()["id"])

    def work(self) -> None:
        """What the worker does: captures become records, written words are read."""
        while (done := settle_batch(self.archive)).taken:
            for opinion_id in done.opinions:
                transcribe_opinion(self.archive, opinion_id, Parrot, lambda: datetime.now(UTC))


def app_on(archive: Archive, told: Queue, now: list[datetime]) -> Flask:
    """The API alone. Its clock shows the last of `now`, or the time where that is empty."""
    app = Flask("test")
    clock = lambda: now[-1] if now else datetime.now(UTC)  # noqa: E731
    app.register_blueprint(create_api(archive, clock, calls_a_minute=100_000, queue=told))
    return app


def enter(
    archive: Archive, app: Flask, community_id: str, *scopes: str, now: list[datetime] | None = None
) -> Writer:
    """A platform in the community; with every scope but vouching for numbers, unless told which."""
    with archive.database.begin() as session:
        platform, key = add_platform(session, community_id, "online", scopes or ALL_BUT_ATTESTING)
    return Writer(archive, app.test_client(), key, platform.id, now if now is not None else [])


def is_problem(answer: Any, status: int, names: str = "") -> bool:
    """Whether it is a refusal of that status whose sentence names something."""
    body = answer.get_json(force=True)
    told = (answer.status_code, answer.mimetype, body.get("status"))
    return told == (status, "application/problem+json", status) and names in body["detail"]


def minutes(n: float) -> str:
    """So many minutes from now, as a platform writes it."""
    return (datetime.now(UTC) + timedelta(minutes=n)).isoformat()
