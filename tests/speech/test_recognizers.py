"""What every recognizer promises, on the real engines."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from speech.audio import Audio, join, silence
from speech.channel import phone
from speech.error_rate import character_error_rate
from speech.errors import SpeechError
from speech.recognize import ENGINES, Recognizer, load_recognizer
from speech.synthesize import FEMALE, MALE, Synthesizer
from tests.speech.sounds import WORDLESS

pytestmark = pytest.mark.slow

SENTENCES = (
    "小区东门的路灯坏了三个星期了，晚上老人出门很不方便。",
    "我同意加装电梯，但是一楼的居民应该少出一点钱。",
    "希望长者食堂能给行动不便的老人送饭上门。",
)


@pytest.mark.parametrize("sound", WORDLESS)
def test_sounds_without_words_give_no_words(recognizer: Recognizer, sound: str) -> None:
    transcript = recognizer.transcribe(WORDLESS[sound], next(iter(recognizer.languages)))
    assert transcript.is_silent, transcript.text
    assert transcript.words == ()
    assert transcript.confidence == 0.0


def test_a_transcript_is_whole(recognizer: Recognizer, kokoro: Synthesizer) -> None:
    sound = phone(kokoro.say(SENTENCES[0]))
    transcript = recognizer.transcribe(sound, next(iter(recognizer.languages)), hints=("路灯",))
    assert transcript.text
    assert 0 < transcript.confidence <= 1
    assert 0 < transcript.speech_seconds <= sound.seconds + 0.5
    assert recognizer.name in transcript.engine
    assert all(0 <= word.start_seconds <= word.end_seconds <= sound.seconds + 1 for word in transcript.words)
    assert all(before.start_seconds <= word.start_seconds for before, word in pairwise(transcript.words))


def test_an_empty_sound_has_no_words(recognizer: Recognizer) -> None:
    assert recognizer.transcribe(silence(0, 8000)).is_silent
    assert recognizer.transcribe(silence(0.05, 8000)).is_silent


@pytest.mark.parametrize("voice", [FEMALE, MALE])
def test_what_we_say_is_heard_again_over_the_telephone(
    whisper: Recognizer, kokoro: Synthesizer, voice: str
) -> None:
    wrong = [
        character_error_rate(sentence, whisper.transcribe(phone(kokoro.say(sentence, "zh", voice))).text)
        for sentence in SENTENCES
    ]
    assert sum(wrong) / len(wrong) <= 0.25, wrong


def test_words_keep_their_time_after_a_long_silence(whisper: Recognizer, kokoro: Synthesizer) -> None:
    spoken = kokoro.say(SENTENCES[1])
    sound = join([silence(6, spoken.rate), spoken, silence(5, spoken.rate), spoken])
    words = whisper.transcribe(sound).words
    assert 5.5 <= words[0].start_seconds <= 7
    second = 11 + spoken.seconds
    assert any(abs(word.start_seconds - second) < 1 for word in words)
    assert not any(6.5 + spoken.seconds < word.start_seconds < second - 1 for word in words)


def test_text_is_simplified_and_ends_with_a_mark(whisper: Recognizer, kokoro: Synthesizer) -> None:
    text = whisper.transcribe(kokoro.say("请物业派人来修理电梯。")).text
    assert text.endswith("。")
    assert not set("請電業來") & set(text)


def test_stereo_noise_and_clipping_do_no_harm(whisper: Recognizer) -> None:
    square = np.sign(np.sin(np.arange(16000) / 5)).astype(np.float32)
    assert whisper.transcribe(Audio(square, 16000)).is_silent


@pytest.mark.parametrize("name", ENGINES)
def test_missing_weights_are_named_and_may_come_later(name: str, tmp_path: Path) -> None:
    with pytest.raises(SpeechError) as caught:
        load_recognizer(name, tmp_path)
    assert not caught.value.permanent


def test_an_unknown_engine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpeechError) as caught:
        load_recognizer("parrot", tmp_path)
    assert caught.value.permanent
