"""One call: asks web for documents and executes their verbs on a handset until one side hangs up."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from ivr.exchange.desk import Desk
from ivr.exchange.errands import Errand
from ivr.exchange.errors import HungUp, SpoolError, TwimlError, WebAway
from ivr.exchange.handset import Handset
from ivr.exchange.keypad import Keypad
from ivr.exchange.media import Clip
from ivr.exchange.recorder import Recorded
from ivr.exchange.taping import Taping
from ivr.exchange.twiml import (
    Dial,
    Document,
    Gather,
    Hangup,
    Play,
    Prompt,
    Record,
    Redirect,
    Reject,
    Say,
    Verb,
)

log = logging.getLogger(__name__)

WAIT_SENTENCE_AFTER = 3.0
"""Seconds of web's silence after which the caller is asked for a moment's patience."""
MOST_SILENT_DOCUMENTS = 50
"""Documents in a row without anything to hear or wait for: web has lost itself."""
AWAY_RECORD = Record(action="", silence_seconds=5, finish_on="#", max_seconds=150)


class Call:
    """One telephone's conversation."""

    def __init__(self, desk: Desk, handset: Handset) -> None:
        self.sid = "CA" + secrets.token_hex(16)
        self._desk, self._handset = desk, handset
        self._is_answered = False
        self._keypad = Keypad(handset, self._prompts, desk.settings.double_tap_seconds / desk.settings.speed)
        self._taping = Taping(desk, handset, self.sid)
        self._began = time.monotonic()
        self._silent_documents = 0
        base = desk.settings.public_base.rstrip("/")
        self._voice_url = f"{base}/calls"
        self._errand = Errand(self._params(), f"{base}/calls/{self.sid}/status")

    def _params(self) -> dict[str, str]:
        handset = self._handset
        return {
            "CallSid": self.sid,
            "AccountSid": self._desk.settings.account_sid,
            "From": handset.caller or "anonymous",
            "To": handset.dialled,
            "CallStatus": "in-progress",
            "Direction": "inbound",
            "ApiVersion": "2010-04-01",
            "Handset": handset.kind,
        }

    async def run(self) -> None:
        """Carry the call through; afterwards what it owes to web is in the hands of the errands."""
        settings = self._desk.settings
        await self._keep_errand()
        try:
            async with asyncio.timeout(settings.max_call_seconds / settings.speed):
                await self._converse()
        except TimeoutError:
            await self._farewell("limit")
        except HungUp:
            log.info("call %s: the caller hung up", self.sid)
        except Exception:
            log.exception("call %s: broke", self.sid)
            await self._farewell("later")
        finally:
            await self._hand_over()
            await self._handset.hang_up()

    async def _hand_over(self) -> None:
        self._taping.announce()
        self._errand = replace(self._errand, seconds=round(time.monotonic() - self._began))
        await self._keep_errand()
        self._desk.errands.run(self._errand)

    async def _converse(self) -> None:
        try:
            document: Document | None = await self._ask(self._voice_url, {"CallStatus": "ringing"})
            while document is not None:
                document = await self._execute(document)
        except (WebAway, TwimlError) as error:
            log.error("call %s: %s", self.sid, error)
            await self._without_web()

    async def _execute(self, document: Document) -> Document | None:
        """Execute one document; the next one, or None when the call is over."""
        self._silent_documents += 1
        if self._silent_documents > MOST_SILENT_DOCUMENTS:
            raise TwimlError("documents follow each other without anything to hear")
        self._desk.media.prepare(document.sounds())
        self._desk.sentences.prepare(document.words())
        for verb in document.verbs:
            if isinstance(verb, Hangup):
                return None
            if isinstance(verb, Reject):
                await self._reject(verb)
                return None
            following = await self._verb(verb)
            if following is not None:
                return following
        return None

    async def _verb(self, verb: Verb) -> Document | None:
        if isinstance(verb, Redirect):
            return await self._ask(verb.url, {}, verb.method)
        await self._answer()
        self._silent_documents = 0
        match verb:
            case Say() | Play():
                await self._handset.expect("nothing")
                await self._prompt(verb)
            case Gather():
                return await self._gather(verb)
            case Record():
                return await self._record(verb)
            case Dial():
                return await self._dial(verb)
        return None

    async def _answer(self) -> None:
        if not self._is_answered:
            self._is_answered = True
            await self._handset.answer()

    async def _reject(self, verb: Reject) -> None:
        if not self._is_answered:
            self._errand = replace(self._errand, status="busy" if verb.reason == "busy" else "no-answer")
            await self._handset.reject(verb.reason)

    # --- asking web ---
    async def _ask(self, url: str, extra: Mapping[str, str], method: str = "POST") -> Document:
        """Web's next document. After some seconds the caller is asked for patience; the request goes on
        meanwhile.
        """
        params = dict(self._errand.params) | dict(extra)
        asking = asyncio.create_task(self._desk.door.ask(url, params, method))
        try:
            if self._is_answered:
                await self._handset.expect("nothing")
            done, _ = await asyncio.wait({asking}, timeout=WAIT_SENTENCE_AFTER)
            if not done:
                await self._local("wait")
            return await asyncio.shield(asking)
        except HungUp:
            await asyncio.wait({asking})  # what was pressed is handed in even when its caller is gone
            if asking.exception() is not None:
                self._owe(url, extra, method)
            raise
        except (WebAway, TwimlError, asyncio.CancelledError):
            self._owe(url, extra, method)
            raise

    def _owe(self, url: str, extra: Mapping[str, str], method: str) -> None:
        self._errand = replace(self._errand, url=url, method=method, pending=dict(extra))

    async def _keep_errand(self) -> None:
        try:
            await self._desk.errands.keep(self._errand)
        except SpoolError as error:
            log.error("call %s: %s", self.sid, error)

    # --- what is heard ---
    async def _prompt(self, prompt: Prompt) -> None:
        if isinstance(prompt, Play):
            clip = await self._desk.media.clip(prompt.url)
        else:
            clip = await self._desk.sentences.say(prompt.text, prompt.language)
        times = 0
        while times < prompt.loop or (prompt.loop == 0 and clip.pcm):
            await self._sound(clip)
            times += 1

    async def _sound(self, clip: Clip) -> None:
        if clip.caption:
            await self._handset.show(clip.caption)
        await self._handset.play(clip.pcm)

    async def _prompts(self, prompts: Sequence[Prompt]) -> None:
        for prompt in prompts:
            await self._prompt(prompt)

    async def _local(self, name: str) -> None:
        await self._answer()
        await self._handset.expect("nothing")
        await self._sound(await self._desk.sentences.clip(name))

    async def _farewell(self, name: str) -> None:
        try:
            await self._local(name)
        except HungUp:
            log.info("call %s: the caller hung up", self.sid)

    # --- keys ---
    async def _gather(self, verb: Gather) -> Document | None:
        typed, early = await self._keypad.gather(verb)
        if not typed:
            return None
        # Not of Twilio: how many keys came before this gather began, for rules that must not count those.
        ahead = {"DigitsEarly": str(early)} if early else {}
        return await self._ask(verb.action, {"Digits": typed} | ahead, verb.method)

    # --- speech ---
    async def _record(self, verb: Record) -> Document | None:
        recorded = await self._taped(verb)
        if recorded is None:
            return None
        extra = {
            "RecordingSid": (sid := self._taping.announce()),
            "RecordingUrl": self._desk.announcer.address(sid),
            "RecordingDuration": str(round(recorded.seconds)),
        }
        if recorded.ended_by == "hangup":
            ended = {"Digits": "hangup", "CallStatus": "completed"}
            await self._ask(verb.action, extra | ended, verb.method)
            raise HungUp("during the recording")
        digits = {"Digits": recorded.digit} if recorded.digit else {}
        return await self._ask(verb.action, extra | digits, verb.method)

    async def _taped(
        self, verb: Record, begun: Callable[[str], Awaitable[None]] | None = None
    ) -> Recorded | None:
        """What was said; None when nothing was, or the disk did not take it and the caller has been told."""
        try:
            recorded = await self._taping.record(verb, begun)
        except SpoolError as error:
            log.error("call %s: %s", self.sid, error)
            self._taping.announce()  # what fitted is kept
            await self._local("disk")
            return None
        if recorded.digit:
            self._keypad.caused_a_turn(recorded.digit)
        if recorded.has_voice:
            return recorded
        await self._taping.forget()
        if recorded.ended_by == "hangup":
            raise HungUp("during the recording")
        return None

    # --- a person ---
    async def _dial(self, verb: Dial) -> Document | None:
        await self._handset.expect("nothing")
        dialled = await self._handset.dial(verb.number, verb.timeout_seconds)
        if not verb.action:
            return None
        extra = {
            "DialCallStatus": dialled.status,
            "DialCallSid": "CA" + secrets.token_hex(16),
            "DialCallDuration": str(dialled.seconds),
        }
        return await self._ask(verb.action, extra, verb.method)

    # --- web is away ---
    async def _without_web(self) -> None:
        """A kind sentence, and the caller may still leave a message: all that web did not take is owed."""
        await self._keep_errand()
        if "RecordingSid" in self._errand.pending:
            await self._local("kept")
            return
        await self._local("away")
        recorded = await self._taped(AWAY_RECORD, self._owe_message)
        if recorded is not None:
            self._taping.sid = ""  # announced once the errand has found its box
        await self._local("later" if recorded is None else "kept")

    async def _owe_message(self, recording_sid: str) -> None:
        self._errand = replace(self._errand, message=recording_sid)
        await self._keep_errand()
