"""One call on the line: sound handed over ahead of its time, keys told at once, a second leg joined to it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ivr.exchange.sip.keys import Keys
from ivr.exchange.sip.stack import KeySource, Leg
from ivr.exchange.sip.tones import ToneEar
from ivr.exchange.sip.wire import say, sound_from_line
from ivr.exchange.sound import BYTES_PER_SECOND, RINGING

AHEAD_BYTES = int(BYTES_PER_SECOND * 0.4)
"""How much the stack is handed ahead of its time: so long may this process be kept from its work."""
EARLY_BYTES = int(BYTES_PER_SECOND * 0.12)
"""A sound is said to be over when so little of it is left: the next one comes in time."""
END_SECONDS = 1.0
"""How long the last words may take; a telephone on hold takes none."""
PIECE_BYTES = BYTES_PER_SECOND // 10
"""What is heard is passed on in pieces of 100 ms."""

Send = Callable[[str | bytes], None]


@dataclass
class Sound:
    """A sound on its way to the caller. `is_whole` once its last piece is here."""

    play: int
    pcm: bytes
    place: int = 0
    is_whole: bool = False


class Telephone:
    """A caller's leg and what the exchange wants of it."""

    def __init__(self, number: int, leg: Leg, send: Send) -> None:
        self.number, self.leg = number, leg
        self.friend: Leg | None = None
        self._send = send
        self._keys, self._ear = Keys(), ToneEar()
        self._sounds: deque[Sound] = deque()
        self._heard = bytearray()
        self._ends_at = 0.0
        self._is_up = self._is_listening = self._is_ringing = self._is_ending = False
        leg.on_key = lambda digit: self._press(digit, "event")
        leg.on_key_over = lambda: self._keys.hold(time.monotonic())
        leg.on_answered = self._answered

    # --- what the exchange says ---
    def play(self, play: int, pcm: bytes, is_whole: bool) -> None:
        """A sound, or one more piece of the last one."""
        if self._sounds and self._sounds[-1].play == play:
            self._sounds[-1].pcm += pcm
        else:
            self._sounds.append(Sound(play, pcm))
        self._sounds[-1].is_whole = is_whole
        self._feed()

    def flush(self) -> None:
        """Fall silent at once."""
        self._sounds.clear()
        self.leg.flush()

    def listen(self, is_listening: bool) -> None:
        """Whether what is heard is wanted."""
        self._is_listening = is_listening
        self._heard.clear()

    def end(self) -> None:
        """Hang up once what was said is heard."""
        self._is_ending = True
        self._ends_at = time.monotonic() + END_SECONDS

    # --- a person ---
    def ring(self) -> None:
        """Let the caller hear that somebody is rung."""
        self._is_ringing = True

    def join(self, friend: Leg | None) -> None:
        """Connect the caller to another leg, or to nobody again."""
        self.flush()
        self._is_ringing = False
        self.friend = friend

    # --- time passes ---
    def pump(self) -> None:
        """Pass on what was heard, and hand over what is to be said; several times a second."""
        if heard := self.leg.read():
            self._hear(heard)
        if self.friend is not None:
            _pass_on(self.friend.read(), self.leg)
        elif self._is_ringing and self.leg.unsent() < AHEAD_BYTES and not self._sounds:
            self._sounds.append(Sound(0, RINGING, is_whole=True))
        self._feed()
        if self._is_ending and (time.monotonic() > self._ends_at or not (self._sounds or self.leg.unsent())):
            self._is_ending = False
            self.leg.hang_up()

    def gone(self) -> None:
        """The caller has hung up, or was not reached: what is left is passed on first."""
        self._hear(self.leg.read())
        self._pass_heard()
        self._send(say("gone", self.number, status="completed" if self._is_up else self.leg.ending))

    def _answered(self) -> None:
        self._is_up = True
        self._send(say("answered", self.number))

    def _feed(self) -> None:
        unsent = self.leg.unsent() if self._sounds else 0
        while self._sounds:
            sound = self._sounds[0]
            room = AHEAD_BYTES - unsent
            if sound.place < len(sound.pcm) and room > 0:
                taken = self.leg.write(sound.pcm[sound.place : sound.place + room])
                sound.place += taken
                unsent += taken
            if sound.place < len(sound.pcm) or not sound.is_whole or unsent > EARLY_BYTES:
                return
            self._sounds.popleft()
            if sound.play:
                self._send(say("played", self.number, play=sound.play))

    def _hear(self, heard: bytes) -> None:
        if self.friend is not None:
            _pass_on(heard, self.friend)
            return
        if not self._keys.has_events:
            for digit in self._ear.hear(heard):
                self._press(digit, "inband")
        if self._is_listening:
            self._heard += heard
            if len(self._heard) >= PIECE_BYTES:
                self._pass_heard()

    def _pass_heard(self) -> None:
        if self._heard:
            self._send(sound_from_line(self.number, bytes(self._heard)))
            self._heard.clear()

    def _press(self, digit: str, source: KeySource) -> None:
        if self._keys.press(digit, source, time.monotonic()) and self.friend is None:
            self._pass_heard()  # what was said before the key comes before it
            self._send(say("key", self.number, key=digit))


def _pass_on(heard: bytes, to: Leg) -> None:
    """Sound of one leg to the other; what comes faster than time is left out."""
    if heard and to.unsent() < AHEAD_BYTES:
        to.write(heard)
