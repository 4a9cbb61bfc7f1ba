"""The demo community: planted once, complete, through the same merge that real voices pass."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select

from admin.demo.seed import COMMUNITY_ID, read_story, seed
from ivr.view import community_view
from sync.archive import Archive
from sync.people import find_number
from sync.records.tables import (
    Ballot,
    Capture,
    Community,
    Opinion,
    Platform,
    ProgressUpdate,
    Resident,
    Topic,
)


def test_topics_are_as_short_as_a_phone_needs_them() -> None:
    topics = read_story()["topics"]
    assert len(topics) == 3
    for topic in topics:
        assert len(topic["spoken_title"]) <= 20
        assert len(topic["spoken_background"]) <= 120
        assert topic["opinions"]
        assert topic["votes"]
    assert any(topic.get("progress") and topic["state"] == "open" for topic in topics)
    assert any(topic.get("decision") and topic["state"] == "decided" for topic in topics)


def test_everything_is_merged_and_neighbours_are_heard_from_different_sides(
    archive: Archive, tmp_path: Path
) -> None:
    seed(archive, tmp_path)
    with archive.database.read() as session:
        assert set(session.scalars(select(Capture.state))) == {"merged"}
        assert set(session.scalars(select(Opinion.state))) == {"approved"}
        assert set(session.scalars(select(Opinion.release))) == {"words"}
        assert set(session.scalars(select(Ballot.evidence))) == {"roster"}
        community = session.get_one(Community, COMMUNITY_ID)
        view = community_view(session, community, None, datetime.now(UTC))
        cast = select(Ballot.person_id, Ballot.choice).where(Ballot.topic_id == view.topics[0].topic_id)
        choices = {row.person_id: row.choice for row in session.execute(cast)}
        speakers = {
            voice.opinion_id: session.get_one(Opinion, voice.opinion_id).person_id
            for voice in view.topics[0].voices
        }
    assert community.is_demo
    assert [topic.is_open for topic in view.topics] == [True, True, False]
    assert {choices[person] for person in speakers.values()} == {"agree", "disagree", "pass"}
    assert view.topics[1].updates
    assert view.topics[2].decision


def test_a_neighbour_who_calls_back_has_a_reply_waiting(archive: Archive, tmp_path: Path) -> None:
    seed(archive, tmp_path)
    with archive.database.read() as session:
        community = session.get_one(Community, COMMUNITY_ID)
        number = find_number(session, archive, COMMUNITY_ID, "+8613800000006")
        view = community_view(session, community, number, datetime.now(UTC))
    assert [own.is_new for own in view.own] == [True]
    assert "坡道" in str(view.own[0].reply)


def test_planting_again_changes_nothing(archive: Archive, tmp_path: Path) -> None:
    first = seed(archive, tmp_path)
    counts = _counts(archive)
    assert seed(archive, tmp_path) == first
    assert _counts(archive) == counts
    assert stat.S_IMODE((tmp_path / "demo.json").stat().st_mode) == 0o600


def test_what_was_cut_off_half_way_is_completed(archive: Archive, tmp_path: Path) -> None:
    seed(archive, tmp_path)
    counts = _counts(archive)
    (tmp_path / "demo.json").unlink()
    with archive.database.begin() as session:
        session.execute(ProgressUpdate.__table__.delete())  # type: ignore[attr-defined]
    assert seed(archive, tmp_path) is not None
    assert _counts(archive) == {**counts, "platforms": counts["platforms"] + 1}


def test_a_real_community_keeps_the_demo_away(archive: Archive, community: Community, tmp_path: Path) -> None:
    assert seed(archive, tmp_path) is None
    with archive.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Community)) == 1
        assert session.scalar(select(func.count()).select_from(Topic)) == 0


def _counts(archive: Archive) -> dict[str, int]:
    tables = (Ballot, Capture, Opinion, Topic, ProgressUpdate, Resident, Platform)
    with archive.database.read() as session:
        return {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
            for table in tables
        }
