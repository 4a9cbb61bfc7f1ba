"""The phone page: a practice telephone in the browser, for loopback and signed-in staff only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, jsonify, make_response, render_template, request

from ivr.exchange.tickets import make_ticket

FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via")
PRACTICE_CALLER = "13900000001"


def create_phone_page(
    line_token: str,
    exchange_public_url: str,
    is_staff: Callable[[], bool],
    numbers: Callable[[], Sequence[tuple[str, str]]] = tuple,
) -> Blueprint:
    """The page at `/phone`, its script and style at `/phone/static`.

    `exchange_public_url` is the exchange's WebSocket (`ws://127.0.0.1:8010/phone/ws`). `numbers` are the
    (number, community name) pairs that may be called; with none, the number is typed.
    A request that accepts JSON gets a fresh ticket alone; pages that stay open fetch one for every call.
    """
    blueprint = Blueprint(
        "phone",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/phone/static",
    )

    @blueprint.get("/phone")
    def phone() -> Response:
        if not (is_from_this_machine() or is_staff()):
            abort(403)
        if request.accept_mimetypes.best == "application/json":
            answer = jsonify(ticket=make_ticket(line_token))
        else:
            answer = make_response(_page(exchange_public_url, numbers()))
        answer.headers["Content-Security-Policy"] = _policy(exchange_public_url)
        answer.headers["Permissions-Policy"] = "microphone=(self), camera=(), geolocation=()"
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return blueprint


def is_from_this_machine() -> bool:
    """Whether the request comes from a browser on this machine itself, with no proxy in between.

    The Host header is looked at too: a foreign site may have its own name point at 127.0.0.1.
    """
    host = (urlsplit(f"//{request.host}").hostname or "").lower()
    if any(name in request.headers for name in FORWARDED):
        return False
    return _is_loopback(request.remote_addr or "") and (host == "localhost" or _is_loopback(host))


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _page(exchange: str, numbers: Sequence[tuple[str, str]]) -> str:
    return render_template(
        "phone.html",
        exchange=exchange,
        numbers=numbers,
        caller=request.args.get("from", PRACTICE_CALLER),
        dialled=request.args.get("to", ""),
        keys="123456789*0#",
    )


def _policy(exchange: str) -> str:
    parts = urlsplit(exchange)
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; worker-src 'self'; "
        f"connect-src 'self' {parts.scheme}://{parts.netloc}; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
