"""Forgetting: an opinion taken back, a person erased by the destruction of their key."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from sync.accounts import forget_accounts
from sync.archive import Archive
from sync.changes import note
from sync.community_settings import audit
from sync.errors import RecordsError
from sync.links import earlier_names, forget_links, links_of
from sync.matters import leave
from sync.placing.acts import erase_placed
from sync.records.tables import (
    Alert,
    Assignment,
    Call,
    CallTurn,
    Capture,
    Consent,
    Lesson,
    Number,
    Opinion,
    OpinionRecording,
    Person,
    Reaction,
    Recording,
    Reply,
    Request,
    Resident,
    SpokenReply,
    Topic,
    Transcript,
)
from sync.recount import recount
from sync.searching import forget_words
from sync.sorting import forget_understanding
from sync.unsaid import forget_replies_told, unsay
from sync.voiding import void_with


def withdraw_opinion(archive: Archive, opinion_id: str, actor: str, reason: str | None = None) -> None:
    """Take an opinion back: its words and sound are deleted, a tombstone tells the platforms."""
    now = datetime.now(UTC)
    with archive.database.begin() as session:
        opinion = session.get(Opinion, opinion_id, with_for_update=True)
        if opinion is None:
            raise RecordsError("no such opinion")
        if opinion.state not in {"withdrawn", "erased"}:
            blank_opinion(session, opinion, "withdrawn", now)
            note(session, "opinion", opinion.id, opinion.community_id, "deleted", now)
            audit(session, opinion.community_id, actor, "opinion_withdrawn", opinion.id, reason)
    _empty_disk(archive)


def erase_person(archive: Archive, person_id: str, actor: str, reason: str | None = None) -> None:
    """Erase a person: their key is destroyed, and with the last person of a number the number.

    Ballots on closed topics stay as anonymous counts; those on open ones are struck, and reactions too.
    Their accounts, links and codes are forgotten; whoever they were linked to counts alone again, but who
    was only an earlier name of theirs goes with them: nobody could ask for that any more.
    """
    while not _erase_unlinked(archive, person_id, actor, reason):
        for earlier_id in _unlink(archive, person_id, actor):
            erase_person(archive, earlier_id, actor, reason)
    _empty_disk(archive)


def blank_opinion(session: Session, opinion: Opinion, state: str, now: datetime) -> None:
    """Delete an opinion's words, the letter and the replies too, and mark its sound for deletion.

    Whoever holds copies, calls and clips, is told to forget them. The row stays as a tombstone.
    """
    opinion.state = state
    opinion.held_by = opinion.next_try_at = opinion.problem = None
    blank = update(Transcript).where(Transcript.opinion_id == opinion.id)
    session.execute(blank.values(sealed_text=None, sealed_words=None, redacted=None))
    session.execute(update(Reply).where(Reply.opinion_id == opinion.id).values(spoken=""))
    written = select(Capture).where(Capture.subject_id == opinion.id, Capture.kind == "opinion")
    for capture in session.scalars(written):
        if "sealed_text" in capture.payload:
            capture.payload = {name: said for name, said in capture.payload.items() if name != "sealed_text"}
    segments = select(OpinionRecording.recording_id).where(OpinionRecording.opinion_id == opinion.id)
    _mark_sound(session, Recording.id.in_(segments))
    _forget_review(session, opinion.id)
    forget_understanding(session, opinion, now)
    forget_replies_told(session, opinion)
    leave(session, opinion, now)
    void_with(session, [opinion.id], now)
    unsay(session, opinion.community_id, now)


def delete_erased_sound(archive: Archive) -> int:
    """Delete the files of recordings marked as erased; how many. Safe to repeat after a crash."""
    gone = and_(Recording.state == "erased", Recording.file.is_not(None))
    with archive.database.read() as session:
        files = dict(session.execute(select(Recording.id, Recording.file).where(gone)).all())
    for name in files.values():
        archive.recordings.delete(name or "")
    if files:
        with archive.database.begin() as session:
            session.execute(update(Recording).where(Recording.id.in_(files), gone).values(file=None))
    return len(files)


def _forget_review(session: Session, opinion_id: str) -> None:
    """What reviewing left behind: words to search by, what they taught, alerts, replies only spoken."""
    forget_words(session, opinion_id)
    session.execute(delete(Lesson).where(Lesson.opinion_id == opinion_id))
    session.execute(delete(Assignment).where(Assignment.opinion_id == opinion_id))
    session.execute(delete(Alert).where(Alert.opinion_id == opinion_id))
    spoken = SpokenReply.opinion_id == opinion_id
    _mark_sound(session, Recording.id.in_(select(SpokenReply.recording_id).where(spoken)))
    session.execute(update(SpokenReply).where(spoken).values(state="dropped", sealed_text=None))


def _erase_unlinked(archive: Archive, person_id: str, actor: str, reason: str | None) -> bool:
    """Erase somebody; False, with nothing done, where they are linked to others."""
    now = datetime.now(UTC)
    with archive.database.begin() as session:
        forget_accounts(session, person_id)  # first: who writes by an account holds it before its person
        person = session.get(Person, person_id, with_for_update=True)
        if person is None:
            raise RecordsError("no such person")
        if person.erased_at is not None:
            return True
        if links_of(session, person_id):
            return False
        forget_links(session, archive, person_id, actor, now)
        _erase(session, archive, person, now)
        audit(session, person.community_id, actor, "person_erased", person.id, reason)
    return True


def _unlink(archive: Archive, person_id: str, actor: str) -> list[str]:
    """Undo somebody's links before anything of theirs is held; the people no account leads to any more.

    In a transaction of its own: it waits until nothing is settled, and settling waits for what erasing holds.
    """
    now = datetime.now(UTC)
    with archive.database.begin() as session:
        earlier = earlier_names(session, person_id)
        forget_links(session, archive, person_id, actor, now)
    return earlier


def _empty_disk(archive: Archive) -> None:
    """What the transaction has emptied leaves the disk now, as far as nobody reads it at this moment."""
    delete_erased_sound(archive)
    archive.database.empty_log()


def _erase(session: Session, archive: Archive, person: Person, now: datetime) -> None:
    for opinion in session.scalars(select(Opinion).where(Opinion.person_id == person.id).with_for_update()):
        if opinion.state != "erased":
            blank_opinion(session, opinion, "erased", now)
            note(session, "opinion", opinion.id, opinion.community_id, "deleted", now)
    _mark_sound(session, Recording.person_id == person.id)
    _strike(session, archive, person, now)
    _forget_calls(session, person.id)
    withdrawn = update(Consent).where(Consent.person_id == person.id, Consent.withdrawn_at.is_(None))
    session.execute(withdrawn.values(withdrawn_at=now))
    session.execute(update(Request).where(Request.person_id == person.id).values(reason=""))
    erase_placed(session, person.id, now)
    archive.keyring.destroy(session, person.key_id)
    number_id, person.number_id, person.erased_at = person.number_id, None, now
    session.flush()
    if number_id is not None:
        _forget_number(session, archive, number_id)


def _strike(session: Session, archive: Archive, person: Person, now: datetime) -> None:
    """Take back what still counts in open matters, and let what stood before in the same home stand again."""
    open_topics = _open_topics(session, person, now)
    unsettled = or_(Capture.topic_id.in_(open_topics), Capture.kind != "ballot", Capture.state == "pending")
    session.execute(
        update(Capture)
        .where(Capture.person_id == person.id, unsettled)
        .values(state="refused", problem="erased", payload={})
    )
    for topic_id in open_topics:
        recount(session, archive, topic_id, now)
    reactions = session.scalars(select(Reaction).where(Reaction.person_id == person.id)).all()
    for reaction in reactions:
        about = reaction.opinion_id
        note(session, "reaction", reaction.id, reaction.community_id, "deleted", now, opinion_id=about)
        session.delete(reaction)
    session.flush()


def _open_topics(session: Session, person: Person, now: datetime) -> list[str]:
    """The topics this person voted on whose count is not final yet."""
    voted = select(Capture.topic_id).where(Capture.person_id == person.id, Capture.kind == "ballot")
    is_open = and_(
        Topic.state.in_(["draft", "open", "paused"]), or_(Topic.closes_at.is_(None), Topic.closes_at > now)
    )
    return list(session.scalars(select(Topic.id).where(Topic.id.in_(voted), is_open).order_by(Topic.id)))


def _mark_sound(session: Session, which: ColumnElement[bool]) -> None:
    erased = update(Recording).where(which, Recording.state != "erased")
    session.execute(erased.values(state="erased", held_by=None, next_try_at=None))


def _forget_calls(session: Session, person_id: str) -> None:
    """Calls hold what was read to the caller: replies, receipts."""
    calls = select(Call.id).where(Call.person_id == person_id)
    session.execute(delete(CallTurn).where(CallTurn.call_id.in_(calls)))
    session.execute(update(Call).where(Call.person_id == person_id).values(view={}, place={}, number_id=None))


def _forget_number(session: Session, archive: Archive, number_id: str) -> None:
    if session.scalar(select(Person.id).where(Person.number_id == number_id).limit(1)) is not None:
        return
    number = session.get_one(Number, number_id)
    archive.keyring.destroy(session, number.key_id)
    number.digest = number.sealed = None
    session.execute(update(Resident).where(Resident.number_id == number_id).values(number_id=None))
