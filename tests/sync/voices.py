"""People who have said something: the rows and captures that a call would leave behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from speech.audio import Audio
from speech.recognize import Transcript as Heard
from sync.archive import Archive
from sync.inbox import Given, keep
from sync.people import find_or_create_number, person_at
from sync.records.tables import Call, Community, Opinion, Recording, Topic, record_id

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


class Parrot:
    """A recognizer that hears what it is told: the engine itself has tests of its own."""

    name = "parrot"
    languages = frozenset({"zh"})

    def __init__(
        self, text: str = "小区门口的路灯坏了", confidence: float = 0.9, others: tuple[str, ...] = ()
    ) -> None:
        self.text, self.confidence, self.others = text, confidence, others
        self.heard: list[tuple[float, str, tuple[str, ...]]] = []
        self.fails: list[Exception] = []

    def transcribe(self, audio: Audio, language: str = "zh", hints: Sequence[str] = ()) -> Heard:
        self.heard.append((round(audio.seconds, 1), language, tuple(hints)))
        if self.fails:
            raise self.fails.pop(0)
        confidence = self.confidence if self.text else 0.0
        return Heard(self.text, (), language, self.name, confidence, audio.seconds, self.others)


@dataclass(frozen=True)
class Said:
    """One opinion on its way: its id, its speaker's id, its recordings' ids."""

    opinion_id: str
    person_id: str
    recordings: tuple[str, ...]


def a_topic(archive: Archive, community: Community, topic_id: str = "tp_lamp") -> str:
    with archive.database.begin() as session:
        session.add(
            Topic(
                id=topic_id, community_id=community.id, owner="desk", title="门口的路灯",
                text="要不要换新的路灯？",
                spoken_title="门口的路灯", spoken_background="路灯坏了三盏。", state="open", created_at=NOW,
                options=[["repair", "维修"], ["replace", "更换"]],
            )
        )  # fmt: skip
    return topic_id


def say(
    archive: Archive,
    community: Community,
    urls: Sequence[str],
    key: str = "1",
    number: str = "+8613800000001",
    topic_id: str | None = None,
    is_practice: bool = False,
    is_over: bool = True,
) -> Said:
    """A call in which somebody said as many segments as there are addresses, waiting in the inbox."""
    opinion_id = record_id("op", "exchange", key)
    with archive.database.begin() as session:
        caller = find_or_create_number(session, archive, community.id, number)
        person = person_at(session, archive, community.id, caller)
        call = Call(
            id=f"cl_{key}", sid=f"CA{key}", community_id=community.id, number_id=caller.id,
            person_id=person.id,
            line="exchange", handset="terminal", is_practice=is_practice, view={}, place={},
            began_at=NOW,
            turned_at=NOW, ended_at=NOW + timedelta(seconds=30) if is_over else None,
        )  # fmt: skip
        session.add(call)
        session.flush()
        recordings = [
            Recording(
                id=f"rec_{key}_{n}", community_id=community.id, person_id=person.id, call_id=call.id,
                turn=n,
                sid=f"RE{key}{n}", line="exchange", url=url, is_claimed=True, created_at=NOW,
            )
            for n, url in enumerate(urls)
        ]  # fmt: skip
        session.add_all(recordings)
        ids = tuple(one.id for one in recordings)
        payload = {"opinion_id": opinion_id, "recordings": list(ids), "kind": "opinion", "receipt": None}
        given = Given(
            "exchange",
            key,
            community.id,
            person.id,
            "opinion",
            topic_id,
            payload,
            "phone",
            "caller_id",
            is_practice,
            NOW,
        )
        assert keep(session, given, NOW)
        return Said(opinion_id, person.id, ids)


def opinion_of(archive: Archive, said: Said) -> Opinion:
    with archive.database.read() as session:
        return session.get_one(Opinion, said.opinion_id)
