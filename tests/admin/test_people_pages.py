"""The roster and the privacy desk, on both databases: checked before it is taken over, seen for a reason."""

from __future__ import annotations

import io
import json
import re
import zipfile

import pytest
from sqlalchemy import select

from admin import roster_import
from admin.demo.seed import COMMUNITY_ID
from sync.drafts import KEPT, forget_drafts
from sync.people import find_or_create_number, person_at
from sync.records.tables import Audit, Consent, Household, Key, Person, Resident, RosterImport
from tests.admin.desk import Browser, Desk

FILE = "户,姓名,电话,座次\n9-101,钱七,13955550001,1\n9-101,钱八,13955550001,2\n9-102,周九,,\n"
NUMBER = "+8613955550001"


@pytest.fixture(scope="module")
def browser(any_desk: Desk) -> Browser:
    return any_desk.signed_in()


def text(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def check(browser: Browser, content: str, encoding: str = "utf-8") -> tuple[int, str, str]:
    """The status, the page or where it leads."""
    upload = (io.BytesIO(content.encode(encoding)), "roster.csv")
    answer = browser.send("/desk/roster", "/desk/roster/check", file=upload)  # type: ignore[arg-type]
    return answer.status_code, answer.headers.get("Location", ""), answer.get_data(as_text=True)


def acts(desk: Desk) -> list[str]:
    with desk.archive.database.read() as session:
        return list(session.scalars(select(Audit.act)))


def test_a_roster_is_checked_then_taken_over_and_the_file_is_gone(any_desk: Desk, browser: Browser) -> None:
    status, _, page = check(browser, "户,姓名,电话\n9-101,,139\n")
    assert status == 422
    assert "第 2 行缺户或姓名" in page
    status, path, _ = check(browser, FILE, "gb18030")  # as spreadsheets save it
    assert status == 302
    page = text(browser, path)
    assert "文件里有 3 个人。还没有导入。" in page
    assert re.search(r"新的一户</th><td class=\"number\">3<", page)
    with any_desk.archive.database.read() as session:
        assert session.scalars(select(Household).where(Household.reference == "9-101")).all() == []
        draft = session.scalars(select(RosterImport)).one()
        assert draft.sealed_entries is not None
        assert "钱七".encode() not in draft.sealed_entries
    assert (
        browser.send(path, f"{path}/begin").status_code == 302
    )  # no Redis here: the page itself takes it over
    page = text(browser, path)
    assert "导入好了" in page
    assert "新增 2 户、3 人，已有 0 人。" in page
    with any_desk.archive.database.read() as session:
        draft = session.get_one(RosterImport, draft.id)
        assert (draft.state, draft.done, draft.sealed_entries) == ("done", 3, None)
        assert session.get_one(Key, draft.key_id).wrapped is None
    again = browser.send("/desk/roster", f"{path}/begin")
    assert again.status_code == 422
    changed = FILE + "9-103,钱七,13955550001,3\n"
    _, path, _ = check(browser, changed)
    page = text(browser, path)
    assert re.search(r"已经有了</th><td class=\"number\">3<", page)
    assert "有的电话已经登记在另一户" in page
    assert browser.send(path, f"{path}/drop").status_code == 302
    assert {"roster.checked", "roster.imported"} <= set(acts(any_desk))


def test_an_import_that_was_killed_goes_on_and_one_left_lying_is_destroyed(
    any_desk: Desk, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster_import, "_STEP", 1)
    _, path, _ = check(browser, "户,姓名\n8-1,一\n8-2,二\n8-3,三\n")
    draft_id = path.rpartition("/")[2]
    with any_desk.archive.database.begin() as session:
        draft = session.get_one(RosterImport, draft_id)
        draft.state, draft.done = "running", 1  # its worker died after the first
    page = text(browser, path)
    assert "3 行里好了 1 行" in page
    assert "接着导入" in page
    roster_import.run_import(any_desk.archive, draft_id)
    with any_desk.archive.database.read() as session:
        assert session.get_one(RosterImport, draft_id).state == "done"
        assert len(session.scalars(select(Household).where(Household.reference.like("8-%"))).all()) == 2
    _, path, _ = check(browser, FILE)
    with any_desk.archive.database.read() as session:
        made_at = session.get_one(RosterImport, path.rpartition("/")[2]).made_at
    assert forget_drafts(any_desk.archive, made_at + KEPT) == 0
    assert forget_drafts(any_desk.archive, made_at + KEPT * 2) >= 1
    assert "没有导入" in text(browser, path)


def test_homes_are_found_by_reference_or_number_and_names_taken_off_one_by_one(
    any_desk: Desk, browser: Browser
) -> None:
    with any_desk.archive.database.begin() as session:
        number = find_or_create_number(session, any_desk.archive, COMMUNITY_ID, NUMBER)
        caller = person_at(session, any_desk.archive, COMMUNITY_ID, number, 1).id
        assert session.get_one(Person, caller).household_id is not None  # the roster says where they live
    page = text(browser, "/desk/roster?q=9-1")
    assert "钱七" in page
    assert "9-102" in page
    assert "8-2" not in page
    assert "钱八" in text(browser, "/desk/roster?q=139+5555+0001")
    with any_desk.archive.database.read() as session:
        home = session.scalars(select(Household.id).where(Household.reference == "9-101")).one()
        names = session.scalars(
            select(Resident).where(Resident.household_id == home).order_by(Resident.seat)
        ).all()
    for resident in names:
        assert browser.send("/desk/roster", f"/desk/roster/names/{resident.id}/remove").status_code == 302
    assert "钱七" not in text(browser, "/desk/roster?q=9-1")
    with any_desk.archive.database.read() as session:
        assert session.get(Resident, names[0].id) is None
        assert session.get_one(Key, names[0].key_id).wrapped is None
        assert session.get_one(Person, caller).household_id is None
    assert acts(any_desk).count("roster.name_removed") == 2


def test_somebody_is_found_for_a_reason_and_only_who_found_them_looks(
    any_desk: Desk, browser: Browser
) -> None:
    with any_desk.archive.database.begin() as session:
        number = find_or_create_number(session, any_desk.archive, COMMUNITY_ID, NUMBER)
        caller = person_at(session, any_desk.archive, COMMUNITY_ID, number, 1)
        session.add(
            Consent(
                id="con_page", source="t", source_id="t", community_id=COMMUNITY_ID, person_id=caller.id,
                purpose="neighbours_voice", answer="pressed", version="1", given_at=caller.created_at,
            )
        )  # fmt: skip
        person_id = caller.id
    path = f"/desk/privacy/people/{person_id}"
    assert browser.get(path).headers["Location"] == "/desk/privacy"  # not found just now: an id is not enough
    nobody = browser.send("/desk/privacy", "/desk/privacy", asked="13911112222", reason="x")
    assert nobody.status_code == 422
    assert browser.send("/desk/privacy", "/desk/privacy", asked=NUMBER, reason=" ").status_code == 422
    there = browser.send("/desk/privacy", "/desk/privacy", asked="139 5555 0001", reason="本人来问")
    assert there.headers["Location"] == path
    page = text(browser, path)
    assert "原声放给邻居听: 按键同意" in page
    assert NUMBER not in page
    shown = browser.send(path, f"{path}/number", reason="核对")
    assert NUMBER in shown.get_data(as_text=True)
    assert NUMBER not in text(browser, path)
    assert (
        browser.send(path, f"{path}/withdraw", purpose="neighbours_voice", reason="本人要求").status_code
        == 302
    )
    assert "撤回" in text(browser, path)
    taken = browser.send(path, f"{path}/export", reason="本人要一份")
    assert taken.mimetype == "application/zip"
    told = json.loads(zipfile.ZipFile(io.BytesIO(taken.data)).read("person.json"))
    assert told["person"]["number"] == NUMBER
    assert browser.send(path, f"{path}/erase", reason="本人要求").status_code == 422  # nobody was sure
    assert browser.send(path, f"{path}/erase", reason="本人要求", sure="yes").status_code == 302
    assert browser.send("/desk/privacy", "/desk/privacy", asked=NUMBER, reason="再找").status_code == 422
    wanted = {
        "person.found",
        "person.seen",
        "number_seen",
        "consent.withdrawn",
        "person.exported",
        "person_erased",
    }
    assert wanted <= set(acts(any_desk))
    with any_desk.archive.database.read() as session:
        rows = session.scalars(select(Audit).where(Audit.subject == person_id)).all()
    assert not any("55550001" in f"{row.reason}{row.details}" for row in rows)
    other = any_desk.signed_in()
    assert other.get(path).headers["Location"] == "/desk/privacy"
