"""Programmes written and rewritten: any change makes a programme a draft that nobody has approved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from sync.acting import Actor, ChangedMeanwhile, DeskError, NotThere
from sync.community_settings import audit
from sync.records.tables import Opinion, Programme, ProgrammeItem, ProgressUpdate, Topic, new_id
from sync.voiding import unapprove
from sync.wording import is_worded

KINDS = ("chime", "greeting", "topic", "progress", "notice", "voice", "call")
PRIORITIES = ("normal", "emergency")
LONGEST_TITLE = 40
LONGEST_NOTICE = 600  # characters: a little more than three minutes
LONGEST_TOPIC = 170  # characters: with what is said around it, one minute
MOST_ITEMS = 30


@dataclass(frozen=True)
class Item:
    """One item of a playlist. `kind`: chime · greeting · topic · progress · notice · voice · call.

    `text` is that of a notice, or of a greeting other than the usual one. `voice`: an approved opinion, read
    aloud or, with `is_own_voice`, as it was spoken.
    """

    kind: str
    text: str = ""
    topic_id: str | None = None
    progress_id: str | None = None
    opinion_id: str | None = None
    is_own_voice: bool = False


def compose(
    session: Session,
    actor: Actor,
    title: str,
    items: Sequence[Item],
    now: datetime,
    priority: str = "normal",
    voice: str = "",
    last_day: str | None = None,
) -> str:
    """A new programme, as a draft; its sound is made ahead. Returns its id. Raises DeskError, NotThere."""
    programme = Programme(
        id=new_id("pg"),
        community_id=actor.community_id,
        title=_title(title),
        priority=_priority(priority),
        voice=voice,
        last_day=_day(last_day),
        sound_state="wanted",
        created_by=actor.id,
        created_at=now,
        changed_by=actor.id,
        changed_at=now,
    )
    checked = [_checked(session, actor, item) for item in _some(items)]
    session.add(programme)
    session.flush()
    write_items(session, programme.id, checked)
    audit(session, actor.community_id, actor.id, "programme.composed", programme.id)
    return programme.id


def edit(
    session: Session,
    actor: Actor,
    programme_id: str,
    version: int,
    now: datetime,
    title: str | None = None,
    items: Sequence[Item] | None = None,
    priority: str | None = None,
    voice: str | None = None,
    last_day: str | None = None,
) -> int:
    """Change what is given; the new version, which nobody has approved. Raises DeskError, NotThere."""
    programme = locked(session, actor, programme_id, version)
    if programme.state == "withdrawn":
        raise DeskError("it was withdrawn", "programme_withdrawn")
    programme.title = programme.title if title is None else _title(title)
    programme.priority = programme.priority if priority is None else _priority(priority)
    programme.voice = programme.voice if voice is None else voice
    programme.last_day = programme.last_day if last_day is None else _day(last_day or None)
    if items is not None:
        write_items(session, programme.id, [_checked(session, actor, item) for item in _some(items)])
    unapprove(session, programme, now, actor.id, problem=None)
    audit(session, actor.community_id, actor.id, "programme.edited", programme.id, version=programme.version)
    return programme.version


def programme_of(session: Session, actor: Actor, programme_id: str) -> Programme:
    """The programme. Raises NotThere."""
    programme = session.get(Programme, programme_id)
    if programme is None or programme.community_id != actor.community_id:
        raise NotThere("there is no such programme", "not_there")
    return programme


def items_of(session: Session, programme_id: str) -> list[Item]:
    """Its items in order."""
    rows = session.scalars(
        select(ProgrammeItem)
        .where(ProgrammeItem.programme_id == programme_id)
        .order_by(ProgrammeItem.position)
    )
    return [
        Item(row.kind, row.text, row.topic_id, row.progress_id, row.opinion_id, row.is_own_voice)
        for row in rows
    ]


def locked(session: Session, actor: Actor, programme_id: str, version: int | None) -> Programme:
    """The programme, held until the transaction ends. Raises NotThere, ChangedMeanwhile."""
    programme = session.get(Programme, programme_id, with_for_update=True, populate_existing=True)
    if programme is None or programme.community_id != actor.community_id:
        raise NotThere("there is no such programme", "not_there")
    if version is not None and version != programme.version:
        raise ChangedMeanwhile("somebody else has just changed it: look again", "changed_meanwhile")
    return programme


def write_items(session: Session, programme_id: str, items: Sequence[Item]) -> None:
    """Make these the items of the programme."""
    gone = delete(ProgrammeItem).where(ProgrammeItem.programme_id == programme_id)
    session.execute(gone.execution_options(synchronize_session="fetch"))
    session.add_all(
        ProgrammeItem(programme_id=programme_id, position=position, **asdict(item))
        for position, item in enumerate(items)
    )
    session.flush()


def is_audible(opinion: Opinion, is_own_voice: bool) -> bool:
    """Whether all may hear it now: approved, and released in words, or in its speaker's own voice."""
    allowed = ("voice",) if is_own_voice else ("words", "voice")
    return opinion.state == "approved" and opinion.release in allowed


def _some(items: Sequence[Item]) -> Sequence[Item]:
    if not any(item.kind in {"topic", "progress", "notice", "voice"} for item in items):
        raise DeskError("there is nothing to be said in it", "programme_empty")
    if len(items) > MOST_ITEMS:
        raise DeskError(f"at most {MOST_ITEMS} items", "too_many_items", MOST_ITEMS)
    return items


def _checked(session: Session, actor: Actor, item: Item) -> Item:
    """The item with nothing in it that its kind doesn't have. DeskError where it can't be said."""
    match item.kind:
        case "chime" | "call":
            return Item(item.kind)
        case "greeting":
            return Item("greeting", _words(item.text) if item.text.strip() else "")
        case "notice":
            return Item("notice", _words(item.text))
        case "topic":
            return Item("topic", topic_id=_topic(session, actor, item.topic_id))
        case "progress":
            return Item("progress", progress_id=_progress(session, actor, item.progress_id))
        case "voice":
            opinion_id = _opinion(session, actor, item.opinion_id, item.is_own_voice)
            return Item("voice", opinion_id=opinion_id, is_own_voice=item.is_own_voice)
    raise DeskError("there is no such kind of item", "no_such_item")


def _topic(session: Session, actor: Actor, topic_id: str | None) -> str:
    topic = session.get(Topic, topic_id or "")
    if topic is None or topic.community_id != actor.community_id:
        raise NotThere("there is no such topic", "not_there")
    if topic.state == "draft" or not is_worded(topic):
        raise DeskError("it has no words for the ear yet, or is a draft", "topic_not_worded")
    said = (topic.spoken_title or topic.title) + (topic.decision or topic.spoken_background or topic.text)
    if len(said) > LONGEST_TOPIC:
        raise DeskError("it can't be said in a minute", "topic_too_long", LONGEST_TOPIC)
    return topic.id


def _progress(session: Session, actor: Actor, progress_id: str | None) -> str:
    update = session.get(ProgressUpdate, progress_id or "")
    if update is None or update.community_id != actor.community_id:
        raise NotThere("there is no such progress update", "not_there")
    if not update.spoken:
        raise DeskError("it has no words for the ear yet", "topic_not_worded")
    return update.id


def _opinion(session: Session, actor: Actor, opinion_id: str | None, is_own_voice: bool) -> str:
    opinion = session.get(Opinion, opinion_id or "")
    if opinion is None or opinion.community_id != actor.community_id:
        raise NotThere("there is no such opinion", "not_there")
    if not is_audible(opinion, is_own_voice):
        raise DeskError("nobody has approved it, or its speaker has not allowed it", "voice_not_allowed")
    return opinion.id


def _title(title: str) -> str:
    words = " ".join(title.split())
    if not words:
        raise DeskError("a programme needs a name", "nothing_said")
    if len(words) > LONGEST_TITLE:
        raise DeskError(f"at most {LONGEST_TITLE} characters", "too_long", LONGEST_TITLE)
    return words


def _words(text: str) -> str:
    words = text.strip()
    if not any(letter.isalnum() for letter in words):
        raise DeskError("something has to be said", "nothing_said")
    if len(words) > LONGEST_NOTICE:
        raise DeskError(f"at most {LONGEST_NOTICE} characters", "too_long", LONGEST_NOTICE)
    if "\x00" in words:
        raise DeskError("these are not words", "not_words")
    return words


def _priority(priority: str) -> str:
    if priority not in PRIORITIES:
        raise DeskError("it is normal or an emergency", "no_such_priority")
    return priority


def _day(day: str | None) -> str | None:
    try:
        return None if day is None else date.fromisoformat(day).isoformat()
    except ValueError as error:
        raise DeskError("that is no day", "no_such_day") from error
