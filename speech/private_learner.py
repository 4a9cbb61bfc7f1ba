"""How the taggers learn what is private: `python -m speech.private_learner` writes their models anew.

Each is shown every example as it was heard, and as it was said with other people's names and addresses in it,
garbled as the telephone and the recognizer garble: what they make of each syllable is counted in the examples
themselves. A name is garbled most, because no word of the language helps to hear it.
"""

from __future__ import annotations

import hashlib
import random
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import accumulate
from pathlib import Path

import pycrfsuite
from rapidfuzz.distance import Levenshtein

from speech import private_signs
from speech.error_rate import figures_of
from speech.name_letters import is_han
from speech.private_examples import EXAMPLES, Example, Marked, examples
from speech.private_signs import signs
from speech.private_sounds import sound_of
from speech.private_tagger import BEGINS, GOES_ON, MODELS, NOTHING, SEEDS
from speech.syllables import misheard
from speech.tables import rows

MADE_OF = EXAMPLES.with_name("private.sha256")
TIMES = 2  # how often a sentence is told with other names in it
HEARD_TIMES = 5  # how often what was really heard counts: more than what was only made to look so
# Of the letters of a name, of an address, and of other words in a good call, a usual one and a bad one.
GARBLED = {"name": 0.55, "address": 0.3, "number": 0.2}
OTHERWISE = (0.03, 0.12, 0.25)
SAME_SOUND, LOST = 0.45, 0.04  # of what is garbled: written as another of its sound; not heard at all
IN_FIGURES = 0.5  # of the sentences have their numbers written so
NO_PAUSE = 0.35  # commas that nobody hears
PLAIN = ("sentences.tsv", "purpose_sentences.tsv", "urgent_sentences.tsv")  # of ours, with nothing private
SETTINGS = {
    "c1": 0.3,
    "c2": 0.05,
    "max_iterations": 160,  # with half of them addresses were still being learned
    "feature.possible_transitions": True,
    "feature.minfreq": 2,
}

_DIGITS = "零幺一二三四五六七八九"
_NUMBER = re.compile(
    f"[{_DIGITS}十百两]+(?=[号栋幢座层楼组弄室门期院岁点块天年月户个]|单元)|[{_DIGITS}]{{3,}}"
)
Confusions = Mapping[str, Sequence[str]]


def shown(told: Sequence[Example], seed: int) -> Iterator[Marked]:
    """All that a tagger learns from: another seed tells of other people, garbled otherwise."""
    dice = random.Random(seed)
    confusions, pool = confusions_of(told), _pool(told)
    for one in told:
        for _ in range(HEARD_TIMES):
            yield from one.heard
        for _ in range(TIMES):
            told_so = garbled(_with_others(one.said, pool, dice), confusions, dice)
            yield in_figures(told_so) if dice.random() < IN_FIGURES else told_so
    for sentence in _plain():
        yield garbled(Marked(sentence), confusions, dice)


def labels(one: Marked) -> list[str]:
    """A label a letter: B- where something private begins, I- where it goes on, O elsewhere."""
    found = [NOTHING] * len(one.text)
    for start, end, kind in one.private:
        found[start:end] = [BEGINS + kind] + [GOES_ON + kind] * (end - start - 1)
    return found


def learn(told: Iterable[Marked], model: Path) -> None:
    """Write a model that has learned from these."""
    trainer = pycrfsuite.Trainer(verbose=False)
    for one in told:
        if one.text:
            trainer.append(signs(one.text), labels(one))
    trainer.set_params(SETTINGS)
    trainer.train(str(model))


def fingerprint() -> str:
    """Of all that the model is made of: another one means that it has to be made anew."""
    tables = [EXAMPLES, *(EXAMPLES.with_name(name) for name in PLAIN)]
    sources = [*tables, Path(private_signs.__file__), Path(__file__)]
    return hashlib.sha256(b"".join(one.read_bytes() for one in sources)).hexdigest()


def confusions_of(told: Sequence[Example]) -> Confusions:
    """By sound: the letters that were heard in its place, as often as they were."""
    found: dict[str, list[str]] = defaultdict(list)
    for one in told:
        sounds = sound_of(one.said.text)
        for heard in one.heard:
            for step in Levenshtein.opcodes(sounds, sound_of(heard.text)):
                if step.tag == "replace":
                    letters = heard.text[step.dest_start : step.dest_end]
                    for sound, letter in zip(sounds[step.src_start : step.src_end], letters, strict=True):
                        found[sound].append(letter)
    return found


def in_figures(one: Marked) -> Marked:
    """三号楼幺零二 as a recognizer or a person may write it: 3号楼102."""
    parts = list(one.text)
    borders = {border for start, end, _ in one.private for border in (start, end)}
    for match in _NUMBER.finditer(one.text):
        if borders.intersection(range(match.start() + 1, match.end())):
            continue
        parts[match.start() : match.end()] = [figures_of(match[0]) or match[0]] + [""] * (len(match[0]) - 1)
    return _of_parts(one, parts)


def garbled(one: Marked, confusions: Confusions, dice: random.Random) -> Marked:
    """As a recognizer may write it down; what is private is still marked."""
    usual = dice.choice(OTHERWISE)
    share = {place: GARBLED[kind] for start, end, kind in one.private for place in range(start, end)}
    parts = [_garbled(letter, share.get(at, usual), confusions, dice) for at, letter in enumerate(one.text)]
    return _of_parts(one, parts)


def _of_parts(one: Marked, parts: Sequence[str]) -> Marked:
    """What a text becomes when each of its letters becomes such a part."""
    ends = [0, *accumulate(map(len, parts))]
    private = [(ends[start], ends[end], kind) for start, end, kind in one.private]
    return Marked("".join(parts), tuple(stretch for stretch in private if stretch[0] < stretch[1]))


def _garbled(letter: str, share: float, confusions: Confusions, dice: random.Random) -> str:
    if not is_han(letter):
        return "" if letter == "·" or (letter == "，" and dice.random() < NO_PAUSE) else letter
    if dice.random() >= share:
        return letter
    how = dice.random()
    if how < LOST:
        return ""
    others = confusions.get(sound_of(letter), ())
    return misheard(letter, 1.0, dice) if how < LOST + SAME_SOUND or not others else dice.choice(others)


def _pool(told: Sequence[Example]) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for one in told:
        for start, end, kind in one.said.private:
            found[kind].append(one.said.text[start:end])
    return found


def _with_others(one: Marked, pool: Mapping[str, Sequence[str]], dice: random.Random) -> Marked:
    """The same sentence about somebody else."""
    text, private, last = "", [], 0
    for start, end, kind in one.private:
        text += one.text[last:start]
        other = dice.choice(pool[kind])
        private.append((len(text), len(text) + len(other), kind))
        text, last = text + other, end
    return Marked(text + one.text[last:], tuple(private))


def _plain() -> Iterator[str]:
    for name in PLAIN:
        for _, *sentences in rows(EXAMPLES.with_name(name)):
            yield from sentences


def main() -> None:
    """Learn, a process a model, and tell what the models were made of."""
    with ProcessPoolExecutor() as processes:
        for told in processes.map(_learn, SEEDS, MODELS):
            sys.stderr.write(told + "\n")
    MADE_OF.write_text(fingerprint() + "\n", encoding="utf-8")


def _learn(seed: int, model: Path) -> str:
    told = list(shown(examples(), seed))
    learn(told, model)
    return f"{len(told)} texts learned; {model.stat().st_size / 1_000_000:.1f} MB in {model.name}"


if __name__ == "__main__":
    main()
