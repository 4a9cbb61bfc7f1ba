"""What every recognizer promises, on the real engines."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from speech.audio import Audio, join, silence
from speech.channel import phone
from speech.engines import espeak
from speech.engines.vosk import VoskRecognizer
from speech.error_rate import character_error_rate
from speech.errors import SpeechError
from speech.recognize import ENGINES, Recognizer, load_recognizer
from speech.synthesize import FEMALE, MALE, Synthesizer
from tests.speech.sounds import WORDLESS

pytestmark = pytest.mark.slow

SAID = {
    FEMALE: "小区东门的路灯坏了三个星期了，晚上老人出门很不方便。",
    MALE: "我同意加装电梯，但是一楼的居民应该少出一点钱。",
}


@pytest.fixture(scope="module")
def spoken(kokoro: Synthesizer) -> Mapping[str, Audio]:
    """A sentence in each voice, said once for all tests."""
    return {voice: kokoro.say(sentence, "zh", voice) for voice, sentence in SAID.items()}


@pytest.mark.parametrize("sound", WORDLESS)
def test_sounds_without_words_give_no_words(recognizer: Recognizer, sound: str) -> None:
    for heard in (WORDLESS[sound], phone(WORDLESS[sound])):
        transcript = recognizer.transcribe(heard, min(recognizer.languages))
        assert transcript.is_silent, transcript.text
        assert transcript.words == ()
        assert transcript.confidence == 0.0


def test_a_transcript_is_whole(recognizer: Recognizer, spoken: Mapping[str, Audio]) -> None:
    whole = phone(spoken[FEMALE])
    sound = Audio(whole.samples[: 3 * whole.rate], whole.rate)
    language = "zh" if "zh" in recognizer.languages else min(recognizer.languages)
    transcript = recognizer.transcribe(sound, language, hints=("路灯",))
    assert transcript.text
    assert 0 < transcript.confidence <= 1
    assert 0 < transcript.speech_seconds <= sound.seconds + 0.5
    assert recognizer.name in transcript.engine
    assert all(0 <= word.start_seconds <= word.end_seconds <= sound.seconds + 1 for word in transcript.words)
    assert all(before.start_seconds <= word.start_seconds for before, word in pairwise(transcript.words))


def test_an_empty_sound_has_no_words(recognizer: Recognizer) -> None:
    assert recognizer.transcribe(silence(0, 8000)).is_silent
    assert recognizer.transcribe(silence(0.05, 8000)).is_silent


def test_what_we_say_is_heard_again_over_the_telephone(
    whisper: Recognizer, spoken: Mapping[str, Audio]
) -> None:
    heard = {voice: whisper.transcribe(phone(spoken[voice])).text for voice in SAID}
    wrong = [character_error_rate(SAID[voice], heard[voice]) for voice in SAID]
    assert sum(wrong) / len(wrong) <= 0.25, heard
    for text in heard.values():
        assert text.endswith("。")
        assert not set("區東門燈壞個電樓應該點錢") & set(text), "traditional characters"


def test_words_keep_their_time_after_a_long_silence(whisper: Recognizer, spoken: Mapping[str, Audio]) -> None:
    said = spoken[MALE]
    sound = join([silence(6, said.rate), said, silence(5, said.rate), said])
    words = whisper.transcribe(sound).words
    assert 5.5 <= words[0].start_seconds <= 7
    second = 11 + said.seconds
    assert any(abs(word.start_seconds - second) < 1 for word in words)
    assert not any(6.5 + said.seconds < word.start_seconds < second - 1 for word in words)


def test_stereo_noise_and_clipping_do_no_harm(whisper: Recognizer) -> None:
    square = np.sign(np.sin(np.arange(16000) / 5)).astype(np.float32)
    assert whisper.transcribe(Audio(square, 16000)).is_silent


def test_vosk_hears_nothing_but_the_words_it_is_given(vosk: VoskRecognizer) -> None:
    """With the Korean model: yes, no and figures; espeak's Korean is clear enough for two of them."""
    asked = ("예", "아니요", "영", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구")
    narrow = vosk.among(asked)
    for said in ("아니요", "오", "동문 가로등이 삼 주째 고장입니다."):
        heard = narrow.transcribe(korean(said), "ko").words
        assert heard
        assert {word.text for word in heard} <= set(asked)
        assert [word.text for word in heard] == [said] or said not in asked


def test_vosk_says_which_word_it_could_never_hear(vosk: VoskRecognizer) -> None:
    with pytest.raises(SpeechError, match="路灯") as caught:
        vosk.among(("예", "路灯"))
    assert caught.value.permanent


def korean(text: str) -> Audio:
    """Said by espeak-ng, with half a second of silence around it, over the telephone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(espeak.VOICES, "ko", "ko")
        patch.setitem(espeak.WORDS_A_MINUTE, "ko", 150)
        said = espeak.EspeakSynthesizer().say(text, "ko")
    edge = silence(0.5, said.rate)
    return phone(join([edge, said, edge]))


@pytest.mark.parametrize("name", ENGINES)
def test_missing_weights_are_named_and_may_come_later(name: str, tmp_path: Path) -> None:
    with pytest.raises(SpeechError) as caught:
        load_recognizer(name, tmp_path)
    assert not caught.value.permanent


def test_an_unknown_engine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpeechError) as caught:
        load_recognizer("parrot", tmp_path)
    assert caught.value.permanent
