"""The one family of errors that `speech` raises."""

from __future__ import annotations


class SpeechError(Exception):
    """Sound could not be read, recognised or made. `permanent` says whether trying again is pointless."""

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent
