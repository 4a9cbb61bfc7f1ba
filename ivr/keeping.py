"""A turn's intentions written down as captures, in the transaction of the turn that caused them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from ivr.dialogue.keeps import (
    DropOpinion,
    Keep,
    KeepBallot,
    KeepConsent,
    KeepHeard,
    KeepOpinion,
    KeepPace,
    KeepReaction,
    KeepRelease,
    KeepRequest,
    KeepSatisfaction,
    KeepSeat,
    KeepTaken,
)
from sync.archive import Archive
from sync.inbox import Given, keep_all
from sync.people import person_at
from sync.receipts import allot
from sync.records.tables import Number, record_id

CHANNEL = "phone"
SIMPLE = (
    KeepBallot
    | KeepReaction
    | DropOpinion
    | KeepRelease
    | KeepConsent
    | KeepSatisfaction
    | KeepHeard
    | KeepRequest
    | KeepTaken
)
"""Intentions that are captures and nothing more."""


@dataclass(frozen=True)
class Speaker:
    """Whose intentions these are: the call, and who speaks in it. Named as the columns of `calls`."""

    sid: str
    line: str
    community_id: str
    number_id: str | None
    person_id: str
    evidence: str
    is_practice: bool


@dataclass
class Keeping:
    """What one turn asks to keep. `part` names the turn: captures are `sid/part/0`, `sid/part/1`, …

    `person_id` and `memory` are what is true after the keeps intended so far: another seat may speak,
    and an opinion has its receipt.
    """

    session: Session
    archive: Archive
    speaker: Speaker
    part: str
    now: datetime
    person_id: str = ""
    written: int = 0
    intended: list[Given] = field(default_factory=list)
    memory: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.person_id = self.person_id or self.speaker.person_id

    def intend(self, keeps: Iterable[Keep], memory: Mapping[str, str]) -> dict[str, str]:
        """Put `keeps` behind what is `intended`; gives the memory, with the receipts allotted meanwhile."""
        self.memory = dict(memory)
        self.intended += self.captures(keeps)
        return self.memory

    def write(self) -> None:
        """Write what was intended."""
        keep_all(self.session, self.intended, self.now)
        self.intended = []

    def captures(self, keeps: Iterable[Keep]) -> list[Given]:
        """What `keeps` put in the inbox. Only those that are not SIMPLE ask or write anything meanwhile."""
        return [given for keep in keeps if (given := self._capture(keep)) is not None]

    def keep_message(self, recording_id: str) -> None:
        """Keep a recording that no place of the dialogue waits for any more as a message of its own."""
        self.intend([KeepOpinion(recording_id, (recording_id,), kind="message")], {})
        self.write()

    def _capture(self, keep: Keep) -> Given | None:
        match keep:
            case KeepBallot(topic_id, choice):
                return self._given("ballot", {"choice": choice}, topic_id)
            case KeepReaction(opinion_id, choice):
                return self._given("reaction", {"opinion_id": opinion_id, "choice": choice})
            case KeepOpinion():
                return self._opinion(keep)
            case DropOpinion(key):
                return self._given("opinion_dropped", {"opinion_id": self._opinion_id(key)})
            case KeepRelease(key, release, version):
                wish = {"opinion_id": self._opinion_id(key), "release": release, "version": version}
                return self._given("release", wish)
            case KeepConsent(answer, version, purpose):
                return self._given("consent", {"purpose": purpose, "answer": answer, "version": version})
            case KeepSatisfaction(opinion_id, is_satisfied):
                return self._given("satisfaction", {"opinion_id": opinion_id, "is_satisfied": is_satisfied})
            case KeepHeard(opinion_id):
                return self._given("heard", {"opinion_id": opinion_id})
            case KeepRequest(reason):
                return self._given("request", {"reason": reason})
            case KeepTaken(alerts):
                return self._given("alert_taken", {"alerts": list(alerts)})
            case KeepSeat(seat):
                self._change_seat(seat)
            case KeepPace(is_slow):
                self._change_pace(is_slow)
        return None

    def _opinion(self, keep: KeepOpinion) -> Given:
        payload = {
            "opinion_id": self._opinion_id(keep.key),
            "recordings": list(keep.recordings),
            "kind": keep.kind,
            "receipt": self._receipt(keep.key),
        }
        return self._given("opinion", payload, keep.topic_id)

    def _receipt(self, key: str) -> str:
        """One receipt an opinion, however many segments it grows to."""
        remembered = f"receipt {key}"
        if remembered not in self.memory:
            self.memory[remembered] = allot(self.session, self.speaker.community_id)
        self.memory["receipt"] = self.memory[remembered]
        return self.memory[remembered]

    def _opinion_id(self, key: str) -> str:
        return record_id("op", self.speaker.line, f"{self.speaker.sid}/{key}")

    def _given(self, kind: str, payload: dict[str, Any], topic_id: str | None = None) -> Given:
        source_id = f"{self.speaker.sid}/{self.part}/{self.written}"
        self.written += 1
        return Given(
            source=self.speaker.line,
            source_id=source_id,
            community_id=self.speaker.community_id,
            person_id=self.person_id,
            kind=kind,
            topic_id=topic_id,
            payload=payload,
            channel=CHANNEL,
            evidence=self.speaker.evidence,
            is_practice=self.speaker.is_practice,
            cast_at=self.now,
        )

    def _change_seat(self, seat: int) -> None:
        if self.speaker.number_id is None:  # nobody could find this person's seat again
            return
        number = self.session.get_one(Number, self.speaker.number_id)
        self.person_id = person_at(self.session, self.archive, self.speaker.community_id, number, seat).id

    def _change_pace(self, is_slow: bool) -> None:
        if self.speaker.number_id is not None:
            pace = update(Number).where(Number.id == self.speaker.number_id).values(is_slow=is_slow)
            self.session.execute(pace)
