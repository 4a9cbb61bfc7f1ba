"""How far a transcript is from what was said."""

from __future__ import annotations

import unicodedata


def share_of_wrong_characters(said: str, heard: str) -> float:
    """Edits by character over the characters said; marks do not count."""
    expected, found = _letters(said), _letters(heard)
    row = list(range(len(found) + 1))
    for at, letter in enumerate(expected, 1):
        diagonal, row[0] = row[0], at
        for place, other in enumerate(found, 1):
            diagonal, row[place] = (
                row[place],
                min(row[place] + 1, row[place - 1] + 1, diagonal + (letter != other)),
            )
    return row[-1] / max(1, len(expected))


def _letters(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKC", text) if letter.isalnum())
