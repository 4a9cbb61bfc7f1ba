"""Speaking at the pace of a calm announcer: phrase by phrase, the pauses giving listeners time to follow."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from threading import Lock
from typing import TYPE_CHECKING

from speech.audio import Audio, join, silence
from speech.breaths import cut
from speech.loudness import level
from speech.reading import normalise
from speech.stretch import stretch
from speech.synthesize import FEMALE, Synthesizer, Teachable

if TYPE_CHECKING:
    from speech.pronounce import Pronunciations

KEPT_BREATHS = 64  # a megabyte each at most
LEAST_AT_ONCE, MOST_AT_ONCE = 16, 40  # characters
MARKS = "。！？!?；;…\n，,、：:."
# How long each mark may hold a listener up: at least, at most (seconds).
# "rest": a text that ends in a semicolon is part of a longer one, as are the digits of a number in groups.
PAUSES = {"stop": (0.45, 1.30), "comma": (0.22, 0.85), "list": (0.15, 0.60), "end": (0.30, 0.80),
          "rest": (0.65, 0.80)}  # fmt: skip
WEIGHTS = {"stop": 1.6, "comma": 1.0, "list": 0.7, "end": 1.0, "rest": 1.0}
GOES_ON = ("；", ";")


class Pace(Enum):
    """How many characters a minute listeners are given; how much longer than in `PAUSES` a pause may be; how
    much the words themselves are drawn out, at least and at most: what pauses can't give.
    """

    NORMAL = (180, 1.0, (1.0, 1.0))
    SLOW = (150, 1.5, (1.0, 1.15))

    @property
    def characters_a_minute(self) -> int:
        return self.value[0]

    @property
    def longer_pauses(self) -> float:
        return self.value[1]

    @property
    def drawn_out(self) -> tuple[float, float]:
        return self.value[2]


@dataclass(frozen=True)
class Phrase:
    """Words said in one breath with the mark that ends them, and the kind of pause that follows."""

    text: str
    pause: str


def speak(
    text: str, synthesizer: Synthesizer, voice: str = FEMALE, pace: Pace = Pace.NORMAL, language: str = "zh"
) -> Audio:
    """The text as one sound at the synthesizer's rate, as loud as every other, ending in a short pause.

    What was said last is kept: saying the same text slowly costs no second synthesis. Raises SpeechError.
    """
    phrases: list[Phrase] = []
    sounds: list[Audio] = []
    for breath in breaths(split(normalise(text) if language == "zh" else text)):
        said = _said("".join(phrase.text for phrase in breath), synthesizer, voice, language)
        for count, sound in cut(said, [characters(phrase.text) for phrase in breath]):
            together, breath = breath[:count], breath[count:]
            phrases.append(Phrase("".join(phrase.text for phrase in together), together[-1].pause))
            sounds.append(sound)
    if not sounds:
        return synthesizer.say(text, language, voice)  # lets the engine say why there is nothing to say
    sounds = _drawn_out(phrases, sounds, pace)
    pauses = _pauses(phrases, sounds, pace)
    parts = [
        part
        for sound, pause in zip(sounds, pauses, strict=True)
        for part in (sound, silence(pause, sound.rate))
    ]
    return level(join(parts))


def teach(synthesizer: Synthesizer, pronunciations: Pronunciations) -> None:
    """Let an engine say these words so, where it can be taught; phrases said otherwise are forgotten."""
    if not isinstance(synthesizer, Teachable):
        return
    synthesizer.teach(pronunciations)
    with _keeping:
        known = _taught.get(synthesizer.name, {})
        changed = {word for word, _ in {*known.items()} ^ {*pronunciations.items()}}
        _taught[synthesizer.name] = dict(pronunciations)
        for key in [key for key in _kept if key[0] == synthesizer.name and _has_any(key[3], changed)]:
            del _kept[key]


def seconds_of(text: str, pace: Pace = Pace.NORMAL) -> float:
    """About how long a text takes at a pace, before anybody has said it."""
    return characters(normalise(text)) * 60 / pace.characters_a_minute


def split(text: str) -> list[Phrase]:
    """The phrases of a text; marks without words between them count as one. One that goes on loses its mark:
    the last digit of a group sounds like any other.
    """
    phrases: list[Phrase] = []
    for words, marks in re.findall(rf"([^{MARKS}]+)([{MARKS}]*)", text):
        if any(letter.isalnum() for letter in words):
            phrases.append(Phrase(words.strip() + marks[:1].strip(), _kind(marks)))
    if phrases:
        last = phrases[-1].text
        goes_on = last.endswith(GOES_ON)
        phrases[-1] = Phrase(last[:-1], "rest") if goes_on else Phrase(last, "end")
    return phrases


def breaths(phrases: Sequence[Phrase]) -> list[list[Phrase]]:
    """Phrases that are synthesised together: a voice is clearest with some words around each word."""
    together: list[list[Phrase]] = []
    length = MOST_AT_ONCE
    for phrase in phrases:
        is_enough = length >= LEAST_AT_ONCE and together[-1][-1].pause == "stop" if together else True
        if is_enough or length + characters(phrase.text) > MOST_AT_ONCE:
            together.append([])
            length = 0
        together[-1].append(phrase)
        length += characters(phrase.text)
    return together


def characters(text: str) -> int:
    """How many characters of a text are said: letters and figures, not marks."""
    return sum(letter.isalnum() for letter in text)


def _kind(marks: str) -> str:
    if any(mark in "。！？!?；;…\n." for mark in marks):
        return "stop"
    return "list" if marks[:1] == "、" else "comma"


def _drawn_out(phrases: Sequence[Phrase], sounds: Sequence[Audio], pace: Pace) -> list[Audio]:
    """The sounds as much longer as it takes to reach the pace with the longest pauses, within its bounds."""
    least, most = pace.drawn_out
    pauses = sum(_longest(phrase, pace) for phrase in phrases)
    said = sum(sound.seconds for sound in sounds)
    times = (_wanted(phrases, pace) - pauses) / said if said else least
    return [stretch(sound, min(max(times, least), most)) for sound in sounds]


def _pauses(phrases: Sequence[Phrase], sounds: Sequence[Audio], pace: Pace) -> list[float]:
    """Pauses (seconds) that bring the whole to the wanted pace, within what sounds natural at each mark."""
    spare = max(0.0, _wanted(phrases, pace) - sum(sound.seconds for sound in sounds))
    share = spare / sum(WEIGHTS[phrase.pause] for phrase in phrases)
    return [
        min(max(share * WEIGHTS[phrase.pause], PAUSES[phrase.pause][0]), _longest(phrase, pace))
        for phrase in phrases
    ]


def _wanted(phrases: Sequence[Phrase], pace: Pace) -> float:
    return sum(characters(phrase.text) for phrase in phrases) * 60 / pace.characters_a_minute


def _longest(phrase: Phrase, pace: Pace) -> float:
    return PAUSES[phrase.pause][1] * pace.longer_pauses


_kept: OrderedDict[tuple[str, str, str, str], Audio] = OrderedDict()
_keeping = Lock()
_taught: dict[str, dict[str, str]] = {}


def _has_any(text: str, words: set[str]) -> bool:
    return any(word in text for word in words)


def _said(text: str, synthesizer: Synthesizer, voice: str, language: str) -> Audio:
    key = (synthesizer.name, voice, language, text)
    with _keeping:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    sound = synthesizer.say(text, language, voice)
    with _keeping:
        _kept[key] = sound
        while len(_kept) > KEPT_BREATHS:
            _kept.popitem(last=False)
    return sound
