"""The town that the web benchmark calls: three topics, neighbours of every side, all clips rendered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Table

from admin.parts import exchange_token, open_clips
from admin.settings import Settings
from ivr.prompts.book import Book
from ivr.prompts.voice import voice_of
from ivr.prompts.wanted import wanted
from sync.archive import Archive
from sync.people import find_or_create_number, person_at
from sync.records.tables import Ballot, Community, Opinion, ProgressUpdate, Topic, Transcript

NUMBER = "+8657112345678"
_TOPICS = ("村口修路", "安装路灯", "活动室开放时间")
_SIDES = ("agree", "disagree", "pass")
_WORDS = (
    "这件事我觉得应该早一点办，大家出门都方便，尤其是下雨天和晚上，老人走路要当心，也希望把时间和花费说清楚。"
)


def found_town(database_url: str, home: Path, bare: Table) -> str:
    """Make tables, town and clips; the secret of the exchange's line."""
    archive = Archive.open(database_url, home)
    archive.database.create()
    bare.create(archive.database.engine)
    now = datetime.now(UTC)
    with archive.database.begin() as session:
        session.add(Community(id="cm_b", name="桃源社区", dialled_number=NUMBER, created_at=now))
        session.flush()
        for rank, title in enumerate(_TOPICS):
            session.add_all([_topic(rank, title, now)])
            session.flush()
            session.add(_update(rank, now))
        for place in range(9):
            number = find_or_create_number(session, archive, "cm_b", f"+8613900000{place:03}")
            person = person_at(session, archive, "cm_b", number)
            session.add_all([_opinion(place, person.id, now), _ballot(place, person.id, now)])
            session.flush()
            session.add(_transcript(place, now))
        voice = voice_of(session, "cm_b")
    _clips(archive, home, voice)
    token = exchange_token(archive)
    archive.close()
    return token


def _topic(rank: int, title: str, now: datetime) -> Topic:
    return Topic(
        id=f"tp_{rank}",
        community_id="cm_b",
        owner="desk",
        title=title,
        text=_WORDS,
        spoken_title=title,
        spoken_background=f"{title}：{_WORDS}",
        state="open",
        rank=rank,
        opens_at=now - timedelta(days=1),
        created_at=now,
    )


def _update(rank: int, now: datetime) -> ProgressUpdate:
    return ProgressUpdate(
        id=f"pu_{rank}",
        topic_id=f"tp_{rank}",
        community_id="cm_b",
        stage="doing",
        spoken=_WORDS,
        text=_WORDS,
        published_at=now,
        published_by="desk",
    )


def _opinion(place: int, person_id: str, now: datetime) -> Opinion:
    return Opinion(
        id=f"op_{place}",
        community_id="cm_b",
        person_id=person_id,
        topic_id=f"tp_{place % 3}",
        source="bench",
        source_id=str(place),
        channel="phone",
        evidence="caller_id",
        kind="opinion",
        state="approved",
        release="words",
        said_at=now,
    )


def _ballot(place: int, person_id: str, now: datetime) -> Ballot:
    return Ballot(
        id=f"bl_{place}",
        topic_id=f"tp_{place % 3}",
        community_id="cm_b",
        voter_id=person_id,
        person_id=person_id,
        choice=_SIDES[place // 3],
        cast_at=now,
        received_at=now,
        channel="phone",
        evidence="caller_id",
        source="bench",
        source_id=str(place),
    )


def _transcript(place: int, now: datetime) -> Transcript:
    return Transcript(
        opinion_id=f"op_{place}",
        version=1,
        redacted=f"{place}{_WORDS}",
        confidence=1.0,
        language="zh",
        engine="bench",
        speech_seconds=9.0,
        made_by="bench",
        made_at=now,
    )


def _clips(archive: Archive, home: Path, voice: str) -> None:
    """Every clip there, though silent: what is measured is the finding of them."""
    clips = open_clips(Settings.from_environment({"TINGJIAN_HOME": str(home)}), archive)
    clips.folder.mkdir(parents=True)
    for clip in wanted(archive, "cm_b", Book.load("zh")):
        clips.path(clips.name(clip.text, voice, clip.is_slow)).write_bytes(b"")
