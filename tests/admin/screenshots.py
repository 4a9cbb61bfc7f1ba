"""`make screenshots`: every page of the desk, with something on it, as wide as a phone and as a desktop."""

from __future__ import annotations

import base64
import logging
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.admin.browser import DESKTOP, PHONE, Seat, browser, find_person, served, sit_down
from tests.admin.desk import open_desk
from tests.admin.furnished import CALLER, furnish, pages

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
WIDTHS = {"desktop": DESKTOP, "phone": PHONE}
TALLEST = 1600  # pixels; what lies below is cut off
QUALITY = 60


def main() -> None:
    """Write the pictures anew and remove those of pages that are gone."""
    logging.disable(logging.WARNING)
    FOLDER.mkdir(parents=True, exist_ok=True)
    written: set[Path] = set()
    with tempfile.TemporaryDirectory() as home:
        desk = open_desk(Path(home))
        places = list(pages(desk, furnish(desk)))
        with served(desk) as base, browser() as opened:
            for width, viewport in WIDTHS.items():
                account = desk.account
                seat = sit_down(opened, base, account.name, account.password, viewport=viewport)
                find_person(seat, CALLER)
                for endpoint, path in places:
                    seat.go(path)
                    file = FOLDER / f"{endpoint.removeprefix('desk.')}-{width}.webp"
                    file.write_bytes(picture(seat.page, viewport["width"]))
                    written.add(file)
                    take_danger(seat)  # it stands on top of every page until then: the first shows it
        desk.archive.close()
    for file in FOLDER.glob("*.webp"):
        if file not in written:
            file.unlink()


def take_danger(seat: Seat) -> None:
    """Press the button of a danger that nobody has taken yet."""
    button = seat.page.locator("form[action$='/taken'] button")
    if button.count():
        with seat.page.expect_navigation():
            button.first.click()


def picture(page: Page, width: int) -> bytes:
    """The page as WebP, from its top down to `TALLEST`."""
    height = min(int(page.evaluate("document.documentElement.scrollHeight")), TALLEST)
    camera = page.context.new_cdp_session(page)
    shot = camera.send(
        "Page.captureScreenshot",
        {
            "format": "webp",
            "quality": QUALITY,
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1},
        },
    )
    camera.detach()
    return base64.b64decode(shot["data"])


if __name__ == "__main__":
    main()
