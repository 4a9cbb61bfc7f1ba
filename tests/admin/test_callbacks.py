"""Who was promised a call is seen at the desk; a number is shown for a reason, and that is written down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select

from admin.demo.seed import COMMUNITY_ID
from admin.staff import add_staff
from sync.erase import erase_person
from sync.people import find_or_create_number, person_at
from sync.records.tables import Audit, Community, Request
from tests.admin.desk import Desk

NUMBER = "+8613800001234"
ASKED = datetime(2026, 5, 1, 2, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def nobody_waits(desk: Desk) -> None:
    with desk.archive.database.begin() as session:
        session.execute(delete(Request))
        session.execute(delete(Audit))


def wish(desk: Desk, name: str, number: str | None = NUMBER, reason: str = "person", minutes: int = 0) -> str:
    """A request as a call leaves it; the id of its person."""
    with desk.archive.database.begin() as session:
        at = find_or_create_number(session, desk.archive, COMMUNITY_ID, number) if number else None
        person = person_at(session, desk.archive, COMMUNITY_ID, at)
        session.add(
            Request(
                id=name, source="exchange", source_id=name, community_id=COMMUNITY_ID, person_id=person.id,
                reason=reason, asked_at=ASKED + timedelta(minutes=minutes),
            )
        )  # fmt: skip
        return person.id


def seen(desk: Desk) -> list[tuple[str, str | None]]:
    with desk.archive.database.read() as session:
        rows = session.execute(select(Audit.subject, Audit.reason).where(Audit.act == "number_seen"))
        return [(row.subject, row.reason) for row in rows]


def test_who_waits_longest_comes_first_and_no_number_is_on_the_page(desk: Desk) -> None:
    wish(desk, "req_late", minutes=5, reason="busy")
    wish(desk, "req_early")
    page = desk.signed_in().get("/desk/callbacks").get_data(as_text=True)
    assert page.index("req_early") < page.index("req_late")
    assert "想找工作人员说话" in page
    assert "打来时线路全忙" in page
    assert NUMBER not in page
    assert seen(desk) == []


def test_a_number_is_shown_for_a_reason_that_is_kept(desk: Desk) -> None:
    wish(desk, "req_1")
    browser = desk.signed_in()
    refused = browser.send("/desk/callbacks", "/desk/callbacks/req_1/number", reason="  ")
    assert refused.status_code == 422
    assert NUMBER not in refused.get_data(as_text=True)
    shown = browser.send("/desk/callbacks", "/desk/callbacks/req_1/number", reason="给居民回电")
    assert f"tel:{NUMBER}" in shown.get_data(as_text=True)
    assert shown.headers["Cache-Control"] == "no-store"
    assert seen(desk) == [("req_1", "给居民回电")]


def test_a_withheld_number_says_so(desk: Desk) -> None:
    wish(desk, "req_1", number=None)
    browser = desk.signed_in()
    assert "来电没有显示号码" in browser.get("/desk/callbacks").get_data(as_text=True)
    assert browser.send("/desk/callbacks", "/desk/callbacks/req_1/number", reason="回电").status_code == 422


def test_done_is_done_and_a_slip_is_undone(desk: Desk) -> None:
    wish(desk, "req_1")
    browser = desk.signed_in()
    for _ in range(2):
        assert browser.send("/desk/callbacks", "/desk/callbacks/req_1/done").status_code == 302
    page = browser.get("/desk/callbacks").get_data(as_text=True)
    assert "没有人在等回电" in page
    assert "最近打过的" in page
    browser.send("/desk/callbacks", "/desk/callbacks/req_1/again")
    assert 'id="req_1"' in browser.get("/desk/callbacks").get_data(as_text=True)
    with desk.archive.database.read() as session:
        acts = session.scalars(select(Audit.act).where(Audit.subject == "req_1").order_by(Audit.id)).all()
    assert acts == ["request_settled", "request_reopened"]


def test_an_erased_person_waits_no_longer(desk: Desk) -> None:
    person_id = wish(desk, "req_1")
    erase_person(desk.archive, person_id, "tester")
    assert "req_1" not in desk.signed_in().get("/desk/callbacks").get_data(as_text=True)


@pytest.mark.parametrize("act", ["number", "done", "again"])
def test_auditors_and_other_communities_do_nothing_here(desk: Desk, act: str) -> None:
    wish(desk, "req_1")
    elsewhere = f"cm_{act}"
    with desk.archive.database.begin() as session:
        number = f"+86571999999{len(act):02}"
        session.add(Community(id=elsewhere, name="别处", dialled_number=number, created_at=ASKED))
        session.flush()
        add_staff(session, COMMUNITY_ID, f"auditor {act}", "a long password", "auditor")
        add_staff(session, elsewhere, f"elsewhere {act}", "a long password", "administrator")
    for name, status in ((f"auditor {act}", 403), (f"elsewhere {act}", 404)):
        browser = desk.browser()
        assert browser.sign_in(name, "a long password").status_code == 302
        answer = browser.send("/desk/callbacks", f"/desk/callbacks/req_1/{act}", reason="回电")
        assert answer.status_code == status, name
    assert seen(desk) == []
    with desk.archive.database.read() as session:
        assert session.get_one(Request, "req_1").settled_at is None
