"""Run as a program: reads a sentence on standard input and writes it as a WAV file with espeak-ng.

Arguments: the file, the voice, the words a minute. The library is driven directly and synchronously: through
pyttsx3 one sentence in about ten came out empty on a busy machine.
"""

from __future__ import annotations

import ctypes
import sys
import wave

import espeakng_loader

_RETRIEVAL = 1  # sound goes to the callback, never to a sound card
_RATE = 1
_UTF8 = 1
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def main() -> None:
    """Say standard input into the file that the arguments name."""
    target, voice, pace = sys.argv[1:]
    sound, rate = say(sys.stdin.buffer.read(), voice.encode(), int(pace))
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(sound)


def say(text: bytes, voice: bytes, pace: int) -> tuple[bytes, int]:
    """UTF-8 `text` as PCM16 in this machine's byte order, and its rate in Hz. Raises RuntimeError."""
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = int(library.espeak_Initialize(_RETRIEVAL, 0, espeakng_loader.get_data_path().encode(), 0))
    if rate <= 0:
        raise RuntimeError("espeak-ng does not start")
    pieces: list[bytes] = []

    def take(samples: ctypes._Pointer[ctypes.c_short], count: int, _: int | None) -> int:
        if samples and count > 0:
            pieces.append(ctypes.string_at(samples, count * 2))
        return 0

    callback = _CALLBACK(take)  # kept until the end: the library holds no reference to it
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(voice) != 0:
        raise RuntimeError(f"espeak-ng has no voice {voice.decode()}")
    library.espeak_SetParameter(_RATE, pace, 0)
    size = ctypes.c_size_t(len(text) + 1)
    if library.espeak_Synth(text, size, 0, 1, 0, _UTF8, None, None) != 0:
        raise RuntimeError("espeak-ng says nothing")
    library.espeak_Synchronize()
    return b"".join(pieces), rate


if __name__ == "__main__":
    main()
