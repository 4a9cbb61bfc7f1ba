"""One call's questions to web, and what stays owed when web gives no answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace

from ivr.exchange.calling import Calling
from ivr.exchange.desk import Desk
from ivr.exchange.errands import Errand
from ivr.exchange.errors import HungUp, SpoolError, TwimlError, WebAway
from ivr.exchange.handset import Handset
from ivr.exchange.twiml import Document
from ivr.exchange.voice import Voice

log = logging.getLogger(__name__)

WAIT_SENTENCE_AFTER = 3.0
"""Seconds of web's silence after which the caller is asked for a moment's patience."""


class Asking:
    """Asks for one call. `errand` is what web must know of it in the end; `keep` writes that down."""

    def __init__(self, desk: Desk, handset: Handset, voice: Voice, calling: Calling) -> None:
        self._desk, self._handset, self._voice, self._calling = desk, handset, voice, calling
        self._first = dict(calling.first or {})
        self.errand = Errand(calling.params, calling.status_url)

    async def begin(self) -> Document:
        """The first document of the call."""
        return await self.ask(self._calling.url, self._first, self._calling.method)

    async def begin_unanswered(self, seconds: float) -> Document | None:
        """The first document, if it comes so soon. None where it does not: then the call is to be refused,
        and web is owed it.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self.begin()
        except (TimeoutError, WebAway, TwimlError) as error:
            log.warning("call %s: refused without web: %s", self.errand.call_sid, type(error).__name__)
            self.owe_call_back()
            return None

    async def ask(self, url: str, extra: Mapping[str, str], method: str = "POST") -> Document:
        """Web's next document. After some seconds the caller is asked for patience; the request goes on
        meanwhile.

        Raises WebAway, TwimlError, HungUp. What was to be handed in is owed until web has answered, also when
        its caller is gone.
        """
        params = dict(self.errand.params) | dict(extra)
        before = self.errand
        self.errand = replace(before, url=url, method=method, pending=dict(extra))
        asking = asyncio.create_task(self._desk.door.ask(url, params, method))
        try:
            if self._voice.is_answered:
                await self._handset.expect("nothing")
            done, _ = await asyncio.wait({asking}, timeout=WAIT_SENTENCE_AFTER)
            if not done:
                await self._voice.sentence("wait")
        except asyncio.CancelledError:
            asking.cancel()
            raise
        except HungUp:
            await asyncio.wait({asking})
            if asking.exception() is None:
                self.errand = before
            raise
        document = await asyncio.shield(asking)
        self.errand = before
        return document

    def owe_message(self, recording_sid: str) -> None:
        """A recording was left without web's asking. Web hears of it from where its last answer failed to
        come, or, where every answer came and led nowhere, from the beginning of the call.
        """
        errand = replace(self.errand, message=recording_sid)
        if not errand.url:
            errand = replace(errand, url=self._calling.url, pending=self._first)
        self.errand = errand

    def owe_call_back(self) -> None:
        """Nobody could take the call: web hears of it from the beginning, and that it ended `busy`."""
        self.errand = replace(self.errand, status="busy", url=self._calling.url, pending=self._first)

    async def keep(self) -> None:
        """Write the errand down; where the disk does not take it, the call goes on without."""
        try:
            await self._desk.errands.keep(self.errand)
        except SpoolError as error:
            log.error("call %s: %s", self.errand.call_sid, error)
