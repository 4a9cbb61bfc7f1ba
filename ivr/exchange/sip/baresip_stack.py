"""The SIP stack we use: baresip-python (libre/baresip), over UDP, inside its fence. Only this file knows it.

One in a process. No TLS, SRTP or ICE: trunks are let in by their address. The wheel's OpenSSL is old, so
nothing of it is reached: UDP is the only transport.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

from baresip import (
    Account,
    AudioNotActive,
    AudioRestarted,
    BaresipError,
    Call,
    Config,
    Event,
    Runtime,
    StackEvent,
    UserAgent,
)

from ivr.exchange.errors import ExchangeError
from ivr.exchange.sip.fence import Fence, Warden, networks_of
from ivr.exchange.sip.settings import LineSettings
from ivr.exchange.sip.sources import Sources
from ivr.exchange.sip.stack import Ending, Invite, Leg, StackError

log = logging.getLogger(__name__)

READ_BYTES = 1 << 14
HEADERS = ("From", "To", "Privacy", "P-Asserted-Identity")
SOURCE_SECONDS, SOURCE_LOOKS = 0.005, 20
"""The trace tells of a call a moment after the call itself."""
FENCE_SECONDS = 300.0
"""How often the names of trunks are looked up again."""
REGISTER_SECONDS = 60
MOST_RECENT = 64
"""Events remembered: a dialled call may be refused before the library has told us of it, and is told then."""
BUSY, NO_ANSWER = {486, 600, 603}, {408, 480, 487}


class BaresipLeg:
    """One call of the stack; `is_ours` where we have dialled."""

    def __init__(
        self, call: Call, spawn: Callable[[Coroutine[Any, Any, None]], None], is_ours: bool = False
    ) -> None:
        headers = {name.lower(): value for name, value in call.headers.items()}
        self.invite = Invite(
            from_=headers.get("from", call.peer or ""),
            to=headers.get("to", ""),
            asserted=headers.get("p-asserted-identity", ""),
            privacy=headers.get("privacy", ""),
        )
        self.on_key: Callable[[str], None] = lambda digit: None
        self.on_key_over: Callable[[], None] = lambda: None
        self.on_ringing: Callable[[], None] = lambda: None
        self.on_answered: Callable[[], None] = lambda: None
        self.on_over: Callable[[], None] = lambda: None
        self.is_over = False
        self._call, self._spawn, self._is_ours = call, spawn, is_ours
        self._text = ""
        self._up_at = self._heard_at = 0.0
        call.on(self._hear_of)

    @property
    def ending(self) -> Ending:
        """How it ended, from the status of a call that was never answered."""
        status = int(self._text[:3]) if self._text[:3].isdigit() else 0
        if status in BUSY:
            return "busy"
        return "no-answer" if status in NO_ANSWER else "failed" if status >= 400 else "completed"

    def answer(self) -> None:
        """Pick up. With `video=True` an audio offer still gets an audio answer, and no needless re-INVITE."""
        self._spawn(self._safely(self._call.answer(video=True)))

    def refuse(self, is_busy: bool) -> None:
        """486 Busy Here, or a decline."""
        self._spawn(self._safely(self._call.reject() if is_busy else self._call.hangup()))

    def hang_up(self) -> None:
        """BYE, or CANCEL while it rings."""
        if not self.is_over:
            self._spawn(self._safely(self._call.hangup()))

    def press(self, digit: str) -> None:
        """As a telephone-event."""
        self._spawn(self._safely(self._call.send_dtmf(digit)))

    def write(self, pcm: bytes) -> int:
        """Into the stack's buffer."""
        try:
            return int(self._call.audio.write(pcm))
        except (AudioNotActive, AudioRestarted):
            return 0

    def unsent(self) -> int:
        """What lies there."""
        try:
            return int(self._call.audio.info().tx_buffered)
        except (AudioNotActive, AudioRestarted):
            return 0

    def flush(self) -> None:
        """Empty it."""
        try:
            self._call.audio.flush_tx()
        except (AudioNotActive, AudioRestarted):
            log.debug("nothing to flush")

    def read(self) -> bytes:
        """From the stack's other buffer."""
        try:
            heard = bytes(self._call.audio.read(READ_BYTES))
        except (AudioNotActive, AudioRestarted):
            return b""
        if heard:
            self._heard_at = time.monotonic()
        return heard

    def is_silent(self, seconds: float) -> bool:
        """Whether the other side has vanished: no sound has come for so long, and nobody holds the call.

        Who is called by us may have no microphone, as loudspeakers do: only one that has sent sound and
        sends none any more is taken to be gone.
        """
        since = self._heard_at or (0.0 if self._is_ours else self._up_at)
        is_expected = since > 0 and not self.is_over and not self._call.remote_on_hold
        return is_expected and time.monotonic() - since > seconds

    async def _safely(self, act: Coroutine[Any, Any, None]) -> None:
        try:
            await act
        except BaresipError as error:  # mostly: the other side was faster
            log.info("a call did not take a command: %s", type(error).__name__)

    def _hear_of(self, event: StackEvent) -> None:
        match event.event:
            case Event.CALL_RINGING | Event.CALL_PROGRESS:
                self.on_ringing()
            case Event.CALL_ESTABLISHED:
                self._up_at = time.monotonic()
                self.on_answered()
            case Event.CALL_RESUME:
                self._up_at = self._heard_at = time.monotonic()
            case Event.CALL_DTMF_START:
                self.on_key(event.text or "")
            case Event.CALL_DTMF_END:
                self.on_key_over()
            case Event.CALL_CLOSED:
                self.is_over, self._text = True, event.text or ""
                self.on_over()


class BaresipStack:
    """`Stack`, by baresip-python."""

    def __init__(self, settings: LineSettings) -> None:
        self.on_dead: Callable[[], None] = lambda: None
        self._settings = settings
        self._runtime = Runtime()
        self._agent: UserAgent
        self._recent: deque[StackEvent] = deque(maxlen=MOST_RECENT)
        self._sources = Sources()
        self._legs: set[BaresipLeg] = set()
        first, last = settings.rtp_ports
        self._ports = (settings.port, *range(first, last + 1))
        self._warden = Warden(Fence(()), self._ports)
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, take: Callable[[Leg], None]) -> None:
        """Listen, behind the fence, and register where an account is set. Raises StackError, FenceError."""
        settings = self._settings
        self._warden = Warden(await self._fence(), self._ports)
        self._runtime.on_dead = lambda: self.on_dead()
        self._sources.begin()
        try:
            await self._runtime.start(_config(settings))
            self._runtime.subscribe(self._recent.append)
            if settings.port not in self._warden.guard():
                raise StackError(f"the line cannot listen on {settings.host}:{settings.port}")
            self._agent = await UserAgent.create(self._runtime, _account(settings), transfer_policy="reject")
        except BaresipError as error:
            await self.close()
            raise StackError(f"the SIP stack does not start: {error}") from error
        except ExchangeError:
            await self.close()
            raise
        self._agent.on_incoming(lambda call: self._spawn(self._arrive(call, self._leg(call), take)))
        self._spawn(self._keep_fence())
        self._spawn(self._watch())
        if settings.account:
            self._spawn(self._register())

    async def dial(self, address: str, headers: Mapping[str, str] | None = None) -> Leg:
        """Ring an address. Raises StackError."""
        try:
            call = await self._agent.dial(address, dict(headers or {}))
        except (BaresipError, ValueError) as error:
            raise StackError("the SIP stack does not dial") from error
        leg = self._leg(call, is_ours=True)
        for event in [event for event in self._recent if event.call == call.handle]:
            asyncio.get_running_loop().call_soon(call._on_stack_event, event)
        return leg

    async def close(self) -> None:
        """End all calls, then the stack itself."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self._runtime.close()
        except BaresipError as error:
            log.warning("the SIP stack did not close: %s", error)
        self._sources.end()

    async def _arrive(self, call: Call, leg: BaresipLeg, take: Callable[[Leg], None]) -> None:
        """Hand a call on once it is known where it came from."""
        looks = 0
        while not (source := self._sources.of(call.call_id or "")) and looks < SOURCE_LOOKS:
            looks += 1
            await asyncio.sleep(SOURCE_SECONDS)
        leg.invite = replace(leg.invite, source=source)
        if not leg.is_over:
            take(leg)

    def _leg(self, call: Call, is_ours: bool = False) -> BaresipLeg:
        self._warden.guard()  # each call opens sockets of its own for sound
        leg = BaresipLeg(call, self._spawn, is_ours)
        self._legs.add(leg)
        return leg

    async def _fence(self) -> Fence:
        return Fence(await asyncio.to_thread(networks_of, self._settings.welcome))

    async def _watch(self) -> None:
        """Hang up where the other side has vanished. The library's own watch cuts off who only listens."""
        seconds = self._settings.dead_seconds
        while seconds:
            await asyncio.sleep(min(1.0, seconds / 4))
            self._legs = {leg for leg in self._legs if not leg.is_over}
            for leg in self._legs:
                if leg.is_silent(seconds):
                    log.info("a call without sound is over")
                    leg.hang_up()

    async def _keep_fence(self) -> None:
        """Look up again whom to let in: names move to other addresses."""
        while True:
            await asyncio.sleep(FENCE_SECONDS)
            self._warden.move(await self._fence())

    async def _register(self) -> None:
        """Register with the provider; the stack refreshes, we begin anew after a failure."""
        while True:
            try:
                await self._agent.register()
                log.info("the line is registered")
                return
            except BaresipError as error:
                log.warning("the line is not registered: %s", error)
                await asyncio.sleep(REGISTER_SECONDS)

    def _spawn(self, act: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(act)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _config(settings: LineSettings) -> Config:
    """`net_interface` because discovery passes over loopback; the ports because their default overlaps with
    other programs of the kind.
    """
    first, last = settings.rtp_ports
    return Config(
        net_interface=None if settings.host == "0.0.0.0" else settings.host,
        max_concurrent_calls=None,
        expose_headers=HEADERS,
        native_log_level="error",
        sip_trace=True,
        extra_config_text=(
            f"sip_listen {settings.host}:{settings.port}\n"
            "sip_transports udp\n"
            f"audio_jitter_buffer_type {settings.jitter}\n"
            f"rtp_ports {first}-{last}\n"
        ),
    )


def _account(settings: LineSettings) -> Account:
    """`catchall` because calls come to any user part."""
    account = settings.account
    if account is None:
        return Account(
            user=settings.user,
            domain=f"{settings.host}:{settings.port}",
            password="",
            reg_interval=0,
            audio_codecs=settings.codecs,
            extra_params=("catchall=yes",),
        )
    return Account(
        user=account.user,
        domain=account.domain,
        password=account.password,
        auth_user=account.auth_user or None,
        reg_interval=300,
        audio_codecs=settings.codecs,
        extra_params=("catchall=yes",),
    )
