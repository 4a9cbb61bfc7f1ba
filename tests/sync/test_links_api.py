"""A code heard on the phone and typed into an account, through the platforms' door."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from sync.api import create_api
from sync.archive import Archive
from sync.links import WRONG_AN_HOUR, issue_code
from sync.platforms import add_platform
from sync.records.tables import Account, Audit, Ballot, Community, LinkCode
from tests.sync.village import COMMUNITY, Village, at

NOW = at(5_000)


class Mini:
    """A platform that links accounts."""

    def __init__(self, archive: Archive, scopes: tuple[str, ...] = ("links:write",)) -> None:
        self.archive, self.now, self.calls = archive, NOW, 0
        with archive.database.begin() as session:
            self.id, self.key = _added(session, scopes)
        app = Flask(__name__)
        app.register_blueprint(create_api(archive, clock=lambda: self.now))
        self.client: FlaskClient = app.test_client()

    def link(self, account: str, code: str, key: str = "") -> Any:
        self.calls += 1
        body, headers = {"account": account, "code": code}, self._headers(key or f"k{self.calls}")
        return self.client.post("/api/v1/links", json=body, headers=headers)

    def unlink(self, link_id: str) -> Any:
        return self.client.delete(f"/api/v1/links/{link_id}", headers=self._headers("d"))

    def _headers(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}", "Idempotency-Key": key}


def _added(session: Any, scopes: tuple[str, ...]) -> tuple[str, str]:
    platform, key = add_platform(session, COMMUNITY, "小程序", scopes)
    return platform.id, key


@pytest.fixture
def village(archive: Archive, community: Community) -> Village:
    village = Village(archive)
    village.topic()
    return village


def heard(village: Village, person_id: str) -> str:
    """The code that a caller hears."""
    with village.archive.database.begin() as session:
        code = issue_code(session, village.archive, person_id, NOW)
    assert code is not None
    return code


def test_an_account_that_types_the_code_is_the_caller_from_then_on(village: Village) -> None:
    mini, caller = Mini(village.archive), village.person()
    answer = mini.link("openid-1", heard(village, caller))
    assert answer.status_code == 201
    assert answer.json["how"] == "code"
    with village.archive.database.read() as session:
        account = session.scalars(select(Account)).one().person_id
    village.keep(village.ballot(caller, "agree", 1, "1"), village.ballot(account, "pass", 2, "2"))
    village.settle()
    assert ballots(village) == 1
    undone = mini.unlink(answer.json["id"])
    assert (undone.status_code, undone.json["undone_at"]) == (200, NOW.isoformat())
    assert ballots(village) == 2


def test_the_same_call_again_gets_the_same_answer(village: Village) -> None:
    mini, code = Mini(village.archive), heard(village, village.person())
    first, again = (mini.link("openid-1", code, key="once") for _ in range(2))
    assert first.data == again.data
    assert first.status_code == again.status_code == 201


def test_wrong_codes_are_counted_though_they_are_refused(village: Village) -> None:
    mini, code = Mini(village.archive), heard(village, village.person())
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    statuses = [mini.link("openid-1", wrong).status_code for _ in range(WRONG_AN_HOUR)]
    assert statuses == [404] * WRONG_AN_HOUR
    locked = mini.link("openid-1", code)
    assert (locked.status_code, locked.headers.get("Retry-After")) == (429, "3600")
    assert mini.link("openid-2", code).status_code == 201
    with village.archive.database.read() as session:
        assert session.scalar(select(func.count(LinkCode.digest))) == 0
        told = [f"{row.subject} {row.reason} {row.details}" for row in session.scalars(select(Audit))]
    assert not any(digits in line for digits in (code, wrong) for line in told)


def test_a_code_is_too_old_after_ten_minutes(village: Village) -> None:
    mini, code = Mini(village.archive), heard(village, village.person())
    mini.now = NOW + timedelta(minutes=10)
    assert mini.link("openid-1", code).status_code == 404


def test_two_who_share_a_telephone_are_not_made_one(village: Village) -> None:
    mini = Mini(village.archive)
    first, second = (heard(village, village.person(seat=seat)) for seat in (1, 2))
    assert mini.link("openid-1", first).status_code == 201
    assert mini.link("openid-1", second).status_code == 409


def test_only_who_made_a_link_undoes_it_and_only_with_the_scope(village: Village) -> None:
    mini, other = Mini(village.archive), Mini(village.archive)
    link_id = mini.link("openid-1", heard(village, village.person())).json["id"]
    assert other.unlink(link_id).status_code == 404
    assert Mini(village.archive, ("topics:read",)).unlink(link_id).status_code == 403
    assert mini.unlink("lnk_none").status_code == 404


@pytest.mark.parametrize("code", ["12345", "1234567", "12345a", "１２３４５６"])
def test_what_is_no_code_is_not_looked_up(village: Village, code: str) -> None:
    assert Mini(village.archive).link("openid-1", code).status_code == 422
    with village.archive.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Account)) == 0


def ballots(village: Village) -> int:
    with village.archive.database.read() as session:
        return session.scalar(select(func.count(Ballot.id))) or 0
