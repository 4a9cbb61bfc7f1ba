"""Categories learnt from the desk, on both databases: used once proved, refused if not, gone with words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from speech.redact import redact
from sync import desk, jobs, teaching
from sync.archive import Archive
from sync.community_settings import change_setting
from sync.desk import Actor, DeskError
from sync.erase import withdraw_opinion
from sync.jobs import open_worker
from sync.queue import WorkQueue
from sync.records.tables import Community, Key, Learned, Lesson, Opinion, Person, Transcript, Understanding
from sync.sorting import CATEGORIES, go_back, is_due, labels_of, lessons_due, models, sorting_of
from sync.teaching import is_held_back, lessons_of, teach
from sync.words import transcribe_opinion
from tests.sync.recording_source import RecordingSource, a_wav, credentials, source
from tests.sync.test_words import clock, stored
from tests.sync.voices import NOW, Parrot

__all__ = ["source"]

STAFF = Actor("st_1", "cm_test")
PLACES = ("东门", "西门", "三号楼", "花坛边", "凉亭", "桥头", "北边", "河滩")
BIRDS = ("鸽子", "鸽粪", "羽毛", "鸟窝", "鸟食")
BOATS = ("小船", "船票", "划桨", "船坞", "救生衣")
LAMPS = ("路灯", "水管", "井盖", "下水道", "维修")
NOISE = ("噪音", "扰民", "广场舞", "太吵", "吵闹")
MANY = 60


def confirmed(archive: Archive, many: int = MANY, is_known: bool = False) -> list[str]:
    """So many opinions of as many people, put by staff into two categories that the lists know nothing of.

    A third was put there, the others were approved where they were. `is_known`: into two categories that
    the lists always find, so that there is nothing to learn.
    """
    kinds = (("设施维修", LAMPS), ("邻里噪音", NOISE)) if is_known else (("鸽子", BIRDS), ("租船", BOATS))
    ids = []
    with archive.database.begin() as session:
        change_setting(session, "cm_test", CATEGORIES, {"鸽子": "鸽舍", "租船": "租船"}, "st_1")
        for n in range(many):
            label, words = kinds[n % 2]
            text = f"{PLACES[n % 8]}的{words[n % 5]}，还有{words[(n // 5) % 5]}，我看了{n}次"
            key_id = archive.keyring.new_key(session)
            session.add(
                Person(id=f"pe_{many}_{n}", community_id="cm_test", seat=1, key_id=key_id, created_at=NOW)
            )
            session.flush()
            opinion = Opinion(
                id=f"op_{many}_{n}", community_id="cm_test", person_id=f"pe_{many}_{n}", source="t",
                source_id=f"{many}_{n}", channel="phone", evidence="none", kind="message",
                state="approved" if n % 3 else "review", category=label if n % 3 else "其他",
                category_confidence=0.0, said_at=NOW + timedelta(seconds=n),
            )  # fmt: skip
            session.add(opinion)
            session.flush()
            session.add(
                Transcript(
                    opinion_id=opinion.id, version=1, redacted=redact(text).text, confidence=0.9,
                    language="zh", engine="t", speech_seconds=4.0, made_by="machine", made_at=NOW,
                )
            )  # fmt: skip
            ids.append(opinion.id)
    for n, one in list(enumerate(ids))[::3]:
        desk.classify(archive, STAFF, one, kinds[n % 2][0], NOW)
    return ids


def sort(archive: Archive, community: Community, source: RecordingSource, key: str, words: str) -> Opinion:
    """An opinion that came in just now, as the machine has sorted it."""
    said = stored(archive, community, source, [a_wav()], key=key)
    assert transcribe_opinion(archive, said.opinion_id, lambda: Parrot(words), clock)
    with archive.database.read() as session:
        return session.get_one(Opinion, said.opinion_id)


def used(archive: Archive) -> str | None:
    with archive.database.read() as session:
        return sorting_of(session, archive, "cm_test").model_id


def test_what_staff_confirm_is_learnt_used_left_again_and_forgotten(
    any_archive: Archive, any_community: Community, source: RecordingSource
) -> None:
    later = NOW + timedelta(hours=1)
    before = sort(any_archive, any_community, source, "1", "桥头的羽毛和鸟食")
    assert before.category not in ("鸽子", "租船")
    assert teach(any_archive, "cm_test", later) is None  # nobody has confirmed anything
    ids = confirmed(any_archive)
    assert lessons_due(any_archive) == ["cm_test"]
    row = teach(any_archive, "cm_test", later)
    assert row is not None
    assert (row.state, used(any_archive)) == ("used", row.id)
    assert row.examples + row.held == MANY
    assert row.right > row.right_lists
    assert row.chance <= teaching.PROOF
    assert lessons_due(any_archive) == []
    now_known = sort(any_archive, any_community, source, "2", "桥头的羽毛和鸟食")
    assert now_known.category == "鸽子"
    assert now_known.category_confidence == pytest.approx(0.75, abs=0.25)
    with any_archive.database.read() as session:
        answer = session.get_one(Understanding, (now_known.id, "category"))
        assert (answer.label, answer.model_id) == ("鸽子", row.id)
        assert "羽毛" in answer.because
    withdraw_opinion(any_archive, ids[0], "speaker")
    with any_archive.database.read() as session:
        gone = session.get_one(Learned, row.id)
        assert (gone.state, gone.sealed) == ("gone", None)
        assert session.get_one(Key, gone.key_id).wrapped is None
        assert session.scalars(select(Understanding).where(Understanding.opinion_id == ids[0])).all() == []
        assert is_due(session, "cm_test")
    assert used(any_archive) is None
    again = teach(any_archive, "cm_test", later)
    assert again is not None
    assert again.state == "used"
    with any_archive.database.begin() as session:
        go_back(session, STAFF, "", later)
    assert used(any_archive) is None
    with any_archive.database.begin() as session:
        go_back(session, STAFF, again.id, later)
        with pytest.raises(DeskError, match="not kept"):
            go_back(session, STAFF, row.id, later)
    assert used(any_archive) == again.id


def test_what_is_no_better_is_refused_and_who_dies_half_way_has_changed_nothing(
    archive: Archive, community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = confirmed(archive, is_known=True)
    refused = teach(archive, "cm_test", NOW)
    assert refused is not None
    assert (refused.state, refused.sealed, used(archive)) == ("refused", None, None)
    with archive.database.read() as session:
        assert not is_due(session, "cm_test")  # not before more is confirmed
        lessons = lessons_of(session, "cm_test")
        held = {session.get_one(Opinion, one).person_id for one in ids if is_held_back(f"pe_{one[3:]}")}
    assert len(lessons.held) == len(held)
    assert not {one.text for one in lessons.held} & {one.text for one in lessons.taught}
    keep = teaching._keep

    def dies(*_: object) -> Learned:
        raise OSError("pulled the plug")

    monkeypatch.setattr(teaching, "_keep", dies)
    with pytest.raises(OSError, match="plug"):
        teach(archive, "cm_test", NOW)
    with archive.database.read() as session:
        assert [one.id for one in models(session, "cm_test")] == [refused.id]
    compare = teaching.examine

    def takes_back_meanwhile(*arguments: object) -> object:
        withdraw_opinion(archive, next(one for one in ids if not is_held_back(f"pe_{one[3:]}")), "speaker")
        return compare(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(teaching, "_keep", keep)
    monkeypatch.setattr(teaching, "examine", takes_back_meanwhile)
    assert teach(archive, "cm_test", NOW) is None  # what it learnt from is not there any more
    monkeypatch.setattr(teaching, "examine", compare)
    confirmed(archive, many=MANY + 20)
    monkeypatch.setattr(jobs, "_workplace", None)
    open_worker(archive, WorkQueue("unix:///nowhere/redis.sock"), Parrot, credentials, clock=lambda: NOW)
    jobs.learn("cm_test")
    first = used(archive)
    assert first is not None
    jobs.learn("cm_test")  # nothing is new: nothing is done
    assert used(archive) == first
    with archive.database.read() as session:
        assert [one.state for one in models(session, "cm_test")].count("used") == 1


def test_what_a_person_chose_stands_and_the_machines_own_answer_stays_beside_it(
    any_archive: Archive, any_community: Community, source: RecordingSource
) -> None:
    opinion = sort(any_archive, any_community, source, "1", "请问路灯坏了找哪个部门，我叫王桂兰")
    assert (opinion.category, opinion.purpose) == ("设施维修", "咨询")
    desk.mean(any_archive, STAFF, opinion.id, "求助", NOW, opinion.version)
    with pytest.raises(DeskError, match="kind of call"):
        desk.mean(any_archive, STAFF, opinion.id, "抱怨", NOW)
    with pytest.raises(DeskError, match="changed"):
        desk.mean(any_archive, STAFF, opinion.id, "投诉", NOW, opinion.version)  # seen before the change
    with pytest.raises(DeskError, match="category"):
        desk.classify(any_archive, STAFF, opinion.id, "天气", NOW)
    with any_archive.database.begin() as session:
        change_setting(session, "cm_test", CATEGORIES, {"电梯加装": "off", "天气": "下雨 刮风"}, "st_1")
        assert labels_of(session, "cm_test")[-2:] == ("天气", "其他")
        session.get_one(Opinion, opinion.id).state = "waiting"  # more was said: all of it is heard anew
    desk.classify(any_archive, STAFF, opinion.id, "天气", NOW)
    assert transcribe_opinion(any_archive, opinion.id, lambda: Parrot("投诉楼下吵得睡不着"), clock)
    with any_archive.database.read() as session:
        row = session.get_one(Opinion, opinion.id)
        assert (row.category, row.purpose, row.purpose_confidence) == ("天气", "求助", 1.0)
        machines = {one.about: one for one in session.scalars(select(Understanding))}
        assert (machines["category"].label, machines["purpose"].label) == ("邻里噪音", "投诉")
        assert "投诉" in machines["purpose"].because
        assert "王桂兰" not in str([one.because for one in machines.values()])
        assert {lesson.kind for lesson in session.scalars(select(Lesson))} == {"category", "purpose"}
    desk.mean(any_archive, STAFF, opinion.id, "", NOW)
    withdraw_opinion(any_archive, opinion.id, "speaker")
    with any_archive.database.read() as session:
        assert session.get_one(Opinion, opinion.id).purpose is None
        assert session.scalars(select(Understanding)).all() == session.scalars(select(Lesson)).all() == []
