"""What loudspeakers tell moves a play forward and never back, whatever comes in whatever order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ivr.broadcast.loudspeakers import Told
from ivr.broadcast.plays import ENDS, RANKS, forward, state_told, write_down
from sync.archive import Archive
from sync.records.tables import Airing, Community, Loudspeaker, Play

NOW = datetime(2026, 5, 6, 10, 30, tzinfo=UTC)
STATES = st.lists(st.sampled_from(sorted(RANKS)), max_size=12)


@given(STATES)
def test_a_play_never_goes_back_and_its_end_stands(told: list[str]) -> None:
    state = "waiting"
    for one in told:
        before, state = state, forward(state, one)
        assert RANKS[state] >= RANKS[before]
        assert before not in ENDS or state == before
    first_end = next((one for one in told if one in ENDS), None)
    assert state == (first_end or max(["waiting", *told], key=lambda one: RANKS[one]))


@given(STATES)
def test_repeated_or_reordered_it_comes_as_far(told: list[str]) -> None:
    def end(states: list[str]) -> int:
        state = "waiting"
        for one in states:
            state = forward(state, one)
        return RANKS[state]

    assert end(told) == end(told + told) == end(sorted(told)) == end(told[::-1])


def test_what_is_told_is_written_down_once_and_for_nobody_elses_play(
    any_archive: Archive, any_community: Community
) -> None:
    with any_archive.database.begin() as session:
        for name in ("a", "b"):
            session.add(
                Loudspeaker(id=f"ls_{name}", community_id="cm_test", name=name, kind="mqtt", created_at=NOW)
            )
        session.add(
            Airing(
                id="air_1", natural_key="k", community_id="cm_test", due_at=NOW, expires_at=NOW, made_by="x"
            )
        )
        session.flush()
        session.add(
            Play(
                id="pl_1", airing_id="air_1", loudspeaker_id="ls_a", community_id="cm_test", volume=60,
                due_at=NOW, state="sent",
            )
        )  # fmt: skip

    def tell(*told: tuple[str | None, str, str, str]) -> tuple[Play, Loudspeaker]:
        with any_archive.database.begin() as session:
            many = [
                Told(play, speaker, what, NOW + timedelta(seconds=n), detail)  # type: ignore[arg-type]
                for n, (play, speaker, what, detail) in enumerate(told)
            ]
            write_down(session, many)
        with any_archive.database.read() as session:
            return session.get_one(Play, "pl_1"), session.get_one(Loudspeaker, "ls_a")

    play, _ = tell(("pl_1", "ls_b", "finished", ""))
    assert play.state == "sent"
    play, speaker = tell(
        (None, "ls_a", "seen", ""), ("pl_1", "ls_a", "started", ""), ("pl_9", "ls_a", "failed", "")
    )
    assert (play.state, play.started_at, speaker.presence) == ("started", NOW + timedelta(seconds=1), "here")
    play, speaker = tell(
        ("pl_1", "ls_a", "failed", "wrong_sum\n" + "x" * 99), ("pl_1", "ls_a", "finished", "")
    )
    assert (play.state, play.error) == ("failed", "wrong_sum" + "x" * 51)
    _, speaker = tell((None, "ls_a", "gone", ""))
    assert speaker.presence == "gone"
    assert [state_told(Told("p", "l", "failed", NOW, why)) for why in ("stopped", "expired", "busy")] == [
        "cut", "expired", "failed",
    ]  # fmt: skip
