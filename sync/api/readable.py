"""The API's documentation as a page for people: from the OpenAPI document, with nothing from elsewhere."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from flask import Response
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape

from sync.api.document import document
from sync.platforms import SCOPES

_PAGES = Path(__file__).parent / "pages"
_DAY = {"Cache-Control": "public, max-age=86400"}

Json = dict[str, Any]


def page() -> Response:
    """`/api/v1/docs`: every path, parameter, answer and shape in words. Public."""
    return Response(_rendered(), mimetype="text/html")


def style() -> Response:
    """The page's stylesheet. Public."""
    return Response(_style(), mimetype="text/css", headers=_DAY)


@cache
def _rendered() -> str:
    pages = Environment(
        loader=FileSystemLoader(_PAGES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    pages.filters |= {"words": _words, "kind": _kind}
    api = document()
    return pages.get_template("docs.html").render(
        api=api, operations=list(_operations(api)), shapes=api["components"]["schemas"], scopes=SCOPES
    )


@cache
def _style() -> str:
    return (_PAGES / "docs.css").read_text(encoding="utf-8")


def _operations(api: Json) -> list[Json]:
    """Every operation with its parameters looked up, in the order of the paths."""
    return [
        operation
        | {
            "method": method.upper(),
            "path": f"/api{path}",
            "parameters": [_looked_up(api, one) for one in operation.get("parameters", [])],
            "responses": {
                status: _looked_up(api, answer) for status, answer in operation["responses"].items()
            },
        }
        for path, methods in api["paths"].items()
        for method, operation in methods.items()
    ]


def _looked_up(api: Json, part: Json) -> Json:
    """What a reference leads to; itself where it is none."""
    if "$ref" not in part:
        return part
    found: Any = api
    for step in part["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def _words(text: str) -> Markup:
    """`code` as code; all else as it stands."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # escaped above


def _kind(schema: Json) -> Markup:
    """A shape in few words, with a link to one that has a name."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return Markup('<a href="#shape-{0}">{0}</a>').format(name)
    if "anyOf" in schema:
        return Markup(" or ").join(_kind(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return Markup("list of ") + _kind(schema.get("items", {}))
    if "enum" in schema:
        return Markup(" · ").join(escape(one) for one in schema["enum"])
    kinds = schema.get("type", "anything")
    text = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    bounds = [f"{word} {schema[name]}" for name, word in _BOUNDS.items() if name in schema]
    return escape(", ".join([f"{text} ({schema['format']})" if "format" in schema else text, *bounds]))


_BOUNDS = {
    "minimum": "from",
    "maximum": "to",
    "minLength": "at least",
    "maxLength": "at most",
    "default": "usually",
}
