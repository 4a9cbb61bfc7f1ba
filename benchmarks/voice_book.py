"""Every sentence of the Chinese prompt book as a caller hears it: clip after clip, values filled in.

What a community fills in (a topic, a neighbour's words, a receipt) is filled in with what one might say; two
fillings take turns, so that no sentence is judged by one lucky title.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ivr.dialogue.turns import Count, Digits, Line, Text, Value
from ivr.exchange.sentences import SENTENCES
from ivr.prompts.book import Book
from ivr.prompts.pieces import Spoken, pieces
from speech.figures import SAID

FILLINGS: tuple[Mapping[str, Value], ...] = (
    {
        "name": Text("青溪社区"),
        "title": Text("东巷口要不要装路灯"),
        "background": Text("东巷口到菜场有两百米没有路灯，去年冬天有三位老人摔倒。社区想装八盏灯，不收钱。"),
        "option": Text("老粮站"),
        "words": Text("我早上五点去买菜，那段路很黑，希望早点把灯装上。"),
        "reply": Text("三楼的扶手明天上午来修，修好以后给您打电话。"),
        "update": Text("路灯的价钱问过三家了，下个星期贴出来给大家看。"),
        "decision": Text("添六张带靠背的长椅，月底装好。"),
        "text": Text("明天上午九点到十一点停水，请提前接一点水。"),
        "count": Count(12),
        "months": Count(12),
        "number": Digits("057186543210"),
        "receipt": Digits("20481737"),
        "code": Digits("394058"),
    },
    {
        "name": Text("桃源村"),
        "title": Text("老年食堂开在哪里"),
        "background": Text("村里要办老年食堂，午饭十二元一份。有三个地方可以选，请您选一个走着方便的。"),
        "option": Text("活动室一楼"),
        "words": Text("垃圾桶离我家窗户太近了，夏天味道很大，能不能挪远一点。"),
        "reply": Text("垃圾桶已经挪到南门了，每天早上有人来收。"),
        "update": Text("电梯的图纸画好了，这个月二十号开会，请大家来看。"),
        "decision": Text("停车位先来后到，外面的车晚上十点以后不能进。"),
        "text": Text("星期三下午两点，社区请医生来量血压，不要钱。"),
        "count": Count(2),
        "months": Count(6),
        "number": Digits("13812345678"),
        "receipt": Digits("71350962"),
        "code": Digits("610285"),
    },
)  # fmt: skip

DIGITS = frozenset((*SAID.values(), "；"))


@dataclass(frozen=True)
class Heard:
    """One prompt (`name` is its id) as the clips that say it, in order."""

    name: str
    clips: tuple[Spoken, ...]

    @property
    def words(self) -> str:
        """All that is said; a number that is read digit by digit is one row."""
        said = ""
        for before, clip in zip((None, *self.clips), self.clips, strict=False):
            is_one_row = before is not None and DIGITS.issuperset(before.text + clip.text)
            said += ("" if is_one_row or before is None else "，") + clip.text.removesuffix("；")
        return said


def sentences(book: Book) -> Iterator[Heard]:
    """Every prompt in the book's order; those that are a recording and nothing else are left out."""
    for place, prompt in enumerate(book.sentences):
        known = FILLINGS[place % len(FILLINGS)]
        if "sound" not in book.placeholders(prompt):
            yield Heard(prompt, _clips(Line(prompt, known), book))


def spare_sentences() -> Iterator[Heard]:
    """What the exchange says by itself when web is away."""
    for name, words in SENTENCES.items():
        yield Heard(f"exchange.{name}", (Spoken(words),))


def _clips(line: Line, book: Book) -> tuple[Spoken, ...]:
    return tuple(piece for piece in pieces(line, book, {}) if isinstance(piece, Spoken))
