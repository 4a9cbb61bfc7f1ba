"""The client against the real API over a real wire: nothing missed, nothing done twice, whatever breaks."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from sync import client as client_module
from sync import feed
from sync.archive import Archive
from sync.client import (
    Away,
    Checkpoint,
    Client,
    ClientError,
    Event,
    NotSigned,
    Refused,
    key_for,
    verify_webhook,
)
from sync.erase import withdraw_opinion
from sync.platforms import add_platform
from sync.records.tables import Capture, Opinion, Topic
from sync.settle import settle_batch
from sync.webhooks.sending import signed
from tests.sync.served_api import Served, served
from tests.sync.test_feed import changed, opinion
from tests.sync.village import COMMUNITY, ROAD, Village

__all__ = ["served"]

SECRET, OLD = "whsec_" + "bmV3" * 8, "whsec_" + "b2xk" * 8


@pytest.fixture
def rests() -> list[float]:
    """How long the client has rested between tries; it does not really."""
    return []


@pytest.fixture
def client(served: Served, rests: list[float]) -> Client:
    return Client(served.base, served.key, patience_seconds=5, rest=rests.append)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return Checkpoint(tmp_path / "checkpoint")


def told(events: Iterator[Event]) -> list[tuple[str, str]]:
    return [(one.type.removeprefix("cn.tingjian."), one.subject) for one in events]


def speak(archive: Archive, *ids: str) -> None:
    person_id = Village(archive).person()
    for opinion_id in ids:
        opinion(archive, opinion_id, person_id)


def test_at_first_everything_then_only_what_is_new(
    archive: Archive, client: Client, checkpoint: Checkpoint
) -> None:
    Village(archive).topic()
    speak(archive, "op_1", "op_2")
    first = list(client.changes(checkpoint))
    assert first[0].begins_anew
    assert told(iter(first[1:])) == [
        ("topic.updated", ROAD),
        ("opinion.updated", "op_1"),
        ("opinion.updated", "op_2"),
    ]
    assert first[2].data["text"]
    assert told(client.changes(checkpoint)) == []
    speak(archive, "op_3")
    withdraw_opinion(archive, "op_1", "desk")
    found = list(client.changes(checkpoint))
    assert told(iter(found)) == [("opinion.created", "op_3"), ("opinion.deleted", "op_1")]
    assert [(one.is_gone, one.record) for one in found] == [(False, "opinion"), (True, "opinion")]
    assert told(client.changes(checkpoint)) == []


def test_pages_of_everything_and_of_changes(archive: Archive, client: Client, checkpoint: Checkpoint) -> None:
    ids = [f"op_{n:03}" for n in range(230)]
    speak(archive, *ids)
    assert [one.subject for one in islice(client.changes(checkpoint), 1, None)] == ids
    for opinion_id in ids:
        changed(archive, "opinion", opinion_id)
    assert [one.subject for one in client.changes(checkpoint)] == ids


def test_who_is_killed_while_reading_is_told_again(
    archive: Archive, client: Client, checkpoint: Checkpoint
) -> None:
    list(client.changes(checkpoint))
    speak(archive, "op_1", "op_2", "op_3")
    first = [one.id for one in islice(client.changes(checkpoint), 2)]
    again = [one.id for one in client.changes(checkpoint)]
    assert again[:2] == first
    assert len(again) == 3


def test_killed_while_reading_everything_it_begins_anew(
    archive: Archive, client: Client, checkpoint: Checkpoint
) -> None:
    speak(archive, "op_1", "op_2")
    assert len(list(islice(client.changes(checkpoint), 2))) == 2
    assert checkpoint.load() is None
    assert len(list(client.changes(checkpoint))) == 3


def test_after_a_restore_everything_is_read_anew(
    archive: Archive, client: Client, checkpoint: Checkpoint
) -> None:
    speak(archive, "op_1")
    list(client.changes(checkpoint))
    with archive.database.begin() as session:
        feed.begin_anew(session, datetime.now(UTC))
    speak(archive, "op_2")
    found = list(client.changes(checkpoint))
    assert found[0].begins_anew
    assert {one.subject for one in found[1:]} == {"op_1", "op_2"}
    assert told(client.changes(checkpoint)) == []


def test_what_the_scopes_do_not_show_is_not_part_of_everything(
    archive: Archive, served: Served, checkpoint: Checkpoint
) -> None:
    Village(archive).topic()
    speak(archive, "op_1")
    with archive.database.begin() as session:
        _, key = add_platform(session, COMMUNITY, "只看议题", ("changes:read", "topics:read"))
    found = list(Client(served.base, key).changes(checkpoint))
    assert told(iter(found[1:])) == [("topic.updated", ROAD)]


def test_following_hears_at_once_what_is_new(
    archive: Archive, served: Served, checkpoint: Checkpoint
) -> None:
    following = Client(served.base, served.key).changes(checkpoint, follow=True)
    assert next(following).begins_anew
    heard = threading.Event()
    found: list[str] = []

    def listen() -> None:
        found.append(next(following).subject)
        heard.set()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    wait_for(lambda: ("GET", "/api/v1/changes", 200) in served.seen)
    speak(archive, "op_1")
    assert heard.wait(10)
    assert found == ["op_1"]
    thread.join(5)


def wait_for(claim: Any, seconds: float = 10.0) -> None:
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    while not claim():
        assert datetime.now(UTC) < until
        threading.Event().wait(0.02)


def test_a_record_that_has_not_changed_is_not_sent_again(
    archive: Archive, served: Served, client: Client
) -> None:
    Village(archive).topic()
    assert client.topic(ROAD) == client.topic(ROAD)
    assert [status for _, _, status in served.seen] == [200, 304]
    with archive.database.begin() as session:
        session.get_one(Topic, ROAD).title = "修桥"
    assert client.topic(ROAD)["title"] == "修桥"
    assert [topic["id"] for topic in client.topics()] == [ROAD]


def ballot(**more: Any) -> dict[str, Any]:
    voice = {"account": "u1", "number": "+8613800000009"}
    return {"id": "b1", "voice": voice, "choice": "agree"} | more


def test_a_lost_answer_or_a_crash_does_nothing_twice(
    archive: Archive, served: Served, client: Client
) -> None:
    Village(archive).topic()
    served.moods = ["lost", ("503 AWAY", "1"), "lost"]
    first = client.put_ballot(ROAD, ballot())
    again = Client(served.base, served.key).put_ballot(ROAD, dict(reversed(ballot().items())))
    assert first == again
    settle_batch(archive)
    with archive.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Capture)) == 1
    result = client.topic(ROAD)["result"]
    assert (result["voters"], result["evidence"]) == (1, {"attested": 1})


def test_two_topics_of_the_same_words_need_a_key_each(archive: Archive, client: Client) -> None:
    words = {"title": "修桥", "text": "要不要修桥"}
    first = client.put_topic(words)
    assert client.put_topic(words) == first
    assert client.put_topic(words, key="another")["id"] != first["id"]
    assert client.change_topic(first["id"], {"title": "修路"})["title"] == "修路"
    assert client.put_progress(first["id"], {"stage": "动工", "text": "今天动工"})["stage"] == "动工"
    assert [one["text"] for one in client.progress(topic_id=first["id"])] == ["今天动工"]


def test_words_go_in_are_answered_and_taken_back(archive: Archive, client: Client) -> None:
    Village(archive).topic()
    said = {"id": "f1", "voice": {"account": "u1"}, "topic_id": ROAD, "text": "路灯坏了"}
    kept = client.put_feedback(said)
    assert kept["receipt"]
    settle_batch(archive)
    with archive.database.begin() as session:
        session.get_one(Opinion, kept["id"]).state = "approved"
    assert client.put_reply(kept["id"], {"spoken": "明天来修"})["id"]
    assert client.one_feedback(kept["id"])["replies"][0]["text"] == "明天来修"
    reaction = {"id": "r1", "voice": {"account": "u2"}, "choice": "agree"}
    assert client.put_reaction(kept["id"], reaction)["kept"] == 1
    settle_batch(archive)
    assert client.one_feedback(kept["id"])["reactions"] == {"agree": 1}
    client.withdraw(kept["id"], {"account": "u1"})
    settle_batch(archive)
    (found,) = client.feedback(state="withdrawn")
    assert found["id"] == kept["id"]


def test_patience_is_as_long_as_asked_for_and_ends(
    archive: Archive, served: Served, client: Client, rests: list[float]
) -> None:
    Village(archive).topic()
    served.moods = [("429 SLOWLY", "3"), ("502 BAD", "")]
    assert client.topic(ROAD)["id"] == ROAD
    assert rests[0] == 3
    assert 0 < rests[1] <= 1
    served.moods = [("503 AWAY", "6")]
    with pytest.raises(Away):
        client.topic(ROAD)
    served.moods = [("429 SLOWLY", "3600")]
    with pytest.raises(Refused) as slow:
        client.topic(ROAD)
    assert slow.value.status == 429
    with pytest.raises(Away):
        Client("http://127.0.0.1:9", "key", patience_seconds=0).topic(ROAD)


def test_a_no_is_said_in_its_own_words(served: Served, client: Client) -> None:
    with pytest.raises(Refused) as unknown:
        client.put_ballot("tp_none", ballot())
    assert (unknown.value.status, unknown.value.detail) == (404, "no such topic")
    with pytest.raises(Refused) as wrong:
        client.put_link("u1", "123456")
    assert wrong.value.status == 404
    with pytest.raises(Refused) as stranger:
        Client(served.base, "tjk_wrong").topic(ROAD)
    assert stranger.value.status == 401
    with pytest.raises(Refused):
        client.drop_link("ln_none")


def test_a_key_follows_from_what_is_asked() -> None:
    assert key_for("POST", "/topics", b"{}") == key_for("POST", "/topics", b"{}")
    others = {
        key_for("PATCH", "/topics", b"{}"),
        key_for("POST", "/topic", b"{}"),
        key_for("POST", "/topics", b""),
    }
    assert len(others | {key_for("POST", "/topics", b"{}")}) == 4


def a_webhook(secrets: list[str], sent_at: datetime | None = None) -> tuple[dict[str, str], bytes]:
    body = (
        '{"specversion":"1.0","id":"1","type":"cn.tingjian.reply.created","subject":"re_1",'
        '"time":"2026-05-01T04:00:00+00:00","data":{"text":"明天来修"}}'
    )
    return signed("1", body, secrets, sent_at or datetime.now(UTC)), body.encode()


def test_a_webhook_is_believed_only_with_a_good_signature() -> None:
    headers, body = a_webhook([SECRET, OLD])
    for secrets in ([SECRET], [OLD], ["whsec_" + "b3Ro" * 8, SECRET]):
        event = verify_webhook(headers, body, secrets)
        assert (event.record, event.subject, event.data["text"]) == ("reply", "re_1", "明天来修")
    long_ago = a_webhook([SECRET], datetime.now(UTC) - timedelta(minutes=6))
    ahead = a_webhook([SECRET], datetime.now(UTC) + timedelta(minutes=6))
    bad: list[tuple[dict[str, str], bytes]] = [
        (headers, body + b" "), ({}, body), (headers | {"webhook-id": "2"}, body), long_ago, ahead,
        (headers | {"webhook-signature": "v1"}, body), (headers | {"webhook-signature": "v1,%%%"}, body),
        (headers | {"webhook-timestamp": "now"}, body), (headers, b"\xff"),
    ]  # fmt: skip
    for told_headers, told_body in bad:
        with pytest.raises(NotSigned):
            verify_webhook(told_headers, told_body, [SECRET])
    with pytest.raises(NotSigned):
        verify_webhook(headers, body, [])


def test_a_checkpoint_is_never_half_written(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint.save("one")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError):
        checkpoint.save("two")
    assert checkpoint.load() == "one"


def test_what_is_no_event_is_an_error_of_ours() -> None:
    with pytest.raises(ClientError):
        Event.of({"id": "1"})


def test_the_one_file_may_be_copied_away(tmp_path: Path) -> None:
    shutil.copy(client_module.__file__, tmp_path / "tingjian_client.py")
    code = "import sys, tingjian_client; assert not {'sync', 'sqlalchemy', 'flask'} & set(sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
