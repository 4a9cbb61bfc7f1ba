"""Who knocks: the line whose secret signed this request as Twilio signs, or nobody."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlparse, urlsplit

from flask import Request
from twilio.request_validator import RequestValidator, add_port, remove_port


@dataclass(frozen=True)
class PhoneLine:
    """A phone platform that may knock: our name for it, and the secret its requests are signed with."""

    name: str
    token: str = field(repr=False)


def line_of(request: Request, lines: Mapping[str, PhoneLine], public_base_url: str) -> PhoneLine | None:
    """The line that signed `request`, chosen by its AccountSid; None when anything is missing or wrong.

    The address that was signed is the configured public base + the raw path and query: a proxy may have
    changed scheme, host and port, so headers are never asked.
    """
    account = request.args.get("AccountSid") or request.form.get("AccountSid", "")
    line = lines.get(account)
    signature = request.headers.get("X-Twilio-Signature", "")
    if line is None or not line.token or not signature:
        return None
    url = public_base_url.rstrip("/") + _raw_path(request)
    return line if is_signed(url, request.form, signature, line.token) else None


def is_signed(url: str, form: Mapping[str, str], signature: str, token: str) -> bool:
    """Whether `signature` is that of `url` and `form` under `token`; platforms differ in naming the port."""
    validator, given = _validator(token), signature.encode()
    return any(
        hmac.compare_digest(validator.compute_signature(address, form).encode(), given)
        for address in _spellings(url)
    )


def _spellings(url: str) -> Iterator[str]:
    """An address as it stands, which nearly always is the one; then with and without its port."""
    yield url
    parsed = urlparse(url)
    yield from {add_port(parsed), remove_port(parsed)} - {url}


@lru_cache(maxsize=64)
def _validator(token: str) -> RequestValidator:
    return RequestValidator(token)


def _raw_path(request: Request) -> str:
    """Path and query exactly as sent: a decoded query or an added slash would break the signature."""
    raw = str(request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or request.full_path)
    if raw.startswith("/"):
        return raw
    split = urlsplit(raw)  # a proxy may send the absolute form
    return split.path + (f"?{split.query}" if split.query else "")
