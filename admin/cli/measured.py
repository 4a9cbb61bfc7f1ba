"""What `tingjian speech measure` found, as a table, as CSV or as JSON."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Callable, Mapping, Sequence

from speech.measure import Heard, averages

COLUMNS = ("condition", "file", "speaker", "style", "seconds", "cost", "wrong", "confidence", "said", "heard")


def table(heard: Sequence[Heard]) -> str:
    """One line a style; the last of each condition is all of it."""
    lines = [
        f"{'condition':<10} {'style':<18} {'clips':>6} {'speakers':>8} {'seconds':>8}"
        f" {'CER %':>7} {'CPU s/s':>8}"
    ]
    for condition, style, mean in averages(heard):
        about = f"{mean.clips:>6} {mean.speakers:>8} {mean.seconds:>8.0f}"
        lines.append(f"{condition:<10} {style:<18} {about} {100 * mean.wrong:>7.1f} {mean.cost:>8.3f}")
    return "\n".join(lines) + "\n"


def _clip_row(one: Heard) -> dict[str, object]:
    clip = one.clip
    figures = (round(one.seconds, 2), round(one.cost, 3), round(one.wrong, 4), one.confidence)
    told = (one.condition, clip.path.name, clip.speaker, clip.style, *figures, clip.transcript, one.text)
    return dict(zip(COLUMNS, told, strict=True))


def rows(heard: Sequence[Heard]) -> str:
    """CSV, one line a clip and condition."""
    out = io.StringIO()
    sheet = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    sheet.writeheader()
    sheet.writerows(_clip_row(one) for one in heard)
    return out.getvalue()


def document(heard: Sequence[Heard]) -> str:
    """JSON: the averages, and every clip."""
    means = [
        {"condition": condition, "style": style, **dataclasses.asdict(mean)}
        for condition, style, mean in averages(heard)
    ]
    told = {"averages": means, "clips": [_clip_row(one) for one in heard]}
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


FORMATS: Mapping[str, Callable[[Sequence[Heard]], str]] = {"table": table, "csv": rows, "json": document}
