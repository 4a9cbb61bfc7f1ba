"""The words of a Chinese text that one may look for it by."""

from __future__ import annotations

import unicodedata

import jieba

LONGEST = 20  # characters of one word
# Words so common that they find nothing.
_EMPTY = frozenset("的了是我你他她它们在有和也就都不这那个上下来去说要吗呢吧啊把被给对很到")  # each a word


def terms(text: str) -> frozenset[str]:
    """Each word once, and the words inside long words; numbers and Latin words as they stand, in lower case.

    Cut by jieba's dictionary alone: what it doesn't know falls apart into characters, the same way each time.
    """
    jieba.setLogLevel(60)
    plain = unicodedata.normalize("NFKC", text).lower()
    words = (word.strip() for word in jieba.cut_for_search(plain, HMM=False))
    return frozenset(word for word in words if len(word) <= LONGEST and word.isalnum() and word not in _EMPTY)
