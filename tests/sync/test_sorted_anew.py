"""What staff write in place of the machine's words is sorted anew, and danger in it is heard."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from sync import desk
from sync.alerts import open_alerts, take_alert
from sync.archive import Archive
from sync.desk import Actor
from sync.records.tables import Community, Opinion, Understanding
from sync.words import transcribe_opinion
from tests.sync.recording_source import RecordingSource, a_wav, source
from tests.sync.test_words import clock, stored
from tests.sync.voices import NOW, Parrot

__all__ = ["source"]

STAFF = Actor("st_1", "cm_test")


def heard(archive: Archive, community: Community, source: RecordingSource, key: str, words: str) -> str:
    said = stored(archive, community, source, [a_wav()], key=key)
    assert transcribe_opinion(archive, said.opinion_id, lambda: Parrot(words), clock)
    return said.opinion_id


def read(archive: Archive, opinion_id: str) -> Opinion:
    with archive.database.read() as session:
        return session.get_one(Opinion, opinion_id)


def alerts(archive: Archive) -> set[str]:
    with archive.database.read() as session:
        return {one.opinion_id for one in open_alerts(session, "cm_test")}


def test_corrected_words_are_sorted_anew_but_for_what_a_person_chose(
    any_archive: Archive, any_community: Community, source: RecordingSource
) -> None:
    opinion_id = heard(any_archive, any_community, source, "1", "建议多装几盏灯")
    desk.correct(any_archive, STAFF, opinion_id, "请问广场舞太吵找哪个部门，我叫王桂兰", NOW)
    row = read(any_archive, opinion_id)
    assert (row.category, row.purpose, row.urgency, row.state) == ("邻里噪音", "咨询", None, "review")
    with any_archive.database.read() as session:
        machines = {one.about: one.label for one in session.scalars(select(Understanding))}
    assert machines == {"category": "邻里噪音", "purpose": "咨询"}
    desk.classify(any_archive, STAFF, opinion_id, "其他", NOW)
    desk.correct(any_archive, STAFF, opinion_id, "建议在楼下装一个路灯", NOW)
    row = read(any_archive, opinion_id)
    assert (row.category, row.purpose) == ("其他", "建议")


def test_danger_in_corrected_words_is_told_and_stands_until_somebody_has_seen_to_it(
    archive: Archive, community: Community, source: RecordingSource
) -> None:
    missed = heard(archive, community, source, "1", "我家的没了一下")
    late = heard(archive, community, source, "2", "楼上的那个")
    false = heard(archive, community, source, "3", "我家煤气漏了快来人")
    assert (read(archive, missed).urgency, alerts(archive)) == (None, {false})
    desk.correct(archive, STAFF, missed, "我家煤气漏了，快来人", NOW + timedelta(minutes=30))
    desk.correct(archive, STAFF, late, "楼上着火了快来人", NOW + timedelta(days=3))
    assert (read(archive, missed).urgency, read(archive, late).urgency) == ("燃气", "火情")
    assert alerts(archive) == {missed, false}  # what was said days ago calls nobody out of bed
    desk.correct(archive, STAFF, false, "我家没人，楼下等您", NOW)
    assert read(archive, false).urgency == "燃气"
    with archive.database.begin() as session:
        assert take_alert(session, false, "cm_test", "st_1", NOW)
    desk.correct(archive, STAFF, false, "我家没人，楼下等您", NOW)
    assert read(archive, false).urgency is None
