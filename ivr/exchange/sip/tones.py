"""Hears keys as tones in the sound of a call (ITU-T Q.23, Q.24), where a gateway sends them no other way."""

from __future__ import annotations

import numpy as np

from ivr.exchange.sound import RATE

ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
KEYS = ("123A", "456B", "789C", "*0#D")
NOT_ON_TELEPHONES = "ABCD"
BLOCK, STEP = 204, 102
"""Samples: blocks of 25.5 ms, in which the eight frequencies fall apart best at 8 kHz, each half new."""
QUIETEST = 0.0004
"""Mean square of a block, of full scale, below which nothing is a key."""
PURE = 0.5
"""The share of a block's power that its two tones must have; a voice spreads over its overtones."""
MOST_ROW, MOST_COLUMN = 10**0.9, 10**0.9
"""How much stronger one tone may be than the other: 9 dB either way."""
APART = 6.0
"""How much stronger than its neighbours in the group a tone must be."""

_TIMES = np.arange(BLOCK) / RATE
_WAVES = np.exp(-2j * np.pi * np.outer(_TIMES, (*ROWS, *COLUMNS))).astype(np.complex64)


class ToneEar:
    """Feed it a call's sound; it says which keys began. A key lasts two blocks (38 ms) at least, as does the
    pause after it.
    """

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.float32)
        self._run, self._last, self._told = 0, "", ""

    def hear(self, pcm: bytes) -> str:
        """The keys that were recognised in this piece, in order; '' mostly."""
        sound = np.concatenate([self._rest, np.frombuffer(pcm, "<i2").astype(np.float32) / 32768])
        count = max(0, (len(sound) - BLOCK) // STEP + 1)
        self._rest = sound[count * STEP :]
        if not count:
            return ""
        blocks = np.lib.stride_tricks.sliding_window_view(sound, BLOCK)[::STEP]
        loud = np.square(blocks).mean(axis=1)
        if loud.max() < QUIETEST:
            return "".join(self._block("") for _ in range(count))
        powers = np.square(np.abs(blocks @ _WAVES)) * (2 / BLOCK**2)
        return "".join(self._block(_key(*one)) for one in zip(powers, loud, strict=True))

    def _block(self, key: str) -> str:
        self._run = self._run + 1 if key == self._last else 1
        self._last = key
        if self._run < 2:
            return ""
        if not key:
            self._told = ""
        elif key != self._told:
            self._told = key
            return key
        return ""


def _key(powers: np.ndarray, loud: float) -> str:
    """The key whose two tones make up this block; '' when they do not."""
    rows, columns = powers[:4], powers[4:]
    row, column = int(rows.argmax()), int(columns.argmax())
    low, high = float(rows[row]), float(columns[column])
    if loud < QUIETEST or low + high < PURE * loud:
        return ""
    if low > high * MOST_ROW or high > low * MOST_COLUMN:
        return ""
    key = KEYS[row][column]
    if key in NOT_ON_TELEPHONES:
        return ""
    others = max(np.delete(rows, row).max() / low, np.delete(columns, column).max() / high)
    return key if others * APART < 1 else ""
