"""What may be taken away as files: exact votes as Polis has them, redacted words, no number, no formula."""

from __future__ import annotations

import csv
import io
import json
import random
import tracemalloc
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from benchmarks import polis as conversations
from benchmarks.polis import Vote
from sync import desk, joining
from sync.archive import Archive
from sync.desk import Actor
from sync.erase import withdraw_opinion
from sync.errors import RecordsError
from sync.export.cells import cell, csv_lines, json_lines
from sync.export.columns import COLUMNS
from sync.export.community import community_files, size
from sync.export.polis import polis_files
from sync.export.zipped import zipped
from sync.records.tables import Community, Opinion, Person, Transcript
from sync.settle import settle_batch
from tests.sync.village import COMMUNITY, ROAD, Village, at

NOW = datetime(2026, 6, 1, tzinfo=UTC)
STAFF = Actor("st_wang", COMMUNITY)
FORMULA = '=HYPERLINK("http://evil.example","点这里")'
NUMBERS = [f"+861391234000{n}" for n in range(1, 7)]


@pytest.fixture
def street(any_archive: Archive, any_community: Community) -> Village:
    """Opinions in every state, one a formula; votes on one, changed once; a joined pair with an answer."""
    village = Village(any_archive)
    village.topic(closes_at=at(500))
    people = [village.person(number) for number in NUMBERS]
    for n, who in enumerate(people[:4]):
        say(village, f"op_{n}", who, n)
    village.settle()
    words = {"op_0": FORMULA, "op_1": "路灯太暗，\n晚上不敢走", "op_2": "我姓王", "op_3": "不说了"}
    for name, text in words.items():
        desk.correct(any_archive, STAFF, name, text, at(50))
    for name in ("op_0", "op_1", "op_3"):
        desk.approve(any_archive, STAFF, name, at(60))
    for n, (who, choice) in enumerate([(0, "agree"), (1, "pass"), (4, "agree"), (4, "disagree")]):
        payload = {"opinion_id": "op_1", "choice": choice}
        village.keep(village.given("reaction", people[who], 100 + n, f"react {n}", payload))
    village.keep(village.ballot(people[5], "agree", 110, "ballot"))
    village.settle()
    with any_archive.database.begin() as session:
        joining.join(session, STAFF, "op_0", "op_1", at(150))
    desk.reply(any_archive, STAFF, "op_1", "+下周装灯", at(200))
    desk.reply(any_archive, STAFF, "op_2", "您的手机尾号0003我们记下了", at(201), is_private=True)
    withdraw_opinion(any_archive, "op_3", "test")
    return village


def say(village: Village, name: str, who: str, minutes: float, **more: Any) -> None:
    payload = {"opinion_id": name, "recordings": [], "kind": "opinion", "receipt": None}
    village.keep(village.given("opinion", who, minutes, f"say {name}", payload, topic_id=ROAD, **more))


def as_polis(archive: Archive, topic_id: str = ROAD) -> dict[str, list[list[str]]]:
    with archive.database.read() as session:
        files = {name: b"".join(pieces).decode() for name, pieces in polis_files(session, topic_id)}
    return {name: list(csv.reader(io.StringIO(text, newline=""))) for name, text in files.items()}


def taken_away(archive: Archive) -> zipfile.ZipFile:
    with archive.database.read() as session:
        content = b"".join(zipped(community_files(session, COMMUNITY, NOW), NOW))
    return zipfile.ZipFile(io.BytesIO(content))


def table(archive: Archive, name: str) -> list[dict[str, str]]:
    text = taken_away(archive).read(f"{name}.csv").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_topic_as_polis_publishes_it(street: Village) -> None:
    files = as_polis(street.archive)
    assert dict(files["summary.csv"][:1] + files["summary.csv"][3:7]) == {
        "topic": "修路", "voters": "3", "voters-in-conv": "3", "commenters": "4", "comments": "4"
    }  # fmt: skip
    comments = [dict(zip(files["comments.csv"][0], row, strict=True)) for row in files["comments.csv"][1:]]
    columns = ("comment-id", "author-id", "agrees", "disagrees", "moderated")
    assert [[row[name] for name in columns] for row in comments] == [
        ["0", "0", "0", "0", "1"],
        ["1", "1", "1", "1", "1"],
        ["2", "2", "0", "0", "0"],
        ["3", "3", "0", "0", "-1"],
    ]
    assert [row["comment-body"] for row in comments] == [f"'{FORMULA}", "路灯太暗，\n晚上不敢走", "", ""]
    assert comments[0]["timestamp"] == str(int(at(0).timestamp() * 1000))
    assert comments[0]["datetime"] == "Fri May 01 04:00:00 UTC 2026"
    assert [row[2:] for row in files["votes.csv"][1:]] == [
        ["1", "0", "1"], ["1", "1", "0"], ["1", "4", "1"], ["1", "4", "-1"]
    ]  # fmt: skip
    heading, *rows = files["participants-votes.csv"]
    assert heading == [
        "participant", "group-id", "n-comments", "n-votes", "n-agree", "n-disagree", "0", "1", "2", "3"
    ]  # fmt: skip
    assert rows == [
        ["0", "", "1", "1", "1", "0", "", "1", "", ""],
        ["1", "", "1", "1", "0", "0", "", "0", "", ""],
        ["2", "", "1", "0", "0", "0", "", "", "", ""],
        ["3", "", "1", "0", "0", "0", "", "", "", ""],
        ["4", "", "0", "1", "0", "1", "", "-1", "", ""],
    ]


def test_linked_people_are_one_participant_whose_last_vote_counts(street: Village) -> None:
    with street.archive.database.begin() as session:
        first = session.get_one(Opinion, "op_0").person_id
        for n in (0, 4):
            who = street.seated(session, NUMBERS[n])
            session.get_one(Person, who).root_id = first
    rows = as_polis(street.archive)["participants-votes.csv"][1:]
    assert rows[0] == ["0", "", "1", "1", "0", "1", "", "-1", "", ""]
    assert len(rows) == 4


def test_a_whole_conversation_comes_back_as_it_was_published(any_archive: Archive) -> None:
    dice = random.Random(5)
    first, choices = 1_435_654_192_085, (1, -1, 0)
    votes = [
        Vote(n, first + n, str(dice.randrange(9)), str(dice.randrange(40)), dice.choice(choices))
        for n in range(700)
    ]
    conversations.found(any_archive, votes)
    conversations.keep(any_archive, votes)
    while settle_batch(any_archive).is_more:
        pass
    files = as_polis(any_archive, conversations.TOPIC)
    heading, *rows = files["participants-votes.csv"]
    told = {(row[0], heading[n]): int(row[n]) for row in rows for n in range(6, len(heading)) if row[n] != ""}
    voters = list(
        dict.fromkeys(vote.voter for vote in votes)
    )  # numbered as they came; the author is number 0
    wanted = {
        (str(voters.index(voter)), comment): vote
        for (voter, comment), vote in conversations.last_votes(votes).items()
    }
    assert told == wanted
    assert [row[4] for row in files["votes.csv"][1:]] == [str(vote.vote) for vote in votes]


def test_a_community_leaves_with_words_that_were_approved_and_nobodys_number(street: Village) -> None:
    archive = street.archive
    feedback = {row["id"]: row for row in table(archive, "feedback")}
    assert feedback["op_0"]["text"] == f"'{FORMULA}"
    assert feedback["op_1"]["text"] == "路灯太暗，\n晚上不敢走"
    assert (feedback["op_1"]["agree"], feedback["op_1"]["disagree"], feedback["op_1"]["pass"]) == (
        "1",
        "1",
        "1",
    )
    assert (feedback["op_0"]["joined_to"], feedback["op_0"]["voices"]) == ("op_1", "2")
    assert (feedback["op_2"]["state"], feedback["op_2"]["text"]) == ("review", "")
    assert {name: value for name, value in feedback["op_3"].items() if value} == {
        "id": "op_3", "state": "withdrawn", "version": feedback["op_3"]["version"]
    }  # fmt: skip
    assert sorted((row["feedback_id"], row["text"]) for row in table(archive, "replies")) == [
        ("op_0", "'+下周装灯"), ("op_1", "'+下周装灯")
    ]  # fmt: skip
    with archive.database.read() as session:
        people = [street.seated(session, number) for number in NUMBERS]
    names = taken_away(archive).namelist()
    whole = b"".join(taken_away(archive).read(name) for name in names).decode()
    assert not any(number[3:] in whole for number in NUMBERS)
    assert not any(person in whole for person in people)
    assert "尾号0003" not in whole  # a private reply is its asker's alone


def test_a_result_leaves_only_once_it_may_be_told(street: Village) -> None:
    assert ("choices", "agree", "1") in {
        (row["by"], row["value"], row["voters"]) for row in table(street.archive, "results")
    }
    street.topic("tp_secret", rules={"results": "closed"}, closes_at=datetime(2027, 1, 1, tzinfo=UTC))
    who = street.person(NUMBERS[0])
    street.keep(street.given("ballot", who, 111, "secret", {"choice": "agree"}, topic_id="tp_secret"))
    street.settle()
    secret = next(row for row in table(street.archive, "topics") if row["id"] == "tp_secret")
    assert (secret["is_result_hidden"], secret["voters"]) == ("yes", "")
    assert not [row for row in table(street.archive, "results") if row["topic_id"] == "tp_secret"]


def test_practice_leaves_with_a_demo_community_only(street: Village) -> None:
    say(street, "op_practice", street.person(NUMBERS[0]), 5, is_practice=True)
    street.settle()
    assert "op_practice" in {row["id"] for row in table(street.archive, "feedback")}
    assert len(as_polis(street.archive)["comments.csv"]) == 6
    with street.archive.database.begin() as session:
        session.get_one(Community, COMMUNITY).is_demo = False
    assert "op_practice" not in {row["id"] for row in table(street.archive, "feedback")}
    assert len(as_polis(street.archive)["comments.csv"]) == 5


def test_csv_and_json_say_the_same_and_every_column_is_explained(street: Village) -> None:
    content = taken_away(street.archive)
    explained = list(csv.reader(io.StringIO(content.read("columns.csv").decode("utf-8-sig"))))[1:]
    for name, meanings in COLUMNS.items():
        rows = json.loads(content.read(f"{name}.json"))
        lines = table(street.archive, name)
        assert [list(row) for row in rows] == [list(meanings)] * len(lines)
        assert [[str(cell(value)) for value in row.values()] for row in rows] == [
            list(line.values()) for line in lines
        ]
        assert [row[1] for row in explained if row[0] == name] == list(meanings)
    assert content.testzip() is None


@pytest.mark.parametrize(
    ("value", "safe"),
    [("=1+1", "'=1+1"), ("+86", "'+86"), ("-2", "'-2"), ("@x", "'@x"), ("\tx", "'\tx"), ("\r=x", "'\r=x"),
     ("＝1", "'＝1"), (-2, -2), (True, "yes"), (None, ""), ("路灯=坏", "路灯=坏")],
)  # fmt: skip
def test_no_cell_is_a_formula(value: object, safe: object) -> None:
    assert cell(value) == safe


def test_nothing_at_all_is_still_a_file() -> None:
    assert b"".join(csv_lines(("a",), [], for_excel=False)) == b"a\r\n"
    assert json.loads(b"".join(json_lines(("a",), []))) == []


def test_there_is_no_export_of_what_does_not_exist(archive: Archive, community: Community) -> None:
    with pytest.raises(RecordsError), archive.database.read() as session:
        list(polis_files(session, "tp_nowhere"))


@pytest.mark.slow
def test_a_long_history_takes_no_more_memory_than_a_short_one(
    any_archive: Archive, any_community: Community
) -> None:
    """Eight times the opinions, a third more memory at most."""
    village = Village(any_archive)
    village.topic()
    who = village.person()
    peaks = []
    for first, last in ((0, 600), (600, 4_800)):
        _many(any_archive, who, first, last)
        tracemalloc.start()
        with any_archive.database.read() as session:
            told: list[int] = []
            length = sum(map(len, zipped(community_files(session, COMMUNITY, NOW, told.append), NOW)))
            assert 0 < sum(told) <= size(session, COMMUNITY) + 20
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert length > 0
    assert peaks[1] < 1.33 * peaks[0]


def _many(archive: Archive, who: str, first: int, last: int) -> None:
    opinions = [
        {
            "id": f"op_{n:06}", "community_id": COMMUNITY, "person_id": who, "topic_id": ROAD,
            "source": "test", "source_id": str(n), "channel": "web", "evidence": "none", "kind": "opinion",
            "state": "approved", "said_at": at(n),
        }
        for n in range(first, last)
    ]  # fmt: skip
    words = [
        {
            "opinion_id": one["id"], "version": 1, "redacted": f"第{one['source_id']}句" + "路灯太暗" * 30,
            "confidence": 1.0, "language": "zh", "engine": "person", "speech_seconds": 0.0,
            "made_by": "st", "made_at": at(0),
        }
        for one in opinions
    ]  # fmt: skip
    with archive.database.begin() as session:
        session.execute(insert(Opinion), opinions)
        session.execute(insert(Transcript), words)


def test_a_zip_comes_in_pieces_while_it_is_made(tmp_path: Path) -> None:
    made: list[int] = []

    def pieces() -> Any:
        for n in range(200):
            made.append(n)
            yield random.Random(n).randbytes(10_000)

    stream = zipped([("noise", pieces())], NOW)
    next(stream)
    next(stream)
    assert len(made) < 200
    rest = b"".join(stream)
    assert rest
