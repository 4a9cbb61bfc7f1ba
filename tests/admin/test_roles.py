"""The role matrix: every route × every role, and no route that has not said which act it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from admin.demo.seed import COMMUNITY_ID
from admin.doors import is_public
from admin.roles import ACTS, ROLES, act_of, for_role, may
from admin.staff import add_staff
from tests.admin.desk import Desk

PASSWORD = "a long password"


def _closed(app: Flask) -> list[tuple[Rule, str]]:
    """Every route and method that asks who one is."""
    return [
        (rule, method)
        for rule in app.url_map.iter_rules()
        if not is_public(rule.endpoint)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


@pytest.fixture(scope="module")
def doors(desk: Desk) -> Iterator[dict[str, FlaskClient]]:
    """Somebody of every role, signed in; forms need no token, so that the role alone is what stops them."""
    browsers = {}
    with desk.archive.database.begin() as session:
        for role in ROLES:
            add_staff(session, COMMUNITY_ID, role, PASSWORD, role)
    for role in ROLES:
        browser = desk.browser()
        assert browser.sign_in(role, PASSWORD).status_code == 302
        browsers[role] = browser.client
    desk.app.config["WTF_CSRF_ENABLED"] = False
    yield browsers
    desk.app.config["WTF_CSRF_ENABLED"] = True


def test_every_route_says_which_act_it_is(desk: Desk) -> None:
    silent = [
        f"{method} {rule.rule}"
        for rule, method in _closed(desk.app)
        if act_of(desk.app.view_functions[rule.endpoint], method) not in ACTS
    ]
    assert silent == []


def test_every_route_opens_for_exactly_the_roles_of_its_act(
    desk: Desk, doors: dict[str, FlaskClient]
) -> None:
    wrong = []
    for rule, method in _closed(desk.app):
        if rule.endpoint == "desk.sign_out":  # it would end the session the others need
            continue
        act = act_of(desk.app.view_functions[rule.endpoint], method)
        assert act is not None
        built = rule.build(dict.fromkeys(rule.arguments, "1"))
        assert built is not None
        for role, client in doors.items():
            is_shut = client.open(built[1], method=method).status_code == 403
            if is_shut == may(role, act):
                wrong.append(f"{role} {'shut out of' if is_shut else 'let into'} {method} {rule.rule}")
    assert wrong == []


def test_a_route_that_says_nothing_is_closed_to_everybody(desk: Desk, doors: dict[str, FlaskClient]) -> None:
    rule = next(one for one, _ in _closed(desk.app) if one.endpoint == "desk.counts")
    view = desk.app.view_functions[rule.endpoint]
    desk.app.view_functions[rule.endpoint] = lambda: "open"
    try:
        codes = {client.get(rule.rule).status_code for client in doors.values()}
    finally:
        desk.app.view_functions[rule.endpoint] = view
    assert codes == {403}


def test_the_way_around_shows_only_pages_that_open(desk: Desk, doors: dict[str, FlaskClient]) -> None:
    for client in doors.values():
        page = client.get("/desk/").get_data(as_text=True)
        shown = page.partition('class="around"')[2].partition("</nav>")[0]
        for address in (piece.partition('"')[0] for piece in shown.split('href="')[1:]):
            assert client.get(address).status_code == 200, address


def test_an_auditor_changes_nothing_and_only_administrators_administer() -> None:
    assert {act for act in ACTS if may("auditor", act)} <= {
        act for act in ACTS if act.endswith((".see", ".export", ".session"))
    }
    assert not [act for act in ("staff.write", "settings.write", "privacy.act") if may("publisher", act)]
    assert all(may("administrator", act) for act in ACTS)
    with pytest.raises(KeyError):
        for_role("voices.sing")


def test_the_table_of_roles_in_the_docs_is_the_one_that_holds() -> None:
    page = (Path(__file__).parents[2] / "docs" / "desk.md").read_text("utf-8")
    rows = [
        f"| `{act}` | {' | '.join('●' if role in roles else '–' for role in ROLES)} |"
        for act, roles in ACTS.items()
    ]
    assert "\n".join(rows) in page
