"""Every page of the desk before axe-core, twice: in opposite languages, lights, sizes of type and widths."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import astuple, dataclass

import pytest
from playwright.sync_api import Browser

from tests.admin.browser import (
    DESKTOP,
    NEEDS_CHROMIUM,
    PHONE,
    Seat,
    browser,
    find_person,
    served,
    sit_down,
    violations,
)
from tests.admin.desk import Desk
from tests.admin.furnished import CALLER, furnish, pages

pytestmark = NEEDS_CHROMIUM


@dataclass(frozen=True)
class Look:
    """One way in which a page is seen; `is_chosen`: darkness is the reader's switch, not their device's."""

    is_phone: bool
    is_dark: bool
    is_large: bool
    is_english: bool
    is_chosen: bool

    @property
    def opposite(self) -> Look:
        """The look that differs in everything."""
        return Look(*(not one for one in astuple(self)))

    def dress(self, seat: Seat) -> None:
        """Make the seat's browser look like this."""
        scheme = "dark" if self.is_dark and not self.is_chosen else "light"
        theme = "dark" if self.is_dark and self.is_chosen else "system"
        seat.page.set_viewport_size(PHONE if self.is_phone else DESKTOP)  # type: ignore[arg-type]
        seat.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        chosen = f"{theme}.{'large' if self.is_large else 'ordinary'}"
        seat.page.context.add_cookies([{"name": "tingjian_look", "value": chosen, "url": seat.base}])


def looks(endpoint: str) -> tuple[Look, Look]:
    """Two opposite looks of a page, others for other pages: each page is seen in Chinese and in English,
    in light and dark, ordinary and large type, on a desktop and on a phone. All ways come by."""
    bits = zlib.crc32(endpoint.encode())
    one = Look(False, *(bool(bits >> place & 1) for place in range(4)))
    return one, one.opposite


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


@pytest.mark.parametrize("is_english", [False, True], ids=["zh", "en"])
def test_no_page_shuts_anybody_out(
    desk: Desk, opened: Browser, base: str, addresses: list[tuple[str, str]], is_english: bool
) -> None:
    seat = sit_down(opened, base, desk.account.name, desk.account.password)
    if is_english:
        seat.page.click("button[name=language]")
        seat.page.wait_for_selector("html[lang=en]")
    find_person(seat, CALLER)
    found: dict[str, list[str]] = {}
    for endpoint, path in addresses:
        (look,) = (one for one in looks(endpoint) if one.is_english is is_english)
        look.dress(seat)
        seat.go(path)
        assert seat.page.url.endswith(path)
        wrong = violations(seat.page) + wide(seat)
        if wrong:
            found[f"{path} {look}"] = wrong
    assert found == {}
    # axe copies the style in the wave's shadow into a document of its own, which our content policy refuses
    assert [one for one in seat.problems if "inline style" not in one] == []
    seat.page.context.clear_cookies()
    seat.go("/desk/sign-in")
    assert violations(seat.page) == []


def test_the_looks_of_all_pages_are_all_there_are(addresses: list[tuple[str, str]]) -> None:
    pairs = [looks(endpoint) for endpoint, _ in addresses]
    assert {look.is_english for pair in pairs for look in pair} == {False, True}
    assert len({look for pair in pairs for look in pair}) >= 28  # of the thirty-two


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
