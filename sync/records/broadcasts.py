"""Loudspeakers, the programmes made for them, when they are due, and what each loudspeaker really played."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, column
from sqlalchemy.orm import Mapped, mapped_column

from sync.records.base import Base, Id, Json

OPEN_PLAY = column("state").in_(["waiting", "sent", "received", "started", "unknown"])
OPEN_AIRING = column("state").in_(["planned", "airing"])
SOUND_WANTED = column("sound_state") == "wanted"


class Loudspeaker(Base):
    """A device that plays programmes. `address` is what its kind needs to reach it; no secret is in it.

    `kind`: mqtt · sip · multicast · files · callin. `state`: active · paused · removed. `presence`: unknown ·
    here · gone, as it last told or was found. `volume` is 0 to 100. A schedule names `area` or one of
    `groups`. `sealed_secret` (password, PIN) is sealed under `key_id`.
    """

    __tablename__ = "loudspeakers"
    __table_args__ = (UniqueConstraint("community_id", "name"),)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    name: Mapped[str]
    place: Mapped[str] = mapped_column(default="")
    area: Mapped[str] = mapped_column(default="")
    groups: Mapped[list[Any]] = mapped_column(default=list)
    kind: Mapped[str]
    address: Mapped[dict[str, Any]] = mapped_column(default=dict)
    key_id: Mapped[str | None] = mapped_column(ForeignKey("keys.id"))
    sealed_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    volume: Mapped[int] = mapped_column(default=60)
    state: Mapped[str] = mapped_column(default="active")
    presence: Mapped[str] = mapped_column(default="unknown")
    last_seen_at: Mapped[datetime | None]
    problem: Mapped[str | None]
    created_at: Mapped[datetime]


class Programme(Base):
    """A playlist for the loudspeakers, in `programme_items`.

    `state`: draft → submitted → approved; withdrawn. Any change makes it a draft again. `priority`: normal ·
    emergency. `voice` "": the community's. `version` counts changes.

    `sound_digest` (SHA-256 in hex) is of all that is said; `sound_state`: none · wanted · ready · failed ·
    erased. Approved is what `approved_digest` says and nothing else. A draft that a standing rule made names
    its `schedule_id` and local `day`. `last_day`: not played after it. `problem`: why it is a draft again, or
    has no sound.
    """

    __tablename__ = "programmes"
    __table_args__ = (
        UniqueConstraint("schedule_id", "day"),
        Index(None, "community_id", "state", "changed_at"),
        Index("ix_programmes_wanted", "id", sqlite_where=SOUND_WANTED, postgresql_where=SOUND_WANTED),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    title: Mapped[str]
    state: Mapped[str] = mapped_column(default="draft")
    version: Mapped[int] = mapped_column(default=1)
    priority: Mapped[str] = mapped_column(default="normal")
    voice: Mapped[str] = mapped_column(default="")
    schedule_id: Mapped[str | None] = mapped_column(Id)
    day: Mapped[str | None]  # 2026-11-22
    last_day: Mapped[str | None]
    sound_state: Mapped[str] = mapped_column(default="none")
    sound_digest: Mapped[str | None]
    sound_seconds: Mapped[float | None]
    approved_digest: Mapped[str | None]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    second_approved_by: Mapped[str | None]
    second_approved_at: Mapped[datetime | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    held_by: Mapped[str | None]  # the worker making its sound just now
    problem: Mapped[str | None]


class ProgrammeItem(Base):
    """One item of a programme, at its `position` from 0.

    `kind`: chime · greeting · topic · progress · notice · voice · call. Words are read from the records when
    the sound is made; only a notice (and a greeting of its own) has `text`. A `voice` is an approved opinion,
    read aloud, or with `is_own_voice` in its speaker's own voice where they allowed it.
    """

    __tablename__ = "programme_items"
    __table_args__ = (Index(None, "opinion_id"), Index(None, "topic_id"))
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    text: Mapped[str] = mapped_column(default="")
    topic_id: Mapped[str | None] = mapped_column(ForeignKey("topics.id"))
    progress_id: Mapped[str | None] = mapped_column(ForeignKey("progress_updates.id"))
    opinion_id: Mapped[str | None] = mapped_column(ForeignKey("opinions.id"))
    is_own_voice: Mapped[bool] = mapped_column(default=False)


class Schedule(Base):
    """When a programme, or what a standing rule makes each time, is due: local time of the community.

    `times` are local ("18:30"); `weekdays` 0 (Monday) to 6, none: every day; `days`: all · no_holidays ·
    workdays · days_off, by the calendar of public holidays. `repeats` is how often in a row. `areas` names
    areas and groups, none: every loudspeaker. `late_minutes`: begun no later than that, else missed.
    `rule`: {"about": "changes", "max_seconds": 180, "lead_minutes": 120} where no programme is named.
    `state`: active · paused · ended.
    """

    __tablename__ = "schedules"
    __table_args__ = (Index(None, "community_id", "state"), Index(None, "programme_id"))
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    name: Mapped[str]
    programme_id: Mapped[str | None] = mapped_column(ForeignKey("programmes.id"))
    rule: Mapped[dict[str, Any] | None] = mapped_column(Json)
    times: Mapped[list[Any]] = mapped_column(default=list)
    weekdays: Mapped[list[Any]] = mapped_column(default=list)
    days: Mapped[str] = mapped_column(default="all")
    first_day: Mapped[str]
    last_day: Mapped[str | None]
    repeats: Mapped[int] = mapped_column(default=1)
    areas: Mapped[list[Any]] = mapped_column(default=list)
    volume: Mapped[int | None]
    late_minutes: Mapped[int] = mapped_column(default=10)
    state: Mapped[str] = mapped_column(default="active")
    created_by: Mapped[str]
    created_at: Mapped[datetime]


class Airing(Base):
    """One programme at one moment. `natural_key`: schedule, local day and time; or the request.

    `state`: planned → airing → done · missed · cut. `reason` says why it was missed or cut. `digest` is what
    was approved when it began. It begins by `expires_at` or not at all; `over_at` is when the last report is
    waited for.
    """

    __tablename__ = "airings"
    __table_args__ = (
        UniqueConstraint("natural_key"),
        Index(None, "community_id", "due_at"),
        Index("ix_airings_open", "due_at", sqlite_where=OPEN_AIRING, postgresql_where=OPEN_AIRING),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    natural_key: Mapped[str]
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    programme_id: Mapped[str | None] = mapped_column(ForeignKey("programmes.id"))
    schedule_id: Mapped[str | None] = mapped_column(ForeignKey("schedules.id"))
    is_emergency: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default="planned")
    reason: Mapped[str | None]
    digest: Mapped[str | None]
    seconds: Mapped[float | None]
    repeats: Mapped[int] = mapped_column(default=1)
    areas: Mapped[list[Any]] = mapped_column(default=list)
    volume: Mapped[int | None]
    resumes_id: Mapped[str | None] = mapped_column(Id)  # the airing that an emergency cut, played again here
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    began_at: Mapped[datetime | None]
    over_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    made_by: Mapped[str]


class Play(Base):
    """What one loudspeaker made of one airing: its id is the job's id, the same however often it is sent.

    `state` only moves forward: waiting → sent → received → started → finished · failed · expired · cut;
    `unknown` where nothing was heard of it in time, until a late report says more. `error` is a word of ours
    or the device's own, without numbers.
    """

    __tablename__ = "plays"
    __table_args__ = (
        UniqueConstraint("airing_id", "loudspeaker_id"),
        Index(None, "loudspeaker_id", "due_at"),
        Index("ix_plays_open", "airing_id", sqlite_where=OPEN_PLAY, postgresql_where=OPEN_PLAY),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    airing_id: Mapped[str] = mapped_column(ForeignKey("airings.id"))
    loudspeaker_id: Mapped[str] = mapped_column(ForeignKey("loudspeakers.id"))
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    state: Mapped[str] = mapped_column(default="waiting")
    volume: Mapped[int]
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    sender: Mapped[str | None]  # the announcer that sent it: host/pid/start
    error: Mapped[str | None]
