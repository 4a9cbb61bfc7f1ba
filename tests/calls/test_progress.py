"""What became of it: own opinions, private replies, typed receipts, satisfaction, topics."""

from dataclasses import replace

import pytest

from ivr.dialogue.keeps import KeepHeard, KeepSatisfaction
from ivr.dialogue.sample import ANSWERED, PRIVATE, WAITING, sample_view
from ivr.dialogue.turns import GatherKeys, Text, Told
from ivr.dialogue.view import OwnView
from tests.calls.phone import Phone

VIEW = sample_view()
OWN = Told("own", {"opinion_id": "op_9", "stage": "answered", "reply": "修好了。"})


def asking(*own: OwnView) -> Phone:
    return Phone(replace(VIEW, own=own)).press("3")


def test_own_opinions_are_found_by_the_number_that_calls() -> None:
    call = asking(WAITING).press("1")
    assert call.hears == ("own.about", "stage.assigned")
    assert call.lines[0].values == {"title": Text("东巷口要不要装路灯")}
    assert call.wait().hears[0] == "news.topics"


def test_a_reply_is_read_marked_as_heard_and_asked_about() -> None:
    call = asking(ANSWERED).press("1").wait()
    assert call.hears == ("reply.here", "reply.words")
    assert call.kept == []
    call.wait()
    assert call.kept == [KeepHeard("op_ramp")]
    assert call.hears == ("reply.satisfied_or_not",)


def test_a_reply_broken_off_in_the_middle_is_not_heard() -> None:
    assert asking(ANSWERED).press("1").wait().hang_up().kept == []


@pytest.mark.parametrize(("key", "is_satisfied"), [("1", True), ("2", False)])
def test_satisfaction_is_kept_at_the_press(key: str, is_satisfied: bool) -> None:
    call = asking(ANSWERED).press("1").wait(2).press(key)
    assert call.kept[-1] == KeepSatisfaction("op_ramp", is_satisfied)
    assert call.hears[0] == ("reply.satisfied" if is_satisfied else "reply.reopened")


def test_what_was_settled_is_not_asked_about_again() -> None:
    call = asking(replace(ANSWERED, stage="settled")).press("1").wait(2)
    assert call.kept == [KeepHeard("op_ramp")]
    assert call.at == "news.1"


def test_a_private_reply_is_read_only_after_the_receipts_last_four_digits() -> None:
    call = asking(PRIVATE).wait()
    assert call.hears == ("own.private",)
    assert call.waits_for == GatherKeys(count=4, finish_on="#", timeout_seconds=10)
    call.press("1737")
    assert call.hears == ("reply.here", "reply.words")


def test_wrong_digits_never_open_a_private_reply() -> None:
    call = asking(PRIVATE).wait().press("0000")
    assert call.hears == ("own.mistyped", "own.private")
    call.press("1111").press("2222")
    assert call.hears[0] == "own.no_match"
    assert "reply.words" not in call.heard


def test_after_three_wrong_tries_the_right_digits_do_not_help_in_this_call() -> None:
    call = asking(PRIVATE).wait().press("0000").press("1111").press("2222").press("9")
    assert call.at == "own.1"
    assert call.wait().hears[0] == "own.no_match"
    assert "reply.words" not in call.heard


def test_a_private_reply_may_be_left_for_later() -> None:
    call = asking(PRIVATE).wait().press("#")
    assert "reply.words" not in call.heard
    assert call.kept == []


def test_unheard_replies_come_first() -> None:
    call = Phone(VIEW).press("3")
    assert call.hears == ("own.about_other", "stage.answered")


def test_a_stage_nobody_knows_is_spoken_as_received() -> None:
    assert asking(replace(WAITING, stage="brand_new")).press("1").hears[1] == "stage.received"


def test_a_receipt_from_the_phone_that_gave_it_tells_everything() -> None:
    call = typing("20481769", OWN)
    assert call.hears == ("receipt.own", "stage.answered", "reply.here", "reply.words")
    assert call.lines[-1].values == {"reply": Text("修好了。")}
    call.wait().press("2")
    assert call.kept == [KeepHeard("op_9"), KeepSatisfaction("op_9", is_satisfied=False)]


def typing(receipt: str, told: Told) -> Phone:
    return Phone(replace(VIEW, own=()), receipts={receipt: told}).press("3").press("2").press(receipt)


def test_a_receipt_from_another_phone_tells_only_the_stage() -> None:
    call = typing("20481769", Told("other", {"stage": "assigned"}))
    assert call.hears == ("receipt.other", "stage.assigned", "receipt.more")
    assert "reply.words" not in call.heard


def test_an_unknown_receipt_may_be_tried_again() -> None:
    call = typing("11111111", Told("unknown"))
    assert call.hears == ("receipt.unknown", "receipt.ask")


def test_after_too_many_tries_the_records_lock() -> None:
    call = typing("11111111", Told("locked"))
    assert call.hears[0] == "receipt.locked"
    assert call.at.startswith("news")


def test_facts_of_one_receipt_do_not_leak_into_the_next() -> None:
    call = Phone(
        replace(VIEW, own=()), receipts={"20481769": OWN, "20481777": Told("own", {"stage": "received"})}
    )
    call.press("3").press("2").press("20481769").wait().press("1").press("1").press("20481777")
    assert call.hears == ("receipt.own", "stage.received", "receipt.more")


def test_while_a_number_is_typed_nine_and_nought_are_digits() -> None:
    call = typing("90909090", Told("other", {"stage": "settled"}))
    assert call.hears[1] == "stage.settled"


def test_star_starts_the_number_anew() -> None:
    call = Phone(replace(VIEW, own=())).press("3").press("2").press("2048*")
    assert call.hears == ("receipt.ask",)
    assert call.at == "receipt"


def test_a_number_too_short_is_asked_for_again_and_then_let_be() -> None:
    call = Phone(replace(VIEW, own=())).press("3").press("2").press("2048")
    assert call.hears == ("number.too_short", "receipt.ask")
    call.press("204").press("2")
    assert call.hears[0] == "menu.go_on"
    assert call.at.startswith("news")


def test_a_hash_out_of_habit_after_the_last_digit_skips_nothing() -> None:
    call = typing("20481769", Told("other", {"stage": "settled"})).press("#", after=0.8)
    assert call.at == "receipt.more"


def test_then_comes_the_progress_of_topics() -> None:
    call = Phone(replace(VIEW, own=())).press("3").press("3")
    assert call.hears == ("news.topics", "news.about", "news.update")
    call.wait()
    assert call.hears == ("news.about", "news.decision")
    assert call.wait().at == "finish"


def test_silence_leads_through_own_opinions_to_the_topics() -> None:
    call = asking(WAITING).wait(2)
    assert call.at == "own.1"
    assert asking().wait(2).at == "news.1"
