"""A platform's own copy of what Tingjian shows, and the sending on of what its users give."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

# A platform of its own copies that one file beside this one: from tingjian_client import …
from sync.client import Away, Checkpoint, Client, Event, Refused

Json = dict[str, Any]
LOG = logging.getLogger("example")
SCHEMA = """
CREATE TABLE IF NOT EXISTS records (kind TEXT, id TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS stale (kind TEXT, id TEXT, PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS accounts (id TEXT PRIMARY KEY, name TEXT NOT NULL, number TEXT, seat INTEGER,
    is_linked INTEGER NOT NULL DEFAULT 0, UNIQUE (number, seat));
CREATE TABLE IF NOT EXISTS given (id TEXT PRIMARY KEY, account TEXT NOT NULL, kind TEXT NOT NULL,
    about TEXT NOT NULL, body TEXT NOT NULL, answer TEXT, problem TEXT);
"""


class Store:
    """What the platform keeps, in one SQLite file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self.open() as db:
            db.executescript(SCHEMA)

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """One transaction."""
        with closing(sqlite3.connect(self.path, timeout=10)) as db:
            db.row_factory = sqlite3.Row
            with db:
                yield db

    def records(self, kind: str) -> list[Json]:
        """Our copy of all topics or opinions."""
        with self.open() as db:
            return [
                json.loads(row["body"])
                for row in db.execute("SELECT body FROM records WHERE kind=?", (kind,))
            ]

    def keep(self, kind: str, record: Json) -> None:
        """Copy one record as it is now; what was taken back is deleted here too."""
        with self.open() as db:
            db.execute("DELETE FROM records WHERE kind=? AND id=?", (kind, record["id"]))
            if record.get("state") not in {"withdrawn", "erased", "deleted"}:
                db.execute("INSERT INTO records VALUES (?,?,?)", (kind, record["id"], json.dumps(record)))
            db.execute("DELETE FROM stale WHERE kind=? AND id=?", (kind, record["id"]))


class Mirror:
    """Keeps the copy fresh and sends on what was given, in a thread of its own."""

    def __init__(self, client: Client, store: Store, checkpoint: Checkpoint, look_seconds: float) -> None:
        self.client, self.store, self.checkpoint = client, store, checkpoint
        self.look_seconds = look_seconds  # between two pulls; a webhook makes it at once
        self.hurry = threading.Event()

    def run(self) -> None:
        """For ever. What fails is tried again: nothing that was given is only in memory."""
        while True:
            try:
                self.push()
                self.pull()
            except (Away, Refused) as error:
                LOG.warning("later: %s", error)
            self.hurry.wait(self.look_seconds)
            self.hurry.clear()

    def pull(self) -> None:
        """Take in every change. Counts and replies are part of a record: it is read again once, at the end.

        What is to be read again is written down first, so that dying in between loses nothing.
        """
        for event in self.client.changes(self.checkpoint):
            self.take_in(event)
        with self.store.open() as db:
            stale = db.execute("SELECT kind, id FROM stale").fetchall()
        for kind, record_id in stale:
            read = self.client.topic if kind == "topic" else self.client.one_feedback
            try:
                self.store.keep(kind, read(record_id))
            except Refused as refusal:
                if refusal.status != 404:
                    raise
                self.store.keep(kind, {"id": record_id, "state": "deleted"})

    def take_in(self, event: Event) -> None:
        """One change, written before the checkpoint moves on. An event that comes twice changes nothing."""
        if event.begins_anew:
            with self.store.open() as db:
                db.execute("DELETE FROM records")
        elif event.record in {"topic", "opinion"}:
            self.store.keep(event.record, event.data)
        else:
            with self.store.open() as db:
                for kind in ("topic", "opinion"):
                    if about := event.data.get(f"{kind}_id"):
                        db.execute("INSERT OR IGNORE INTO stale VALUES (?,?)", (kind, about))

    def push(self) -> None:
        """Send on all that Tingjian has not answered yet."""
        with self.store.open() as db:
            waiting = db.execute(
                "SELECT * FROM given WHERE answer IS NULL AND problem IS NULL ORDER BY rowid"
            ).fetchall()
        for row in waiting:
            self.push_one(row["id"], row["kind"], row["about"], json.loads(row["body"]))

    def push_one(self, given_id: str, kind: str, about: str, body: Json) -> None:
        """Send one on. The same bytes again have the same idempotency key: it counts once."""
        answer, problem = None, None
        try:
            match kind:
                case "ballot":
                    answer = self.client.put_ballot(about, body)
                case "feedback":
                    answer = self.client.put_feedback(body)
                case "reaction":
                    answer = self.client.put_reaction(about, body)
        except Refused as refusal:
            problem = refusal.detail or str(refusal.status)
        with self.store.open() as db:
            db.execute(
                "UPDATE given SET answer=?, problem=? WHERE id=?",
                (json.dumps(answer) if answer else None, problem, given_id),
            )
