"""Engines behind the protocols: named by the tables of `recognize` and `synthesize`, imported only on use."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from speech.errors import SpeechError


def engine_class(engines: Mapping[str, str], name: str, kind: str) -> Any:
    """The class of engine `name` in a table of `module:class`; `kind` is what such an engine is called.

    Raises SpeechError (permanent) for an unknown engine and for one whose package is not installed.
    """
    if name not in engines:
        raise SpeechError(f"there is no {kind} called {name}", permanent=True)
    module, attribute = engines[name].split(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        raise SpeechError(f"the {kind} {name} is not installed: {error}", permanent=True) from error
