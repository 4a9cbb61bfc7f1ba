"""Run as a program: reads a sentence on standard input and writes it as a WAV file with espeak-ng.

Arguments: the file, the voice, the words a minute.
"""

from __future__ import annotations

import ctypes
import os
import sys

import espeakng_loader
import pyttsx3


def main() -> None:
    """Say standard input into the file that the arguments name."""
    target, voice, pace = sys.argv[1:]
    # pyttsx3 asks for the library by its bare name, which finds the wheel's one once that is loaded.
    os.environ["ESPEAK_DATA_PATH"] = espeakng_loader.get_data_path()
    ctypes.CDLL(espeakng_loader.get_library_path(), mode=ctypes.RTLD_GLOBAL)
    engine = pyttsx3.init("espeak")
    engine.setProperty("voice", voice)
    engine.setProperty("rate", int(pace))
    engine.save_to_file(sys.stdin.buffer.read().decode(), target)
    engine.runAndWait()


if __name__ == "__main__":
    main()
