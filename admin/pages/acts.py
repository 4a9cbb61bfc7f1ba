"""What staff do to an opinion: each act has its address; nobody overwrites another unseen; much is undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

from flask import Blueprint, abort, flash, redirect, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from admin.pages.access import archive, language, reader
from admin.pages.opinions import show
from admin.pages.words import word
from admin.roles import for_role
from sync import assigning, joining
from sync import desk as records_desk
from sync.archive import Archive
from sync.desk import Actor, ChangedMeanwhile, DeskError, NotThere
from sync.errors import KeyDestroyed
from sync.queue import WorkQueue
from sync.records.tables import Opinion, Person, Reply, Transcript
from sync.words import transcript_name

Shown = Response | tuple[str, int]


def add_acts(desk: Blueprint, queue: WorkQueue) -> None:
    """Put the acts on the desk. What becomes heard by callers wakes the prompts worker."""
    for name, do in _ACTS.items():
        desk.add_url_rule(
            f"/opinions/<opinion_id>/{name}", f"act_{name}", _view(name, do, queue), methods=["POST"]
        )


def _view(name: str, do: _Act, queue: WorkQueue) -> Callable[[str], Shown]:
    @for_role("voices.reply" if name == "reply" else "voices.review")
    def act(opinion_id: str) -> Shown:
        who = reader()
        try:
            do(archive(), Actor(who.staff_id, who.community_id), opinion_id, datetime.now(UTC))
        except NotThere:
            abort(404)
        except DeskError as error:
            return refused(error, opinion_id, {name: request.form.get("text", "").strip()})
        queue.put("render", community_id=who.community_id)
        flash(word(f"done_{name}", language()), "done")
        return redirect(url_for("desk.opinion", opinion_id=opinion_id))

    return act


def refused(error: DeskError, opinion_id: str, typed: dict[str, str]) -> tuple[str, int]:
    """The page once more with what was wrong, and what was written in vain beside what stands there now."""
    is_late = isinstance(error, ChangedMeanwhile)
    flash(word(f"refused_{error.code}", language(), longest=error.longest), "problem")
    return show(opinion_id, typed, is_late=is_late), 409 if is_late else 422


def version() -> int | None:
    """The version of the opinion that the form was made from."""
    return request.form.get("version", type=int)


def text() -> str:
    """What was written."""
    return request.form.get("text", "").strip()


def _approve(ours: Archive, actor: Actor, one: str, now: datetime) -> None:
    records_desk.approve(ours, actor, one, now, version())


def _reject(ours: Archive, actor: Actor, one: str, now: datetime) -> None:
    records_desk.reject(ours, actor, one, text(), now, version())


def _put_back(ours: Archive, actor: Actor, one: str, now: datetime) -> None:
    records_desk.put_back(ours, actor, one, now, version())


def _correct(ours: Archive, actor: Actor, one: str, now: datetime) -> None:
    records_desk.correct(ours, actor, one, text(), now, version())


def _restore(ours: Archive, actor: Actor, one: str, now: datetime) -> None:
    """The words of an earlier version once more, as a new version."""
    words = _words_of(ours, actor, one, request.form.get("number", type=int) or 0)
    records_desk.correct(ours, actor, one, words, now, version())


def _classify(ours: Archive, actor: Actor, one: str, now: datetime) -> None:
    records_desk.classify(ours, actor, one, text(), now, version())


def _mean(ours: Archive, actor: Actor, one: str, now: datetime) -> None:
    records_desk.mean(ours, actor, one, text(), now, version())


def _retopic(ours: Archive, actor: Actor, one: str, now: datetime) -> None:
    records_desk.retopic(ours, actor, one, text() or None, now, version())


def _assign(ours: Archive, actor: Actor, one: str, now: datetime) -> None:
    try:
        until = date.fromisoformat(request.form.get("until", ""))
    except ValueError as error:
        raise DeskError("that is no day", "no_day") from error
    assigning.assign(ours, actor, one, request.form.get("staff", ""), until, now, version())


def _unassign(ours: Archive, actor: Actor, one: str, now: datetime) -> None:
    assigning.unassign(ours, actor, one, now, version())


def _reply(ours: Archive, actor: Actor, one: str, now: datetime) -> None:
    if not is_repeated(ours, one, text()):
        records_desk.reply(ours, actor, one, text(), now, request.form.get("is_private") == "yes")


def _join(ours: Archive, actor: Actor, one: str, now: datetime) -> None:
    with ours.database.begin() as session:
        joining.join(session, actor, one, text(), now)


def _part(ours: Archive, actor: Actor, one: str, now: datetime) -> None:
    with ours.database.begin() as session:
        joining.part(session, actor, text() or one, now)


_Act = Callable[[Archive, Actor, str, datetime], None]
_ACTS: Mapping[str, _Act] = {
    "approve": _approve,
    "reject": _reject,
    "put_back": _put_back,
    "correct": _correct,
    "restore": _restore,
    "classify": _classify,
    "mean": _mean,
    "retopic": _retopic,
    "assign": _assign,
    "unassign": _unassign,
    "reply": _reply,
    "join": _join,
    "part": _part,
}


def is_repeated(ours: Archive, opinion_id: str, spoken: str) -> bool:
    """Whether the newest reply says just this: the form was sent twice."""
    with ours.database.read() as session:
        newest = (
            select(Reply.spoken).where(Reply.opinion_id == opinion_id).order_by(Reply.published_at.desc())
        )
        return session.scalar(newest.limit(1)) == spoken


def _words_of(ours: Archive, actor: Actor, opinion_id: str, number: int) -> str:
    with ours.database.read() as session:
        opinion, row = session.get(Opinion, opinion_id), session.get(Transcript, (opinion_id, number))
        if opinion is None or opinion.community_id != actor.community_id or row is None:
            raise NotThere("there is no such version", "not_there")
        key_id = session.get_one(Person, opinion.person_id).key_id
        if row.sealed_text is None:
            raise DeskError("its words are no longer kept", "taken_back")
        try:
            about = transcript_name(opinion_id, number)
            return ours.keyring.unseal(session, key_id, row.sealed_text, about).decode()
        except KeyDestroyed as error:
            raise DeskError("its words are no longer kept", "taken_back") from error
