"""Speaking: notice, refusal, segments, listening again, saying it again, neighbours, the receipt."""

from dataclasses import replace

import pytest

from ivr.dialogue.keeps import DropOpinion, KeepBallot, KeepConsent, KeepOpinion, KeepRelease
from ivr.dialogue.sample import sample_view
from ivr.dialogue.turns import Count, EndCall, GatherKeys, Recall, RecordSpeech, Sound, Text
from tests.calls.phone import Phone

VIEW = replace(sample_view(), own=())
SPOKE = KeepConsent("spoke_after_notice", "1")


def at_notice() -> Phone:
    return Phone(VIEW).press("2").press("1")


def at_beep() -> Phone:
    return at_notice().wait()


def test_a_caller_chooses_what_to_speak_about() -> None:
    call = Phone(VIEW).press("2")
    assert call.hears == ("speak.about_1", "speak.about_2", "speak.other_3")
    assert call.lines[0].values == {"title": Text("东巷口要不要装路灯")}
    assert call.press("2").wait().speak().kept[-1] == KeepOpinion("canteen.1", ("rec_1",), "canteen")


def test_silence_about_what_to_speak_on_leads_to_speaking_on_anything() -> None:
    call = Phone(VIEW).press("2").wait(2)
    assert call.wait().speak().kept[-1] == KeepOpinion("opinion.1", ("rec_1",), None)


def test_the_notice_says_who_and_how_long_before_the_beep() -> None:
    call = at_notice()
    assert call.hears == ("speak.notice", "speak.ready")
    assert call.lines[0].values == {"name": Text("青溪社区"), "months": Count(12)}
    assert call.waits_for == GatherKeys(timeout_seconds=2)


def test_the_emergency_sentence_cannot_be_skipped_by_a_key_pressed_during_the_notice() -> None:
    assert at_notice().press("1").hears == ("speak.emergency", "speak.after_beep")


def test_consent_is_kept_as_it_was_given() -> None:
    assert at_notice().press("1").kept == [KeepConsent("pressed", "1")]
    assert at_notice().press("1").speak().kept[1:] == [KeepOpinion("lamps.1", ("rec_1",), "lamps")]
    assert at_beep().speak().kept == [SPOKE, KeepOpinion("lamps.1", ("rec_1",), "lamps")]


def test_a_caller_who_refuses_to_be_recorded_can_still_listen_and_vote() -> None:
    call = at_notice().press("8")
    assert call.kept == [KeepConsent("refused", "1")]
    assert call.hears[0] == "speak.not_recorded"
    call = Phone(VIEW).press("1").wait().wait(2).press("8")
    assert call.hears[:2] == ("speak.not_recorded", "topic.title")
    call.wait().press("1")
    assert call.kept[-1] == KeepBallot("canteen", "station")


def test_who_refused_is_not_led_to_the_beep_by_silence_but_may_ask_for_it() -> None:
    call = Phone(VIEW).wait(4).press("8")
    call.until("finish", lambda phone: phone.wait())
    assert not any(isinstance(turn.wait, RecordSpeech) for turn in call.turns)
    assert call.press("1").hears[0] == "speak.notice"


def test_speech_is_kept_with_the_turn_that_answers_it() -> None:
    call = at_beep().speak("rec_9", ended_by="key")
    assert call.turns[-1].keeps == (SPOKE, KeepOpinion("lamps.1", ("rec_9",), "lamps"))
    assert call.hears == ("speak.kept", "speak.review")


def test_who_hangs_up_while_speaking_is_kept() -> None:
    call = at_beep().speak("rec_9", ended_by="hangup")
    assert call.kept[-1] == KeepOpinion("lamps.1", ("rec_9",), "lamps")
    assert call.waits_for == EndCall()
    assert call.hears == ()


def test_a_recording_of_unknown_length_is_kept_when_the_line_died() -> None:
    assert at_beep().speak(seconds=0.0, ended_by="hangup").kept_of(KeepOpinion)
    assert not at_beep().speak(seconds=0.3, ended_by="hangup").kept


def test_pressing_the_key_that_led_here_again_never_refuses() -> None:
    for call in (Phone(VIEW).press("2").press("2"), Phone(VIEW).press("2").press("3")):
        assert not call.press(call.place.last_key, after=3.0).kept_of(KeepConsent) or call.at.endswith(
            "record"
        )
        assert KeepConsent("refused", "1") not in call.kept


def test_a_long_speech_goes_on_in_segments_without_a_key_and_each_is_kept_at_once() -> None:
    call = at_beep().speak("rec_1", 150, "limit")
    assert (call.hears, call.waits_for) == ((), RecordSpeech(is_continued=True))
    call.speak("rec_2", 150, "limit").speak("rec_3", 20, "silence")
    assert [keep.recordings for keep in call.kept if isinstance(keep, KeepOpinion)] == [
        ("rec_1",),
        ("rec_1", "rec_2"),
        ("rec_1", "rec_2", "rec_3"),
    ]
    assert {keep.key for keep in call.kept if isinstance(keep, KeepOpinion)} == {"lamps.1"}
    assert call.kept.count(SPOKE) == 1
    assert call.at == "topic.lamps.review"


def test_silence_after_a_segment_ends_the_speech() -> None:
    call = at_beep().speak("rec_1", 150, "limit").wait()
    assert call.at == "topic.lamps.review"
    assert len(call.kept_of(KeepOpinion)) == 1


def test_a_television_left_on_does_not_record_all_night() -> None:
    call = at_beep()
    for number in range(12):
        call.speak(f"rec_{number}", 150, "limit")
    assert call.at == "topic.lamps.review"


def test_who_says_nothing_is_kindly_asked_once_more() -> None:
    call = at_beep().wait()
    assert call.hears == ("speak.not_heard",)
    call.wait()
    assert call.hears == ("speak.emergency", "speak.after_beep")
    assert call.speak().kept[-1] == KeepOpinion("lamps.1", ("rec_1",), "lamps")


def test_a_slip_of_the_finger_at_the_beep_is_no_speech() -> None:
    call = at_beep().speak(seconds=0.4, ended_by="key")
    assert call.hears == ("speak.not_heard",)
    assert call.kept == []


def test_who_says_nothing_twice_goes_on_without_reproach() -> None:
    call = at_beep().wait(3)
    assert call.hears[:2] == ("speak.no_matter", "topic.title")


def test_one_can_listen_to_what_one_said() -> None:
    call = at_beep().speak("rec_1", 150, "limit").speak("rec_2").press("2")
    assert call.hears == ("speak.playback", "speak.own_words", "speak.own_words")
    assert [line.values["sound"] for line in call.lines[1:]] == [Sound("rec_1"), Sound("rec_2")]
    assert call.wait().at == "topic.lamps.review"


def test_saying_it_again_replaces_the_first_version_only_once_there_is_a_second() -> None:
    call = at_beep().speak("rec_1").press("3")
    assert not call.kept_of(DropOpinion)
    call.wait().speak("rec_2")
    assert call.kept[-2:] == [DropOpinion("lamps.1"), KeepOpinion("lamps.2", ("rec_2",), "lamps")]
    assert call.kept.count(SPOKE) == 1


def test_who_wanted_to_say_it_again_and_then_did_not_has_lost_nothing() -> None:
    call = at_beep().speak("rec_1").press("3").wait().wait()
    assert call.hears == ("speak.first_stands", "release.ask")
    assert not call.kept_of(DropOpinion)
    assert call.press("1").kept[-1] == KeepRelease("lamps.1", "words", SPOKE.notice_version)
    assert not at_beep().speak("rec_1").press("3").hang_up().kept_of(DropOpinion)


@pytest.mark.parametrize(("key", "how"), [("1", "words"), ("2", "voice"), ("3", "none")])
def test_neighbours_hear_it_as_the_caller_wishes(key: str, how: str) -> None:
    call = at_beep().speak().press("1").press(key)
    assert call.kept[-1] == KeepRelease("lamps.1", how, SPOKE.notice_version)  # type: ignore[arg-type]
    assert call.hears[0] == f"release.kept_{how}"


def test_without_an_answer_neighbours_do_not_hear_it() -> None:
    call = at_beep().speak().press("1").wait(2)
    assert not call.kept_of(KeepRelease)
    assert call.hears[0] == "receipt.twice"


def test_the_receipt_is_read_slowly_whatever_the_pace() -> None:
    call = at_beep().speak().press("1").press("3")
    receipt = next(line for line in call.lines if line.prompt == "receipt.twice")
    assert receipt.values == {"receipt": Recall("receipt")}
    assert receipt.is_slow


def test_star_reads_the_receipt_again() -> None:
    call = at_beep().speak().press("1").press("3").press("*")
    assert "receipt.twice" in call.hears


def test_a_second_opinion_in_one_call_has_a_key_and_a_consent_of_its_own() -> None:
    call = at_beep().speak("rec_1").press("1").press("3").press("2")
    assert call.hears == ("speak.notice", "speak.ready")
    call.wait().speak("rec_2")
    assert [keep.key for keep in call.kept if isinstance(keep, KeepOpinion)] == ["lamps.1", "lamps.2"]
    assert call.kept.count(SPOKE) == 2
    assert not call.kept_of(DropOpinion)


def test_going_back_after_the_work_is_done_never_reaches_the_old_recording() -> None:
    call = at_beep().speak("rec_1").press("1").press("3")
    for _ in range(10):
        call.press("9")
        assert not call.at.endswith((".review", ".release", ".notice"))


def test_hanging_up_anywhere_keeps_what_was_kept() -> None:
    call = at_beep().speak("rec_1").hang_up()
    assert call.kept == [SPOKE, KeepOpinion("lamps.1", ("rec_1",), "lamps")]
    assert call.waits_for == EndCall()
