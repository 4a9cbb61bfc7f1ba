"""What the line and the exchange say to each other over one WebSocket: JSON for acts, binary for sound.

| the line says | | the exchange says | |
|---|---|---|---|
| | | `unanswered` | `numbers` to refuse while no exchange is there; `call` is 0 |
| `ready` | it takes calls now, and `dials` or not; `call` is 0 | `place` | call `to`, with `headers` |
| `missed` | while no exchange was there: `from`, `to`, `at`; `call` is 0 | | |
| `ring` | a call: `from`, `to` | `answer` | pick up |
| `ringing` | the telephone that was called rings | `refuse` | `busy` or not |
| `answered` | it is up: sound goes through | `press` | press one `key` |
| `key` | one key has begun | `flush` | fall silent at once |
| `played` | sound number `play` is over, nearly | `listen`, `deaf` | send what is heard, or no more |
| `gone` | the other side has hung up, or (`status`) was not reached | `dial` | ring `number` for `seconds` |
| `dialled` | `status` and `seconds` of a ringing | `hangup` | end the call |

Every one of them names its `call`: a number of the line's for calls that come in, one from `FIRST_PLACED` on,
chosen by the exchange, for calls that are placed. Sound to the line: call, sound number, whether it is the
last piece of it; sound to the exchange: call. All PCM is 8 kHz mono PCM16LE.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any

FIRST_PLACED = 1 << 31
PIECE_BYTES = 1 << 17
MOST_MESSAGE_BYTES = 1 << 18
_TO_LINE, _FROM_LINE = struct.Struct(">IIB"), struct.Struct(">I")


def say(kind: str, call: int, **more: Any) -> str:
    """One act."""
    return json.dumps({"type": kind, "call": call, **more}, ensure_ascii=False)


def said(text: str) -> Mapping[str, Any]:
    """An act that was said; empty when it was none."""
    try:
        given = json.loads(text)
    except ValueError:
        return {}
    return given if isinstance(given, dict) and isinstance(given.get("call"), int) else {}


def sound_to_line(call: int, play: int, pcm: bytes) -> Iterator[bytes]:
    """A sound in pieces that one message holds."""
    for start in range(0, len(pcm), PIECE_BYTES):
        is_last = start + PIECE_BYTES >= len(pcm)
        yield _TO_LINE.pack(call, play, is_last) + pcm[start : start + PIECE_BYTES]


def read_to_line(message: bytes) -> tuple[int, int, bool, bytes]:
    """Call, sound number, whether this is its last piece, the piece."""
    call, play, is_last = _TO_LINE.unpack_from(message)
    return call, play, bool(is_last), message[_TO_LINE.size :]


def sound_from_line(call: int, pcm: bytes) -> bytes:
    """What was heard on a call."""
    return _FROM_LINE.pack(call) + pcm


def read_from_line(message: bytes) -> tuple[int, bytes]:
    """Call, and what was heard."""
    return _FROM_LINE.unpack_from(message)[0], message[_FROM_LINE.size :]
