"""A model that learnt to sort opinions: weights of hashed stretches, its answer, how sure, and why."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import jieba
import numpy as np
import numpy.typing as npt

from speech.features import BLOCKS, LISTED, Keys, Stretches, plain, stretches
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
    """The known stretches of one block in a text: rows in the block, their values, all scaled together."""

    rows: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]


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
        return self._scores(list(stretches(plain(text), lexicon)))

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
        found = list(stretches(said, lexicon))
        scores = self._scores(found)
        usable = [at for at, label in enumerate(self.labels) if label in labels]
        best = max(usable, key=lambda at: float(scores[at]))
        chance = float(self.chances(scores[usable])[usable.index(best)])
        return self.labels[best], chance, tuple(self._reasons(text, said, found, best))

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

    def _scores(self, found: Sequence[Stretches]) -> npt.NDArray[np.float64]:
        scores = self.bias.astype(np.float64)
        for one in found:
            block = self.blocks[one.block]
            seen = look(one, block.keys, block.rarity)
            scores += seen.values @ block.weights[seen.rows]
        return scores

    def _reasons(self, text: str, said: str, found: Sequence[Stretches], best: int) -> Iterator[str]:
        """The words whose letters spoke for `best` the most, the strongest first."""
        spoke = np.zeros(len(said) + 1)
        for one in found:
            block = self.blocks[one.block]
            rows, is_known = places(one.keys, block.keys)
            weights = block.weights[rows]
            for_best = (weights[:, best] - weights.mean(axis=1)) * block.rarity[rows] * is_known / one.lengths
            np.add.at(spoke, one.starts, for_best)  # what begins here is taken back where it ends
            np.add.at(spoke, np.minimum(one.starts + one.lengths, len(said)), -for_best)
        along = np.cumsum(spoke)
        weighed: dict[str, float] = {}
        start = 0
        for word in jieba.lcut(said, HMM=False):
            end = start + len(word)
            if len(word) > 1 and word in text:
                weighed[word] = max(weighed.get(word, 0.0), float(along[start:end].sum()))
            start = end
        strongest = sorted((-weight, word) for word, weight in weighed.items() if weight > 0)
        yield from (word for _, word in strongest[:MOST_REASONS])


def places(keys: Keys, known: Keys) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Where each of `keys` stands in the sorted `known`, and whether it does."""
    if not len(known):
        return np.zeros(len(keys), np.int64), np.zeros(len(keys), np.bool_)
    rows = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return rows, known[rows] == keys


def look(one: Stretches, known: Keys, rarity: Floats) -> Seen:
    """What of a text a block knows: more of the same counts by its logarithm, the rarer the more."""
    rows, is_known = places(one.keys, known)
    strengths = None if one.strengths is None else one.strengths[is_known]
    rows, inverse = np.unique(rows[is_known], return_inverse=True)
    many = np.bincount(inverse, strengths, len(rows))
    values: npt.NDArray[np.float64] = np.log1p(many)
    if one.block != LISTED:
        values = (1 + np.log(many)) * rarity[rows]
    length = float(np.sqrt(values @ values))
    return Seen(rows, values * (STRENGTHS[one.block] / length) if length else values)
