"""Words taken back: every act that takes them back tells whoever may hold a copy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from sync.archive import Archive
from sync.community_settings import change_setting
from sync.desk import Actor, approve, correct, reject, reply
from sync.due import due
from sync.erase import erase_person, withdraw_opinion
from sync.records.tables import Call, CallTurn, Community, Opinion, Reply, Transcript, Unsaid
from sync.retention import expire
from sync.unsaid import KEPT, pruned, unpruned
from tests.sync.village import COMMUNITY, ROAD, Village, at

NOW = datetime.now(UTC)
STAFF = Actor("st_1", COMMUNITY)
DOCUMENT = '<Response><Say language="cmn-CN">东头的井盖丢了</Say></Response>'
CLIPS = "<Response><Play>https://phone.example.org/media/1.wav</Play></Response>"


@pytest.fixture
def village(any_archive: Archive, any_community: Community) -> Village:
    """A village with a road, on either database."""
    village = Village(any_archive)
    village.topic()
    return village


def speak(village: Village, who: str, release: str = "words") -> str:
    """An approved opinion that neighbours hear as `release`."""
    payload = {"opinion_id": "op_1", "recordings": [], "kind": "opinion"}
    released = {"opinion_id": "op_1", "release": release}
    village.keep(
        village.given("opinion", who, 1, "o1", payload, topic_id=ROAD),
        village.given("release", who, 2, "r1", released),
    )
    village.settle()
    with village.archive.database.begin() as session:
        session.get_one(Opinion, "op_1").state = "approved"
        session.add(
            Transcript(
                opinion_id="op_1", version=1, redacted="东头的井盖丢了", confidence=1, language="zh",
                engine="e", speech_seconds=1, made_by="machine", made_at=at(1),
            )
        )  # fmt: skip
    return "op_1"


def call(village: Village, who: str, name: str, ended_at: datetime | None = None, **columns: object) -> None:
    """A call of a moment ago that was read something twice: once spelt out, once from clips."""
    plain = {"view": {}, "place": {"step": "main"}, "began_at": NOW, "turned_at": NOW, "ended_at": ended_at}
    with village.archive.database.begin() as session:
        session.add(
            Call(
                id=f"cl_{name}", sid=name, community_id=COMMUNITY, person_id=who, line="exchange",
                handset="sip", is_practice=False, **(plain | columns),
            )
        )  # fmt: skip
        session.flush()
        for n, answer in enumerate((DOCUMENT, CLIPS)):
            told = {"heard": {}, "step": "main", "answer": answer, "answered_at": NOW}
            session.add(CallTurn(call_id=f"cl_{name}", n=n, **told))


def answers(village: Village, name: str) -> list[str]:
    with village.archive.database.read() as session:
        given = select(CallTurn.answer).where(CallTurn.call_id == f"cl_{name}").order_by(CallTurn.n)
        return list(session.scalars(given))


def told(village: Village) -> int:
    """How often it was said that words were taken back."""
    with village.archive.database.read() as session:
        return len(unpruned(session))


def lower_release(village: Village) -> None:
    """The speaker no longer wants to be heard by neighbours."""
    who = village.person()
    village.keep(village.given("release", who, 3, "r2", {"opinion_id": "op_1", "release": "none"}))
    village.settle()


def drop(village: Village) -> None:
    """The speaker takes it back on the telephone."""
    village.keep(village.given("opinion_dropped", village.person(), 3, "d", {"opinion_id": "op_1"}))
    village.settle()


ACTS: dict[str, Callable[[Village], object]] = {
    "withdrawn": lambda village: withdraw_opinion(village.archive, "op_1", "staff"),
    "dropped": drop,
    "erased": lambda village: erase_person(village.archive, village.person(), "staff"),
    "expired": lambda village: expire(village.archive, NOW + timedelta(days=800)),
    "rejected": lambda village: reject(village.archive, STAFF, "op_1", "rude", NOW),
    "corrected": lambda village: correct(village.archive, STAFF, "op_1", "西头的井盖丢了", NOW),
    "no longer released": lower_release,
}


@pytest.mark.parametrize("act", ACTS)
def test_whatever_takes_words_back_says_so_once(village: Village, act: str) -> None:
    speak(village, village.person())
    assert told(village) == 0
    ACTS[act](village)
    assert told(village) == 1
    with village.archive.database.read() as session:
        assert [one.job for one in due(session, NOW, ("prune",))] == ["prune"]


def test_what_adds_words_takes_none_back(village: Village) -> None:
    speak(village, village.person(), release="none")
    approve(village.archive, STAFF, "op_1", NOW)
    reply(village.archive, STAFF, "op_1", "已经报修", NOW)
    reject(village.archive, STAFF, "op_1", "nobody heard it anyway", NOW)
    assert told(village) == 0


def test_documents_that_spell_words_out_are_emptied_while_the_call_goes_on(village: Village) -> None:
    who = village.person()
    speak(village, who)
    call(village, village.person("+8613800000002"), "live")
    withdraw_opinion(village.archive, "op_1", "staff")
    assert answers(village, "live") == ["", CLIPS]


def test_a_call_whose_end_nobody_told_is_emptied_by_the_clock(village: Village) -> None:
    call(village, village.person(), "silent", turned_at=NOW - timedelta(hours=2))
    call(village, village.person(), "talking")
    assert expire(village.archive, NOW) == 0
    assert answers(village, "silent") == ["", CLIPS]
    assert answers(village, "talking") == [DOCUMENT, CLIPS]


def test_a_reply_read_to_a_typed_receipt_is_forgotten_from_whichever_seat_it_was_typed(
    village: Village,
) -> None:
    speak(village, village.person(seat=1))
    memory = {"opinion_id": "op_1", "stage": "answered", "reply": "已经报修", "key": "about.1"}
    other = {**memory, "opinion_id": "op_2"}
    call(village, village.person(seat=2), "own", place={"step": "receipt.more", "memory": memory})
    call(village, village.person(seat=2), "other", place={"step": "receipt.more", "memory": other})
    withdraw_opinion(village.archive, "op_1", "staff")
    with village.archive.database.read() as session:
        places = [session.get_one(Call, one).place for one in ("cl_own", "cl_other")]
    assert places[0] == {"step": "receipt.more", "memory": {**memory, "reply": ""}}
    assert places[1]["memory"] == other


def test_the_list_shortens_once_clips_are_gone_and_calls_are_over(village: Village) -> None:
    speak(village, village.person())
    with village.archive.database.begin() as session:
        session.add(Unsaid(community_id=COMMUNITY, at=NOW - KEPT - timedelta(hours=1)))
    withdraw_opinion(village.archive, "op_1", "staff")
    with village.archive.database.begin() as session:
        both = unpruned(session)
        pruned(session, both, NOW)
    assert len(both) == 2
    with village.archive.database.read() as session:
        assert session.scalars(select(Unsaid.id)).all() == both[1:]
        assert list(due(session, NOW, ("prune",))) == []


def test_many_at_once_are_told_in_one_line(village: Village) -> None:
    for n in range(3):
        payload = {"opinion_id": f"op_{n}", "recordings": [], "kind": "opinion"}
        village.keep(village.given("opinion", village.person(), 1, f"o{n}", payload, topic_id=ROAD))
    village.settle()
    with village.archive.database.begin() as session:
        change_setting(session, COMMUNITY, "keep_months", 1, "staff")
    assert expire(village.archive, NOW + timedelta(days=800)) == 3
    assert told(village) == 1


def test_deleted_words_leave_sqlites_files(archive: Archive, community: Community, tmp_path: Path) -> None:
    village = Village(archive)
    village.topic()
    speak(village, village.person())
    words = "东头的井盖丢了".encode()
    with archive.database.begin() as session:
        session.add(
            Reply(
                id="re_1", opinion_id="op_1", community_id=COMMUNITY, spoken="东头的井盖丢了，已经报修",
                published_at=NOW, published_by="st_1",
            )
        )  # fmt: skip
    assert any(words in path.read_bytes() for path in tmp_path.glob("records.db*"))
    withdraw_opinion(archive, "op_1", "staff")
    assert not [path.name for path in tmp_path.glob("records.db*") if words in path.read_bytes()]


def test_the_log_is_left_alone_while_somebody_reads(archive: Archive, community: Community) -> None:
    with archive.database.read() as session:
        session.execute(text("SELECT * FROM communities")).all()
        with archive.database.begin() as writing:
            writing.get_one(Community, COMMUNITY).name = "桃源"
        assert not archive.database.empty_log()
    assert archive.database.empty_log()
