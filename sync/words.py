"""From the sound of one opinion to its words: recognised, redacted, categorised, kept as version 1."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from speech.categorize import Category, categorize
from speech.errors import SpeechError
from speech.purpose import purpose_of
from speech.recognize import Recognizer
from speech.recognize import Transcript as Heard
from speech.redact import redact
from speech.repair import repair
from speech.trust import LEAST_CONFIDENCE
from speech.urgency import Danger, urgency
from sync import leases, problems
from sync.alerts import is_untaken, raise_alert
from sync.archive import Archive
from sync.changes import note
from sync.errors import RecordsUnavailable
from sync.learning import CATEGORY, PURPOSE
from sync.records.tables import Opinion, OpinionRecording, Person, Recording, Transcript
from sync.searching import index_words
from sync.sorting import Sorting, keep_answers, sorting_of
from sync.sound import gather, segments
from sync.typed import ENGINE, typed_words

LOG = logging.getLogger("tingjian.words")
_MOST_TRIES = 6  # of sound that makes workers fail; for a recognizer that is away there is no such bound
STILL_IN_DANGER = timedelta(days=1)
"""How long after it was said a corrected word may still call the duty phone."""
MACHINE = 1  # the version that the machine writes; staff corrections come after it
_HOLD_SECONDS = 60.0  # and three times the sound's own length: a busy box needs more than it lasts


@dataclass(frozen=True)
class Meaning:
    """What words are about, what is wanted and the danger in them; `model_id` is who sorted them."""

    category: Category | None = None
    purpose: Category | None = None
    urgency: Danger | None = None
    model_id: str | None = None


@dataclass(frozen=True)
class Words:
    """What came of it. `heard` is None where there was nothing to recognise."""

    heard: Heard | None
    redacted: str
    meaning: Meaning
    problem: str | None

    @property
    def needs_listening(self) -> bool:
        """Whether a person has to listen, because the words can't be relied on."""
        return self.problem is not None


def understand(heard: Heard | None, problem: str | None = None, sorting: Sorting | None = None) -> Words:
    """The meaning of a transcript; `problem` is what is known to be wrong with its sound already."""
    if heard is None or heard.is_silent:
        return Words(heard, "", Meaning(), problem or problems.SILENT)
    is_unsure = heard.confidence < LEAST_CONFIDENCE
    public = redact(heard.text, heard.others).text
    meaning = meaning_of(heard.text, public, sorting)
    return Words(heard, public, meaning, problem or (problems.UNSURE if is_unsure else None))


def meaning_of(said: str, public: str, sorting: Sorting | None = None) -> Meaning:
    """The meaning of what was said, of which `public` may be published; no records should be held meanwhile.

    `sorting`: the community's categories and what was learnt there. It reads `public` alone, so that no
    reason it gives is a name or a number.
    """
    kinds, model, model_id = (sorting.taxonomy, sorting.model, sorting.model_id) if sorting else (None,) * 3
    return Meaning(categorize(public, kinds, model), purpose_of(public), urgency(said), model_id)


def transcribe_opinion(
    archive: Archive, opinion_id: str, recognizer: Callable[[], Recognizer], clock: Callable[[], datetime]
) -> bool:
    """Turn one waiting opinion into words; True when it went to review. Safe to repeat and to be killed.

    The database is not held while the recognizer works. Raises SpeechError (not permanent) after the opinion
    was put off, RecordsUnavailable when the records are away.
    """
    if not _take(archive, opinion_id, clock()):
        return False
    try:
        words, parts = _recognise(archive, opinion_id, recognizer)
    except Exception as error:
        is_away = isinstance(error, SpeechError | RecordsUnavailable)
        _put_off(archive, opinion_id, clock(), problems.AWAY if is_away else problems.UNREADABLE)
        raise
    return _keep(archive, opinion_id, words, parts, clock())


def _recognise(archive: Archive, opinion_id: str, recognizer: Callable[[], Recognizer]) -> tuple[Words, int]:
    with archive.database.read() as session:
        opinion = session.get_one(Opinion, opinion_id)
        written = typed_words(session, archive, opinion)
        sorting = sorting_of(session, archive, opinion.community_id)
        spoken = gather(session, archive, opinion_id)
    if written is not None:
        return understand(
            Heard(written, (), spoken.language, ENGINE, 1.0, 0.0), sorting=sorting
        ), spoken.parts
    if spoken.sound is None:
        return understand(None, spoken.problem), spoken.parts
    try:
        heard = recognizer().transcribe(spoken.sound, spoken.language, spoken.hints)
        heard = repair(heard, spoken.hints)
    except SpeechError as error:
        if not error.permanent:
            raise
        LOG.error("opinion %s: the recognizer refused its sound", opinion_id)
        return understand(None, problems.UNREADABLE), spoken.parts
    return understand(heard, spoken.problem, sorting), spoken.parts


def _take(archive: Archive, opinion_id: str, now: datetime) -> bool:
    with archive.database.begin() as session:
        opinion = session.get(Opinion, opinion_id, with_for_update=True)
        if opinion is None or opinion.state != "waiting" or not leases.is_due(opinion, now):
            return False
        if opinion.held_by is not None:  # whoever took it last never came back
            opinion.tries, opinion.problem = opinion.tries + 1, problems.UNREADABLE
        if opinion.problem == problems.UNREADABLE and opinion.tries >= _MOST_TRIES:
            _give_up(session, opinion, now)
            return False
        seconds = session.scalar(
            select(func.sum(Recording.seconds))
            .join(OpinionRecording, OpinionRecording.recording_id == Recording.id)
            .where(OpinionRecording.opinion_id == opinion_id)
        )
        leases.hold(opinion, now, _HOLD_SECONDS + 3 * float(seconds or 0.0))
        return True


def _keep(archive: Archive, opinion_id: str, words: Words, parts: int, now: datetime) -> bool:
    """Write version 1 and hand the opinion to review, unless it was changed meanwhile."""
    with archive.database.begin() as session:
        opinion = session.get_one(Opinion, opinion_id, with_for_update=True)
        if opinion.state != "waiting":  # withdrawn, erased, or done by another worker
            return False
        leases.let_go(opinion)
        if len(segments(session, opinion_id)) != parts:  # more was said meanwhile: due again at once
            return False
        if words.heard is not None:
            _write(session, archive, opinion, words.heard, words.redacted, now)
        if not _is_corrected(session, opinion_id):
            said = words.heard.text if words.heard is not None else ""
            index_words(session, archive, opinion.id, opinion.community_id, said)
        if _is_corrected(session, opinion_id):
            words = replace(words, problem=problems.LONGER)
        _to_review(session, opinion, words, now)
        note(session, "opinion", opinion.id, opinion.community_id, "updated", now, state=opinion.state)
        if danger := words.meaning.urgency:
            raise_alert(session, archive, opinion, danger, now)
        return True


def _write(
    session: Session, archive: Archive, opinion: Opinion, heard: Heard, redacted: str, now: datetime
) -> None:
    key_id = session.get_one(Person, opinion.person_id).key_id
    about = transcript_name(opinion.id, MACHINE)
    session.merge(
        Transcript(
            opinion_id=opinion.id,
            version=MACHINE,
            sealed_text=archive.keyring.seal(session, key_id, heard.text.encode(), about),
            sealed_words=_sealed_words(session, archive, key_id, opinion.id, heard),
            redacted=redacted,
            confidence=heard.confidence,
            language=heard.language,
            engine=heard.engine,
            speech_seconds=heard.speech_seconds,
            made_by="speaker" if heard.engine == ENGINE else "machine",
            made_at=now,
        )
    )


def _sealed_words(
    session: Session, archive: Archive, key_id: str, opinion_id: str, heard: Heard
) -> bytes | None:
    """When each word was said; None where the engine doesn't tell."""
    if not heard.words:
        return None
    said = [(one.text, one.start_seconds, one.end_seconds, one.confidence) for one in heard.words]
    content = json.dumps(said, ensure_ascii=False).encode()
    return archive.keyring.seal(session, key_id, content, words_name(opinion_id))


def _is_corrected(session: Session, opinion_id: str) -> bool:
    """Whether a person wrote its words before the last of it came in."""
    newer = exists().where(Transcript.opinion_id == opinion_id, Transcript.version > MACHINE)
    return bool(session.scalar(select(newer)))


def transcript_name(opinion_id: str, version: int) -> str:
    """What a transcript's sealed text is bound to."""
    return f"{opinion_id}/{version}"


def words_name(opinion_id: str) -> str:
    """What the times of the machine's words are bound to."""
    return f"{opinion_id}/{MACHINE}/words"


def _to_review(session: Session, opinion: Opinion, words: Words, now: datetime) -> None:
    opinion.state = "review"
    opinion.version += 1
    opinion.tries = 0
    opinion.needs_listening, opinion.problem = words.needs_listening, words.problem
    _keep_meaning(session, opinion, words.meaning, now)
    opinion.urgency = words.meaning.urgency.label if words.meaning.urgency else None


def _keep_meaning(session: Session, opinion: Opinion, meaning: Meaning, now: datetime) -> None:
    answers = {CATEGORY: meaning.category, PURPOSE: meaning.purpose}
    keep_answers(session, opinion, answers, meaning.model_id, now)


def sort_anew(session: Session, archive: Archive, opinion: Opinion, meaning: Meaning, now: datetime) -> None:
    """What a person wrote in place of the machine's words means something else.

    What a person chose stands. So does a danger that nobody has seen to: these words may be only a part.
    """
    _keep_meaning(session, opinion, meaning, now)
    if danger := meaning.urgency:
        opinion.urgency = danger.label
        if now - opinion.said_at < STILL_IN_DANGER:
            raise_alert(session, archive, opinion, danger, now)
    elif not is_untaken(session, opinion.id):
        opinion.urgency = None


def _give_up(session: Session, opinion: Opinion, now: datetime) -> None:
    """Sound on which workers fail or die again and again is for people: the others must not wait."""
    LOG.error("opinion %s: left to people after %d tries", opinion.id, opinion.tries)
    leases.let_go(opinion)
    _to_review(session, opinion, understand(None, problems.UNREADABLE), now)
    note(session, "opinion", opinion.id, opinion.community_id, "updated", now, state=opinion.state)


def _put_off(archive: Archive, opinion_id: str, now: datetime, problem: str) -> None:
    with archive.database.begin() as session:
        opinion = session.get(Opinion, opinion_id, with_for_update=True)
        if opinion is not None and opinion.state == "waiting":
            leases.put_off(opinion, now, problem)
