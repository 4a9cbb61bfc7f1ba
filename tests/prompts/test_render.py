import time
from datetime import timedelta
from pathlib import Path

import pytest

from admin.communities import typed_setting
from ivr.prompts.book import Book
from ivr.prompts.clips import ClipStore
from ivr.prompts.render import due, open_renderer, render, render_job
from ivr.prompts.tidy import KEPT_SECONDS, tidy
from ivr.prompts.tones import BEEP, JOIN, tone, tone_name
from ivr.prompts.voice import voice_of
from ivr.prompts.wanted import Importance, wanted
from speech.audio import read_audio, write_wav
from speech.errors import SpeechError
from speech.synthesize import FEMALE, MALE
from sync.archive import Archive
from sync.records.tables import Community, Opinion, PromptRecording, Setting, Topic, Transcript
from tests.prompts.rich import NOW, enrich
from tests.prompts.tone_synthesizer import ToneSynthesizer


@pytest.fixture
def clips(tmp_path: Path) -> ClipStore:
    return ClipStore(tmp_path / "clips", b"secret")


@pytest.fixture
def rich(archive: Archive, community: Community) -> str:
    enrich(archive, community)
    return "cm_test"


def test_everything_wanted_is_rendered_once_for_the_phone_and_in_full_band(
    archive: Archive, rich: str, clips: ClipStore
) -> None:
    reports: list[tuple[int, int, str]] = []
    done = render(archive, clips, ToneSynthesizer(), rich, lambda *told: reports.append(told))
    assert done.made == done.total > 200
    assert done.failed == done.kept == 0
    assert [told[0] for told in reports] == list(range(1, done.total + 1))
    for clip in wanted(archive, rich, Book.load("zh")):
        name = clips.name(clip.text, FEMALE, clip.is_slow)
        assert clips.caption(name) == clip.text
        assert read_audio(clips.path(name)).rate == 8000
        assert read_audio(clips.path(name, is_full_band=True)).rate > 8000


def test_a_run_that_was_broken_off_goes_on_where_it_stopped(
    archive: Archive, rich: str, clips: ClipStore
) -> None:
    with pytest.raises(SpeechError):
        render(archive, clips, ToneSynthesizer(away=frozenset({"食堂"})), rich, up_to=Importance.FIRST)
    there = len(clips.names())
    engine = ToneSynthesizer()
    done = render(archive, clips, engine, rich, up_to=Importance.FIRST)
    assert done.kept + 2 == there  # the two tones are not wanted by the book
    assert done.kept > 0
    assert done.made + done.kept == done.total
    assert render(archive, clips, engine, rich, up_to=Importance.FIRST).made == 0


def test_a_sentence_that_cannot_be_said_does_not_hold_up_the_others(
    archive: Archive, rich: str, clips: ClipStore
) -> None:
    refused = ToneSynthesizer(refused=frozenset({"电梯"}))
    done = render(archive, clips, refused, rich, up_to=Importance.FIRST)
    assert done.failed > 0
    assert done.made == done.total - done.failed


def test_the_way_of_a_first_call_is_rendered_first(archive: Archive, rich: str, clips: ClipStore) -> None:
    clips_in_order = list(wanted(archive, rich, Book.load("zh")))
    importance = [clip.importance for clip in clips_in_order]
    assert importance == sorted(importance)
    first = {clip.text for clip in clips_in_order if clip.importance is Importance.FIRST}
    assert {"桃源社区", "电梯", "电梯的背景，大家都来说说。"} <= first
    assert not {"停车位按先来后到。", "我一的答复。", "谢谢您打来，再见。"} & first
    done = render(archive, clips, ToneSynthesizer(), rich, up_to=Importance.FIRST)
    assert done.made == done.total == len(first)
    assert due(archive, clips, rich).total == len(clips_in_order)


def test_what_no_caller_may_hear_is_not_rendered(archive: Archive, rich: str) -> None:
    texts = {clip.text for clip in wanted(archive, rich, Book.load("zh"))}
    assert {"甲的话", "我一的答复。", "停车位按先来后到。", "电梯的图纸画好了。", "只开午饭"} <= texts
    assert not {"没放行的话", "没审核的话", "草稿"} & texts


def test_the_job_renders_only_what_changed_and_loads_the_engine_only_for_that(
    archive: Archive, rich: str, clips: ClipStore
) -> None:
    loaded: list[ToneSynthesizer] = []

    def load() -> ToneSynthesizer:
        loaded.append(ToneSynthesizer())
        return loaded[-1]

    open_renderer(archive, clips, load)
    assert render_job(rich) > 200
    open_renderer(archive, clips, load)
    assert render_job(rich) == 0
    assert len(loaded) == 1
    with archive.database.begin() as session:
        changed = session.get(Topic, "tp_电梯")
        assert changed is not None
        changed.spoken_background = "电梯的背景变了。"
    assert {clip.text for clip in due(archive, clips, rich).missing} == {"电梯的背景变了。"}
    before = clips.names()
    assert render_job(rich) == 2  # normal and slow
    assert render_job(rich) == 0
    assert len(loaded) == 2
    assert len(clips.names() - before) == 2
    assert before <= clips.names()  # running calls may still come to the old words
    assert tidy(archive, clips, time.time() + KEPT_SECONDS + 1) == 2
    assert len(clips.names()) == len(before)


def test_withdrawn_words_leave_the_store(archive: Archive, rich: str, clips: ClipStore) -> None:
    render(archive, clips, ToneSynthesizer(), rich, up_to=Importance.PROMPTS)
    name = clips.name("丙的话", FEMALE)
    assert clips.has(name)
    assert tidy(archive, clips) == 0
    with archive.database.begin() as session:
        withdrawn = session.get(Opinion, "op_丙")
        assert withdrawn is not None
        withdrawn.state = "withdrawn"
    assert tidy(archive, clips) == 2  # at both paces
    assert not clips.has(name)
    assert not clips.path(name, is_full_band=True).exists()
    assert not [path for path in clips.folder.iterdir() if name in path.name]


def test_a_correction_replaces_the_words(archive: Archive, rich: str) -> None:
    with archive.database.begin() as session:
        session.add(
            Transcript(
                opinion_id="op_甲",
                version=2,
                redacted="甲改过的话",
                confidence=1.0,
                language="zh",
                engine="staff",
                speech_seconds=3.0,
                made_by="staff",
                made_at=NOW + timedelta(hours=1),
            )
        )
    texts = {clip.text for clip in wanted(archive, rich, Book.load("zh"))}
    assert "甲改过的话" in texts
    assert "甲的话" not in texts


def test_a_job_for_a_community_that_is_gone_is_no_error(archive: Archive, clips: ClipStore) -> None:
    open_renderer(archive, clips, ToneSynthesizer)
    assert render_job("cm_gone") == 0


def record(archive: Archive, community_id: str, prompt: str, sound: bytes) -> None:
    with archive.database.begin() as session:
        session.add(
            PromptRecording(
                community_id=community_id, prompt=prompt, sound=sound, recorded_by="staff", recorded_at=NOW
            )
        )


def test_a_persons_recording_is_played_instead_of_the_rendered_sentence(
    archive: Archive, rich: str, clips: ClipStore
) -> None:
    book = Book.load("zh")
    prompt = next(
        name for name in sorted(book.ids) if book.fragments(name)[0] and not book.placeholders(name)
    )
    words = book.fragments(prompt)[0][0]
    record(archive, rich, prompt, write_wav(tone(BEEP)))
    record(archive, rich, "no.such_prompt", write_wav(tone(BEEP)))
    render(archive, clips, ToneSynthesizer(), rich, up_to=Importance.PROMPTS)
    assert clips.find(words, FEMALE, False, rich) == clips.recorded_name(words, rich)
    assert clips.find(words, FEMALE, False, "cm_other") == clips.name(words, FEMALE)
    tidy(archive, clips)
    assert clips.find(words, FEMALE, False, rich) == clips.recorded_name(words, rich)


def test_a_broken_recording_is_left_out(archive: Archive, rich: str, clips: ClipStore) -> None:
    book = Book.load("zh")
    prompt = next(name for name in sorted(book.ids) if not book.placeholders(name))
    record(archive, rich, prompt, b"RIFF but no sound")
    render(archive, clips, ToneSynthesizer(), rich, up_to=Importance.PROMPTS)
    words = book.fragments(prompt)[0][0]
    assert clips.find(words, FEMALE, False, rich) == clips.name(words, FEMALE)


def test_the_community_chooses_its_voice(archive: Archive, rich: str, clips: ClipStore) -> None:
    with archive.database.begin() as session:
        assert voice_of(session, rich) == FEMALE
        session.add(Setting(community_id=rich, name="voice", value="male", changed_at=NOW, changed_by="test"))
        session.flush()
        assert voice_of(session, rich) == MALE
    render(archive, clips, ToneSynthesizer(), rich, up_to=Importance.FIRST)
    assert clips.has(clips.name("桃源社区", MALE))
    assert not clips.has(clips.name("桃源社区", FEMALE))
    assert [typed_setting("voice", name) for name in ("", "male", FEMALE)] == ["", "male", FEMALE]
    with pytest.raises(ValueError, match="zm_yunxi"):
        typed_setting("voice", "femal")


def test_the_tones_are_short_and_can_be_heard(archive: Archive, rich: str, clips: ClipStore) -> None:
    render(archive, clips, ToneSynthesizer(), rich, up_to=Importance.FIRST)
    beep, join = (read_audio(clips.path(tone_name(clips, name))) for name in (BEEP, JOIN))
    assert 0.3 < beep.seconds < 0.6
    assert join.seconds < 0.3
    assert abs(beep.samples).max() > 0.2
    assert clips.caption(tone_name(clips, BEEP)) == ""


def test_what_is_wanted_meanwhile_comes_before_the_rest_of_the_book(
    archive: Archive, rich: str, clips: ClipStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ivr.prompts.render.LOOK_AGAIN_SECONDS", 0.0)
    added = "新加的议题，第一个要听到。"
    order: list[str] = []

    def report(done: int, total: int, text: str) -> None:
        order.append(text)
        if len(order) == 3:
            with archive.database.begin() as session:
                session.get_one(Topic, "tp_电梯").spoken_title = added
        if text == added:  # found: no need to look again after every sentence of the book
            monkeypatch.setattr("ivr.prompts.render.LOOK_AGAIN_SECONDS", 60.0)

    done = render(archive, clips, ToneSynthesizer(refused=frozenset({"食堂"})), rich, report)
    assert order.index(added) < 20 < done.total
    assert done.failed > 0
    assert done.made + done.kept + done.failed == done.total
