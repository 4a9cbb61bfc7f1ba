"""Words taken back while a call goes on: they are said no more, and the call goes on."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from ivr import conversation
from sync.archive import Archive
from sync.community_settings import change_setting
from sync.erase import erase_person, withdraw_opinion
from sync.inbox import Given, keep
from sync.people import find_or_create_number, person_at
from sync.records.tables import Call, CallTurn, Capture, Community, Opinion, SharedView
from sync.settle import settle_batch
from tests.prompts.rich import CALLER, enrich
from tests.web.conftest import call_of, kept
from tests.web.platform import Platform, open_app

STRANGER = "+8613800007777"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether words were taken back is asked at every turn."""
    monkeypatch.setattr(conversation, "UNSAID_SECONDS", 0.0)


@pytest.fixture
def rich(any_archive: Archive, any_community: Community) -> Archive:
    enrich(any_archive, any_community)
    return any_archive


def call(archive: Archive, caller: str = STRANGER) -> Platform:
    return Platform(open_app(archive).test_client(), caller=caller).begin()


def another_process(archive: Archive, call: Platform) -> None:
    """From now on the call is answered by a web process that knows nothing of it."""
    call.client = open_app(archive).test_client()


def to_first_neighbour(call: Platform) -> list[str]:
    """To the question what one thinks of the first neighbour; the opinions of all, in order."""
    call.press("1").wait().press("1").press("1")
    voices = str(call.said)
    call.wait()
    return [name for name in ("甲", "乙", "丙") if f"{name}的话" in voices]


def order_of_neighbours(archive: Archive, call: Platform) -> list[str]:
    """The opinions of the first topic as this call hears them."""
    with archive.database.read() as session:
        shared = session.get_one(SharedView, call_of(archive, call.sid).view["shared"]).content
    return [voice["opinion_id"] for voice in shared["topics"][0]["voices"]]


def words_of(opinion_id: str) -> str:
    return f"{opinion_id.removeprefix('op_')}的话"


def test_no_stored_view_holds_anybodys_words(rich: Archive) -> None:
    call(rich)
    call(rich, CALLER)
    with rich.database.read() as session:
        views: list[Any] = [*session.scalars(select(SharedView.content)), *session.scalars(select(Call.view))]
    stored = json.dumps(views, ensure_ascii=False)
    assert "op_甲" in stored
    assert "op_我一" in stored
    assert "的话" not in stored
    assert "的答复" not in stored


@pytest.mark.parametrize("is_moved", [False, True])
def test_who_stands_at_a_vanished_voice_answers_nobody_else(rich: Archive, is_moved: bool) -> None:
    phone = call(rich)
    first, second, _ = order_of_neighbours(rich, phone)
    assert to_first_neighbour(phone) == [first.removeprefix("op_")]
    withdraw_opinion(rich, first, "staff")
    if is_moved:
        another_process(rich, phone)
    phone.press("1")
    assert words_of(second) in phone.said
    assert "reaction" not in [kind for kind, _ in kept(rich)]
    phone.wait().press("1")
    with rich.database.read() as session:
        reacted = session.scalars(select(Capture).where(Capture.kind == "reaction")).one()
    assert reacted.payload["opinion_id"] == second


def test_nobody_comes_to_words_taken_back_a_moment_ago(rich: Archive) -> None:
    phone = call(rich)
    first, second, third = order_of_neighbours(rich, phone)
    phone.press("1").wait().press("1")
    withdraw_opinion(rich, first, "staff")
    withdraw_opinion(rich, second, "staff")
    phone.press("1")
    assert words_of(third) in phone.said
    assert words_of(first) not in phone.raw


def test_where_all_neighbours_are_gone_they_are_not_offered(rich: Archive) -> None:
    phone = call(rich)
    for opinion_id in order_of_neighbours(rich, phone):
        withdraw_opinion(rich, opinion_id, "staff")
    phone.press("1").wait().press("1")
    assert "听听邻居怎么说" not in phone.said
    phone.wait_until("Record")


def test_words_that_are_no_longer_released_are_said_no_more(rich: Archive) -> None:
    phone = call(rich)
    first, second, _ = order_of_neighbours(rich, phone)
    phone.press("1").wait().press("1")
    with rich.database.begin() as session:
        opinion = session.get_one(Opinion, first)
        speaker, community_id = opinion.person_id, opinion.community_id
    release(rich, speaker, community_id, first, "none")
    phone.press("1")
    assert words_of(first) not in phone.raw
    assert words_of(second) in phone.said


def release(archive: Archive, person_id: str, community_id: str, opinion_id: str, how: str) -> None:
    """The speaker says so through a platform, which also told of the opinion."""

    def given(kind: str, payload: dict[str, object]) -> Given:
        return Given(
            source="web", source_id=kind, community_id=community_id, person_id=person_id, kind=kind,
            topic_id="tp_电梯", payload=payload, channel="web", evidence="caller_id", is_practice=False,
            cast_at=datetime.now(UTC),
        )  # fmt: skip

    with archive.database.begin() as session:
        now = datetime.now(UTC)
        keep(session, given("opinion", {"opinion_id": opinion_id, "recordings": [], "kind": "opinion"}), now)
        keep(session, given("release", {"opinion_id": opinion_id, "release": how}), now)
    settle_batch(archive)
    with archive.database.read() as session:
        assert session.get_one(Opinion, opinion_id).release == how


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_reply_taken_back_while_its_owner_listens_is_passed_by(rich: Archive, turns: int) -> None:
    phone = call(rich, CALLER)
    phone.press("3").wait(turns - 1)  # to the matter, its reply, the question whether it satisfies
    for name in ("我一", "我二"):
        withdraw_opinion(rich, f"op_{name}", "staff")
    another_process(rich, phone)
    phone.press("1")
    assert "的答复" not in phone.raw
    assert phone.waits == "Gather"
    assert "satisfaction" not in [kind for kind, _ in kept(rich)]


def test_a_typed_receipt_after_which_the_reply_goes(rich: Archive) -> None:
    phone = call(rich, CALLER).press("3")
    while "受理号" not in phone.said:
        phone.press("#")
    with rich.database.begin() as session:
        row = session.scalars(select(Call)).one()
        row.place = {**row.place, "step": "receipt", "said": []}
    phone.press("12345674#")
    assert call_of(rich, phone.sid).place["memory"]["reply"] == "我一的答复。"
    withdraw_opinion(rich, "op_我一", "staff")
    assert call_of(rich, phone.sid).place["memory"]["reply"] == ""
    phone.wait()
    assert phone.waits == "Gather"


def test_a_caller_who_is_erased_while_talking_hears_a_goodbye(rich: Archive) -> None:
    phone = call(rich, CALLER).press("1")
    with rich.database.begin() as session:
        number = find_or_create_number(session, rich, "cm_test", CALLER)
        person_id = person_at(session, rich, "cm_test", number).id
    erase_person(rich, person_id, "staff")
    phone.wait()
    assert phone.waits == "Hangup"
    assert "再见" in phone.said
    assert phone.end().status_code == 204
    with rich.database.read() as session:
        assert session.scalars(select(CallTurn)).all() == []


def test_what_was_spelt_out_is_emptied_when_the_call_ends(rich: Archive) -> None:
    phone = call(rich)
    to_first_neighbour(phone)
    with rich.database.read() as session:
        assert any("的话" in answer for answer in session.scalars(select(CallTurn.answer)))
    phone.end()
    with rich.database.read() as session:
        answers = session.scalars(select(CallTurn.answer)).all()
    assert answers
    assert not any("<Say" in answer for answer in answers)


def test_a_web_process_asks_again_after_two_seconds_at_most(
    rich: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "UNSAID_SECONDS", 2.0)
    clock = [1000.0]
    monkeypatch.setattr(conversation, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    phone = call(rich)
    first, second, _ = order_of_neighbours(rich, phone)
    phone.press("1").wait().press("1")
    withdraw_opinion(rich, first, "staff")
    clock[0] += 2.1
    phone.press("1")
    assert words_of(first) not in phone.raw
    assert words_of(second) in phone.said


def test_settings_do_not_make_a_call_forget(rich: Archive) -> None:
    phone = call(rich)
    phone.press("1").wait()
    with rich.database.begin() as session:
        change_setting(session, "cm_test", "keep_months", 6, "staff")
    another_process(rich, phone)
    phone.press("1")
    assert ("ballot", "agree") in kept(rich)
