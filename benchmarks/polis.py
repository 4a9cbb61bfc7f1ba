"""Whole Polis conversations given again, shuffled, a third of it twice, to workers that are killed at random.

A comment is an opinion, a vote a reaction to it. Polis publishes every vote and the matrix of the last ones:
the records have to come to exactly that matrix (compdemocracy.org/polis, data under CC BY 4.0).
"""

from __future__ import annotations

import csv
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import func, insert, make_url, select

from sync.archive import Archive
from sync.inbox import Given, is_waiting, keep_all
from sync.records.tables import Capture, Community, Opinion, Person, Reaction, Topic

CHOICES = {1: "agree", -1: "disagree", 0: "pass"}
COMMUNITY, TOPIC = "cm_polis", "tp_polis"
TWICE = 0.3  # the share of votes that arrive a second time
_PORTION = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PATIENCE_SECONDS = 900.0

Matrix = dict[tuple[str, str], int]  # by (voter, comment)


@dataclass(frozen=True)
class Vote:
    """One line of votes.csv: `n` is its place there, which decides between votes of one millisecond."""

    n: int
    milliseconds: int
    comment: str
    voter: str
    vote: int


@contextmanager
def archive_on(server_url: str, name: str, home: Path) -> Iterator[Archive]:
    """An archive in a fresh database of a PostgreSQL server, closed afterwards."""
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = make_url(server_url).set(database=name).render_as_string(hide_password=False)
    archive = Archive.open(url, home)
    try:
        archive.database.create()
        yield archive
    finally:
        archive.close()


def read_votes(folder: Path) -> list[Vote]:
    """All votes of a published conversation."""
    with (folder / "votes.csv").open(encoding="utf-8", newline="") as file:
        return [
            Vote(n, int(row["timestamp"]), row["comment-id"], row["voter-id"], int(row["vote"]))
            for n, row in enumerate(csv.DictReader(file))
        ]


def read_matrix(folder: Path) -> Matrix:
    """The matrix of a published conversation: what each participant voted last on each comment."""
    with (folder / "participants-votes.csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["participant"], comment): int(vote)
            for row in csv.DictReader(file)
            for comment, vote in row.items()
            if comment.isdigit() and vote
        }


def last_votes(votes: Sequence[Vote]) -> Matrix:
    """The same matrix from the votes alone: the last by its timestamp."""
    ordered = sorted(votes, key=lambda one: (one.milliseconds, one.n))
    return {(one.voter, one.comment): one.vote for one in ordered}


def found(archive: Archive, votes: Sequence[Vote]) -> None:
    """The community, the topic, its comments as opinions, and everybody who votes."""
    now = datetime.now(UTC)
    with archive.database.begin() as session:
        session.add(
            Community(id=COMMUNITY, name="Polis", dialled_number="+8657100000009", created_at=now)
        )  # fmt: skip
        session.flush()
        key_id = archive.keyring.new_key(session)
        session.add(
            Topic(
                id=TOPIC, community_id=COMMUNITY, owner="desk", title="Polis", text="Polis", state="open",
                created_at=now,
            )
        )  # fmt: skip
        session.flush()
        voters, comments = sorted({one.voter for one in votes}), sorted({one.comment for one in votes})
        people = [
            {"id": f"per_{name}", "community_id": COMMUNITY, "seat": 1, "key_id": key_id, "created_at": now}
            for name in (*voters, "author")
        ]
        session.execute(insert(Person), people)
        alike = {
            "community_id": COMMUNITY, "person_id": "per_author", "topic_id": TOPIC, "source": "polis",
            "channel": "web", "evidence": "none", "kind": "opinion", "state": "approved", "said_at": now,
        }  # fmt: skip
        opinions = [alike | {"id": f"op_{one}", "source_id": f"comment {one}"} for one in comments]
        session.execute(insert(Opinion), opinions)


def replay(archive: Archive, votes: Sequence[Vote], home: Path, kills: int, seed: int = 7) -> None:
    """Give all votes in no order, `TWICE` of them twice, to workers of which so many are killed."""
    dice = random.Random(seed)
    given = [*votes, *dice.sample(votes, int(len(votes) * TWICE))]
    dice.shuffle(given)
    portions = [given[start : start + _PORTION] for start in range(0, len(given), _PORTION)]
    url = archive.database.url.render_as_string(hide_password=False)
    for _ in range(kills):
        with _worker(url, home) as worker:
            if portions:
                keep(archive, portions.pop())
            time.sleep(dice.uniform(0.0, 0.25))  # anywhere in its work
            worker.kill()  # SIGKILL
    with _worker(url, home):
        for portion in portions:
            keep(archive, portion)
        _wait_until_settled(archive)


def matrix(archive: Archive) -> Matrix:
    """What the records come to."""
    votes = {choice: vote for vote, choice in CHOICES.items()}
    with archive.database.read() as session:
        rows = session.execute(select(Reaction.person_id, Reaction.opinion_id, Reaction.choice)).all()
    return {
        (person_id.removeprefix("per_"), opinion_id.removeprefix("op_")): votes[choice]
        for person_id, opinion_id, choice in rows
    }


def outcomes(archive: Archive) -> Mapping[str, int]:
    """How many captures came to which state."""
    with archive.database.read() as session:
        rows = session.execute(select(Capture.state, func.count()).group_by(Capture.state))
        return dict(iter(rows))


def keep(archive: Archive, votes: Sequence[Vote]) -> None:
    """Put votes in the inbox."""
    with archive.database.begin() as session:
        keep_all(session, [_given(one) for one in votes], datetime.now(UTC))


def _given(vote: Vote) -> Given:
    return Given(
        source="polis",
        source_id=f"{vote.n:09}",
        community_id=COMMUNITY,
        person_id=f"per_{vote.voter}",
        kind="reaction",
        topic_id=None,
        payload={"opinion_id": f"op_{vote.comment}", "choice": CHOICES[vote.vote]},
        channel="web",
        evidence="none",
        is_practice=False,
        cast_at=_EPOCH + timedelta(milliseconds=vote.milliseconds),
    )


@contextmanager
def _worker(url: str, home: Path) -> Iterator[subprocess.Popen[str]]:
    """A worker in a process of its own, at work; killed afterwards if it is still there."""
    command = [sys.executable, "-m", "benchmarks.settler", url, str(home), "200"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("the worker did not start")
        yield process
    finally:
        process.kill()
        process.wait(30)


def _wait_until_settled(archive: Archive) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        with archive.database.read() as session:
            if not is_waiting(session):
                return
        time.sleep(0.05)
    raise RuntimeError("the worker never came to an end")
