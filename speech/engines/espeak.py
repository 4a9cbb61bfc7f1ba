"""The last fallback: espeak-ng, in a process of its own because of its licence (GPL-3).

Its English is clear; its Mandarin was measured as not understandable and is only better than silence.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from speech.audio import Audio, read_audio
from speech.errors import SpeechError
from speech.synthesize import FEMALE, MALE

PATIENCE_SECONDS = 30
VOICES = {"zh": "sit/cmn", "en": "gmw/en-us"}
WORDS_A_MINUTE = {"zh": 150, "en": 150}


class EspeakSynthesizer:
    """One short-lived process a sentence; it needs no weights."""

    name = "espeak"
    voices = (FEMALE, MALE)

    def __init__(self, models: Path | None = None) -> None:
        del models

    def say(self, text: str, language: str = "zh", voice: str = FEMALE) -> Audio:
        """The sentence at 22.05 kHz; a language it does not know is read as English. Raises SpeechError."""
        if not any(letter.isalnum() for letter in text):
            raise SpeechError("there is nothing to say", permanent=True)
        known = language if language in VOICES else "en"
        kind = VOICES[known] + ("+m3" if voice == MALE else "+f3")
        with tempfile.TemporaryDirectory(prefix="espeak") as folder:
            target = Path(folder) / "said.wav"
            self._run([str(target), kind, str(WORDS_A_MINUTE[known])], text)
            if not target.is_file():
                raise SpeechError("espeak-ng said nothing", permanent=False)
            return read_audio(target)

    def _run(self, arguments: list[str], text: str) -> None:
        command = [sys.executable, "-m", "speech.engines.espeak_process", *arguments]
        try:
            subprocess.run(
                command, input=text.encode(), check=True, capture_output=True, timeout=PATIENCE_SECONDS
            )
        except subprocess.CalledProcessError as error:
            reason = error.stderr.decode(errors="replace").strip().splitlines()
            raise SpeechError(f"espeak-ng failed: {reason[-1:]}", permanent=False) from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SpeechError(f"espeak-ng failed: {error}", permanent=False) from error
