"""A model that learnt to sort opinions: weights of hashed stretches, its answer, how sure, and why."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from speech.features import KINDS, LISTED, Keys, Numbers, Places, Stretches, cut, plain, stretches
from speech.lexicon import Lexicon

MOST_REASONS = 4
SHAPE = 3  # of what is packed and of the stretches it was learnt from
GROWTH = 0.5  # of a stretch before its logarithm: what is said often then counts nearer to as often as said
Floats = npt.NDArray[np.float32]


class OtherShapeError(ValueError):
    """A packed model that another version of the program learnt: its numbers mean nothing here."""


@dataclass(frozen=True, eq=False)
class Known:
    """Stretches to be told again: (n) numbers in order, and (n) how rare each is."""

    keys: Keys
    rarity: Floats


@dataclass(frozen=True)
class Seen:
    """What of a text is known: rows in order, their values, and which of them each stretch there is.

    The values of each kind have length 1 together. `which` and `stretches`: one row for each known stretch.
    """

    rows: Places
    values: Numbers
    which: Places
    starts: Places
    lengths: Places


@dataclass(frozen=True, eq=False)
class Model:
    """Learnt (n, labels) weights. `bias` has one number a label; `sureness` makes scores probabilities.

    Nothing in it is a word: a stretch is 32 bits of a hash, and only those are in it that several examples
    share.
    """

    labels: tuple[str, ...]
    known: Known
    weights: Floats
    bias: Floats
    sureness: float

    def scores(self, text: str, lexicon: Lexicon) -> Numbers:
        """One score a label; the greatest is the answer."""
        return self.judge(look(stretches(plain(text), lexicon), self.known))

    def judge(self, seen: Seen) -> Numbers:
        """The same of what was seen already."""
        scores: Numbers = self.bias + seen.values @ self.weights[seen.rows]
        return scores

    def chances(self, scores: Numbers) -> Numbers:
        """The probability of each label, from its scores; rows of scores give rows."""
        odds = np.exp(self.sureness * (scores - scores.max(axis=-1, keepdims=True)))
        shares: Numbers = odds / odds.sum(axis=-1, keepdims=True)
        return shares

    def answer(
        self, text: str, lexicon: Lexicon, labels: Sequence[str]
    ) -> tuple[str, float, tuple[str, ...]]:
        """The best of the `labels` in use, how sure that is from 0 to 1, and the words that speak for it."""
        said = plain(text)
        words = cut(said)
        seen = look(stretches(said, lexicon, words), self.known)
        weights = self.weights[seen.rows]
        scores = self.bias + seen.values @ weights
        usable = [at for at, label in enumerate(self.labels) if label in labels]
        best = max(usable, key=scores.__getitem__)
        chance = float(self.chances(scores[usable])[usable.index(best)])
        pulls = (weights[:, best] - weights.mean(axis=1)) * self.known.rarity[seen.rows]
        return self.labels[best], chance, tuple(_reasons(text, words, seen, pulls))

    def pack(self) -> bytes:
        """As bytes, which `unpack` reads."""
        packed = io.BytesIO()
        np.savez_compressed(
            packed,
            shape=np.array(SHAPE),
            labels=np.array(self.labels),
            keys=self.known.keys,
            rarity=self.known.rarity.astype(np.float16),
            weights=_coarse(self.weights),
            bias=self.bias,
            sureness=np.array(self.sureness),
        )
        return packed.getvalue()

    @classmethod
    def unpack(cls, packed: bytes) -> Model:
        """The model of such bytes; nothing in them is ever run. Raises OtherShapeError."""
        with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
            if "shape" not in arrays or int(arrays["shape"]) != SHAPE:
                raise OtherShapeError("learnt by another version of the program")
            return cls(
                tuple(str(label) for label in arrays["labels"]),
                Known(arrays["keys"], arrays["rarity"].astype(np.float32)),
                arrays["weights"].astype(np.float32),
                arrays["bias"],
                float(arrays["sureness"]),
            )


def _coarse(weights: Floats) -> npt.NDArray[np.float16]:
    """With seven bits of each number after the first: exact to a hundredth, packed an eighth smaller."""
    whole = weights.astype(np.float16)
    return (whole.view(np.uint16) & np.uint16(0xFFF8)).view(np.float16)


def look(one: Stretches, known: Known) -> Seen:
    """What of a text is known: more of the same counts by its logarithm, the rarer the more."""
    order = np.argsort(one.keys)  # in order they are looked up several times as fast
    keys = one.keys[order]
    rows = np.searchsorted(known.keys, keys)
    rows[rows == len(known.keys)] = 0
    is_known = known.keys[rows] == keys if len(known.keys) else np.zeros(len(keys), np.bool_)
    rows, order = rows[is_known], order[is_known]
    is_first = np.ones(len(rows), np.bool_)
    is_first[1:] = rows[1:] != rows[:-1]
    which = np.cumsum(is_first) - 1
    firsts = rows[is_first]
    kinds = one.kinds[order[is_first]]
    many = np.bincount(which, one.strengths[order], len(firsts))
    values = np.log1p(GROWTH * many) * np.where(kinds == LISTED, 1.0, known.rarity[firsts])
    lengths = np.sqrt(np.bincount(kinds, values * values, KINDS))
    return Seen(firsts, values / lengths[kinds], which, one.starts[order], one.lengths[order])


def _reasons(text: str, words: Sequence[str], seen: Seen, pulls: Numbers) -> Iterator[str]:
    """The words whose letters speak for the answer the most, the strongest first. `pulls`: of each row."""
    ends = np.cumsum([0, *map(len, words)])
    of_each = pulls[seen.which] / seen.lengths
    many = int(ends[-1]) + 1
    spoke = np.bincount(seen.starts, of_each, many)  # what begins here
    spoke -= np.bincount(seen.starts + seen.lengths, of_each, many)  # is taken back where it ends
    until = np.concatenate(([0.0], np.cumsum(np.cumsum(spoke))))[ends]
    weighed = np.diff(until)
    told: set[str] = set()
    for at in np.argsort(-weighed, kind="stable"):
        word = words[at]
        if weighed[at] <= 0 or len(told) == MOST_REASONS:
            break
        if len(word) > 1 and word not in told and word in text:
            told.add(word)
            yield word
