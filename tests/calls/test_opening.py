"""The first words of a call, the menu, and the caller who never presses a key."""

from dataclasses import replace

import pytest

from ivr.dialogue.keeps import KeepConsent, KeepOpinion, KeepPace, KeepRequest
from ivr.dialogue.sample import BENCHES, LAMPS, PRIVATE, sample_view
from ivr.dialogue.turns import DialPerson, EndCall, GatherKeys, RecordSpeech, Text
from ivr.dialogue.view import CommunityView
from tests.calls.phone import Phone

VIEW = replace(sample_view(), own=())


def test_the_call_begins_with_one_sentence_and_the_communitys_name() -> None:
    call = Phone(VIEW)
    assert call.hears[:2] == ("greeting", "menu.main")
    assert call.lines[0].values["name"] == Text("青溪社区")
    assert call.waits_for == GatherKeys(count=1, timeout_seconds=8)


def test_the_menu_has_three_choices_help_and_a_person() -> None:
    assert Phone(VIEW).press("1").at == "topic.lamps.listen"
    assert Phone(VIEW).press("2").at == "about"
    assert Phone(VIEW).press("3").at == "progress"
    assert Phone(VIEW).press("4").at == "help"
    assert isinstance(Phone(VIEW).press("0").waits_for, DialPerson)
    assert Phone(VIEW).press("#").at == "topic.lamps.listen"


def test_a_caller_who_never_presses_a_key_hears_the_topic_and_speaks_after_the_beep() -> None:
    call = Phone(VIEW).wait()
    assert call.hears == ("topic.title", "topic.background")
    call.wait()
    assert call.hears == ("ballot.agree_or_not", "ballot.skip")
    call.wait()
    assert call.hears[0] == "menu.no_hurry"
    assert all(line.is_slow for line in call.lines)
    call.wait()
    assert call.hears == ("after.invitation", "speak.notice", "speak.ready")
    call.wait()
    assert call.hears == ("speak.emergency", "speak.after_beep")
    assert call.waits_for == RecordSpeech(max_seconds=150, silence_seconds=5)
    call.speak("rec_7").wait(4)
    assert call.kept == [KeepConsent("spoke_after_notice", "1"), KeepOpinion("lamps.1", ("rec_7",), "lamps")]
    assert "receipt.twice" in call.hears


def test_a_silent_caller_hears_every_topic_is_asked_once_each_and_is_not_hung_up_on_before() -> None:
    call = Phone(VIEW)
    for _ in range(60):
        if isinstance(call.waits_for, EndCall):
            break
        call.speak(f"rec_{len(call.turns)}") if isinstance(call.waits_for, RecordSpeech) else call.wait()
    assert call.hears == ("finish.goodbye",)
    spoken_on = [keep.topic_id for keep in call.kept if isinstance(keep, KeepOpinion)]
    assert spoken_on == ["lamps", "canteen"]


def test_who_says_nothing_after_the_beep_twice_is_not_led_to_it_again_unasked() -> None:
    call = Phone(VIEW)
    beeps = 0
    while not isinstance(call.waits_for, EndCall):
        beeps += isinstance(call.waits_for, RecordSpeech)
        call.wait()
    assert beeps == 2
    assert "speak.no_matter" in call.heard


def test_a_waiting_reply_is_announced_but_not_played() -> None:
    call = Phone(sample_view())
    assert call.hears[:3] == ("greeting", "menu.reply_waiting", "menu.main")
    assert "reply.words" not in call.heard
    assert call.press("3").at == "own.1"


def test_no_announcement_once_the_reply_was_heard() -> None:
    heard = replace(sample_view(), own=(replace(PRIVATE, is_new=False),))
    assert "menu.reply_waiting" not in Phone(heard).hears


def test_a_dropped_call_may_go_on_where_it_broke_off() -> None:
    view = replace(VIEW, resume_step="topic.canteen.ballot")
    call = Phone(view)
    assert call.hears == ("greeting", "menu.resume")
    assert call.press("1").at == "topic.canteen.listen"


@pytest.mark.parametrize("no", ["wait", "2", "#"])
def test_whoever_does_not_take_up_the_offer_starts_from_the_menu(no: str) -> None:
    call = Phone(replace(VIEW, resume_step="topic.canteen.ballot"))
    assert (call.wait() if no == "wait" else call.press(no)).at == "main"


def test_a_call_that_broke_off_before_the_beep_goes_on_with_the_notice() -> None:
    call = Phone(replace(VIEW, resume_step="topic.lamps.record")).press("1")
    assert call.hears[0] == "speak.notice"


@pytest.mark.parametrize(
    "step", ["main", "topic.lamps.review", "topic.gone.ballot", "finish", "nonsense", None]
)
def test_nothing_is_offered_when_there_is_nothing_to_go_on_with(step: str | None) -> None:
    assert "menu.resume" not in Phone(replace(VIEW, resume_step=step)).hears


def test_first_time_callers_are_told_where_the_help_is() -> None:
    assert "menu.first_call" in Phone(replace(VIEW, is_first_call=True)).hears
    call = Phone(VIEW).press("4")
    assert call.hears == ("help.minute",)
    assert call.press("1").at == "topic.lamps.listen"


def test_help_ends_with_a_choice_of_pace_that_is_remembered() -> None:
    call = Phone(VIEW).press("4").wait().press("1")
    assert call.kept == [KeepPace(is_slow=True)]
    assert call.hears[0] == "help.slow"
    assert all(line.is_slow for line in call.lines)
    call.press("4").wait().press("2")
    assert call.kept[-1] == KeepPace(is_slow=False)
    assert not any(line.is_slow for line in call.lines)


def test_a_slow_caller_hears_everything_slowly_from_the_first_word() -> None:
    assert all(line.is_slow for line in Phone(replace(VIEW, is_slow=True)).lines)


def test_with_no_topic_open_one_can_still_speak_and_ask() -> None:
    call = Phone(CommunityView("青溪社区", topics=(BENCHES,)))
    assert call.hears[:3] == ("greeting", "menu.no_topics", "menu.main_without_topics")
    assert call.wait().hears[0] == "speak.notice"
    call.wait().speak("rec_3")
    assert call.kept[-1] == KeepOpinion("opinion.1", ("rec_3",))


def test_progress_can_be_heard_with_no_topic_open() -> None:
    call = Phone(CommunityView("青溪社区", topics=(BENCHES,))).press("3").press("3")
    assert call.hears == ("news.topics", "news.about", "news.decision")


def test_a_person_who_answers_and_hangs_up_leaves_the_caller_at_the_menu() -> None:
    call = Phone(VIEW).press("0")
    assert call.hears == ("person.ringing",)
    assert call.waits_for == DialPerson("+8657100000000")
    assert call.person(is_answered=True).at == "main"


def test_when_nobody_answers_one_can_leave_a_message_and_ask_for_a_call_back() -> None:
    call = Phone(VIEW).press("0").person(is_answered=False)
    assert call.hears[:2] == ("person.away", "speak.notice")
    call.wait().speak("rec_4").press("1").press("1")
    assert call.kept_of(KeepOpinion) == [KeepOpinion("message.1", ("rec_4",), None, "message")]
    assert call.kept[-1] == KeepRequest("person")
    assert call.hears[:2] == ("call_back.kept", "receipt.twice")


def test_no_person_to_dial_leads_straight_to_the_message_box() -> None:
    call = Phone(replace(VIEW, person_number="")).press("0")
    assert call.hears[:2] == ("person.none", "speak.notice")


def test_a_message_box_left_empty_asks_about_a_call_back_and_takes_silence_for_no() -> None:
    call = Phone(replace(VIEW, person_number="")).press("0").wait().wait().wait().wait()
    assert call.hears == ("speak.no_matter", "call_back.ask")
    call.wait(2)
    assert call.at == "finish"
    assert call.kept == []


def test_the_current_topic_is_the_first_that_is_still_open() -> None:
    view = replace(VIEW, topics=(replace(BENCHES, topic_id="old"), LAMPS))
    assert Phone(view).wait().at == "topic.lamps.listen"
