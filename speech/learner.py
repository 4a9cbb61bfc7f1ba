"""How a model learns to sort opinions: from examples, each also as a poor line would have let it be heard."""

from __future__ import annotations

import random
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix
from scipy.stats import binomtest
from sklearn.exceptions import ConvergenceWarning
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC

from speech.features import Stretches, plain, stretches
from speech.learned import Floats, Known, Model, Seen, look
from speech.lexicon import Lexicon
from speech.syllables import misheard
from speech.tables import rows

MISHEARD = 0.2
"""The share of characters written as others of the same sound in what a learner is also shown."""

BEGINNINGS = (60, 60, 120)  # characters of an utterance: of a quarter of a minute, twice, and of half
LEAST_SHARED = 2  # examples in which a stretch must stand before it is learnt: one person's words are not
COST = 1.0  # of an error beside the size of the weights, for a linear support vector machine
NAIVE = 1.0  # how much naive Bayes' word has beside the machine's: it is steadier where examples are few
SMOOTHED = 0.1  # what is added to every count of naive Bayes
ENOUGH = 20  # examples of a label, from which on our own sentences for it would only be in the way
CALIBRATED_ON = 4  # one example in so many is kept back to learn how sure the scores are


@dataclass(frozen=True)
class Example:
    """Words that may be published, and the label a person gave them."""

    text: str
    label: str


@dataclass(frozen=True)
class Compared:
    """Two ways of sorting on the same held-back examples.

    `better` were right only in the first, `worse` only in the second; `chance` is the exact one-sided
    probability of so many `better` if both were equally good (McNemar 1947).
    """

    better: int
    worse: int
    chance: float


@cache
def own_sentences() -> tuple[Example, ...]:
    """The sentences that come with the program, written for it."""
    own = rows(Path(__file__).with_name("sentences.tsv"))
    return tuple(Example(sentence, label) for label, *sentences in own for sentence in sentences)


def with_sentences(examples: Sequence[Example], labels: Sequence[str]) -> list[Example]:
    """The examples, and the program's own sentences for those of the `labels` that were hardly taught yet."""
    taught = Counter(example.label for example in examples)
    own = [one for one in own_sentences() if one.label in labels and taught[one.label] < ENOUGH]
    return [*own, *examples]


def learn(examples: Sequence[Example], lexicon: Lexicon, seed: int = 0) -> Model:
    """A model of the labels that the examples have (two at least). The same examples give the same model."""
    views = [_views(example.text, lexicon, f"{seed}/{at}") for at, example in enumerate(examples)]
    labels = [example.label for example in examples]
    kept_back = [at for at in range(len(examples)) if _draw(seed, at) < 1 / CALIBRATED_ON]
    shown = [at for at in range(len(examples)) if at not in set(kept_back)]
    sureness = 1.0
    if kept_back and len({labels[at] for at in shown}) > 1:
        trial = _fit([views[at] for at in shown], [labels[at] for at in shown], 1.0)
        sureness = _sureness(trial, [views[at][0] for at in kept_back], [labels[at] for at in kept_back])
    return _fit(views, labels, sureness)


def compare(ours: Sequence[str], theirs: Sequence[str], truth: Sequence[str]) -> Compared:
    """Answers of two ways of sorting, one for each true label."""
    better = sum(a == right != b for a, b, right in zip(ours, theirs, truth, strict=True))
    worse = sum(b == right != a for a, b, right in zip(ours, theirs, truth, strict=True))
    chance = binomtest(better, better + worse, 0.5, "greater").pvalue if better + worse else 1.0
    return Compared(better, worse, float(chance))


def _views(text: str, lexicon: Lexicon, name: str) -> list[Stretches]:
    """An example as its beginnings were heard on a poor line, as all of it was, and as it stands."""
    chance = random.Random(name)
    whole = plain(text)
    heard = [*(plain(text[:length]) for length in BEGINNINGS), whole]
    said = [*(misheard(one, MISHEARD, chance) for one in heard), whole]
    return [stretches(one, lexicon) for one in said]


def _fit(views: Sequence[Sequence[Stretches]], labels: Sequence[str], sureness: float) -> Model:
    known = _known(views)
    matrix = _matrix([look(view, known) for one in views for view in one], len(known.keys))
    truth = [label for label, one in zip(labels, views, strict=True) for _ in one]
    names, weights, bias = _weights(matrix, truth)
    return Model(names, known, weights, bias, sureness)


def _weights(matrix: csr_matrix, truth: Sequence[str]) -> tuple[tuple[str, ...], Floats, Floats]:
    """Labels, (features, labels) weights and biases: a support vector machine's and naive Bayes', as one sum.

    Naive Bayes is the complement kind (Rennie and others, 2003), scaled so that both speak equally loud.
    """
    machine = LinearSVC(C=COST, tol=0.1, max_iter=200, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # near enough is good enough here
        machine.fit(matrix, truth)
    weights, bias = machine.coef_.T, machine.intercept_
    if len(machine.classes_) == 2:  # then it knows only the second's
        weights, bias = np.hstack((-weights, weights)), np.concatenate((-bias, bias))
    bayes = ComplementNB(alpha=SMOOTHED).fit(matrix, truth).feature_log_prob_.T
    bayes = bayes - bayes.mean(axis=1, keepdims=True)
    loudness = (matrix @ weights + bias).std() / max(float((matrix @ bayes).std()), 1e-9)
    names = tuple(str(label) for label in machine.classes_)
    return names, (weights + NAIVE * loudness * bayes).astype(np.float32), bias.astype(np.float32)


def _known(examples: Sequence[Sequence[Stretches]]) -> Known:
    """The stretches that several examples share, and how rare each is."""
    each = [np.unique(np.concatenate([view.keys for view in views])) for views in examples]
    keys, counts = np.unique(np.concatenate(each), return_counts=True)
    is_shared = counts >= LEAST_SHARED
    rarity = np.log((1 + len(examples)) / (1 + counts[is_shared])) + 1
    return Known(keys[is_shared], rarity.astype(np.float32))


def _matrix(seen: Sequence[Seen], many: int) -> csr_matrix:
    ends = np.cumsum([0, *(len(one.rows) for one in seen)])
    values = np.concatenate([one.values for one in seen]).astype(np.float32)
    return csr_matrix((values, np.concatenate([one.rows for one in seen]), ends), (len(seen), many))


def _sureness(model: Model, heard: Sequence[Stretches], labels: Sequence[str]) -> float:
    """What makes the scores of unseen examples probabilities: temperature scaling (Guo and others, 2017)."""
    right = [at for at, label in enumerate(labels) if label in model.labels]
    scores = np.stack([model.judge(look(heard[at], model.known)) for at in right])
    column = [model.labels.index(labels[at]) for at in right]

    def surprise(logarithm: float) -> float:
        odds = np.exp(logarithm) * (scores - scores.max(axis=1, keepdims=True))
        chances = odds[np.arange(len(right)), column] - np.log(np.exp(odds).sum(axis=1))
        return -float(chances.mean())

    return float(np.exp(minimize_scalar(surprise, bounds=(-2.0, 4.0), method="bounded").x))


def _draw(seed: int, at: int) -> float:
    return random.Random(f"{seed}:{at}").random()
