"""Reviewing, on both databases: found by words, taught by corrections, given to somebody for some days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from sync import assigning, desk
from sync.archive import Archive
from sync.backup import backup, restore
from sync.community_settings import change_setting
from sync.deadlines import (
    DEADLINE_DAYS,
    FREE_DAYS,
    WORK_DAYS,
    proposed,
    typed_dates,
    typed_days,
    working_day,
)
from sync.desk import Actor, DeskError, NotThere
from sync.erase import withdraw_opinion
from sync.learning import category_lessons, taught_words, word_lessons
from sync.records.tables import Assignment, Community, Lesson, Opinion, SearchTerm, Staff
from sync.searching import alike, hashes, index_missing, is_any_missing, matching
from sync.settle import settle_batch
from sync.sound import hints_for
from sync.words import transcribe_opinion
from tests.sync.recording_source import RecordingSource, a_wav, source
from tests.sync.test_words import clock, stored
from tests.sync.voices import NOW, Parrot, a_topic

__all__ = ["source"]

STAFF = Actor("st_1", "cm_test")
LAMPS = "东巷口的路灯坏了三天，我叫王桂兰，物业不管。"


def said(archive: Archive, community: Community, source: RecordingSource, key: str, words: str) -> str:
    one = stored(archive, community, source, [a_wav()], key=key)
    assert transcribe_opinion(archive, one.opinion_id, lambda: Parrot(words), clock)
    return one.opinion_id


def found(archive: Archive, words: str, community_id: str = "cm_test") -> list[str]:
    with archive.database.read() as session:
        asked = hashes(archive, community_id, words)
        return [opinion_id for _, opinion_id in session.execute(matching(session, asked))]


def test_opinions_are_found_by_their_words_as_long_as_they_have_them(
    any_archive: Archive, any_community: Community, source: RecordingSource
) -> None:
    lamps = said(any_archive, any_community, source, "1", LAMPS)
    steps = said(any_archive, any_community, source, "2", "楼道的灯不亮，台阶也坏了。")
    assert found(any_archive, "路灯 物业") == [lamps]
    assert found(any_archive, "坏") == [steps, lamps]  # the newest first
    assert found(any_archive, "王桂兰") == [lamps]  # a name, though nowhere but sealed
    assert found(any_archive, "路灯 台阶") == []
    assert found(any_archive, "桂兰") == found(any_archive, "东巷") == [lamps]  # parts of words
    assert found(any_archive, "层台") == found(any_archive, "灯路") == []
    assert found(any_archive, "路灯", "cm_elsewhere") == []
    desk.correct(any_archive, STAFF, lamps, "西巷口的水管坏了。", NOW)
    assert found(any_archive, "路灯") == []
    assert found(any_archive, "水管") == [lamps]
    withdraw_opinion(any_archive, lamps, "speaker")
    assert found(any_archive, "水管") == []
    with any_archive.database.read() as session:
        assert {one for (one,) in session.execute(select(SearchTerm.number)).all()} == {2}


def test_what_is_alike_is_found_and_a_restored_archive_finds_again(
    archive: Archive, community: Community, source: RecordingSource, tmp_path_factory: pytest.TempPathFactory
) -> None:
    one = said(archive, community, source, "1", LAMPS)
    other = said(archive, community, source, "2", "巷口路灯坏了好几天，物业不管")
    said(archive, community, source, "3", "食堂的菜太咸了")
    with archive.database.read() as session:
        near = alike(session, one)
    assert [opinion_id for opinion_id, _ in near] == [other]
    assert 0.4 <= near[0][1] <= 1
    away, home = tmp_path_factory.mktemp("away"), tmp_path_factory.mktemp("home")
    backup(archive, archive.recordings.folder.parent, away / "all.tar")
    restore(away / "all.tar", f"sqlite:///{home}/records.db", home)
    again = Archive.open(f"sqlite:///{home}/records.db", home)
    try:
        assert found(again, "路灯") == []
        assert is_any_missing(again)
        assert index_missing(again, limit=10) == 3
        assert not is_any_missing(again)
        assert set(found(again, "路灯")) == {one, other}
    finally:
        again.close()


def test_what_staff_put_right_is_expected_next_time_and_goes_with_its_opinion(
    any_archive: Archive, any_community: Community, source: RecordingSource
) -> None:
    heard, meant = "汪家弄的务业不管路灯", "王家弄的物业不管路灯"
    first = said(any_archive, any_community, source, "1", heard)
    desk.correct(any_archive, STAFF, first, meant, NOW)
    with any_archive.database.read() as session:
        assert ("务业", "物业") in list(word_lessons(session, "cm_test"))
        assert "物业" not in hints_for(session, "cm_test", None)  # one correction may be one slip
    second = said(any_archive, any_community, source, "2", "务业电话打不通")
    desk.correct(any_archive, STAFF, second, "物业电话打不通", NOW)
    with any_archive.database.read() as session:
        assert "物业" in taught_words(session, "cm_test")
    recognizer = Parrot("好的")
    third = stored(any_archive, any_community, source, [a_wav()], key="3")
    transcribe_opinion(any_archive, third.opinion_id, lambda: recognizer, clock)
    assert "物业" in recognizer.heard[0][2]
    desk.classify(any_archive, STAFF, second, "治安消防", NOW)
    with any_archive.database.read() as session:
        assert list(category_lessons(session)) == [("物业电话打不通", "治安消防")]
    withdraw_opinion(any_archive, second, "speaker")
    with any_archive.database.read() as session:
        assert session.scalar(select(func.count()).where(Lesson.opinion_id == second)) == 0
        assert taught_words(session, "cm_test") == ()


def test_nothing_private_is_ever_learned(
    archive: Archive, community: Community, source: RecordingSource
) -> None:
    one = said(archive, community, source, "1", "我叫王贵兰，电话一三八零零零零一一一一")
    desk.correct(archive, STAFF, one, "我叫王桂兰，电话一三八零零零零一一一二", NOW)
    with archive.database.read() as session:
        assert not [pair for pair in word_lessons(session) if "王" in "".join(pair) or "一" in "".join(pair)]


def test_a_matter_is_in_somebodys_hands_until_it_is_answered_and_again_when_it_did_not_satisfy(
    any_archive: Archive, any_community: Community, source: RecordingSource
) -> None:
    with any_archive.database.begin() as session:
        session.add(
            Staff(
                id="st_2", community_id="cm_test", name="小李", password_hash="-", role="reviewer",
                created_at=NOW,
            )
        )  # fmt: skip
    one = said(any_archive, any_community, source, "1", LAMPS)
    until = NOW.date() + timedelta(days=5)
    with pytest.raises(DeskError, match="nobody"):
        assigning.assign(any_archive, STAFF, one, "st_none", until, NOW)
    with pytest.raises(DeskError, match="over"):
        assigning.assign(any_archive, STAFF, one, "st_2", NOW.date() - timedelta(days=1), NOW)
    with pytest.raises(NotThere):
        assigning.assign(any_archive, Actor("st_9", "cm_far"), one, "st_2", until, NOW)
    assigning.assign(any_archive, STAFF, one, "st_2", until, NOW)
    with any_archive.database.read() as session:
        row = session.get_one(Assignment, one)
        assert row.due_at == datetime(2026, 3, 6, 10, 0, tzinfo=UTC)  # six in the evening there
        assert session.get_one(Opinion, one).stage == "assigned"
    assigning.unassign(any_archive, STAFF, one, NOW)
    with any_archive.database.read() as session:
        assert session.get(Assignment, one) is None
        assert session.get_one(Opinion, one).stage == "received"
    assigning.assign(any_archive, STAFF, one, "st_2", until, NOW)
    desk.reply(any_archive, STAFF, one, "明天来修。", NOW)
    with any_archive.database.read() as session:
        assert session.get_one(Assignment, one).settled_at == NOW
    displease(any_archive, one)
    with any_archive.database.read() as session:
        assert session.get_one(Opinion, one).stage == "reopened"
        assert session.get_one(Assignment, one).settled_at is None


def displease(archive: Archive, opinion_id: str) -> None:
    from sync.inbox import Given, keep

    with archive.database.begin() as session:
        person_id = session.get_one(Opinion, opinion_id).person_id
        said = {"opinion_id": opinion_id, "is_satisfied": False}
        later = NOW + timedelta(days=2)
        keep(session, Given("exchange", "no", "cm_test", person_id, "satisfaction", None, said, "phone",
                            "caller_id", False, later), later)  # fmt: skip
    settle_batch(archive, now=NOW + timedelta(days=2))


def test_deadlines_count_working_days_of_the_countrys_own_calendar(
    archive: Archive, community: Community, source: RecordingSource
) -> None:
    assert working_day(date(2026, 9, 30), 1) == date(2026, 10, 8)  # the holiday week lies between
    assert working_day(date(2026, 10, 9), 1) == date(2026, 10, 10)  # a Saturday that is worked
    assert working_day(date(2026, 11, 20), 3) == date(2026, 11, 25)
    assert working_day(date(2026, 11, 21), 0) == date(2026, 11, 23)
    one = said(archive, community, source, "1", LAMPS)
    monday = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    with archive.database.begin() as session:
        opinion = session.get_one(Opinion, one)
        assert proposed(session, opinion, monday) == date(2026, 11, 26)  # a message: three days
        change_setting(session, "cm_test", DEADLINE_DAYS, typed_days("设施维修=1，message=5"), "st_1")
        assert proposed(session, opinion, monday) == date(2026, 11, 24)
        opinion.urgency = "燃气"
        assert proposed(session, opinion, monday) == date(2026, 11, 23)
        with pytest.raises(ValueError, match="working days"):
            typed_days("urgent=200")
        change_setting(session, "cm_test", FREE_DAYS, typed_dates("2026-11-23，2026-11-25"), "st_1")
        change_setting(session, "cm_test", WORK_DAYS, typed_dates("2026-11-28"), "st_1")
        assert proposed(session, opinion, monday) == date(2026, 11, 24)  # the temple fair is on Monday
        opinion.urgency = None
        change_setting(session, "cm_test", DEADLINE_DAYS, typed_days("设施维修=4"), "st_1")
        assert proposed(session, opinion, monday) == date(2026, 11, 28)  # 24, 26, 27, a worked Saturday
        with pytest.raises(ValueError):
            typed_dates("2026-13-01")


def test_a_decision_is_undone_and_a_topic_changed(
    archive: Archive, community: Community, source: RecordingSource
) -> None:
    one, topic_id = said(archive, community, source, "1", LAMPS), a_topic(archive, community)
    with pytest.raises(DeskError, match="decided"):
        desk.put_back(archive, STAFF, one, NOW)
    desk.approve(archive, STAFF, one, NOW)
    desk.put_back(archive, STAFF, one, NOW)
    desk.retopic(archive, STAFF, one, topic_id, NOW)
    with archive.database.read() as session:
        opinion = session.get_one(Opinion, one)
        assert (opinion.state, opinion.topic_id, opinion.kind) == ("review", topic_id, "opinion")
    with pytest.raises(NotThere):
        desk.retopic(archive, STAFF, one, "tp_elsewhere", NOW)
