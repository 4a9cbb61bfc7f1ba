"""What a call sees of its community when it begins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ivr.dialogue.view import CommunityView
from ivr.view import community_view
from sync.archive import Archive
from sync.community_settings import change_setting
from sync.inbox import Given, keep
from sync.people import find_or_create_number, person_at
from sync.records.tables import (
    Community,
    Number,
    Opinion,
    ProgressUpdate,
    Reply,
    Topic,
    Transcript,
    record_id,
)
from sync.settle import settle_batch
from tests.conftest import found_community
from tests.web.conftest import add_topics

NOW = datetime(2026, 6, 1, tzinfo=UTC)
CALLER = "+8613800001111"


@pytest.fixture
def town(any_archive: Archive) -> Community:
    community = found_community(any_archive)
    add_topics(any_archive, community.id)
    return community


def view(archive: Archive, community: Community, caller: str | None = CALLER) -> CommunityView:
    with archive.database.begin() as session:
        number = find_or_create_number(session, archive, community.id, caller) if caller else None
        return community_view(session, community, number, NOW)


def neighbour(
    archive: Archive,
    town: Community,
    name: str,
    choice: str = "",
    release: str = "words",
    **other: object,
) -> str:
    """Somebody who voted and said something that was approved; the opinion's id. Later names spoke later."""
    with archive.database.begin() as session:
        number = find_or_create_number(session, archive, town.id, f"+861390000{name}")
        person = person_at(session, archive, town.id, number)
        if choice:
            given = Given(
                source="twilio",
                source_id=name,
                community_id=town.id,
                person_id=person.id,
                kind="ballot",
                topic_id="tp_road",
                payload={"choice": choice},
                channel="phone",
                evidence="caller_id",
                is_practice=False,
                cast_at=NOW,
            )
            keep(session, given, NOW)
        opinion_id = record_id("op", "twilio", name)
        said = {
            "id": opinion_id,
            "community_id": town.id,
            "person_id": person.id,
            "topic_id": "tp_road",
            "source": "twilio",
            "source_id": name,
            "channel": "phone",
            "evidence": "caller_id",
            "kind": "opinion",
            "receipt": f"1234{name}",
            "state": "approved",
            "release": release,
            "said_at": NOW + timedelta(seconds=int(name)),
        }
        session.add(Opinion(**{**said, **other}))
        session.flush()
        for version, words in ((1, f"{name}的机器稿"), (2, f"{name}说的话")):
            session.add(
                Transcript(
                    opinion_id=opinion_id,
                    version=version,
                    redacted=words,
                    confidence=1,
                    language="zh",
                    engine="test",
                    speech_seconds=3,
                    made_by="test",
                    made_at=NOW,
                )
            )
    settle_batch(archive)
    return opinion_id


def test_open_topics_come_first_then_what_was_decided(any_archive: Archive, town: Community) -> None:
    with any_archive.database.begin() as session:
        for day, spoken in ((1, "开始设计"), (2, "已经招标")):
            session.add(
                ProgressUpdate(
                    id=f"pu_{day}",
                    topic_id="tp_park",
                    community_id=town.id,
                    stage="doing",
                    spoken=spoken,
                    text=spoken,
                    published_at=NOW - timedelta(days=10 - day),
                    published_by="desk",
                )
            )
    seen = view(any_archive, town)
    assert [(topic.topic_id, topic.is_open) for topic in seen.topics] == [
        ("tp_road", True),
        ("tp_light", True),
        ("tp_park", False),
    ]
    assert (seen.topics[2].decision, seen.topics[2].updates) == ("公园明年动工", ("已经招标", "开始设计"))
    assert (seen.topics[0].title, seen.topics[0].background) == ("修路", "修路的背景，大家怎么看")


def test_a_topic_outside_its_window_takes_no_ballots(any_archive: Archive, town: Community) -> None:
    with any_archive.database.begin() as session:
        session.get_one(Topic, "tp_road").closes_at = NOW - timedelta(days=1)
        session.get_one(Topic, "tp_light").opens_at = NOW + timedelta(days=1)
    seen = view(any_archive, town)
    assert [(topic.topic_id, topic.is_open) for topic in seen.topics] == [
        ("tp_road", False),
        ("tp_park", False),
    ]


def test_neighbours_are_taken_from_different_sides(any_archive: Archive, town: Community) -> None:
    for name in ("1001", "1002", "1003"):
        neighbour(any_archive, town, name, "agree")
    against = neighbour(any_archive, town, "1004", "disagree")
    unsure = neighbour(any_archive, town, "1000")
    voices = view(any_archive, town).topics[0].voices
    assert {voice.opinion_id for voice in voices} >= {against, unsure}
    assert [voice.words for voice in voices if voice.opinion_id not in {against, unsure}] == ["1003说的话"]
    assert all(voice.recording_id is None for voice in voices)


def test_only_what_is_approved_and_released_is_heard(any_archive: Archive, town: Community) -> None:
    neighbour(any_archive, town, "1001", state="review")
    neighbour(any_archive, town, "1002", release="none")
    neighbour(any_archive, town, "1003", state="rejected")
    assert view(any_archive, town).topics[0].voices == ()


def test_nobody_hears_themselves_as_a_neighbour(any_archive: Archive, town: Community) -> None:
    neighbour(any_archive, town, "1001", "agree")
    assert view(any_archive, town, "+8613900001001").topics[0].voices == ()
    assert len(view(any_archive, town, None).topics[0].voices) == 1


def test_practice_is_heard_in_a_demo_community_only(any_archive: Archive, town: Community) -> None:
    neighbour(any_archive, town, "1001", is_practice=True)
    assert len(view(any_archive, town).topics[0].voices) == 1
    with any_archive.database.begin() as session:
        session.get_one(Community, town.id).is_demo = False
        session.flush()
        town.is_demo = False
    assert view(any_archive, town).topics[0].voices == ()


def test_a_reply_waits_for_who_asked(any_archive: Archive, town: Community) -> None:
    opinion_id = neighbour(any_archive, town, "1001", stage="answered")
    with any_archive.database.begin() as session:
        session.add(
            Reply(
                id="rp_1",
                opinion_id=opinion_id,
                community_id=town.id,
                spoken="灯已经修好",
                is_private=True,
                published_at=NOW,
                published_by="desk",
            )
        )
    (own,) = view(any_archive, town, "+8613900001001").own
    assert (own.receipt, own.stage, own.reply, own.is_new, own.is_private) == (
        "12341001",
        "answered",
        "灯已经修好",
        True,
        True,
    )
    assert own.topic_title == "修路"
    assert view(any_archive, town).own == ()


def test_settings_and_the_caller_shape_the_call(any_archive: Archive, town: Community) -> None:
    with any_archive.database.begin() as session:
        for name, value in {
            "person_number": "057188880000",
            "seats_per_number": 3,
            "notice_version": "2",
        }.items():
            change_setting(session, town.id, name, value, "desk")
        find_or_create_number(session, any_archive, town.id, CALLER).is_slow = True
    seen = view(any_archive, town)
    assert (seen.person_number, seen.seats, seen.notice_version) == ("057188880000", 3, "2")
    assert (seen.is_slow, seen.is_first_call) == (True, True)
    with any_archive.database.begin() as session:
        number = find_or_create_number(session, any_archive, town.id, CALLER)
        assert isinstance(number, Number)
        number.last_called_at = NOW
    assert not view(any_archive, town).is_first_call
    assert view(any_archive, town, None).seats == 1
