"""Charts drawn by pygal: shapes alone, beside a table that says every word and number."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

import pygal
from markupsafe import Markup

_WIDTH, _HEIGHT = 100, 8
_KEPT = frozenset({"svg", "g", "rect"})
_EMPTY = ("titles", "background", "overlay")  # what pygal draws around a chart for its own script and style
_PLAIN: dict[str, Any] = {
    "width": _WIDTH, "height": _HEIGHT, "margin": 0, "spacing": 0, "range": (0, 100), "js": (), "css": (),
    "disable_xml_declaration": True, "show_legend": False, "show_x_labels": False, "show_y_labels": False,
    "show_x_guides": False, "show_y_guides": False, "no_prefix": True,
}  # fmt: skip


def bar(count: int, most: int) -> Markup:
    """One bar as long as `count` is of `most`, for the row of a table that says the number."""
    return _bar(round(100 * count / most) if most else 0)


def stack(counts: Sequence[int]) -> Markup:
    """How a whole falls into parts: their shares beside one another, in the order given."""
    total = sum(counts)
    return _stack(tuple(round(100 * count / total, 1) for count in counts)) if total else Markup()


@lru_cache(maxsize=128)
def _bar(percent: int) -> Markup:
    return _drawn(pygal.HorizontalBar(**_PLAIN), (percent,), "bar")


@lru_cache(maxsize=32)
def _stack(percents: tuple[float, ...]) -> Markup:
    return _drawn(pygal.HorizontalStackedBar(**_PLAIN), percents, "stack")


def _drawn(chart: Any, values: Sequence[float], kind: str) -> Markup:
    for value in values:
        chart.add("", [value])
    chart.add_xml_filter(partial(_shapes_alone, kind))
    return Markup(chart.render(is_unicode=True))  # numbers, nothing that was typed


def _shapes_alone(kind: str, root: Any) -> Any:
    """The drawing without style, script, texts and all that our content policy would refuse.

    It fills whatever box the stylesheet gives it, and says nothing to a screen reader: the table does.
    """
    for parent in list(root.iter()):
        for part in list(parent):
            if _tag(part) not in _KEPT or any(word in part.get("class", "") for word in _EMPTY):
                parent.remove(part)
    root.attrib.pop("id", None)
    for name, value in (
        ("class", kind),
        ("preserveAspectRatio", "none"),
        ("aria-hidden", "true"),
        ("focusable", "false"),
    ):
        root.set(name, value)
    return root


def _tag(part: Any) -> str:
    """The bare name of an element; '' for a comment."""
    return part.tag.rpartition("}")[2] if isinstance(part.tag, str) else ""
