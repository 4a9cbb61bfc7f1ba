"""Saying sentences: pace, loudness, engines, pronunciation."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from speech.audio import Audio
from speech.breaths import cut
from speech.engines.kokoro import STYLE_SIZE, _style
from speech.errors import SpeechError
from speech.pacing import Pace, characters, speak, split
from speech.pronounce import Speller
from speech.reading import normalise
from speech.synthesize import FEMALE, MALE, VOICES, VOICES_BEFORE, Synthesizer, load_synthesizer

PROMPT = "听话题请按1，我要说话请按2，查进展请按3。随时按星号键重听。"


@dataclass
class Hummer:
    """A synthesizer that hums a fifth of a second for every character and is silent at every mark."""

    name: str = "hummer"
    voices: tuple[str, ...] = (FEMALE,)
    said: list[str] = field(default_factory=list)

    def say(self, text: str, language: str = "zh", voice: str = FEMALE) -> Audio:
        if not characters(text):
            raise SpeechError("there is nothing to say", permanent=True)
        self.said.append(text)
        time = np.arange(len(text) * 3200) / 16000
        is_word = np.repeat([letter.isalnum() for letter in text], 3200)
        return Audio((0.2 * np.sin(time * 1500) * is_word).astype(np.float32), 16000)


def a_minute(sound: Audio, text: str) -> float:
    return characters(normalise(text)) / sound.seconds * 60


@pytest.mark.parametrize("pace", Pace)
def test_the_pace_is_kept(pace: Pace) -> None:
    sound = speak(PROMPT, Hummer(), FEMALE, pace)
    assert a_minute(sound, PROMPT) == pytest.approx(pace.characters_a_minute, rel=0.1)


def test_saying_it_slowly_costs_no_second_synthesis() -> None:
    hummer = Hummer(name="hummer two")
    speak(PROMPT, hummer)
    before = len(hummer.said)
    speak(PROMPT, hummer, FEMALE, Pace.SLOW)
    assert len(hummer.said) == before == 2


def test_phrases_keep_their_marks_and_figures_are_said() -> None:
    hummer = Hummer(name="hummer three")
    speak("一共3票，同意。", hummer)
    assert hummer.said == ["一共三票，同意。"]
    several = (
        "路灯坏了三个星期，晚上看不见。楼道扶手松了，老人怕摔倒。",
        "电梯每天都要停好几回，大家爬楼梯上去。",
    )
    speak("".join(several), hummer)
    assert hummer.said[1:] == list(several)  # whole sentences, as many as a breath holds


def test_a_pause_is_set_only_where_one_was_heard() -> None:
    hummer = Hummer(name="hummer four")
    whole = hummer.say("同意，请按一。")
    (two, first), (one, second) = cut(Audio(whole.samples[:-3200], whole.rate), [2, 3])
    assert (two, one) == (1, 1)
    assert first.seconds == pytest.approx(0.43, abs=0.03)
    assert second.seconds == pytest.approx(0.63, abs=0.03)
    unbroken = hummer.say("同意请按一")
    ((together, sound),) = cut(unbroken, [2, 3])
    assert (together, sound.seconds) == (2, unbroken.seconds)


def test_a_text_that_goes_on_sounds_the_same_and_rests_longer() -> None:
    hummer = Hummer(name="hummer of numbers")
    within, at_the_end = (speak(text, hummer, FEMALE, Pace.SLOW) for text in ("五", "五；"))
    assert hummer.said == ["五"]
    assert 0.3 < at_the_end.seconds - within.seconds < 0.5


def test_nothing_to_say_is_an_error() -> None:
    with pytest.raises(SpeechError):
        speak("……", Hummer())
    assert split("。，！") == []


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("重听", [("chong2", "ting1")]),
        ("长者食堂", [("zhang3", "zhe3", "shi2", "tang2")]),
        ("还有", [("hai2", "you3")]),
        ("银行", [("yin2", "hang2")]),
        ("B，", [("bi4",), ","]),
    ],
)
def test_words_with_several_readings_are_read_right(text: str, spelled: list[object]) -> None:
    assert list(Speller().spell(text)) == spelled


def test_a_community_teaches_its_own_names() -> None:
    assert list(Speller({"六安": "lu4 an1"}).spell("六安")) == [("lu4", "an1")]


@pytest.mark.slow
@pytest.mark.parametrize("voice", [FEMALE, MALE])
def test_every_engine_says_a_sentence(synthesizer: Synthesizer, voice: str) -> None:
    sound = synthesizer.say("您好，请按一。", "zh", voice)
    assert 0.8 < sound.seconds < 6
    assert 0.02 < np.abs(sound.samples).max() <= 1
    assert np.isfinite(sound.samples).all()


@pytest.mark.slow
def test_every_engine_says_english_and_refuses_silence(synthesizer: Synthesizer) -> None:
    assert synthesizer.say("Press one to vote.", "en").seconds > 0.7
    with pytest.raises(SpeechError):
        synthesizer.say("……")


@pytest.mark.slow
def test_a_voice_that_is_not_there_is_answered_by_another(synthesizer: Synthesizer) -> None:
    assert synthesizer.say("您好。", "zh", "nobody").seconds > 0.3


@pytest.mark.slow
@pytest.mark.parametrize("pace", Pace)
def test_the_default_voice_keeps_the_pace(kokoro: Synthesizer, pace: Pace) -> None:
    assert a_minute(speak(PROMPT, kokoro, FEMALE, pace), PROMPT) == pytest.approx(
        pace.characters_a_minute, rel=0.12
    )


@pytest.mark.slow
def test_a_very_long_sentence_is_said_in_portions(
    kokoro: Synthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = kokoro.say("路灯坏了三个星期")
    monkeypatch.setattr("speech.engines.kokoro.MAX_SYMBOLS", 25)
    assert kokoro.say("路灯坏了三个星期").seconds > whole.seconds


def test_a_voice_of_two_is_halfway_between_them(tmp_path: Path) -> None:
    for name, value in (("low", 1.0), ("high", 4.0)):
        np.full(2 * STYLE_SIZE, value, np.float32).tofile(tmp_path / f"{name}.bin")
    both = _style(tmp_path, "low+high")
    assert both.shape == (2, 1, STYLE_SIZE)
    assert set(both.flat) == {2.5}
    assert {FEMALE, MALE} == set(VOICES_BEFORE)
    assert {"female", "male", *VOICES_BEFORE.values()} <= set(VOICES)


def test_missing_weights_of_the_voice_may_come_later(tmp_path: Path) -> None:
    with pytest.raises(SpeechError) as caught:
        load_synthesizer("kokoro", tmp_path)
    assert not caught.value.permanent
