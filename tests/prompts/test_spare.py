"""While the voice is away, calls are read by the last fallback; nothing of it stays once it is back."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from ivr.prompts.book import Book
from ivr.prompts.clips import FORMAT_BEFORE, ClipStore
from ivr.prompts.due import due
from ivr.prompts.render import open_renderer, render_job
from ivr.prompts.spare import render_spare
from ivr.prompts.wanted import Importance, wanted
from speech.audio import read_audio
from speech.errors import SpeechError
from speech.synthesize import FALLBACK, FEMALE, MALE, VOICES_BEFORE, Synthesizer, load_synthesizer
from sync.archive import Archive
from sync.records.tables import Community
from tests.prompts.tone_synthesizer import ToneSynthesizer


@pytest.fixture
def clips(tmp_path: Path) -> ClipStore:
    return ClipStore(tmp_path / "clips", b"secret")


def test_broken_weights_are_read_by_espeak_and_the_operator_is_told(
    archive: Archive, community: Community, clips: ClipStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    weights = tmp_path / "models" / "kokoro"
    weights.mkdir(parents=True)
    (weights / "model.onnx").write_bytes(b"not a model")
    (weights / "symbols.json").write_text('{"vocab": {}}')
    with pytest.raises(SpeechError) as broken:
        load_synthesizer("kokoro", tmp_path / "models")
    load = partial(load_synthesizer, FALLBACK, tmp_path / "models")
    first = due(archive, clips, community.id, Importance.FIRST).missing
    made = render_spare(archive, clips, load, community.id, broken.value, Importance.FIRST)
    assert made == len(first) > 5
    for clip in first:
        name = clips.find(clip.text, FEMALE, clip.is_slow, community.id)
        assert name == clips.spare_name(clip.text, FEMALE, clip.is_slow)
        sound = read_audio(clips.path(name))
        assert sound.rate == 8000
        assert abs(sound.samples).max() > 0.1
        assert clips.may_change(name)  # no line keeps it
    (told,) = caplog.messages
    assert "kokoro" in told
    assert "espeak" in told
    assert "tingjian doctor" in told


def test_the_voice_takes_over_again_when_it_is_back(
    archive: Archive, community: Community, clips: ClipStore
) -> None:
    is_away = True
    voice, spare = ToneSynthesizer(), ToneSynthesizer()

    def load() -> Synthesizer:
        if is_away:
            raise SpeechError("the weights are broken", permanent=False)
        return voice

    needed = list(wanted(archive, community.id, Book.load("zh")))
    open_renderer(archive, clips, load, spare=lambda: spare)
    made = render_job(community.id)
    assert made == len({clip.text for clip in needed})  # one pace will do
    assert render_job(community.id) == 0  # what is there need not be said twice
    assert len(due(archive, clips, community.id).missing) == len(needed)
    stood_in = {clips.find(clip.text, FEMALE, clip.is_slow, community.id) for clip in needed}
    assert None not in stood_in
    assert len(stood_in) == made
    is_away = False
    assert render_job(community.id) == len(needed)
    assert not stood_in & clips.names()
    for clip in needed:
        found = clips.find(clip.text, FEMALE, clip.is_slow, community.id)
        assert found == clips.name(clip.text, FEMALE, clip.is_slow)


def test_without_a_spare_engine_the_job_fails_and_is_tried_again(
    archive: Archive, community: Community, clips: ClipStore
) -> None:
    open_renderer(archive, clips, lambda: load_synthesizer("kokoro", clips.folder))
    with pytest.raises(SpeechError):
        render_job(community.id)


def test_an_earlier_or_another_voice_is_heard_before_the_fallback(clips: ClipStore) -> None:
    def there(name: str) -> str:
        clips.write(name, b"w", b"w", "您好")
        return name

    in_order = [
        there(clips.spare_name("您好", MALE)),
        there(clips.name("您好", FEMALE)),
        there(clips._hash(FORMAT_BEFORE, "kokoro", MALE, "normal", "您好")),
        there(clips.name("您好", VOICES_BEFORE[MALE])),
        there(clips.name("您好", MALE)),
        there(clips.own_name("您好", MALE, False, "co_1")),
        there(clips.recorded_name("您好", "co_1")),
    ]
    while in_order:
        best = in_order.pop()
        assert clips.find("您好", MALE, False, "co_1") == best
        clips.delete(best)
    assert clips.find("您好", MALE, False, "co_1") is None
