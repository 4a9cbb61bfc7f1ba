"""What a caller hears for whom no line is free; a number that can be called back is kept for that."""

from __future__ import annotations

import logging

from ivr.exchange.asking import Asking
from ivr.exchange.calling import incoming, new_sid
from ivr.exchange.desk import Desk
from ivr.exchange.errors import HungUp
from ivr.exchange.handset import Handset
from ivr.exchange.voice import Voice

log = logging.getLogger(__name__)

CALLED_BACK = frozenset({"sip"})
"""Telephones whose caller is a real one."""


async def turn_away(desk: Desk, handset: Handset) -> None:
    """Say kindly that all lines are busy. Web learns of the call by its own door, begun and ended `busy`."""
    is_called_back = handset.kind in CALLED_BACK and bool(handset.caller)
    voice = Voice(desk, handset)
    calling = incoming(desk.settings, handset.caller, handset.dialled, handset.kind, new_sid())
    asking = Asking(desk, handset, voice, calling)
    if is_called_back:
        asking.owe_call_back()
        await asking.keep()
        desk.errands.run(asking.errand)
    try:
        await voice.sentence("call_back" if is_called_back else "busy")
    except HungUp:
        log.info("call %s: hung up while all lines were busy", asking.errand.call_sid)
    await handset.hang_up("busy")
