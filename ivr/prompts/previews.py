"""Sentences that staff hear before anybody else: rendered just as for a call, between two other clips."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ivr.prompts.clips import ClipStore
from ivr.prompts.readings import readings_of
from ivr.prompts.voice import voice_of
from speech.audio import write_phone_wav, write_wav
from speech.errors import SpeechError
from speech.pacing import speak, teach
from speech.synthesize import Synthesizer
from sync.records.tables import Community, Preview, new_id

if TYPE_CHECKING:
    from sync.archive import Archive

log = logging.getLogger(__name__)

KEPT = timedelta(hours=1)
"""How long a preview may be listened to; a call keeps what it needs by itself."""


def clips_for(
    session: Session, clips: ClipStore, community_id: str, texts: Iterable[str]
) -> dict[str, str | None]:
    """For each text the clip that a call of this community would play now; None where there is none yet."""
    voice = voice_of(session, community_id)
    readings = readings_of(session, community_id, clips.engine)
    found: dict[str, str | None] = {}
    for text in texts:
        recorded = clips.recorded_name(text, community_id)
        if clips.has(recorded):
            found[text] = recorded
        else:
            is_there = readings.has(clips, text, voice, is_slow=False)
            found[text] = readings.name(clips, text, voice, is_slow=False) if is_there else None
    return found


def ask(session: Session, community_id: str, texts: Sequence[str], actor: str, now: datetime) -> None:
    """Ask for these to be rendered; what waits already is not asked for twice. Then put the job `preview`."""
    here = (Preview.community_id == community_id, Preview.clip.is_(None), Preview.problem.is_(None))
    waiting = set(session.scalars(select(Preview.text).where(*here)))
    for text in dict.fromkeys(texts):
        if text.strip() and text not in waiting:
            session.add(
                Preview(id=new_id("prv"), community_id=community_id, text=text, asked_by=actor, asked_at=now)
            )


def render_previews(archive: Archive, clips: ClipStore, synthesizer: Synthesizer) -> int:
    """Render what waits, oldest first, and forget what was asked for long ago; how many were made.

    Their words leave the records as soon as their clip is there. Raises SpeechError (not permanent).
    """
    made = 0
    while (found := _next(archive)) is not None:
        preview_id, community_id, text = found
        clip, problem = _render(archive, clips, synthesizer, community_id, text)
        with archive.database.begin() as session:
            row = session.get(Preview, preview_id)
            if row is not None:
                row.clip, row.problem, row.text = clip, problem, ""
        made += clip is not None
    return made


def previewed(session: Session) -> set[str]:
    """The clips that staff may still be listening to."""
    return {name for name in session.scalars(select(Preview.clip).where(Preview.clip.is_not(None))) if name}


def forget_previews(archive: Archive, now: datetime) -> None:
    """Forget what was asked for longer than `KEPT` ago, heard or not."""
    old = Preview.asked_at < now - KEPT
    with archive.database.read() as session:
        is_any = session.scalar(select(Preview.id).where(old).limit(1)) is not None
    if is_any:
        with archive.database.begin() as session:
            session.execute(delete(Preview).where(old))


def _next(archive: Archive) -> tuple[str, str, str] | None:
    waiting = select(Preview.id, Preview.community_id, Preview.text).where(
        Preview.clip.is_(None), Preview.problem.is_(None), Preview.asked_at > datetime.now(UTC) - KEPT
    )
    with archive.database.read() as session:
        row = session.execute(waiting.order_by(Preview.asked_at, Preview.id).limit(1)).first()
    return None if row is None else (row.id, row.community_id, row.text)


def _render(
    archive: Archive, clips: ClipStore, engine: Synthesizer, community_id: str, text: str
) -> tuple[str | None, str | None]:
    """The clip's name, or why there is none."""
    with archive.database.read() as session:
        language = session.get_one(Community, community_id).language
        voice = voice_of(session, community_id)
        readings = readings_of(session, community_id, clips.engine)
    name, mark = readings.name(clips, text, voice, is_slow=False), readings.mark(text)
    if readings.has(clips, text, voice, is_slow=False):
        return name, None
    teach(engine, readings.words)
    try:
        audio = speak(text, engine, voice, language=language)
    except SpeechError as problem:
        if not problem.permanent:
            raise
        log.warning("preview %s cannot be rendered: %s", name, problem)
        return None, "cannot_be_said"
    clips.write(name, write_phone_wav(audio), write_wav(audio), text, may_change=True, reading=mark)
    return name, None
