"""How alike texts are, by their letters and by their sounds, so that misheard words count too. Pure numbers.

Each text is a vector of stretches of one and two letters and of one and two syllables, weighted by how rare
they are among the texts at hand; likeness is the cosine (Salton & Buckley 1988). Texts that tell of the same
thing are joined by average linkage (Murtagh 1983), as the literature on hot topics does.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from speech.syllables import codes, heard

LONGEST = 260
"""Letters that are looked at: who speaks on has said by then what it is about."""
SAME = 0.5
"""`probability` from which two opinions are taken for one matter."""
_SOUNDS_WEIGH = 0.7  # of what letters weigh
_LENGTHS = (1, 2)
# From cosine to how probably two of 300 texts are of one matter: fitted on half the issues of a benchmark.
_SLOPE, _MIDDLE = 44.0, 0.12
_STEP = np.uint64(0x100000001B3)  # the prime of FNV-1a
_SOUND = np.uint64(1 << 63)

Keys = npt.NDArray[np.uint64]
Row = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Likeness:
    """Some texts, ready to be compared: `likeness.to(0)` is one number for each, 1.0 for the same words."""

    count: int
    _terms: Places
    """By text, from `_bounds` of one to the next: the numbers of its stretches,"""
    _weights: Row
    """and what each weighs."""
    _bounds: Places
    _texts: Places
    """By stretch, from `_starts` of one to the next: the texts that hold it,"""
    _by_term: Row
    """and what it weighs there."""
    _starts: Places
    _known: Keys
    """The stretches, in order,"""
    _rarity: Numbers
    """and how rare each is."""

    @classmethod
    def of(cls, texts: Sequence[str]) -> Likeness:
        """Of these texts, in their order; an empty one is like none."""
        keys = [_keys(text) for text in texts]
        rows = np.repeat(np.arange(len(texts)), [len(one) for one, _ in keys])
        flat = np.concatenate([one for one, _ in keys]) if keys else np.zeros(0, np.uint64)
        weighs = np.concatenate([weights for _, weights in keys]) if keys else np.zeros(0, np.float32)
        known, terms, df = np.unique(flat, return_inverse=True, return_counts=True)
        rarity = np.maximum(np.log((len(texts) + 1.0) / (df + 0.5)), 0.05)
        weights = (weighs * rarity[terms]).astype(np.float32)
        norms = np.sqrt(np.bincount(rows, weights.astype(np.float64) ** 2, minlength=len(texts)))
        weights /= np.maximum(norms, 1e-9)[rows].astype(np.float32)
        order = np.argsort(terms, kind="stable")
        return cls(
            count=len(texts),
            _terms=terms,
            _weights=weights,
            _bounds=np.searchsorted(rows, np.arange(len(texts) + 1)),
            _texts=rows[order],
            _by_term=weights[order],
            _starts=np.searchsorted(terms[order], np.arange(len(df) + 1)),
            _known=known,
            _rarity=rarity,
        )

    def to(self, place: int) -> Row:
        """How alike the text at a place is to each text: cosines from 0 to 1."""
        mine = slice(self._bounds[place], self._bounds[place + 1])
        return self._cosines(self._terms[mine], self._weights[mine])

    def table(self) -> Numbers:
        """(texts, texts): how alike they are to each other."""
        return np.stack([self.to(place) for place in range(self.count)]).astype(np.float64)

    def cosines(self, text: str) -> Row:
        """How alike another text is to each of them."""
        return self._cosines(*self._weighed(text))

    def pulls(self, weights: Numbers) -> Numbers:
        """(stretches, n): what each stretch pulls where each text pulls by `weights`, (texts, n)."""
        pulled: Numbers = np.add.reduceat(
            self._by_term[:, None] * weights[self._texts], self._starts[:-1], axis=0
        )
        return pulled

    def pulled(self, text: str, pulls: Numbers) -> Numbers:
        """(n): the sum over the texts of likeness times weight, from what `pulls` made of the weights."""
        terms, weights = self._weighed(text)
        total: Numbers = weights @ pulls[terms]
        return total

    def _weighed(self, text: str) -> tuple[Places, Row]:
        """The known stretches of another text and what each weighs there."""
        keys, weighs = _keys(text)
        if not len(self._known) or not len(keys):
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        places = np.minimum(np.searchsorted(self._known, keys), len(self._known) - 1)
        is_known = self._known[places] == keys
        rarest = np.log((self.count + 1.0) / 0.5)
        weights = weighs * np.where(is_known, self._rarity[places], rarest)
        weights = (weights / max(float(np.linalg.norm(weights)), 1e-9)).astype(np.float32)
        return places[is_known], weights[is_known]

    def _cosines(self, terms: Places, weights: Row) -> Row:
        found = np.zeros(self.count, np.float32)
        for term, weight in zip(terms, weights, strict=True):
            posting = slice(self._starts[term], self._starts[term + 1])
            found[self._texts[posting]] += weight * self._by_term[posting]
        return np.minimum(found, np.float32(1.0))


def probability(cosine: float) -> float:
    """How probably two texts with this cosine are of one matter, 0 to 1."""
    return float(1 / (1 + np.exp(-_SLOPE * (cosine - _MIDDLE))))


def groups(likeness: Likeness, least: float) -> list[list[int]]:
    """Texts of one matter, each group's places in order, the largest group first; singles too.

    Average linkage: two groups are one where the mean cosine between them is at least `least`.
    """
    table = np.stack([likeness.to(place) for place in range(likeness.count)]) if likeness.count else None
    if table is None:
        return []
    parent = list(range(likeness.count))
    for one, other, cosine in _merges(table):
        if cosine >= least:
            parent[_root(parent, other)] = _root(parent, one)
    found: dict[int, list[int]] = {}
    for place in range(likeness.count):
        found.setdefault(_root(parent, place), []).append(place)
    return sorted(found.values(), key=lambda group: (-len(group), group[0]))


def _merges(table: npt.NDArray[np.float32]) -> list[tuple[int, int, float]]:
    """All merges of average linkage, by chains of nearest neighbours; `table` is used up."""
    count = len(table)
    np.fill_diagonal(table, -1.0)
    sizes, alive = np.ones(count), np.ones(count, bool)
    merges: list[tuple[int, int, float]] = []
    chain: list[int] = []
    for _ in range(count - 1):
        if not chain:
            chain.append(int(np.argmax(alive)))
        while True:
            last = chain[-1]
            nearest = int(np.argmax(np.where(alive, table[last], -2.0)))
            if len(chain) > 1 and table[last, chain[-2]] >= table[last, nearest]:
                nearest = chain[-2]
                break
            chain.append(nearest)
        one, other = nearest, chain.pop()
        chain.pop()
        merges.append((one, other, float(table[one, other])))
        mean = (table[one] * sizes[one] + table[other] * sizes[other]) / (sizes[one] + sizes[other])
        table[one], table[:, one], table[one, one] = mean, mean, -1.0
        sizes[one] += sizes[other]
        alive[other] = False
        table[other], table[:, other] = -2.0, -2.0
    return merges


def _root(parent: list[int], place: int) -> int:
    while parent[place] != place:
        parent[place] = parent[parent[place]]
        place = parent[place]
    return place


def _keys(text: str) -> tuple[Keys, Row]:
    """The stretches of a text, each once, and how much each counts there."""
    said = unicodedata.normalize("NFKC", text).lower()
    letters = codes("".join(letter for letter in said if letter.isalnum())[:LONGEST])
    runs = [
        *_runs(letters.astype(np.uint64)),
        *(run | _SOUND for run in _runs(heard(letters).astype(np.uint64))),
    ]
    keys, counts = np.unique(np.concatenate(runs), return_counts=True)
    weights = (1 + np.log(counts)) * np.where(keys & _SOUND, _SOUNDS_WEIGH, 1.0)
    return keys, weights.astype(np.float32)


def _runs(row: Keys) -> list[Keys]:
    found: list[Keys] = []
    for length in _LENGTHS:
        if len(row) < length:
            found.append(np.zeros(0, np.uint64))
            continue
        key = np.full(len(row) - length + 1, length, np.uint64)
        for at in range(length):
            key = key * _STEP + row[at : len(row) - length + 1 + at]
        found.append(key & ~_SOUND)
    return found
