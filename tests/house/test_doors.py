"""Every door is locked: a sign-in, or a place on the short public list with its own guard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule

from admin.app import create_app
from admin.doors import PUBLIC, is_public
from admin.parts import open_archive
from admin.settings import Settings

SIGNED = (
    *("calls.begin", "calls.turn", "calls.status", "calls.recording"),
    *("calls.placed", "calls.placed_status", "calls.unanswered", "paged.begin", "paged.done"),
)
MOST_PUBLIC = 21


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    settings = Settings.from_environment({"TINGJIAN_HOME": str(tmp_path_factory.mktemp("home"))})
    archive = open_archive(settings)
    archive.database.create()
    yield create_app(settings, archive)
    archive.close()


def _rules(app: Flask) -> list[Rule]:
    """Of both apps: that of the phone lines has no page and no cookie."""
    return [*app.url_map.iter_rules(), *app.extensions["phone"].url_map.iter_rules()]


def _path(rule: Rule) -> str:
    """The address of a route with something in every placeholder."""
    values = {name: 1 if name == "n" else "something" for name in rule.arguments}
    built = rule.build(values)
    assert built is not None
    return built[1]


def _method(rule: Rule) -> str:
    return next(
        method for method in ("GET", "POST", "PUT", "DELETE", "PATCH") if method in (rule.methods or ())
    )


def test_the_public_list_names_only_routes_that_exist_and_stays_short(app: Flask) -> None:
    assert set(PUBLIC) <= {rule.endpoint for rule in _rules(app)}
    assert len(PUBLIC) <= MOST_PUBLIC


def test_the_phone_lines_app_has_only_routes_with_a_guard_of_their_own(app: Flask) -> None:
    phone = {rule.endpoint for rule in app.extensions["phone"].url_map.iter_rules()}
    assert phone
    assert phone <= set(PUBLIC)


def test_every_other_route_sends_a_stranger_to_the_sign_in(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False  # so that the sign-in alone is what stops the stranger
    try:
        closed = [rule for rule in _rules(app) if not is_public(rule.endpoint)]
        assert closed
        for rule in closed:
            answer = app.test_client().open(_path(rule), method=_method(rule))
            assert answer.status_code == 302, rule.endpoint
            assert answer.headers["Location"] == "/desk/sign-in", rule.endpoint
    finally:
        app.config["WTF_CSRF_ENABLED"] = True


def test_every_webhook_refuses_what_is_not_signed(app: Flask) -> None:
    for rule in _rules(app):
        if rule.endpoint in SIGNED:
            answer = app.test_client().post(_path(rule), data={"CallSid": "CA1", "AccountSid": "TJexchange"})
            assert answer.status_code == 403, rule.rule


def test_the_door_of_loudspeakers_gives_nothing_without_a_link_of_ours(app: Flask) -> None:
    for token in ("something", "WyJhIiwiYiIsImMiLDldYQ.forged", "..%2F..%2Fkeys.json"):
        answer = app.test_client().get(f"/broadcast/sound/{token}")
        assert answer.status_code == 404, token


def test_the_api_refuses_who_has_no_key(app: Flask) -> None:
    keyed = [rule for rule in _rules(app) if rule.endpoint.startswith("api.")]
    open_to_all = {"api.openapi": 200, "api.docs": 200, "api.docs_style": 200, "api.nothing_here": 404}
    assert len(keyed) > 3
    for rule in keyed:
        answer = app.test_client().open(_path(rule), method=_method(rule))
        assert answer.status_code == open_to_all.get(rule.endpoint, 401), rule.endpoint
    assert open_to_all.keys() <= {rule.endpoint for rule in keyed}


def test_every_answer_carries_the_careful_headers(app: Flask) -> None:
    assert app.test_client().get("/health").headers["X-Content-Type-Options"] == "nosniff"
    for path in ("/desk/sign-in", "/phone", "/api/v1/openapi.json", "/nowhere"):
        headers = app.test_client().get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"], path
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["X-Frame-Options"] == "DENY", path


def test_every_form_route_but_the_signed_ones_checks_its_token(app: Flask) -> None:
    signed = {"calls", "paged", "api"}
    for rule in _rules(app):
        if "POST" in (rule.methods or ()) and rule.endpoint.partition(".")[0] not in signed:
            assert app.test_client().post(_path(rule)).status_code in {302, 400}, rule.endpoint


def test_logs_never_hold_a_number_or_a_path_with_a_secret(app: Flask, tmp_path: Path) -> None:
    from admin.secure import _ids

    assert list(_ids({"sid": "CA12", "n": 3, "token": "signed.secret", "opinion_id": "op_1"})) == [
        "CA12",
        "3",
        "op_1",
    ]
    assert list(_ids({"sid": "CA1\nforged line"})) == []
