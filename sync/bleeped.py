"""An opinion in its speaker's own voice, for others to hear: what its text hides is bleeped in the sound."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from speech.audio import Audio
from speech.bleep import bleep, hidden_intervals, hidden_letters
from speech.errors import SpeechError
from speech.recognize import Word
from sync.archive import Archive
from sync.errors import RecordsError
from sync.records.tables import Opinion, Person, Transcript
from sync.sound import gather
from sync.words import MACHINE, transcript_name, words_name


class NotToBeHeard(RecordsError):
    """Nobody but the desk may hear this: not approved, not agreed to, or not spoken at all."""


class CannotBleep(RecordsError):
    """What must be hidden in the sound can't be found in it for certain."""


def bleeped(session: Session, archive: Archive, opinion: Opinion) -> Audio:
    """The whole sound of an opinion, all its segments. Raises NotToBeHeard, CannotBleep, RecordsUnavailable.

    Only of an approved opinion whose speaker agreed to be heard by neighbours in their own voice.
    """
    if opinion.state != "approved" or opinion.release != "voice":
        raise NotToBeHeard("its speaker has not agreed to be heard, or nobody has approved it yet")
    return hushed(session, archive, opinion)


def hushed(session: Session, archive: Archive, opinion: Opinion) -> Audio:
    """The same of any opinion, for the desk: its ears need no private number either. Raises as `bleeped`."""
    if opinion.needs_listening:
        raise CannotBleep("its words were not made out well, and nobody has written down what was said")
    versions = session.scalars(
        select(Transcript).where(Transcript.opinion_id == opinion.id).order_by(Transcript.version)
    ).all()
    spoken = gather(session, archive, opinion.id)
    if not spoken.parts or not versions:
        raise NotToBeHeard("it was written, not spoken")
    if spoken.sound is None or spoken.problem is not None:
        raise CannotBleep("a part of its sound is missing, so that nobody can tell when what was said")
    text = _text(session, archive, opinion, versions[-1])
    words = timed_words(session, archive, opinion, versions[0])
    try:
        hidden = hidden_letters(text, versions[-1].redacted or "")
        return bleep(spoken.sound, hidden_intervals(text, hidden, words, spoken.sound.seconds))
    except SpeechError as error:
        raise CannotBleep(f"{error}: what must stay hidden can't be found in it") from error


def _text(session: Session, archive: Archive, opinion: Opinion, latest: Transcript) -> str:
    if latest.sealed_text is None:
        raise CannotBleep("its words are no longer kept")
    about = transcript_name(opinion.id, latest.version)
    return archive.keyring.unseal(session, _key(session, opinion), latest.sealed_text, about).decode()


def timed_words(session: Session, archive: Archive, opinion: Opinion, first: Transcript) -> Sequence[Word]:
    """The machine's words with their times. Raises CannotBleep where they are not kept, KeyDestroyed."""
    if first.version != MACHINE or first.sealed_words is None:
        raise CannotBleep("when its words were said is not kept")
    sealed = first.sealed_words
    kept = archive.keyring.unseal(session, _key(session, opinion), sealed, words_name(opinion.id))
    return [Word(*one) for one in json.loads(kept)]


def _key(session: Session, opinion: Opinion) -> str:
    return session.get_one(Person, opinion.person_id).key_id
