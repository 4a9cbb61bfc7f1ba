"""Sound from words: the contract of a synthesizer, and which engines there are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

from speech.audio import Audio
from speech.engines import engine_class
from speech.models import models_folder

if TYPE_CHECKING:
    from speech.pronounce import Pronunciations  # dictionaries that only an engine needs

SINGLE_VOICES = ("zf_xiaobei", "zf_xiaoxiao", "zm_yunxi", "zm_yunjian")
FEMALE = "zf_xiaobei+zf_xiaoxiao"  # half of each: understood better over a telephone than either by itself
MALE = "zm_yunxi+zm_yunjian"
VOICES = {"female": FEMALE, "male": MALE, **{voice: voice for voice in (*SINGLE_VOICES, FEMALE, MALE)}}
"""What a community may choose: a woman's voice, a man's, or one by its name."""

VOICES_BEFORE = {FEMALE: "zf_xiaobei", MALE: "zm_yunxi"}
"""Who read in their place in earlier releases: heard until a sentence has been rendered anew."""


class Synthesizer(Protocol):
    """Any engine that says a sentence. It raises SpeechError and nothing else."""

    name: str
    voices: tuple[str, ...]

    def say(self, text: str, language: str = "zh", voice: str = FEMALE) -> Audio:
        """The sentence in full band. A voice that the engine lacks is answered by its own nearest one."""
        ...


@runtime_checkable
class Teachable(Protocol):
    """An engine that takes a list of words and their pinyin, in place of the one it was given before."""

    def teach(self, pronunciations: Pronunciations) -> None:
        """Say these words so from now on; none: as the dictionaries have them."""
        ...


TEACHABLE = frozenset({"kokoro"})
"""The engines that are `Teachable`, by name: what is told of them without loading one."""

ENGINES = {  # named here, imported on use; the first is the default, the last the fallback
    "kokoro": "speech.engines.kokoro:KokoroSynthesizer",
    "espeak": "speech.engines.espeak:EspeakSynthesizer",
}


FALLBACK = next(reversed(ENGINES))


def load_synthesizer(name: str = "kokoro", models: Path | None = None) -> Synthesizer:
    """Load an engine with its weights from `models`.

    Raises SpeechError: permanent for an unknown engine, not permanent while its weights are missing.
    """
    engine = engine_class(ENGINES, name, "synthesizer")
    return cast(Synthesizer, engine(models or models_folder()))
