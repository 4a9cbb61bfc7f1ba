"""Keys, silence and slips: * # 9 0 everywhere, double taps, wrong keys, pace."""

from dataclasses import replace

import pytest

from ivr.dialogue.answer import answer
from ivr.dialogue.keeps import KeepBallot, KeepOpinion, KeepPace
from ivr.dialogue.sample import sample_view
from ivr.dialogue.turns import DialPerson, GatherKeys, Pressed
from tests.calls.phone import Phone

VIEW = replace(sample_view(), own=())


def at_ballot() -> Phone:
    return Phone(VIEW).press("1").wait()


def test_star_repeats_and_the_second_time_slower_and_the_pace_is_remembered() -> None:
    call = at_ballot().press("*")
    assert call.hears == ("ballot.agree_or_not", "ballot.skip")
    assert not any(line.is_slow for line in call.lines)
    call.press("*")
    assert all(line.is_slow for line in call.lines)
    assert call.kept == [KeepPace(is_slow=True)]
    assert all(line.is_slow for line in call.press("#").lines)


def test_star_repeats_the_whole_turn_but_keeps_nothing_twice() -> None:
    call = at_ballot().press("1").press("*")
    assert call.hears[0] == "ballot.kept_agree"
    assert call.kept_of(KeepBallot) == call.kept


def test_a_caller_who_is_slow_already_is_not_asked_to_be_slow_again() -> None:
    call = Phone(replace(VIEW, is_slow=True)).press("*").press("*").press("*")
    assert call.kept == []


def test_nine_goes_back_the_way_one_came() -> None:
    call = at_ballot().press("#").press("1")
    assert call.press("9").at == "topic.lamps.after"
    assert call.press("9").at == "topic.lamps.ballot"
    assert call.press("9").at == "topic.lamps.listen"
    assert call.press("9").at == "main"
    assert call.press("9").at == "main"


def test_nought_reaches_a_person_from_every_menu() -> None:
    call = at_ballot()
    for _ in range(3):
        call.press("#")
        assert isinstance(Phone(VIEW).press("0").waits_for, DialPerson)
    assert isinstance(call.press("0").waits_for, DialPerson)


def test_a_double_tap_is_ignored_and_the_turn_is_heard_from_its_beginning() -> None:
    call = Phone(VIEW).press("1").press("1", after=0.4)
    assert call.at == "topic.lamps.listen"
    assert call.hears == ("topic.title", "topic.background")


def test_a_double_tap_on_a_choice_does_not_press_what_comes_after_it() -> None:
    call = at_ballot().press("2").press("2", after=1.2)
    assert call.hears[0] == "ballot.kept_disagree"
    assert call.kept == [KeepBallot("lamps", "disagree")]


def test_a_trembling_hand_is_ignored_for_a_second_and_a_half_in_all() -> None:
    call = at_ballot().press("2").press("2", after=0.6).press("2", after=0.6)
    assert call.at == "topic.lamps.after"
    assert call.press("2", after=0.6).at == "topic.lamps.notice"


def test_another_key_counts_at_once() -> None:
    call = at_ballot().press("2").press("1", after=0.3)
    assert call.at == "topic.lamps.voice.1"


def test_the_same_key_counts_after_a_second_and_a_half() -> None:
    assert at_ballot().press("#").press("#", after=1.6).at == "topic.canteen.listen"


def test_wrong_keys_are_gently_explained_and_then_led_on() -> None:
    call = at_ballot().press("7")
    assert call.hears[0] == "menu.wrong_key"
    assert call.press("8").hears[0] == "menu.wrong_key"
    call.press("5")
    assert call.hears[0] == "menu.go_on"
    assert call.at == "topic.lamps.notice"


def test_a_wrong_key_at_the_main_menu_ends_nothing() -> None:
    call = Phone(VIEW).press("8").press("7").press("6")
    assert call.at == "topic.lamps.listen"


def test_silence_is_answered_by_the_same_words_slower_then_by_the_next_useful_thing() -> None:
    call = at_ballot().press("1").wait()
    assert call.hears[0] == "menu.no_hurry"
    assert all(line.is_slow for line in call.lines)
    assert call.wait().at == "topic.lamps.notice"
    assert not any(line.is_slow for line in call.lines)


def test_menus_give_ten_seconds_and_the_main_menu_eight() -> None:
    assert at_ballot().waits_for == GatherKeys(timeout_seconds=10)
    assert Phone(VIEW).waits_for == GatherKeys(timeout_seconds=8)


@pytest.mark.parametrize("key", ["", "A", "11", "##"])
def test_keys_no_telephone_should_send_do_no_harm(key: str) -> None:
    call = at_ballot().press(key)
    assert call.at.startswith("topic.lamps")


def test_a_recording_nobody_waits_for_is_kept_as_a_message_and_the_turn_repeated() -> None:
    call = at_ballot().speak("rec_late")
    assert call.hears == ("ballot.agree_or_not", "ballot.skip")
    assert call.kept == [KeepOpinion("rec_late", ("rec_late",), kind="message")]


def test_a_recording_that_comes_twice_is_kept_once() -> None:
    call = Phone(VIEW).press("2").press("1").wait().speak("rec_1").speak("rec_1")
    assert len(call.kept_of(KeepOpinion)) == 1


def test_a_place_of_an_older_table_goes_on_instead_of_breaking() -> None:
    call = at_ballot().press("#")
    gone = replace(call.place, step="topic.lamps.no_longer_here")
    assert answer(call.flow, gone, Pressed("1")).place.step == "main"
    behind = replace(call.place, back=("no_longer_here",), said=("nor_here",))
    assert answer(call.flow, behind, Pressed("9")).place.step == "topic.lamps.after"


def test_after_goodbye_there_is_only_goodbye() -> None:
    call = Phone(VIEW).press("1").until("goodbye", lambda phone: phone.press("#"))
    assert call.press("1").at == "goodbye"
    assert call.wait().at == "goodbye"
