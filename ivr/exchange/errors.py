"""The one family of errors of the exchange."""

from __future__ import annotations


class ExchangeError(Exception):
    """Anything the exchange can name; its text holds ids only, never a number or words spoken."""


class TwimlError(ExchangeError):
    """A document we cannot execute: not XML, a verb outside the portable core, a value out of range."""


class WebAway(ExchangeError):
    """The web side gave no usable answer. `is_permanent` when asking again at once would not help."""

    def __init__(self, message: str, *, is_permanent: bool = False) -> None:
        super().__init__(message)
        self.is_permanent = is_permanent


class SoundError(ExchangeError):
    """Sound that cannot be decoded."""


class SpoolError(ExchangeError):
    """A recording cannot be written: the disk is full or gone."""


class HungUp(ExchangeError):
    """The caller is gone; raised by whatever was waiting for them."""
