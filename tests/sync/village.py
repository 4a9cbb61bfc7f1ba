"""A small community for tests: people who vote and speak, on topics, at moments told in minutes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.inbox import Given, keep_all
from sync.people import find_or_create_number, person_at
from sync.records.tables import Recording, Topic
from sync.settle import Settled, settle_batch

NOON = datetime(2026, 5, 1, 4, 0, tzinfo=UTC)
COMMUNITY = "cm_test"
ROAD = "tp_road"


def at(minutes: float) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


@dataclass(frozen=True)
class Village:
    """Writes what people give into an archive, and settles it."""

    archive: Archive
    community_id: str = COMMUNITY

    def topic(self, topic_id: str = ROAD, **columns: Any) -> str:
        """An open topic."""
        known = {"owner": "desk", "title": "修路", "text": "要不要修路", "state": "open", "created_at": NOON}
        with self.archive.database.begin() as session:
            session.add(Topic(id=topic_id, community_id=self.community_id, **(known | columns)))
        return topic_id

    def person(self, number: str | None = "+8613800000001", seat: int = 1) -> str:
        """The id of whoever sits at a seat of a number."""
        with self.archive.database.begin() as session:
            return self.seated(session, number, seat)

    def seated(self, session: Session, number: str | None, seat: int = 1) -> str:
        """The same, within a session."""
        row = number and find_or_create_number(session, self.archive, self.community_id, number)
        return person_at(session, self.archive, self.community_id, row or None, seat).id

    def recording(self, recording_id: str, person_id: str, state: str = "announced") -> str:
        """A recording that a call announced; its file too where it is `stored`."""
        row = Recording(
            id=recording_id,
            community_id=self.community_id,
            person_id=person_id,
            sid=recording_id,
            line="exchange",
            state=state,
            created_at=NOON,
            file=recording_id if state == "stored" else None,
        )
        if state == "stored":
            self.archive.recordings.put(recording_id, b"sealed")
        with self.archive.database.begin() as session:
            session.add(row)
        return recording_id

    def ballot(self, person_id: str, choice: str, minutes: float, source_id: str, **more: Any) -> Given:
        """A ballot on the road."""
        return self.given("ballot", person_id, minutes, source_id, {"choice": choice}, topic_id=ROAD, **more)

    def given(
        self, kind: str, person_id: str, minutes: float, source_id: str, payload: dict[str, Any], **more: Any
    ) -> Given:
        """Anything that can be given."""
        plain = Given(
            source="exchange",
            source_id=source_id,
            community_id=self.community_id,
            person_id=person_id,
            kind=kind,
            topic_id=None,
            payload=payload,
            channel="phone",
            evidence="caller_id",
            is_practice=False,
            cast_at=at(minutes),
        )
        return replace(plain, **more)

    def keep(self, *given: Given, received: float = 1_000) -> int:
        """Put captures in the inbox; how many were new."""
        with self.archive.database.begin() as session:
            return keep_all(session, given, at(received))

    def settle(self, limit: int = 500) -> Settled:
        """Settle one batch."""
        return settle_batch(self.archive, limit, now=at(2_000))
