"""What libraries draw and bring, shapes and scripts; and the words beside what is drawn."""

from __future__ import annotations

import re

from flask import session

from admin.pages.charts import bar, stack
from admin.pages.libraries import LIBRARIES
from admin.pages.overview import stopped_at
from ivr.dialogue.sample import sample_flows
from ivr.dialogue.steps import Dial, Listen, Lookup, Menu, Number, Record
from sync.overview import place_of
from tests.admin.desk import Desk
from tests.admin.spoken import speak

NONCE = re.compile(r"style-src 'self' 'nonce-([\w-]{20,})'")


def test_a_chart_is_shapes_alone_as_long_as_what_they_count() -> None:
    drawn = [bar(count, 40) for count in (0, 10, 40)]
    for one in [*drawn, stack([3, 1])]:
        assert not re.search(r"<(style|script|text|title|desc|defs)|style=| id=|on\w+=|href", one)
        assert 'aria-hidden="true"' in one
    none, quarter, whole = map(widths, drawn)
    assert none == []
    assert round(whole[0] / quarter[0]) == 4
    more, fewer = widths(stack([3, 1]))
    assert round(more / fewer) == 3
    assert (bar(0, 0), stack([0, 0])) == (bar(0, 40), "")


def widths(drawn: str) -> list[float]:
    """How long the shapes of a drawing are."""
    return [float(one) for one in re.findall(r'<rect[^>]*?width="([\d.]+)"', drawn)]


def test_the_wave_may_style_itself_on_the_page_of_a_sound_alone(desk: Desk) -> None:
    this = speak(desk.archive, ["路灯", "坏", "了"], "drawn", None)
    browser = desk.signed_in()
    policies = [browser.get(f"/desk/opinions/{this}").headers["Content-Security-Policy"] for _ in range(2)]
    nonces = [found[1] for policy in policies if (found := NONCE.search(policy))]
    assert len(set(nonces)) == 2
    page = browser.get(f"/desk/opinions/{this}")
    assert all("script-src 'self';" in policy and "unsafe" not in policy for policy in policies)
    peaks = re.search(r'data-peaks="([\d ]+)"', page.get_data(as_text=True))
    assert peaks
    assert max(map(int, peaks[1].split())) == 100
    assert "nonce" not in browser.get("/desk/").headers["Content-Security-Policy"]


def test_libraries_come_from_their_wheels_to_everybody(desk: Desk) -> None:
    stranger = desk.browser()
    for name in LIBRARIES:
        answer = stranger.get(f"/desk/libraries/{name}")
        assert answer.status_code == 200
        assert answer.mimetype == "text/javascript"
        again = stranger.get(f"/desk/libraries/{name}", headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304
    assert stranger.get("/desk/libraries/desk.css").status_code == 404


def test_every_place_where_a_caller_may_hang_up_has_words(desk: Desk) -> None:
    waits = (Dial, Listen, Lookup, Menu, Number, Record)
    places = {
        place_of(name)
        for flow in sample_flows().values()
        for name, step in flow.steps.items()
        if isinstance(step, waits)
    }
    assert len(places) > 40
    with desk.app.test_request_context():
        assert [place for place in places if stopped_at(place).isascii()] == []
        assert stopped_at("own.2.reply") == "听回复 2"
        session["language"] = "en"
        assert stopped_at("own.2.reply") == "hearing the reply 2"
