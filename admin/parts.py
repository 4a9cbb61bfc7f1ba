"""The parts every process is built from, opened in one place from the settings."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from admin.settings import Settings
from ivr.prompts.clips import ClipStore
from ivr.prompts.shelf import Shelf
from speech.models import models_folder
from speech.recognize import Recognizer, load_recognizer
from speech.synthesize import FALLBACK, Synthesizer, load_synthesizer
from sync.archive import Archive

EXCHANGE_ACCOUNT = "TJexchange"  # the account by which our own exchange signs its requests


def open_archive(settings: Settings) -> Archive:
    """The records at the configured database; `home` is made where it is missing."""
    return Archive.open(settings.database_url, settings.home)


def exchange_token(archive: Archive) -> str:
    """The secret that web and our exchange share; it follows from the keys of this installation."""
    return archive.keyring.secret("line-exchange").hex()


def open_clips(settings: Settings, archive: Archive) -> ClipStore:
    """The rendered prompts."""
    shelf = Shelf(settings.shelf) if settings.shelf else None
    return ClipStore(settings.clips_folder, archive.keyring.secret("clips"), settings.synthesizer, shelf)


def models_of(settings: Settings) -> Path:
    """Where the speech models lie."""
    return settings.models or models_folder()


def open_recognizer(settings: Settings) -> Recognizer:
    """The configured recognizer, loaded now (seconds). Raises SpeechError."""
    return load_recognizer(settings.recognizer, models_of(settings))


def open_synthesizer(settings: Settings) -> Synthesizer:
    """The configured synthesizer, loaded now (seconds). Raises SpeechError."""
    return load_synthesizer(settings.synthesizer, models_of(settings))


def spare_of(settings: Settings) -> Callable[[], Synthesizer] | None:
    """What speaks while the configured synthesizer can't; nothing where a phone platform's own voice does."""
    if settings.twilio_sid or settings.synthesizer == FALLBACK:
        return None
    return partial(load_synthesizer, FALLBACK, models_of(settings))


def log_to_terminal(settings: Settings) -> None:
    """One line a message on standard error; libraries only when something is wrong."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        force=True,
    )
    level = logging.getLevelNamesMapping().get(settings.log_level, logging.INFO)
    for ours in ("tingjian", "admin", "ivr", "sync", "speech"):
        logging.getLogger(ours).setLevel(level)
