"""Which calls belong to which broadcast: the rule alone, and over the records of both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ivr.dialogue.hearing_again import HEARD_AGAIN
from sync.archive import Archive
from sync.called_after import ASKED_FOR, Aired, CalledAfter, CallMade, called_after, count_calls
from sync.community_settings import change_setting
from sync.people import person_at
from sync.records.tables import Airing, Call, Community, Loudspeaker, PlacedCall, Play, Programme, new_id

EVENING = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
FIRST, SECOND = Aired("a1", "pg_lamps", EVENING), Aired("a2", "pg_canteen", EVENING + timedelta(hours=2))


def after(hours: float, asked_for: str | None = None) -> CallMade:
    return CallMade(EVENING + timedelta(hours=hours), asked_for)


def test_the_last_airing_before_a_call_takes_it_for_three_hours() -> None:
    calls = [after(-0.1), after(0), after(1.9), after(2), after(4.9), after(5)]
    assert count_calls([SECOND, FIRST], calls, 3) == {"a1": CalledAfter(2), "a2": CalledAfter(2)}


def test_who_asks_to_hear_it_again_is_counted_to_it_however_late() -> None:
    calls = [after(2.5, "pg_lamps"), after(100, "pg_lamps"), after(0.5, "pg_canteen"), after(100, "pg_gone")]
    assert count_calls([FIRST, SECOND], calls, 3) == {"a1": CalledAfter(followed=1, asked=2)}


@given(
    aired=st.lists(st.tuples(st.integers(0, 50), st.sampled_from("xyz")), max_size=6),
    called=st.lists(st.tuples(st.integers(-5, 60), st.sampled_from([None, *"xyz"])), max_size=12),
    hours=st.integers(1, 10),
)
def test_no_call_is_counted_twice_and_order_does_not_matter(
    aired: list[tuple[int, str]], called: list[tuple[int, str | None]], hours: int
) -> None:
    airings = [
        Aired(f"a{n}", programme, EVENING + timedelta(hours=at)) for n, (at, programme) in enumerate(aired)
    ]
    calls = [after(at, asked) for at, asked in called]
    counted = count_calls(airings, calls, hours)
    assert counted == count_calls(airings[::-1], calls[::-1], hours)
    each = [count_calls(airings, [call], hours) for call in calls]
    assert all(sum(one.calls for one in found.values()) <= 1 for found in each)
    total = sum(one.calls for one in counted.values())
    assert total == sum(one.calls for found in each for one in found.values())


def test_the_records_are_counted_anew_each_time(any_archive: Archive, any_community: Community) -> None:
    assert ASKED_FOR == HEARD_AGAIN
    heard, silent = (_air(any_archive, state) for state in ("finished", "failed"))
    for minutes, asked in ((-5, None), (10, None), (170, None), (181, None), (5000, "pg_1")):
        _call(any_archive, EVENING + timedelta(minutes=minutes), asked)
    _call(any_archive, EVENING + timedelta(minutes=20), None, flow="called_back")
    _ring(any_archive, EVENING + timedelta(minutes=90))

    def count(now: datetime) -> dict[str, CalledAfter]:
        with any_archive.database.read() as session:
            return dict(called_after(session, "cm_test", EVENING - timedelta(days=7), now))

    late = EVENING + timedelta(days=6)
    assert count(late) == count(late) == {heard: CalledAfter(followed=3, asked=1)}
    assert silent not in count(late)
    assert count(EVENING + timedelta(minutes=30)) == {heard: CalledAfter(followed=1)}
    with any_archive.database.begin() as session:
        change_setting(session, "cm_test", "broadcast_call_hours", 4, "st_test")
    assert count(late) == {heard: CalledAfter(followed=4, asked=1)}


def _air(archive: Archive, state: str) -> str:
    """An airing of `pg_1` that one loudspeaker played, or did not; its id."""
    airing_id = new_id("ai")
    with archive.database.begin() as session:
        if session.get(Programme, "pg_1") is None:
            made = {"created_by": "st", "created_at": EVENING, "changed_by": "st", "changed_at": EVENING}
            session.add(Programme(id="pg_1", community_id="cm_test", title="路灯", **made))
            session.flush()
        loudspeaker = Loudspeaker(
            id=new_id("ls"), community_id="cm_test", name=new_id("村口"), kind="files", created_at=EVENING
        )
        airing = Airing(
            id=airing_id, natural_key=airing_id, community_id="cm_test", programme_id="pg_1", state="done",
            due_at=EVENING, expires_at=EVENING, began_at=EVENING + timedelta(seconds=state == "failed"),
            made_by="st",
        )  # fmt: skip
        session.add_all([loudspeaker, airing])
        session.flush()
        session.add(
            Play(
                id=new_id("pl"), airing_id=airing_id, loudspeaker_id=loudspeaker.id, community_id="cm_test",
                state=state, volume=60, due_at=EVENING,
            )
        )  # fmt: skip
    return airing_id


def _call(archive: Archive, at: datetime, asked_for: str | None, flow: str = "hotline") -> None:
    with archive.database.begin() as session:
        person = person_at(session, archive, "cm_test", None)
        session.add(
            Call(
                id=new_id("cl"), sid=new_id("CA"), community_id="cm_test", person_id=person.id,
                line="exchange", handset="phone", is_practice=False, flow=flow, view={},
                place={"memory": {"broadcast": asked_for}} if asked_for else {}, began_at=at, turned_at=at,
            )
        )  # fmt: skip


def _ring(archive: Archive, at: datetime) -> None:
    """Somebody rang and hung up before anybody answered."""
    with archive.database.begin() as session:
        person = person_at(session, archive, "cm_test", None)
        session.add(
            PlacedCall(
                id=new_id("pc"), community_id="cm_test", person_id=person.id, reason="missed",
                about=new_id("CA"), next_try_at=at, expires_at=at, made_at=at,
            )
        )  # fmt: skip
