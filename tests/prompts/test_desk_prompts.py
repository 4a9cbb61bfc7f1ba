"""What staff change about the phone's sentences is what callers hear: names, recordings, previews."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from ivr.dialogue.view import TopicView
from ivr.prompts import previews, takes
from ivr.prompts.as_heard import as_heard, real_seconds, topic_sentences
from ivr.prompts.book import Book
from ivr.prompts.clips import ClipStore
from ivr.prompts.readings import readings_of
from ivr.prompts.render import due, open_renderer, preview_job, render, render_job
from ivr.prompts.tidy import tidy
from ivr.prompts.wanted import Importance
from speech.audio import Audio, read_audio, write_wav
from speech.plainness import reading
from speech.pronounce import Pronunciations, Speller
from speech.synthesize import FEMALE
from sync import pronunciations
from sync.archive import Archive
from sync.desk import Actor, ChangedMeanwhile, DeskError, NotThere
from sync.records.tables import Audit, Community, Preview, PromptRecording
from tests.prompts.rich import NOW, enrich
from tests.prompts.tone_synthesizer import ToneSynthesizer

CLERK = Actor("st_clerk", "cm_test")
WORDS = "桃源社区"


class TaughtSynthesizer(ToneSynthesizer):
    """Remembers with which pronunciations each phrase was said."""

    def __init__(self) -> None:
        super().__init__()
        self.taught: Pronunciations = {}
        self.by: dict[str, Pronunciations] = {}

    def teach(self, pronunciations: Pronunciations) -> None:
        self.taught = dict(pronunciations)

    def say(self, text: str, language: str = "zh", voice: str = FEMALE) -> Audio:
        self.by[text] = self.taught
        return super().say(text, language, voice)


@pytest.fixture
def clips(tmp_path: Path) -> ClipStore:
    return ClipStore(tmp_path / "clips", b"secret")


@pytest.fixture
def rich(archive: Archive, community: Community) -> str:
    enrich(archive, community)
    return "cm_test"


def spell(archive: Archive, word: str, pinyin: str, before: str = "") -> None:
    with archive.database.begin() as session:
        pronunciations.say(session, CLERK, word, pinyin, before, NOW)


def hum(seconds: float, loudness: float = 0.3, rate: int = 16_000) -> bytes:
    moments = np.arange(int(seconds * rate)) / rate
    quiet = np.zeros(rate // 2)
    wave = np.sin(2 * np.pi * 220 * moments) * loudness
    return write_wav(Audio(np.concatenate((quiet, wave, quiet)).astype(np.float32), rate))


def test_a_word_is_said_as_its_community_says_it_and_nobody_elses_clip_changes(
    archive: Archive, rich: str, clips: ClipStore
) -> None:
    engine = TaughtSynthesizer()
    render(archive, clips, engine, rich, up_to=Importance.FIRST)
    usual = clips.find(WORDS, FEMALE, False, rich)
    assert usual == clips.name(WORDS, FEMALE)
    spell(archive, "桃源", "tao2 yuan4")
    assert {clip.text for clip in due(archive, clips, rich, Importance.FIRST).missing} == {WORDS}
    assert clips.find(WORDS, FEMALE, False, rich) == usual  # until the new one is there
    render(archive, clips, engine, rich, up_to=Importance.FIRST)
    own = clips.find(WORDS, FEMALE, False, rich)
    assert own == clips.own_name(WORDS, FEMALE, False, rich)
    assert engine.by[WORDS] == {"桃源": "tao2 yuan4"}
    assert clips.may_change(own)  # so that no line keeps the old sound for a day
    assert clips.find(WORDS, FEMALE, False, "cm_other") == usual
    spell(archive, "桃源", "tao2 yuan2", before="tao2 yuan4")
    assert render(archive, clips, engine, rich, up_to=Importance.FIRST).made == 1
    assert engine.by[WORDS] == {"桃源": "tao2 yuan2"}
    assert render(archive, clips, engine, rich, up_to=Importance.FIRST).made == 0
    with archive.database.begin() as session:
        pronunciations.forget(session, CLERK, "桃源")
    tidy(archive, clips)
    assert clips.find(WORDS, FEMALE, False, rich) == usual  # at once, not after a day
    with archive.database.read() as session:
        assert readings_of(session, rich, "espeak").words == {}  # an engine that can't be taught


def test_the_list_takes_only_what_can_be_said(archive: Archive, community: Community) -> None:
    assert list(Speller({"乐清": "yue4 qing1"}).spell("去乐清"))[-1] == ("yue4", "qing1")
    for word, pinyin, code in (
        ("Yueqing", "yue4 qing1", "word_not_chinese"),
        ("乐清", "yue4", "pinyin_wrong"),
        ("乐清", "yue qing", "pinyin_wrong"),
    ):
        with pytest.raises(DeskError) as refused:
            spell(archive, word, pinyin)
        assert refused.value.code == code
    spell(archive, "绿道", "LV4  dao4")
    with pytest.raises(ChangedMeanwhile):
        spell(archive, "绿道", "lü4 dao4", before="something else")
    with archive.database.read() as session:
        (kept,) = pronunciations.listed(session, "cm_test")
        audits = session.scalars(select(Audit)).all()
    assert kept.pinyin == "lü4 dao4"
    assert [one.act for one in audits] == ["pronunciation.changed"]
    assert "绿道" not in audits[0].subject


def test_a_prompt_is_recorded_checked_levelled_and_brought_back(
    archive: Archive, rich: str, clips: ClipStore
) -> None:
    open_renderer(archive, clips, ToneSynthesizer)
    phrase = next(one for one in takes.phrases(Book.load("zh")) if one.key == "finish.goodbye")

    def record(data: bytes, version: int) -> None:
        with archive.database.begin() as session:
            takes.record(session, CLERK, phrase.key, data, version, NOW)

    def heard() -> str | None:
        render_job(rich)
        return clips.find(phrase.words, FEMALE, False, rich)

    machine = heard()
    for data, code in (
        (b"no sound", "no_sound"),
        (hum(1, 0.001), "sound_too_quiet"),
        (hum(61), "sound_too_long"),
    ):
        with pytest.raises(DeskError) as refused:
            record(data, 0)
        assert refused.value.code == code
    record(hum(1.0), 0)
    recorded = clips.recorded_name(phrase.words, rich)
    assert heard() == recorded
    first = read_audio(clips.path(recorded, is_full_band=True))
    assert 1.0 < first.seconds < 1.3  # the silence at both ends is gone
    assert 0.1 < np.abs(first.samples).max() < 0.3  # as loud as all others
    with pytest.raises(ChangedMeanwhile):
        record(hum(2.0), 0)
    record(hum(2.0), 1)
    heard()
    assert read_audio(clips.path(recorded)).seconds > 2.0
    with archive.database.begin() as session:
        takes.restore(session, CLERK, phrase.key, 1, 2, NOW)
    heard()
    assert read_audio(clips.path(recorded)).seconds < 1.4
    with archive.database.begin() as session:
        takes.restore(session, CLERK, phrase.key, 0, 3, NOW)
    assert heard() == machine  # at once: nobody is to hear a voice that was taken back
    with archive.database.begin() as session:
        assert [one.version for one in takes.versions(session, rich, phrase.key)] == [4, 3, 2, 1]
        assert session.scalars(select(PromptRecording)).all() == []
        with pytest.raises(NotThere):
            takes.restore(session, CLERK, phrase.key, 9, 4, NOW)
        with pytest.raises(NotThere):
            takes.record(session, CLERK, "no.such_prompt", hum(1), 0, NOW)


def test_a_topic_is_heard_before_anybody_else_hears_it(archive: Archive, rich: str, clips: ClipStore) -> None:
    topic = TopicView(
        "tp_new", "要不要修凉亭", "凉亭漏雨，修一修要三千元。", options=(("a", "修"), ("b", "不修"))
    )
    sentences = topic_sentences(topic, WORDS, "zh")
    assert "要不要修凉亭" in sentences
    assert sentences.index("凉亭漏雨，修一修要三千元。") < sentences.index("修") < sentences.index("不修")
    with archive.database.read() as session:
        assert set(previews.clips_for(session, clips, rich, sentences).values()) == {None}
    with archive.database.begin() as session:
        previews.ask(session, rich, [*sentences, "  "], "st_clerk", datetime.now(UTC) - timedelta(hours=2))
    open_renderer(archive, clips, ToneSynthesizer)
    assert preview_job() == 0  # asked for long ago: nobody waits any more
    tidy(archive, clips)
    for _ in range(2):  # asked twice, made once
        with archive.database.begin() as session:
            previews.ask(session, rich, sentences, "st_clerk", datetime.now(UTC))
    render(archive, clips, ToneSynthesizer(), rich, up_to=Importance.FIRST)  # a long render makes them first
    with archive.database.read() as session:
        found = previews.clips_for(session, clips, rich, sentences)
        kept = session.scalars(select(Preview)).all()
    names = [name for name in (found[text] for text in sentences) if name]
    assert len(names) == len(sentences)
    assert len(kept) == len(set(sentences))
    assert {row.text for row in kept} == {""}  # the words are gone as soon as their clip is there
    tidy(archive, clips)
    assert all(clips.has(name) for name in names)  # somebody is still listening
    sound = read_audio(as_heard(clips, names))
    assert sound.rate == 8000
    assert abs(sound.seconds - real_seconds(clips, names)) < 0.1


def test_how_plainly_something_is_said() -> None:
    plain = reading("路灯坏了三盏。下周来修。")
    stiff = reading("根据上级有关要求拟对小区内破损照明设施予以更换并征求意见请广大居民群众知悉及时反馈。")
    assert (plain.level, plain.longest) == ("easy", 6)
    assert stiff.level == "hard"
    assert stiff.plainer["予以"] == "给"
