"""Every page of the desk before axe-core: light and dark, desktop and phone, ordinary and large type."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.admin.browser import DESKTOP, NEEDS_CHROMIUM, PHONE, Seat, browser, served, sit_down, violations
from tests.admin.desk import Desk
from tests.admin.furnished import furnish, pages

pytestmark = NEEDS_CHROMIUM

# (viewport, what the reader's device prefers, what they chose at the desk: theme and type)
LOOKS = [(DESKTOP, "light", "system.ordinary"), (PHONE, "dark", "system.large")]


@pytest.fixture(scope="module")
def addresses(desk: Desk) -> list[tuple[str, str]]:
    return list(pages(desk, furnish(desk)))


@pytest.fixture(scope="module")
def base(desk: Desk, addresses: list[tuple[str, str]]) -> Iterator[str]:
    with served(desk) as address:
        yield address


@pytest.fixture(scope="module")
def opened() -> Iterator[Browser]:
    with browser() as one:
        yield one


@pytest.mark.parametrize(("viewport", "scheme", "look"), LOOKS, ids=["desktop-light", "phone-dark-large"])
def test_no_page_shuts_anybody_out(
    desk: Desk, opened: Browser, base: str, addresses: list[tuple[str, str]],
    viewport: dict[str, int], scheme: str, look: str,
) -> None:  # fmt: skip
    seat = sit_down(
        opened, base, desk.account.name, desk.account.password, viewport=viewport, color_scheme=scheme
    )
    seat.page.context.add_cookies([{"name": "tingjian_look", "value": look, "url": base}])
    found: dict[str, list[str]] = {}
    for _, path in addresses:
        seat.go(path)
        wrong = violations(seat.page) + wide(seat)
        if wrong:
            found[path] = wrong
    assert found == {}
    assert seat.problems == []
    seat.page.context.clear_cookies()
    seat.go("/desk/sign-in")
    assert violations(seat.page) == []


def test_what_was_chosen_is_remembered_and_nothing_needs_a_script(
    desk: Desk, opened: Browser, base: str
) -> None:
    seat = sit_down(
        opened, base, desk.account.name, desk.account.password, java_script_enabled=False, locale="zh-CN"
    )
    seat.page.click("button[name=size]")
    seat.page.wait_for_selector("html[data-size=large]")
    seat.page.click("button[name=theme]")
    seat.page.wait_for_selector("html[data-theme=dark][data-size=large]")
    seat.go("/desk/?state=all")
    seat.page.wait_for_selector("html[data-theme=dark][data-size=large]")
    seat.page.fill("#q", "路灯")
    seat.page.keyboard.press("Enter")
    seat.page.wait_for_url("**q=**")
    assert seat.page.locator("[data-rows] a").count() >= 1
    seat.page.locator("[data-rows] a").first.click()
    seat.page.fill("#reply", "已经报修。")
    seat.page.click("form[action$='/reply'] button.good")
    seat.confirmed("回复已发出")


def wide(seat: Seat) -> list[str]:
    """What sticks out of the page to the right: nobody should have to scroll sideways."""
    beyond = seat.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [f"the page is {beyond} px too wide"] if beyond > 1 else []
