"""Calls that we place, as conversations: called back, called about a reply, asked whether we may call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ivr.dialogue.called import CALLED_BACK, REPLY_CALL, flow_of
from ivr.dialogue.draw import draw
from ivr.dialogue.keeps import KeepConsent, KeepHeard, KeepSatisfaction
from ivr.dialogue.linter import check
from ivr.dialogue.plain import view_from_plain, view_to_plain
from ivr.dialogue.sample import ANSWERED, reply_view, sample_view
from ivr.dialogue.steps import End, Flow, Menu
from ivr.dialogue.turns import EndCall, RecordSpeech, Text
from ivr.prompts.book import Book
from tests.calls.phone import Phone

ANYBODY = replace(reply_view(), own=(replace(ANSWERED, is_new=True),))


def test_who_is_called_back_hears_who_calls_and_then_the_hotline() -> None:
    view = replace(sample_view(), placed_for=CALLED_BACK)
    call, usual = Phone(flow_of(view)), Phone(flow_of(replace(view, placed_for="")))
    assert call.hears[0] == "placed.called_back"
    assert call.hears[1:] == usual.hears[1:]
    while not isinstance(call.waits_for, RecordSpeech) and len(call.turns) < 60:
        call.wait()  # saying nothing leads to the beep, as always
    assert isinstance(call.waits_for, RecordSpeech)


def test_a_reply_is_told_of_and_read_only_to_who_asks_for_it() -> None:
    call = Phone(flow_of(ANYBODY))
    assert call.hears == ("placed.reply", "placed.hear_now")
    call.press("1").press("#")
    assert call.hears == ("reply.here", "reply.words")
    call.press("*")
    assert call.hears == ("reply.here", "reply.words")
    call.press("#").press("2")
    assert call.kept == [KeepHeard(ANSWERED.opinion_id), KeepSatisfaction(ANSWERED.opinion_id, False)]
    assert call.hears == ("reply.reopened", "placed.more")


def test_a_silent_telephone_hears_no_reply_and_is_let_go() -> None:
    for view in (ANYBODY, reply_view()):
        call = Phone(flow_of(view)).wait(3)
        assert isinstance(call.waits_for, EndCall)
        assert "reply.words" not in call.heard
        assert call.kept == []
        assert call.heard.count("placed.hear_now") == 2


def test_later_means_later_and_no_more_means_no_more() -> None:
    later = Phone(flow_of(ANYBODY)).press("2")
    assert later.hears == ("placed.later", "placed.rest")
    assert later.kept == []
    for call in (Phone(flow_of(ANYBODY)).press("8"), Phone(flow_of(ANYBODY)).wait(2).press("8")):
        assert call.kept == [KeepConsent("refused", ANYBODY.notice_version, purpose="call_back")]
        assert call.hears == ("placed.no_more", "placed.rest")
        assert isinstance(call.wait().waits_for, EndCall)


def test_a_private_reply_asks_for_the_receipt_first_and_the_next_one_is_told_after_it() -> None:
    call = Phone(flow_of(reply_view())).press("1").press("#")
    assert call.hears[-1] == "own.private"
    call.press("0000").press("1737")
    assert call.hears[-1] == "reply.words"
    call.press("#").press("1").press("#")
    assert call.kept_of(KeepSatisfaction) == [KeepSatisfaction("op_stairs", True)]
    assert ANSWERED.reply in {
        value.text for line in call.lines for value in line.values.values() if isinstance(value, Text)
    }


def test_a_reply_taken_back_before_the_call_was_answered_leaves_a_plain_call() -> None:
    gone = replace(ANYBODY, own=(replace(ANSWERED, reply=""),))
    assert flow_of(gone).name == CALLED_BACK
    assert flow_of(replace(ANYBODY, placed_for="something new")).name == CALLED_BACK


def test_a_person_can_be_asked_for_and_something_be_said_in_a_call_of_ours() -> None:
    call = Phone(flow_of(ANYBODY)).press("0").person(is_answered=False)
    assert "person.away" in call.hears
    call = Phone(flow_of(ANYBODY)).wait(2).press("1").press("1").speak()
    assert call.hears[0] == "speak.kept"
    assert call.press("1").press("3").hears[-1] == "placed.more"


def test_may_we_call_is_asked_after_a_key_was_pressed_once_and_never_of_the_silent() -> None:
    asking = replace(sample_view(), asks_to_call=True, own=())
    assert Phone(asking).wait(40).heard == Phone(replace(asking, asks_to_call=False)).wait(40).heard
    call = Phone(asking).press("2").press("3").press("1").speak().press("1").press("1")
    assert call.hears == ("release.kept_words", "may_we_call.ask")
    call.press("1")
    assert call.kept[-1] == KeepConsent("pressed", asking.notice_version, purpose="call_back")
    assert call.hears[0] == "may_we_call.yes"
    call.press("1").press("1").speak().press("1").press("2")
    assert "may_we_call.ask" not in call.hears


@pytest.mark.parametrize(("pressed", "kept"), [("2", "refused"), ("", ""), ("#", "")])
def test_whoever_does_not_say_yes_is_not_called(pressed: str, kept: str) -> None:
    call = Phone(replace(sample_view(), asks_to_call=True, own=()))
    call.press("2").press("3").press("1").speak().press("1").press("3")
    answered = call.press(pressed) if pressed else call.wait()
    consents = [keep for keep in answered.kept_of(KeepConsent) if keep.purpose == "call_back"]
    assert [keep.answer for keep in consents] == ([kept] if kept else [])
    assert "receipt.twice" in answered.hears


def test_a_call_of_ours_may_leave_silence_in_peace_but_only_after_an_invitation() -> None:
    flow = flow_of(ANYBODY)
    book = Book.load("zh")
    assert check(flow, book) == []
    curt = {**flow.steps, "offer": replace(flow.steps["offer"], silence="goodbye")}
    assert isinstance(curt["offer"], Menu)
    assert isinstance(curt["goodbye"], End)
    faults = check(replace(flow, steps=curt), book)
    assert {fault.rule for fault in faults} == {"silence is never punished"}
    theirs: Flow = replace(flow, is_placed=False)
    assert {fault.rule for fault in check(theirs, book)} == {"silence is never punished"}


def test_it_is_kept_with_the_call_and_can_be_drawn() -> None:
    view = replace(ANYBODY, asks_to_call=True)
    assert view_from_plain(view_to_plain(view)) == view
    drawn = draw(flow_of(reply_view()), Book.load("zh"))
    assert REPLY_CALL in drawn.splitlines()[0]
    assert "您提的意见有回复了" in drawn
