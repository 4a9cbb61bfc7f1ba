"""The default recognizer: Whisper base through faster-whisper, guarded against words that nobody said."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from opencc import OpenCC

from speech import trust
from speech.audio import PHONE_RATE, Audio
from speech.engines.whisper_search import (
    FULL_BAND,
    LONGEST_SECONDS,
    TELEPHONE,
    Heard,
    Hypothesis,
    Manner,
    Piece,
    WhisperSearch,
)
from speech.errors import SpeechError
from speech.loops import kept
from speech.punctuate import FULL_WIDTH, punctuate
from speech.recognize import Transcript, Word
from speech.voice_activity import Packed, pack

MAX_HINTS = 40
PORTION_SECONDS = min(26.0, LONGEST_SECONDS)
MISSED_SECONDS = 1.5  # a longer end without words was not silence: Whisper had stopped listening
# What Whisper says of itself into sounds without words; it learned them from subtitles of films.
ECHOES = (
    "字幕",
    "点赞",
    "订阅",
    "明镜",
    "谢谢观看",
    "感谢观看",
    "请不吝",
    "优优独播剧场",
    "中文字幕",
    "李宗盛",
)
ECHO_SECONDS = 8.0
# A cough becomes words that it hardly believes in, or one syllable many times: but people do say 对对对对. Of
# real voices no clip was trusted less than 0.2.
NO_WORD = 0.1
MUTTERED = 4
SAID_IN_A_ROW = frozenset("对好是行不有要来谢啊哈")
MOST_OTHERS = 9  # of the hypotheses for a portion, beside the likeliest
NO_SPEECH, NO_SENSE = 0.6, -1.0  # Whisper doubts that it is speech at all, and what it says besides


@dataclass(frozen=True)
class _Portion:
    """The words of a stretch of sound, signs of how far to trust them, what may have been said instead."""

    words: Sequence[Word]
    signs: trust.Signs
    others: Sequence[str]


class WhisperRecognizer:
    """faster-whisper over the weights in `models/whisper-base`, on one thread.

    It hears everything at two paces or four and takes what is likeliest by its sound and its words: see
    docs/decisions/0020.
    """

    name = "faster-whisper"
    languages = frozenset({"zh", "yue", "en"})

    def __init__(self, models: Path) -> None:
        folder = models / "whisper-base"
        if not (folder / "model.bin").is_file():
            raise SpeechError(f"the weights of {self.name} are missing in {models}", permanent=False)
        try:
            self._search = WhisperSearch(folder)
        except (RuntimeError, ValueError, OSError) as error:
            raise SpeechError(
                f"the weights of {self.name} can't be loaded: {error}", permanent=False
            ) from error
        self._simplify = OpenCC("t2s").convert
        self._version = f"{self.name} {version('faster-whisper')} base int8"

    def transcribe(self, audio: Audio, language: str = "zh", hints: Sequence[str] = ()) -> Transcript:
        """The words in `audio`, none where there is no voice. Raises SpeechError."""
        packed = pack(audio)
        manner = TELEPHONE if audio.rate <= PHONE_RATE else FULL_BAND
        heard: list[_Portion] = []
        try:
            for portion in packed.portions(PORTION_SECONDS):
                heard += self._listen(packed, portion, language, hints[:MAX_HINTS], manner)
        except (RuntimeError, ValueError, OSError, MemoryError) as error:
            raise SpeechError(
                f"{self.name} failed: {error}", permanent=isinstance(error, ValueError)
            ) from error
        seconds = round(packed.audio.seconds, 2) if packed.spans else 0.0
        return self._transcript(heard, language, seconds)

    def _listen(
        self,
        packed: Packed,
        portion: tuple[float, float],
        language: str,
        hints: Sequence[str],
        manner: Manner,
    ) -> Iterator[_Portion]:
        """The words of one portion. Whisper may stop half-way; then it is made to listen to the rest."""
        start, end = portion
        while True:
            until = min(end, start + PORTION_SECONDS)
            heard = self._search.listen(packed.between(start, until), language, hints, manner)
            pieces = self._search.pieces(heard, language) if _is_spoken(heard.best, until - start) else []
            if pieces:
                words = list(self._words(pieces, packed, start, until))
                texts = [(one.said, one.log_probability) for one in heard.hypotheses]
                told = trust.signs([(word.text, word.confidence) for word in words], texts)
                if not (_is_muttered(words) or trust.confidence([told]) < NO_WORD):
                    yield _Portion(words, told, self._others(heard))
            through = pieces[-1].end if pieces else until - start
            start += through if until < end or through >= MISSED_SECONDS else end - start
            if not through or end - start < MISSED_SECONDS:
                return

    def _others(self, heard: Heard) -> list[str]:
        """The other hypotheses, written as the text will be; what differs in its marks alone is one."""
        found = {_letters(heard.best.said): ""}
        for one in heard.hypotheses:
            text = self._plain(one.said).replace(" ", "，").translate(FULL_WIDTH)
            found.setdefault(_letters(text), text)
        return [text for text in found.values() if text][:MOST_OTHERS]

    def _words(self, pieces: Sequence[Piece], packed: Packed, start: float, until: float) -> Iterator[Word]:
        stays = kept([piece.text.strip() for piece in pieces], until - start)
        for piece, is_kept in zip(pieces, stays, strict=True):
            text = self._plain(piece.text)
            if text and is_kept:
                first, last = packed.original(start + piece.start, start + piece.end)
                yield Word(text, round(first, 2), round(last, 2), round(piece.probability, 3))

    def _plain(self, text: str) -> str:
        return str(self._simplify(unicodedata.normalize("NFKC", text.strip())))

    def _transcript(self, heard: Sequence[_Portion], language: str, speech_seconds: float) -> Transcript:
        words = tuple(word for portion in heard for word in portion.words)
        text = punctuate(words)
        if not text:
            return Transcript("", (), language, self._version, 0.0, speech_seconds)
        confidence = trust.confidence([portion.signs for portion in heard])
        return Transcript(text, words, language, self._version, confidence, speech_seconds, _others(heard))


def _others(heard: Sequence[_Portion]) -> tuple[str, ...]:
    """Whole texts: of each portion the next hypothesis, or its words again where it has no more."""
    most = max(len(portion.others) for portion in heard)
    first = [punctuate(portion.words) for portion in heard]
    return tuple(
        "".join(
            portion.others[n] if n < len(portion.others) else text
            for portion, text in zip(heard, first, strict=True)
        )
        for n in range(most)
    )


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _is_spoken(best: Hypothesis, seconds: float) -> bool:
    """Whether it is likely to have been said, rather than made up for noise."""
    if best.no_speech > NO_SPEECH and best.log_probability < NO_SENSE * max(1, len(best.tokens)):
        return False
    return not (seconds < ECHO_SECONDS and any(echo in best.text for echo in ECHOES))


def _is_muttered(words: Sequence[Word]) -> bool:
    """Whether it is one syllable many times, which nobody says so."""
    syllables = "".join(filter(str.isalnum, "".join(word.text for word in words)))
    is_one = len(syllables) >= MUTTERED and len(set(syllables)) == 1
    return is_one and syllables[0] not in SAID_IN_A_ROW
