"""The bare comparison: stock faster-whisper on the same weights, int8, beam 5, all else as it comes."""

from __future__ import annotations

from pathlib import Path

from faster_whisper import WhisperModel

from speech.audio import Audio, resample

RATE = 16_000


class Plain:
    """faster-whisper without any help: no voice detection, no hints, no repair."""

    def __init__(self, models: Path) -> None:
        folder = str(models / "whisper-base")
        self._model = WhisperModel(folder, device="cpu", compute_type="int8")

    def text(self, audio: Audio) -> str:
        """What it hears."""
        segments, _ = self._model.transcribe(resample(audio, RATE).samples, language="zh", beam_size=5)
        return "".join(segment.text for segment in segments)
