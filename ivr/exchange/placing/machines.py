"""Who has picked up: a person says a short hello and waits, a machine talks on, beeps or sounds a tone.

The times are those Twilio names for MachineDetectionSpeechThreshold, …SpeechEndThreshold and
…SilenceTimeout. The tones are China's (GB/T 3380: ring-back and busy 450 Hz) and those of fax machines
(ITU-T T.30: CNG 1100 Hz, CED 2100 Hz). A gateway on an analogue line answers before anybody has picked up:
its ring-back tone is heard within the call, and is waited through.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from ivr.exchange.ear import Ear
from ivr.exchange.sound import RATE

Answered = Literal["human", "machine_start", "fax", "unknown"]

SPEECH_SECONDS = 2.4
"""Who talks longer at a stretch is a machine."""
PAUSE_SECONDS = 1.2
"""A pause so long ends a stretch: now it is our turn."""
SILENCE_SECONDS = 5.0
"""Nothing at all for so long: nobody can tell."""
LEAST_SECONDS = 0.1
"""What is shorter is a click."""
BEEP_SECONDS, FAX_SECONDS = 0.16, 0.4
"""How long a tone must sound to be one; a fax calls for half a second at a time."""
RINGING_SECONDS = 0.8
"""A ring-back tone sounds 1 s, a busy tone at most 0.7 s."""
MOST_BUSY = 3
"""Short tones of that kind; one more, and a machine is busy."""

BLOCK = RATE // 25
BLOCK_SECONDS = BLOCK / RATE
QUIET = 0.003
"""Root mean square, of full scale, below which no tone is looked for."""
PURE = 0.9
"""The share of a block's power within 2 bins of its strongest; a vowel spreads over its overtones."""
CALLING = range(400, 501)
LOWEST_BEEP = 600
"""Hz: below it a pure tone may as well be a hum."""
FAX = (1100, 2100)
FAX_APART = 30

_WINDOW = np.hanning(BLOCK).astype(np.float32)


class AnswerEar:
    """Feed it a call's sound from the moment it is up; `verdict` is '' until it knows."""

    def __init__(self) -> None:
        self.verdict: Answered | Literal[""] = ""
        self._ear = Ear()
        self._rest = np.zeros(0, np.float32)
        self._now = self._quiet_since = 0.0
        self._stretch_began = self._stretch_ended = -1.0
        self._voiced = 0.0
        self._tone, self._tone_seconds = 0, 0.0
        self._busy = 0
        self._has_rung = False

    def hear(self, pcm: bytes) -> None:
        """Some more sound."""
        sound = np.concatenate([self._rest, np.frombuffer(pcm, "<i2").astype(np.float32) / 32768])
        count = len(sound) // BLOCK
        self._rest = sound[count * BLOCK :]
        for block in sound[: count * BLOCK].reshape(count, BLOCK):
            if not self.verdict:
                self._block(block)

    def rest(self, seconds: float) -> None:
        """Nothing came for so long: silence."""
        self.hear(bytes(round(seconds * RATE) * 2))

    def give_up(self) -> Answered:
        """What is known when the time is over. What has only rung is no person."""
        self.verdict = self.verdict or ("machine_start" if self._has_rung or self._busy else "unknown")
        return self.verdict

    def _block(self, block: np.ndarray) -> None:
        self._now += BLOCK_SECONDS
        hertz = _pure(block)
        if hertz in CALLING or hertz >= LOWEST_BEEP:
            self._sounding(hertz)
            return
        if self._tone:
            self._tone_over()
        voiced = self._ear.voiced_seconds
        self._ear.hear((block * 32767).astype("<i2").tobytes())
        if self._ear.voiced_seconds > voiced:
            self._speaking(self._ear.voiced_seconds - voiced)
        else:
            self._silent()

    def _speaking(self, seconds: float) -> None:
        if self._stretch_began < 0:
            self._stretch_began = self._now - BLOCK_SECONDS
        self._voiced += seconds
        self._stretch_ended = self._now
        if self._stretch_ended - self._stretch_began >= SPEECH_SECONDS:
            self.verdict = "machine_start"

    def _silent(self) -> None:
        if self._stretch_began < 0:
            if self._now - self._quiet_since >= SILENCE_SECONDS:
                self.verdict = "machine_start" if self._busy or self._has_rung else "unknown"
        elif self._now - self._stretch_ended >= PAUSE_SECONDS:
            if self._voiced >= LEAST_SECONDS:
                self.verdict = "human"
            self._stretch_began, self._voiced = -1.0, 0.0

    # --- tones ---
    def _sounding(self, hertz: int) -> None:
        self._quiet_since = self._now
        if abs(hertz - self._tone) > FAX_APART:
            self._tone, self._tone_seconds = hertz, 0.0
        self._tone_seconds += BLOCK_SECONDS
        if any(abs(hertz - fax) <= FAX_APART for fax in FAX):
            if self._tone_seconds >= FAX_SECONDS:
                self.verdict = "fax"
        elif hertz not in CALLING and self._tone_seconds >= BEEP_SECONDS:
            self.verdict = "machine_start"

    def _tone_over(self) -> None:
        """A ring waits; several short tones of the same kind are a busy signal."""
        if self._tone in CALLING:
            self._has_rung = self._has_rung or self._tone_seconds >= RINGING_SECONDS
            self._busy += BEEP_SECONDS <= self._tone_seconds < RINGING_SECONDS
            if self._busy > MOST_BUSY:
                self.verdict = "machine_start"
        self._tone, self._tone_seconds = 0, 0.0


def _pure(block: np.ndarray) -> int:
    """The frequency of a block that is one tone, in Hz; 0 for anything else."""
    if float(np.sqrt(np.mean(np.square(block)))) < QUIET:
        return 0
    powers = np.square(np.abs(np.fft.rfft(block * _WINDOW)))
    powers[0] = 0.0
    at = int(powers.argmax())
    near = powers[max(0, at - 2) : at + 3]
    if float(near.sum()) < PURE * float(powers.sum()):
        return 0
    places = np.arange(max(0, at - 2), at + 3)[: len(near)]
    return round(float(np.sum(places * near) / near.sum()) * RATE / BLOCK)
