"""The rules of the merge, held to any order, any repetition, any partition."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sync.merge import (
    Ballot,
    Rules,
    Utterance,
    is_ahead,
    later,
    merge_ballots,
    merge_opinion,
    order,
    voter_of,
    window_of,
)

NOON = datetime(2026, 5, 1, 4, 0, tzinfo=UTC)
CHANNELS = ("phone", "web", "paper")

moments = st.integers(0, 5).map(
    lambda minutes: NOON + timedelta(minutes=minutes)
)  # few, so that ties are common
ballots = st.builds(
    Ballot,
    voter_id=st.sampled_from("abc"),
    person_id=st.sampled_from("pq"),
    choice=st.sampled_from(["agree", "disagree", "pass"]),
    cast_at=moments,
    received_at=st.just(NOON),
    channel=st.sampled_from(CHANNELS),
    evidence=st.just("caller_id"),
    is_practice=st.booleans(),
    source=st.sampled_from(["exchange", "mini"]),
    source_id=st.integers(0, 60).map(str),
)
# One capture has one natural key: what repeats it is equal to it.
histories = st.lists(ballots, max_size=25, unique_by=lambda one: (one.source, one.source_id))
rules = st.builds(
    Rules,
    channel_rank=st.permutations(CHANNELS).map(tuple),
    paper_outranks=st.booleans(),
)
utterances = st.lists(
    st.builds(
        Utterance,
        act=st.sampled_from(["opinion", "opinion", "release", "opinion_dropped"]),
        speaker=st.sampled_from(["num_1", "num_1", "num_1", "num_2"]),
        cast_at=moments,
        channel=st.just("phone"),
        source=st.just("exchange"),
        source_id=st.integers(0, 60).map(str),
        recordings=st.lists(st.sampled_from("rstu"), max_size=3).map(tuple),
        release=st.sampled_from(["none", "words", "voice"]),
    ),
    max_size=12,
    unique_by=lambda one: one.source_id,
)


@given(histories, rules, st.randoms(use_true_random=False), st.data())
def test_any_order_any_repetition_any_parts_make_the_same_ballots(history, rule, random, data) -> None:
    whole = merge_ballots(history, [], rule)
    repeated = history + data.draw(st.lists(st.sampled_from(history), max_size=8) if history else st.just([]))
    random.shuffle(repeated)
    cut = data.draw(st.integers(0, len(repeated)))
    ours, theirs = repeated[:cut], repeated[cut:]
    assert merge_ballots(ours, theirs, rule) == whole
    assert merge_ballots(merge_ballots(ours, [], rule), merge_ballots(theirs, [], rule), rule) == whole
    assert merge_ballots(whole, whole, rule) == whole


@given(histories, rules)
def test_every_voter_has_exactly_one_ballot_and_it_is_one_they_cast(history, rule) -> None:
    standing = merge_ballots(history, [], rule)
    assert {one.voter_id for one in standing} == {one.voter_id for one in history}
    assert len(standing) == len({one.voter_id for one in standing})
    assert standing <= set(history)


@given(histories, rules)
def test_nothing_that_lost_was_cast_later(history, rule) -> None:
    for winner in merge_ballots(history, [], rule):
        rivals = [one for one in history if one.voter_id == winner.voter_id]
        if not rule.paper_outranks:
            assert winner.cast_at == max(one.cast_at for one in rivals)
        elif any(one.channel == "paper" for one in rivals):
            assert winner.channel == "paper"


@given(histories, rules)
def test_the_order_is_total(history, rule) -> None:
    assert len({order(one, rule) for one in history}) == len(history)


def a_ballot(**columns: object) -> Ballot:
    plain = Ballot("v", "p", "agree", NOON, NOON, "phone", "caller_id", False, "exchange", "1")
    return replace(plain, **columns)


def test_a_tie_in_time_goes_by_channel_rank_then_source_then_source_id() -> None:
    rule = Rules(channel_rank=("web", "phone"))
    phone, web = a_ballot(), a_ballot(channel="web", source="zzz")
    assert later(phone, web, rule) == phone
    assert later(phone, web) == web  # unranked: the greater source
    assert later(a_ballot(source_id="1"), a_ballot(source_id="2")).source_id == "2"


def test_paper_outranks_only_where_the_topic_says_so() -> None:
    paper = a_ballot(channel="paper", cast_at=NOON - timedelta(days=1))
    assert later(a_ballot(), paper).channel == "phone"
    assert later(a_ballot(), paper, Rules(paper_outranks=True)).channel == "paper"


@given(st.integers(-400, 400))
def test_a_clock_may_run_two_minutes_ahead_and_no_more(seconds: int) -> None:
    assert is_ahead(NOON + timedelta(seconds=seconds), NOON) == (seconds > 120)


def test_a_window_opens_with_its_first_moment_and_closes_before_its_last() -> None:
    rule = Rules(opens_at=NOON, closes_at=NOON + timedelta(minutes=1))
    second = timedelta(seconds=1)
    seen = [window_of(NOON + n * second, rule) for n in (-1, 0, 59, 60)]
    assert seen == ["early", "inside", "inside", "late"]
    assert window_of(NOON, Rules()) == "inside"


def test_a_home_is_known_by_the_roster_else_by_its_telephone() -> None:
    homes = Rules(counts="households")
    assert voter_of(homes, "p", "n", "h") == "h"
    assert voter_of(homes, "p", "n", None) == "n"
    assert voter_of(homes, "p", None, None) == "p"
    assert voter_of(Rules(), "p", "n", "h") == "p"


@given(utterances, st.randoms(use_true_random=False))
def test_an_opinion_is_the_same_in_any_order(said, random) -> None:
    whole = merge_opinion(said)
    shuffled = said + said[:3]
    random.shuffle(shuffled)
    assert merge_opinion(shuffled) == whole
    assert (whole is None) == all(one.act != "opinion" for one in said)


@given(utterances)
def test_an_opinion_loses_no_recording_of_its_owner_and_takes_none_of_a_stranger(said) -> None:
    whole = merge_opinion(said)
    if whole is not None:
        owned = [one for one in said if one.speaker == whole.first.speaker]
        parts = {recording for one in owned if one.act == "opinion" for recording in one.recordings}
        assert set(whole.recordings) == parts
        assert len(whole.recordings) == len(parts)
        assert whole.is_withdrawn == any(one.act == "opinion_dropped" for one in owned)
        assert len(whole.strangers) == len(said) - len(owned)
