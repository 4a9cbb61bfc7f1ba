"""A programme's items with their words as the records hold them at this moment; nothing is copied ahead."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ivr.broadcast.script import (
    CallUs,
    Chime,
    Content,
    Greeting,
    Notice,
    OfProgress,
    OfTopic,
    OwnVoice,
    Script,
    Voice,
    write_script,
)
from ivr.prompts.book import PromptError
from ivr.prompts.readings import Readings, readings_of
from ivr.prompts.voice import voice_of
from speech.synthesize import FEMALE, MALE, TEACHABLE
from sync.broadcasting.programmes import Item, is_audible
from sync.records.tables import (
    Community,
    Opinion,
    OpinionRecording,
    Programme,
    ProgrammeItem,
    ProgressUpdate,
    Recording,
    Topic,
    Transcript,
)
from sync.voiding import TAKEN_BACK
from sync.wording import is_worded

GONE = "item_gone"
_TOLD = {"open", "paused", "closed", "decided"}


class Unsayable(Exception):
    """Something in it may not be said, or is not there any more. The message is a word for staff pages."""


def script_of(session: Session, programme: Programme) -> Script:
    """What the programme says now, words and voices as they may be heard now. Raises Unsayable."""
    community = session.get_one(Community, programme.community_id)
    rows = session.scalars(
        select(ProgrammeItem)
        .where(ProgrammeItem.programme_id == programme.id)
        .order_by(ProgrammeItem.position)
    )
    contents = [content_of(session, community, programme, item) for item in rows]
    named: Mapping[str, str] = {"female": FEMALE, "male": MALE}
    voice = named.get(programme.voice, programme.voice) or voice_of(session, community.id)
    try:
        return write_script(contents, community.language, voice, _own_readings(session, community.id).mark)
    except PromptError as missing:
        raise Unsayable("unsayable") from missing


def content_of(
    session: Session, community: Community, programme: Programme, item: ProgrammeItem | Item
) -> Content:
    """One item with its words. Raises Unsayable where it is not there, or may not be heard by all."""
    match item.kind:
        case "chime":
            return Chime()
        case "greeting":
            return Greeting(community.name, item.text)
        case "topic":
            return _topic(session.get(Topic, item.topic_id or ""))
        case "progress":
            return _progress(session, session.get(ProgressUpdate, item.progress_id or ""))
        case "notice":
            return Notice(item.text, programme.priority == "emergency")
        case "voice":
            return _voice(session, community, item)
        case "call":
            return CallUs(national(community.dialled_number))
    raise Unsayable(GONE)


def _own_readings(session: Session, community_id: str) -> Readings:
    """The community's pronunciations, whichever engine reads."""
    return readings_of(session, community_id, next(iter(TEACHABLE)))


def national(number: str) -> str:
    """A number as people here dial it: +86 571… is 0571…, a mobile number stays as it is."""
    if not number.startswith("+86"):
        return number.removeprefix("+")
    rest = number.removeprefix("+86")
    return rest if rest.startswith("1") and len(rest) == 11 else f"0{rest}"


def _topic(topic: Topic | None) -> OfTopic:
    if topic is None or topic.state not in _TOLD or not is_worded(topic):
        raise Unsayable(GONE)
    title, background = topic.spoken_title or topic.title, topic.spoken_background or topic.text
    return OfTopic(title, background, topic.decision or "")


def _progress(session: Session, update: ProgressUpdate | None) -> OfProgress:
    if update is None or not update.spoken:
        raise Unsayable(GONE)
    topic = session.get_one(Topic, update.topic_id)
    return OfProgress(topic.spoken_title or topic.title, update.spoken)


def _voice(session: Session, community: Community, item: ProgrammeItem | Item) -> Content:
    opinion = session.get(Opinion, item.opinion_id or "")
    if opinion is None or not is_audible(opinion, item.is_own_voice):
        raise Unsayable(TAKEN_BACK)
    if opinion.is_practice and not community.is_demo:
        raise Unsayable("practice")
    newest = select(Transcript).where(Transcript.opinion_id == opinion.id).order_by(Transcript.version.desc())
    words = session.scalar(newest.limit(1))
    if words is None or not words.redacted:
        raise Unsayable(TAKEN_BACK)
    if not item.is_own_voice:
        return Voice(words.redacted)
    ids, seconds = _sound(session, opinion.id)
    return OwnVoice(opinion.id, f"{words.version}/{ids}", seconds)


def _sound(session: Session, opinion_id: str) -> tuple[str, float]:
    """The recordings of an opinion by id, in order, and their length together."""
    rows = session.execute(
        select(Recording.id, func.coalesce(Recording.seconds, 0.0))
        .join(OpinionRecording, OpinionRecording.recording_id == Recording.id)
        .where(OpinionRecording.opinion_id == opinion_id)
        .order_by(OpinionRecording.part)
    ).all()
    return ",".join(row[0] for row in rows), sum(row[1] for row in rows)
