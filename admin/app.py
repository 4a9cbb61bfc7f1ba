"""The Flask app that joins the parts: phone webhooks, media, phone page, platforms' API, staff desk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Request, redirect, url_for
from flask.sessions import SessionInterface
from flask_wtf import CSRFProtect
from sqlalchemy import select
from werkzeug.wrappers import Response

from admin.doors import guard_doors
from admin.pages.access import guard, is_staff
from admin.pages.desk import create_desk
from admin.parts import EXCHANGE_ACCOUNT, exchange_token, open_archive, open_clips
from admin.placing import can_dial
from admin.secure import log_requests, never_sniff, secure, take_files
from admin.settings import Settings
from ivr.web.blueprint import create_blueprint
from ivr.web.broadcast import create_sound_door
from ivr.web.paging import create_page_door
from ivr.web.phone import create_phone_page
from ivr.web.signature import PhoneLine
from sync.api import create_api
from sync.archive import Archive
from sync.queue import WorkQueue
from sync.records.tables import Community
from sync.waking import Waker
from sync.webhooks.addresses import Reach

_SESSION = timedelta(hours=8)  # a working day
Wsgi = Callable[..., Iterable[bytes]]
_PHONE_PATHS = ("/calls", "/media", "/health", "/broadcast")


def create_app(settings: Settings, archive: Archive | None = None) -> Flask:
    """The web process's app. `archive` may be handed in; otherwise it is opened from the settings.

    What phone lines ask for is answered by an app of its own, `extensions["phone"]`: no cookie, no page.
    """
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
    app.extensions["tingjian_clips"] = open_clips(settings, opened)
    app.extensions["tingjian_reach"] = Reach.of(settings.webhooks_to)
    exchange = urlsplit(settings.phone_url)
    log_requests(app)
    secure(app, f"{exchange.scheme}://{exchange.netloc}")
    guard(app, opened)
    take_files(app)
    csrf = CSRFProtect(app)
    app.register_blueprint(_phone_page(settings, opened))
    app.register_blueprint(create_api(opened, queue=Waker(queue)))
    csrf.exempt(app.blueprints["api"])  # it asks for a key, and knows no cookie
    app.register_blueprint(create_desk(queue, open_clips(settings, opened), settings.home))
    guard_doors(app)
    app.add_url_rule("/", "home", _home)
    phone = _phone_app(settings, opened, queue)
    app.extensions["phone"] = phone
    app.wsgi_app = _forked(phone.wsgi_app, app.wsgi_app)  # type: ignore[method-assign]
    return app


def _phone_app(settings: Settings, archive: Archive, queue: WorkQueue) -> Flask:
    """Webhooks and the sound they name: every turn of every call comes by, so it carries little."""
    phone = Flask("phone", static_folder=None)
    phone.session_interface = _NoSession()
    log_requests(phone)
    never_sniff(phone)
    clips, lines = open_clips(settings, archive), lines_of(settings, archive)
    phone.register_blueprint(
        create_blueprint(
            archive, Waker(queue), clips, lines, settings.public_base, dials_out=can_dial(settings)
        )
    )
    phone.register_blueprint(create_sound_door(archive, settings.home))
    phone.register_blueprint(create_page_door(archive, settings.home, lines, settings.public_base))
    return phone


class _NoSession(SessionInterface):
    """Phone lines have no cookies."""

    def open_session(self, app: Flask, request: Request) -> None:
        """Nothing is remembered."""


def _forked(phone: Wsgi, others: Wsgi) -> Any:
    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        first = "/" + environ.get("PATH_INFO", "").lstrip("/").partition("/")[0]
        return (phone if first in _PHONE_PATHS else others)(environ, start_response)

    return answer


def _phone_page(settings: Settings, archive: Archive) -> Blueprint:
    return create_phone_page(
        exchange_token(archive), settings.phone_url, is_staff, partial(_numbers, archive)
    )


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
