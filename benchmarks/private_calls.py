"""Sentences said by our own voices, heard over the telephone by our own recognizer; both kept in a folder."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from benchmarks.private_sentences import Sentence
from speech.audio import Audio, read_audio, write_phone_wav
from speech.channel import phone
from speech.pacing import speak
from speech.recognize import Recognizer, Transcript, Word, load_recognizer
from speech.synthesize import Synthesizer, load_synthesizer

VOICES = ("zf_xiaobei", "zm_yunxi", "zf_xiaoxiao")
FOLDER = Path(__file__).parents[1] / "var" / "benchmarks" / "private"


@dataclass(frozen=True)
class Heard:
    """A sentence, its sound as it came over the line, and what the recognizer made of it."""

    sentence: Sentence
    sound: Audio
    transcript: Transcript


def call(sentence: Sentence, number: int) -> Heard:
    """Say a sentence, the voices in turn, and recognise it. What was said or heard before is read again."""
    sound = _said(sentence.said, VOICES[number % len(VOICES)])
    return Heard(sentence, sound, recognised(sound))


def recognised(sound: Audio) -> Transcript:
    """The words in a sound of the telephone."""
    name = hashlib.sha256(_engine_name().encode() + sound.samples.tobytes()).hexdigest()[:24]
    kept = FOLDER / f"{name}.json"
    if not kept.exists():
        _write(kept, json.dumps(asdict(_recognizer().transcribe(sound)), ensure_ascii=False).encode())
    told = json.loads(kept.read_bytes())
    words = tuple(Word(**word) for word in told["words"])
    return Transcript(**told | {"words": words, "others": tuple(told["others"])})


def _said(text: str, voice: str) -> Audio:
    kept = FOLDER / f"{hashlib.sha256(f'{voice}:{text}'.encode()).hexdigest()[:24]}.wav"
    if not kept.exists():
        _write(kept, write_phone_wav(phone(speak(text, _synthesizer(), voice))))
    return read_audio(kept.read_bytes())


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    half.write_bytes(content)
    half.rename(path)


def _engine_name() -> str:
    """A recognizer that was changed hears everything anew."""
    folder = Path(__file__).parents[1] / "speech"
    engine = sorted((folder / "engines").glob("whisper*.py"))
    sources = (*engine, folder / "voice_activity.py", folder / "punctuate.py")
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()


@cache
def _recognizer() -> Recognizer:
    return load_recognizer()


@cache
def _synthesizer() -> Synthesizer:
    return load_synthesizer()
