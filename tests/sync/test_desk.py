"""What staff do: each act changes the record, notes it, is audited; nobody reaches across communities."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from sync import desk
from sync.archive import Archive
from sync.desk import Actor, ChangedMeanwhile, DeskError, NotThere
from sync.erase import withdraw_opinion
from sync.records.tables import Audit, Change, Community, Opinion, ProgressUpdate, Reply, Transcript
from sync.settle import settle_batch
from sync.words import transcribe_opinion
from tests.sync.recording_source import RecordingSource, a_wav, source
from tests.sync.test_words import clock, stored
from tests.sync.voices import NOW, Parrot, Said, a_topic, opinion_of, say

__all__ = ["source"]

STAFF = Actor("st_1", "cm_test")
STRANGER = Actor("st_2", "cm_far")


@pytest.fixture
def said(archive: Archive, community: Community, source: RecordingSource) -> Said:
    """An opinion in review."""
    one = stored(archive, community, source, [a_wav()])
    transcribe_opinion(archive, one.opinion_id, Parrot, clock)
    return one


def trace(archive: Archive, record_id: str) -> tuple[list[str], list[str]]:
    """The acts in the audit, and in the changes, about one record."""
    with archive.database.read() as session:
        audits = session.scalars(select(Audit.act).where(Audit.subject == record_id).order_by(Audit.id)).all()
        changes = session.scalars(
            select(Change.act).where(Change.record_id == record_id).order_by(Change.id)
        ).all()
        return list(audits), list(changes)


def test_approving_lets_the_words_out(archive: Archive, said: Said) -> None:
    desk.approve(archive, STAFF, said.opinion_id, NOW)
    opinion = opinion_of(archive, said)
    assert (opinion.state, opinion.version) == ("approved", 3)
    assert trace(archive, said.opinion_id) == (["opinion.approved"], ["created", "updated", "updated"])


def test_rejecting_needs_a_reason_and_can_be_undone(archive: Archive, said: Said) -> None:
    with pytest.raises(DeskError, match="reason"):
        desk.reject(archive, STAFF, said.opinion_id, "  ", NOW)
    desk.reject(archive, STAFF, said.opinion_id, "names a child", NOW)
    assert opinion_of(archive, said).state == "rejected"
    desk.approve(archive, STAFF, said.opinion_id, NOW)
    with archive.database.read() as session:
        reasons = session.scalars(select(Audit.reason).where(Audit.act == "opinion.rejected")).all()
    assert reasons == ["names a child"]


def test_a_correction_is_a_new_version_and_asks_for_approval_again(archive: Archive, said: Said) -> None:
    desk.approve(archive, STAFF, said.opinion_id, NOW)
    assert desk.correct(archive, STAFF, said.opinion_id, "我叫王小明，路灯坏了，电话13912345678", NOW) == 2
    assert desk.correct(archive, STAFF, said.opinion_id, "路灯坏了", NOW, public="门口的灯坏了") == 3
    opinion = opinion_of(archive, said)
    assert (opinion.state, opinion.needs_listening) == ("review", False)
    with archive.database.read() as session:
        versions = session.scalars(select(Transcript).order_by(Transcript.version)).all()
    assert [one.made_by for one in versions] == ["machine", "st_1", "st_1"]
    assert "13912345678" not in (versions[1].redacted or "")
    assert versions[2].redacted == "门口的灯坏了"
    assert all("路灯".encode() not in (one.sealed_text or b"") for one in versions)


def test_words_typed_while_the_recognizer_is_away_stand(
    archive: Archive, community: Community, source: RecordingSource
) -> None:
    waiting = stored(archive, community, source, [a_wav()])
    assert desk.correct(archive, STAFF, waiting.opinion_id, "路灯坏了", NOW) == 2
    assert opinion_of(archive, waiting).state == "review"
    assert not transcribe_opinion(archive, waiting.opinion_id, Parrot, clock)
    desk.approve(archive, STAFF, waiting.opinion_id, NOW)


def test_nothing_is_approved_that_nobody_could_read(archive: Archive, community: Community) -> None:
    silent = say(archive, community, [])
    settle_batch(archive, now=NOW)
    transcribe_opinion(archive, silent.opinion_id, Parrot, clock)
    with pytest.raises(DeskError, match="no words"):
        desk.approve(archive, STAFF, silent.opinion_id, NOW)


def test_a_reply_is_kept_and_moves_the_stage(archive: Archive, said: Said) -> None:
    reply_id = desk.reply(archive, STAFF, said.opinion_id, "路灯周五前修好。", NOW, is_private=True)
    with archive.database.read() as session:
        reply = session.get_one(Reply, reply_id)
    assert (reply.spoken, reply.is_private, reply.published_by) == ("路灯周五前修好。", True, "st_1")
    assert opinion_of(archive, said).stage == "answered"
    assert trace(archive, reply_id)[1] == ["created"]


def test_a_category_may_be_put_right(archive: Archive, said: Said) -> None:
    desk.classify(archive, STAFF, said.opinion_id, "交通出行", NOW)
    opinion = opinion_of(archive, said)
    assert (opinion.category, opinion.category_confidence) == ("交通出行", 1.0)


def test_progress_of_a_topic_is_published(archive: Archive, community: Community) -> None:
    topic_id = a_topic(archive, community)
    update_id = desk.publish_progress(archive, STAFF, topic_id, "采购", "灯已经买好。", "", NOW)
    with archive.database.read() as session:
        update = session.get_one(ProgressUpdate, update_id)
    assert (update.spoken, update.text) == ("灯已经买好。", "灯已经买好。")
    assert trace(archive, topic_id)[0] == ["progress.published"]
    assert trace(archive, update_id)[1] == ["created"]


def test_of_two_who_read_the_same_version_the_second_is_told(archive: Archive, said: Said) -> None:
    seen = opinion_of(archive, said).version
    desk.approve(archive, STAFF, said.opinion_id, NOW, version=seen)
    with pytest.raises(ChangedMeanwhile):
        desk.reject(archive, STAFF, said.opinion_id, "late", NOW, version=seen)
    assert opinion_of(archive, said).state == "approved"


ACTS: list[Callable[[Archive, Actor, str], object]] = [
    lambda archive, actor, one: desk.approve(archive, actor, one, NOW),
    lambda archive, actor, one: desk.reject(archive, actor, one, "why", NOW),
    lambda archive, actor, one: desk.correct(archive, actor, one, "路灯", NOW),
    lambda archive, actor, one: desk.classify(archive, actor, one, "交通出行", NOW),
    lambda archive, actor, one: desk.reply(archive, actor, one, "好的", NOW),
]


@pytest.mark.parametrize("act", ACTS)
def test_staff_reach_only_their_own_community(
    archive: Archive, said: Said, act: Callable[[Archive, Actor, str], object]
) -> None:
    with pytest.raises(NotThere):
        act(archive, STRANGER, said.opinion_id)
    with pytest.raises(NotThere):
        act(archive, STAFF, "op_none")
    with archive.database.read() as session:
        assert session.get_one(Opinion, said.opinion_id).version == 2


@pytest.mark.parametrize("act", ACTS)
def test_what_was_taken_back_is_left_alone(
    archive: Archive, said: Said, act: Callable[[Archive, Actor, str], object]
) -> None:
    withdraw_opinion(archive, said.opinion_id, "speaker")
    with pytest.raises(DeskError, match="taken it back"):
        act(archive, STAFF, said.opinion_id)


@pytest.mark.parametrize("words", ["", "   ", "长" * 301, "a\x00b"])
def test_what_cannot_be_said_is_refused(archive: Archive, said: Said, words: str) -> None:
    with pytest.raises(DeskError):
        desk.reply(archive, STAFF, said.opinion_id, words, NOW)
