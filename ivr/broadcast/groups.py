"""Multicast groups as loudspeakers name them, and a programme as the G.711 that is sent there."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Any

import numpy as np
import soundfile

from ivr.broadcast.airing import BETWEEN_REPEATS_SECONDS
from ivr.broadcast.loudspeakers import BroadcastError, Job
from ivr.broadcast.rtp import LAWS
from speech.audio import PHONE_RATE, Audio, read_audio, resample
from speech.errors import SpeechError

MOST_SECONDS = 3600.0
LOCAL_CONTROL = IPv4Network("224.0.0.0/24")
"""Groups that routers and devices use among themselves (RFC 5771, 4)."""


@dataclass(frozen=True)
class Group:
    """Where a loudspeaker listens. `interface` is the address of the network card to send from, "" the
    kernel's choice.
    """

    host: str
    port: int
    ttl: int = 1
    interface: str = ""
    law: str = "alaw"

    @property
    def where(self) -> tuple[str, int]:
        """What everybody who listens there hears."""
        return self.host, self.port


def group_of(address: Mapping[str, Any], interface: str = "") -> Group:
    """The group in a loudspeaker's address: `group`, `port`, and if wanted `ttl`, `law` (alaw · ulaw),
    `interface`.

    A device's own private address is let through as well: many take the same packets there. Raises
    BroadcastError for anything else.
    """
    try:
        host, port = IPv4Address(str(address["group"])), int(address["port"])
        ttl, law = int(address.get("ttl", 1)), str(address.get("law", "alaw"))
        card = str(address.get("interface") or interface)
        if card:
            IPv4Address(card)
    except (KeyError, TypeError, ValueError, AddressValueError) as error:
        raise BroadcastError("a multicast address needs a group, a port, and numbers in them") from error
    is_reachable = host not in LOCAL_CONTROL if host.is_multicast else host.is_private and int(host) != 0
    if not is_reachable or not 1024 <= port <= 65535 or not 0 <= ttl <= 255 or law not in LAWS:
        raise BroadcastError("this group, port, TTL or law can't be sent to")
    return Group(str(host), port, ttl, card, law)


def encoded(job: Job, law: str) -> bytes:
    """The whole of a job's sound as G.711: checked against its sum, at its volume, as often as wanted.

    Volume 100 is the sound as it was made. Slow; raises BroadcastError.
    """
    try:
        data = job.sound.path.read_bytes()
        if hashlib.sha256(data).hexdigest() != job.sound.sha256:
            raise BroadcastError("wrong_sum")
        sound = resample(read_audio(data, MOST_SECONDS), PHONE_RATE)
    except (OSError, SpeechError) as error:
        raise BroadcastError("refused") from error
    once = sound.samples * (min(max(job.loudspeaker.volume, 0), 100) / 100)
    gap = np.zeros(int(BETWEEN_REPEATS_SECONDS * PHONE_RATE), np.float32)
    return as_g711(Audio(np.concatenate([once, *([gap, once] * (job.repeat - 1))]), PHONE_RATE), law)


def as_g711(sound: Audio, law: str) -> bytes:
    """Sound of 8 kHz, one byte a sample."""
    target = io.BytesIO()
    soundfile.write(target, sound.samples, PHONE_RATE, subtype=LAWS[law].subtype, format="RAW")
    return target.getvalue()
