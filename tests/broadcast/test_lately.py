"""What a call sees of the loudspeakers: a week of what really played, and nothing that was taken back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote, urlsplit

import pytest
from sqlalchemy import select

from ivr import conversation
from ivr.broadcast.rendering import Studio, render_programme
from ivr.broadcast.store import SoundStore
from ivr.dialogue.view import BroadcastView, VoiceView
from ivr.prompts.clips import ClipStore
from ivr.prompts.wanted import record_texts
from ivr.view import community_view
from speech.audio import read_audio
from sync.archive import Archive
from sync.broadcasting import Item, approve, compose, edit
from sync.desk import Actor
from sync.erase import withdraw_opinion
from sync.records.tables import (
    Airing,
    Call,
    Community,
    Loudspeaker,
    Play,
    Programme,
    ProgressUpdate,
    SharedView,
    new_id,
)
from tests.prompts.rich import enrich
from tests.prompts.tone_synthesizer import ToneSynthesizer
from tests.sync.recording_source import source
from tests.sync.test_api_reads_audio import PRIVATE, audible, said
from tests.sync.voices import Said
from tests.web.platform import Platform, open_app

__all__ = ["said", "source"]

NOW = datetime.now(UTC)
STAFF = Actor("st_1", "cm_test")
ITEMS = (
    Item("chime"),
    Item("greeting"),
    Item("notice", "明天上午停水。"),
    Item("voice", opinion_id="op_甲"),
    Item("call"),
)


@pytest.fixture
def rich(any_archive: Archive, any_community: Community) -> Archive:
    enrich(any_archive, any_community)
    return any_archive


def air(
    archive: Archive,
    *items: Item,
    ago: timedelta = timedelta(hours=1),
    state: str = "finished",
    programme_id: str = "",
) -> str:
    """A programme that was approved and that one loudspeaker played, or did not; its id."""
    at = NOW - ago
    with archive.database.begin() as session:
        programme_id = programme_id or compose(session, STAFF, "今天的消息", items, at)
        programme = session.get_one(Programme, programme_id)
        programme.sound_state, programme.sound_digest = "ready", programme.sound_digest or programme_id
        approve(session, STAFF, programme_id, programme.sound_digest, at)
        loudspeaker = Loudspeaker(
            id=new_id("ls"), community_id="cm_test", name=new_id("村口"), kind="files", created_at=at
        )
        airing = Airing(
            id=new_id("air"), natural_key=new_id("key"), community_id="cm_test", programme_id=programme_id,
            state="done", due_at=at, expires_at=at, began_at=at, made_by="st_1",
        )  # fmt: skip
        session.add_all([loudspeaker, airing])
        session.flush()
        session.add(
            Play(
                id=new_id("pl"), airing_id=airing.id, loudspeaker_id=loudspeaker.id, community_id="cm_test",
                state=state, volume=60, due_at=at,
            )
        )  # fmt: skip
    return programme_id


def seen(archive: Archive, at: datetime = NOW) -> tuple[BroadcastView, ...]:
    with archive.database.read() as session:
        return community_view(session, session.get_one(Community, "cm_test"), None, at).broadcasts


def test_a_week_of_what_really_played_is_seen_the_last_first(rich: Archive) -> None:
    assert seen(rich) == ()
    with rich.database.read() as session:
        update = session.scalars(select(ProgressUpdate)).first()
    assert update is not None
    older = air(rich, Item("progress", progress_id=update.id), ago=timedelta(days=6))
    newer = air(rich, *ITEMS)
    air(rich, *ITEMS, state="failed")
    first, second = seen(rich)
    assert (first.programme_id, first.title, len(first.items)) == (newer, "今天的消息", 2)
    assert "明天上午停水。" in first.items[0].sentences
    assert first.items[1].voice == VoiceView("op_甲", "甲的话")
    assert "甲的话" not in "".join(first.items[1].sentences)
    assert second.programme_id == older
    assert [update.spoken in item.sentences for item in second.items] == [True]
    assert [one.programme_id for one in seen(rich, NOW + timedelta(days=2))] == [newer]
    with rich.database.begin() as session:
        version = session.get_one(Programme, newer).version
        edit(session, STAFF, newer, version, NOW, title="正在改")
    assert [one.programme_id for one in seen(rich)] == [older]


def test_a_voice_taken_back_is_gone_from_a_call_that_goes_on(
    rich: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "UNSAID_SECONDS", 0.0)
    air(rich, Item("voice", opinion_id="op_甲"), Item("voice", opinion_id="op_乙"))
    client = open_app(rich).test_client()
    there, elsewhere = (
        Platform(client, caller=f"+861380000777{n}").begin().press("3", "4") for n in range(2)
    )
    assert "大喇叭是这么说的" in there.said
    assert "甲的话" in there.said
    with rich.database.read() as session:
        stored = json.dumps([*session.scalars(select(SharedView.content))], ensure_ascii=False)
        asked = session.scalars(select(Call.place["memory"]["broadcast"].as_string())).all()
    assert "甲的话" not in stored
    assert len(set(asked)) == 1
    assert asked[0]
    withdraw_opinion(rich, "op_甲", "staff")
    elsewhere.client = open_app(rich).test_client()
    assert "甲的话" not in elsewhere.press("*").raw
    assert "乙的话" in there.press("#").said
    assert "甲的话" not in Platform(open_app(rich).test_client()).begin().press("3", "4").raw


def test_it_is_heard_in_the_clips_the_loudspeakers_were_given_with_their_captions(
    archive: Archive, community: Community
) -> None:
    home, hum = archive.recordings.folder.parent, ToneSynthesizer()
    studio = Studio(archive, ClipStore(home / "clips", b"clips"), SoundStore.under(home), lambda: hum)
    with archive.database.begin() as session:
        programme_id = compose(session, STAFF, "停水", [Item("notice", "明天上午停水。")], NOW)
    assert render_programme(studio, programme_id)
    air(archive, programme_id=programme_id)
    client = open_app(archive).test_client()
    call = Platform(client).begin().press("3", "4")
    played = [urlsplit(play.text or "").path for play in call.document.iter("Play")]
    captions = [unquote(client.get(path).headers["X-Caption"]) for path in played]
    assert captions == ["有个通知。", "明天上午停水。"]
    assert "明天上午停水。" not in call.said
    with archive.database.read() as session:
        ahead = set(record_texts(session, "cm_test"))
    assert {"停水", "明天上午停水。"} <= ahead


def test_an_own_voice_is_heard_whole_with_what_must_be_hidden_bleeped(archive: Archive, said: Said) -> None:
    air(archive, Item("voice", opinion_id=said.opinion_id, is_own_voice=True))
    (broadcast,) = seen(archive)
    assert broadcast.items[0].voice == VoiceView(said.opinion_id, "我叫某某门口的路灯坏了", said.opinion_id)
    client = open_app(archive).test_client()
    call = Platform(client).begin().press("3", "4")
    address = [play.text or "" for play in call.document.iter("Play")][-1]
    sound = client.get(urlsplit(address).path)
    assert (sound.status_code, sound.headers["Cache-Control"]) == (200, "no-store")
    heard = audible(read_audio(sound.data))
    assert not heard & set(PRIVATE)
    assert heard >= set(range(7, 12))
    withdraw_opinion(archive, said.opinion_id, "staff")
    assert client.get(urlsplit(address).path).status_code == 404
