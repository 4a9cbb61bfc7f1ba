"""The notice promises so many months: after them words and sound are gone, and never a count."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import pytest
from sqlalchemy import select

from ivr.view import community_view
from sync import jobs, retention, worker
from sync.archive import Archive
from sync.changes import note
from sync.community_settings import DEFAULT_KEEP_MONTHS, change_setting
from sync.queue import RECORDS, WorkQueue
from sync.records.tables import (
    Audit,
    Ballot,
    Call,
    CallTurn,
    Capture,
    Change,
    Community,
    Consent,
    Opinion,
    Person,
    Reaction,
    Recording,
    Reply,
    Setting,
    Topic,
    Transcript,
)
from sync.retention import expire, horizon, months_before
from sync.tally import tally
from sync.typed import seal_words
from tests.sync.village import COMMUNITY, NOON, ROAD, Village, at
from tests.sync.voices import Parrot

A_YEAR_ON = NOON.replace(year=NOON.year + 1)
A_DAY = timedelta(days=1)


@pytest.fixture
def village(any_archive: Archive, any_community: Community) -> Village:
    """A village with a road, on either database."""
    village = Village(any_archive)
    village.topic()
    return village


def speak(village: Village, who: str, name: str = "1", minutes: float = 1) -> str:
    """An approved opinion with sound, words and a reply; its id."""
    village.recording(f"r{name}", who, "stored")
    payload = {"opinion_id": f"op_{name}", "recordings": [f"r{name}"], "kind": "opinion"}
    village.keep(village.given("opinion", who, minutes, f"o{name}", payload, topic_id=ROAD))
    village.settle()
    with village.archive.database.begin() as session:
        session.get_one(Recording, f"r{name}").created_at = at(minutes)
        session.get_one(Opinion, f"op_{name}").state = "approved"
        key_id = session.get_one(Person, who).key_id
        sealed = village.archive.keyring.seal(session, key_id, "路灯坏了".encode(), f"op_{name}/1")
        session.add(
            Transcript(
                opinion_id=f"op_{name}", version=1, sealed_text=sealed, redacted="路灯坏了", confidence=1,
                language="zh", engine="e", speech_seconds=1, made_by="machine", made_at=NOON,
            )
        )  # fmt: skip
        session.add(
            Reply(
                id=f"re_{name}", opinion_id=f"op_{name}", community_id=COMMUNITY, spoken="张家的灯修好了",
                published_at=NOON, published_by="staff:1",
            )
        )  # fmt: skip
    return f"op_{name}"


def phone(village: Village, who: str, name: str, minutes: float) -> None:
    """A call that was read something."""
    with village.archive.database.begin() as session:
        session.add(
            Call(
                id=f"cl_{name}", sid=f"CA{name}", community_id=COMMUNITY, person_id=who, line="exchange",
                handset="sip", is_practice=False, view={"own": ["张家的灯修好了"]}, place={"step": "goodbye"},
                began_at=at(minutes), turned_at=at(minutes), ended_at=at(minutes + 1),
            )
        )  # fmt: skip
        session.flush()
        session.add(
            CallTurn(
                call_id=f"cl_{name}", n=1, heard={}, step="own.1", answer="<Say>张家的灯修好了</Say>",
                answered_at=at(minutes),
            )
        )  # fmt: skip


def test_after_the_promised_months_words_and_sound_are_gone(village: Village) -> None:
    opinion_id = speak(village, village.person())
    assert expire(village.archive, A_YEAR_ON - A_DAY) == 0
    assert village.archive.recordings.exists("r1")
    assert expire(village.archive, A_YEAR_ON + A_DAY) == 1
    with village.archive.database.read() as session:
        words = session.scalars(select(Transcript)).one()
        assert (words.sealed_text, words.redacted) == (None, None)
        assert session.get_one(Opinion, opinion_id).state == "erased"
        assert session.get_one(Recording, "r1").state == "erased"
        assert session.scalars(select(Reply.spoken)).one() == ""
        deleted = select(Change.record_id).where(Change.act == "deleted")
        assert session.scalars(deleted).all() == [opinion_id]
        acts = [(one.actor, one.act, one.subject) for one in session.scalars(select(Audit))]
        assert acts == [("retention", "opinion_expired", opinion_id)]
    assert not village.archive.recordings.exists("r1")


def test_it_is_done_once_however_often_it_is_asked(village: Village) -> None:
    speak(village, village.person())
    later = A_YEAR_ON + A_DAY
    assert [expire(village.archive, later) for _ in range(3)] == [1, 0, 0]
    with village.archive.database.read() as session:
        assert len(session.scalars(select(Audit)).all()) == 1
        assert len(session.scalars(select(Change.id).where(Change.act == "deleted")).all()) == 1


def test_a_little_at_a_time_until_all_is_done(village: Village) -> None:
    who = village.person()
    for name in "123":
        speak(village, who, name)
    assert [expire(village.archive, A_YEAR_ON + A_DAY, limit=2) for _ in range(3)] == [2, 1, 0]
    assert [village.archive.recordings.exists(f"r{name}") for name in "123"] == [False] * 3


def test_each_community_keeps_as_long_as_it_says(village: Village) -> None:
    archive = village.archive
    with archive.database.begin() as session:
        session.add(Community(id="cm_other", name="别处", dialled_number="+8657100000000", created_at=NOON))
        change_setting(session, COMMUNITY, "keep_months", 3, "staff:1")
    speak(village, village.person())
    other = Village(archive, "cm_other")
    speak(other, other.person("+8613800000009"), "2")
    with archive.database.begin() as session:
        session.get_one(Opinion, "op_2").topic_id = None
    assert expire(archive, months_before(A_YEAR_ON, 8)) == 1
    with archive.database.read() as session:
        assert [session.get_one(Opinion, one).state for one in ("op_1", "op_2")] == ["erased", "approved"]


def test_the_notice_says_the_months_that_are_kept(archive: Archive, community: Community) -> None:
    with archive.database.begin() as session:
        assert community_view(session, community, None, NOON).keep_months == DEFAULT_KEEP_MONTHS
        change_setting(session, community.id, "keep_months", 3, "staff:1")
    with archive.database.read() as session:
        assert community_view(session, community, None, at(1)).keep_months == 3


def test_who_spoke_under_a_shorter_promise_is_not_kept_longer(village: Village) -> None:
    speak(village, village.person())
    with village.archive.database.begin() as session:
        change_setting(session, COMMUNITY, "keep_months", 60, "staff:1")
        past = session.get_one(Setting, (COMMUNITY, "keep_months_before"))
        past.value = [[at(10).isoformat(), months] for _, months in past.value]
    speak(village, village.person(), "2", minutes=20)
    assert expire(village.archive, A_YEAR_ON + A_DAY) == 1
    with village.archive.database.read() as session:
        assert [session.get_one(Opinion, one).state for one in ("op_1", "op_2")] == ["erased", "approved"]
    assert expire(village.archive, NOON.replace(year=NOON.year + 5) + A_DAY) == 1


def test_the_shortest_promise_given_to_a_voice_holds() -> None:
    now, changed = at(0), months_before(NOON, 5)
    assert horizon(now, 12) == months_before(now, 12)
    assert horizon(now, 12, [(changed, 3)]) == changed  # those before the change are over since two months
    assert horizon(now, 12, [(changed, 6)]) == months_before(now, 6)  # of those before the change, the older
    assert horizon(now, 3, [(changed, 12)]) == months_before(now, 3)  # a shorter promise holds for all


def test_counts_and_consents_stay_as_they_were(village: Village) -> None:
    who, neighbour = village.person(), village.person("+8613800000002")
    opinion_id = speak(village, who)
    village.keep(
        village.ballot(who, "agree", 1, "1"),
        village.ballot(neighbour, "disagree", 2, "2"),
        village.given("reaction", neighbour, 3, "3", {"opinion_id": opinion_id, "choice": "agree"}),
        village.given("consent", who, 1, "4", {"purpose": "recording", "answer": "pressed", "version": "1"}),
    )
    village.settle()
    with village.archive.database.begin() as session:
        road = session.get_one(Topic, ROAD)
        road.state, road.closes_at = "decided", at(60)
        before = tally(session, ROAD)
    expire(village.archive, A_YEAR_ON + A_DAY)
    with village.archive.database.read() as session:
        assert tally(session, ROAD) == before
        assert before.voters == len(session.scalars(select(Ballot)).all()) == 2
        assert len(session.scalars(select(Reaction)).all()) == 1
        assert session.scalars(select(Consent)).one().withdrawn_at is None


def test_what_was_written_is_gone_from_the_inbox_too(village: Village) -> None:
    who = village.person()
    with village.archive.database.begin() as session:
        sealed = seal_words(session, village.archive, who, "op_w", "楼道灯坏了")
    payload = {"opinion_id": "op_w", "recordings": [], "kind": "opinion", "sealed_text": sealed}
    village.keep(village.given("opinion", who, 1, "w", payload, topic_id=ROAD))
    village.settle()
    assert expire(village.archive, A_YEAR_ON + A_DAY) == 1
    with village.archive.database.read() as session:
        capture = session.scalars(select(Capture)).one()
        assert "sealed_text" not in capture.payload
        assert (capture.state, capture.payload["opinion_id"]) == ("merged", "op_w")
        assert session.scalars(select(Transcript.sealed_text)).all() == [None]
    assert base64.b64decode(sealed)  # it had been there


def test_a_part_that_comes_after_the_months_brings_nothing_back(village: Village) -> None:
    who = village.person()
    opinion_id = speak(village, who)
    expire(village.archive, A_YEAR_ON + A_DAY)
    village.recording("late", who, "stored")
    payload = {"opinion_id": opinion_id, "recordings": ["r1", "late"], "kind": "opinion"}
    village.keep(village.given("opinion", who, 2, "o1 again", payload, topic_id=ROAD))
    village.settle()
    expire(village.archive, A_YEAR_ON + A_DAY)
    with village.archive.database.read() as session:
        assert session.get_one(Opinion, opinion_id).state == "erased"
        assert session.get_one(Recording, "late").state == "erased"
    assert not village.archive.recordings.exists("late")


def test_sound_that_no_opinion_holds_and_what_calls_were_read_go_too(village: Village) -> None:
    who = village.person()
    village.recording("stray", who, "stored")
    phone(village, who, "old", 0)
    phone(village, who, "new", 60 * 24 * 300)
    assert expire(village.archive, A_YEAR_ON + A_DAY) == 2
    assert expire(village.archive, A_YEAR_ON + A_DAY) == 0
    with village.archive.database.read() as session:
        old, new = (session.get_one(Call, one) for one in ("cl_old", "cl_new"))
        assert (old.view, old.place, bool(new.view)) == ({}, {}, True)
        assert session.scalars(select(CallTurn.call_id)).all() == ["cl_new"]
    assert not village.archive.recordings.exists("stray")


def test_a_crash_between_records_and_files_is_made_good(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    speak(village, village.person())
    with monkeypatch.context() as patch:
        patch.setattr(retention, "delete_erased_sound", _power_cut)
        with pytest.raises(OSError):
            expire(village.archive, A_YEAR_ON + A_DAY)
    assert village.archive.recordings.exists("r1")
    assert expire(village.archive, A_YEAR_ON + A_DAY) == 0
    assert not village.archive.recordings.exists("r1")


def _power_cut(_: Archive) -> int:
    raise OSError("the power is gone")


@pytest.fixture
def here(archive: Archive, community: Community, monkeypatch: pytest.MonkeyPatch) -> jobs.Workplace:
    """This process as a worker a year on, without Redis; three opinions are old."""
    village = Village(archive)
    village.topic()
    for name in "123":
        speak(village, village.person(), name)
    monkeypatch.setattr(jobs, "_workplace", None)
    monkeypatch.setattr(jobs, "_BATCH", 1)
    queue = WorkQueue("unix:///nowhere/redis.sock")
    return jobs.open_worker(archive, queue, Parrot, lambda _: ("", ""), clock=lambda: A_YEAR_ON + A_DAY)


def states(archive: Archive) -> set[str]:
    with archive.database.read() as session:
        return set(session.scalars(select(Opinion.state)))


def test_the_workers_job_goes_on_until_nothing_is_left(here: jobs.Workplace) -> None:
    jobs.expire()
    assert states(here.archive) == {"erased"}


def test_a_worker_looks_when_it_starts_and_needs_no_redis(here: jobs.Workplace) -> None:
    stopping = Event()
    given = (here.archive, here.queue, (RECORDS,), stopping, 0.02)
    sweeper = Thread(target=worker._sweep_on, args=given, daemon=True)
    sweeper.start()
    try:
        end = time.monotonic() + 30
        while states(here.archive) != {"erased"}:
            assert time.monotonic() < end, "the old words are still there"
            time.sleep(0.05)
    finally:
        stopping.set()
        sweeper.join(10)


@pytest.mark.parametrize(
    ("now", "months", "then"),
    [
        ((2026, 11, 21), 12, (2025, 11, 21)),
        ((2026, 3, 31), 1, (2026, 2, 28)),
        ((2024, 2, 29), 12, (2023, 2, 28)),
        ((2026, 1, 15), 1, (2025, 12, 15)),
        ((2026, 12, 31), 120, (2016, 12, 31)),
    ],
)
def test_months_are_those_of_the_calendar(
    now: tuple[int, int, int], months: int, then: tuple[int, int, int]
) -> None:
    assert months_before(datetime(*now, 9, 30, tzinfo=UTC), months) == datetime(*then, 9, 30, tzinfo=UTC)


def test_the_feed_goes_back_as_far_as_its_community_keeps_it(here: jobs.Workplace) -> None:
    with here.archive.database.begin() as session:
        for days in (30, 20, 10):
            note(session, "opinion", f"op_{days}", COMMUNITY, "created", here.clock() - timedelta(days=days))
        change_setting(session, COMMUNITY, "keep_changes_days", 15, "staff:1")
    jobs.expire()
    with here.archive.database.read() as session:
        kept = session.execute(select(Change.record_id, Change.act).order_by(Change.id)).all()
    assert kept[0].record_id == "op_10"
    assert [one.act for one in kept[1:]] == ["deleted"] * 3  # what expired just now
