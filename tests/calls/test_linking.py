"""A code for those who also take part on an app, and the result so far for those who have voted."""

from dataclasses import replace

from ivr.dialogue.sample import CANTEEN, LAMPS, sample_view
from ivr.dialogue.turns import Recall, Text, Told
from tests.calls.phone import Phone

VIEW = replace(sample_view(), own=())
AT_THE_END = replace(VIEW, topics=())


def test_a_code_is_said_twice_slowly_and_forgotten_once_heard() -> None:
    call = Phone(AT_THE_END).press("3").press("2").press("#").wait()
    assert call.at == "finish"
    call.press("3")
    assert call.hears == ("link.code",)
    assert call.lines[0].is_slow
    assert call.lines[0].values == {"code": Recall("code")}
    assert call.place.memory["code"] == "204817"
    call.press("*")
    assert call.hears == ("link.code",)
    call.press("#")
    assert call.at == "finish"
    assert call.place.memory["code"] == ""


def test_too_many_codes_are_refused_kindly() -> None:
    call = Phone(AT_THE_END)
    call._tell = lambda question: Told("often")  # type: ignore[method-assign]
    call.press("3").press("2").press("#").wait().press("3")
    assert call.hears == ("link.often", "finish.menu_link")


def test_nobody_is_offered_a_code_that_nothing_takes() -> None:
    call = Phone(replace(AT_THE_END, may_link=False)).press("3").press("2").press("#").wait()
    assert call.hears[-1] == "finish.menu"
    assert call.press("3").at == "finish"


def test_who_has_not_voted_hears_no_result() -> None:
    call = Phone(VIEW).press("1").wait().press("#")
    assert "after.result" in call.hears
    call.press("4")
    assert call.hears[0] == "result.vote_first"
    assert call.at == "topic.lamps.after"


def test_who_has_voted_hears_the_result_so_far() -> None:
    call = Phone(VIEW).press("1").wait().press("1").press("4")
    assert call.hears == ("result.so_far", "result.agree", "result.disagree", "result.pass")
    assert call.lines[1].values == {"count": Text("12")}
    assert call.wait().at == "topic.lamps.after"


def test_options_are_told_by_their_names() -> None:
    canteen = replace(CANTEEN, tells_voters=True)
    call = Phone(replace(VIEW, topics=(canteen,))).press("1").wait().press("2").press("4")
    assert call.hears == ("result.so_far", *["result.option"] * 3)
    assert call.lines[2].values["option"] == Text("活动室一楼")


def test_a_topic_that_does_not_tell_offers_nothing() -> None:
    plain = replace(LAMPS, tells_voters=False)
    call = Phone(replace(VIEW, topics=(plain,))).press("1").wait().press("1")
    assert "after.result" not in call.hears
    assert call.press("4").at == "topic.lamps.after"
