"""How the desk looks to one reader: light or dark, ordinary or large type; their own cookie remembers it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import current_app, redirect, request, url_for
from werkzeug.wrappers import Response

THEMES = ("system", "light", "dark")
SIZES = ("ordinary", "large")

_COOKIE = "tingjian_look"
_REMEMBERED = timedelta(days=400)  # as long as browsers keep any cookie


@dataclass(frozen=True)
class Look:
    """What was chosen; `system` follows the reader's own device."""

    theme: str = THEMES[0]
    size: str = SIZES[0]


def look() -> Look:
    """What this reader has chosen."""
    theme, _, size = request.cookies.get(_COOKIE, "").partition(".")
    return Look(theme if theme in THEMES else THEMES[0], size if size in SIZES else SIZES[0])


def switch_look() -> Response:
    """Remember a theme or a size of type, and go back to where the reader was."""
    now = look()
    theme, size = request.form.get("theme", now.theme), request.form.get("size", now.size)
    answer = redirect(way_back())
    if theme in THEMES and size in SIZES:
        answer.set_cookie(
            _COOKIE, f"{theme}.{size}", max_age=_REMEMBERED, httponly=True, samesite="Lax",
            secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
        )  # fmt: skip
    return answer


def way_back() -> str:
    """The page of the desk a form was sent from (`back`), else the first page."""
    back = request.form.get("back", "")
    is_ours = back.startswith("/desk/") and not back.startswith("//") and "\\" not in back
    return back if is_ours else url_for("desk.opinions")
