"""One programme: what it says, how it sounds, who stands by it, when it is due, how it was heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import Blueprint, abort, render_template
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin.pages.access import archive, reader
from admin.pages.broadcasts.acting import actor
from admin.pages.broadcasts.drafting import LONG_ITEM_SECONDS, LONG_SECONDS
from admin.pages.broadcasts.forms import areas_of, new_request
from admin.pages.broadcasts.people import names_of
from admin.pages.broadcasts.upcoming import quiet_spans
from admin.roles import for_role
from ivr.broadcast.reading import Unsayable, script_of
from ivr.broadcast.script import Chime, OwnVoice, Part, Rest, Said, length_of
from sync.broadcasting import Item, Outcome, items_of, outcome_of, programme_of, schedules_of
from sync.called_after import CalledAfter, called_after
from sync.community_settings import setting
from sync.desk import NotThere
from sync.records.tables import Airing, Programme, Schedule

SHOWN_AIRINGS, CALLS_DAYS = 10, 60


@dataclass(frozen=True)
class Heard:
    """One item as it will be heard: its sentences, and about how long it is."""

    kind: str
    sentences: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Seen:
    """All that the page of a programme shows. `why_not`: it can't be said as it stands."""

    programme: Programme
    heard: Sequence[Heard]
    why_not: str
    digest: str
    names: dict[str, str]
    schedules: Sequence[Schedule]
    airings: Sequence[Outcome]
    calls: CalledAfter
    calls_by_airing: dict[str, CalledAfter]
    has_pin: bool

    @property
    def seconds(self) -> float:
        """The length of its sound, or about how long it will be."""
        return self.programme.sound_seconds or sum(one.seconds for one in self.heard)


def add_programme(desk: Blueprint) -> None:
    """Put the page on the desk."""
    desk.add_url_rule("/broadcasts/<programme_id>", "broadcast", broadcast)


@for_role("broadcasts.see")
def broadcast(programme_id: str) -> str:
    """The page of one programme."""
    return show(programme_id)


def show(programme_id: str) -> str:
    """The page; 404 for another community's."""
    with archive().database.read() as session:
        seen = read_programme(session, programme_id)
        areas, quiet = areas_of(session, reader().community_id), quiet_spans(session, reader().community_id)
    return render_template(
        "desk/broadcasts/programme.html",
        seen=seen,
        one=seen.programme,
        areas=areas,
        quiet=quiet,
        request_id=new_request(),
        longest=LONG_SECONDS,
        longest_item=LONG_ITEM_SECONDS,
    )


def read_programme(session: Session, programme_id: str) -> Seen:
    """All of it; 404 where this community has none of that id."""
    who = actor()
    try:
        programme = programme_of(session, who, programme_id)
    except NotThere:
        abort(404)
    heard, why_not, digest = _heard(session, programme)
    people = {
        programme.created_by,
        programme.changed_by,
        programme.approved_by,
        programme.second_approved_by,
    }
    airings = _airings(session, programme_id)
    since, now = datetime.now(UTC) - timedelta(days=CALLS_DAYS), datetime.now(UTC)
    calls = called_after(session, who.community_id, since, now)
    mine = set(session.scalars(select(Airing.id).where(Airing.programme_id == programme_id)))
    return Seen(
        programme=programme,
        heard=heard,
        why_not=why_not,
        digest=digest,
        names=dict(names_of(session, people)),
        schedules=[
            one for one in schedules_of(session, who.community_id) if one.programme_id == programme_id
        ],
        airings=airings,
        calls=sum((calls[one] for one in calls.keys() & mine), CalledAfter()),
        calls_by_airing=dict(calls),
        has_pin=bool(setting(session, who.community_id, "broadcast_pin")),
    )


def _airings(session: Session, programme_id: str) -> Sequence[Outcome]:
    """Its last airings, the newest first."""
    newest = select(Airing.id).where(Airing.programme_id == programme_id).order_by(Airing.due_at.desc())
    found = (outcome_of(session, one) for one in session.scalars(newest.limit(SHOWN_AIRINGS)).all())
    return [one for one in found if one is not None]


def _heard(session: Session, programme: Programme) -> tuple[list[Heard], str, str]:
    """Its items as they are said now, why they can't be, and the digest of all that is said now."""
    items = items_of(session, programme.id)
    try:
        script = script_of(session, programme)
    except Unsayable as problem:
        return [Heard(item.kind, (item.text,), 0.0) for item in items], str(problem), ""
    return list(_by_item(items, script.parts)), "", script.digest


def _by_item(items: Sequence[Item], parts: Sequence[Part]) -> list[Heard]:
    """The parts of a script between two rests are one item."""
    groups: list[list[Part]] = [[]]
    for part in parts:
        groups.append([]) if isinstance(part, Rest) else groups[-1].append(part)
    return [
        Heard(item.kind, _sentences(group), sum(map(length_of, group)))
        for item, group in zip(items, groups, strict=False)
    ]


def _sentences(group: Sequence[Part]) -> tuple[str, ...]:
    said = []
    for part in group:
        match part:
            case Said(text):
                said.append(text)
            case Chime() | OwnVoice():
                said.append("♪")
            case _:
                continue
    return tuple(said)
