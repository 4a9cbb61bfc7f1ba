"""Why an opinion needs a person's ear: words kept with the record, and how staff read them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SILENT = "silent"
UNSURE = "unsure"
BROKEN = "recording_broken"
MISSING = "recording_missing"
UNREADABLE = "recognizer_refused"
AWAY = "recognizer_away"
LONGER = "longer_than_corrected"

PROBLEMS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        SILENT: {"zh": "没有听出话音，请人工收听", "en": "No words could be made out: please listen"},
        UNSURE: {"zh": "识别把握不大，请人工收听", "en": "The recognizer was not sure: please listen"},
        BROKEN: {"zh": "录音损坏，读不出声音", "en": "The recording is broken: it holds no readable sound"},
        MISSING: {"zh": "录音没有取到", "en": "The recording could not be fetched"},
        UNREADABLE: {"zh": "识别程序无法处理这段录音", "en": "The recognizer can't handle this recording"},
        LONGER: {"zh": "更正之后又有新的录音，请再听一遍", "en": "More came in after it was corrected"},
        AWAY: {
            "zh": "识别程序暂不可用，会自动重试",
            "en": "The recognizer is away; tried again by itself",
        },
    }
)


def problem_in(language: str, problem: str | None) -> str:
    """The problem as a sentence for staff, '' when there is none; an unknown one as it stands."""
    if problem is None:
        return ""
    return PROBLEMS.get(problem, {}).get(language, problem)
