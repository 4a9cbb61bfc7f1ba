"""Weights with few tokens give the words that the whole ones give among these."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from ctranslate2 import StorageView
from faster_whisper import WhisperModel

from speech.audio import resample
from speech.engines.whisper_ear import Ear
from speech.engines.whisper_tokens import cut
from speech.synthesize import Synthesizer

SENTENCE = "小区东门的路灯坏了三个星期了，晚上老人出门很不方便。"
WHOLE = 51_865


@pytest.fixture(scope="module")
def ear(models: Path) -> Ear:
    return Ear(models / "whisper-base", is_chinese=True)


def test_the_words_are_those_of_the_whole_model_told_to_leave_out_the_rest(
    ear: Ear, models: Path, kokoro: Synthesizer
) -> None:
    whole = WhisperModel(str(models / "whisper-base"), device="cpu", compute_type="int8", cpu_threads=1)
    sound = resample(kokoro.say(SENTENCE), 16_000).samples
    tokenizer = ear.tokenizer("zh")
    encoded = ear.encode([sound, sound[::2]], 1.0)
    options = {"beam_size": 3, "num_hypotheses": 3, "return_scores": True, "max_length": 60}
    prompts = [list(tokenizer.sot_sequence)] * 2
    few = ear.model.model.generate(
        encoded, prompts, suppress_tokens=ear.unwanted, max_initial_timestamp_index=5, **options
    )
    unwritten = sorted({*range(WHOLE)} - {*ear.model.model.tokens} | {*ear.unwanted})
    same = whole.model.generate(
        encoded, prompts, suppress_tokens=unwritten, max_initial_timestamp_index=50, **options
    )
    assert "路" in tokenizer.decode(few[0].sequences_ids[0])
    for ours, theirs in zip(few, same, strict=True):
        assert ours.sequences_ids == theirs.sequences_ids
        assert ours.scores == pytest.approx(theirs.scores, abs=1e-3)
    assert len(ear.model.model.tokens) < WHOLE / 8
    assert np.array(encoded).shape[0] == 2


def test_what_is_no_token_of_these_is_left_out_of_a_prompt(ear: Ear) -> None:
    tokenizer = ear.tokenizer("zh")
    sound = ear.encode([np.zeros(16_000, np.float32)], 1.0)
    told = [tokenizer.sot_prev, *tokenizer.encode(" 路灯 словарь"), *tokenizer.sot_sequence]
    assert not set(told) <= set(ear.model.model.tokens)
    [found] = ear.model.model.generate(
        sound, [told], suppress_tokens=ear.unwanted, beam_size=1, max_length=90
    )
    assert set(found.sequences_ids[0]) <= set(ear.model.model.tokens)


def test_other_languages_keep_their_words(models: Path) -> None:
    ear = Ear(models / "whisper-base", is_chinese=False)
    tokenizer = ear.tokenizer("en")
    assert set(tokenizer.encode(" The neighbours' street lamp is broken.")) <= set(ear.model.model.tokens)
    assert isinstance(ear.encode([np.zeros(16_000, np.float32)], 1.0), StorageView)


def test_weights_of_another_format_are_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "vocabulary.json").write_text(json.dumps(["a", "b"]))
    (tmp_path / "tokenizer.json").write_text("{}")
    for weights, why in ((b"\x05\0\0\0", "another format"), (b"\x06\0\0\0\x01\0\0" + bytes(8), "no rows")):
        (tmp_path / "model.bin").write_bytes(weights)
        with pytest.raises(ValueError, match=why):
            cut(tmp_path, [0])
