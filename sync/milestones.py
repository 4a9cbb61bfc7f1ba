"""Stages of what becomes of a topic: who answers for each, until when, and how anybody can see it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync.community_settings import audit
from sync.desk import Actor, ChangedMeanwhile, DeskError, NotThere
from sync.records.tables import Community, Milestone, Topic, new_id

STATES = ("planned", "doing", "done", "dropped")
OPEN = ("planned", "doing")
MOST_SHOWN = 100
_LONGEST = {"title": 40, "goal": 200, "owner": 40}


@dataclass(frozen=True)
class Stage:
    """What staff say of one stage. `due_on` is a day of the community's calendar, `2026-12-01`."""

    title: str
    goal: str
    owner: str
    due_on: str


def stages(session: Session, topic_id: str) -> Sequence[Milestone]:
    """The stages of a topic, in their order."""
    mine = select(Milestone).where(Milestone.topic_id == topic_id)
    return session.scalars(mine.order_by(Milestone.place, Milestone.id)).all()


def late(session: Session, community_id: str, today: str, most: int = MOST_SHOWN) -> Sequence[Milestone]:
    """The stages that should be done by now and are not, the most overdue first."""
    overdue = select(Milestone).where(
        Milestone.community_id == community_id, Milestone.state.in_(OPEN), Milestone.due_on < today
    )
    return session.scalars(overdue.order_by(Milestone.due_on, Milestone.id).limit(most)).all()


def today_in(session: Session, community_id: str, now: datetime) -> str:
    """The day it is in a community, as `2026-12-01`."""
    zone = session.get_one(Community, community_id).time_zone
    return now.astimezone(ZoneInfo(zone)).date().isoformat()


def plan(session: Session, actor: Actor, topic_id: str, stage: Stage, now: datetime) -> Milestone:
    """A new stage at the end. DeskError for what is missing, too long or no day."""
    topic = session.get(Topic, topic_id, with_for_update=True)
    if topic is None or topic.community_id != actor.community_id:
        raise NotThere("there is no such topic", "not_there")
    said = _checked(stage)
    last = session.scalar(select(func.max(Milestone.place)).where(Milestone.topic_id == topic_id)) or 0
    made = Milestone(
        id=new_id("ms"), topic_id=topic_id, community_id=actor.community_id, place=last + 1, title=said.title,
        goal=said.goal, owner=said.owner, due_on=said.due_on, changed_at=now, changed_by=actor.id,
    )  # fmt: skip
    session.add(made)
    session.flush()
    audit(session, actor.community_id, actor.id, "milestone.planned", made.id, topic=topic_id)
    return made


def change(
    session: Session, actor: Actor, milestone_id: str, stage: Stage, state: str, version: int, now: datetime
) -> Milestone:
    """Say otherwise of a stage, or how far it is. Done, it keeps the day on which that was said."""
    found = session.get(Milestone, milestone_id, with_for_update=True)
    if found is None or found.community_id != actor.community_id or state not in STATES:
        raise NotThere("there is no such stage", "not_there")
    if found.version != version:
        raise ChangedMeanwhile("somebody else has just changed it", "changed_meanwhile")
    said = _checked(stage)
    found.title, found.goal, found.owner, found.due_on = said.title, said.goal, said.owner, said.due_on
    if state != found.state:
        found.done_on = today_in(session, actor.community_id, now) if state == "done" else None
    found.state, found.changed_at, found.changed_by = state, now, actor.id
    found.version += 1
    audit(session, actor.community_id, actor.id, "milestone.changed", found.id, state=state)
    return found


def _checked(stage: Stage) -> Stage:
    for name, longest in _LONGEST.items():
        words = getattr(stage, name)
        if not words.strip():
            raise DeskError("title, goal, owner and day are needed", "stage_incomplete")
        if len(words) > longest:
            raise DeskError(f"at most {longest} characters", "too_long", longest)
    try:
        day = date.fromisoformat(stage.due_on).isoformat()
    except ValueError as error:
        raise DeskError("that is no day", "no_such_day") from error
    return Stage(stage.title.strip(), stage.goal.strip(), stage.owner.strip(), day)
