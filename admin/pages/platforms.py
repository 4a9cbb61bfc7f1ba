"""Online platforms: their keys and what these may do, and where the platforms are told of changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from admin.pages.access import archive, reader
from admin.pages.doing import actor, attempt, attempt_within, done, now, reach
from admin.roles import for_role
from sync import platforms as records
from sync.desk import ChangedMeanwhile, DeskError, NotThere
from sync.feed import latest as newest_place
from sync.records.tables import Endpoint, Platform
from sync.webhooks import endpoints
from sync.webhooks.log import latest
from sync.webhooks.trying import try_endpoint

MOST_TRIES = 20
_LONGEST_NAME = 60
Answer = str | Response | tuple[str, int]


def add_platforms(desk: Blueprint) -> None:
    """Put the page and its acts on the desk."""
    desk.add_url_rule("/platforms", "platforms", platforms)
    desk.add_url_rule("/platforms/add", "platform_add", add, methods=["POST"])
    desk.add_url_rule("/platforms/<platform_id>/scopes", "platform_scopes", scopes, methods=["POST"])
    desk.add_url_rule("/platforms/<platform_id>/key", "platform_key", rekey, methods=["POST"])
    desk.add_url_rule("/platforms/<platform_id>/end", "platform_end", end, methods=["POST"])
    desk.add_url_rule("/platforms/<platform_id>/webhooks", "webhook_add", add_webhook, methods=["POST"])
    desk.add_url_rule("/webhooks/<endpoint_id>", "webhook", webhook)
    desk.add_url_rule("/webhooks/<endpoint_id>/<act>", "webhook_act", webhook_act, methods=["POST"])


@for_role("platforms.see")
def platforms() -> str:
    """The list, each with its addresses."""
    return _page()


@for_role("platforms.write")
def add() -> Answer:
    """A new platform; the page shows its key, this once."""
    name, days = request.form.get("name", "").strip(), request.form.get("days", type=int)
    made: list[str] = []

    def make(session: Session) -> None:
        if not name or len(name) > _LONGEST_NAME:
            raise DeskError("it needs a name", "platform_name", _LONGEST_NAME)
        ends_at = now() + timedelta(days=min(days, 3660)) if days and days > 0 else None
        asked = [one for one in request.form.getlist("scope") if one in records.SCOPES]
        made.append(records.add_platform(session, actor().community_id, name, asked, ends_at, actor().id)[1])

    problem = attempt_within(make)
    return (_page(typed=name), problem) if problem else _page(secret=made[0], about=name)


@for_role("platforms.write")
def scopes(platform_id: str) -> Answer:
    """What its key may do from now on."""
    asked = [one for one in request.form.getlist("scope") if one in records.SCOPES]

    def change(session: Session) -> None:
        platform = _platform(session, platform_id)
        if " ".join(map(str, platform.scopes)) != request.form.get("before", ""):
            raise ChangedMeanwhile("somebody else has just changed it", "changed_meanwhile")
        records.change_scopes(session, platform, asked, actor().id)

    return _done(attempt_within(change))


@for_role("platforms.write")
def rekey(platform_id: str) -> Answer:
    """A new key, shown this once; the old one is void."""
    made: list[tuple[str, str]] = []

    def exchange(session: Session) -> None:
        platform = _platform(session, platform_id)
        made.append((records.exchange_key(session, platform, actor().id), platform.name))

    problem = attempt_within(exchange)
    return (_page(), problem) if problem else _page(secret=made[0][0], about=made[0][1])


@for_role("platforms.write")
def end(platform_id: str) -> Answer:
    """Its key is void; what it brought stays."""
    return _done(
        attempt_within(
            lambda session: records.end_platform(session, _platform(session, platform_id), now(), actor().id)
        )
    )


@for_role("platforms.write")
def add_webhook(platform_id: str) -> Answer:
    """An address that is told of changes; the page shows its secret, this once."""
    url, made = request.form.get("url", "").strip()[:500], list[str]()

    def make(session: Session) -> None:
        platform = _platform(session, platform_id)
        if endpoints.FEED not in platform.scopes:
            raise DeskError("it may not read the feed", "webhook_scope")
        place = newest_place(session, platform.community_id)
        made.append(
            endpoints.add_endpoint(session, archive(), platform, url, (), place, reach(), actor().id, now())[
                1
            ]
        )

    problem = attempt_within(make)
    return (_page(typed=url), problem) if problem else _page(secret=made[0], about=url)


@for_role("platforms.see")
def webhook(endpoint_id: str) -> Answer:
    """One address: how it is, and what came of the last tries."""
    return _endpoint_page(endpoint_id)


@for_role("platforms.write")
def webhook_act(endpoint_id: str, act: str) -> Answer:
    """`test`, `rotate`, `pause`, `resume` or `remove`."""
    shown: list[str] = []
    problem = attempt(lambda: shown.extend(_ACTS.get(act, _unknown)(endpoint_id)))
    if problem:
        return _endpoint_page(endpoint_id), problem
    if act == "remove":
        done("done_webhook_remove")
        return redirect(url_for("desk.platforms"))
    if act == "rotate":
        return _endpoint_page(endpoint_id, secret=shown[0])
    done(f"done_webhook_{act}")
    return redirect(url_for("desk.webhook", endpoint_id=endpoint_id))


def _test(endpoint_id: str) -> Sequence[str]:
    with archive().database.read() as session:
        found = _endpoint(session, endpoint_id)
    sent = try_endpoint(archive(), found, reach(), now())
    if not sent.is_taken:
        raise DeskError("it was not taken", "webhook_not_taken")
    return ()


def _rotate(endpoint_id: str) -> Sequence[str]:
    with archive().database.begin() as session:
        found = _endpoint(session, endpoint_id)
        return [endpoints.exchange_secret(session, archive(), found, actor().id, now())]


def _pause(endpoint_id: str) -> Sequence[str]:
    with archive().database.begin() as session:
        endpoints.pause(session, _endpoint(session, endpoint_id), actor().id, now())
    return ()


def _resume(endpoint_id: str) -> Sequence[str]:
    with archive().database.begin() as session:
        endpoints.resume(session, _endpoint(session, endpoint_id), actor().id, now())
    return ()


def _remove(endpoint_id: str) -> Sequence[str]:
    with archive().database.begin() as session:
        endpoints.remove(session, archive(), _endpoint(session, endpoint_id), actor().id)
    return ()


def _unknown(endpoint_id: str) -> Sequence[str]:
    raise NotThere("there is no such act", "not_there")


_ACTS: dict[str, Callable[[str], Sequence[str]]] = {
    "test": _test, "rotate": _rotate, "pause": _pause, "resume": _resume, "remove": _remove,
}  # fmt: skip


def _platform(session: Session, platform_id: str) -> Platform:
    found = session.get(Platform, platform_id, with_for_update=True)
    if found is None or found.community_id != actor().community_id:
        raise NotThere("there is no such platform", "not_there")
    return found


def _endpoint(session: Session, endpoint_id: str) -> Endpoint:
    found = session.get(Endpoint, endpoint_id)
    if found is None or found.community_id != actor().community_id:
        raise NotThere("there is no such address", "not_there")
    return found


def _done(problem: int | None) -> Answer:
    if problem:
        return _page(), problem
    done("done_platform")
    return redirect(url_for("desk.platforms"))


def _page(secret: str = "", about: str = "", typed: str = "") -> str:
    community_id = reader().community_id
    mine = select(Platform).where(Platform.community_id == community_id)
    addresses = select(Endpoint).where(Endpoint.community_id == community_id)
    with archive().database.read() as session:
        found = session.scalars(mine.order_by(Platform.created_at, Platform.id)).all()
        told = session.scalars(addresses.order_by(Endpoint.created_at, Endpoint.id)).all()
    return render_template(
        "desk/platforms.html", platforms=found, endpoints=told, scopes=records.SCOPES, secret=secret,
        about=about, typed=typed, now=now(), feed=endpoints.FEED,
    )  # fmt: skip


def _endpoint_page(endpoint_id: str, secret: str = "") -> str:
    def read() -> None:
        with archive().database.read() as session:
            endpoint = _endpoint(session, endpoint_id)
            found.extend([endpoint, latest(session, endpoint_id, MOST_TRIES)])

    found: list[object] = []
    attempt(read)
    return render_template("desk/webhook.html", endpoint=found[0], tries=found[1], secret=secret)
