"""What many people say, in their own sentences; and the phrases it turns on. Nothing is worded anew.

Sentences are ranked by how many others say the same (the centre of each group of alike ones, the largest
group first: centroid summaries, Radev 2004), each with how many speakers stand behind it. Phrases are runs of
words that many speakers here use and everyday Chinese does not. Give it redacted words alone.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import jieba

from speech.likeness import Likeness, groups

SHORTEST, LONGEST = 6, 60
"""Letters of a sentence that is worth repeating."""
MOST_SENTENCES = 1500
_MOST_CENTRES = 40  # of a group, that may speak for it
_SAME = 0.16  # mean cosine of sentences that say the same
_PHRASE_WORDS = 3
_STOPS = re.compile(r"[。！？；!?;\n]+|(?<=[^，,]{14})[，,]")
_MUTTERED = re.compile(
    r"(?:^|(?<=[，,。！？；、\s]))(?:嗯+|啊+|呃+|额+|哎呀?|唉|哦|喂+|那个|这个|就是说?|然后呢?|怎么说呢|对不对|是不是啊|我跟你讲|你晓得吧|我说啊|反正)"
    r"(?=[，,、。！？\s])[，,、\s]*"
)
_AGAIN = re.compile(r"([一-鿿]{1,4})(?:[，,、\s]*\1){2,}|([我你他这那就要是不])[，,、\s]+\2(?=[一-鿿])")
_GREETED = re.compile(r"^(?:喂|您好|你好|社区(?:的)?同志|尊敬的(?:领导|书记)|领导(?:您)?好)+[，,：:！!。\s]*")
_INTRODUCED = re.compile(
    r"(?:.{0,8}您好.{0,3})?(?:我|我们|本人)(?:们)?(?:就?是|系|叫|姓|住)|.*(?:业主|居民|村民|家长)$|.{0,12}(?:书记|局长|市长|厅长)"
)
_WHO_MATTERS_LESS = 0.25
_HIDDEN = re.compile(r"[*＊█■×]{2,}|\[[^\]]*\]|【[^】]*】|〔[^〕]*〕|某某?|某[小市区县村]")
_EVERYDAY = frozenset(
    """
    我们 你们 他们 大家 现在 时候 什么 怎么 这样 那样 这里 那里 一个 一下 一点
    没有 可以 希望 建议 觉得 还是 就是 不是 因为 所以 但是 如果 已经 问题 情况
    东西 事情 有人 知道 应该 能不能 为什么 请问 谢谢 领导 尊敬 反映 解决 处理
    相关 部门 感谢 您好 你好 今天 昨天 明天 今年 去年 一直 非常 特别 真的 进行
    目前 以及 由于 等等 其中 之前 以后 不能 需要 要求
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Said:
    """A sentence as somebody said it, and how many of the texts say the same."""

    sentence: str
    voices: int


@dataclass(frozen=True)
class Summary:
    """Of one text or many: sentences, those of the most voices first, and the phrases they turn on."""

    sentences: tuple[Said, ...]
    phrases: tuple[str, ...]


def summary(texts: Sequence[str], most_sentences: int = 5, most_phrases: int = 8) -> Summary:
    """The summary of redacted texts, each of another speaker. Deterministic; empty where nothing was said."""
    said = [(at, sentence) for at, text in enumerate(texts) for sentence in sentences(text)][:MOST_SENTENCES]
    return Summary(_ranked(said, most_sentences), key_phrases(texts, most_phrases))


def sentences(text: str) -> list[str]:
    """The sentences of a text without the noises between words, the words said twice and the greeting."""
    whole = _GREETED.sub("", fluent(text))
    return [found for part in _STOPS.split(whole) if (found := part.strip("，,、 　"))]


def fluent(text: str) -> str:
    """A text without 嗯, 那个, 然后呢 said by themselves, and without stuttering."""
    return _AGAIN.sub(lambda found: found[1] or found[2], _MUTTERED.sub("", text)).strip()


def key_phrases(texts: Sequence[str], most: int = 8) -> tuple[str, ...]:
    """Phrases of up to three words that the most texts share and everyday talk does not, the best first."""
    jieba.setLogLevel(60)
    held: Counter[tuple[str, ...]] = Counter()
    for text in texts:
        held.update(set(_runs(text)))
    least = 2 if len(texts) > 3 else 1
    scores = {run: _weight(run, times) for run, times in held.items() if times >= least}
    kept: list[tuple[str, ...]] = []
    for run in sorted(scores, key=lambda run: (-scores[run], run)):
        if len(kept) == most:
            break
        if not any(_overlaps(run, other) for other in kept):
            kept.append(run)
    return tuple("".join(run) for run in kept)


# --- sentences ---
def _ranked(said: Sequence[tuple[int, str]], most: int) -> tuple[Said, ...]:
    """One sentence for each group of alike ones, its centre; the groups of the most voices first."""
    usable = [(at, one) for at, one in said if len(one) >= SHORTEST and not _HIDDEN.search(one)]
    if not usable:
        return ()
    likeness = Likeness.of([sentence for _, sentence in usable])
    found = [_group(likeness, usable, group) for group in groups(likeness, _SAME)]
    ranked = sorted(found, key=lambda one: (-one[1], one[0].sentence))
    return tuple(one for one, _ in ranked[:most])


def _group(likeness: Likeness, said: Sequence[tuple[int, str]], group: list[int]) -> tuple[Said, float]:
    voices = len({said[place][0] for place in group})
    central = {place: float(likeness.to(place)[group].sum()) for place in group[:_MOST_CENTRES]}
    best = max(central, key=lambda place: (central[place] * _fits(said[place][1]), -place))
    sentence = said[best][1]
    return Said(_cut(sentence), voices), voices * _fits(sentence)


def _fits(sentence: str) -> float:
    """A sentence that is neither a scrap nor a speech tells most; who somebody is tells little."""
    told = _WHO_MATTERS_LESS if _INTRODUCED.match(sentence) else 1.0
    return told * min(1.0, len(sentence) / 14) * min(1.0, 36 / len(sentence))


def _cut(sentence: str) -> str:
    return sentence if len(sentence) <= LONGEST else sentence[: LONGEST - 1] + "…"


# --- phrases ---
def _runs(text: str) -> Iterator[tuple[str, ...]]:
    """Runs of words that tell something, none across a mark."""
    for sentence in sentences(text):
        words = [_told(word) for word in jieba.cut(sentence)]
        for start in range(len(words)):
            for end in range(start + 1, min(len(words), start + _PHRASE_WORDS) + 1):
                run = words[start:end]
                if not all(run):
                    break
                if len("".join(run)) > 1:
                    yield tuple(run)


def _told(word: str) -> str:
    """The word where it may be part of a phrase, else nothing."""
    is_chinese = all("一" <= letter <= "鿿" for letter in word)
    if not is_chinese or word in _EVERYDAY:
        return ""
    return word if len(word) > 1 else ""


def _weight(run: tuple[str, ...], times: int) -> float:
    """How many hold it, by how rare its words are; longer ones tell more."""
    rarity = sum(math.log(60_101_967 / (jieba.dt.FREQ.get(word, 0) + 50)) for word in run) / len(run)
    return times * rarity * (1 + 0.6 * (len(run) - 1))


def _overlaps(run: tuple[str, ...], other: tuple[str, ...]) -> bool:
    one, two = "".join(run), "".join(other)
    return one in two or two in one or len(set(run) & set(other)) * 2 > min(len(run), len(other))
