"""A topic: listening, choosing, changing one's mind, the second voter in the home, neighbours."""

from dataclasses import replace

from ivr.dialogue.keeps import (
    AGREE,
    DISAGREE,
    PASS,
    KeepBallot,
    KeepOpinion,
    KeepReaction,
    KeepSeat,
)
from ivr.dialogue.sample import CANTEEN, LAMPS, sample_view
from ivr.dialogue.turns import Sound, Text
from tests.calls.phone import Phone

VIEW = replace(sample_view(), own=())


def at_ballot(topic: str = "lamps", **more: object) -> Phone:
    call = Phone(replace(VIEW, **more)) if more else Phone(VIEW)
    return call.press("1").until(f"topic.{topic}.ballot", lambda phone: phone.press("#"))


def test_a_caller_can_disagree_and_then_leave_an_opinion() -> None:
    call = Phone(VIEW).press("1").wait().press("2").press("2").press("1").speak("rec_7")
    assert call.kept_of(KeepBallot) == [KeepBallot("lamps", DISAGREE)]
    assert call.kept_of(KeepOpinion) == [KeepOpinion("lamps.1", ("rec_7",), "lamps")]


def test_title_and_background_come_before_the_options() -> None:
    call = Phone(VIEW).press("1")
    assert [line.values for line in call.lines] == [
        {"title": Text(LAMPS.title)},
        {"background": Text(LAMPS.background)},
    ]


def test_a_key_pressed_while_the_background_is_read_is_no_ballot_but_skips_to_the_options() -> None:
    call = Phone(VIEW).press("1").press("2")
    assert call.kept == []
    assert call.hears == ("ballot.agree_or_not", "ballot.skip")


def test_each_choice_is_kept_at_the_press_and_read_back() -> None:
    for key, choice in (("1", AGREE), ("2", DISAGREE), ("3", PASS)):
        call = at_ballot().press(key)
        assert call.kept == [KeepBallot("lamps", choice)]
        assert call.hears[0] == f"ballot.kept_{choice}"


def test_named_options_are_read_with_their_keys_and_read_back_by_name() -> None:
    call = at_ballot("canteen")
    assert call.hears == ("ballot.option_1", "ballot.option_2", "ballot.option_3", "ballot.skip")
    assert call.lines[1].values == {"option": Text("活动室一楼")}
    call.press("2")
    assert call.kept == [KeepBallot("canteen", "room")]
    assert (call.hears[0], call.lines[0].values) == ("ballot.kept_option", {"option": Text("活动室一楼")})


def test_five_options_are_cut_to_the_four_a_caller_can_keep_in_mind() -> None:
    five = replace(CANTEEN, options=tuple((f"c{number}", f"第{number}处") for number in range(5)))
    assert len(at_ballot("canteen", topics=(five,)).hears) == 5


def test_a_choice_can_be_changed_in_the_same_call() -> None:
    call = at_ballot().press("1").press("3")
    assert call.hears == ("seat.change", "seat.someone_else", "seat.leave")
    call.press("1").press("2")
    assert call.kept == [KeepBallot("lamps", AGREE), KeepBallot("lamps", DISAGREE)]


def test_nine_goes_back_to_the_options_and_the_last_choice_stands() -> None:
    call = at_ballot().press("1").press("9").press("2")
    assert [keep.choice for keep in call.kept if isinstance(keep, KeepBallot)] == [AGREE, DISAGREE]


def test_a_second_voter_in_the_home_gets_a_seat_of_their_own() -> None:
    call = Phone(VIEW, ballots=frozenset({("lamps", 1)})).press("1").wait()
    assert call.hears == ("seat.change", "seat.someone_else", "seat.leave")
    call.press("2").press("2")
    assert call.kept == [KeepSeat(2), KeepBallot("lamps", DISAGREE)]


def test_what_the_first_voter_chose_is_not_told_to_whoever_calls_from_the_same_telephone() -> None:
    call = Phone(VIEW, ballots=frozenset({("lamps", 1)})).press("1").wait()
    assert not any(line.values for line in call.lines)


def test_grandfather_takes_the_telephone_after_grandmother_has_voted() -> None:
    call = at_ballot().press("1").press("3").press("2").press("2")
    assert call.kept == [KeepBallot("lamps", AGREE), KeepSeat(2), KeepBallot("lamps", DISAGREE)]


def test_a_third_voter_is_asked_which_of_them_is_speaking() -> None:
    two = frozenset({("lamps", 1), ("lamps", 2)})
    call = Phone(VIEW, ballots=two).press("1").wait()
    assert call.hears == ("seat.voted", "seat.change_1", "seat.change_2", "seat.new_3", "seat.leave")
    assert call.press("3").press("1").kept == [KeepSeat(3), KeepBallot("lamps", AGREE)]


def test_with_every_seat_taken_one_of_the_voters_may_change_their_choice() -> None:
    call = Phone(replace(VIEW, seats=2), ballots=frozenset({("lamps", 1), ("lamps", 2)})).press("1").wait()
    assert call.hears == ("seat.voted", "seat.change_1", "seat.change_2", "seat.leave")
    assert call.press("2").press("3").kept == [KeepSeat(2), KeepBallot("lamps", PASS)]


def test_who_leaves_the_standing_choice_goes_on() -> None:
    call = Phone(VIEW, ballots=frozenset({("lamps", 1)})).press("1").wait().press("#")
    assert call.at == "topic.lamps.after"
    assert call.kept == []


def test_neighbours_are_heard_one_after_the_other_and_answered_with_a_key() -> None:
    call = at_ballot().press("#").press("1")
    assert call.hears == ("voice.first", "voice.words")
    call.wait()
    assert call.hears == ("voice.react",)
    call.press("1")
    assert call.kept == [KeepReaction("op_early", AGREE)]
    assert call.hears == ("voice.agreed", "voice.another", "voice.own")
    assert call.lines[-1].values == {"sound": Sound("rec_window")}
    call.wait().press("2")
    assert call.kept[-1] == KeepReaction("op_window", DISAGREE)
    assert call.at == "topic.lamps.after"


def test_a_neighbour_can_be_skipped_without_a_reaction() -> None:
    call = at_ballot().press("#").press("1").press("#").press("#")
    assert call.kept == []
    assert call.hears[0] == "voice.another"


def test_a_key_during_a_neighbours_words_is_no_reaction_yet() -> None:
    call = at_ballot().press("#").press("1").press("1")
    assert call.kept == []
    assert call.hears == ("voice.react",)


def test_no_more_than_three_neighbours_are_heard() -> None:
    many = replace(LAMPS, voices=tuple(replace(LAMPS.voices[0], opinion_id=f"op_{n}") for n in range(5)))
    call = at_ballot(topics=(many,)).press("#").press("1")
    call.until("topic.lamps.after", lambda phone: phone.press("#"))
    assert call.heard.count("voice.words") == 3


def test_without_neighbours_nobody_is_invited_to_hear_them() -> None:
    assert "after.neighbours" not in at_ballot("canteen").press("1").hears


def test_hash_leads_from_topic_to_topic_to_the_end() -> None:
    call = Phone(VIEW).press("1")
    call.until("finish", lambda phone: phone.press("#"))
    assert call.heard.count("topic.title") == 2
    assert call.press("#").hears == ("finish.goodbye",)


def test_a_decided_topic_takes_no_ballots() -> None:
    decided = replace(LAMPS, decision="装八盏。")
    assert "topic.lamps.ballot" not in Phone(replace(VIEW, topics=(decided, CANTEEN))).flow.steps
