"""How well the recognizer hears, as staff corrections show it: characters that had to be changed."""

from __future__ import annotations

from datetime import datetime

from rapidfuzz.distance import Levenshtein
from sqlalchemy import delete
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.errors import KeyDestroyed
from sync.records.tables import Correction, Opinion, Person, Transcript
from sync.typed import ENGINE
from sync.words import MACHINE, transcript_name


def characters(text: str) -> str:
    """What is compared: letters and figures, marks and spaces left out."""
    return "".join(letter for letter in text.lower() if letter.isalnum())


def note_correction(session: Session, archive: Archive, opinion: Opinion, words: str, now: datetime) -> None:
    """Keep how far the machine's words of this opinion were from what a person has now written.

    Numbers only, the latest correction's. Nothing for what was written from the beginning.
    """
    machine = session.get(Transcript, (opinion.id, MACHINE))
    said = characters(words)
    if machine is None or machine.sealed_text is None or machine.engine == ENGINE or not said:
        return
    key_id, about = session.get_one(Person, opinion.person_id).key_id, transcript_name(opinion.id, MACHINE)
    try:
        heard = archive.keyring.unseal(session, key_id, machine.sealed_text, about).decode()
    except KeyDestroyed:
        return
    session.execute(delete(Correction).where(Correction.opinion_id == opinion.id))
    session.add(
        Correction(
            opinion_id=opinion.id,
            community_id=opinion.community_id,
            engine=machine.engine,
            characters=len(said),
            wrong=Levenshtein.distance(characters(heard), said),
            made_at=now,
        )
    )
