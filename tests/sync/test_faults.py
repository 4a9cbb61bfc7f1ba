"""Clocks that jump, workers there are two of, disks that fill up: nothing is lost, nothing counts twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import event, func, select, text
from sqlalchemy.engine.interfaces import DBAPIConnection

from sync.api import create_api
from sync.archive import Archive
from sync.errors import RecordsUnavailable
from sync.links import issue_code, join
from sync.platforms import add_platform
from sync.records.tables import Ballot, Capture, Change, Community, Link, LinkCode
from sync.settle import settle_batch
from tests.sync.village import COMMUNITY, Village, at


@pytest.fixture
def village(any_archive: Archive, any_community: Community) -> Village:
    """A village with a road, on either database."""
    village = Village(any_archive)
    village.topic(closes_at=at(50))
    return village


def standing(village: Village) -> list[tuple[str, str]]:
    with village.archive.database.read() as session:
        return sorted((row.person_id, row.choice) for row in session.scalars(select(Ballot)))


def test_a_clock_that_jumps_back_changes_no_count(village: Village) -> None:
    """Ballots are ordered as they were cast; who is who on a topic that is over, as it was at its close."""
    one, two = village.person(), village.person(None)
    village.keep(village.ballot(one, "agree", 10, "1"), village.ballot(two, "agree", 11, "2"))
    settle_batch(village.archive, now=at(60))
    with village.archive.database.begin() as session:
        assert isinstance(join(session, village.archive, (one, two), "code", "phone", at(61)), Link)
    village.keep(village.ballot(one, "pass", 9, "3"), village.ballot(two, "disagree", 12, "4"))
    settle_batch(village.archive, now=at(5))  # an hour back, before the close
    assert standing(village) == sorted([(one, "agree"), (two, "disagree")])


def test_a_clock_that_jumps_back_gives_no_more_codes(village: Village) -> None:
    person = village.person()
    with village.archive.database.begin() as session:
        given = [issue_code(session, village.archive, person, at(600 - n * 30)) for n in range(7)]
    assert [code is not None for code in given] == [True] * 5 + [False] * 2


def test_two_workers_on_the_same_captures_count_each_once(village: Village) -> None:
    people = [village.person(f"+86138000001{n:02}") for n in range(12)]
    village.keep(*(village.ballot(who, "agree", n, f"{n}-{who}") for n in range(8) for who in people))
    url = village.archive.database.url.render_as_string(hide_password=False)
    other = Archive.open(url, village.archive.recordings.folder.parent)
    start, failures = threading.Barrier(2), list[BaseException]()

    def work(archive: Archive) -> None:
        start.wait()
        try:
            while settle_batch(archive, 7, now=at(60)).taken:
                pass
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(one,)) for one in (village.archive, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    village.settle()
    assert not failures
    assert standing(village) == sorted((who, "agree") for who in people)
    with village.archive.database.read() as session:
        created = select(func.count(Change.id)).where(Change.act == "created", Change.record == "ballot")
        assert session.scalar(created) == len(people)
        assert set(session.scalars(select(Capture.state))) == {"merged"}


@pytest.mark.parametrize("channel", ["phone", "web", "paper"])
def test_what_comes_late_is_kept_and_told_on_every_channel(village: Village, channel: str) -> None:
    who = village.person()
    village.keep(
        village.ballot(who, "agree", 49, "1", channel=channel),
        village.ballot(who, "disagree", 50, "2", channel=channel),
    )
    village.settle()
    assert standing(village) == [(who, "agree")]
    with village.archive.database.read() as session:
        late = session.scalars(select(Capture).where(Capture.source_id == "2")).one()
    assert (late.state, late.problem) == ("late", "after_close")


@contextmanager
def full_disk(archive: Archive) -> Iterator[None]:
    """No more pages for the records' file, whichever connection asks."""
    with archive.database.begin() as session:
        pages = session.scalar(text("PRAGMA page_count"))

    def bound(connection: DBAPIConnection, *_: object) -> None:
        connection.cursor().execute(f"PRAGMA max_page_count={pages}")

    event.listen(archive.database.engine, "checkout", bound)
    yield
    pages = 1_000_000


def test_a_full_disk_stops_settling_and_loses_nothing(archive: Archive, community: Community) -> None:
    village = Village(archive)
    village.topic()
    people = [village.person(f"+86138000001{n:02}") for n in range(99)]
    for n in range(5):
        village.keep(*(village.ballot(who, "agree", n, f"{n}-{who}") for who in people))
    with full_disk(archive):
        with pytest.raises(RecordsUnavailable):
            settle_batch(archive, now=at(60))
        assert standing(village) == []
    while village.settle().taken:
        pass
    assert len(standing(village)) == len(people)
    with archive.database.read() as session:
        assert session.scalar(select(func.count(Capture.id)).where(Capture.state == "merged")) == 5 * len(
            people
        )


def test_a_full_disk_is_a_503_that_spends_no_code(archive: Archive, community: Community) -> None:
    village = Village(archive)
    caller = village.person()
    with archive.database.begin() as session:
        code = issue_code(session, archive, caller, at(0))
        _, key = add_platform(session, COMMUNITY, "小程序", ["links:write"])
    app = Flask(__name__)
    app.register_blueprint(create_api(archive, clock=lambda: at(1)))
    client, away, wrong = app.test_client(), None, f"{(int(code or 0) + 1) % 10**6:06d}"
    with full_disk(archive):
        for n in range(50):  # what is written at first still fits into pages there are
            asked = {"account": f"openid-{n}" * 20, "code": wrong}
            headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"{n}"}
            away = client.post("/api/v1/links", json=asked, headers=headers)
            if away.status_code != 404:
                break
    assert away is not None
    assert (away.status_code, int(away.headers["Retry-After"]) > 0) == (503, True)
    with archive.database.read() as session:
        assert session.scalar(select(func.count(LinkCode.digest))) == 1
    assert client.post("/api/v1/links", json=asked | {"code": code}, headers=headers).status_code == 201
