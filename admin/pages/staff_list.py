"""The staff list: who is on it, somebody added, another role, disabled, a new password."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from admin import staff_acts
from admin.pages.access import archive, reader
from admin.pages.doing import actor, attempt, attempt_within, done, now
from admin.roles import ROLES, for_role
from admin.staff import SHORTEST_PASSWORD, change_password, check_password
from sync.community_settings import audit
from sync.desk import DeskError
from sync.records.tables import Staff

Answer = str | Response | tuple[str, int]


def add_staff_list(desk: Blueprint) -> None:
    """Put the page and its acts on the desk."""
    desk.add_url_rule("/staff", "staff", staff)
    desk.add_url_rule("/staff/add", "staff_add", add, methods=["POST"])
    desk.add_url_rule("/staff/<staff_id>/role", "staff_role", role, methods=["POST"])
    desk.add_url_rule("/staff/<staff_id>/disable", "staff_disable", disable, methods=["POST"])
    desk.add_url_rule("/staff/<staff_id>/enable", "staff_enable", enable, methods=["POST"])
    desk.add_url_rule("/staff/<staff_id>/reset", "staff_reset", reset, methods=["POST"])
    desk.add_url_rule("/password", "password", own_password, methods=["GET", "POST"])


@for_role("staff.see")
def staff() -> str:
    """The list."""
    return _page()


@for_role("staff.write")
def add() -> Answer:
    """Somebody new; the page shows their first password, this once."""
    made: list[tuple[Staff, str]] = []
    name, chosen = request.form.get("name", ""), request.form.get("role", "")
    problem = attempt_within(lambda session: made.append(staff_acts.hire(session, actor(), name, chosen)))
    return (_page(typed=name), problem) if problem else _page(secret=made[0][1], about=made[0][0].name)


@for_role("staff.write")
def role(staff_id: str) -> Answer:
    """Another role."""
    chosen, before = request.form.get("role", ""), request.form.get("before", "")
    return _done(
        attempt_within(lambda session: staff_acts.change_role(session, actor(), staff_id, chosen, before))
    )


@for_role("staff.write")
def disable(staff_id: str) -> Answer:
    """Let in no more."""
    return _done(attempt_within(lambda session: staff_acts.disable(session, actor(), staff_id, now())))


@for_role("staff.write")
def enable(staff_id: str) -> Answer:
    """Let in again."""
    return _done(attempt_within(lambda session: staff_acts.enable(session, actor(), staff_id)))


@for_role("staff.write")
def reset(staff_id: str) -> Answer:
    """A new password, shown this once."""
    made: list[str] = []
    problem = attempt_within(lambda session: made.append(staff_acts.reset(session, actor(), staff_id)))
    return (_page(), problem) if problem else _page(secret=made[0], about=_name(staff_id))


@for_role("own.session")
def own_password() -> Answer:
    """One's own password, with the one it replaces."""
    if request.method == "GET":
        return render_template("desk/password.html", shortest=SHORTEST_PASSWORD)

    def change() -> None:
        with archive().database.begin() as session:
            mine = check_password(session, reader().name, request.form.get("old", ""))
            if mine is None or mine.id != reader().staff_id:
                raise DeskError("that is not the password", "password_wrong")
            change_password(mine, request.form.get("new", ""))
            audit(session, mine.community_id, mine.id, "staff.password_changed", mine.id)

    if problem := attempt(change):
        return render_template("desk/password.html", shortest=SHORTEST_PASSWORD), problem
    done("done_password")
    return redirect(url_for("desk.sign_in"))  # every session of the old password is over, this one too


def _done(problem: int | None) -> Answer:
    if problem:
        return _page(), problem
    done("done_staff")
    return redirect(url_for("desk.staff"))


def _page(secret: str = "", about: str = "", typed: str = "") -> str:
    with archive().database.read() as session:
        everybody = staff_acts.everybody(session, reader().community_id)
    return render_template(
        "desk/staff.html", everybody=everybody, roles=ROLES, secret=secret, about=about, typed=typed,
        me=reader().staff_id,
    )  # fmt: skip


def _name(staff_id: str) -> str:
    with archive().database.read() as session:
        return session.get_one(Staff, staff_id).name
