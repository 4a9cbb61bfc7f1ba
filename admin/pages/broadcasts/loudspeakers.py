"""The loudspeakers: where each hangs, whether it is there, what it played; added, changed, put away."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin.pages.access import archive, language, reader
from admin.pages.broadcasts.acting import Shown, act, typed, whole
from admin.pages.broadcasts.forms import split
from admin.pages.broadcasts.speaker_addresses import FIELDS, WITH_SECRET, read_address
from admin.pages.words import word
from admin.roles import for_role
from sync import broadcasting
from sync.desk import Actor
from sync.records.tables import Airing, Loudspeaker, Play, Programme

LOG = 50
USUAL_VOLUME = 60


def add_loudspeakers(desk: Blueprint) -> None:
    """Put the pages and their forms on the desk."""
    desk.add_url_rule("/broadcasts/loudspeakers", "loudspeakers", loudspeakers)
    desk.add_url_rule("/broadcasts/loudspeakers", "loudspeaker_add", loudspeaker_add, methods=["POST"])
    desk.add_url_rule("/broadcasts/loudspeakers/pin", "broadcast_pin", broadcast_pin, methods=["POST"])
    desk.add_url_rule("/broadcasts/loudspeakers/<loudspeaker_id>", "loudspeaker", loudspeaker)
    for view, name in (
        (loudspeaker_change, "change"),
        (loudspeaker_state, "state"),
        (loudspeaker_secret, "secret"),
    ):
        desk.add_url_rule(
            f"/broadcasts/loudspeakers/<loudspeaker_id>/{name}", view.__name__, view, methods=["POST"]
        )


@for_role("broadcasts.see")
def loudspeakers() -> str:
    """All of them, by area and name."""
    return _list()


@for_role("loudspeakers.write")
def loudspeaker_add() -> Shown:
    """A new one. Its secret is shown on the page that follows, and never again."""
    kind = typed("kind", 20)
    made = ("", "")

    def work(session: Session, who: Actor, now: datetime) -> None:
        nonlocal made
        made = broadcasting.add_loudspeaker(
            session,
            archive(),
            who,
            typed("name", 80),
            kind,
            now,
            address=read_address(kind, typed),
            place=typed("place", 200),
            area=typed("area", 40),
            groups=split(typed("groups", 200)),
            volume=_volume(),
            secret=typed("secret", 100),
        )

    return act(work, lambda: _one(made[0], secret=made[1]), _list)


@for_role("broadcasts.see")
def loudspeaker(loudspeaker_id: str) -> str:
    """One loudspeaker and its log."""
    return _one(loudspeaker_id)


@for_role("loudspeakers.write")
def loudspeaker_change(loudspeaker_id: str) -> Shown:
    """Another place, area, volume or address."""

    def work(session: Session, who: Actor, now: datetime) -> None:
        row = session.get(Loudspeaker, loudspeaker_id)
        broadcasting.change_loudspeaker(
            session,
            who,
            loudspeaker_id,
            place=typed("place", 200),
            area=typed("area", 40),
            groups=split(typed("groups", 200)),
            volume=_volume(),
            address=read_address(row.kind, typed, row.address) if row else {},
        )

    return act(work, lambda: _there(loudspeaker_id), lambda: _one(loudspeaker_id), "loudspeaker_done_change")


@for_role("loudspeakers.write")
def loudspeaker_state(loudspeaker_id: str) -> Shown:
    """Leave it out for now, take it in again, put it away."""

    def work(session: Session, who: Actor, now: datetime) -> None:
        broadcasting.set_loudspeaker_state(session, who, loudspeaker_id, typed("state", 10))

    return act(work, lambda: _there(loudspeaker_id), lambda: _one(loudspeaker_id), "loudspeaker_done_change")


@for_role("loudspeakers.write")
def loudspeaker_secret(loudspeaker_id: str) -> Shown:
    """Another secret, shown this once."""
    shown = ""

    def work(session: Session, who: Actor, now: datetime) -> None:
        nonlocal shown
        shown = broadcasting.change_secret(session, archive(), who, loudspeaker_id, typed("secret", 100))

    return act(work, lambda: _one(loudspeaker_id, secret=shown), lambda: _one(loudspeaker_id))


@for_role("loudspeakers.write")
def broadcast_pin() -> Shown:
    """The PIN that stands for a second person in an emergency."""

    def work(session: Session, who: Actor, now: datetime) -> None:
        broadcasting.set_pin(session, who, typed("pin", 20))

    def done() -> Shown:
        flash(word("loudspeaker_done_pin", language()), "done")
        return redirect(url_for("desk.loudspeakers"))

    return act(work, done, _list)


def _volume() -> int:
    found = whole("volume")
    return USUAL_VOLUME if found is None else found


def _there(loudspeaker_id: str) -> Shown:
    return redirect(url_for("desk.loudspeaker", loudspeaker_id=loudspeaker_id))


def _list() -> str:
    """The list, and a form for a new one of the kind that `?kind=` or the sent form names."""
    kind = request.values.get("kind", "")
    kind = kind if kind in FIELDS else next(iter(FIELDS))
    with archive().database.read() as session:
        rows = broadcasting.loudspeakers_of(session, reader().community_id)
    return render_template(
        "desk/broadcasts/loudspeakers.html",
        rows=rows,
        kinds=FIELDS.keys(),
        kind=kind,
        fields=FIELDS[kind],
        has_secret=kind in WITH_SECRET,
        given=request.form,
        volume=USUAL_VOLUME,
    )


def _one(loudspeaker_id: str, secret: str = "") -> str:
    """The page of one; `secret` is shown on it this once."""
    with archive().database.read() as session:
        row = session.get(Loudspeaker, loudspeaker_id)
        if row is None or row.community_id != reader().community_id:
            abort(404)
        played = session.execute(
            select(Play, Airing.programme_id, Programme.title)
            .join(Airing, Airing.id == Play.airing_id)
            .join(Programme, Programme.id == Airing.programme_id, isouter=True)
            .where(Play.loudspeaker_id == row.id)
            .order_by(Play.due_at.desc(), Play.id)
            .limit(LOG)
        ).all()
    return render_template(
        "desk/broadcasts/loudspeaker.html",
        one=row,
        played=played,
        fields=FIELDS.get(row.kind, ()),
        address={f"address_{name}": value for name, value in row.address.items()},
        secret=secret if row.kind in WITH_SECRET else "",
        has_secret=row.kind in WITH_SECRET,
        log=LOG,
    )
