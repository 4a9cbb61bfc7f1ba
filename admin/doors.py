"""Every door is locked but those on this list, which says what guards each of them instead of a sign-in."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask, abort, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from admin.roles import act_of, may

PUBLIC: Mapping[str, str] = {
    "home": "leads to the desk, shows nothing",
    "desk.sign_in": "the sign-in itself: throttled",
    "desk.switch_language": "changes only the reader's own cookie",
    "desk.switch_look": "changes only the reader's own cookie",
    "desk.static": "the stylesheet",
    "desk.library": "scripts of other projects, the same for everybody",
    "calls.begin": "the platform's signature",
    "calls.turn": "the platform's signature",
    "calls.status": "the platform's signature",
    "calls.unanswered": "our own line's signature",
    "calls.recording": "the platform's signature",
    "calls.placed": "the platform's signature",
    "calls.placed_status": "the platform's signature",
    "calls.clip": "a name nobody can guess",
    "calls.voice": "a signed link that expires",
    "broadcast.sound": "a signed link that expires",
    "paged.begin": "the platform's signature, and a signed link",
    "paged.done": "the platform's signature, and a signed link",
    "calls.health": "says only whether we are well",
    "phone.phone": "loopback, or signed-in staff",
    "phone.static": "the phone page's script and style",
}
"""Routes that need no sign-in, and why. `api.*` asks for a platform's key by itself."""

_KEYED = ("api",)


def guard_doors(app: Flask) -> None:
    """Ask at every route that is not on the list for a sign-in, and for a role that may do what it does."""

    @app.before_request
    def ask() -> Response | None:
        endpoint = request.endpoint
        if endpoint is None or is_public(endpoint):
            return None
        if not current_user.is_authenticated:
            return redirect(url_for("desk.sign_in"))
        act = act_of(app.view_functions[endpoint], "GET" if request.method == "HEAD" else request.method)
        if act is None or not may(current_user.role, act):
            abort(403)
        return None


def is_public(endpoint: str) -> bool:
    """Whether a route is open to those who are not signed in."""
    return endpoint in PUBLIC or endpoint.partition(".")[0] in _KEYED
