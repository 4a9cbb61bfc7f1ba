"""Runs of figures in a text, written or said: digit by digit, in groups, misheard, broken off, put right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import cn2an

from speech.syllables import codes, heard, syllable_number

FIGURES = {
    **dict(zip("０１２３４５６７８９", "0123456789", strict=True)),
    **dict(zip("零〇洞一幺二两俩三四五六七拐八九勾", "00011222345677899", strict=True)),
}
# How digits sound; a recognizer writes other characters of the same sound for them (blurred: shi is si).
SOUNDS = dict(
    zip(
        ("lin", "yi", "yao", "er", "san", "si", "wu", "wo", "liu", "qi", "ba", "jiu"),
        "011234556789",
        strict=True,
    )
)
SCALES = "十百千"
SEPARATORS = " -－—–~,，、.·/+＋()（）:："
PARTICLES = "啊嗯呃哎哦呀唉诶噢再"
FILLERS = re.compile(
    "[然人认任让][后候厚]呢?是?|后面是?|后头是?|接着是?|那个|空格|横杠|短杠|杠|分机号?|减号?|就是|还有"
)
PUT_RIGHT = re.compile(
    "(?:哦|啊|呃)?(?:不对|不是|说错了?|讲错了?|念错了?|错了|记错了?|哦不|噢不|更正|重说|重来)了?[，,。 ]{0,2}"
    "(?:应该|应当|我?再说(?:一遍)?|再来)?[，, ]?是?"
)
WRITTEN_DATE = re.compile(
    r"(?<!\d)(?<!\d[-－— ])(?:19|20)\d\d[-./—](?:0?[1-9]|1[0-2])(?:[-./—](?:3[01]|[12]\d|0?[1-9]))?(?!\d)"
    r"|(?<!\d)(?<!\d[-－— ])(?:19|20)\d\d[-—~－至到](?:19|20)\d\d(?!\d)"
    r"|(?<!\d)(?:19|20)\d\d年(?:\d{1,2}月?)?(?:[.]\d{1,2})?|[A-Za-z]{2}/?T?\s?\d{3,5}[-—]\d{4}(?!\d)"
    r"|[(（\[〔【［](?:19|20)\d\d[)）\]〕】］]|(?<![\d.，, ])\d{1,3}(?:\.\d{1,3}){3}(?![\d.，,])"
    r"|(?<!\d)(?:2[0-4]|1\d|0?\d)[:：][0-5]\d(?!\d)"
)
# What is heard for a digit on a bad line; it counts only where nearly all around it are digits.
NEAR = re.findall("[a-z]+", "you ya yue e lian lun sa ci hu lu lou ji xi qu bai pa qiu jie ju len en")
COUNTED = frozenset("年楼路级米里户号月日元块几个届亩类及记即可以")
LATIN = {**dict.fromkeys("iIlL|", "1"), **dict.fromkeys("oO", "0")}
# The shape of a text has one letter for each of its characters: d a digit, h sounds like one, q nearly,
# k ten or more, s a mark, f a filler, c words that take back, g 个 (三个八), x anything else.
RUN = re.compile("d(?:[dk]|g[dh]|h{1,3}(?=[sf]{0,3}(?:h?d|c{2}))|[sf]{1,4}(?=h?d)|s?c{2,}s?(?=h?d))*")
# One or two doubtful letters with two digits on one side and one on the other.
NEARLY = re.compile(
    "(?<=dd)[qh]{1,2}[sf]?[qh]?(?=dd)|(?<=dd)[qh]{1,2}(?=[sf]?d)|(?<=d)[qh]{1,3}(?=dd)|(?<=ds)q(?=d)|q(?=d[sd]d)"
)
# A letter or two that a recognizer put between figures, or that it wrote for some.
ENDING = frozenset("。！？；!?;")
GAP = re.compile("(?<=[dh])[sf]{0,2}[xqk]{1,2}[sf]{0,2}(?=h{0,2}d)")
# No gap begins with what counts.
NO_GAP = COUNTED | frozenset("号栋幢座弄室层组村单天岁人次转到至的和又")
_SPELLED = {"一": 1, "两": 2, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6}


@dataclass(frozen=True)
class Run:
    """Figures that follow one another: where, their digits as far as they can be told, how they were said.

    `letters`: how many characters stand for a digit; `misheard` of them only sound like one.
    """

    start: int
    end: int
    digits: str
    letters: int
    groups: tuple[int, ...]
    misheard: int
    has_scales: bool
    is_list: bool


class _Shapes(dict[int, str]):
    """By code point: the letter of a character's shape; each is found out once."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        if figure(letter):
            shape = "d"
        elif letter in SCALES:
            shape = "k"
        elif letter in SEPARATORS:
            shape = "s"
        elif letter in PARTICLES:
            shape = "f"
        elif letter == "个":
            shape = "g"
        else:
            shape = "h" if sounding(letter) else "q" if _is_near(letter) else "x"
        self[code] = shape
        return shape


_shapes = _Shapes()
_sounds: dict[str, str] = {}


def figure(letter: str) -> str:
    """The digit that a character is; "" for any other."""
    return letter if letter.isascii() and letter.isdigit() else FIGURES.get(letter, "")


def _is_near(letter: str) -> bool:
    return letter in LATIN or (letter not in COUNTED and int(heard(codes(letter))[0]) in _near_numbers())


@cache
def _near_numbers() -> frozenset[int]:
    return frozenset(number for sound in NEAR if (number := syllable_number(sound)))


def sounding(letter: str) -> str:
    """The digit that a Chinese character sounds like; "" for any other."""
    if letter not in _sounds:
        number = int(heard(codes(letter))[0])
        found = (digit for sound, digit in SOUNDS.items() if syllable_number(sound) == number)
        _sounds[letter] = next(found, "") if "\u4e00" <= letter <= "\u9fff" else ""
    return _sounds[letter]


def letter_shapes(text: str) -> str:
    """One letter for each character of the text, taken alone (see RUN)."""
    return text.translate(_shapes)


def shape_of(text: str) -> str:
    """One letter for each character of the text (see RUN); written dates and times count as no figures."""
    shape = letter_shapes(text)
    shape = NEARLY.sub(lambda match: match[0].replace("q", "h"), shape)
    letters = list(shape)
    for pattern, sign in ((WRITTEN_DATE, "x"), (PUT_RIGHT, "c"), (FILLERS, "f")):
        for match in pattern.finditer(text):
            if sign == "x" or "d" not in shape[match.start() : match.end()]:
                letters[match.start() : match.end()] = sign * len(match[0])
    return "".join(letters)


def bridged(text: str, shape: str) -> str:
    """The shape with letters as fillers that stand between figures as if some had been misheard."""
    letters = list(shape)
    for gap in GAP.finditer(shape):
        if text[gap.start()] not in NO_GAP and not ENDING.intersection(text[gap.start() : gap.end()]):
            letters[gap.start() : gap.end()] = "f" * len(gap[0])
    return "".join(letters)


def runs(text: str, shape: str) -> Iterator[Run]:
    """All runs of figures in a text of this shape, from left to right; they don't overlap."""
    for match in RUN.finditer(shape):
        yield read(text, shape, match.start(), match.end())


def read(text: str, shape: str, start: int, end: int) -> Run:
    """The run from `start` up to `end`. Words that take back undo as many digits as are said after them."""
    said, groups, is_corrected = "", [], False
    for part in re.finditer("[dhkg]+|c+", shape[start:end]):
        if part[0][0] == "c":
            is_corrected = True
            continue
        first, last = start + part.start(), start + part.end()
        digits = _digits(text[first:last], shape[first:last])
        if is_corrected:
            said, is_corrected = said[: -len(digits)], False
        said += digits
        groups.append(len(digits))
    own = shape[start:end]
    letters = own.count("d") + own.count("h")
    return Run(start, end, said, letters, tuple(groups), own.count("h"), "k" in own, "、" in text[start:end])


def _said(letter: str) -> str:
    """The digit that a character stands for, 十 for a misheard 四; "" for none."""
    return (figure(letter) or sounding(letter) or ("4" if letter == "十" else "")) if letter else ""


def _digits(text: str, shape: str) -> str:
    """The digits of one group: 一三八, 一百三十八, 三个八."""
    if "k" in shape:
        try:
            return str(int(cn2an.cn2an(text.replace("幺", "一"), "smart")))
        except (ValueError, KeyError):
            pass  # said so, it is no number: 十 was misheard for 四
    digits = ""
    for at, letter in enumerate(text):
        if letter == "个":
            times = _SPELLED.get(text[at - 1]) or int(figure(text[at - 1]) or 1)
            digits = digits[:-1] + _said(text[at + 1 : at + 2]) * max(0, times - 1)
        else:
            digits += _said(letter)
    return digits
