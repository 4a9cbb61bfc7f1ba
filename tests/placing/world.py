"""A village whose phone line can dial out: web, the records, the placer, and Twilio's stand-in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from ivr.outbound.door import CallsDoor, OutLine
from ivr.outbound.placer import Placer, look
from ivr.prompts.book import Book
from sync.archive import Archive
from sync.community_settings import change_setting
from sync.desk import Actor, reply
from sync.placing.policy import change_placing
from sync.records.tables import Opinion, PlacedCall, PlacedTry
from sync.settle import settle_batch
from tests.placing.twilio_api import ACCOUNT, TwilioApi
from tests.placing.twilio_api import PlacedCall as Ordered
from tests.web.conftest import add_topics
from tests.web.platform import BASE, LINES, Platform, open_app

COMMUNITY = "cm_test"
ELDER = "+8613800138000"
TEN = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # ten in the morning in the village
DESK = Actor("staff_1", COMMUNITY)


def says(text: str, prompt_id: str) -> bool:
    """Whether what was heard holds the fixed words of a prompt, however the book puts them today."""
    fixed = [words for words, is_value in Book.load("zh").fragments(prompt_id) if not is_value]
    return bool(fixed) and all(words in text for words in fixed)


@dataclass
class SetClock:
    """A clock that goes on only when it is told to, and three seconds at every look a caller's turn takes."""

    now: datetime = TEN

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass
class World:
    """One community on a line that dials out."""

    archive: Archive
    api: TwilioApi
    clock: SetClock = field(default_factory=SetClock)
    most_everywhere: int = 500
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        add_topics(self.archive, COMMUNITY)
        self.client = open_app(self.archive, clock=self.clock, dials_out=True).test_client()

    @property
    def placer(self) -> Placer:
        """A placer that has just been started."""
        line = OutLine("twilio", ACCOUNT, LINES[ACCOUNT].token, self.api.base)
        return Placer(
            self.archive, CallsDoor(line, answer_seconds=5.0), BASE, self.most_everywhere, self.clock
        )

    def set(self, **settings: Any) -> None:
        with self.archive.database.begin() as session:
            for name, value in settings.items():
                change_placing(session, COMMUNITY, name, value, "test")

    def change(self, name: str, value: Any) -> None:
        with self.archive.database.begin() as session:
            change_setting(session, COMMUNITY, name, value, "test")

    def caller(self, number: str = ELDER, **how: Any) -> Platform:
        return Platform(self.client, caller=number, **how)

    def rings_once(self, number: str = ELDER, status: str = "canceled", **how: Any) -> Platform:
        """Somebody rings and hangs up; the line tells it twice."""
        phone = self.caller(number, **how)
        for _ in range(2):
            phone.post(f"{BASE}/calls/status", CallStatus=status, Direction="inbound")
        return phone

    def look(self, times: int = 1, seconds: float = 6.0) -> list[Ordered]:
        """Time passes and the placer looks; the calls that Twilio agreed to place meanwhile."""
        before = len(self.api.calls)
        for _ in range(times):
            self.clock.pass_by(seconds=seconds)
            look(self.placer)
        return self.api.calls[before:]

    def settle(self) -> None:
        while settle_batch(self.archive, now=self.clock()).is_more:
            pass

    def speaks(self, number: str = ELDER, may_call: str = "1") -> str:
        """Calls, says something, lets it be read out, and answers whether we may call; the opinion's id."""
        phone = self.caller(number).begin()
        self.at_leisure(phone, "2", "4").wait_until("Record").speak()
        self.at_leisure(phone, "1", "1", *may_call)
        phone.end()
        self.settle()
        with self.archive.database.read() as session:
            latest = select(Opinion).order_by(Opinion.said_at.desc(), Opinion.id.desc()).limit(1)
            return session.scalars(latest).one().id

    def at_leisure(self, phone: Platform, *keys: str) -> Platform:
        """Keys with three seconds between them, so that none is a double tap."""
        for key in keys:
            self.clock.pass_by(seconds=3)
            phone.press(key)
        return phone

    def replies(self, opinion_id: str, words: str = "路灯下周装好。", is_private: bool = False) -> str:
        self.clock.pass_by(minutes=1)
        return reply(self.archive, DESK, opinion_id, words, self.clock(), is_private)

    def placed(self) -> list[PlacedCall]:
        """Every wish, the oldest first."""
        with self.archive.database.read() as session:
            return list(session.scalars(select(PlacedCall).order_by(PlacedCall.made_at, PlacedCall.id)))

    def tries(self) -> list[PlacedTry]:
        with self.archive.database.read() as session:
            return list(session.scalars(select(PlacedTry).order_by(PlacedTry.tried_at, PlacedTry.n)))

    def states(self) -> list[str]:
        return [one.state for one in self.placed()]
