"""Whisper base listening to a few seconds twice, as they are and slowed down, and what it may have heard."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from ctranslate2 import StorageView
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens, merge_punctuations
from opencc import OpenCC
from rapidfuzz.distance import LCSseq

from speech.audio import Samples
from speech.lexicon import sounds
from speech.likely import likelihood
from speech.loops import without_loops

THREADS = 1  # two are quicker by half and cost a third more: they wait for each other
BEAM = 5  # of each view: ten hypotheses to choose from; three of each cost a tenth less and 2 points of CER
RATE = 16_000
FRAMES_A_SECOND = 100
TOKENS_A_SECOND = 14  # the quickest talkers need about ten; more is Whisper repeating itself
# Whisper fills every clip up to 30 s. A second of silence after the speech is enough to end on; less and it
# repeats itself. Measured: a quarter of the work and no worse.
MARGIN_FRAMES = 100
# Times in steps of a fifth of a second: otherwise a beam holds the same words at many times.
TIMES, TIME_STEP = 1_500, 10  # of Whisper's 0.02 s
MAX_FRAMES = 3_000
# The second view of the sound: what is misheard at one pace is often understood at the other.
PACES = (1.0, 0.9)
LONGEST_SECONDS = (MAX_FRAMES - MARGIN_FRAMES) / FRAMES_A_SECOND * min(PACES)
LONGER = 1.3  # what was heard with hints may be so much longer than without
ALIKE = 0.5  # of a hint's syllables must have been heard without it
WORDS_WEIGHT = 0.3  # how much the frequencies of the words count beside the sound
LENGTH_WEIGHT = 0.2  # for each character, because a view that stopped half-way has less to be unsure of
LOOP_WEIGHT = 0.4  # against each character that only repeats
# Where so many characters only repeat, it is heard once more, and nothing of so many tokens may come twice.
LOST, NO_REPEAT = 8, 8
# Scripts that nobody speaks to us in: kana, hangul, Cyrillic, Arabic, Indic, Thai.
FOREIGN = ((0x0400, 0x06FF), (0x0900, 0x0EFF), (0x1100, 0x11FF), (0x3040, 0x30FF), (0xAC00, 0xD7A3))
BEFORE, AFTER = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"  # marks that belong to the word beside them


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
class Heard:
    """All hypotheses for a stretch of sound, the likeliest first, and what Whisper made of the sound."""

    hypotheses: tuple[Hypothesis, ...]
    encoded: StorageView
    frames: tuple[int, ...]  # of each view, without the empty end

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
    """The weights, loaded once. Raises RuntimeError, ValueError and OSError as its library does."""

    def __init__(self, folder: Path) -> None:
        self._model = WhisperModel(
            str(folder),
            device="cpu",
            compute_type="int8",
            cpu_threads=THREADS,
            num_workers=1,
            local_files_only=True,
        )
        self._plain: Callable[[str], str] = OpenCC("t2s").convert
        self._tokenizers: dict[str, Tokenizer] = {}
        self._unwanted: list[int] = []
        likelihood("好")  # the dictionary takes a second to load: now, not while the first opinion waits

    def listen(self, samples: Samples, language: str, hints: Sequence[str] = ()) -> Heard:
        """What may be said in at most LONGEST_SECONDS of sound at 16 kHz."""
        tokenizer = self._tokenizer(language)
        views = [_paced(samples, pace) for pace in PACES]
        encoded = self._encode(views)
        seconds = len(samples) / RATE
        found = self._search(encoded, tokenizer, (), seconds, range(len(PACES)))
        if found[0].is_lost:
            found = self._search(encoded, tokenizer, (), seconds, range(len(PACES)), NO_REPEAT)
        if hints:  # a prompt bends other words, too: what was heard with it counts where it found a hint
            told = self._search(_one(encoded, 0), tokenizer, hints, seconds, range(1))
            found = _ranked([*found, *(one for one in told if _holds(one.text, hints, found[0].text))])
        frames = tuple(min(MAX_FRAMES, len(view) * FRAMES_A_SECOND // RATE) for view in views)
        return Heard(tuple(found), encoded, frames)

    def pieces(self, heard: Heard, language: str) -> list[Piece]:
        """When the words of the likeliest hypothesis were said."""
        best, tokenizer = heard.best, self._tokenizer(language)
        tokens = [token for token in best.tokens if token < tokenizer.eot]
        if not tokens:
            return []
        encoded = _one(heard.encoded, best.view)
        [found] = self._model.find_alignment(tokenizer, [tokens], encoded, heard.frames[best.view])
        merge_punctuations(found, BEFORE, AFTER)
        return [
            Piece(
                one["word"],
                float(one["start"]) * PACES[best.view],
                float(one["end"]) * PACES[best.view],
                float(one["probability"]),
            )
            for one in found
            if one["word"].strip()
        ]

    def _tokenizer(self, language: str) -> Tokenizer:
        if language not in self._tokenizers:
            tokenizer = Tokenizer(self._model.hf_tokenizer, True, task="transcribe", language=language)
            self._tokenizers[language] = tokenizer
            self._unwanted = self._unwanted or _unwanted(tokenizer)
        return self._tokenizers[language]

    def _encode(self, views: Sequence[Samples]) -> StorageView:
        """Each view as Whisper's 80 mel bands, with no more of an empty end than it needs."""
        features = [self._model.feature_extractor(view)[:, :-1] for view in views]
        length = min(MAX_FRAMES, max(one.shape[1] for one in features) + MARGIN_FRAMES)
        batch = np.zeros((len(views), features[0].shape[0], length + length % 2), np.float32)
        for place, one in enumerate(features):
            batch[place, :, : min(length, one.shape[1])] = one[:, :length]
        return self._model.model.encode(StorageView.from_array(batch))

    def _search(
        self,
        encoded: StorageView,
        tokenizer: Tokenizer,
        hints: Sequence[str],
        seconds: float,
        views: range,
        no_repeat: int = 0,
    ) -> list[Hypothesis]:
        """What each view may hold, the likeliest first."""
        longest = int(seconds * TOKENS_A_SECOND) + 20
        told = [tokenizer.sot_prev, *tokenizer.encode(" " + " ".join(hints))] if hints else []
        prompt = [*told[: self._model.max_length // 2], *tokenizer.sot_sequence]
        results = self._model.model.generate(
            encoded,
            [prompt] * len(views),
            beam_size=BEAM,
            num_hypotheses=BEAM,
            max_length=min(self._model.max_length, len(prompt) + longest),
            no_repeat_ngram_size=no_repeat,
            suppress_tokens=self._unwanted,
            max_initial_timestamp_index=50,
            return_scores=True,
            return_no_speech_prob=True,
        )
        found = []
        for view, result in zip(views, results, strict=True):
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


def _one(encoded: StorageView, view: int) -> StorageView:
    """One view of a batch."""
    return StorageView.from_array(np.ascontiguousarray(np.array(encoded)[view : view + 1]))


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


def _unwanted(tokenizer: Tokenizer) -> list[int]:
    """Tokens that are never wanted: marks of subtitles, other scripts, most times."""
    foreign = (token for token in range(tokenizer.eot) if _is_foreign(tokenizer.decode([token])))
    times = range(TIMES + 1)
    between = (tokenizer.timestamp_begin + time for time in times if time % TIME_STEP)
    return sorted({*get_suppressed_tokens(tokenizer, [-1]), *foreign, *between})


def _is_foreign(text: str) -> bool:
    return any(low <= ord(letter) <= high for letter in text for low, high in FOREIGN)
