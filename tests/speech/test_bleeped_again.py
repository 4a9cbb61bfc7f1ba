"""A sentence said by our voice, heard over the telephone, bleeped, and heard once more."""

from __future__ import annotations

import pytest

from speech.bleep import bleep, hidden_intervals, hidden_letters
from speech.channel import phone
from speech.private_digits import letter_shapes
from speech.recognize import Recognizer
from speech.redact import redact
from speech.synthesize import Synthesizer

TEXT = "垃圾没有人清理，请打幺三九，四六五八，七七三二，下水道也堵了"


@pytest.mark.slow
def test_after_the_tone_the_number_is_gone_and_the_matter_is_not(
    kokoro: Synthesizer, whisper: Recognizer
) -> None:
    sound = phone(kokoro.say(TEXT))
    first = whisper.transcribe(sound)
    assert letter_shapes(first.text).count("d") >= 7, first.text
    hidden = hidden_letters(TEXT, redact(TEXT).text)  # as staff wrote it down
    tones = hidden_intervals(TEXT, hidden, first.words, sound.seconds)
    again = whisper.transcribe(bleep(sound, tones)).text
    assert letter_shapes(again).count("d") <= 2, (first.text, again)
    assert any(word in again for word in ("垃圾", "清理", "下水")), (first.text, again)
