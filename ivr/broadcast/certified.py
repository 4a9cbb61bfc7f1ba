"""The place where a certified emergency broadcasting system is connected, by whoever is certified to do it.

County systems (应急广播大喇叭, GD/J 089-2018, GY/T 2023) take signed instructions from holders of their
certificates, through a security chip. We hold none and make no such instruction: nothing in this project is
certified, and nothing in it claims to be. What we offer is this one place. An integrator who has the
certificates writes a class that keeps the promises of `Loudspeakers` (tests/broadcast/test_promises.py) and
names it in the setting `certified_adapter`, "package.module:Class". Loudspeakers of the kind `certified` are
then handed down to it: only approved sound, with its sum, its expiry and whether it is an emergency. Without
one, programmes for such systems are handed over as files: `tingjian programme export`.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

from ivr.broadcast.loudspeakers import BroadcastError, Loudspeakers, Wiring

SETTING = "certified_adapter"
_NEEDED = ("start", "air", "stop", "close")


class CertifiedSystem:
    """Opens the integrator's adapter in its own place."""

    @classmethod
    def opened(cls, wiring: Wiring) -> Loudspeakers:
        """The adapter that is named. Raises BroadcastError where none is, or where it is no adapter."""
        name = wiring.settings.get(SETTING, "")
        module, _, attribute = name.partition(":")
        if not module or not attribute:
            raise BroadcastError("no certified system is connected")
        try:
            adapter = getattr(import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise BroadcastError("the adapter of the certified system can't be imported") from error
        opened = adapter.opened(wiring) if hasattr(adapter, "opened") else None
        if opened is None or not all(callable(getattr(opened, one, None)) for one in _NEEDED):
            raise BroadcastError("the adapter of the certified system is no adapter for loudspeakers")
        return cast("Loudspeakers", opened)
