"""Every door is locked but those on this list, which says what guards each of them instead of a sign-in."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

PUBLIC: Mapping[str, str] = {
    "home": "leads to the desk, shows nothing",
    "desk.sign_in": "the sign-in itself: throttled",
    "desk.switch_language": "changes only the reader's own cookie",
    "desk.static": "the stylesheet",
    "calls.begin": "the platform's signature",
    "calls.turn": "the platform's signature",
    "calls.status": "the platform's signature",
    "calls.recording": "the platform's signature",
    "calls.clip": "a name nobody can guess",
    "calls.voice": "a signed link that expires",
    "calls.health": "says only whether we are well",
    "phone.phone": "loopback, or signed-in staff",
    "phone.static": "the phone page's script and style",
}
"""Routes that need no sign-in, and why. `api.*` asks for a platform's key by itself."""

_KEYED = ("api",)


def guard_doors(app: Flask) -> None:
    """Ask for a sign-in at every route that is not on the list, whoever adds it."""

    @app.before_request
    def ask() -> Response | None:
        endpoint = request.endpoint
        if endpoint is None or is_public(endpoint) or current_user.is_authenticated:
            return None
        return redirect(url_for("desk.sign_in"))


def is_public(endpoint: str) -> bool:
    """Whether a route is open to those who are not signed in."""
    return endpoint in PUBLIC or endpoint.partition(".")[0] in _KEYED
