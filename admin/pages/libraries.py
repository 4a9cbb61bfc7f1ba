"""Scripts of other projects that pages use, served as their packages brought them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from flask import Blueprint, abort, send_file
from werkzeug.wrappers import Response

LIBRARIES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "wavesurfer.js": ("wavesurf", "wavesurfer.min.js"),
        "wavesurfer-regions.js": ("wavesurf", "plugins/regions.min.js"),
    }
)
"""Files by the name in their address: the Python package that carries each, and where in it."""


def add_libraries(desk: Blueprint) -> None:
    """Put the files on the desk. They hold nothing of anybody's: no sign-in is asked for."""

    def library(name: str) -> Response:
        """One file; a browser asks again whether it has changed, and is told that it hasn't."""
        if name not in LIBRARIES:
            abort(404)
        return send_file(path_of(name), "text/javascript", conditional=True, max_age=0)

    desk.add_url_rule("/libraries/<name>", "library", library)


@cache
def path_of(name: str) -> Path:
    """Where a library lies. The package is found, not imported: its Python is for other uses."""
    package, file = LIBRARIES[name]
    found = find_spec(package)
    if found is None or found.origin is None:
        raise FileNotFoundError(f"the package {package} is not installed")
    return Path(found.origin).parent / file
