"""Sentences with something private in them, and where: made by rule from templates, the same for a seed."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

import cn2an

from benchmarks.private_templates import Half

NUMBERS = frozenset({"mobile", "landline", "id", "card", "plate", "chat", "email"})
NAMES = frozenset({"name", "surname"})
UNSPOKEN = ("{chat}", "{email}")  # spelled Latin letters: a Mandarin voice can't say them
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # of an identity number (GB 11643)
# fmt: off
LETTERS = {
    "A": "诶", "B": "必", "C": "西", "D": "弟", "E": "伊", "F": "艾弗", "G": "寄", "H": "艾吃", "J": "这",
    "K": "开", "L": "艾勒", "M": "艾姆", "N": "恩", "P": "批", "Q": "可优", "R": "阿", "S": "艾斯", "T": "踢",
    "U": "优", "V": "威", "W": "大布溜", "X": "艾克斯", "Y": "外", "Z": "贼",
}
# fmt: on
PLAIN, LINE = "零一二三四五六七八九", "零幺二三四五六七八九"


@dataclass(frozen=True)
class Private:
    """Characters `start` up to `end` of a sentence; `kind` is one of NUMBERS, of NAMES, or address."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class Sentence:
    """A sentence and what is private in it; `said` is what a Mandarin voice is given to say it."""

    text: str
    said: str
    private: tuple[Private, ...]


def sentences(half: Half, seed: int, times: int, is_spoken: bool) -> list[Sentence]:
    """Every template so many times with other people in it, written in figures or as it is said."""
    dice = random.Random(seed)
    wanted = [one for one in half.sentences if not (is_spoken and any(place in one for place in UNSPOKEN))]
    return [_filled(template, _Maker(half, dice, is_spoken)) for _ in range(times) for template in wanted]


def _filled(template: str, maker: _Maker) -> Sentence:
    text, said, private = "", "", []
    for part in re.split(r"(\{\w+\})", template):
        if not part.startswith("{"):
            text, said = text + part, said + part
            continue
        kind = part[1:-1]
        value = getattr(maker, kind)()
        private.append(Private(len(text), len(text) + len(value), kind))
        text += value
        said += as_said(value)
    return Sentence(text, said, tuple(private))


def as_said(value: str) -> str:
    """A name, number or address as a Mandarin voice is given to say it: letters by their sound."""
    return "".join(LETTERS.get(letter, letter) for letter in value).replace("·", "")


@dataclass(frozen=True)
class _Maker:
    """Makes up people: every number is random, none is anybody's on purpose."""

    half: Half
    dice: random.Random
    is_spoken: bool

    def surname(self) -> str:
        return self.dice.choice(self.half.surnames)

    def name(self) -> str:
        if self.dice.random() < 0.05:
            return self.dice.choice(self.half.strangers)
        return self.surname() + self.dice.choice(self.half.given)

    def mobile(self) -> str:
        digits = "1" + self.dice.choice("3456789") + self._digits(9)
        if not self.is_spoken:
            return self._written(digits, (3, 4, 4))
        style = self.dice.random()
        if style < 0.08:  # 一百三十八…
            return f"{_count(digits[:3])}，{self._said(digits[3:7])}，{self._said(digits[7:])}"
        if style < 0.16:  # 三个八
            same = self.dice.choice((3, 4))
            return f"{self._said(digits[:-same])}{PLAIN[same]}个{self._said(digits[-1])}"
        return self._groups(digits, (3, 4, 4))

    def landline(self) -> str:
        code = self.dice.choice(("010", "021", "0571", "0512", "028", "0371", ""))
        local = self.dice.choice("2345678") + self._digits(7)
        if self.is_spoken:
            return self._groups(code + local, (len(code), 4, 4) if code else (4, 4))
        return self.dice.choice((f"{code}-{local}", f"{code}{local}", f"({code}){local}")) if code else local

    def id(self) -> str:
        year, month, day = self.dice.randint(1932, 1990), self.dice.randint(1, 12), self.dice.randint(1, 28)
        body = f"{self.dice.randint(11, 65)}0{self._digits(3)}{year}{month:02}{day:02}{self._digits(3)}"
        check = "10X98765432"[sum(w * int(d) for w, d in zip(WEIGHTS, body, strict=True)) % 11]
        if not self.is_spoken:
            return body + (check if self.dice.random() < 0.8 else check.lower())
        last = self.dice.choice(("艾克斯", "叉")) if check == "X" else self._said(check)
        return self._groups(body[:14], (6, 4, 4)) + "，" + self._said(body[14:]) + last

    def card(self) -> str:
        digits = self.dice.choice(("6222", "6217", "6228", "4367")) + self._digits(self.dice.choice((12, 15)))
        sizes = tuple(min(4, len(digits) - at) for at in range(0, len(digits), 4))
        return self._groups(digits, sizes) if self.is_spoken else self._written(digits, sizes)

    def plate(self) -> str:
        head = self.dice.choice("浙京沪苏粤皖鲁豫川") + self.dice.choice("ABCDEFGH")
        tail = "".join(
            self.dice.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") if self.dice.random() < 0.15 else self._digits(1)
            for _ in range(4)
        ) + self._digits(1)
        if self.is_spoken:
            return head + "".join(self._said(one) if one.isdigit() else one for one in tail)
        energy = self.dice.choice("DF") if self.dice.random() < 0.2 else ""
        return f"{head}{self.dice.choice(('', '·', ' ', ''))}{energy}{tail}"

    def chat(self) -> str:
        if self.dice.random() < 0.4:
            return self.dice.choice("123456789") + self._digits(self.dice.choice((6, 8, 9)))
        return self.dice.choice(("lihua", "wxid_k", "zhang-", "hello", "abc")) + self._digits(4)

    def email(self) -> str:
        name = self.dice.choice(("wang.li", "zhaoxm", "lao_chen", "hz")) + self._digits(3)
        return name + "@" + self.dice.choice(("163.com", "qq.com", "sina.com.cn", "126.com"))

    def address(self) -> str:
        room = f"{self.dice.randint(1, 18)}0{self.dice.randint(1, 4)}"
        said = {
            "n": str(self.dice.randint(1, 68)),
            "u": str(self.dice.randint(1, 6)),
            "floor": str(self.dice.randint(2, 18)),
            "room": room,
        }
        if self.is_spoken:
            said = {name: _count(value) for name, value in said.items()} | {"room": self._said(room)}
        return self.dice.choice(self.half.addresses).format(
            estate=self.dice.choice(self.half.estates),
            road=self.dice.choice(self.half.roads),
            village=self.dice.choice(self.half.villages),
            **said,
        )

    def _digits(self, count: int) -> str:
        return "".join(self.dice.choice("0123456789") for _ in range(count))

    def _written(self, digits: str, sizes: tuple[int, ...]) -> str:
        style = self.dice.random()
        if style < 0.5:
            return digits
        if style < 0.55:
            return digits.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
        return (" " if style < 0.8 else "-").join(_cut(digits, sizes))

    def _said(self, digits: str) -> str:
        """Digit by digit, 1 as 幺 or 一 throughout."""
        table = self.dice.choice((PLAIN, LINE))
        return "".join(table[int(digit)] for digit in digits)

    def _groups(self, digits: str, sizes: tuple[int, ...]) -> str:
        """In groups, with a pause or a filler between them, now and then a group put right."""
        said = [self._said(group) for group in _cut(digits, sizes)]
        style = self.dice.random()
        between = "，" if style < 0.5 else self.dice.choice(self.half.fillers) if style < 0.7 else ""
        if self.dice.random() < 0.12:
            wrong = said[1][:-1] + self.dice.choice(PLAIN.replace(said[1][-1], ""))
            said[1] = f"{wrong}，{self.dice.choice(self.half.corrections)}{said[1]}"
        return between.join(said)


def _cut(digits: str, sizes: tuple[int, ...]) -> Iterator[str]:
    at = 0
    for size in sizes:
        yield digits[at : at + size]
        at += size


def _count(figures: str) -> str:
    said = str(cn2an.an2cn(int(figures), "low"))
    return re.sub("^一十", "十", said)
