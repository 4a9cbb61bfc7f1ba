"""The platforms' door: who may enter, what they see, and what never leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from sync.api import create_api
from sync.archive import Archive
from sync.errors import RecordsUnavailable
from sync.people import find_or_create_number, person_at
from sync.platforms import add_platform
from sync.records.tables import (
    Audit,
    Ballot,
    Community,
    Opinion,
    ProgressUpdate,
    Reaction,
    Reply,
    Topic,
    Transcript,
)
from tests.sync.voices import NOW, a_topic

NUMBER = "+8613912345678"
RAW = "我是张建国，电话13912345678，路灯坏了"
REDACTED = "我是某某，电话某电话号码，路灯坏了"
ALL = ("feedback:read", "topics:read")


class Platform:
    """A platform with its key."""

    def __init__(self, client: FlaskClient, key: str) -> None:
        self.client, self.key = client, key

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers={"Authorization": f"Bearer {self.key}", **headers})

    def all_of(self, path: str) -> list[Any]:
        """Every record, page by page."""
        found, cursor = [], ""
        while True:
            page = self.get(f"{path}{cursor}").get_json()
            found += page["items"]
            if not page["has_more"]:
                return found
            cursor = f"&cursor={page['next_cursor']}"


@pytest.fixture
def client(archive: Archive) -> FlaskClient:
    app = Flask("test")
    app.register_blueprint(create_api(archive, calls_a_minute=10_000))
    return app.test_client()


def enter(archive: Archive, client: FlaskClient, community_id: str, *scopes: str, **more: Any) -> Platform:
    with archive.database.begin() as session:
        _, key = add_platform(session, community_id, "online", scopes or ALL, **more)
    return Platform(client, key)


@pytest.fixture
def platform(archive: Archive, client: FlaskClient, community: Community) -> Platform:
    return enter(archive, client, community.id)


def voice(archive: Archive, community: Community, opinion_id: str, **values: Any) -> str:
    """An opinion with raw and redacted words; returns its speaker's id."""
    with archive.database.begin() as session:
        number = find_or_create_number(session, archive, community.id, NUMBER)
        person = person_at(session, archive, community.id, number)
        usual: dict[str, Any] = {
            "state": "approved", "topic_id": None, "release": "words", "category": "城乡建设", "said_at": NOW,
        }  # fmt: skip
        session.add(
            Opinion(
                id=opinion_id, community_id=community.id, person_id=person.id, source="exchange",
                source_id=opinion_id, channel="phone", evidence="caller_id", kind="opinion",
                receipt=opinion_id[-8:], **usual | values,
            )
        )  # fmt: skip
        session.flush()
        sealed = archive.keyring.seal(session, person.key_id, RAW.encode(), f"{opinion_id}/1")
        session.add(
            Transcript(
                opinion_id=opinion_id, version=1, sealed_text=sealed, redacted=REDACTED, confidence=0.9,
                language="zh", engine="parrot", speech_seconds=3.0, made_by="machine", made_at=NOW,
            )
        )  # fmt: skip
        return person.id


def is_problem(answer: Any, status: int) -> bool:
    body = answer.get_json(force=True)
    return bool(
        answer.status_code == status
        and answer.mimetype == "application/problem+json"
        and body["status"] == status
        and {"type", "title", "detail"} <= body.keys()
    )


def test_a_platform_reads_what_was_approved(
    archive: Archive, community: Community, platform: Platform
) -> None:
    person_id = voice(archive, community, "op_00000001")
    with archive.database.begin() as session:
        for n, is_private in enumerate([False, True]):
            session.add(
                Reply(
                    id=f"re_{n}", opinion_id="op_00000001", community_id=community.id, spoken=f"答复{n}",
                    is_private=is_private, published_at=NOW, published_by="st_1",
                )
            )  # fmt: skip
        session.add(
            Reaction(
                id="ra_1", opinion_id="op_00000001", community_id=community.id, person_id=person_id,
                choice="agree",
                cast_at=NOW, received_at=NOW, channel="phone", evidence="roster",
                source="exchange", source_id="1",
            )
        )  # fmt: skip
    [item] = platform.get("/api/v1/feedback").get_json()["items"]
    assert item["text"] == REDACTED
    assert item["reactions"] == {"agree": 1}
    assert [reply["text"] for reply in item["replies"]] == ["答复0"]
    assert (item["channel"], item["evidence"], item["category"]) == ("phone", "caller_id", "城乡建设")
    assert platform.get("/api/v1/feedback/op_00000001").get_json() == item


def test_numbers_raw_words_receipts_and_people_never_leave(
    archive: Archive, community: Community, platform: Platform
) -> None:
    states = ["waiting", "review", "approved", "rejected", "withdrawn", "erased"]
    people = {voice(archive, community, f"op_0000000{n}", state=state) for n, state in enumerate(states)}
    text = platform.get("/api/v1/feedback").get_data(as_text=True)
    raw = json.dumps(json.loads(text), ensure_ascii=False)
    for secret in ("13912345678", "张建国", "00000001", *people):
        assert secret not in raw.replace("op_00000001", "")
    shown = {item["state"]: item for item in json.loads(text)["items"]}
    assert shown["approved"]["text"] == REDACTED
    assert [shown[state]["text"] for state in ("waiting", "review", "rejected")] == [None] * 3
    assert shown["erased"] == {"id": "op_00000005", "state": "erased", "version": 1}
    assert shown["withdrawn"].keys() == {"id", "state", "version"}


def test_unreviewed_words_need_a_scope_of_their_own(
    archive: Archive, community: Community, client: FlaskClient
) -> None:
    voice(archive, community, "op_00000001", state="review")
    trusted = enter(archive, client, community.id, "feedback:read", "feedback:unreviewed")
    assert trusted.get("/api/v1/feedback/op_00000001").get_json()["text"] == REDACTED


def test_practice_is_shown_only_in_a_demo_community(
    archive: Archive, community: Community, platform: Platform
) -> None:
    voice(archive, community, "op_00000001", is_practice=True)
    assert len(platform.get("/api/v1/feedback").get_json()["items"]) == 1
    with archive.database.begin() as session:
        session.get_one(Community, community.id).is_demo = False
    assert platform.get("/api/v1/feedback").get_json()["items"] == []
    assert is_problem(platform.get("/api/v1/feedback/op_00000001"), 404)


def test_another_community_does_not_exist(
    archive: Archive, community: Community, client: FlaskClient
) -> None:
    voice(archive, community, "op_00000001")
    a_topic(archive, community)
    with archive.database.begin() as session:
        session.add(Community(id="cm_far", name="远村", dialled_number="+8657199999999", created_at=NOW))
    stranger = enter(archive, client, "cm_far")
    assert stranger.get("/api/v1/feedback").get_json()["items"] == []
    assert stranger.get("/api/v1/topics").get_json()["items"] == []
    assert is_problem(stranger.get("/api/v1/feedback/op_00000001"), 404)
    assert is_problem(stranger.get("/api/v1/topics/tp_lamp"), 404)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_hold_everything_once(
    archive: Archive, community: Community, platform: Platform, limit: int
) -> None:
    for n in range(7):  # three share a moment
        voice(archive, community, f"op_0000000{n}", said_at=NOW + timedelta(seconds=n // 3))
    found = platform.all_of(f"/api/v1/feedback?limit={limit}")
    assert [item["id"] for item in found] == [f"op_0000000{n}" for n in range(7)]


def test_a_page_costs_as_many_queries_however_long_it_is(
    archive: Archive, community: Community, platform: Platform
) -> None:
    asked: list[str] = []
    event.listen(
        archive.database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]), named=False
    )
    voice(archive, community, "op_00000000")
    costs = []
    for n in (1, 2, 3):
        for m in range(10):
            voice(archive, community, f"op_{n}000000{m}")
        asked.clear()
        assert platform.get("/api/v1/feedback?limit=100").status_code == 200
        costs.append(len(asked))
    assert costs[0] == costs[1] == costs[2]


def test_feedback_can_be_narrowed(archive: Archive, community: Community, platform: Platform) -> None:
    topic_id = a_topic(archive, community)
    voice(archive, community, "op_00000001", topic_id=topic_id)
    voice(archive, community, "op_00000002", state="review")
    assert [one["id"] for one in platform.all_of(f"/api/v1/feedback?topic_id={topic_id}")] == ["op_00000001"]
    assert [one["id"] for one in platform.all_of("/api/v1/feedback?state=review")] == ["op_00000002"]


def test_topics_come_with_results_and_progress(
    archive: Archive, community: Community, platform: Platform
) -> None:
    person_id = voice(archive, community, "op_00000001")
    topic_id = a_topic(archive, community)
    with archive.database.begin() as session:
        session.add(
            Ballot(
                id="ba_1", topic_id=topic_id, community_id=community.id, voter_id=person_id,
                person_id=person_id, choice="repair",
                cast_at=NOW, received_at=NOW, channel="phone", evidence="roster",
                source="exchange", source_id="1",
            )
        )  # fmt: skip
        session.add(
            ProgressUpdate(
                id="pu_1", topic_id=topic_id, community_id=community.id, stage="采购", spoken="灯已经买好。",
                text="三盏路灯已采购。", published_at=NOW, published_by="st_1",
            )
        )  # fmt: skip
    [topic] = platform.get("/api/v1/topics").get_json()["items"]
    assert topic["result"]["choices"] == {"repair": 1, "replace": 0}
    assert (topic["result"]["voters"], topic["result"]["evidence"]) == (1, {"roster": 1})
    assert [update["text"] for update in topic["updates"]] == ["三盏路灯已采购。"]
    assert platform.get(f"/api/v1/topics/{topic_id}").get_json() == topic


def test_a_topic_that_hides_its_result_hides_it(
    archive: Archive, community: Community, platform: Platform
) -> None:
    topic_id = a_topic(archive, community)
    with archive.database.begin() as session:
        session.get_one(Topic, topic_id).rules = {"results": "closed"}
    assert platform.get(f"/api/v1/topics/{topic_id}").get_json()["result"] is None


def test_what_has_not_changed_is_not_sent_again(
    archive: Archive, community: Community, platform: Platform
) -> None:
    voice(archive, community, "op_00000001")
    first = platform.get("/api/v1/feedback/op_00000001")
    again = platform.get("/api/v1/feedback/op_00000001", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.get_data()) == (304, b"")
    with archive.database.begin() as session:
        session.get_one(Opinion, "op_00000001").stage = "answered"
    assert platform.get("/api/v1/feedback", **{"If-None-Match": first.headers["ETag"]}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer"}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}],
)
def test_without_a_key_nobody_enters(
    client: FlaskClient, community: Community, headers: Mapping[str, str]
) -> None:
    answer = client.get("/api/v1/feedback", headers=dict(headers))
    assert is_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_an_expired_key_and_a_missing_scope_are_refused(
    archive: Archive, client: FlaskClient, community: Community
) -> None:
    old = enter(archive, client, community.id, "topics:read", expires_at=NOW)
    assert is_problem(old.get("/api/v1/topics"), 401)
    narrow = enter(archive, client, community.id, "topics:read")
    assert is_problem(narrow.get("/api/v1/feedback"), 403)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=0", 422), ("limit=101", 422), ("limit=x", 422), ("limit=٣", 422), ("limit=", 422),
        ("cursor=", 400), ("cursor=e30", 400), ("cursor=%00", 422), ("cursor=1.%27or", 400),
        ("cursor=-1.a", 400), ("cursor=99999999999999999.a", 400), ("cursor=٣.a", 400),
        (f"topic_id={'x' * 41}", 422),
        ("state=secret", 422), ("since=2026", 422), ("cursor=" + "A" * 500, 422),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_kindly(platform: Platform, query: str, status: int) -> None:
    assert is_problem(platform.get(f"/api/v1/feedback?{query}"), status)


def test_nothing_under_api_answers_in_html(client: FlaskClient, platform: Platform) -> None:
    assert is_problem(client.get("/api/v1/nothing"), 404)
    assert is_problem(client.get("/api/"), 404)
    for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE"):
        refused = client.open("/api/v1/changes", method=method)
        assert is_problem(refused, 405)
        assert refused.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert is_problem(client.post("/api/v1/feedback", data=b"x" * 70_000), 413)
    asked = client.options("/api/v1/feedback/op_1")
    assert (asked.status_code, asked.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")
    assert client.put("/api/v1/feedback").headers["Allow"] == "GET, HEAD, POST, OPTIONS"


def test_calls_are_bounded_in_a_minute(archive: Archive, community: Community) -> None:
    app = Flask("test")
    app.register_blueprint(create_api(archive, calls_a_minute=3))
    hasty = enter(archive, app.test_client(), community.id)
    answers = [hasty.get("/api/v1/feedback") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 61


def test_every_call_is_audited(archive: Archive, community: Community, platform: Platform) -> None:
    platform.get("/api/v1/feedback")
    platform.get("/api/v1/feedback/op_none")
    platform.get("/api/v1/feedback?limit=0")
    with archive.database.read() as session:
        audits = session.scalars(select(Audit).where(Audit.act == "api.read").order_by(Audit.id)).all()
    assert [(one.subject, one.details["status"]) for one in audits] == [
        ("/api/v1/feedback", 200), ("/api/v1/feedback/op_none", 404), ("/api/v1/feedback", 422),
    ]  # fmt: skip
    assert {one.community_id for one in audits} == {community.id}


def test_when_the_records_are_away_the_platform_is_told_to_wait(
    archive: Archive, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> Iterator[None]:
        raise RecordsUnavailable("the database is busy")

    monkeypatch.setattr(archive.database, "read", gone)
    answer = platform.get("/api/v1/feedback")
    assert is_problem(answer, 503)
    assert answer.headers["Retry-After"]


def test_answers_are_what_the_document_says(
    archive: Archive, community: Community, platform: Platform
) -> None:
    document = platform.client.get("/api/v1/openapi.json").get_json()
    voice(archive, community, "op_00000001", topic_id=a_topic(archive, community))
    voice(archive, community, "op_00000002", state="erased")
    for path, name in (("/v1/feedback", "FeedbackPage"), ("/v1/topics", "TopicPage")):
        schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert schema == {"$ref": f"#/components/schemas/{name}"}
        fits(document, schema, platform.get(f"/api{path}").get_json())


def test_the_document_knows_every_route_and_each_reference_leads_somewhere(client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").get_json()
    assert document["openapi"].startswith("3.1")
    rules = {
        rule.rule.removeprefix("/api").replace("<", "{").replace(">", "}")
        for rule in client.application.url_map.iter_rules()
        if rule.endpoint.startswith("api.") and rule.endpoint != "api.nothing_here"
    }
    assert rules == document["paths"].keys()
    for reference in references(document):
        assert resolve(document, reference)


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def resolve(document: Any, reference: str) -> Any:
    part = document
    for step in reference.removeprefix("#/").split("/"):
        part = part[step]
    return part


KINDS: Mapping[str, type | tuple[type, ...]] = {
    "object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float),
    "null": type(None),
}  # fmt: skip


def fits(document: Any, schema: Any, value: Any) -> None:
    """Hold a value against the part of JSON Schema that our document uses."""
    if "$ref" in schema:
        return fits(document, resolve(document, schema["$ref"]), value)
    if "anyOf" in schema:
        return fits(document, schema["anyOf"][1 if value is None else 0], value)
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    assert any(isinstance(value, KINDS[kind]) for kind in kinds), (schema, value)
    if "enum" in schema:
        assert value in schema["enum"]
    if schema.get("format") == "date-time" and value is not None:
        assert datetime.fromisoformat(value).tzinfo is not None
    if isinstance(value, list):
        for one in value:
            fits(document, schema["items"], one)
    if isinstance(value, dict):
        assert set(schema.get("required", [])) <= value.keys()
        for name, one in value.items():
            inner = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            assert inner, f"{name} is not in the document"
            fits(document, inner, one)
    return None
