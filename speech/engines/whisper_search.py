"""Whisper base listening at two paces, at four where it is unsure, and what may have been said."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from ctranslate2 import StorageView
from faster_whisper.transcribe import merge_punctuations
from opencc import OpenCC
from rapidfuzz.distance import LCSseq

from speech.audio import Samples
from speech.engines.whisper_ear import (
    CHINESE,
    FRAMES_A_SECOND,
    MOST_FRAMES,
    MOST_SECONDS,
    TIME_STEP_SECONDS,
    Ear,
)
from speech.lexicon import sounds
from speech.likely import likelihood
from speech.loops import without_loops
from speech.trust import apart

BEAM = 5  # of each view: ten hypotheses to choose from; three of each cost a tenth less and 2 points of CER
RATE = 16_000
TOKENS_A_SECOND = 14  # the quickest talkers need about ten; more is Whisper repeating itself
LATEST_START = int(1 / TIME_STEP_SECONDS)  # people speak within a second
APART_WEIGHT = 2.4  # against the score: of each character in which other hypotheses differ
LONGER = 1.3  # what was heard with hints may be so much longer than without
ALIKE = 0.5  # of a hint's syllables must have been heard without it
WORDS_WEIGHT = 0.3  # how much the frequencies of the words count beside the sound
LENGTH_WEIGHT = 0.2  # for each character, because a view that stopped half-way has less to be unsure of
LOOP_WEIGHT = 0.4  # against each character that only repeats
# Where so many characters only repeat, it is heard once more, and nothing of so many tokens may come twice.
LOST, NO_REPEAT = 8, 8
BEFORE, AFTER = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"  # marks that belong to the word beside them


@dataclass(frozen=True)
class Window:
    """The paces at which a stretch is heard in one batch, and the seconds of silence behind it.

    Whisper fills every clip up to 30 s. A second is enough to end on; with less it repeats itself.
    """

    paces: tuple[float, ...]
    margin_seconds: float


@dataclass(frozen=True)
class Manner:
    """How to listen: first so, and further where a character of the likeliest scores below `sure`."""

    first: Window
    further: Window
    sure: float


# Over a telephone, what is misheard at one pace is often understood at another.
TELEPHONE = Manner(Window((1.0, 0.9), 1.0), Window((1.0, 0.95), 6.0), -0.5)
# In full-band sound it is not; there a whole window tells more. Nobody calls so: it may be dear.
FULL_BAND = Manner(Window((1.0,), 1.0), Window((1.0,), MOST_SECONDS), math.inf)
LONGEST_SECONDS = (MOST_SECONDS - TELEPHONE.first.margin_seconds) * min(TELEPHONE.first.paces)


@dataclass(frozen=True)
class Hypothesis:
    """Something that may have been said, simplified. `log_probability` is of all its tokens by sound.

    `said`: the text with each loop once.
    """

    text: str
    said: str
    tokens: tuple[int, ...]
    log_probability: float
    no_speech: float
    view: int

    @property
    def score(self) -> float:
        """How likely it is by its sound and by its words; a loop counts as what is left of it."""
        length = LENGTH_WEIGHT * sum(letter.isalnum() for letter in self.said)
        loops = LOOP_WEIGHT * (len(self.text) - len(self.said))
        return self.log_probability + WORDS_WEIGHT * likelihood(self.said) + length - loops

    @property
    def is_lost(self) -> bool:
        """Whether it goes round and round."""
        return len(self.text) - len(self.said) >= LOST


@dataclass(frozen=True)
class View:
    """A stretch of sound at a pace: one of a batch of Whisper's encoder; `frames` without the empty end."""

    batch: StorageView
    place: int
    frames: int
    pace: float

    @property
    def encoded(self) -> StorageView:
        """This view alone."""
        one = np.array(self.batch)[self.place : self.place + 1]
        return StorageView.from_array(np.ascontiguousarray(one))


@dataclass(frozen=True)
class Heard:
    """All hypotheses for a stretch of sound, the likeliest first, and the views they are of."""

    hypotheses: tuple[Hypothesis, ...]
    views: tuple[View, ...]

    @property
    def best(self) -> Hypothesis:
        return self.hypotheses[0]


@dataclass(frozen=True)
class Piece:
    """One word or character, its seconds from the start of the stretch, and how sure Whisper is of it."""

    text: str
    start: float
    end: float
    probability: float


class WhisperSearch:
    """The weights, loaded once for Chinese, and for other languages when first heard. Raises RuntimeError,
    ValueError and OSError as its library does.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ears: dict[bool, Ear] = {}
        self._plain: Callable[[str], str] = OpenCC("t2s").convert
        self._ear("zh")
        likelihood("好")  # the dictionary takes a second to load: now, not while the first opinion waits

    def listen(
        self, samples: Samples, language: str, hints: Sequence[str] = (), manner: Manner = TELEPHONE
    ) -> Heard:
        """What may be said in at most LONGEST_SECONDS of sound at 16 kHz."""
        ear, seconds = self._ear(language), len(samples) / RATE
        views = _views(ear, samples, manner.first)
        near = views[0].batch
        found = self._search(near, language, (), seconds)
        if _certainty(found) < manner.sure:
            more = _views(ear, samples, manner.further)
            told = self._search(more[0].batch, language, (), seconds, first_view=len(views))
            found, views = _ranked([*found, *told]), [*views, *more]
        if found[0].is_lost:
            found = self._search(near, language, (), seconds, no_repeat=NO_REPEAT)
        if hints:  # a prompt bends other words, too: what was heard with it counts where it found a hint
            told = self._search(views[0].encoded, language, hints, seconds)
            found = _ranked([*found, *(one for one in told if _holds(one.text, hints, found[0].text))])
        return Heard(tuple(found), tuple(views))

    def pieces(self, heard: Heard, language: str) -> list[Piece]:
        """When the words of the likeliest hypothesis were said."""
        ear, view = self._ear(language), heard.views[heard.best.view]
        tokenizer = ear.tokenizer(language)
        tokens = [token for token in heard.best.tokens if token < tokenizer.eot]
        if not tokens:
            return []
        [found] = ear.model.find_alignment(tokenizer, [tokens], view.encoded, view.frames)
        merge_punctuations(found, BEFORE, AFTER)
        return [
            Piece(
                one["word"],
                float(one["start"]) * view.pace,
                float(one["end"]) * view.pace,
                float(one["probability"]),
            )
            for one in found
            if one["word"].strip()
        ]

    def _ear(self, language: str) -> Ear:
        is_chinese = language in CHINESE
        if is_chinese not in self._ears:
            self._ears[is_chinese] = Ear(self._folder, is_chinese)
        return self._ears[is_chinese]

    def _search(
        self,
        encoded: StorageView,
        language: str,
        hints: Sequence[str],
        seconds: float,
        first_view: int = 0,
        no_repeat: int = 0,
    ) -> list[Hypothesis]:
        """What each view may hold, the likeliest first."""
        ear = self._ear(language)
        tokenizer = ear.tokenizer(language)
        longest = int(seconds * TOKENS_A_SECOND) + 20
        told = [tokenizer.sot_prev, *tokenizer.encode(" " + " ".join(hints))] if hints else []
        prompt = [*told[: ear.model.max_length // 2], *tokenizer.sot_sequence]
        results = ear.model.model.generate(
            encoded,
            [prompt] * encoded.shape[0],
            beam_size=BEAM,
            num_hypotheses=BEAM,
            max_length=min(ear.model.max_length, len(prompt) + longest),
            no_repeat_ngram_size=no_repeat,
            suppress_tokens=ear.unwanted,
            max_initial_timestamp_index=LATEST_START,
            return_scores=True,
            return_no_speech_prob=True,
        )
        found = []
        for view, result in enumerate(results, first_view):
            for tokens, score in zip(result.sequences_ids, result.scores, strict=True):
                text = self._plain(unicodedata.normalize("NFKC", tokenizer.decode(tokens))).strip()
                said = "".join(without_loops(text, seconds))
                likely = score * max(1, len(tokens))
                found.append(Hypothesis(text, said, tuple(tokens), likely, result.no_speech_prob, view))
        return _ranked(found)


def _ranked(found: Sequence[Hypothesis]) -> list[Hypothesis]:
    return sorted(found, key=lambda one: one.score, reverse=True)


def _paced(samples: Samples, pace: float) -> Samples:
    """The sound at another pace, its pitch with it, as a tape would play it."""
    return samples if pace == 1 else soxr.resample(samples, RATE * pace, RATE).astype(np.float32)


def _views(ear: Ear, samples: Samples, window: Window) -> list[View]:
    """The sound at each pace, all encoded in one batch."""
    paced = [_paced(samples, pace) for pace in window.paces]
    batch = ear.encode(paced, window.margin_seconds)
    frames = [min(MOST_FRAMES, len(one) * FRAMES_A_SECOND // RATE) for one in paced]
    return [View(batch, at, *one) for at, one in enumerate(zip(frames, window.paces, strict=True))]


def _certainty(found: Sequence[Hypothesis]) -> float:
    """The score of a character of the likeliest, less where others differ from it."""
    best = found[0]
    differ = apart([(one.said, one.log_probability) for one in found])
    return (best.score - APART_WEIGHT * differ) / max(1, len(best.said))


def _holds(text: str, hints: Sequence[str], instead: str) -> bool:
    """Whether a hint is in it where something like it was heard without, and it is no echo of them all."""
    new = [hint for hint in hints if hint in text and hint not in instead]
    is_echo = len(text) > len(instead) * LONGER + 2
    if not new or is_echo:
        return False
    heard = sounds(instead)
    return all(_is_heard(hint, heard) for hint in new)


def _is_heard(hint: str, syllables: Sequence[str]) -> bool:
    """Whether somewhere at least ALIKE of its syllables were heard in their order."""
    own = sounds(hint)
    starts = range(max(1, len(syllables) - len(own) + 1))
    most = max(LCSseq.similarity(own, syllables[at : at + len(own) + 1]) for at in starts)
    return most >= ALIKE * len(own)
