"""Staff, platforms, settings, audit, overview and prompts at the desk."""

from __future__ import annotations

import io
import re
from urllib.parse import quote

import numpy as np
import pytest
from sqlalchemy import select

from admin.communities import SETTINGS
from admin.demo.seed import COMMUNITY_ID
from admin.pages.words import all_words
from admin.staff import add_staff
from speech.audio import Audio, write_wav
from sync.community_settings import audit, change_setting, setting
from sync.platforms import SCOPES
from sync.records.tables import Audit, Endpoint, Platform, PromptRecording, Pronunciation, Staff
from tests.admin.desk import Browser, Desk

PASSWORD = "a long password"
_SECRET = re.compile(r'class="secret">([^<]+)<')


@pytest.fixture(scope="module")
def browser(desk: Desk) -> Browser:
    return desk.signed_in()


def text(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def secret(page: str) -> str:
    found = _SECRET.search(page)
    assert found
    return found[1]


def person(desk: Desk, name: str) -> Staff:
    with desk.archive.database.read() as session:
        return session.scalars(select(Staff).where(Staff.name == name)).one()


def test_somebody_is_added_given_another_role_a_new_password_and_disabled(
    desk: Desk, browser: Browser
) -> None:
    here = "/desk/staff"
    page = browser.send(here, f"{here}/add", name="小陈", role="reviewer").get_data(as_text=True)
    first = secret(page)
    assert first not in text(browser, here)  # shown this once
    taken = browser.send(here, f"{here}/add", name="小陈", role="reviewer")
    assert taken.status_code == 422
    assert "已经有人叫 小陈" in taken.get_data(as_text=True)
    chen, path = desk.browser(), f"{here}/{person(desk, '小陈').id}"
    assert chen.sign_in("小陈", first).status_code == 302
    assert browser.send(here, f"{path}/role", role="auditor", before="reviewer").status_code == 302
    late = browser.send(here, f"{path}/role", role="publisher", before="reviewer")
    assert late.status_code == 409
    assert person(desk, "小陈").role == "auditor"
    assert chen.get("/desk/audit").status_code == 200  # the new role holds at once
    wrong = chen.send("/desk/password", "/desk/password", old="not it", new="another long one")
    assert wrong.status_code == 422
    assert chen.send("/desk/password", "/desk/password", old=first, new="another long one").status_code == 302
    assert chen.get("/desk/audit").status_code == 302  # signed out with the old password
    second = secret(browser.send(here, f"{path}/reset").get_data(as_text=True))
    assert chen.sign_in("小陈", second).status_code == 302
    assert browser.send(here, f"{path}/disable").status_code == 302
    assert chen.get("/desk/audit").status_code == 302
    me = person(desk, desk.account.name).id
    oneself = browser.send(here, f"{here}/{me}/disable")
    assert oneself.status_code == 422
    with desk.archive.database.read() as session:
        written = session.scalars(select(Audit).where(Audit.act.startswith("staff."))).all()
    assert {one.act for one in written} == {
        "staff.added", "staff.role_changed", "staff.password_changed", "staff.password_reset",
        "staff.disabled",
    }  # fmt: skip
    assert not any(first in str(one.details) + one.subject for one in written)


def test_a_platform_gets_a_key_scopes_and_an_address(desk: Desk, browser: Browser) -> None:
    here = "/desk/platforms"
    answer = browser.send(here, f"{here}/add", name="村里的网站", scope="changes:read", days="30")
    key = secret(answer.get_data(as_text=True))
    with desk.archive.database.read() as session:
        made = session.scalars(select(Platform).where(Platform.name == "村里的网站")).one()
    assert made.scopes == ["changes:read"]
    assert made.expires_at is not None
    api = desk.app.test_client()
    assert api.get("/api/v1/changes", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    path = f"{here}/{made.id}"
    far = browser.send(here, f"{path}/webhooks", url="http://127.0.0.1:9/hook")
    assert far.status_code == 422  # loopback is no public address
    assert browser.send(here, f"{path}/scopes", scope="topics:read", before="stale").status_code == 409
    assert browser.send(here, f"{path}/scopes", scope="topics:read", before="changes:read").status_code == 302
    assert api.get("/api/v1/changes", headers={"Authorization": f"Bearer {key}"}).status_code == 403
    refused = browser.send(here, f"{path}/webhooks", url="https://example.org/hook")
    assert "changes:read" in refused.get_data(as_text=True)
    new = secret(browser.send(here, f"{path}/key").get_data(as_text=True))
    assert api.get("/api/v1/topics", headers={"Authorization": f"Bearer {key}"}).status_code == 401
    assert api.get("/api/v1/topics", headers={"Authorization": f"Bearer {new}"}).status_code == 200
    assert browser.send(here, f"{path}/end").status_code == 302
    assert api.get("/api/v1/topics", headers={"Authorization": f"Bearer {new}"}).status_code == 401


def test_an_address_is_tested_paused_and_removed(desk: Desk, browser: Browser) -> None:
    with desk.archive.database.begin() as session:
        made = session.scalars(select(Platform)).first()
        assert made is not None
        key_id, sealed = desk.archive.keyring.seal_anew(session, b"whsec_c2VjcmV0", "webhook:we_page")
        session.add(
            Endpoint(
                id="we_page", platform_id=made.id, community_id=COMMUNITY_ID, url="http://127.0.0.1:9/hook",
                key_id=key_id, sealed_secret=sealed, cursor="", created_at=made.created_at,
                state_at=made.created_at,
            )
        )  # fmt: skip
    path = "/desk/webhooks/we_page"
    tried = browser.send(path, f"{path}/test")
    assert tried.status_code == 422
    assert "cn.tingjian.webhook.tested" in tried.get_data(as_text=True)  # the log says what came of it
    assert secret(browser.send(path, f"{path}/rotate").get_data(as_text=True)).startswith("whsec_")
    assert browser.send(path, f"{path}/pause").status_code == 302
    assert "已暂停" in text(browser, path)
    assert browser.send(path, f"{path}/sing").status_code == 404
    assert browser.send(path, f"{path}/remove").status_code == 302
    assert browser.get(path).status_code == 404


def test_every_setting_and_scope_is_explained_in_the_readers_language() -> None:
    words = all_words()
    for name in SETTINGS:
        assert f"setting_{name}" in words, name
        assert f"setting_about_{name}" in words, name
    for scope in SCOPES:
        assert f"scope_{scope.replace(':', '_')}" in words, scope


def test_a_setting_is_checked_audited_and_never_written_over(desk: Desk, browser: Browser) -> None:
    here = "/desk/settings"
    assert browser.send(here, f"{here}/keep_months", value="900", before="").status_code == 422
    assert browser.send(here, f"{here}/keep_months", value="6", before="").status_code == 302
    with desk.archive.database.begin() as session:
        assert setting(session, COMMUNITY_ID, "keep_months") == 6
        change_setting(session, COMMUNITY_ID, "keep_months", 8, "somebody else")
    late = browser.send(here, f"{here}/keep_months", value="10", before="6")
    assert late.status_code == 409
    assert 'value="10"' in late.get_data(as_text=True)
    words = browser.send(here, f"{here}/vocabulary", value="东巷口，桃源", before="")
    assert words.status_code == 302
    with desk.archive.database.read() as session:
        assert setting(session, COMMUNITY_ID, "vocabulary") == ["东巷口", "桃源"]
    hours = browser.send(here, f"{here}/quiet_hours", value="12:00-14:00，20:00-09:00", before="")
    assert hours.status_code == 302
    assert 'value="12:00-14:00，20:00-09:00"' in text(browser, here)
    assert browser.send(here, f"{here}/quiet_hours", value="abends", before="x").status_code == 409
    assert browser.send(here, f"{here}/nothing", value="1").status_code == 404


def test_the_log_is_narrowed_down_and_taken_away_and_that_is_written_down_too(
    desk: Desk, browser: Browser
) -> None:
    page = text(browser, "/desk/audit?act=setting_changed")
    assert "改设置" in page
    assert "keep_months" in page
    rows = page.partition("<tbody>")[2]
    assert "添加平台" not in rows
    assert (
        "keep_months"
        not in text(browser, "/desk/audit?act=setting_changed&until=2020-01-01").partition("<tbody>")[2]
    )
    answer = browser.get("/desk/audit.csv?act=setting_changed")
    assert answer.mimetype == "text/csv"
    assert "keep_months" in answer.get_data(as_text=True)
    assert "audit.exported" in text(browser, "/desk/audit.csv")
    with desk.archive.database.begin() as session:
        for n in range(60):
            audit(session, COMMUNITY_ID, "st_x", "opinion_seen", f"op_{n}")
    seen, path = 0, "/desk/audit?actor=st_x"
    for _ in range(9):
        page = text(browser, path)
        seen += page.partition("<tbody>")[2].count("<tr>")
        following = re.search(r'rel="next" href="([^"]+)"', page)
        if following is None:
            break
        path = following[1].replace("&amp;", "&")
    assert seen == 60  # page by page to the end


def test_the_overview_opens_the_list_behind_each_number(desk: Desk, browser: Browser) -> None:
    page = text(browser, "/desk/overview?days=90")
    addresses = {one.replace("&amp;", "&") for one in re.findall(r'href="(/desk/overview/[^"]+)"', page)}
    assert len(addresses) > 3
    for address in addresses:
        text(browser, address)
    assert "<svg" in page
    assert "style=" not in page
    listed = text(browser, f"/desk/overview/opinions?days=90&channel={quote('phone')}")
    assert "/desk/opinions/op_" in listed
    assert browser.get("/desk/overview/secrets").status_code == 404
    browser.send("/desk/overview", "/desk/language", language="en", back="/desk/overview")
    assert "Where callers hang up" in text(browser, "/desk/overview")
    browser.send("/desk/overview", "/desk/language", language="zh", back="/desk/overview")


def test_a_prompt_is_replaced_by_an_upload_and_a_name_is_taught(desk: Desk, browser: Browser) -> None:
    assert "finish.goodbye" in text(browser, "/desk/prompts?q=finish.goodbye")
    here = "/desk/prompts/said/finish.goodbye"
    moments = np.arange(48_000 * 8) / 48_000  # larger than a form may be
    wav = write_wav(Audio((np.sin(2 * np.pi * 200 * moments) * 0.4).astype(np.float32), 96_000))
    assert len(wav) > 700_000
    upload = {"sound": (io.BytesIO(wav * 1), "goodbye.wav"), "version": "0"}
    path = "/desk/prompts/record/finish.goodbye"
    assert browser.send(here, path, **upload).status_code == 302  # type: ignore[arg-type]
    noise = {"sound": (io.BytesIO(b"no sound"), "x.wav"), "version": "1"}
    assert browser.send(here, path, **noise).status_code == 422  # type: ignore[arg-type]
    assert "正在用" in text(browser, here)
    heard = browser.get("/desk/prompts/take/1/finish.goodbye")
    assert heard.data[:4] == b"RIFF"
    assert (
        browser.send(here, "/desk/prompts/restore/finish.goodbye", which="0", version="1").status_code == 302
    )
    with desk.archive.database.read() as session:
        assert session.scalars(select(PromptRecording)).all() == []
    assert browser.get("/desk/prompts/said/no.such").status_code == 404
    list_ = "/desk/prompts/pronunciations"
    assert browser.send(list_, list_, word="乐清", pinyin="yue4", before="").status_code == 422
    assert browser.send(list_, list_, word="乐清", pinyin="yue4 qing1", before="").status_code == 302
    assert "yue4 qing1" in text(browser, list_)
    assert browser.send(list_, f"{list_}/forget", word="乐清").status_code == 302
    with desk.archive.database.read() as session:
        assert session.scalars(select(Pronunciation)).all() == []


def test_a_stranger_may_not_send_what_is_large(desk: Desk) -> None:
    large = {"sound": (io.BytesIO(b"x" * 2_000_000), "x.wav")}
    answer = desk.browser().client.post("/desk/prompts/record/finish.goodbye", data=large)
    assert answer.status_code == 413


def test_an_auditor_looks_at_the_house_and_changes_nothing(desk: Desk) -> None:
    with desk.archive.database.begin() as session:
        add_staff(session, COMMUNITY_ID, "查账的", PASSWORD, "auditor")
    auditor = desk.browser()
    auditor.sign_in("查账的", PASSWORD)
    for path in ("staff", "platforms", "settings", "audit", "overview", "prompts", "topics"):
        page = text(auditor, f"/desk/{path}").partition("<main")[2]
        assert 'method="post"' not in page, path
    assert auditor.get("/desk/privacy").status_code == 403
    assert auditor.get("/desk/roster").status_code == 403
