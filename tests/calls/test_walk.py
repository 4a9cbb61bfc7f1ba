"""Whatever a caller does, in whatever order: the call goes on, in sentences that exist."""

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.dialogue.answer import answer, begin
from ivr.dialogue.plain import place_from_plain, place_to_plain, turn_from_plain, turn_to_plain
from ivr.dialogue.sample import sample_flows
from ivr.dialogue.steps import End, Flow, Menu
from ivr.dialogue.turns import (
    AskRecords,
    Dialled,
    DialPerson,
    EndCall,
    GatherKeys,
    Heard,
    HungUp,
    Place,
    Pressed,
    Recorded,
    RecordSpeech,
    Silence,
    Sound,
    Started,
    Text,
    Told,
    Turn,
)
from ivr.prompts.book import LANGUAGES, Book
from ivr.prompts.pieces import pieces

FLOWS = sample_flows()
BOOKS = [Book.load(language) for language in LANGUAGES]

KEYS = st.sampled_from("123456789*#0")
PRESSED = st.builds(Pressed, KEYS | st.text("0123456789*#", max_size=9), st.floats(0, 20))
RECORDED = st.builds(
    Recorded,
    st.uuids().map(lambda name: f"rec_{name.hex}"),
    st.floats(0, 200),
    st.sampled_from(["key", "silence", "limit", "hangup"]),
)
TOLD = st.builds(
    Told,
    st.sampled_from(["none", "voted", "full", "own", "other", "unknown", "locked", "never heard of"]),
    st.dictionaries(
        st.sampled_from(["next_seat", "choice", "stage", "reply", "opinion_id"]), st.text(max_size=4)
    ),
)
HEARD: st.SearchStrategy[Heard] = st.one_of(
    PRESSED, PRESSED, PRESSED, st.just(Silence()), RECORDED, TOLD, st.builds(Dialled, st.booleans())
) | st.sampled_from([Started(), HungUp()])


def good(flow: Flow, turn: Turn, place: Place) -> None:
    """What has to be true of every turn."""
    assert isinstance(turn.wait, GatherKeys | RecordSpeech | DialPerson | AskRecords | EndCall)
    assert turn.place.step in flow.steps
    assert set(turn.place.said) | set(turn.place.back) <= flow.steps.keys()
    assert turn_from_plain(json.loads(json.dumps(turn_to_plain(turn), ensure_ascii=False))) == turn
    assert all(isinstance(fact, str) for fact in turn.place.memory.values())
    memory = {"receipt": "20481769", **turn.place.memory}
    for line in turn.lines:
        for book in BOOKS:
            said = pieces(line, book, memory)
            known_empty = any(isinstance(value, Text) and not value.text for value in line.values.values())
            assert said or known_empty
        assert all(value.recording_id for value in line.values.values() if isinstance(value, Sound))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(FLOWS)), st.lists(HEARD, max_size=40))
def test_no_input_in_any_order_breaks_a_call(name: str, inputs: list[Heard]) -> None:
    flow = FLOWS[name]
    turn = answer(flow, begin(flow), Started())
    good(flow, turn, begin(flow))
    for heard in inputs:
        place = place_from_plain(json.loads(json.dumps(place_to_plain(turn.place))))
        turn = answer(flow, place, heard)
        good(flow, turn, place)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(FLOWS)), st.lists(PRESSED | RECORDED, max_size=25))
def test_from_anywhere_silence_comes_to_an_end(name: str, inputs: list[Heard]) -> None:
    flow = FLOWS[name]
    turn = answer(flow, begin(flow), Started())
    for heard in inputs:
        turn = answer(flow, turn.place, heard)
    for _ in range(400):
        if isinstance(turn.wait, EndCall):
            break
        turn = answer(flow, turn.place, Told("none") if isinstance(turn.wait, AskRecords) else Silence())
    assert isinstance(turn.wait, EndCall)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(FLOWS)), st.lists(HEARD, max_size=30), PRESSED)
def test_the_same_place_and_the_same_input_give_the_same_turn(
    name: str, inputs: list[Heard], last: Heard
) -> None:
    flow = FLOWS[name]
    place = begin(flow)
    for heard in inputs:
        place = answer(flow, place, heard).place
    assert answer(flow, place, last) == answer(flow, place, last)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(FLOWS)), st.lists(HEARD, max_size=30))
def test_star_at_a_menu_says_what_was_said_and_keeps_no_ballot(name: str, inputs: list[Heard]) -> None:
    flow = FLOWS[name]
    turn = answer(flow, begin(flow), Started())
    for heard in inputs:
        turn = answer(flow, turn.place, heard)
    if isinstance(flow.steps[turn.place.step], Menu):
        again = answer(flow, replace(turn.place, last_key=""), Pressed("*"))
        shorter = min(len(again.lines), len(turn.lines))
        assert _last(again, shorter) == _last(turn, shorter)
        assert all(type(keep).__name__ == "KeepPace" for keep in again.keeps)


def _last(turn: Turn, count: int) -> list[str]:
    return [line.prompt for line in turn.lines][len(turn.lines) - count :]


def test_every_flow_has_one_end_and_it_is_a_goodbye() -> None:
    """But the call to who is on duty: it ends otherwise for who takes a danger than for who does not."""
    for flow in FLOWS.values():
        ends = ["taken", "untaken"] if flow.is_duty else ["goodbye"]
        assert [name for name, step in flow.steps.items() if isinstance(step, End)] == ends
