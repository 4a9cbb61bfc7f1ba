"""The phone page: for this machine or signed-in staff only, strict about scripts, its tickets good."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ivr.exchange.tickets import read_ticket
from ivr.web.phone import create_phone_page
from tests.exchange.town import TOKEN

EXCHANGE = "ws://127.0.0.1:8010/phone/ws"


def client(*, is_staff: bool = False, numbers: Any = tuple) -> FlaskClient:
    app = Flask(__name__)
    app.register_blueprint(create_phone_page(TOKEN, EXCHANGE, lambda: is_staff, numbers))
    return app.test_client()


def status(
    browser: FlaskClient, host: str = "127.0.0.1:8000", peer: str = "127.0.0.1", **headers: str
) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    given = {"Host": host, **named}
    return browser.get("/phone", headers=given, environ_base={"REMOTE_ADDR": peer}).status_code


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000", "127.0.0.1"])
def test_a_browser_on_this_machine_gets_the_page(host: str):
    assert status(client(), host) == 200
    assert status(client(), host, peer="::1") == 200


def test_everybody_else_does_not():
    assert status(client(), peer="192.168.1.20") == 403
    assert status(client(), host="village.example") == 403
    assert status(client(), host="127.0.0.1.evil.example") == 403
    for header in ("X_Forwarded_For", "Forwarded", "X_Real_IP", "Via"):
        assert status(client(), **{header: "for=203.0.113.9"}) == 403


def test_signed_in_staff_get_it_from_anywhere():
    assert status(client(is_staff=True), host="village.example", peer="203.0.113.9") == 200


def test_a_fresh_ticket_opens_the_exchange_as_a_browser():
    answer = client().get("/phone", headers={"Accept": "application/json"})
    assert read_ticket(TOKEN, answer.get_json()["ticket"]) == "browser"
    assert answer.headers["Cache-Control"] == "no-store"
    refused = client().get("/phone", headers={"Accept": "application/json", "Host": "evil.example"})
    assert refused.status_code == 403


def test_the_page_runs_under_a_strict_policy():
    answer = client().get("/phone")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self' ws://127.0.0.1:8010;" in policy
    assert "unsafe" not in policy
    page = answer.get_data(as_text=True)
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|style=", page)
    for name in re.findall(r'"(/phone/static/[^"]+)"', page):
        assert client().get(name).status_code == 200


def test_the_page_can_be_used_without_eyes_and_in_english():
    page = client().get("/phone").get_data(as_text=True)
    assert len(re.findall(r'data-key="[0-9*#]"', page)) == 12
    assert 'role="status" aria-live="polite"' in page
    assert 'role="log" aria-live="polite"' in page
    for field in re.findall(r'<(?:input|select) id="(\w+)"', page):
        assert f'<label for="{field}"' in page
    chinese = re.findall(r"<(?:h1|h2|button|p|label)[^>]*>\s*([^<\s]*[一-鿿])", page)
    assert len(chinese) >= 9
    assert page.count("data-en=") >= 10
    assert "练习" in page


def test_numbers_are_chosen_from_a_list_where_there_is_one():
    villages = [("+8657112345678", "石桥村"), ("+8657187654321", "<竹>林村")]
    page = client(numbers=lambda: villages).get("/phone?to=%2B8657187654321").get_data(as_text=True)
    assert '<option value="+8657187654321" selected>&lt;竹&gt;林村' in page


def test_the_page_has_the_same_words_in_both_languages():
    script = client().get("/phone/static/phone.js").get_data(as_text=True)
    chinese, english = re.findall(r"^  (?:zh|en): \{\n(.*?)^  \},$", script, re.MULTILINE | re.DOTALL)
    names = [re.findall(r"(\w+): \"", words) for words in (chinese, english)]
    assert names[0] == names[1]
    assert {"refusedMicrophone", "noMicrophone", "unheard"} <= set(names[0])
    assert set(re.findall(r'(?:show|remark|end)\("(\w+)"\)', script)) <= set(names[0])
