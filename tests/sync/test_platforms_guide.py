"""What the integrator's guide promises is what the program does; its code runs."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

import sync.client
from sync.api.access import CALLS_A_MINUTE
from sync.api.changes import LONGEST_WAIT_SECONDS, MOST_EVENTS
from sync.api.paging import LARGEST_PAGE
from sync.api.routes import ROUTES
from sync.platforms import SCOPES
from sync.shown.changed import KINDS
from sync.webhooks.delivering import DEAD_AFTER, LEAST_TRIES, PAUSES_SECONDS
from sync.webhooks.endpoints import OVERLAP
from sync.webhooks.log import KEPT
from sync.webhooks.news import RESYNC
from sync.webhooks.sending import ANSWER_SECONDS, signed
from sync.wording import LONGEST_SPOKEN, LONGEST_TITLE

GUIDE = (Path(__file__).parents[2] / "docs" / "platforms.md").read_text("utf-8")
CODE = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


def test_every_scope_is_explained() -> None:
    table = GUIDE.split("| scope |")[1].split("\n\n")[0]
    assert set(re.findall(r"`([a-z]+:[a-z]+)`", table)) == set(SCOPES)


def test_every_call_it_names_exists_and_every_write_is_named() -> None:
    known = {(route.method, route.path.replace("<record_id>", "ID")) for route in ROUTES}
    named = set(re.findall(r"(GET|POST|PATCH|DELETE) (/v1/[a-zA-Z/]+)", GUIDE))
    assert named <= known
    assert {call for call in known if call[0] != "GET"} <= named


def test_its_numbers_are_the_programs() -> None:
    hours = [f"{seconds // 3600} h" for seconds in PAUSES_SECONDS if seconds >= 3600]
    assert ", ".join(["5 s", "5 min", "30 min", *hours[:-1]]) + ", then every 24 h" in GUIDE
    assert PAUSES_SECONDS[:3] == (5, 300, 1800)
    assert PAUSES_SECONDS[-1] == 24 * 3600
    assert (DEAD_AFTER.days, LEAST_TRIES) == (5, 10)
    assert f"kept for {KEPT.days} days" in GUIDE
    assert f"for {OVERLAP // timedelta(hours=1)} hours both sign" in GUIDE
    assert f"within {ANSWER_SECONDS:g} s" in GUIDE
    assert f"wait={LONGEST_WAIT_SECONDS}" in GUIDE
    assert f"{CALLS_A_MINUTE} calls a minute" in GUIDE
    assert f"at most {LARGEST_PAGE} records ({MOST_EVENTS:,} events)" in GUIDE
    assert f"`spoken_title` has at most {LONGEST_TITLE} characters" in GUIDE
    assert f"`spoken_background` at most {LONGEST_SPOKEN}" in GUIDE
    assert RESYNC in GUIDE
    assert sync.client.RESYNC == RESYNC


def test_every_record_of_the_feed_is_named() -> None:
    listed = re.search(r"record: ([a-z, ]+)\)", GUIDE)
    assert listed is not None
    assert set(listed[1].split(", ")) == {kind for kinds in KINDS.values() for kind in kinds}


def test_the_feed_loop_is_python_against_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tingjian_client", sync.client)
    named: dict[str, Any] = {}
    exec(CODE[0], named)
    assert callable(named["follow"])


def test_the_webhook_in_ten_lines_believes_only_the_signed() -> None:
    named: dict[str, Any] = {"__name__": __name__}
    exec(CODE[1], named)
    app: Flask = named["app"]
    body = '{"type": "cn.tingjian.reply.created", "subject": "re_1"}'
    good = signed("ev_1", body, named["SECRETS"], datetime.now(UTC))
    forged = signed("ev_1", body, ["whsec_" + "b3Ro" * 8], datetime.now(UTC))
    client = app.test_client()
    assert client.post("/hook", data=body, headers=good).status_code == 204
    assert client.post("/hook", data=body, headers=forged).status_code == 401
    assert client.post("/hook", data=body).status_code == 401
