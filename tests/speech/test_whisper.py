"""What is our own about the default recognizer: two views of the sound, loops, likely words, trust."""

from __future__ import annotations

import pytest

from speech.audio import join, silence
from speech.channel import phone
from speech.engines.whisper_search import _holds
from speech.error_rate import character_error_rate
from speech.likely import likelihood
from speech.loops import kept, without_loops
from speech.recognize import Recognizer
from speech.synthesize import Synthesizer
from speech.trust import LEAST_CONFIDENCE, Signs, confidence, signs
from speech.voice_activity import speech_spans
from tests.speech.sounds import coughing

SENTENCE = "小区东门的路灯坏了三个星期了，晚上老人出门很不方便。"


@pytest.mark.parametrize(
    ("said", "once"),
    [
        ("山坎那里山坎那里山坎那里山坎那里", "山坎那里"),
        ("我要说不知不知不知不知了", "我要说不知了"),
        ("对对对，是这样", "对对对，是这样"),  # people do say that
        ("为什么为什么", "为什么为什么"),
        ("", ""),
    ],
)
def test_a_loop_is_said_once(said: str, once: str) -> None:
    assert "".join(without_loops(said)) == once


def test_a_sentence_said_twice_is_a_loop_where_nobody_could_speak_so_fast() -> None:
    said = "妈，你在看什么啊？我后面有什么吗？" * 2 + "妈，你在看什么啊。"
    assert "".join(without_loops(said, 4.0)) == "妈，你在看什么啊？我后面有什么吗？"
    assert "".join(without_loops(said, 12.0)) == "".join(without_loops(said)) == said
    assert "".join(without_loops("同意同意", 0.4)) == "同意同意"


def test_what_comes_after_a_loop_stays() -> None:
    assert kept(["好", "谢", "谢", "谢", "谢", "谢", "谢", "您"]) == [True, True, True, *[False] * 4, True]


@pytest.mark.parametrize(
    ("told", "bare", "is_held"),
    [
        ("凤凰小区的车太多", "奉皇小去的车太多", True),
        ("沿着下水道好像", "沿着钱包好像", False),  # nothing like it was heard
        ("凤凰小区凤凰小区凤凰小区", "奉皇小去", False),  # an echo
        ("凤凰小区的车太多", "凤凰小区的车太多", False),  # heard anyway
    ],
)
def test_a_word_of_the_vocabulary_counts_where_it_sounds_as_if_it_was_said(
    told: str, bare: str, is_held: bool
) -> None:
    assert _holds(told, ("凤凰小区", "下水道"), bare) is is_held


@pytest.mark.parametrize(
    ("usual", "odd"),
    [("东门的路灯坏了", "冬门的录登坏了"), ("我同意加装电梯", "我同一家庄电踢")],
)
def test_usual_words_are_likelier_than_others_of_the_same_sound(usual: str, odd: str) -> None:
    assert likelihood(usual) > likelihood(odd) + 3


def test_a_longer_text_does_not_lose_for_being_longer() -> None:
    assert abs(likelihood("今天天气很好")) < 15
    assert abs(likelihood("今天天气很好我们去公园看看老朋友们")) < 30
    assert likelihood("call me maybe") == likelihood("") == 0.0


def test_doubt_shows_in_sound_in_words_and_in_disagreement() -> None:
    usual, odd = "我同意加装电梯", "我通宵家庄电踢"
    sure = signs([(usual, 0.96)], [(usual, -0.7), (usual + "。", -0.9)])
    unsure = signs([(odd, 0.3)], [(odd, -9.0), (usual, -9.1)])
    assert (sure.disagreement, sure.characters) == (0.0, 7)
    assert unsure.disagreement > 0.1
    assert 0 < confidence([unsure]) < confidence([sure]) < 1
    assert confidence([unsure]) < LEAST_CONFIDENCE < confidence([sure])


def test_a_recording_is_as_sure_as_its_stretches_by_their_length() -> None:
    good, bad = Signs(-0.05, 0.0, 1.5, 90), Signs(-2.0, 0.6, -2.0, 10)
    assert confidence([bad]) < confidence([good, bad]) < confidence([good])
    assert abs(confidence([good, bad]) - confidence([good])) < 0.12
    assert confidence([]) == 0.0


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 7, 19, 39])
def test_a_fit_of_coughing_that_passes_for_a_voice_gives_no_words(whisper: Recognizer, seed: int) -> None:
    sound = phone(coughing(seed))
    assert speech_spans(sound)
    heard = whisper.transcribe(sound)
    assert heard.is_silent, heard.text
    assert not heard.words


@pytest.mark.slow
def test_yes_many_times_is_no_cough(whisper: Recognizer, kokoro: Synthesizer) -> None:
    heard = whisper.transcribe(phone(kokoro.say("对对对对，就是这样。")))
    assert "对" in heard.text


@pytest.mark.slow
def test_clear_speech_over_the_telephone_is_trusted_and_timed(
    whisper: Recognizer, kokoro: Synthesizer
) -> None:
    spoken = kokoro.say(SENTENCE)
    heard = whisper.transcribe(phone(join([silence(2, spoken.rate), spoken])), hints=("路灯", "电梯"))
    assert character_error_rate(SENTENCE, heard.text) <= 0.2, heard.text
    assert "电梯" not in heard.text
    assert heard.confidence >= LEAST_CONFIDENCE
    assert 1.5 <= heard.words[0].start_seconds <= 3
    assert abs(heard.words[-1].end_seconds - 2 - spoken.seconds) < 1
    assert all(0 < word.confidence <= 1 for word in heard.words)
