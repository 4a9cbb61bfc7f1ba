"""The contract of every kind of loudspeaker: jobs go down, what became of them comes up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol, cast

from sync.archive import Archive

What = Literal["received", "started", "finished", "failed", "seen", "gone"]
Form = Literal["mp3", "wav", "phone"]
"""`mp3` and `wav`: 24 kHz mono, for devices; `phone`: an A-law WAV of 8 kHz, as telephone lines carry it."""

KINDS: Mapping[str, str] = {  # named here, imported on use
    "mqtt": "ivr.broadcast.mqtt:MqttLoudspeakers",
    "sip": "ivr.broadcast.paging:PagedLoudspeakers",
    "callin": "ivr.broadcast.paging:CalledLoudspeakers",
    "multicast": "ivr.broadcast.multicast:MulticastLoudspeakers",
    "files": "ivr.broadcast.files:FileLoudspeakers",
    "certified": "ivr.broadcast.certified:CertifiedSystem",
}


class BroadcastError(Exception):
    """A loudspeaker, its broker or its line can't be used; the message holds no number and no secret."""


@dataclass(frozen=True)
class Speaker:
    """One loudspeaker as an adapter sees it: `volume` (0 to 100) is that of this job."""

    id: str
    address: Mapping[str, Any]
    secret: str = field(default="", repr=False)
    volume: int = 60
    community_id: str = ""
    name: str = ""


@dataclass(frozen=True)
class SoundFile:
    """One rendered programme. `url` is "" where the adapter signs an address of its own."""

    path: Path
    sha256: str  # of the file's bytes, in hex
    seconds: float
    media_type: str
    url: str = ""


@dataclass(frozen=True)
class Job:
    """One programme for one loudspeaker. `play_id` is the same however often the job is handed down.

    It begins at `at`, or as soon as it comes, and never at or after `expires_at` (both UTC). It sounds
    `repeat` times in a row.
    """

    play_id: str
    airing_id: str
    loudspeaker: Speaker
    sound: SoundFile
    repeat: int
    at: datetime
    expires_at: datetime
    is_emergency: bool = False
    title: str = ""


@dataclass(frozen=True)
class Told:
    """What a loudspeaker, or the way to it, tells. `seen` and `gone` are about no play in particular.

    `detail` of `failed` is a short word without numbers: `busy`, `no_answer`, `refused`, `wrong_sum`,
    `unreachable`, `interrupted`, `expired`, `stopped`.
    """

    play_id: str | None
    loudspeaker_id: str
    what: What
    at: datetime
    detail: str = ""


UNCONFIRMED = "unconfirmed"
"""The detail of `finished` where nobody can say that it was heard: handed over to the end, not confirmed."""

Report = Callable[[Told], None]
"""Takes what is told, from any thread; returns at once and raises nothing."""


class Loudspeakers(Protocol):
    """All loudspeakers of one kind, driven from one asyncio loop. Methods raise BroadcastError only.

    `form` is the sound it wants, unless a loudspeaker's address says another under `form`. `knows_repeats`:
    the other side plays one `play_id` once however often it is sent, and tells again what became of it, so
    that an announcer that is started again hands down anew what it has not heard the end of. Where it is
    False such a play ends as `unknown`.
    """

    form: Form
    knows_repeats: bool

    @classmethod
    def opened(cls, wiring: Wiring) -> Loudspeakers:
        """This kind as the settings want it. Raises BroadcastError where they don't allow it."""
        ...

    async def start(self, report: Report) -> None:
        """Begin listening; from now on `report` is told. The other side may still be away."""
        ...

    async def air(self, job: Job) -> None:
        """Hand a job down. Returns once it is on its way, or under way, not when it has been played.

        Every job handed down is told `finished` or `failed` in the end, as far as the other side lets us
        know. A `play_id` that is under way or over is not begun again. An expired job is told `failed`.
        """
        ...

    async def stop(self, airing_id: str) -> None:
        """Be silent: whatever plays or waits of this airing ends now, told `failed` with `stopped`."""
        ...

    async def close(self) -> None:
        """Let go of everything; nothing is told after this returns."""
        ...


@dataclass(frozen=True)
class Wiring:
    """What adapters are opened with. `web_url`: the address by which loudspeakers reach web.

    `settings` are the process settings of this part by name (`broker`, `broker_user`, …): `admin.settings`
    reads them from the environment.
    """

    archive: Archive
    home: Path
    web_url: str
    settings: Mapping[str, str] = field(default_factory=dict)


def open_kind(kind: str, wiring: Wiring) -> Loudspeakers:
    """The adapter of a kind, imported on use. Raises BroadcastError for a kind there is none of."""
    try:
        module, name = KINDS[kind].split(":")
        adapter = getattr(import_module(module), name)
    except (KeyError, ModuleNotFoundError, AttributeError) as error:
        raise BroadcastError(f"there is no adapter for loudspeakers of the kind {kind}") from error
    return cast("Loudspeakers", adapter.opened(wiring))
