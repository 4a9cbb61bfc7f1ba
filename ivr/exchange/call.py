"""One call: asks web for documents and executes their verbs on a handset until one side hangs up."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from ivr.exchange.asking import Asking
from ivr.exchange.calling import Calling, incoming, missed, new_sid
from ivr.exchange.desk import Desk
from ivr.exchange.errands import Ended, Errand
from ivr.exchange.errors import HungUp, SpoolError, TwimlError, WebAway
from ivr.exchange.handset import Handset
from ivr.exchange.keypad import Keypad
from ivr.exchange.recorder import Recorded
from ivr.exchange.taping import Taping
from ivr.exchange.twiml import Dial, Document, Gather, Hangup, Play, Record, Redirect, Reject, Say, Verb
from ivr.exchange.voice import Voice

log = logging.getLogger(__name__)

MOST_SILENT_DOCUMENTS = 50
"""Documents in a row without anything to hear or wait for: web has lost itself."""
WARN_SECONDS = 60.0
"""So long before the longest a call may last, its caller is told."""
FAREWELL_SECONDS = 30.0
REFUSE_SECONDS = 2.5
"""So long web may think of a call that is to cost nothing; asking for patience would take it."""
AWAY_RECORD = Record(action="", silence_seconds=5, finish_on="#", max_seconds=150)


class Call:
    """One telephone's conversation; `hand_over` takes on what is owed to web afterwards, else the errands."""

    def __init__(
        self,
        desk: Desk,
        handset: Handset,
        placed: Calling | None = None,
        hand_over: Callable[[Errand], None] | None = None,
    ) -> None:
        self._calling = placed or incoming(
            desk.settings, handset.caller, handset.dialled, handset.kind, new_sid()
        )
        self.sid = self._calling.params["CallSid"]
        self._desk, self._handset = desk, handset
        self._run_errand = hand_over or desk.errands.run
        self._voice = Voice(desk, handset, self._calling.is_quiet)
        self._voice.is_answered = self._calling.is_placed
        self._asking = Asking(desk, handset, self._voice, self._calling)
        double_tap_seconds = desk.settings.double_tap_seconds / desk.settings.speed
        self._keypad = Keypad(handset, self._voice.prompts, double_tap_seconds)
        self._taping = Taping(desk, handset, self.sid)
        self._began = time.monotonic()
        self._silent_documents = 0
        self._has_begun = False
        self._is_warned = self._calling.most_seconds <= WARN_SECONDS

    async def run(self) -> None:
        """Carry the call through; afterwards what it owes to web is in the hands of the errands."""
        await self._asking.keep()
        try:
            async with asyncio.timeout(self._calling.most_seconds / self._desk.settings.speed):
                await self._converse()
        except TimeoutError:
            await self._farewell("limit")
        except HungUp:
            log.info("call %s: the caller hung up", self.sid)
            self._miss()
        except Exception:
            log.exception("call %s: broke", self.sid)
            await self._farewell("later")
        finally:
            await self._hand_over()
            await self._handset.hang_up()

    def _miss(self) -> None:
        """Who hangs up before anybody has answered has called in vain, mostly on purpose."""
        if not self._voice.is_answered:
            self._asking.errand = missed(self._desk.settings, self._calling)

    async def _hand_over(self) -> None:
        self._taping.announce()
        seconds = round(time.monotonic() - self._began)
        self._asking.errand = replace(self._asking.errand, seconds=seconds)
        await self._asking.keep()
        self._run_errand(self._asking.errand)

    async def _converse(self) -> None:
        try:
            document = await self._begin()
            while document is not None:
                document = await self._execute(document)
        except (WebAway, TwimlError) as error:
            log.error("call %s: %s", self.sid, error)
            await self._without_web()

    async def _begin(self) -> Document | None:
        """The first document; None where nobody is answered at this number and web has not said otherwise."""
        unanswered, handset = self._desk.unanswered, self._handset
        document: Document | None
        if not self._calling.is_placed and unanswered.has(handset.caller, handset.dialled, handset.kind):
            document = await self._asking.begin_unanswered(REFUSE_SECONDS)
        else:
            await handset.ring(0 if self._calling.is_placed else self._desk.settings.ring_seconds)
            document = await self._asking.begin()
        if document is None:
            await handset.reject("busy")
        self._has_begun = True
        return document

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
            return await self._asking.ask(verb.url, {}, verb.method)
        await self._voice.answer()
        self._silent_documents = 0
        await self._warn(verb)
        match verb:
            case Say() | Play():
                await self._handset.expect("nothing")
                await self._voice.prompt(verb)
            case Gather():
                return await self._gather(verb)
            case Record():
                return await self._record(verb)
            case Dial():
                return await self._dial(verb)
        return None

    async def _warn(self, verb: Verb) -> None:
        """Once, while there is still time for what comes: say that the call cannot go on for ever."""
        speed = self._desk.settings.speed
        left = self._calling.most_seconds / speed - (time.monotonic() - self._began)
        needed = WARN_SECONDS + (verb.max_seconds if isinstance(verb, Record) else 0)
        if not self._is_warned and left < needed / speed:
            self._is_warned = True
            await self._voice.sentence("soon_over")

    async def _reject(self, verb: Reject) -> None:
        if not self._voice.is_answered:
            status: Ended = "busy" if verb.reason == "busy" else "no-answer"
            self._asking.errand = replace(self._asking.errand, status=status)
            await self._handset.reject(verb.reason)

    async def _farewell(self, name: str) -> None:
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):  # a telephone that is on hold hears nothing
                await self._voice.sentence(name)
        except HungUp:
            log.info("call %s: the caller hung up", self.sid)
        except TimeoutError:
            log.info("call %s: the caller did not hear the end", self.sid)

    # --- keys ---
    async def _gather(self, verb: Gather) -> Document | None:
        typed, early = await self._keypad.gather(verb)
        if not typed:
            return None
        # Not of Twilio: how many keys came before this gather began, for rules that must not count those.
        ahead = {"DigitsEarly": str(early)} if early else {}
        return await self._asking.ask(verb.action, {"Digits": typed} | ahead, verb.method)

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
            await self._asking.ask(verb.action, extra | ended, verb.method)
            raise HungUp("during the recording")
        digits = {"Digits": recorded.digit} if recorded.digit else {}
        return await self._asking.ask(verb.action, extra | digits, verb.method)

    async def _taped(
        self, verb: Record, begun: Callable[[str], Awaitable[None]] | None = None
    ) -> Recorded | None:
        """What was said; None when nothing was, or the disk did not take it and the caller has been told."""
        try:
            recorded = await self._taping.record(verb, begun)
        except SpoolError as error:
            log.error("call %s: %s", self.sid, error)
            self._taping.announce()  # what fitted is kept
            await self._voice.sentence("disk")
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
        return await self._asking.ask(verb.action, extra, verb.method)

    # --- web is away ---
    async def _without_web(self) -> None:
        """A kind sentence, and the caller may still leave a message: all that web did not take is owed.

        Who is called by us for nothing is only told so: whoever placed the call sees that it never began.
        """
        if self._calling.is_placed and not self._has_begun:
            self._asking.errand = replace(self._asking.errand, url="", pending={})
            await self._voice.sentence("again")
            return
        if self._calling.is_quiet:
            return
        await self._asking.keep()
        if "RecordingSid" in self._asking.errand.pending:
            await self._voice.sentence("kept")
            return
        await self._voice.sentence("away")
        recorded = await self._taped(AWAY_RECORD, self._owe_message)
        if recorded is not None:
            self._taping.sid = ""  # announced once the errand has found its box
        await self._voice.sentence("later" if recorded is None else "kept")

    async def _owe_message(self, recording_sid: str) -> None:
        self._asking.owe_message(recording_sid)
        await self._asking.keep()
