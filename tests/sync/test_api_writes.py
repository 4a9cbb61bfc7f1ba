"""What platforms write: topics with an owner, feedback sealed and read, ballots counted with the phone's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from ivr.prompts.wanted import record_texts
from ivr.view import community_view
from sync.archive import Archive
from sync.changes import Cursor, after
from sync.erase import erase_person
from sync.people import find_number
from sync.records.tables import (
    Ballot,
    Capture,
    Community,
    Consent,
    Opinion,
    ProgressUpdate,
    Reaction,
    Reply,
    Topic,
    Transcript,
)
from sync.wording import waiting, word_topic, word_update
from tests.sync.village import Village
from tests.sync.voices import NOW, a_topic
from tests.sync.writer import ALL_BUT_ATTESTING, Told, Writer, app_on, enter, is_problem, minutes

LI, WANG = {"account": "li"}, {"account": "wang"}
NUMBER = "+8613912345678"


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def app(any_archive: Archive, told: Told) -> Flask:
    return app_on(any_archive, told, [])


@pytest.fixture
def writer(any_archive: Archive, any_community: Community, app: Flask) -> Writer:
    return enter(any_archive, app, any_community.id)


@pytest.fixture
def other(any_archive: Archive, any_community: Community, app: Flask) -> Writer:
    return enter(any_archive, app, any_community.id)


def row(writer: Writer, table: Any, key: Any) -> Any:
    with writer.archive.database.read() as session:
        return session.get_one(table, key)


def heard(writer: Writer) -> list[str]:
    """The topics a caller hears of now."""
    with writer.archive.database.read() as session:
        community = session.get_one(Community, "cm_test")
        return [topic.title for topic in community_view(session, community, None, datetime.now(UTC)).topics]


def acts(writer: Writer, record: str) -> list[str]:
    with writer.archive.database.read() as session:
        return [one.act for one in after(session, "cm_test", Cursor(), 1000) if one.record == record]


# --- topics ---
def test_a_worded_topic_is_heard_on_the_phone_and_prompts_are_made(writer: Writer, told: Told) -> None:
    answer = writer.post(
        "/topics",
        {
            "title": "小区的路灯要不要换", "text": "坏了三盏。", "spoken_title": "小区的路灯",
            "spoken_background": "路灯坏了三盏，修还是换？",
            "options": [["repair", "修"], ["replace", "换"]], "closes_at": minutes(60),
            "rules": {"counts": "households", "quorum": 0.5, "electorate_size": 40},
        },
    )  # fmt: skip
    topic = answer.get_json()
    assert answer.status_code == 201
    assert (topic["state"], topic["options"]) == ("open", [["repair", "修"], ["replace", "换"]])
    assert writer.get(f"/topics/{topic['id']}").get_json()["result"] == topic["result"]
    assert (topic["result"]["counts"], topic["result"]["quorum"]) == ("households", 20)
    changed = writer.patch(
        f"/topics/{topic['id']}", {"rules": {"quorum": None, "results": "closed"}}
    ).get_json()
    assert changed["rules"] == {"counts": "households", "electorate_size": 40, "results": "closed"}
    assert heard(writer) == ["小区的路灯"]
    assert told.jobs == ["render cm_test"] * 2
    assert acts(writer, "topic") == ["created", "updated"]


def test_a_topic_without_spoken_words_waits_for_staff_and_keeps_their_wording(writer: Writer) -> None:
    topic_id = writer.topic(spoken_title="路灯")
    brought = writer.post("/topics", {"title": "很长的标题", "text": "很长的说明"}).get_json()
    assert (brought["owner"], brought["waits_for_wording"]) == (writer.id, True)
    silent = brought["id"]
    assert heard(writer) == ["路灯"]
    with writer.archive.database.read() as session:
        assert [one.id for one in waiting(session, "cm_test").topics] == [silent]
    with writer.archive.database.begin() as session:
        word_topic(session, "cm_test", silent, "快递柜", "放在哪里好？", "st_1", datetime.now(UTC))
    assert heard(writer) == ["路灯", "快递柜"]
    assert not writer.get(f"/topics/{silent}").get_json()["waits_for_wording"]
    assert writer.patch(f"/topics/{silent}", {"title": "更长的标题"}).status_code == 200
    assert row(writer, Topic, silent).spoken_title == "快递柜"
    assert writer.patch(f"/topics/{silent}", {"spoken_title": "柜子"}).status_code == 200
    assert heard(writer) == ["路灯", "柜子"]
    assert topic_id != silent


def test_no_title_of_an_unworded_topic_is_said_anywhere(writer: Writer) -> None:
    """Neither rendered ahead nor told to whom spoke on it."""
    silent = writer.post("/topics", {"title": "冗长的标题", "text": "冗长的说明"}).get_json()["id"]
    village = Village(writer.archive)
    person = village.person(NUMBER)
    payload = {"opinion_id": "op_1", "kind": "opinion", "receipt": "12345670"}
    village.keep(village.given("opinion", person, 1, "o1", payload, topic_id=silent))
    village.settle()
    with writer.archive.database.read() as session:
        community = session.get_one(Community, "cm_test")
        number = find_number(session, writer.archive, "cm_test", NUMBER)
        [own] = community_view(session, community, number, datetime.now(UTC)).own
        assert (own.opinion_id, own.topic_title) == ("op_1", None)
        assert not any("冗长" in text for text in record_texts(session, "cm_test"))


def test_progress_without_a_sentence_waits_too(writer: Writer) -> None:
    topic_id = writer.topic()
    said = writer.post(f"/topics/{topic_id}/progress", {"stage": "采购", "text": "已经下单。"})
    assert (said.status_code, said.get_json()["stage"]) == (201, "采购")
    with writer.archive.database.read() as session:
        view = community_view(session, session.get_one(Community, "cm_test"), None, datetime.now(UTC))
        [update] = waiting(session, "cm_test").updates
    assert view.topics[0].updates == ()
    with writer.archive.database.begin() as session:
        word_update(session, "cm_test", update.id, "灯已经买了。", "st_1", datetime.now(UTC))
    with writer.archive.database.read() as session:
        view = community_view(session, session.get_one(Community, "cm_test"), None, datetime.now(UTC))
    assert view.topics[0].updates == ("灯已经买了。",)
    assert row(writer, ProgressUpdate, update.id).published_by == writer.id


def test_a_topic_has_one_owner(writer: Writer, other: Writer) -> None:
    topic_id = writer.topic()
    desk = a_topic(writer.archive, row(writer, Community, "cm_test"))
    for path, body in (
        (f"/topics/{topic_id}", {"title": "别的"}),
        (f"/topics/{topic_id}/progress", {"stage": "完成", "text": "好了"}),
    ):
        method = "PATCH" if "progress" not in path else "POST"
        assert is_problem(other.send(method, path, body), 409, "owns")
        assert is_problem(writer.send(method, path.replace(topic_id, desk), body), 409, "owns")
        assert is_problem(writer.send(method, path.replace(topic_id, "tp_none"), body), 404)
    assert row(writer, Topic, topic_id).title == "小区的路灯"


def test_other_rules_count_every_ballot_anew(writer: Writer) -> None:
    topic_id = writer.topic(options=[["a", "甲"], ["b", "乙"]])
    ballots = [{"id": str(n), "voice": {"account": str(n)}, "choice": "ab"[n % 2]} for n in range(6)]
    assert writer.post(f"/topics/{topic_id}/ballots", {"ballots": ballots}).get_json() == {
        "kept": 6, "known": 0,
    }  # fmt: skip
    writer.work()
    assert writer.get(f"/topics/{topic_id}").get_json()["result"]["choices"] == {"a": 3, "b": 3}
    changed = writer.patch(f"/topics/{topic_id}", {"options": [["b", "乙"], ["c", "丙"]]}).get_json()
    assert changed["result"]["choices"] == {"b": 3, "c": 0}
    changed = writer.patch(f"/topics/{topic_id}", {"opens_at": minutes(5)}).get_json()
    assert (changed["result"]["voters"], changed["result"]["early"]) == (0, 3)


def test_a_closed_topic_ends_its_window_and_a_decided_one_says_what(writer: Writer) -> None:
    topic_id = writer.topic(closes_at=minutes(60))
    assert is_problem(writer.patch(f"/topics/{topic_id}", {"state": "decided"}), 409, "decision")
    assert is_problem(writer.patch(f"/topics/{topic_id}", {"decision": "换新的"}), 409, "decision")
    closed = writer.patch(f"/topics/{topic_id}", {"state": "closed"}).get_json()
    assert datetime.fromisoformat(closed["closes_at"]) <= datetime.now(UTC)
    late = {"id": "1", "voice": LI, "choice": "agree"}
    assert writer.post(f"/topics/{topic_id}/ballots", late).status_code == 202
    writer.work()
    assert writer.get(f"/topics/{topic_id}").get_json()["result"]["late"] == 1
    assert is_problem(writer.patch(f"/topics/{topic_id}", {"state": "open"}), 409, "closes_at")
    assert writer.patch(f"/topics/{topic_id}", {"state": "open", "closes_at": None}).status_code == 200
    assert writer.get(f"/topics/{topic_id}").get_json()["result"]["choices"]["agree"] == 1
    decided = writer.patch(f"/topics/{topic_id}", {"state": "decided", "decision": "换新的"}).get_json()
    assert (decided["state"], decided["decision"]) == ("decided", "换新的")


# --- feedback ---
def test_what_somebody_wrote_is_sealed_redacted_and_reviewed(writer: Writer, told: Told) -> None:
    topic_id = writer.topic()
    told.jobs.clear()
    text = "我是张建国，电话13912345678，路灯坏了"
    answer = writer.post("/feedback", {"id": "f1", "voice": LI, "text": text, "topic_id": topic_id,
                                       "release": "words"})  # fmt: skip
    opinion_id, receipt = answer.get_json()["id"], answer.get_json()["receipt"]
    assert (answer.status_code, len(receipt), told.jobs) == (202, 8, ["settle"])
    with writer.archive.database.read() as session:
        [said, wish] = session.scalars(select(Capture).order_by(Capture.id)).all()
    assert "张建国" not in str(said.payload)
    assert (said.source, said.source_id, said.channel, said.kind) == (
        writer.id, "feedback:f1", "web", "opinion",
    )  # fmt: skip
    assert wish.kind == "release"
    writer.work()
    opinion = row(writer, Opinion, opinion_id)
    assert (opinion.state, opinion.receipt, opinion.release) == ("review", receipt, "words")
    assert opinion.category is not None
    words = row(writer, Transcript, (opinion_id, 1))
    assert "13912345678" not in (words.redacted or "")
    shown = writer.get(f"/feedback/{opinion_id}").get_json()
    assert (shown["channel"], shown["evidence"], shown["topic_id"]) == ("web", "none", topic_id)
    with writer.archive.database.read() as session:
        assert session.scalars(select(Consent.purpose)).all() == ["neighbours_words"]


def test_erasing_the_person_takes_the_words_along(writer: Writer) -> None:
    opinion_id = writer.feedback("墙上漏水，我叫李四")
    with writer.archive.database.read() as session:
        person_id = session.scalar(select(Capture.person_id))
    erase_person(writer.archive, person_id or "", "test")
    with writer.archive.database.read() as session:
        assert all("sealed_text" not in one for one in session.scalars(select(Capture.payload)))
    writer.work()
    assert is_problem(writer.get(f"/feedback/{opinion_id}"), 404)


def test_feedback_is_taken_back_by_whoever_brought_it_or_the_same_person(
    writer: Writer, other: Writer
) -> None:
    first = writer.feedback(id="f1")
    assert is_problem(other.post(f"/feedback/{first}/withdrawal", {}), 404)  # it is nobody's business yet
    writer.work()
    assert is_problem(other.post(f"/feedback/{first}/withdrawal", {}), 403)
    assert is_problem(other.post(f"/feedback/{first}/withdrawal", {"voice": LI}), 403)
    waiting_still = writer.feedback(id="f2")
    for opinion_id in (first, waiting_still):
        taken = writer.post(f"/feedback/{opinion_id}/withdrawal", {})
        assert (taken.status_code, taken.get_json()) == (202, {"kept": 1, "known": 0})
        assert writer.post(f"/feedback/{opinion_id}/withdrawal", {}).get_json()["known"] == 1
    writer.work()
    for opinion_id in (first, waiting_still):
        assert writer.get(f"/feedback/{opinion_id}").get_json()["state"] == "withdrawn"
    with writer.archive.database.read() as session:
        assert set(session.scalars(select(Transcript.redacted))) <= {None}
        assert all("sealed_text" not in one for one in session.scalars(select(Capture.payload)))
    assert is_problem(writer.post("/feedback/op_none/withdrawal", {}), 404)


def test_one_platforms_person_takes_back_what_they_said_on_the_phone(
    any_archive: Archive, any_community: Community, app: Flask
) -> None:
    trusted = enter(any_archive, app, any_community.id, *ALL_BUT_ATTESTING, "numbers:attest")
    village = Village(any_archive)
    person = village.person(NUMBER)
    village.keep(village.given("opinion", person, 1, "o1", {"opinion_id": "op_1", "kind": "message"}))
    village.settle()
    assert is_problem(trusted.post("/feedback/op_1/withdrawal", {"voice": LI}), 403)
    topic_id = trusted.topic()
    attested = {"id": "1", "voice": LI | {"number": NUMBER}, "choice": "agree"}
    assert trusted.post(f"/topics/{topic_id}/ballots", attested).status_code == 202
    assert trusted.post("/feedback/op_1/withdrawal", {"voice": LI}).status_code == 202
    trusted.work()
    assert trusted.get("/feedback/op_1").get_json()["state"] == "withdrawn"


def test_reactions_count_once_a_person(writer: Writer, told: Told) -> None:
    opinion_id = writer.feedback()
    writer.work()
    told.jobs.clear()
    for n, choice in enumerate(["agree", "disagree"]):
        given = {"id": str(n), "voice": WANG, "choice": choice, "cast_at": minutes(n - 5)}
        assert writer.post(f"/feedback/{opinion_id}/reactions", given).status_code == 202
    assert told.jobs == ["settle", "settle"]
    writer.work()
    with writer.archive.database.read() as session:
        assert session.scalars(select(Reaction.choice)).all() == ["disagree"]
    assert is_problem(writer.post("/feedback/op_none/reactions", given), 404)
    writer.post(f"/feedback/{opinion_id}/withdrawal", {})
    writer.work()
    assert is_problem(writer.post(f"/feedback/{opinion_id}/reactions", given | {"id": "9"}), 409)


def test_only_who_brought_it_or_owns_its_topic_answers(writer: Writer, other: Writer, told: Told) -> None:
    topic_id = other.topic()
    opinion_id = writer.feedback(topic_id=topic_id)
    pending = writer.post(f"/feedback/{opinion_id}/replies", {"spoken": "收到"})
    assert is_problem(pending, 409, "not settled")
    assert pending.headers["Retry-After"]
    writer.work()
    told.jobs.clear()
    stranger = enter(writer.archive, writer.client.application, "cm_test")
    assert is_problem(stranger.post(f"/feedback/{opinion_id}/replies", {"spoken": "收到"}), 409, "owns")
    for platform in (writer, other):
        answer = platform.post(f"/feedback/{opinion_id}/replies", {"spoken": "我们  明天 就修"})
        assert answer.status_code == 201
    reply = row(writer, Reply, answer.get_json()["id"])
    assert (reply.spoken, reply.published_by, reply.is_private) == ("我们 明天 就修", other.id, False)
    assert row(writer, Opinion, opinion_id).stage == "answered"
    assert told.jobs == ["render cm_test"] * 2


# --- ballots ---
def test_a_ballot_from_the_web_counts_with_the_phones(
    any_archive: Archive, any_community: Community, app: Flask
) -> None:
    """An attested number is the caller: the later of the two ballots stands, once."""
    trusted = enter(any_archive, app, any_community.id, *ALL_BUT_ATTESTING, "numbers:attest")
    village, topic_id = Village(any_archive), trusted.topic()
    person = village.person(NUMBER)
    village.keep(village.given("ballot", person, 0, "b1", {"choice": "agree"}, topic_id=topic_id))
    ballot = {"id": "17", "voice": LI | {"number": NUMBER}, "choice": "disagree"}
    assert trusted.post(f"/topics/{topic_id}/ballots", ballot).get_json() == {"kept": 1, "known": 0}
    trusted.work()
    with any_archive.database.read() as session:
        [standing] = session.scalars(select(Ballot)).all()
    assert (standing.choice, standing.person_id, standing.evidence) == ("disagree", person, "attested")
    assert (standing.source, standing.source_id) == (trusted.id, "ballot:17")


def test_a_batch_is_kept_whole_or_not_at_all(writer: Writer) -> None:
    topic_id = writer.topic()
    good = [{"id": str(n), "voice": {"account": str(n)}, "choice": "agree"} for n in range(3)]
    bad = (
        ({"choice": "maybe"}, 409, "ballots.3.choice"),
        ({"cast_at": minutes(3)}, 409, "ballots.3.cast_at"),
        ({"cast_at": "1999-12-31T23:59:59Z"}, 422, "ballots.3.cast_at"),
        ({"voice": {"account": ""}}, 422, "ballots.3.voice.account"),
        ({"voice": {"account": "x", "seat": 10}}, 422, "ballots.3.voice.seat"),
        ({"id": "a b"}, 422, "ballots.3.id"),
    )
    for fields, status, place in bad:
        wrong = {"id": "9", "voice": {"account": "9"}, "choice": "agree"} | fields
        refused = writer.post(f"/topics/{topic_id}/ballots", {"ballots": [*good, wrong]})
        assert is_problem(refused, status, place)
    for told in ({"number": NUMBER}, {"household": "1-1-101"}):
        vouched = {"id": "9", "voice": {"account": "9"} | told, "choice": "agree"}
        refused = writer.post(f"/topics/{topic_id}/ballots", {"ballots": [*good, vouched]})
        assert is_problem(refused, 403, f"ballots.3.voice.{next(iter(told))}")
    with writer.archive.database.read() as session:
        assert session.scalars(select(Capture)).all() == []
    most = [{"id": str(n), "voice": {"account": str(n)}, "choice": "agree"} for n in range(501)]
    assert is_problem(writer.post(f"/topics/{topic_id}/ballots", {"ballots": most}), 422, "ballots")
    assert writer.post(f"/topics/{topic_id}/ballots", {"ballots": most[:500]}).get_json()["kept"] == 500
    writer.work()
    assert writer.get(f"/topics/{topic_id}").get_json()["result"]["choices"]["agree"] == 500


def test_a_ballot_a_little_ahead_counts_and_one_far_ahead_is_refused(writer: Writer) -> None:
    topic_id = writer.topic()
    ballot = {"id": "1", "voice": LI, "choice": "agree", "cast_at": minutes(1.5)}
    assert writer.post(f"/topics/{topic_id}/ballots", ballot).status_code == 202
    ahead = ballot | {"id": "2", "cast_at": minutes(2.5)}
    assert is_problem(writer.post(f"/topics/{topic_id}/ballots", ahead), 409, "ahead of our clock")
    writer.work()
    assert writer.get(f"/topics/{topic_id}").get_json()["result"]["voters"] == 1


def test_a_platforms_own_id_means_one_thing(writer: Writer) -> None:
    """Also with another key, after the first one was forgotten: nothing is told to be kept that isn't."""
    topic_id = writer.topic()
    ballot = {"id": "1", "voice": LI, "choice": "agree"}
    path = f"/topics/{topic_id}/ballots"
    assert writer.post(path, ballot).get_json() == {"kept": 1, "known": 0}
    assert writer.post(path, ballot).get_json() == {"kept": 0, "known": 1}
    assert is_problem(writer.post(path, ballot | {"choice": "disagree"}), 409, "id 1 ")
    opinion_id = writer.feedback("第一次")
    assert writer.feedback("第一次") == opinion_id
    again = {"id": "f1", "voice": LI, "text": "第二次"}
    assert is_problem(writer.post("/feedback", again), 409, "id f1 ")
    writer.work()
    assert writer.feedback("第一次") == opinion_id


def test_a_platform_sees_and_writes_only_its_own_community(writer: Writer, app: Flask) -> None:
    topic_id, opinion_id = writer.topic(), writer.feedback()
    writer.work()
    with writer.archive.database.begin() as session:
        session.add(Community(id="cm_far", name="远村", dialled_number="+8657199999999", created_at=NOW))
    far = enter(writer.archive, app, "cm_far")
    ballot = {"id": "1", "voice": LI, "choice": "agree"}
    assert is_problem(far.patch(f"/topics/{topic_id}", {"title": "x"}), 404)
    assert is_problem(far.post(f"/topics/{topic_id}/ballots", ballot), 404)
    assert is_problem(far.post(f"/feedback/{opinion_id}/reactions", ballot), 404)
    assert is_problem(far.post(f"/feedback/{opinion_id}/withdrawal", {}), 404)
    assert is_problem(far.post(f"/feedback/{opinion_id}/replies", {"spoken": "好"}), 404)
    assert is_problem(far.post("/feedback", {"id": "1", "voice": LI, "text": "x", "topic_id": topic_id}), 404)


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("topics:write", "POST", "/topics"), ("topics:write", "PATCH", "/topics/tp_1"),
        ("progress:write", "POST", "/topics/tp_1/progress"),
        ("ballots:write", "POST", "/topics/tp_1/ballots"), ("feedback:write", "POST", "/feedback"),
        ("feedback:write", "POST", "/feedback/op_1/withdrawal"),
        ("reactions:write", "POST", "/feedback/op_1/reactions"),
        ("replies:write", "POST", "/feedback/op_1/replies"),
    ],
)  # fmt: skip
def test_every_write_needs_its_own_scope(
    archive: Archive, community: Community, scope: str, method: str, path: str
) -> None:
    others = set(ALL_BUT_ATTESTING) - {scope}
    narrow = enter(archive, app_on(archive, Told(), []), community.id, *others)
    assert is_problem(narrow.send(method, path, {}), 403, scope)
