"""What the phone hears when something of ours is broken: a kind sentence and a way on, never an error."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlencode
from xml.sax.saxutils import quoteattr

import numpy as np

from ivr.arrivals import Manner
from ivr.dialogue.turns import Line, Text
from ivr.web.reached import CARRIED
from ivr.web.twiml import TwimlRenderer
from speech.audio import Audio, write_phone_wav

log = logging.getLogger(__name__)

MOST_WAITS = 5
WAIT_CLIP = "wait"
ANYBODY, SORRY, THERE_SECONDS = "placed.anybody", "placed.goodbye", 6
WAIT, GOODBYE, UNKNOWN_NUMBER = "trouble.wait", "trouble.goodbye", "trouble.unknown_number"
_WAIT_SECONDS = 5.0
_RATE = 8000


class Patience:
    """Documents for moments in which no turn can be answered."""

    def __init__(self, renderer: TwimlRenderer, public_base_url: str) -> None:
        self._renderer = renderer
        self._base = public_base_url.rstrip("/")

    def ask_again(self, path: str, values: Mapping[str, str], manner: Manner) -> str:
        """Wait a little and ask the same again, with what the caller had given; after five times, goodbye."""
        waits = _count(values.get("again", ""))
        if waits >= MOST_WAITS:
            return self.goodbye(GOODBYE, manner)
        carried = {name: values[name] for name in CARRIED if values.get(name)}
        following = f"{self._base}{path}?{urlencode({**carried, 'again': waits + 1})}"
        wait = f"<Play>{self._base}/media/{WAIT_CLIP}.wav</Play>"
        said = self._renderer.sentence(WAIT, manner) if waits % 2 == 0 else ""
        return self._renderer.document(said + wait + self._renderer.redirect(following))

    def goodbye(self, prompt: str, manner: Manner) -> str:
        """One sentence and the end of the call."""
        return self._renderer.document(self._renderer.sentence(prompt, manner) + "<Hangup/>")

    def who_is_there(self, path: str, name: str, manner: Manner) -> str:
        """Say who calls and nothing else, twice, and go on at `path` once a key is pressed.

        It may be a mailbox, or a child: what the call is about is for whoever presses the key.
        """
        action = quoteattr(f"{self._base}{path}")
        keys = f'numDigits="1" timeout="{THERE_SECONDS}" finishOnKey=""'
        gather = f'<Gather input="dtmf" {keys} action={action} method="POST">'
        asked = (
            self._renderer.spoken([Line(ANYBODY, {"name": Text(name)}, is_slow)], manner, {})
            for is_slow in (False, True)
        )
        body = "".join(f"{gather}{each}</Gather>" for each in asked)
        return self._renderer.document(f"{body}{self._renderer.sentence(SORRY, manner)}<Hangup/>")

    def lead_on(self, sid: str, n: int) -> str:
        """Straight to turn `n`, as if nothing had been heard."""
        return self._renderer.document(self._renderer.redirect(self._renderer.turn_url(sid, n, silence=1)))

    def refuse(self) -> str:
        """The call is not taken, and so costs nothing."""
        return self._renderer.document('<Reject reason="busy"/>')

    def hang_up(self) -> str:
        """Not a word: nobody listens there."""
        return self._renderer.document("<Hangup/>")

    def start_anew(self) -> str:
        """Straight to the first document: this call is not in the records."""
        return self._renderer.document(self._renderer.redirect(f"{self._base}/calls"))


@lru_cache(maxsize=1)
def wait_sound() -> bytes:
    """Five seconds of two soft tones, far apart: the line is alive, somebody is busy. 8 kHz A-law WAV."""
    moments = np.arange(int(_WAIT_SECONDS * _RATE)) / _RATE
    beat = moments % (_WAIT_SECONDS / 2)
    wave = 0.12 * np.sin(2 * np.pi * 440.0 * beat) * np.exp(-beat / 0.25)
    return write_phone_wav(Audio(wave.astype(np.float32), _RATE))


def log_problem(error: Exception, sid: str) -> None:
    """What went wrong and where, with ids only: messages of errors may hold numbers or words."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    log.error("call %s: %s at %s:%s", sid, type(error).__name__, frame.filename, frame.lineno)


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
