"""A transcription worker that never rests, beside the calls: the engine that is set, as nice as ours."""

from __future__ import annotations

import os

import numpy as np

from admin.parts import open_recognizer
from admin.settings import Settings
from admin.supervised import end_with_supervisor
from ivr.exchange.sentences import espeak
from ivr.exchange.sound import RATE
from speech.audio import Audio

NICENESS = 10
"""As `sync.worker` makes itself."""
WORDS = "楼道里的灯坏了好几天，晚上看不见路，希望早点修好。" * 5


def main() -> None:
    """Transcribe the same half minute until SIGTERM; a line is printed when the engine is warm."""
    os.nice(NICENESS)
    engine = open_recognizer(Settings.from_environment())
    audio = Audio(np.frombuffer(espeak(WORDS, "zh"), "<i2").astype(np.float32) / 32768, RATE)
    engine.transcribe(audio, "zh")
    print("warm", flush=True)
    while True:
        engine.transcribe(audio, "zh")


if __name__ == "__main__":
    end_with_supervisor()
    main()
