"""Calls that leave the line: a person rung for a caller, and calls the exchange places."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Mapping

import phonenumbers

from ivr.exchange.sip.fence import networks_of
from ivr.exchange.sip.settings import LineSettings
from ivr.exchange.sip.stack import Leg, Stack, StackError
from ivr.exchange.sip.telephone import Telephone

log = logging.getLogger(__name__)

DIALABLE = re.compile(r"\+?[0-9]{3,15}")
SIP_ADDRESS = re.compile(r"sip:[A-Za-z0-9_.+-]{1,64}@([A-Za-z0-9.-]{1,200})(?::[0-9]{1,5})?")


class Dialler:
    """Dials through one stack as a line is set."""

    def __init__(self, settings: LineSettings, stack: Stack) -> None:
        self._settings, self._stack = settings, stack

    async def ring(self, telephone: Telephone, number: str, seconds: float) -> tuple[str, float]:
        """Ring somebody through the trunk and join the two until one of them hangs up; what became of it
        and how long they spoke.
        """
        if not self._settings.out or not DIALABLE.fullmatch(number):
            return "failed", 0.0
        telephone.ring()
        try:
            friend = await self._stack.dial(f"sip:{number}@{self._settings.out}")
            return await _bridge(telephone, friend, seconds)
        except StackError as error:
            log.warning("a person cannot be rung: %s", error)
            return "failed", 0.0
        finally:
            telephone.join(None)

    async def place(self, to: str, from_: str, headers: Mapping[str, str]) -> Leg:
        """Call a number through the trunk, or a `sip:` address of the neighbourhood, in the name of `from_`.

        Raises StackError, FenceError.
        """
        address = await asyncio.to_thread(address_of, to, self._settings)
        return await self._stack.dial(address, {**self._named(from_), **headers})

    def _named(self, from_: str) -> dict[str, str]:
        """Who calls, as a trunk that trusts us takes it (RFC 3325): From is the line's own name."""
        if not DIALABLE.fullmatch(from_):
            return {}
        host = self._settings.account.domain if self._settings.account else self._settings.host
        return {"P-Asserted-Identity": f"<sip:{from_}@{host.partition(':')[0]}>"}


def address_of(to: str, settings: LineSettings) -> str:
    """The address a call to `to` is sent to. Blocks on the resolver.

    Numbers go through `out`. A `sip:` address (a loudspeaker, a colleague's telephone) may be called where
    the fence lets its answers in, nowhere else. Raises StackError, FenceError.
    """
    if DIALABLE.fullmatch(to):
        if not settings.out:
            raise StackError("no host is set to call out through")
        return f"sip:{written(to, settings)}@{settings.out}"
    found = SIP_ADDRESS.fullmatch(to)
    there = networks_of([found[1]]) if found else ()
    inside = networks_of(settings.welcome)
    if not there or not all(any(one.subnet_of(network) for network in inside) for one in there):
        raise StackError("an address the line may not call")
    return to


def written(number: str, settings: LineSettings) -> str:
    """A number in E.164 as the trunk wants it dialled; short and local ones stay as they are.

    National: `0571…`, `138…` at home, `00` and the country elsewhere.
    """
    if settings.out_numbers == "e164" or not number.startswith("+"):
        return number
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    if parsed.country_code != phonenumbers.country_code_for_region(settings.region):
        return f"00{number[1:]}"
    national = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    return re.sub(r"[^0-9]", "", national)


async def _bridge(telephone: Telephone, friend: Leg, seconds: float) -> tuple[str, float]:
    """Wait for the other to answer, then until either is gone; what became of it and how long they spoke."""
    answered, over = asyncio.Event(), asyncio.Event()
    friend.on_answered, friend.on_over = answered.set, over.set
    waiting = [asyncio.create_task(one.wait()) for one in (answered, over)]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if friend.is_over:
            return friend.ending, 0.0
        if not answered.is_set():
            return "no-answer", 0.0
        began = time.monotonic()
        telephone.join(friend)
        await over.wait()
        return "completed", time.monotonic() - began
    finally:
        for one in waiting:
            one.cancel()
        friend.hang_up()
