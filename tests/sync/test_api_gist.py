"""What platforms may read in short: the words that are approved and released, and none besides."""

from __future__ import annotations

import jsonschema_rs
import pytest
from flask import Flask

from sync.api import create_api
from sync.archive import Archive
from sync.platforms import add_platform
from sync.records.tables import Community, Opinion, Transcript
from tests.sync.test_api import Platform, is_problem
from tests.sync.village import COMMUNITY, NOON, ROAD, Village

SAID = (
    ("approved", "words", False, "路灯坏了两个月，晚上看不见路"),
    ("approved", "voice", False, "路灯坏了两个月，晚上都看不见路"),
    ("approved", "none", False, "我家孙子夜里摔在垃圾站旁边"),
    ("approved", "words", True, "练习一下，这里想要个喷水池"),
    ("review", "words", False, "停车位被外来的车占满了"),
    ("withdrawn", "words", False, "电梯里有人抽烟，味道散不掉"),
)


@pytest.fixture
def village(archive: Archive, community: Community) -> Village:
    village = Village(archive)
    village.topic()
    with archive.database.begin() as session:
        session.get_one(Community, COMMUNITY).is_demo = False
        for n, (state, release, is_practice, words) in enumerate(SAID):
            person_id = village.seated(session, f"+861380000000{n}")
            session.add(
                Opinion(
                    id=f"op_{n}", community_id=COMMUNITY, person_id=person_id, source="exchange",
                    source_id=f"{n}", channel="phone", evidence="caller_id", kind="opinion", topic_id=ROAD,
                    state=state, release=release, is_practice=is_practice, said_at=NOON,
                )
            )  # fmt: skip
            session.flush()
            session.add(
                Transcript(
                    opinion_id=f"op_{n}", version=1, redacted=words, confidence=0.9, language="zh",
                    engine="t", speech_seconds=4.0, made_by="machine", made_at=NOON,
                )
            )  # fmt: skip
    return village


def platform(archive: Archive, *scopes: str) -> Platform:
    app = Flask("test")
    app.register_blueprint(create_api(archive, calls_a_minute=1_000))
    with archive.database.begin() as session:
        _, key = add_platform(session, COMMUNITY, "-".join(scopes).replace(":", "-"), scopes)
    return Platform(app.test_client(), key)


def test_what_people_say_is_told_in_short_of_what_may_be_shown(archive: Archive, village: Village) -> None:
    reader = platform(archive, "feedback:read")
    found = reader.get(f"/api/v1/topics/{ROAD}/gist").get_json()
    told = "".join(one["text"] for one in found["sentences"]) + "".join(found["phrases"])
    assert (found["topic_id"], found["opinions"]) == (ROAD, 2)
    assert found["sentences"][0]["voices"] == 2
    assert "看不见路" in told
    assert any("路灯" in one for one in found["phrases"])
    for hidden in ("孙子", "喷水池", "停车位", "电梯"):
        assert hidden not in told
    with_unreviewed = platform(archive, "feedback:read", "feedback:unreviewed")
    assert with_unreviewed.get(f"/api/v1/topics/{ROAD}/gist").get_json()["opinions"] == 3
    assert is_problem(reader.get("/api/v1/topics/tp_none/gist"), 404)
    assert is_problem(platform(archive, "topics:read").get(f"/api/v1/topics/{ROAD}/gist"), 403)
    document = reader.client.get("/api/v1/openapi.json").get_json()
    answer = document["paths"]["/v1/topics/{record_id}/gist"]["get"]["responses"]["200"]
    schema = answer["content"]["application/json"]["schema"] | {"components": document["components"]}
    jsonschema_rs.validator_for(schema).validate(found)
