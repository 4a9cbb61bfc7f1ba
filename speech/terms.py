"""The words of a Chinese text that one may look for it by, and the pairs of letters in and between them."""

from __future__ import annotations

import re
import unicodedata

import jieba

LONGEST = 20  # characters of one word
# Words so common that they find nothing.
_EMPTY = frozenset("的了是我你他她它们在有和也就都不这那个上下来去说要吗呢吧啊把被给对很到")  # each a word


_HAN = re.compile("([\u3400-\u4dbf\u4e00-\u9fff]+)")


def terms(text: str) -> frozenset[str]:
    """Each word once, and the words inside long words; numbers and Latin words as they stand, in lower case.

    Cut by jieba's dictionary alone: what it doesn't know falls apart into characters, the same way each time.
    """
    jieba.setLogLevel(60)
    words = (word.strip() for word in jieba.cut_for_search(_plain(text), HMM=False))
    return frozenset(word for word in words if len(word) <= LONGEST and word.isalnum() and word not in _EMPTY)


def pairs(text: str) -> frozenset[str]:
    """Each two neighbouring Chinese letters: what part of a word is found by, however a text is cut."""
    runs = _HAN.findall(_plain(text))
    return frozenset(run[at : at + 2] for run in runs for at in range(len(run) - 1))


def apart(question: str) -> tuple[frozenset[str], frozenset[str]]:
    """What a question asks for: words that hold no pair (a number, Latin, one letter alone), and pairs."""
    lonely = (piece for piece in _HAN.split(_plain(question)) if len(piece) == 1 or not _HAN.match(piece))
    return frozenset(word for piece in lonely for word in terms(piece)), pairs(question)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()
