"""What the loudspeakers played, heard again on the telephone: behind which key, item by item, and no more."""

from dataclasses import replace

import pytest

from ivr.dialogue.hearing_again import HEARD_AGAIN
from ivr.dialogue.sample import ANSWERED, EVENING, MORNING, sample_view
from ivr.dialogue.turns import Sound, Text
from ivr.dialogue.view import BroadcastItemView, BroadcastView, VoiceView
from tests.calls.phone import Phone

VIEW = replace(sample_view(), own=())


def asking(*broadcasts: BroadcastView) -> Phone:
    return Phone(replace(VIEW, broadcasts=broadcasts)).press("3")


def test_the_key_is_told_only_when_something_was_played_lately() -> None:
    assert asking().hears == ("progress.receipt", "progress.topics")
    assert asking(EVENING).hears == ("progress.receipt", "progress.topics", "progress.broadcast")
    assert asking().press("4").hears[0] == "menu.wrong_key"
    with_own = Phone(replace(VIEW, own=(ANSWERED,), broadcasts=(EVENING,))).press("3").press("9").press("3")
    assert len(with_own.hears) <= 4


def test_one_broadcast_is_read_straight_away_item_by_item() -> None:
    call = asking(EVENING).press("4")
    assert call.hears == ("broadcast.first", "broadcast.words", "broadcast.words")
    assert call.lines[1].values == {"words": Text("东巷口的八盏路灯，下个月三号开始装。")}
    assert call.place.memory[HEARD_AGAIN] == "pg_evening"
    call.press("#")
    assert call.hears == ("broadcast.next", "broadcast.words", "broadcast.words")
    assert call.lines[2].values == {"words": Text("我早上五点去买菜，盼着早点装上灯。")}
    call.press("*")
    assert call.hears == ("broadcast.next", "broadcast.words", "broadcast.words")
    call.press("9")
    assert call.hears[0] == "broadcast.first"
    assert call.press("9").hears[-1] == "progress.broadcast"


def test_who_waits_hears_all_of_it_and_is_asked_what_else() -> None:
    call = asking(EVENING).press("4").wait(2)
    assert call.at == "finish"


@pytest.mark.parametrize(("key", "programme"), [("1", "pg_evening"), ("2", "pg_morning"), ("", "pg_evening")])
def test_of_several_one_is_chosen_by_its_title_and_waiting_leads_to_the_newest(
    key: str, programme: str
) -> None:
    call = asking(EVENING, MORNING).press("4")
    assert list(call.hears) == ["broadcast.choose_1", "broadcast.choose_2"]
    assert call.lines[0].values == {"title": Text("路灯定下来了")}
    call.press(key) if key else call.until("broadcast.1.item.1", Phone.wait)
    assert call.hears[0] == "broadcast.first"
    assert call.place.memory[HEARD_AGAIN] == programme


def test_a_voice_that_was_taken_back_is_passed_by_and_the_rest_keeps_its_place() -> None:
    mine, other = VoiceView("op_1", ""), VoiceView("op_2", "灯罩要朝下。", "rec_2")
    items = (BroadcastItemView(("甲说。",), mine), BroadcastItemView(("乙说。",), other))
    call = asking(BroadcastView("pg_voices", "邻居怎么说", items)).press("4")
    assert call.at == "broadcast.item.2"
    assert call.hears == ("broadcast.first", "broadcast.words", "broadcast.own")
    assert call.lines[-1].values == {"sound": Sound("rec_2")}
