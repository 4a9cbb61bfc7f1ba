"""Tickets: what the phone page hands a browser so that the exchange lets it call; signed with the line
token.
"""

from __future__ import annotations

from itsdangerous import BadSignature, URLSafeTimedSerializer

KINDS = ("browser", "terminal", "sip")
MAX_AGE_SECONDS = 600


def make_ticket(token: str, kind: str = "browser") -> str:
    """A ticket for one practice phone (`browser`, `terminal`) or for a line (`sip`), good for ten minutes."""
    if kind not in KINDS:
        raise ValueError(f"no phone of the kind {kind!r}")
    return URLSafeTimedSerializer(token, salt="phone").dumps({"handset": kind})


def read_ticket(token: str, ticket: str) -> str | None:
    """The kind of phone a ticket is for; None when it is forged or too old."""
    try:
        given = URLSafeTimedSerializer(token, salt="phone").loads(ticket, max_age=MAX_AGE_SECONDS)
    except BadSignature:
        return None
    kind = given.get("handset") if isinstance(given, dict) else None
    return kind if kind in KINDS else None
