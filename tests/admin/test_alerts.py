"""A danger stands on top of every page until somebody takes it; who waits too long to be heard is told of."""

from __future__ import annotations

import html
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from speech.urgency import Danger
from sync.alerts import raise_alert
from sync.community_settings import setting
from sync.records.tables import Alert, Audit, Community, Opinion
from tests.admin.desk import Browser, Desk


def _page(browser: Browser, path: str) -> str:
    return html.unescape(browser.get(path).get_data(as_text=True))


def _raise(desk: Desk) -> str:
    with desk.archive.database.begin() as session:
        opinion = session.scalars(select(Opinion).where(Opinion.receipt.is_not(None)).limit(1)).one()
        raise_alert(session, desk.archive, opinion, Danger("燃气", 0.9, ("漏煤气",)), datetime.now(UTC))
        return opinion.id


def test_a_danger_stands_on_top_until_somebody_takes_it(desk: Desk) -> None:
    browser = desk.signed_in()
    assert "有人可能有危险" not in _page(browser, "/desk/")
    opinion_id = _raise(desk)
    for path in ("/desk/", "/desk/overview", "/desk/topics", "/desk/settings"):
        page = _page(browser, path)
        assert page.index("有人可能有危险") < page.index("<h1")
        assert f"/desk/opinions/{opinion_id}" in page
        assert "没有打值班电话" in page
    taken = browser.send("/desk/", f"/desk/alerts/{opinion_id}/taken", back="/desk/topics")
    assert (taken.status_code, taken.headers["Location"]) == (302, "/desk/topics")
    assert "这件事您管" in _page(browser, "/desk/topics")
    assert "有人可能有危险" not in _page(browser, "/desk/")
    assert browser.send("/desk/", "/desk/alerts/op_none/taken").status_code == 404
    with desk.archive.database.read() as session:
        alert = session.get_one(Alert, opinion_id)
        written = session.scalars(select(Audit.actor).where(Audit.act == "alert_taken")).all()
    assert [alert.taken_by] == list(written) != ["phone"]


def test_who_waits_long_to_be_heard_is_told_of(desk: Desk) -> None:
    browser = desk.signed_in()
    assert "等了十分钟以上" not in _page(browser, "/desk/")
    with desk.archive.database.begin() as session:
        opinion = session.scalars(select(Opinion).limit(1)).one()
        opinion.state, opinion.said_at = "waiting", datetime.now(UTC) - timedelta(minutes=11)
    assert "有 1 段录音等了十分钟以上" in _page(browser, "/desk/")


def test_the_duty_phone_and_the_event_are_settings_like_others(desk: Desk) -> None:
    browser = desk.signed_in()
    page = _page(browser, "/desk/settings")
    assert "值班电话" in page
    assert "急事也告诉平台" in page

    def change(name: str, value: str, before: str) -> int:
        return browser.send(
            "/desk/settings", f"/desk/settings/{name}", value=value, before=before
        ).status_code

    assert change("duty_phone", "139 0013 9000", "") == 302
    assert change("duty_phone", "110", "+8613900139000") == 422
    assert change("urgent_events", "perhaps", "") == 422
    assert change("urgent_events", "off", "") == 302
    with desk.archive.database.read() as session:
        community_id = session.scalars(select(Community.id)).one()
        kept = [setting(session, community_id, name) for name in ("duty_phone", "urgent_events")]
        audits = session.scalars(select(Audit).where(Audit.act == "setting_changed")).all()
    assert kept == ["+8613900139000", False]
    assert {one.subject for one in audits} >= {"duty_phone", "urgent_events"}
    assert not any("139" in str(one.details) for one in audits)
