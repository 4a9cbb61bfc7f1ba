"""A model that learnt to sort opinions: weights of hashed stretches, its answer, how sure, and why."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from speech.features import BLOCKS, LISTED, Keys, Places, Stretches, cut, plain, stretches
from speech.lexicon import Lexicon

STRENGTHS = (1.0, 1.0, 1.0, 1.0)
"""How much each block of features counts beside the others; each alone has length 1."""

MOST_REASONS = 4
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Block:
    """What was learnt of one kind of stretch: (n) numbers in order, (n) rarity, (n, labels) weights."""

    keys: Keys
    rarity: Floats
    weights: Floats


@dataclass(frozen=True)
class Seen:
    """What a block knows of a text: rows of the block in order, their values, all scaled together."""

    rows: Places
    values: npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Found:
    """The stretches of one kind in a text that a block knows, each with its row."""

    stretches: Stretches
    rows: Places


@dataclass(frozen=True, eq=False)
class Model:
    """Learnt weights for some labels. `bias` has one number a label; `sureness` makes scores probabilities.

    Nothing in it is a word: a stretch is 32 bits of a hash, and only those are in it that several examples
    share.
    """

    labels: tuple[str, ...]
    blocks: tuple[Block, ...]
    bias: Floats
    sureness: float

    def scores(self, text: str, lexicon: Lexicon) -> npt.NDArray[np.float64]:
        """One score a label; the greatest is the answer."""
        said = plain(text)
        return self._scores(self._find(said, lexicon, cut(said)))

    def chances(self, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The probability of each label, from its scores; rows of scores give rows."""
        odds = np.exp(self.sureness * (scores - scores.max(axis=-1, keepdims=True)))
        shares: npt.NDArray[np.float64] = odds / odds.sum(axis=-1, keepdims=True)
        return shares

    def answer(
        self, text: str, lexicon: Lexicon, labels: Sequence[str]
    ) -> tuple[str, float, tuple[str, ...]]:
        """The best of the `labels` in use, how sure that is from 0 to 1, and the words that speak for it."""
        said = plain(text)
        words = cut(said)
        found = self._find(said, lexicon, words)
        scores = self._scores(found)
        usable = [at for at, label in enumerate(self.labels) if label in labels]
        best = max(usable, key=lambda at: float(scores[at]))
        chance = float(self.chances(scores[usable])[usable.index(best)])
        return self.labels[best], chance, tuple(self._reasons(text, words, found, best))

    def pack(self) -> bytes:
        """As bytes, which `unpack` reads."""
        arrays: dict[str, npt.NDArray[np.generic]] = {
            "labels": np.array(self.labels),
            "bias": self.bias,
            "sureness": np.array(self.sureness),
        }
        for at, block in enumerate(self.blocks):
            arrays |= {
                f"keys{at}": block.keys,
                f"rarity{at}": block.rarity.astype(np.float16),
                f"weights{at}": block.weights.astype(np.float16),
            }
        packed = io.BytesIO()
        np.savez_compressed(packed, **arrays)  # type: ignore[arg-type]
        return packed.getvalue()

    @classmethod
    def unpack(cls, packed: bytes) -> Model:
        """The model of such bytes; nothing in them is ever run."""
        with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
            blocks = [
                Block(
                    arrays[f"keys{at}"],
                    arrays[f"rarity{at}"].astype(np.float32),
                    arrays[f"weights{at}"].astype(np.float32),
                )
                for at in range(BLOCKS)
            ]
            labels = tuple(str(label) for label in arrays["labels"])
            return cls(labels, tuple(blocks), arrays["bias"], float(arrays["sureness"]))

    def judge(self, found: Sequence[Stretches]) -> npt.NDArray[np.float64]:
        """The same of stretches that were found already."""
        return self._scores([_known(one, self.blocks[one.block].keys) for one in found])

    def _find(self, said: str, lexicon: Lexicon, words: Sequence[str]) -> list[_Found]:
        return [_known(one, self.blocks[one.block].keys) for one in stretches(said, lexicon, words)]

    def _scores(self, found: Sequence[_Found]) -> npt.NDArray[np.float64]:
        scores = self.bias.astype(np.float64)
        for one in found:
            block = self.blocks[one.stretches.block]
            seen = _valued(one, block.rarity)
            scores += seen.values @ block.weights[seen.rows]
        return scores

    def _reasons(self, text: str, words: Sequence[str], found: Sequence[_Found], best: int) -> Iterator[str]:
        """The words whose letters spoke for `best` the most, the strongest first."""
        letters = sum(map(len, words))
        spoke = np.zeros(letters + 1)
        for one in found:
            block, said = self.blocks[one.stretches.block], one.stretches
            starts, lengths = said.starts, said.lengths
            weights = block.weights[one.rows]
            for_best = (weights[:, best] - weights.mean(axis=1)) * block.rarity[one.rows] / lengths
            spoke += np.bincount(starts, for_best, letters + 1)  # what begins here
            spoke -= np.bincount(starts + lengths, for_best, letters + 1)  # is taken back where it ends
        until = np.concatenate(([0.0], np.cumsum(np.cumsum(spoke))))
        weighed: dict[str, float] = {}
        start = 0
        for word in words:
            end = start + len(word)
            if len(word) > 1 and word in text:
                weighed[word] = max(weighed.get(word, 0.0), float(until[end] - until[start]))
            start = end
        strongest = sorted((-weight, word) for word, weight in weighed.items() if weight > 0)
        yield from (word for _, word in strongest[:MOST_REASONS])


def look(one: Stretches, known: Keys, rarity: Floats) -> Seen:
    """What of a text a block knows: more of the same counts by its logarithm, the rarer the more."""
    return _valued(_known(one, known), rarity)


def _known(one: Stretches, known: Keys) -> _Found:
    if not len(known) or not len(one.keys):
        nothing = np.zeros(0, np.int64)
        return _Found(Stretches(one.block, one.keys[:0], nothing, nothing, np.zeros(0)), nothing)
    order = np.argsort(one.keys)  # in order they are looked up several times as fast
    keys = one.keys[order]
    rows = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    is_known = known[rows] == keys
    kept = order[is_known]
    strengths = None if one.strengths is None else one.strengths[kept]
    found = Stretches(one.block, keys[is_known], one.starts[kept], one.lengths[kept], strengths)
    return _Found(found, rows[is_known])


def _valued(one: _Found, rarity: Floats) -> Seen:
    is_first = np.ones(len(one.rows), np.bool_)
    is_first[1:] = one.rows[1:] != one.rows[:-1]
    rows = one.rows[is_first]
    many = np.bincount(np.cumsum(is_first) - 1, one.stretches.strengths, len(rows))
    values: npt.NDArray[np.float64] = np.log1p(many)
    if one.stretches.block != LISTED:
        values = (1 + np.log(many)) * rarity[rows]
    length = float(np.sqrt(values @ values))
    return Seen(rows, values * (STRENGTHS[one.stretches.block] / length) if length else values)
