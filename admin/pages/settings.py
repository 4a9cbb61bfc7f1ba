"""What a community can set: each with what it means, checked, audited, never over somebody else's change."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from admin.communities import SETTINGS, typed_setting
from admin.pages.access import archive, reader
from admin.pages.doing import actor, attempt_within, done, now
from admin.roles import for_role
from sync.community_settings import change_setting, setting
from sync.desk import ChangedMeanwhile, DeskError
from sync.errors import RecordsError
from sync.queue import WorkQueue
from sync.records.tables import Community, Setting
from sync.sorting import go_back, models

Answer = str | Response | tuple[str, int]
_HEARD = frozenset({"voice", "keep_months", "notice_version"})  # what is rendered otherwise from now on


def add_settings(desk: Blueprint, queue: WorkQueue) -> None:
    """Put the page and its one act on the desk."""

    @for_role("settings.write")
    def change(name: str) -> Answer:
        """One setting, as typed."""
        if name not in SETTINGS:
            abort(404)
        typed, before = request.form.get("value", "")[:2000], request.form.get("before", "")
        problem = attempt_within(lambda session: _change(session, name, typed, before))
        if problem:
            return _page({name: typed}), problem
        if name in _HEARD:
            queue.put("render", community_id=reader().community_id)
        done("done_setting")
        return redirect(url_for("desk.settings", _anchor=name))

    @for_role("settings.write")
    def learnt_back() -> Answer:
        """An earlier model, or the word lists alone, from the next opinion on."""
        asked = request.form.get("model", "")[:40]
        problem = attempt_within(lambda session: go_back(session, actor(), asked, now()))
        if problem:
            return _page({}), problem
        done("done_learnt_back")
        return redirect(url_for("desk.settings", _anchor="learnt"))

    desk.add_url_rule("/settings", "settings", settings)
    desk.add_url_rule("/settings/learnt/back", "learnt_back", learnt_back, methods=["POST"])
    desk.add_url_rule("/settings/<name>", "setting_change", change, methods=["POST"])


@for_role("settings.see")
def settings() -> str:
    """All settings."""
    return _page({})


def as_typed(value: Any) -> str:
    """A kept value as somebody would type it."""
    match value:
        case None:
            return ""
        case bool():
            return "on" if value else "off"
        case dict():
            return "，".join(f"{name}={one}" for name, one in value.items())
        case list():
            return "，".join("-".join(map(str, one)) if isinstance(one, list) else str(one) for one in value)
    return str(value)


def _change(session: Session, name: str, typed: str, before: str) -> None:
    who = actor()
    session.get_one(Community, who.community_id, with_for_update=True)  # one change of settings at a time
    if as_typed(setting(session, who.community_id, name)) != before:
        raise ChangedMeanwhile("somebody else has just changed it", "changed_meanwhile")
    try:
        value = typed_setting(name, typed.strip())
    except (ValueError, RecordsError) as error:
        raise DeskError(str(error), "setting_value") from error
    change_setting(session, who.community_id, name, value, who.id)


def _page(typed: dict[str, str]) -> str:
    community_id = reader().community_id
    with archive().database.read() as session:
        community = session.get_one(Community, community_id)
        kept = {name: as_typed(setting(session, community_id, name)) for name in SETTINGS}
        changed = {name: session.get(Setting, (community_id, name)) for name in SETTINGS}
        learnt = models(session, community_id, most=10)
    return render_template(
        "desk/settings.html", community=community, settings=SETTINGS, kept=kept, typed=typed, changed=changed,
        learnt=learnt,
    )  # fmt: skip
