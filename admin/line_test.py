"""`tingjian line test`: calls the line as a telephone of its own, over real SIP, and tells what it heard."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import dataclass

import numpy as np
from rich.console import Console

from admin.health import told_by_exchange
from admin.line_choice import LineChoice
from admin.parts import open_clips, open_recognizer
from admin.settings import Settings
from ivr.exchange.sip.baresip_stack import BaresipStack
from ivr.exchange.sip.settings import LineSettings
from ivr.exchange.sip.stack import Leg, StackError
from ivr.exchange.sound import RATE, decode
from ivr.prompts.clips import ClipStore
from speech.audio import Audio
from speech.errors import SpeechError
from sync.archive import Archive

ANSWER_SECONDS = 20.0
LISTEN_SECONDS = 0.04
SAME = 0.9
"""Correlation from which a piece of sound is a clip; G.711 there and back leaves 0.99 of it."""
TEMPLATE_SECONDS = 2.0
QUIET = 0.002
SLACK = 0.05
RTP_PORTS_ASIDE = 200


class LineTestError(Exception):
    """The line did not take the call."""


@dataclass(frozen=True)
class Found:
    """A clip heard at a moment (seconds from the answer), and how like itself it was (0–1)."""

    at: float
    caption: str
    likeness: float


async def call_myself(
    settings: Settings, archive: Archive, dialled: str, seconds: float, out: Console
) -> bool:
    """Call, listen, hang up, tell. False when nothing was heard. Raises LineTestError."""
    choice = settings.line
    if choice is None:
        raise LineTestError("TINGJIAN_SIP is off")
    answered, heard = await _listen(choice, dialled, seconds)
    sound = np.frombuffer(heard, "<i2").astype(np.float32) / 32768
    loud = float(np.sqrt(np.mean(np.square(sound)))) if len(sound) else 0.0
    out.print(
        f"· 接通 · answered after {answered:.2f} s; {len(sound) / RATE:.1f} s of sound, level {loud:.3f}"
    )
    if loud < QUIET:
        return False
    found = clips_in(sound, open_clips(settings, archive))
    for one in found:
        out.print(f"· {one.at:5.1f} s  {one.caption}  （{one.likeness:.0%}）", soft_wrap=True)
    if not found:
        out.print("· 没有一句是预先合成的 · no prompt that was rendered ahead")
    out.print(f"· 听写 · heard in words: {_words(settings, sound)}", soft_wrap=True)
    out.print(f"· 往外打 · calls out: {_way_out(settings, choice)}", soft_wrap=True)
    return True


def _way_out(settings: Settings, choice: LineChoice) -> str:
    """Whether the line could call somebody now; nobody is called for a test."""
    if not choice.out:
        return "不能：没有设 TINGJIAN_SIP_OUT · none"
    is_ready = bool(told_by_exchange(settings).get("dials"))
    return f"经 {choice.out} · {'ready' if is_ready else 'the exchange has no line that calls out'}"


async def _listen(choice: LineChoice, dialled: str, seconds: float) -> tuple[float, bytes]:
    """Seconds to the answer, and the sound heard."""
    stack = BaresipStack(_telephone(choice))
    try:
        await stack.start(lambda leg: leg.refuse(is_busy=True))
    except StackError as error:
        raise LineTestError(str(error)) from error
    try:
        near = "127.0.0.1" if choice.host == "0.0.0.0" else choice.host
        leg, began = await stack.dial(f"sip:{dialled}@{near}:{choice.port}"), time.monotonic()
        await _answer(leg)
        answered = time.monotonic() - began
        heard = await _hear(leg, seconds)
        leg.hang_up()
        await asyncio.sleep(0.3)
        return answered, heard
    finally:
        await stack.close()


async def _answer(leg: Leg) -> None:
    answered, over = asyncio.Event(), asyncio.Event()
    leg.on_answered, leg.on_over = answered.set, over.set
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            while not answered.is_set():
                if leg.is_over:
                    raise LineTestError(f"the call was refused ({leg.ending})")
                await asyncio.sleep(LISTEN_SECONDS)
    except TimeoutError as error:
        raise LineTestError("nothing answers there: is tingjian run running?") from error


async def _hear(leg: Leg, seconds: float) -> bytes:
    heard = bytearray()
    until = time.monotonic() + seconds
    while time.monotonic() < until and not leg.is_over:
        heard += leg.read()
        await asyncio.sleep(LISTEN_SECONDS)
    return bytes(heard)


def _telephone(choice: LineChoice) -> LineSettings:
    """A telephone on this machine that calls from a withheld number; its sound far from the line's ports."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    first = choice.rtp_ports[1] + 1 if choice.rtp_ports[1] < 65000 else 1024
    host = "127.0.0.1" if choice.host in ("0.0.0.0", "127.0.0.1") else choice.host
    return LineSettings(
        exchange="",
        token="",
        host=host,
        port=port,
        rtp_ports=(first, first + RTP_PORTS_ASIDE),
        user="anonymous",
    )


def clips_in(sound: np.ndarray, clips: ClipStore) -> list[Found]:
    """The clips heard in a sound (8 kHz, -1 to 1), in their order; of overlapping ones the longest."""
    found: list[tuple[float, Found]] = []
    for name in clips.names():
        if clips.is_personal(name):
            continue
        clip = np.frombuffer(decode(clips.path(name).read_bytes()), "<i2").astype(np.float32) / 32768
        at, likeness = place_of(clip[: int(TEMPLATE_SECONDS * RATE)], sound)
        if likeness >= SAME:
            found.append((len(clip) / RATE, Found(at / RATE, clips.caption(name), likeness)))
    kept: list[tuple[float, Found]] = []
    for seconds, one in sorted(found, key=lambda each: each[0], reverse=True):
        if not any(other.at - SLACK <= one.at < other.at + length - SLACK for length, other in kept):
            kept.append((seconds, one))
    return sorted((one for _, one in kept), key=lambda one: one.at)


def place_of(piece: np.ndarray, sound: np.ndarray) -> tuple[int, float]:
    """Where a piece is most like the sound (in samples), and how like (normalised correlation, 0–1)."""
    size, length = len(piece), len(sound)
    if size < RATE // 4 or size > length or not np.any(piece):
        return 0, 0.0
    span = 1 << (size + length - 1).bit_length()
    product = np.fft.rfft(sound, span) * np.conj(np.fft.rfft(piece, span))
    matches = np.fft.irfft(product, span)[: length - size + 1]
    powers = np.concatenate([[0.0], np.cumsum(np.square(sound, dtype=np.float64))])
    energies = np.maximum(powers[size:] - powers[:-size], 1e-6 * size)
    likeness = matches / np.sqrt(energies * float(np.sum(np.square(piece, dtype=np.float64))))
    place = int(likeness.argmax())
    return place, float(likeness[place])


def _words(settings: Settings, sound: np.ndarray) -> str:
    try:
        return open_recognizer(settings).transcribe(Audio(sound, RATE), "zh").text
    except SpeechError as error:
        return f"（{error}）"
