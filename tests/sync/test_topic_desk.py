"""Topics and stages as staff write them: from the draft to the decision, nobody overwriting another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from sync import milestones
from sync.archive import Archive
from sync.desk import Actor, ChangedMeanwhile, DeskError, NotThere
from sync.milestones import Stage
from sync.records.tables import Audit, Ballot, Change, Community, Topic
from sync.topic_desk import change, draft, move
from tests.sync.village import COMMUNITY, NOON, Village, at

CLERK = Actor("st_clerk", COMMUNITY)
LAMPS = {
    "title": "东巷口要不要装路灯",
    "text": "两百米没有路灯。",
    "options": [["yes", "装"], ["no", "不装"]],
    "rules": {"counts": "persons", "quorum": 2},
}


def refusal(act: Callable[[], Any]) -> str:
    with pytest.raises(DeskError) as refused:
        act()
    return refused.value.code


def told(archive: Archive, topic_id: str) -> list[str]:
    with archive.database.read() as session:
        return list(
            session.scalars(select(Change.act).where(Change.record_id == topic_id).order_by(Change.id))
        )


def test_a_topic_from_its_draft_to_its_decision(any_archive: Archive, any_community: Community) -> None:
    village = Village(any_archive)
    topic_id = draft(any_archive, CLERK, LAMPS, NOON)
    assert told(any_archive, topic_id) == []  # platforms know of no draft
    change(any_archive, CLERK, topic_id, LAMPS | {"spoken_title": " 装 路灯 "}, 1, at(1))
    assert told(any_archive, topic_id) == []
    assert refusal(lambda: move(any_archive, CLERK, topic_id, "pause", 2, at(2))) == "topic_not_now"
    move(any_archive, CLERK, topic_id, "open", 2, at(3))
    who = village.person()
    village.keep(village.given("ballot", who, 5, "b1", {"choice": "no"}, topic_id=topic_id))
    village.settle()
    without_no = LAMPS | {"options": [["yes", "装"], ["later", "以后再说"]]}
    change(any_archive, CLERK, topic_id, without_no, 3, at(6))
    with any_archive.database.read() as session:
        assert session.scalars(select(Ballot)).all() == []  # its choice is none any more: counted anew
    change(any_archive, CLERK, topic_id, LAMPS, 4, at(7))
    move(any_archive, CLERK, topic_id, "close", 5, at(8))
    move(any_archive, CLERK, topic_id, "open", 6, at(9))  # closed by mistake: open without an end
    move(any_archive, CLERK, topic_id, "close", 7, at(10))
    assert refusal(lambda: move(any_archive, CLERK, topic_id, "decide", 8, at(11), " ")) == "decision_missing"
    move(any_archive, CLERK, topic_id, "decide", 8, at(12), "装八盏。")
    with any_archive.database.read() as session:
        topic = session.get_one(Topic, topic_id)
        acts = session.scalars(select(Audit.act).where(Audit.subject == topic_id).order_by(Audit.id)).all()
        ballots = session.scalars(select(Ballot.choice).where(Ballot.topic_id == topic_id)).all()
    assert (topic.state, topic.decision, topic.closes_at, topic.version) == ("decided", "装八盏。", at(10), 9)
    assert ballots == ["no"]
    assert told(any_archive, topic_id)[0] == "created"
    assert acts[:3] == ["topic.drafted", "topic.changed", "topic.open"]
    assert acts[-1] == "topic.decide"


def test_what_contradicts_itself_or_is_anothers_is_refused(archive: Archive, community: Community) -> None:
    topic_id = draft(archive, CLERK, LAMPS, NOON)

    def write(**more: Any) -> str:
        return refusal(lambda: change(archive, CLERK, topic_id, LAMPS | more, 1, NOON))

    assert write(title=" ") == "title_missing"
    assert write(text="长" * 5001) == "too_long"
    assert write(options=[["yes", "装"]]) == "options_number"
    assert write(options=[["a", "装"], ["a", "不装"]]) == "options_alike"
    assert write(opens_at=NOON, closes_at=NOON - timedelta(days=1)) == "window_backwards"
    with pytest.raises(ChangedMeanwhile):
        change(archive, CLERK, topic_id, LAMPS, 7, NOON)
    with pytest.raises(NotThere):
        change(archive, Actor("st", "cm_other"), topic_id, LAMPS, 1, NOON)
    with archive.database.begin() as session:
        session.get_one(Topic, topic_id).owner = "pf_platform"
    assert write() == "topic_not_ours"


def test_stages_have_an_owner_a_day_and_a_goal_and_late_ones_stand_out(
    any_archive: Archive, any_community: Community
) -> None:
    topic_id = draft(any_archive, CLERK, LAMPS, NOON)
    soon = Stage("买灯", "八盏灯到货", "社区工程组", "2026-05-20")
    with any_archive.database.begin() as session:
        first = milestones.plan(session, CLERK, topic_id, soon, NOON)
        second = milestones.plan(
            session, CLERK, topic_id, Stage("装灯", "八盏全亮", "供电所", "2026-06-01"), NOON
        )
    for wrong, code in (("2026-02-30", "no_such_day"), ("", "no_such_day")):
        with any_archive.database.begin() as session:
            bad = Stage("a", "b", "c", wrong)
            assert refusal(lambda bad=bad: milestones.plan(session, CLERK, topic_id, bad, NOON)) == code
    with any_archive.database.read() as session:
        assert [one.place for one in milestones.stages(session, topic_id)] == [1, 2]
        assert [one.id for one in milestones.late(session, COMMUNITY, "2026-05-25")] == [first.id]
        assert milestones.late(session, COMMUNITY, "2026-05-20") == []  # the day itself is in time
        # 18:30 UTC is the next day in Shanghai
        assert milestones.today_in(session, COMMUNITY, NOON.replace(hour=18, minute=30)) == "2026-05-02"
    with any_archive.database.begin() as session:
        milestones.change(session, CLERK, first.id, soon, "done", 1, NOON)
    with any_archive.database.begin() as session, pytest.raises(ChangedMeanwhile):
        milestones.change(session, CLERK, first.id, soon, "dropped", 1, NOON)
    with any_archive.database.begin() as session, pytest.raises(NotThere):
        milestones.change(session, Actor("st", "cm_other"), second.id, soon, "done", 1, NOON)
    with any_archive.database.read() as session:
        done = milestones.stages(session, topic_id)[0]
        assert (done.state, done.done_on, done.version) == ("done", "2026-05-01", 2)
        assert milestones.late(session, COMMUNITY, "2026-05-25") == []
