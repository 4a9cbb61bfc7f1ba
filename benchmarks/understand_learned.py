"""Categories on 2,983 real messages to governments, in seven classes: by our word lists, and learnt.

Five folds, each message judged by a model that has not seen it. Judged are the first 60 characters with a
fifth of them replaced by others of the same toneless sound, drawn as often as these messages have them (the
learner draws its own noise otherwise: by a dictionary, with other seeds), and whole messages as written.
Beside them 4,455 more messages exist cut into words only, without the little ones; what learning from these
too is worth is measured on two of the folds, those left out that are nearly the same as a judged one.
Needs `../shared/data`; without it nothing is measured.
"""

from __future__ import annotations

import csv
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
from pypinyin import Style, lazy_pinyin
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold

from benchmarks.report import Measured
from speech.categorize import categorize
from speech.learned import Model
from speech.learner import Example, learn
from speech.taxonomy import class_of, taxonomy

DATA = Path(__file__).parents[2] / "shared" / "data"
FOLDS, SEED = 5, 20_260
BEGINNING, NOISE = 60, 0.2
COVERED = 0.8
FEW = 500
NEARLY = 0.6  # of the words of two messages in common: they are one message
_KINDS = taxonomy()


@dataclass(frozen=True)
class Judged:
    """Answers for some messages: what is true, what was said, how sure that was."""

    truth: list[str]
    said: list[str]
    sure: list[float]

    @property
    def macro_f1(self) -> float:
        """The F1 of each class, averaged over the classes."""
        return float(f1_score(self.truth, self.said, average="macro"))

    @property
    def precision_of_the_surest(self) -> float:
        """The share that is right among the surest four fifths."""
        order = np.argsort(-np.array(self.sure), kind="stable")[: round(COVERED * len(self.sure))]
        return float(np.mean([self.truth[at] == self.said[at] for at in order]))

    @property
    def overconfidence(self) -> float:
        """How much surer it was on average than it was right."""
        return float(
            np.mean(self.sure) - np.mean([a == b for a, b in zip(self.truth, self.said, strict=True)])
        )


def measure() -> Iterator[Measured]:
    """Cold first, then learnt from few, from all, and from what was only cut up as well."""
    if not (DATA / "civic_messages_raw.tsv").exists():
        return
    rows = _rows("civic_messages_raw.tsv")
    messages = [Example(row["text"], row["label"]) for row in rows]
    line = _Line(messages)
    heard = [line.heard(message.text[:BEGINNING], at) for at, message in enumerate(messages)]
    yield from _cold(messages, heard)
    folds = list(
        StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(
            np.zeros(len(messages)), [message.label for message in messages]
        )
    )
    yield from _learned(messages, heard, folds)
    more = _more(rows)
    beside = [_judge(_all(messages, train) + more, [heard[at] for at in test], messages, test)
              for train, test in folds[:2]]  # fmt: skip
    yield Measured("understand.with_cut_up_f1_first_60_noisy", _joined(beside).macro_f1, "macro-F1", 0.87)
    whole = [_judged(one.model, [messages[at].text for at in test], messages, test)
             for one, (_, test) in zip(beside, folds[:2], strict=True)]  # fmt: skip
    yield Measured("understand.with_cut_up_f1_full_clean", _joined(whole).macro_f1, "macro-F1", 0.905)


def _cold(messages: Sequence[Example], heard: Sequence[str]) -> Iterator[Measured]:
    """Nothing learnt: the categories of our own lists, each as its class."""
    truth = [message.label for message in messages]
    for name, texts in (("full_clean", [message.text for message in messages]), ("first_60_noisy", heard)):
        answers = [categorize(text) for text in texts]
        said = [class_of(answer.label) or "" for answer in answers]
        judged = Judged(truth, said, [answer.confidence for answer in answers])
        yield Measured(f"understand.cold_f1_{name}", judged.macro_f1, "macro-F1", 0.68)


@dataclass(frozen=True)
class _Fold(Judged):
    model: Model
    seconds: float
    """Of processor time for one answer."""


def _learned(
    messages: Sequence[Example], heard: Sequence[str], folds: Sequence[tuple[np.ndarray, np.ndarray]]
) -> Iterator[Measured]:
    few, noisy, whole = [], [], []
    for train, test in folds:
        sample = np.random.default_rng(SEED).permutation(train)[:FEW]
        few.append(_judge(_all(messages, sample), [heard[at] for at in test], messages, test))
        noisy.append(_judge(_all(messages, train), [heard[at] for at in test], messages, test))
        whole.append(_judged(noisy[-1].model, [messages[at].text for at in test], messages, test))
    yield Measured("understand.from_500_f1_first_60_noisy", _joined(few).macro_f1, "macro-F1", 0.78)
    yield Measured("understand.from_all_f1_first_60_noisy", _joined(noisy).macro_f1, "macro-F1", 0.87)
    yield Measured("understand.from_all_f1_full_clean", _joined(whole).macro_f1, "macro-F1", 0.905)
    for name, judged in (("first_60_noisy", _joined(noisy)), ("full_clean", _joined(whole))):
        precision = judged.precision_of_the_surest
        yield Measured(f"understand.precision_at_80_{name}", precision, "precision", 0.92)
        gap = abs(judged.overconfidence)
        yield Measured(f"understand.calibration_{name}", gap, "of-1", 0.05, is_at_most=True)
    milliseconds = 1000 * float(np.median([one.seconds for one in noisy]))
    yield Measured("understand.answer_first_60", milliseconds, "cpu-ms", 1.0, is_at_most=True)
    kilobytes = max(len(one.model.pack()) for one in noisy) / 1024
    yield Measured("understand.model_size", kilobytes, "KiB", 8192, is_at_most=True)


def _all(messages: Sequence[Example], which: np.ndarray) -> list[Example]:
    return [messages[at] for at in which]


def _judge(
    taught: Sequence[Example], texts: Sequence[str], messages: Sequence[Example], test: np.ndarray
) -> _Fold:
    return _judged(learn(taught, _KINDS.lexicon), texts, messages, test)


def _judged(model: Model, texts: Sequence[str], messages: Sequence[Example], test: np.ndarray) -> _Fold:
    begun = time.process_time()
    answers = [model.answer(text, _KINDS.lexicon, model.labels) for text in texts]
    seconds = (time.process_time() - begun) / len(texts)
    truth = [messages[at].label for at in test]
    return _Fold(truth, [label for label, _, _ in answers], [sure for _, sure, _ in answers], model, seconds)


def _joined(parts: Sequence[Judged]) -> Judged:
    return Judged(
        [one for part in parts for one in part.truth],
        [one for part in parts for one in part.said],
        [one for part in parts for one in part.sure],
    )


class _Line:
    """A line on which characters are taken for others of the same toneless sound."""

    def __init__(self, messages: Sequence[Example]) -> None:
        often = Counter(letter for message in messages for letter in message.text if "一" <= letter <= "鿿")
        self._sound = {letter: lazy_pinyin(letter, style=Style.NORMAL)[0] for letter in often}
        self._twins: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for letter, times in often.items():
            self._twins[self._sound[letter]].append((letter, times))

    def heard(self, text: str, at: int) -> str:
        """`text` as message number `at` would be heard."""
        chance = random.Random(f"{SEED} {at}")
        return "".join(self._other(letter, chance) if chance.random() < NOISE else letter for letter in text)

    def _other(self, letter: str, chance: random.Random) -> str:
        twins = [one for one in self._twins[self._sound.get(letter, "")] if one[0] != letter]
        if not twins or letter not in self._sound:
            return letter
        return chance.choices([one for one, _ in twins], cum_weights=list(accumulate(n for _, n in twins)))[0]


def _rows(name: str) -> list[dict[str, str]]:
    csv.field_size_limit(10**8)
    with (DATA / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def _more(rows: Sequence[dict[str, str]]) -> list[Example]:
    """The messages of which only the words are there, but for those nearly the same as a whole one."""
    whole = {row["seg_row"] for row in rows}
    words = {row["row"]: row for row in _rows("civic_messages_seg.tsv") if row["tokens"]}
    judged = [frozenset(words[at]["tokens"].split()) for at in whole if at in words]
    having: dict[str, list[int]] = defaultdict(list)
    for place, each in enumerate(judged):
        for word in each:
            having[word].append(place)
    others = [(row, frozenset(row["tokens"].split())) for at, row in words.items() if at not in whole]
    return [
        Example(row["tokens"].replace(" ", ""), row["label"])
        for row, each in others
        if not _is_known(each, judged, having)
    ]


def _is_known(each: frozenset[str], judged: Sequence[frozenset[str]], having: dict[str, list[int]]) -> bool:
    rarest = sorted((word for word in each if word in having), key=lambda word: len(having[word]))[:12]
    near = {place for word in rarest for place in having[word][:200]}
    return any(len(each & judged[place]) / len(each | judged[place]) >= NEARLY for place in near)
