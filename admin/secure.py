"""What every answer carries: a strict content policy, careful headers, a log line with ids only."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Flask, g, request
from flask_login import current_user
from werkzeug.wrappers import Response

LOG = logging.getLogger("tingjian.web")
LARGEST_BODY_BYTES = 1024 * 1024
LARGEST_UPLOADS: Mapping[str, int] = {
    "desk.prompt_record": 12 * 1024 * 1024,
    "desk.roster_check": 8 * 1024 * 1024,
    "desk.speak": 12 * 1024 * 1024,
}
"""Routes that take files: so many bytes from somebody who is signed in, `LARGEST_BODY_BYTES` from others."""
_SLOW_MS = 500.0
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def secure(app: Flask, exchange_origin: str) -> None:
    """Dress every answer of `app`. `exchange_origin` (ws://host:port) is where the phone page connects."""
    policy = "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "media-src 'self' blob:",
            "worker-src 'self'",
            f"connect-src 'self' {exchange_origin}",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY_BYTES

    @app.after_request
    def dress(answer: Response) -> Response:
        headers = answer.headers
        headers.setdefault("Content-Security-Policy", _allowing(policy, g.get("style_nonce")))
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("X-Frame-Options", "DENY")
        headers.setdefault("Referrer-Policy", "no-referrer")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "microphone=(self), camera=(), geolocation=()")
        if request.is_secure:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if answer.mimetype == "text/html":
            headers.setdefault("Cache-Control", "no-store")
        return answer


def style_nonce() -> str:
    """What a library must name to style the shadow of an element of its own, on this page, this once."""
    if "style_nonce" not in g:
        g.style_nonce = secrets.token_urlsafe(16)
    return str(g.style_nonce)


def _allowing(policy: str, nonce: str | None) -> str:
    return policy.replace("style-src 'self'", f"style-src 'self' 'nonce-{nonce}'") if nonce else policy


def take_files(app: Flask) -> None:
    """Let signed-in people send files where there is something to send them to. Before any form is read."""

    @app.before_request
    def widen() -> None:
        largest = LARGEST_UPLOADS.get(request.endpoint or "")
        if largest is not None and current_user.is_authenticated:
            request.max_content_length = largest + LARGEST_BODY_BYTES


def never_sniff(app: Flask) -> None:
    """What answers of an app without pages carry: they are what they say they are."""

    @app.after_request
    def dress(answer: Response) -> Response:
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer


def log_requests(app: Flask) -> None:
    """One line a request: method, the route (never its query or body), ids in it, status, milliseconds."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def end(answer: Response) -> Response:
        milliseconds = (time.perf_counter() - g.get("began", time.perf_counter())) * 1000
        level = logging.WARNING if answer.status_code >= 500 or milliseconds > _SLOW_MS else logging.DEBUG
        if LOG.isEnabledFor(level):
            rule = request.url_rule.rule if request.url_rule else "(no route)"
            ids = " ".join(_ids(request.view_args or {}))
            LOG.log(
                level, "%s %s %s → %s in %.0f ms", request.method, rule, ids, answer.status_code, milliseconds
            )
        return answer


def _ids(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Only what is named as an id and looks like one: a signed token in a path is a secret."""
    for name, value in arguments.items():
        if (name in {"sid", "n"} or name.endswith("_id")) and _ID.fullmatch(str(value)):
            yield str(value)
