"""One call: asks web for documents and executes their verbs on a handset until one side hangs up."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from ivr.exchange.desk import Desk
from ivr.exchange.errands import Errand
from ivr.exchange.errors import HungUp, SpoolError, TwimlError, WebAway
from ivr.exchange.handset import Handset
from ivr.exchange.keypad import Keypad
from ivr.exchange.media import Clip
from ivr.exchange.recorder import Recorded, Recorder
from ivr.exchange.sound import BEEP
from ivr.exchange.spool import Details, TapeWriter
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
        self._tape_sid = ""
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
            await self._handset.hang_up()
            self._hand_over()

    def _hand_over(self) -> None:
        if self._tape_sid:
            self._desk.announcer.announce(self._tape_sid)
        self._desk.errands.run(replace(self._errand, seconds=round(time.monotonic() - self._began)))

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
        try:
            recorded = await self._tape(verb)
        except SpoolError as error:
            log.error("call %s: %s", self.sid, error)
            await self._local("disk")
            return None
        if not recorded.has_voice:
            await self._forget_tape()
            if recorded.ended_by == "hangup":
                raise HungUp("during the recording")
            return None
        sid, self._tape_sid = self._tape_sid, ""
        self._desk.announcer.announce(sid)
        extra = {
            "RecordingSid": sid,
            "RecordingUrl": self._desk.announcer.address(sid),
            "RecordingDuration": str(round(recorded.seconds)),
        }
        if recorded.ended_by == "hangup":
            ended = {"Digits": "hangup", "CallStatus": "completed"}
            await self._ask(verb.action, extra | ended, verb.method)
            raise HungUp("during the recording")
        digits = {"Digits": recorded.digit} if recorded.digit else {}
        return await self._ask(verb.action, extra | digits, verb.method)

    async def _tape(self, verb: Record) -> Recorded:
        """Record onto a new tape. Its sid stays in `_tape_sid` until somebody has taken it on."""
        writer = await self._begin_tape(verb.status_callback)
        try:
            if verb is AWAY_RECORD:
                self._errand = replace(self._errand, message=self._tape_sid)
                await self._keep_errand()
            if verb.has_beep:
                await self._handset.play(BEEP)
            await self._handset.expect("speech", verb.silence_seconds)
        except BaseException:
            writer.close()
            await self._forget_tape()
            raise
        recorded = await Recorder(self._handset, writer, verb).run()
        if recorded.digit:
            self._keypad.caused_a_turn(recorded.digit)
        return recorded

    async def _begin_tape(self, callback: str) -> TapeWriter:
        sid = "RE" + secrets.token_hex(16)
        started = datetime.now(UTC).isoformat(timespec="seconds")
        writer = await asyncio.to_thread(self._desk.spool.begin, Details(sid, self.sid, callback, started))
        self._tape_sid = sid
        return writer

    async def _forget_tape(self) -> None:
        sid, self._tape_sid = self._tape_sid, ""
        self._errand = replace(self._errand, message="")
        await asyncio.to_thread(self._desk.spool.drop, sid)

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
        """A kind sentence, and the caller may still leave a message; both it and the unanswered request are
        owed.
        """
        await self._keep_errand()
        if "RecordingSid" in self._errand.pending:
            await self._local("kept")
            return
        await self._local("away")
        try:
            recorded = await self._tape(AWAY_RECORD)
        except SpoolError as error:
            log.error("call %s: %s", self.sid, error)
            await self._local("disk")
            return
        if recorded.has_voice:
            self._tape_sid = ""
            await self._local("kept")
            return
        await self._forget_tape()
        await self._local("later")
