"""As whom linked people count, held to any order and any repetition of the links."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sync.merge import common_home, roots, stood_at

NOON = datetime(2026, 5, 1, 4, 0, tzinfo=UTC)
people = st.sampled_from("abcdefgh")
links = st.lists(st.tuples(people, people).filter(lambda pair: pair[0] != pair[1]), max_size=12)
members = st.dictionaries(
    people,
    st.tuples(st.sampled_from([None, "num_1", "num_2"]), st.sampled_from([None, "hh_1", "hh_2"])),
    min_size=1,
)


def reached(start: str, known: list[tuple[str, str]]) -> set[str]:
    """Everybody a person is linked to, however far."""
    found = {start}
    while True:
        more = {one for link in known if found & set(link) for one in link} - found
        if not more:
            return found
        found |= more


@given(links)
def test_everybody_counts_as_the_smallest_they_are_linked_to(known) -> None:
    found = roots(known)
    assert found == {one: min(reached(one, known)) for link in known for one in link}


@given(links, st.randoms(use_true_random=False), st.data())
def test_order_repetition_and_direction_of_links_mean_nothing(known, random, data) -> None:
    again = known + data.draw(st.lists(st.sampled_from(known), max_size=5) if known else st.just([]))
    turned = [pair if random.random() < 0.5 else (pair[1], pair[0]) for pair in again]
    random.shuffle(turned)
    assert roots(turned) == roots(known)


@given(links, st.data())
def test_undoing_a_link_never_joins_anybody(known, data) -> None:
    if known:
        undone = data.draw(st.sampled_from(known))
        left = roots([one for one in known if one != undone])
        before = roots(known)
        for one, root in left.items():
            assert before[one] == before[root]


@given(members, st.randoms(use_true_random=False))
def test_a_common_home_is_on_the_roster_if_any_is_and_follows_no_order(homes, random) -> None:
    rows = [(who, number, household) for who, (number, household) in homes.items()]
    found = common_home(rows)
    random.shuffle(rows)
    assert common_home(rows) == found
    households = {household for _, _, household in rows if household}
    numbers = {number for _, number, _ in rows if number}
    assert found in (households or numbers or {min(homes)})


@given(st.integers(0, 9), st.none() | st.integers(0, 9), st.integers(0, 9))
def test_a_link_counts_from_its_making_until_before_its_undoing(made, undone, close) -> None:
    def at(minute: int) -> datetime:
        return NOON + timedelta(minutes=minute)

    undone_at = None if undone is None else at(undone)
    assert stood_at(at(made), undone_at, at(close)) == (made < close and (undone is None or undone >= close))
    assert stood_at(at(made), undone_at, None) == (undone is None)
