"""A desk with loudspeakers for tests: staff who compose and approve, a studio that hums, what was played."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from werkzeug.test import TestResponse

from admin.demo.seed import COMMUNITY_ID
from ivr.broadcast.rendering import Studio, render_programme
from sync.broadcasting import add_loudspeaker
from sync.desk import Actor
from sync.people import person_at
from sync.records.base import Base
from sync.records.tables import Airing, Call, Play, Programme, new_id
from tests.admin.desk import Browser, Desk

PASSWORD = "a long password"
NEW = "/desk/broadcasts/new"
NOW = datetime.now(UTC)


@dataclass
class Village:
    """A desk with a publisher, a reviewer, and a studio that hums instead of speaking."""

    desk: Desk
    studio: Studio
    publisher: Browser
    reviewer: Browser

    def new(self, title: str = "今天的消息", priority: str = "normal", notice: str = "明天上午停水。") -> str:
        """A programme of a notice, saved by the reviewer; its id."""
        fields = {"title": title, "priority": priority, "last_day": "", "do": "submit"}
        rows = {"kind": ["chime", "notice"], "ref": ["", ""], "text": ["", notice], "own": ["", ""]}
        answer = send(self.reviewer, NEW, NEW, **fields, **rows)
        assert answer.status_code == 302, answer.get_data(as_text=True)
        return answer.headers["Location"].rpartition("/")[2]

    def ready(self, programme_id: str) -> Programme:
        """The programme with its sound made."""
        assert render_programme(self.studio, programme_id)
        return self.programme(programme_id)

    def programme(self, programme_id: str) -> Programme:
        with self.desk.archive.database.read() as session:
            return session.get_one(Programme, programme_id)

    def approved(self, **how: str) -> str:
        """A programme that may be loud; its id."""
        programme_id = self.new(**how)
        digest = self.ready(programme_id).sound_digest or ""
        page = f"/desk/broadcasts/{programme_id}"
        assert send(self.publisher, page, f"{page}/approve", digest=digest).status_code == 302
        return programme_id

    def all(self, table: type[Base]) -> list[Base]:
        with self.desk.archive.database.read() as session:
            return list(session.scalars(select(table)))


def send(browser: Browser, page: str, path: str, **fields: str | list[str]) -> TestResponse:
    """Send a form; fields may hold several values."""
    return browser.send(page, path, **fields)  # type: ignore[arg-type]


def seen(answer: TestResponse) -> str:
    """What a page says, without its tags."""
    page = answer.get_data(as_text=True).partition("<main")[2]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def played(village: Village, airing_id: str, states: dict[str, str]) -> None:
    """What each loudspeaker made of an airing."""
    with village.desk.archive.database.begin() as session:
        airing = session.get_one(Airing, airing_id)
        airing.state, airing.began_at, airing.ended_at = "done", NOW - timedelta(hours=1), NOW
        airing.due_at = NOW - timedelta(hours=1)
        for name, state in states.items():
            speaker_id, _ = add_loudspeaker(
                session, village.desk.archive, Actor("st", COMMUNITY_ID), name, "files", NOW
            )
            session.add(
                Play(
                    id=new_id("pl"), airing_id=airing_id, loudspeaker_id=speaker_id,
                    community_id=COMMUNITY_ID, state=state, volume=60, due_at=NOW,
                    started_at=NOW if state == "finished" else None,
                    error="unreachable" if state == "failed" else None,
                )
            )  # fmt: skip


def called(village: Village, after: timedelta) -> None:
    """Somebody called so long after that airing began."""
    at = NOW - timedelta(hours=1) + after
    with village.desk.archive.database.begin() as session:
        person = person_at(session, village.desk.archive, COMMUNITY_ID, None)
        session.add(
            Call(
                id=new_id("cl"), sid=new_id("CA"), community_id=COMMUNITY_ID, person_id=person.id,
                line="exchange", handset="phone", is_practice=False, view={}, place={},
                began_at=at, turned_at=at,
            )
        )  # fmt: skip
