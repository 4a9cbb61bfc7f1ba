"""One person on the phone and in an account: a code is heard, what was voted there is known here."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from sync.accounts import voice_of
from sync.archive import Archive
from sync.inbox import Given, keep
from sync.links import Link, redeem_code
from sync.platforms import add_platform
from sync.records.tables import Ballot, Community, LinkCode, Topic
from sync.settle import settle_batch
from tests.web.conftest import call_of
from tests.web.platform import Platform

Phone = Callable[..., Platform]


@pytest.fixture
def platform_id(archive: Archive, community: Community) -> str:
    with archive.database.begin() as session:
        return add_platform(session, community.id, "小程序", ["links:write"])[0].id


def account(archive: Archive, community: Community, platform_id: str) -> str:
    with archive.database.begin() as session:
        return voice_of(session, archive, platform_id, community.id, "openid-1", None).person_id


def hear_code(call: Platform, archive: Archive) -> str:
    """From the greeting to the end of the call's menus, and the code that is said there."""
    call.begin().press("3").press("3").press("#")
    while call_of(archive, call.sid).place["step"] != "finish":
        call.wait()
    call.press("3")
    assert call_of(archive, call.sid).place["step"] == "link.code", call.raw
    return str(call_of(archive, call.sid).place["memory"]["code"])


def linked(archive: Archive, community: Community, platform_id: str, code: str) -> str:
    """The account that has typed the code."""
    web = account(archive, community, platform_id)
    with archive.database.begin() as session:
        now = datetime.now(UTC)
        made = redeem_code(session, archive, community.id, web, code, now, platform_id)
    assert isinstance(made, Link)
    return web


def vote_there(archive: Archive, community: Community, person_id: str, platform_id: str) -> None:
    now = datetime.now(UTC)
    given = Given(
        platform_id, "b1", community.id, person_id, "ballot", "tp_road", {"choice": "disagree"}, "web",
        "linked", False, now,
    )  # fmt: skip
    with archive.database.begin() as session:
        assert keep(session, given, now)


def test_a_vote_in_the_account_is_changed_on_the_phone(
    phone: Phone, archive: Archive, community: Community, platform_id: str
) -> None:
    web = linked(archive, community, platform_id, hear_code(phone(), archive))
    vote_there(archive, community, web, platform_id)
    again = phone().begin().press("1").wait()
    assert "这部电话已经表过态了" in again.said
    again.press("1").press("1")
    while settle_batch(archive).taken:
        pass
    with archive.database.read() as session:
        (ballot,) = session.scalars(select(Ballot).where(Ballot.topic_id == "tp_road"))
    assert (ballot.choice, ballot.channel) == ("agree", "phone")


def test_the_code_is_spoken_twice_and_kept_as_a_digest(
    phone: Phone, archive: Archive, platform_id: str
) -> None:
    call = phone()
    code = hear_code(call, archive)
    assert len(re.findall(r"[0-9幺零一二三四五六七八九]", call.said)) >= 2 * len(code)
    with archive.database.read() as session:
        assert [code in row.digest for row in session.scalars(select(LinkCode))] == [False]
    call.press("#")
    assert call_of(archive, call.sid).place["memory"]["code"] == ""


def test_no_platform_no_code(phone: Phone, archive: Archive) -> None:
    call = phone().begin().press("3").press("3").press("#")
    while call_of(archive, call.sid).place["step"] != "finish":
        call.wait()
    assert "手机上也参加" not in call.said
    assert call_of(archive, call.press("3").sid).place["step"] == "finish"


def test_the_result_so_far_is_told_to_who_has_voted(
    phone: Phone, archive: Archive, topics: list[str]
) -> None:
    with archive.database.begin() as session:
        session.execute(update(Topic).where(Topic.id == topics[0]).values(rules={"results": "voted"}))
    call = phone().begin().press("1").wait().press("#").press("4")
    assert "您自己先选好了" in call.said
    call.press("3").press("1")
    while settle_batch(archive).taken:
        pass
    call.press("4")
    assert "同意的人，一共有 1 位" in call.said
