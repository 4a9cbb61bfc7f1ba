"""The lock on the door: what is signed comes in, anything else stays outside."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, Request
from twilio.request_validator import RequestValidator

from ivr.web.signature import PhoneLine, line_of

BASE = "https://phone.example.org"
LINES = {
    "AC1": PhoneLine("twilio", "token-1"),
    "TJexchange": PhoneLine("exchange", "token-2"),
    "AC0": PhoneLine("none", ""),
}
FORM = {"AccountSid": "AC1", "CallSid": "CA1", "Digits": "", "From": "+8613800001111"}


def knock(
    path: str = "/calls",
    form: dict[str, str] = FORM,
    signed_url: str | None = None,
    token: str = "token-1",
    **other: Any,
) -> PhoneLine | None:
    signature = RequestValidator(token).compute_signature(signed_url or BASE + path, form)
    options = {"headers": {"X-Twilio-Signature": signature}, "base_url": "http://10.0.0.5:8000", **other}
    with Flask(__name__).test_request_context(path, method="POST", data=form, **options) as context:
        request: Request = context.request
        return line_of(request, LINES, BASE)


def test_a_signed_request_names_its_line() -> None:
    assert knock() == LINES["AC1"]
    exchange = {**FORM, "AccountSid": "TJexchange"}
    assert knock(form=exchange, token="token-2") == LINES["TJexchange"]


def test_the_raw_path_and_query_count_as_they_were_sent() -> None:
    assert knock("/calls/CA%201/turns/3?silence=1&note=%E5%90%AC") == LINES["AC1"]


@pytest.mark.parametrize("signed_url", [f"{BASE}:443/calls", f"{BASE}/calls"])
def test_the_port_may_be_named_or_not(signed_url: str) -> None:
    assert knock(signed_url=signed_url) == LINES["AC1"]


@pytest.mark.parametrize(
    "signed_url",
    [
        "http://phone.example.org/calls",
        "http://10.0.0.5:8000/calls",
        f"{BASE}/calls/",
        f"{BASE}/calls?silence=1",
    ],
)
def test_another_address_is_another_signature(signed_url: str) -> None:
    assert knock(signed_url=signed_url) is None


def test_another_lines_secret_does_not_open() -> None:
    assert knock(token="token-2") is None
    assert knock(form={**FORM, "AccountSid": "TJexchange"}, token="token-1") is None


def test_whatever_is_missing_keeps_the_door_shut() -> None:
    assert knock(form={name: text for name, text in FORM.items() if name != "AccountSid"}) is None
    assert knock(form={**FORM, "AccountSid": "AC9"}) is None
    assert knock(form={**FORM, "AccountSid": "AC0"}, token="") is None
    assert knock(headers={}) is None
    assert knock(headers={"X-Twilio-Signature": "é"}) is None


def test_headers_of_a_proxy_are_not_believed() -> None:
    forged = {
        "X-Forwarded-Host": "phone.example.org",
        "X-Forwarded-Proto": "https",
        "Host": "phone.example.org",
    }
    assert knock(headers=forged) is None


def test_a_token_is_never_shown() -> None:
    assert "token-1" not in repr(LINES)
