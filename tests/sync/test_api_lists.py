"""Every list of the API: as many queries for a long page as for a short one; a tampered cursor is a 4xx."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from sync.api.routes import ROUTES
from sync.archive import Archive
from sync.platforms import SCOPES
from sync.records.tables import Community
from tests.sync.writer import Told, Writer, app_on, enter

LISTS = [route for route in ROUTES if route.is_list]
SHORT, LONG = 10, 100


@pytest.fixture
def writer(archive: Archive, community: Community) -> Writer:
    """More of everything than the longest page holds, each with all that hangs on it."""
    writer = enter(archive, app_on(archive, Told(), []), community.id, *SCOPES)
    topic_id = writer.topic()
    ballots = [{"id": str(n), "voice": {"account": str(n)}, "choice": "agree"} for n in range(LONG)]
    writer.post(f"/topics/{topic_id}/ballots", {"ballots": ballots})
    for n in range(LONG + 1):
        own = writer.topic(title=f"第{n}个")
        writer.post(f"/topics/{own}/ballots", {"id": f"o{n}", "voice": {"account": "li"}, "choice": "pass"})
        writer.post(f"/topics/{own}/progress", {"stage": "采购", "text": f"第{n}步"})
        writer.feedback(id=f"f{n}", topic_id=own)
    writer.work()
    for n, one in enumerate(writer.get(f"/feedback?limit={LONG}").get_json()["items"]):
        path = f"/feedback/{one['id']}"
        writer.post(f"{path}/reactions", {"id": f"r{n}", "voice": {"account": "wang"}, "choice": "agree"})
        writer.post(f"{path}/replies", {"spoken": f"答复{n}"})
    writer.work()
    return writer


@contextmanager
def statements(archive: Archive) -> Iterator[list[str]]:
    """What is asked of the database meanwhile."""
    asked: list[str] = []

    def note(*given: object) -> None:
        asked.append(str(given[2]))

    event.listen(archive.database.engine, "before_cursor_execute", note)
    yield asked
    event.remove(archive.database.engine, "before_cursor_execute", note)


@pytest.mark.slow
def test_a_long_page_costs_as_many_queries_as_a_short_one(writer: Writer) -> None:
    assert {route.path for route in LISTS} >= {"/v1/feedback", "/v1/topics", "/v1/progress", "/v1/changes"}
    for route in LISTS:
        path, costs = route.path.removeprefix("/v1"), {}
        for limit in (SHORT, LONG):
            with statements(writer.archive) as asked:
                page = writer.get(f"{path}?limit={limit}")
            assert len(page.get_json()["items"]) == limit, route.path
            costs[limit] = len(asked)
        assert costs[SHORT] == costs[LONG] < 25, (route.path, costs)


def test_a_long_batch_costs_as_many_queries_as_a_short_one(archive: Archive, community: Community) -> None:
    """But for the people who are new: they have to be written down one by one."""
    writer = enter(archive, app_on(archive, Told(), []), community.id, *SCOPES)
    topic_id = writer.topic()

    def ballots(most: int, first: int) -> dict[str, list[object]]:
        voices = [{"account": str(n)} for n in range(most)]
        for n in range(0, most, 3):
            voices[n]["number"] = f"+86138{n:08}"
        return {
            "ballots": [
                {"id": str(first + n), "voice": voice, "choice": "agree"} for n, voice in enumerate(voices)
            ]
        }

    assert writer.post(f"/topics/{topic_id}/ballots", ballots(LONG, 0)).status_code == 202
    costs = []
    for most, first in ((SHORT, 1_000), (LONG, 2_000)):
        with statements(archive) as asked:
            assert writer.post(f"/topics/{topic_id}/ballots", ballots(most, first)).status_code == 202
        costs.append(len(asked))
    assert costs[0] == costs[1] < 25
    writer.work()
    result = writer.get(f"/topics/{topic_id}").get_json()["result"]
    assert (result["voters"], result["evidence"]) == (LONG, {"attested": 34, "none": 66})


@pytest.mark.slow
def test_a_tampered_cursor_is_refused_or_leads_nowhere_new(writer: Writer) -> None:
    for route in LISTS:
        path = route.path.removeprefix("/v1")
        cursor = writer.get(f"{path}?limit=1").get_json()["next_cursor"]
        for odd in (
            cursor + "A" * 300, "%00", "..", "' or 1=1 --", "%F0%9F%98%80", "-1",
            cursor[:1] + "%2F" + cursor[1:],
        ):  # fmt: skip
            refused = writer.get(f"{path}?limit=1&cursor={odd}")
            assert refused.status_code in (400, 410, 422), (path, odd, refused.get_data())
            assert refused.mimetype == "application/problem+json"
        for n in range(len(cursor)):
            other = cursor[:n] + ("9" if cursor[n] != "9" else "8") + cursor[n + 1 :]
            answer = writer.get(f"{path}?limit=1&cursor={other}")
            assert answer.status_code in (200, 400, 410, 422), (path, other)
