"""What platforms read beside feedback and topics: the feed, results, progress; and how they wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from sync import feed
from sync.accounts import voice_of
from sync.api import changes as changes_api
from sync.api import create_api
from sync.archive import Archive
from sync.changes import note
from sync.desk import Actor
from sync.joining import join
from sync.links import join as linked
from sync.platforms import add_platform
from sync.records.tables import Ballot, Community, Link, Opinion, ProgressUpdate
from sync.records.tables import Platform as PlatformRow
from tests.sync.test_api import Platform, is_problem
from tests.sync.village import COMMUNITY, NOON, ROAD, Village, at

ALL = ("feedback:read", "topics:read", "changes:read")


@pytest.fixture
def client(archive: Archive) -> FlaskClient:
    app = Flask("test")
    app.register_blueprint(create_api(archive, calls_a_minute=10_000))
    return app.test_client()


@pytest.fixture
def village(archive: Archive, community: Community) -> Village:
    return Village(archive)


@pytest.fixture
def platform(archive: Archive, community: Community, client: FlaskClient) -> Platform:
    return enter(archive, client)


def enter(archive: Archive, client: FlaskClient, *scopes: str) -> Platform:
    with archive.database.begin() as session:
        _, key = add_platform(session, COMMUNITY, "online", scopes or ALL)
    return Platform(client, key)


def changed(archive: Archive, record_id: str = ROAD, record: str = "topic") -> None:
    with archive.database.begin() as session:
        note(session, record, record_id, COMMUNITY, "updated", NOON)


def test_the_feed_is_read_page_by_page(archive: Archive, village: Village, platform: Platform) -> None:
    village.topic()
    for _ in range(5):
        changed(archive)
    first = platform.get("/api/v1/changes?limit=3").get_json()
    assert (len(first["items"]), first["has_more"]) == (3, True)
    rest = platform.get(f"/api/v1/changes?cursor={first['next_cursor']}").get_json()
    assert (len(rest["items"]), rest["has_more"]) == (2, False)
    assert len({one["id"] for one in first["items"] + rest["items"]}) == 5
    assert first["items"][0]["data"] == platform.get(f"/api/v1/topics/{ROAD}").get_json()


def test_an_unchanged_page_of_the_feed_is_not_sent_again(
    archive: Archive, village: Village, platform: Platform
) -> None:
    village.topic()
    changed(archive)
    end = f"/api/v1/changes?cursor={platform.get('/api/v1/changes').get_json()['next_cursor']}"
    tag = platform.get(end).headers["ETag"]
    assert platform.get(end, **{"If-None-Match": tag}).status_code == 304
    changed(archive)
    assert platform.get(end, **{"If-None-Match": tag}).status_code == 200


def test_the_feed_has_a_scope_of_its_own_and_shows_what_the_others_allow(
    archive: Archive, village: Village, client: FlaskClient
) -> None:
    village.topic()
    changed(archive)
    assert is_problem(enter(archive, client, "topics:read").get("/api/v1/changes"), 403)
    assert enter(archive, client, "changes:read").get("/api/v1/changes").get_json()["items"] == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("cursor=", 400), ("cursor=x", 400), ("cursor=1.1.1", 400), ("cursor=01234567.-1.0", 400),
        ("cursor=0123456７.1.1", 400), ("cursor=01234567.1.1", 410),
        ("cursor=01234567.999999999999999999.999999999999999999", 410),
        ("cursor=01234567.9999999999999999999.1", 400), ("cursor=" + "a" * 500, 422),
        ("limit=0", 422), ("limit=1001", 422), ("limit=x", 422),
        ("wait=26", 422), ("wait=-1", 422), ("wait=", 422), ("wait=1.5", 422), ("since=1", 422),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_kindly(platform: Platform, query: str, status: int) -> None:
    assert is_problem(platform.get(f"/api/v1/changes?{query}"), status)


def test_who_lost_the_thread_is_told_the_way_back(
    archive: Archive, village: Village, platform: Platform
) -> None:
    village.topic()
    changed(archive)
    before = platform.get("/api/v1/changes").get_json()["next_cursor"]
    with archive.database.begin() as session:
        feed.begin_anew(session, NOON)
    gone = platform.get(f"/api/v1/changes?cursor={before}")
    assert is_problem(gone, 410)
    resync = gone.get_json(force=True)["resync"]
    for path in resync["read"]:
        assert platform.get(path).status_code == 200
    assert platform.get(f"/api/v1/changes?cursor={resync['cursor']}").get_json()["items"] == []
    changed(archive)
    assert len(platform.get(f"/api/v1/changes?cursor={resync['cursor']}").get_json()["items"]) == 1


def in_the_background(call: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()
    return thread, found


def test_a_waiting_reader_hears_of_a_change_at_once_and_holds_no_connection(
    any_archive: Archive, any_community: Community
) -> None:
    app = Flask("test")
    app.register_blueprint(create_api(any_archive))
    platform = enter(any_archive, app.test_client())
    Village(any_archive).topic()
    cursor = platform.get("/api/v1/changes?cursor=latest").get_json()["next_cursor"]
    waiting = Platform(app.test_client(), platform.key)
    thread, found = in_the_background(lambda: waiting.get(f"/api/v1/changes?cursor={cursor}&wait=20"))
    try:
        pool: Any = any_archive.database.engine.pool
        held = [_until_idle(pool) for _ in range(3)]
        assert not found, "it did not wait"
        began = time.monotonic()
        changed(any_archive)
    finally:
        thread.join(30)
    assert [one["subject"] for one in found[0].get_json()["items"]] == [ROAD]
    assert time.monotonic() - began < 5
    assert held == [0, 0, 0]


def _until_idle(pool: Any) -> int:
    """How many connections are in use once nobody looks: a session held while waiting would stay in use."""
    end = time.monotonic() + 5
    while pool.checkedout() and time.monotonic() < end:
        time.sleep(0.01)
    return int(pool.checkedout())


def test_nothing_new_is_said_after_the_wait(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes_api, "_LOOK_SECONDS", 0.05)
    began = time.monotonic()
    page = platform.get("/api/v1/changes?wait=1").get_json()
    assert time.monotonic() - began >= 1
    assert page["items"] == []


def test_only_a_few_may_wait_the_others_are_answered_at_once(
    village: Village, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes_api, "_CHAIRS", threading.BoundedSemaphore(1))
    village.topic()
    end = platform.get("/api/v1/changes?cursor=latest&wait=20").get_json()["next_cursor"]
    path = f"/api/v1/changes?cursor={end}&wait=20"
    thread, found = in_the_background(
        lambda: Platform(platform.client.application.test_client(), platform.key).get(path)
    )
    try:
        until = time.monotonic() + 10
        while changes_api._CHAIRS._value and time.monotonic() < until:
            time.sleep(0.01)
        began = time.monotonic()
        assert platform.get(path).status_code == 200
        assert time.monotonic() - began < 5
        assert not found
    finally:
        changed(village.archive)
        thread.join(30)
    assert found[0].status_code == 200
    assert changes_api._CHAIRS._value == 1


def test_a_wait_with_a_cursor_that_is_gone_is_refused_at_once(platform: Platform) -> None:
    began = time.monotonic()
    assert is_problem(platform.get("/api/v1/changes?cursor=01234567.1.1&wait=20"), 410)
    assert time.monotonic() - began < 5


def voted(village: Village, **rules: Any) -> None:
    """Five voters, of whom one changed their mind; one early, one late, one choice that does not exist."""
    village.topic(ROAD, opens_at=at(0), closes_at=at(100), rules=rules)
    people = [village.person(f"+861380000000{n}") for n in range(6)]
    given = [village.ballot(people[n], "agree" if n else "disagree", 10 + n, f"b{n}") for n in range(4)]
    given += [
        village.ballot(people[4], "agree", 20, "paper", source="desk", channel="paper", evidence="roster"),
        village.ballot(people[0], "agree", 30, "again"),
        village.ballot(people[5], "agree", -10, "early"),
        village.ballot(people[5], "agree", 200, "late"),
        village.ballot(people[5], "purple", 40, "odd"),
    ]
    village.keep(*given)
    village.settle()


def test_results_say_how_they_were_counted(village: Village, platform: Platform) -> None:
    voted(village, electorate="全体居民", electorate_size=20, quorum=0.25)
    found = platform.get(f"/api/v1/topics/{ROAD}/results").get_json()
    result, counted = found["result"], found["counted"]
    assert result["choices"] == {"agree": 5, "disagree": 0, "pass": 0}
    assert (result["voters"], result["quorum"], result["is_quorate"]) == (5, 5, True)
    assert (result["electorate"], result["counts"]) == ("全体居民", "persons")
    assert result["channels"] == {"phone": 4, "paper": 1}
    assert result["evidence"] == {"caller_id": 4, "roster": 1}
    assert (result["replaced"], result["early"], result["late"]) == (1, 1, 1)
    assert counted == {
        "given": 9, "by_channel": {"paper": 1, "phone": 8}, "inside": 6, "early": 1, "late": 1, "waiting": 0,
        "practice": 0, "refused": {"unknown_choice": 1},
    }  # fmt: skip
    assert (found["is_final"], found["is_hidden"], found["shown_from"]) == (True, False, None)
    assert found["result"] == platform.get(f"/api/v1/topics/{ROAD}").get_json()["result"]


def test_a_hidden_result_says_when_it_will_be_shown(archive: Archive, village: Village) -> None:
    app = Flask("test")
    app.register_blueprint(create_api(archive, clock=lambda: at(50)))
    platform = enter(archive, app.test_client())
    voted(village, results="closed")
    found = platform.get(f"/api/v1/topics/{ROAD}/results").get_json()
    assert (found["result"], found["counted"], found["is_hidden"], found["is_final"]) == (
        None,
        None,
        True,
        False,
    )
    assert found["shown_from"] == at(100).isoformat()
    village.topic("tp_open_end", rules={"results": "closed"})
    endless = platform.get("/api/v1/topics/tp_open_end/results").get_json()
    assert (endless["is_hidden"], endless["shown_from"]) == (True, None)


def test_a_running_result_is_shown_to_an_account_that_has_voted_or_whose_other_half_has(
    archive: Archive, village: Village
) -> None:
    app = Flask("test")
    app.register_blueprint(create_api(archive, clock=lambda: at(50)))
    platform = enter(archive, app.test_client())
    voted(village, results="voted")
    with archive.database.begin() as session:
        ours = session.scalars(select(PlatformRow.id)).one()
        known = {
            name: voice_of(session, archive, ours, COMMUNITY, name, number).person_id
            for name, number in (("attested", "+8613800000001"), ("linked", None), ("nobody", None))
        }
        joined = linked(session, archive, (known["linked"], known["attested"]), "code", "phone", at(40))
        assert isinstance(joined, Link)

    def sees(account: str) -> bool:
        page = platform.get(f"/api/v1/topics/{ROAD}/results?account={account}").get_json()
        return not page["is_hidden"] and page["result"]["voters"] > 0

    assert [sees(name) for name in ("attested", "linked", "nobody", "unheard-of", "")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert platform.get(f"/api/v1/topics/{ROAD}/results").get_json()["is_hidden"]


def test_results_of_what_is_not_there(village: Village, platform: Platform) -> None:
    village.topic("tp_draft", state="draft")
    for topic_id in ("tp_draft", "tp_none"):
        assert is_problem(platform.get(f"/api/v1/topics/{topic_id}/results"), 404)


def test_progress_of_all_topics_is_one_list(archive: Archive, village: Village, platform: Platform) -> None:
    for topic_id, state in (("tp_1", "open"), ("tp_2", "decided"), ("tp_draft", "draft")):
        village.topic(topic_id, state=state)
    with archive.database.begin() as session:
        for n in range(6):
            session.add(
                ProgressUpdate(
                    id=f"pu_{n}", topic_id=("tp_1", "tp_2", "tp_draft")[n % 3], community_id=COMMUNITY,
                    stage="施工", spoken="开工了。", text=f"第{n}段", published_by="st_1",
                    published_at=NOON + timedelta(days=n // 2),
                )
            )  # fmt: skip
    everything = platform.all_of("/api/v1/progress?limit=1")
    assert [(one["id"], one["topic_id"]) for one in everything] == [
        ("pu_0", "tp_1"), ("pu_1", "tp_2"), ("pu_3", "tp_1"), ("pu_4", "tp_2"),
    ]  # fmt: skip
    assert [one["id"] for one in platform.all_of("/api/v1/progress?topic_id=tp_2")] == ["pu_1", "pu_4"]


def test_joined_feedback_says_to_what_and_how_many_people_stand_behind_it(
    archive: Archive, village: Village, platform: Platform
) -> None:
    with archive.database.begin() as session:
        for n in range(3):
            person_id = village.seated(session, f"+861380000000{n}")
            session.add(
                Opinion(
                    id=f"op_{n}", community_id=COMMUNITY, person_id=person_id, source="exchange",
                    source_id=f"{n}", channel="phone", evidence="caller_id", kind="opinion",
                    state="approved", said_at=NOON,
                )
            )  # fmt: skip
        session.flush()
        join(session, Actor("st_1", COMMUNITY), "op_1", "op_0", NOON)
    found = {one["id"]: one for one in platform.get("/api/v1/feedback").get_json()["items"]}
    assert [found[f"op_{n}"]["joined_to"] for n in range(3)] == [None, "op_0", None]
    assert [found[f"op_{n}"]["voices"] for n in range(3)] == [2, 2, 1]
    told = platform.get("/api/v1/changes").get_json()["items"]
    assert {one["subject"]: one["data"] for one in told}["op_1"] == found["op_1"]


def test_a_page_of_topics_costs_as_many_queries_however_long_it_is(
    archive: Archive, village: Village, platform: Platform
) -> None:
    asked: list[str] = []
    event.listen(archive.database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    person_id, costs = village.person(), []
    for n in range(30):
        village.topic(f"tp_{n}")
        with archive.database.begin() as session:
            session.add(
                Ballot(
                    id=f"ba_{n}", topic_id=f"tp_{n}", community_id=COMMUNITY, voter_id=person_id,
                    person_id=person_id, choice="agree", cast_at=NOON, received_at=NOON, channel="phone",
                    evidence="roster", source="exchange", source_id=f"{n}",
                )
            )  # fmt: skip
        if n % 10 == 9:
            asked.clear()
            items = platform.get("/api/v1/topics?limit=100").get_json()["items"]
            assert [one["result"]["voters"] for one in items] == [1] * (n + 1)
            costs.append(len(asked))
    assert costs[0] == costs[1] == costs[2]


def test_answers_are_what_the_document_says(archive: Archive, village: Village, platform: Platform) -> None:
    document = platform.client.get("/api/v1/openapi.json").get_json()
    voted(village)
    village.topic("tp_hidden", rules={"results": "closed"})
    changed(archive)
    for path, template in (
        ("/v1/changes", "/v1/changes"),
        (f"/v1/topics/{ROAD}/results", "/v1/topics/{record_id}/results"),
        ("/v1/topics/tp_hidden/results", "/v1/topics/{record_id}/results"),
        ("/v1/progress", "/v1/progress"),
        ("/v1/topics", "/v1/topics"),
    ):
        schema = document["paths"][template]["get"]["responses"]["200"]["content"]["application/json"][
            "schema"
        ]
        answer = platform.get(f"/api{path}").get_json()
        jsonschema_rs.validator_for(schema | {"components": document["components"]}).validate(answer)
    gone = platform.get("/api/v1/changes?cursor=01234567.1.1").get_json(force=True)
    refusal = {"$ref": "#/components/schemas/Problem", "components": document["components"]}
    jsonschema_rs.validator_for(refusal).validate(gone)
    assert "410" in document["paths"]["/v1/changes"]["get"]["responses"]


@pytest.fixture(autouse=True)
def _no_chair_is_left_taken() -> Iterator[None]:
    yield
    assert changes_api._CHAIRS._value == changes_api.MOST_WAITING
