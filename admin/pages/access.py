"""Signing in and out: who is at the desk, in which language, and what their role lets them do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from flask import Blueprint, Flask, current_app, redirect, render_template, request, session, url_for
from flask_login import LoginManager, current_user, login_user, logout_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField
from wtforms.validators import DataRequired, Length

from admin.pages.look import switch_look, way_back
from admin.pages.words import LANGUAGES
from admin.roles import for_role, may
from admin.staff import check_password, find_marked, is_throttled, marker, note_failure
from sync.archive import Archive
from sync.records.tables import Audit, Staff


@dataclass(frozen=True)
class Reader:
    """The signed-in person as flask-login wants to know them."""

    staff_id: str
    community_id: str
    name: str
    role: str
    mark: str
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    @classmethod
    def of(cls, staff: Staff) -> Reader:
        """The reader for a row of the staff list."""
        return cls(staff.id, staff.community_id, staff.name, staff.role, marker(staff))

    def get_id(self) -> str:
        """What the signed cookie remembers."""
        return self.mark

    def may(self, act: str) -> bool:
        """Whether the role lets them do this (`admin.roles.ACTS`)."""
        return may(self.role, act)


class SignInForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A name and a password."""

    name = StringField(validators=[DataRequired(), Length(max=80)])
    password = PasswordField(validators=[DataRequired(), Length(max=200)])


def archive() -> Archive:
    """The archive this app was made with."""
    return cast(Archive, current_app.extensions["tingjian_archive"])


def reader() -> Reader:
    """Who is signed in; only for views that need a sign-in."""
    return cast(Reader, current_user._get_current_object())


def language() -> str:
    """The language of the page: what was chosen, else Chinese."""
    chosen = session.get("language")
    return chosen if chosen in LANGUAGES else LANGUAGES[0]


def is_staff() -> bool:
    """Whether this request comes from somebody signed in."""
    return bool(current_user.is_authenticated)


def guard(app: Flask, opened: Archive) -> None:
    """Teach the app who is signed in."""
    app.extensions["tingjian_archive"] = opened
    manager = LoginManager(app)
    manager.session_protection = "basic"

    @manager.user_loader  # type: ignore[untyped-decorator]
    def load(mark: str) -> Reader | None:
        with opened.database.read() as records:
            staff = find_marked(records, mark)
            return Reader.of(staff) if staff else None


def add_doors(desk: Blueprint) -> None:
    """Put sign-in, sign-out and the language switch on the desk."""
    desk.add_url_rule("/sign-in", "sign_in", sign_in, methods=["GET", "POST"])
    desk.add_url_rule("/sign-out", "sign_out", sign_out, methods=["POST"])
    desk.add_url_rule("/language", "switch_language", switch_language, methods=["POST"])
    desk.add_url_rule("/look", "switch_look", switch_look, methods=["POST"])


def sign_in() -> str | Response | tuple[str, int]:
    """The sign-in page. Too many failures close it for a quarter of an hour, by name and by address."""
    if is_staff():
        return redirect(url_for("desk.opinions"))
    form = SignInForm()
    if not form.validate_on_submit():
        return render_template("desk/sign_in.html", form=form, problem=None)
    staff, problem = _try(form.name.data, form.password.data, request.remote_addr or "")
    if staff is None:
        return render_template(
            "desk/sign_in.html", form=form, problem=problem
        ), 429 if problem == "throttled" else 401
    chosen = session.get("language")
    session.clear()  # a fresh session: nothing planted before the sign-in survives it
    session.permanent = True
    session["language"] = chosen or staff.language
    login_user(Reader.of(staff))
    return redirect(url_for("desk.opinions"))


@for_role("own.session")
def sign_out() -> Response:
    """End the session."""
    logout_user()
    session.clear()
    return redirect(url_for("desk.sign_in"))


def switch_language() -> Response:
    """Show the desk in the other language and go back to where the reader was."""
    if request.form.get("language") in LANGUAGES:
        session["language"] = request.form["language"]
    return redirect(way_back())


def _try(name: str, password: str, address: str) -> tuple[Staff | None, str | None]:
    ours = archive()
    secret, now = ours.keyring.secret("sign-in"), datetime.now(UTC)
    with ours.database.read() as records:
        if is_throttled(records, secret, name, address, now):
            return None, "throttled"
        staff = check_password(records, name, password)
    with ours.database.begin() as records:
        if staff is None:
            note_failure(records, secret, name, address, now)
            return None, "wrong"
        records.add(
            Audit(
                community_id=staff.community_id, at=now, actor=staff.id, act="signed_in",
                subject=staff.id, reason=None, details={},
            )
        )  # fmt: skip
    return staff, None
