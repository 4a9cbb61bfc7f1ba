"""The feed tells every change once, in order, as the record is now, to those who may see it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from sync import feed
from sync.archive import Archive
from sync.changes import note
from sync.erase import erase_person, withdraw_opinion
from sync.records.tables import (
    Ballot,
    Change,
    Community,
    Opinion,
    ProgressUpdate,
    Reaction,
    Reply,
    Transcript,
)
from tests.sync.village import COMMUNITY, NOON, Village

READS = frozenset({"feedback:read", "topics:read"})


def told(
    archive: Archive, cursor: str | None = None, limit: int = 100, scopes: Collection[str] = READS
) -> feed.Events:
    with archive.database.read() as session:
        return feed.events(session, COMMUNITY, cursor, limit, frozenset(scopes), NOON)


def all_told(archive: Archive, limit: int = 100, scopes: Collection[str] = READS) -> list[dict[str, Any]]:
    found, page = [], told(archive, None, limit, scopes)
    found += page.events
    while page.has_more:
        page = told(archive, page.next_cursor, limit, scopes)
        found += page.events
    return found


def opinion(archive: Archive, opinion_id: str, person_id: str, **more: Any) -> None:
    """An approved opinion with words, and the change that tells of it."""
    with archive.database.begin() as session:
        usual: dict[str, Any] = {"state": "approved", "said_at": NOON} | more
        session.add(
            Opinion(
                id=opinion_id, community_id=COMMUNITY, person_id=person_id, source="exchange",
                source_id=opinion_id, channel="phone", evidence="caller_id", kind="opinion", **usual,
            )
        )  # fmt: skip
        session.flush()
        session.add(
            Transcript(
                opinion_id=opinion_id, version=1, redacted="我是某某，路灯坏了", confidence=0.9,
                language="zh", engine="parrot", speech_seconds=3.0, made_by="machine", made_at=NOON,
            )
        )  # fmt: skip
        note(session, "opinion", opinion_id, COMMUNITY, "created", NOON)


def changed(archive: Archive, record: str, record_id: str, act: str = "updated", **details: Any) -> None:
    with archive.database.begin() as session:
        note(session, record, record_id, COMMUNITY, act, NOON, **details)


def test_an_event_is_a_cloud_event_of_the_record_as_it_is_now(
    any_archive: Archive, any_community: Community
) -> None:
    village = Village(any_archive)
    opinion(any_archive, "op_1", village.person())
    changed(any_archive, "opinion", "op_1")
    first, second = told(any_archive).events
    assert first["specversion"] == "1.0"
    assert first["source"] == second["source"] == "urn:tingjian:cm_test"
    assert first["id"] != second["id"]
    assert (first["type"], second["type"]) == ("cn.tingjian.opinion.created", "cn.tingjian.opinion.updated")
    assert first["subject"] == "op_1"
    assert first["datacontenttype"] == "application/json"
    assert datetime.fromisoformat(first["time"]) == NOON
    assert first["data"] == second["data"]
    assert (first["data"]["text"], first["data"]["state"]) == ("我是某某，路灯坏了", "approved")
    assert told(any_archive).events == [first, second]  # read again: the same ids


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
def test_pages_hold_everything_once_in_order(archive: Archive, community: Community, limit: int) -> None:
    person_id = Village(archive).person()
    for n in range(7):
        opinion(archive, f"op_{n}", person_id)
    assert [one["subject"] for one in all_told(archive, limit)] == [f"op_{n}" for n in range(7)]


def test_the_end_is_a_place_to_go_on_from(any_archive: Archive, any_community: Community) -> None:
    person_id = Village(any_archive).person()
    empty = told(any_archive)
    assert (empty.events, empty.has_more) == ([], False)
    opinion(any_archive, "op_1", person_id)
    page = told(any_archive, empty.next_cursor)
    assert [one["subject"] for one in page.events] == ["op_1"]
    end = told(any_archive, page.next_cursor)
    assert (end.events, end.next_cursor) == ([], page.next_cursor)
    assert told(any_archive, "latest").next_cursor == page.next_cursor
    opinion(any_archive, "op_2", person_id)
    assert [one["subject"] for one in told(any_archive, end.next_cursor).events] == ["op_2"]


def test_what_was_taken_back_is_a_tombstone_in_old_events_too(
    any_archive: Archive, any_community: Community
) -> None:
    village = Village(any_archive)
    person_id, other = village.person(), village.person("+8613800000002")
    opinion(any_archive, "op_1", person_id)
    opinion(any_archive, "op_2", other)
    react(any_archive, "ra_1", "op_2", person_id)
    with any_archive.database.begin() as session:
        session.add(
            Reply(
                id="re_1", opinion_id="op_1", community_id=COMMUNITY, spoken="会修的", published_at=NOON,
                published_by="st_1",
            )
        )  # fmt: skip
    changed(any_archive, "reply", "re_1", "created", opinion_id="op_1")
    withdraw_opinion(any_archive, "op_1", "desk")
    erase_person(any_archive, person_id, "desk")
    found = {(one["type"].split(".", 2)[2], one["subject"]): one["data"] for one in all_told(any_archive)}
    version = found["opinion.created", "op_1"]["version"]
    assert found["opinion.created", "op_1"] == {"id": "op_1", "state": "erased", "version": version}
    assert found["opinion.deleted", "op_1"] == found["opinion.created", "op_1"]
    assert found["reply.created", "re_1"] == {"id": "re_1", "state": "erased", "opinion_id": "op_1"}
    assert found["reaction.deleted", "ra_1"] == {"id": "ra_1", "state": "deleted", "opinion_id": "op_2"}
    assert found["opinion.created", "op_2"]["text"] == "我是某某，路灯坏了"
    assert "会修的" not in str(all_told(any_archive))


def react(archive: Archive, reaction_id: str, opinion_id: str, person_id: str, **more: Any) -> None:
    with archive.database.begin() as session:
        session.add(
            Reaction(
                id=reaction_id, opinion_id=opinion_id, community_id=COMMUNITY, person_id=person_id,
                choice="agree", cast_at=NOON, received_at=NOON, channel="phone", evidence="roster",
                source="exchange", source_id=reaction_id, **more,
            )
        )  # fmt: skip
        note(session, "reaction", reaction_id, COMMUNITY, "created", NOON, opinion_id=opinion_id)


def ballot(archive: Archive, ballot_id: str, topic_id: str, person_id: str, **more: Any) -> None:
    with archive.database.begin() as session:
        session.add(
            Ballot(
                id=ballot_id, topic_id=topic_id, community_id=COMMUNITY, voter_id=person_id,
                person_id=person_id, choice="disagree", cast_at=NOON, received_at=NOON, channel="web",
                evidence="attested", source="pf", source_id=ballot_id, **more,
            )
        )  # fmt: skip
        note(session, "ballot", ballot_id, COMMUNITY, "created", NOON, topic_id=topic_id, choice="disagree")


def test_who_reacted_and_what_was_voted_stay_unknown(archive: Archive, community: Community) -> None:
    village = Village(archive)
    people = [village.person(f"+861380000000{n}") for n in range(3)]
    village.topic("tp_1")
    opinion(archive, "op_1", people[0])
    for n in (1, 2):
        react(archive, f"ra_{n}", "op_1", people[n])
    ballot(archive, "ba_1", "tp_1", people[1])
    changed(archive, "ballot", "ba_gone", "deleted", topic_id="tp_1")
    data = {one["subject"]: one["data"] for one in all_told(archive)}
    assert data["ra_1"] == {"id": "ra_1", "opinion_id": "op_1", "reactions": {"agree": 2}}
    assert data["ba_1"].keys() == {"id", "topic_id", "channel", "evidence", "is_practice", "cast_at"}
    assert data["ba_gone"] == {"id": "ba_gone", "state": "deleted", "topic_id": "tp_1"}
    assert "disagree" not in str(all_told(archive))
    assert not any(person in str(all_told(archive)) for person in people)


def test_a_scope_shows_its_own_records_only(archive: Archive, community: Community) -> None:
    village = Village(archive)
    person_id = village.person()
    village.topic("tp_1")
    changed(archive, "topic", "tp_1", "created")
    opinion(archive, "op_1", person_id, state="review")
    ballot(archive, "ba_1", "tp_1", person_id)
    assert [one["subject"] for one in all_told(archive, scopes={"feedback:read"})] == ["op_1"]
    assert [one["subject"] for one in all_told(archive, scopes={"topics:read"})] == ["tp_1", "ba_1"]
    assert all_told(archive, scopes={"changes:read"}) == []
    [unread] = all_told(archive, scopes={"feedback:read"})
    [trusted] = all_told(archive, scopes={"feedback:read", "feedback:unreviewed"})
    assert (unread["data"]["text"], trusted["data"]["text"]) == (None, "我是某某，路灯坏了")


def test_drafts_private_replies_and_practice_are_left_out(archive: Archive, community: Community) -> None:
    village = Village(archive)
    person_id = village.person()
    village.topic("tp_draft", state="draft")
    village.topic("tp_open")
    for topic_id in ("tp_draft", "tp_open"):
        changed(archive, "topic", topic_id, "created")
    opinion(archive, "op_1", person_id)
    opinion(archive, "op_2", person_id, is_practice=True)
    react(archive, "ra_1", "op_1", person_id, is_practice=True)
    ballot(archive, "ba_1", "tp_open", person_id, is_practice=True)
    with archive.database.begin() as session:
        for n, is_private in enumerate([False, True]):
            session.add(
                Reply(
                    id=f"re_{n}", opinion_id="op_1", community_id=COMMUNITY, spoken=f"答复{n}",
                    is_private=is_private, published_at=NOON, published_by="st_1",
                )
            )  # fmt: skip
            note(session, "reply", f"re_{n}", COMMUNITY, "created", NOON, opinion_id="op_1")
    shown = [one["subject"] for one in all_told(archive, limit=1)]
    assert shown == ["tp_open", "op_1", "op_2", "ra_1", "ba_1", "re_0"]
    with archive.database.begin() as session:
        session.get_one(Community, COMMUNITY).is_demo = False
    assert [one["subject"] for one in all_told(archive)] == ["tp_open", "op_1", "re_0"]
    assert "答复1" not in str(all_told(archive))


def test_topics_and_progress_come_with_their_result(archive: Archive, community: Community) -> None:
    village = Village(archive)
    person_id = village.person()
    village.topic("tp_1")
    village.topic("tp_2", rules={"results": "closed"})
    for topic_id in ("tp_1", "tp_2"):
        ballot(archive, f"ba_{topic_id}", topic_id, person_id)
        changed(archive, "topic", topic_id)
    with archive.database.begin() as session:
        session.add(
            ProgressUpdate(
                id="pu_1", topic_id="tp_1", community_id=COMMUNITY, stage="采购", spoken="灯买好了。",
                text="三盏路灯已采购。", published_at=NOON, published_by="st_1",
            )
        )  # fmt: skip
    changed(archive, "progress", "pu_1", "created", topic_id="tp_1")
    data = {one["subject"]: one["data"] for one in all_told(archive)}
    assert data["tp_1"]["result"]["choices"] == {"agree": 0, "disagree": 1, "pass": 0}
    assert data["tp_2"]["result"] is None
    assert (data["pu_1"]["topic_id"], data["pu_1"]["text"]) == ("tp_1", "三盏路灯已采购。")
    assert data["tp_1"]["updates"] == [{k: v for k, v in data["pu_1"].items() if k != "topic_id"}]


def test_another_community_is_not_told(archive: Archive, community: Community) -> None:
    opinion(archive, "op_1", Village(archive).person())
    with archive.database.begin() as session:
        session.add(Community(id="cm_far", name="远村", dialled_number="+8657199999999", created_at=NOON))
    with archive.database.read() as session:
        assert feed.events(session, "cm_far", None, 10, READS, NOON).events == []
        with pytest.raises(feed.CursorGone):
            feed.events(session, "cm_far", told(archive).next_cursor, 10, READS, NOON)


@pytest.mark.parametrize(
    "cursor", ["", "x", "1.2", "latest ", "0123456z.1.1", "01234567.-1.1", "01234567.１.1"]
)
def test_what_was_never_a_cursor_is_none(archive: Archive, community: Community, cursor: str) -> None:
    with pytest.raises(feed.CursorUnknown):
        told(archive, cursor)


def test_a_cursor_of_other_records_is_gone(any_archive: Archive, any_community: Community) -> None:
    opinion(any_archive, "op_1", Village(any_archive).person())
    generation = told(any_archive).next_cursor.split(".")[0]
    with pytest.raises(feed.CursorGone) as gone:
        told(any_archive, "01234567.0.0")
    assert gone.value.latest == told(any_archive).next_cursor
    with pytest.raises(feed.CursorGone):  # from a later life of these records
        told(any_archive, f"{generation}.{10**17}.{10**17}")


def test_a_new_generation_ends_every_cursor(any_archive: Archive, any_community: Community) -> None:
    person_id = Village(any_archive).person()
    opinion(any_archive, "op_1", person_id)
    before = told(any_archive)
    with any_archive.database.begin() as session:
        feed.begin_anew(session, NOON)
    with pytest.raises(feed.CursorGone) as gone:
        told(any_archive, before.next_cursor)
    opinion(any_archive, "op_2", person_id)
    assert [one["subject"] for one in told(any_archive, gone.value.latest).events] == ["op_2"]
    assert told(any_archive).events[0]["id"] != before.events[0]["id"]


def test_old_changes_go_and_their_cursors_with_them(any_archive: Archive, any_community: Community) -> None:
    person_id = Village(any_archive).person()
    cursors = [told(any_archive).next_cursor]
    for n in range(4):
        opinion(any_archive, f"op_{n}", person_id)
        cursors.append(told(any_archive, cursors[-1]).next_cursor)
    with any_archive.database.begin() as session:
        for n, change in enumerate(session.scalars(select(Change).order_by(Change.id))):
            change.changed_at = NOON + timedelta(days=n)
    with any_archive.database.begin() as session:
        assert feed.prune(session, COMMUNITY, NOON + timedelta(days=2), 1) == 1
        assert feed.prune(session, COMMUNITY, NOON + timedelta(days=2), 100) == 1
        assert feed.prune(session, COMMUNITY, NOON + timedelta(days=2), 100) == 0
    for cursor in cursors[:2]:
        with pytest.raises(feed.CursorGone):
            told(any_archive, cursor)
    assert [one["subject"] for one in told(any_archive, cursors[2]).events] == ["op_2", "op_3"]
    assert [one["subject"] for one in told(any_archive).events] == ["op_2", "op_3"]


def test_the_newest_change_stays_so_that_no_number_is_given_twice(
    any_archive: Archive, any_community: Community
) -> None:
    person_id = Village(any_archive).person()
    opinion(any_archive, "op_1", person_id)
    opinion(any_archive, "op_2", person_id)
    before = told(any_archive)
    with any_archive.database.begin() as session:
        assert feed.prune(session, COMMUNITY, datetime.now(UTC), 100) == 1
    opinion(any_archive, "op_3", person_id)
    [after] = told(any_archive, before.next_cursor).events
    assert after["subject"] == "op_3"
    assert after["id"] not in {one["id"] for one in before.events}


def test_a_page_costs_as_many_queries_however_long_it_is(archive: Archive, community: Community) -> None:
    village = Village(archive)
    people = [village.person(f"+86138000000{n:02}") for n in range(30)]
    asked: list[str] = []
    event.listen(archive.database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    costs = []
    for n in range(30):
        village.topic(f"tp_{n}")
        changed(archive, "topic", f"tp_{n}")
        opinion(archive, f"op_{n}", people[n])
        react(archive, f"ra_{n}", f"op_{n}", people[n])
        ballot(archive, f"ba_{n}", f"tp_{n}", people[n])
        if n % 10 == 9:
            asked.clear()
            assert len(told(archive, limit=1000).events) == 4 * (n + 1)
            costs.append(len(asked))
    assert costs[0] == costs[1] == costs[2] <= 20
