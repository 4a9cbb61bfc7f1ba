"""A programme from its items to its sound: what it says, who approves it, what makes it silent again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sqlalchemy import func, select

from ivr.broadcast.checking import check_programmes, forget_sounds
from ivr.broadcast.mixing import chime
from ivr.broadcast.reading import national, script_of
from ivr.broadcast.script import BETWEEN_ITEMS_SECONDS as TAIL_SECONDS
from ivr.broadcast.script import OwnVoice, Said, Script
from speech.audio import read_audio, resample
from sync import broadcasting
from sync.archive import Archive
from sync.backup import backup, restore
from sync.broadcasting import Item, Rule, When
from sync.desk import Actor, DeskError, NotThere, correct, reject
from sync.erase import erase_person, withdraw_opinion
from sync.records.tables import Airing, Audit, Community, Opinion, Programme, ProgrammeItem, Topic
from tests.broadcast.studio import COMMUNITY, LI, NOTICE, WANG, ZONE, Hand, Village, copied_archive
from tests.prompts.rich import enrich
from tests.sync.recording_source import source
from tests.sync.test_api_reads_audio import GAP_SECONDS, LETTER_SECONDS, PRIVATE, RATE, TEXT, audible, said
from tests.sync.voices import Said as Speaker

__all__ = ["said", "source"]

NOW = datetime.now(UTC).astimezone(ZONE).replace(hour=18, minute=0, second=0, microsecond=0)
NEWS = (
    Item("chime"),
    Item("greeting"),
    Item("topic", topic_id="tp_电梯"),
    Item("topic", topic_id="tp_停车"),
    Item("progress", progress_id="pu_1"),
    Item("voice", opinion_id="op_甲"),
    Item("call"),
)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    yield from copied_archive(tmp_path)


@pytest.fixture
def community(archive: Archive) -> Community:
    with archive.database.read() as session:
        return session.get_one(Community, COMMUNITY)


@pytest.fixture
def village(archive: Archive, community: Community, tmp_path: Path) -> Village:
    enrich(archive, community)
    return Village(archive, tmp_path, Hand(NOW))


def row(village: Village, programme_id: str) -> Programme:
    with village.archive.database.read() as session:
        return session.get_one(Programme, programme_id)


def script(village: Village, programme_id: str) -> Script:
    with village.archive.database.read() as session:
        return script_of(session, session.get_one(Programme, programme_id))


def refused(village: Village, act: object, *given: object, **named: object) -> str:
    with pytest.raises(DeskError) as error, village.archive.database.begin() as session:
        act(session, *given, **{"now": NOW, **named})  # type: ignore[operator]
    return error.value.code


def test_it_says_what_the_records_say_in_order_and_sounds_so_in_every_form(village: Village) -> None:
    programme_id = village.programme("今天的消息", NEWS)
    text = "".join(part.text for part in script(village, programme_id).parts if isinstance(part, Said))
    for words in ("桃源社区", "电梯的背景", "停车位按先来后到", "电梯的图纸画好了", "甲的话", "零五七幺"):
        assert words in text.replace("05", "零五").replace("71", "七幺"), words
    assert text.index("电梯的背景") < text.index("停车位") < text.index("甲的话")
    programme = row(village, programme_id)
    assert programme.sound_digest == script(village, programme_id).digest
    seconds = []
    for form, rate in (("mp3", 24_000), ("wav", 24_000), ("phone", 8_000)):
        file = village.sounds.file(programme.sound_digest or "", form)  # type: ignore[arg-type]
        assert soundfile.info(file.path).samplerate == rate
        seconds.append(read_audio(file.path).seconds)
    assert max(seconds) - min(seconds) < 0.2
    assert programme.sound_seconds == pytest.approx(seconds[1], abs=0.01)
    opening = read_audio(village.sounds.file(programme.sound_digest or "", "wav").path).samples[: 24_000 * 3]
    assert np.corrcoef(opening, chime().samples[: 24_000 * 3])[0, 1] > 0.99


def test_clips_of_the_telephone_are_used_and_a_residents_words_are_kept_nowhere_else(
    village: Village,
) -> None:
    village.programme("今天的消息", NEWS)
    said_before = len(village.synthesizer.said)
    village.programme("明天的消息", (*NEWS, Item("notice", "明天停水。")))
    again = village.synthesizer.said[said_before:]
    assert not [text for text in again if "电梯" in text or "请打这个电话" in text]
    clips = village.studio.clips
    assert not [name for name in clips.names() if "甲的话" in clips.caption(name)]


def test_an_own_voice_is_heard_only_where_it_was_allowed_and_bleeped(
    archive: Archive, said: Speaker, tmp_path: Path
) -> None:
    village = Village(archive, tmp_path, Hand(NOW))
    own = Item("voice", opinion_id=said.opinion_id, is_own_voice=True)
    programme_id = village.programme("邻居的话", (own,))
    assert [part for part in script(village, programme_id).parts if isinstance(part, OwnVoice)]
    file = village.sounds.file(row(village, programme_id).sound_digest or "", "wav")
    whole = resample(read_audio(file.path), RATE)
    spoken = len(TEXT) * LETTER_SECONDS + GAP_SECONDS
    heard = audible(replace(whole, samples=whole.samples[-round((spoken + TAIL_SECONDS) * RATE) :]))
    assert heard >= set(range(7, len(TEXT)))
    assert not heard & set(PRIVATE)
    with archive.database.begin() as session:
        session.get_one(Opinion, said.opinion_id).release = "words"
    assert refused(village, broadcasting.compose, WANG, "又一次", (own,)) == "voice_not_allowed"
    check_programmes(archive, village.sounds, NOW)
    after = row(village, programme_id)
    assert (after.state, after.approved_digest, after.problem) == ("draft", None, "words_taken_back")


@pytest.mark.parametrize("how", ["withdrawn", "erased", "rejected", "corrected"])
def test_words_taken_back_fall_silent_in_the_middle_and_leave_the_disk(village: Village, how: str) -> None:
    village.loudspeakers("村口1号")
    village.devices.moods = {"村口1号": "sounds"}
    programme_id = village.programme("今天的消息", NEWS)
    digest = row(village, programme_id).sound_digest or ""
    announcer = village.announcer()
    with village.archive.database.begin() as session:
        broadcasting.play_now(session, WANG, programme_id, "form 1", NOW)
        person_id = session.get_one(Opinion, "op_甲").person_id
    village.look(announcer, rounds=2)
    match how:
        case "withdrawn":
            withdraw_opinion(village.archive, "op_甲", "st_1")
        case "erased":
            erase_person(village.archive, person_id, "st_1")
        case "rejected":
            reject(village.archive, WANG, "op_甲", "不合适", NOW)
        case _:
            correct(village.archive, WANG, "op_甲", "别的话", NOW)
    village.look(announcer, rounds=2)
    assert village.devices.stopped == [village.devices.given[0].airing_id]
    assert village.plays() == [("cut", "words_taken_back")]
    assert row(village, programme_id).state == "draft"
    assert row(village, programme_id).approved_digest is None
    forget_sounds(village.archive, village.sounds)
    assert not village.sounds.has(digest)
    village.render()
    assert (row(village, programme_id).sound_state == "failed") is (how in {"rejected", "corrected"})
    if how in {"withdrawn", "erased"}:
        with village.archive.database.read() as session:
            assert session.scalar(select(ProgrammeItem).where(ProgrammeItem.opinion_id == "op_甲")) is None
    assert refused(village, broadcasting.play_now, WANG, programme_id, "form 2") == "not_approved"


def test_what_is_approved_is_what_was_heard(village: Village) -> None:
    programme_id = village.programme(is_approved=False)
    heard = row(village, programme_id).sound_digest or ""
    with village.archive.database.begin() as session:
        broadcasting.edit(session, LI, programme_id, 1, NOW, items=(Item("notice", "后天停水。"),))
    assert refused(village, broadcasting.approve, WANG, programme_id, heard) == "sound_not_ready"
    village.render()
    assert refused(village, broadcasting.approve, WANG, programme_id, heard) == "not_as_heard"
    village.approve(programme_id)
    forget_sounds(village.archive, village.sounds)
    assert not village.sounds.has(heard)
    assert (
        refused(village, broadcasting.edit, WANG, programme_id, version=1, title="旧") == "changed_meanwhile"
    )
    with village.archive.database.begin() as session:
        session.get_one(Topic, "tp_电梯").spoken_background = "另一个背景"
    assert row(village, programme_id).state == "approved"  # it says nothing of lifts
    told = village.programme("电梯", (Item("topic", topic_id="tp_电梯"),))
    with village.archive.database.begin() as session:
        session.get_one(Topic, "tp_电梯").spoken_background = "又一个背景"
    check_programmes(village.archive, village.sounds, NOW)
    assert (row(village, told).state, row(village, told).problem) == ("draft", "content_changed")
    village.render()
    assert row(village, told).sound_digest == script(village, told).digest


def test_an_emergency_needs_two_or_the_pin_and_wrong_pins_run_out(village: Village) -> None:
    village.loudspeakers("村口1号")
    programme_id = village.programme("涨水", priority="emergency", is_approved=False)
    digest = row(village, programme_id).sound_digest or ""
    with village.archive.database.begin() as session:
        broadcasting.approve(session, WANG, programme_id, digest, NOW)
        broadcasting.set_pin(session, WANG, "202611")
    assert refused(village, broadcasting.cut_in, WANG, programme_id, "form 1") == "second_person_needed"
    assert refused(village, broadcasting.approve, WANG, programme_id, digest) == "second_person_needed"
    now = datetime.now(UTC)
    for _ in range(5):
        with village.archive.database.begin() as session:
            assert not broadcasting.approve_by_pin(session, WANG, programme_id, digest, "000000", now)
    assert (
        refused(village, broadcasting.approve_by_pin, WANG, programme_id, digest, pin="202611", now=now)
        == "pin_locked"
    )
    later = now + timedelta(minutes=16)
    with village.archive.database.begin() as session:
        assert broadcasting.approve_by_pin(session, WANG, programme_id, digest, "202611", later)
        broadcasting.cut_in(session, WANG, programme_id, "form 1", NOW)
        acts = session.scalars(
            select(Audit.act).where(Audit.act.like("%programme%")).order_by(Audit.id)
        ).all()
    assert acts == [
        "programme.composed",
        "programme.approved",
        *["programme.wrong_pin"] * 5,
        "programme.approved_too",
    ]
    calm = village.programme()
    assert refused(village, broadcasting.cut_in, WANG, calm, "form 2") == "not_an_emergency"


def test_what_can_not_be_said_is_refused_in_words_of_ours(village: Village) -> None:
    compose, stranger = broadcasting.compose, Actor("st_9", "cm_else")
    assert refused(village, compose, WANG, "空", (Item("chime"), Item("greeting"))) == "programme_empty"
    assert refused(village, compose, WANG, " ", NOTICE) == "nothing_said"
    assert refused(village, compose, WANG, "草稿", (Item("topic", topic_id="tp_草稿"),)) == "topic_not_worded"
    assert (
        refused(village, compose, WANG, "没审", (Item("voice", opinion_id="op_没审核"),))
        == "voice_not_allowed"
    )
    assert (
        refused(village, compose, WANG, "没放", (Item("voice", opinion_id="op_没放行"),))
        == "voice_not_allowed"
    )
    assert refused(village, compose, WANG, "长", (Item("notice", "长" * 601),)) == "too_long"
    programme_id = village.programme()
    with pytest.raises(NotThere), village.archive.database.begin() as session:
        broadcasting.withdraw(session, stranger, programme_id, "不是我的", NOW)
    for wrong, code in (
        ({"times": ("24:00",)}, "no_such_time"),
        ({"first_day": "tomorrow"}, "no_such_day"),
        ({"last_day": "2020-01-01"}, "schedule_out_of_range"),
        ({"areas": ("没有的片区",)}, "no_such_area"),
    ):
        when = replace(When(("18:30",), NOW.date().isoformat()), **wrong)
        assert refused(village, broadcasting.schedule, WANG, programme_id, when) == code


def test_a_form_sent_twice_is_one_schedule(village: Village) -> None:
    programme_id = village.programme()
    assert village.schedule(programme_id, "18:30") == village.schedule(programme_id, "18:30")
    assert village.schedule(programme_id, "18:31") != village.schedule(programme_id, "18:30")


def test_a_withdrawn_programme_is_never_played_again(village: Village) -> None:
    village.loudspeakers("村口1号")
    programme_id = village.programme()
    digest = row(village, programme_id).sound_digest or ""
    village.schedule(programme_id, "18:30")
    with village.archive.database.begin() as session:
        broadcasting.withdraw(session, LI, programme_id, "写错了", NOW)
    village.look(village.announcer(), rounds=5, seconds=600)
    assert village.devices.given == []
    assert not village.sounds.has(digest)
    assert refused(village, broadcasting.approve, WANG, programme_id, digest) == "programme_withdrawn"


def test_a_standing_rule_drafts_what_is_new_in_time_and_a_person_lets_it_out(village: Village) -> None:
    village.loudspeakers("村口1号")
    announcer, today = village.announcer(), NOW.date().isoformat()
    with village.archive.database.begin() as session:
        session.get_one(Topic, "tp_电梯").opens_at = NOW - timedelta(hours=3)
        when = When(("18:30",), today)
        broadcasting.add_rule(session, WANG, "今天的变化", Rule("changes", 60, 45), when, NOW)
    village.look(announcer, rounds=2)
    with village.archive.database.read() as session:
        (draft,) = session.scalars(select(Programme)).all()
        items = broadcasting.items_of(session, draft.id)
    assert [item.kind for item in items] == ["chime", "greeting", "topic", "call"]
    assert (draft.state, draft.day, draft.created_by) == ("submitted", f"{today} 18:30", "standing rule")
    village.look(announcer, rounds=3, seconds=20)
    village.render()
    village.approve(draft.id)
    village.look(announcer, rounds=20, seconds=120)
    assert village.devices.sounded() == [("村口1号", "今天的变化")]
    village.hand.pass_by(hours=23, minutes=30)
    village.look(announcer, rounds=20, seconds=120)  # nothing has changed since
    assert village.airings() == [("done", None), ("missed", "nothing_drafted")]
    with village.archive.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Airing)) == 2


def test_a_rule_keeps_within_its_time_and_says_what_it_left_out(village: Village) -> None:
    with village.archive.database.begin() as session:
        for name in ("电梯", "食堂"):
            session.get_one(Topic, f"tp_{name}").opens_at = NOW - timedelta(hours=3)
            session.get_one(Topic, f"tp_{name}").spoken_background = f"{name}" * 50
        when = When(("18:30",), NOW.date().isoformat())
        broadcasting.add_rule(session, WANG, "变化", Rule("changes", 90, 45), when, NOW)
    village.look(village.announcer(), rounds=1)
    with village.archive.database.read() as session:
        (draft,) = session.scalars(select(Programme)).all()
        assert draft.problem == "left_out"
        assert len([item for item in broadcasting.items_of(session, draft.id) if item.kind == "topic"]) == 1
        assert script_of(session, draft).seconds <= 90


def test_after_a_restore_nothing_is_loud_until_a_person_says_so_again(
    village: Village, tmp_path: Path
) -> None:
    village.loudspeakers("村口1号")
    programme_id = village.programme()
    village.schedule(programme_id, "18:30")
    village.look(village.announcer(), rounds=2)
    backup(village.archive, tmp_path, tmp_path / "backup.tar.gz", "a passphrase")
    url, home = f"sqlite:///{tmp_path}/restored/records.db", tmp_path / "restored"
    restore(tmp_path / "backup.tar.gz", url, home, "a passphrase")
    again = Village(Archive.open(url, home), home, Hand(village.hand.at))
    assert (row(again, programme_id).state, row(again, programme_id).problem) == ("submitted", "restored")
    announcer = again.announcer()
    again.look(announcer, rounds=15, seconds=180)
    assert (again.devices.given, again.airings()) == ([], [("missed", "not_approved")])


def test_numbers_are_said_as_people_here_dial_them() -> None:
    assert national("+8657112345678") == "057112345678"
    assert national("+8613800000001") == "13800000001"
    assert national("+441632960000") == "441632960000"
