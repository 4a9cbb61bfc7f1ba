"""The Flask app that joins the parts: phone webhooks, media, phone page, platforms' API, staff desk."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

from flask import Flask, redirect, url_for
from flask_wtf import CSRFProtect
from sqlalchemy import select
from werkzeug.wrappers import Response

from admin.doors import guard_doors
from admin.pages.access import guard, is_staff
from admin.pages.desk import create_desk
from admin.parts import EXCHANGE_ACCOUNT, exchange_token, open_archive, open_clips
from admin.secure import log_requests, secure
from admin.settings import Settings
from ivr.web.blueprint import create_blueprint
from ivr.web.phone import create_phone_page
from ivr.web.signature import PhoneLine
from sync.api import create_api
from sync.archive import Archive
from sync.queue import WorkQueue
from sync.records.tables import Community
from sync.waking import Waker

_SESSION = timedelta(hours=8)  # a working day
_SIGNED_BY_CALLER = ("calls", "api")  # these ask for a signature or a key themselves, and know no cookie


def create_app(settings: Settings, archive: Archive | None = None) -> Flask:
    """The web process's app. `archive` may be handed in; otherwise it is opened from the settings."""
    opened = archive or open_archive(settings)
    queue = WorkQueue(settings.redis_url)
    app = Flask("admin", static_folder=None)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.config.update(
        SECRET_KEY=opened.keyring.secret("cookies"),
        SESSION_COOKIE_NAME="tingjian",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.public_base.startswith("https://"),
        PERMANENT_SESSION_LIFETIME=_SESSION,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a page may stay open all day
    )
    exchange = urlsplit(settings.phone_url)
    log_requests(app)
    secure(app, f"{exchange.scheme}://{exchange.netloc}")
    guard(app, opened)
    csrf = CSRFProtect(app)
    clips, lines = open_clips(settings, opened), lines_of(settings, opened)
    app.register_blueprint(create_blueprint(opened, Waker(queue), clips, lines, settings.public_base))
    numbers = partial(_numbers, opened)
    phone_page = create_phone_page(exchange_token(opened), settings.phone_url, is_staff, numbers)
    app.register_blueprint(phone_page)
    app.register_blueprint(create_api(opened))
    app.register_blueprint(create_desk(opened, queue))
    for name in _SIGNED_BY_CALLER:
        csrf.exempt(app.blueprints[name])
    guard_doors(app)
    app.add_url_rule("/", "home", _home)
    return app


def lines_of(settings: Settings, archive: Archive) -> dict[str, PhoneLine]:
    """Who may knock at the phone webhooks: our exchange, and the TwiML platform where one is configured."""
    lines = {EXCHANGE_ACCOUNT: PhoneLine("exchange", exchange_token(archive))}
    if settings.twilio_sid and settings.twilio_token:
        lines[settings.twilio_sid] = PhoneLine("twilio", settings.twilio_token)
    return lines


def _numbers(archive: Archive) -> list[tuple[str, str]]:
    """What the phone page may dial: the communities' numbers and names."""
    with archive.database.read() as session:
        everyone = select(Community.dialled_number, Community.name).order_by(Community.created_at)
        return [(number, name) for number, name in session.execute(everyone)]


def _home() -> Response:
    return redirect(url_for("desk.opinions"))
