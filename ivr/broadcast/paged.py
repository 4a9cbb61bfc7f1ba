"""How a loudspeaker is called: its address, the headers or keys that open it, the limits. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from ivr.broadcast.airing import total_seconds
from ivr.broadcast.loudspeakers import BroadcastError, Job
from ivr.outbound.door import QuietOrder

MARGIN_SECONDS = 15
"""On top of keys and sound: what answering, fetching and hanging up may take."""
PAGE_RING_SECONDS, CALL_RING_SECONDS = 20, 45
"""A loudspeaker that answers by itself does it at once; an adapter on a line waits for a ring or two."""
PIN = "{pin}"
"""Stands for the loudspeaker's secret in its keys: `w{pin}#ww`."""
KEY_SECONDS: Mapping[str, float] = {"w": 0.5, "W": 1.0}
CALL_INFO = ("Call-Info", "<sip:{host}>;answer-after=0")
ALERT_INFO = ("Alert-Info", "<http://{host}>;info=alert-autoanswer;delay=0")
AUTO_ANSWER: Mapping[str, tuple[tuple[str, str], ...]] = {
    "call-info": (CALL_INFO,),
    "alert-info": (ALERT_INFO,),
    "both": (CALL_INFO, ALERT_INFO),
    "none": (),
}
"""Headers by which a device picks up by itself."""
_NUMBER = re.compile(r"\+?[0-9]{3,15}")
_SIP = re.compile(r"sip:[^@?\s]+@([^:?\s]+)(?::[0-9]+)?")
_KEYS = re.compile(r"[0-9*#wW]{0,64}")


def page(job: Job, from_: str, url: str) -> QuietOrder:
    """A loudspeaker on the network: `uri` in its address is `sip:801@192.0.2.20`, or an extension that the
    PBX behind our line knows; `auto_answer` names the headers. Raises BroadcastError where it has neither.
    """
    address = job.loudspeaker.address
    uri, manner = str(address.get("uri", "")).strip(), str(address.get("auto_answer") or "both")
    found = _SIP.fullmatch(uri)
    if manner not in AUTO_ANSWER or not (found or _NUMBER.fullmatch(uri)):
        raise BroadcastError("refused")
    if found and AUTO_ANSWER[manner]:
        headers = [(name, value.format(host=found[1])) for name, value in AUTO_ANSWER[manner]]
        uri += f"?{urlencode(headers, quote_via=quote)}"
    return _order(job, uri, from_, url, PAGE_RING_SECONDS)


def call(job: Job, from_: str, url: str) -> QuietOrder:
    """An adapter that has a telephone `number` and lets ours in. Raises BroadcastError where it has none."""
    number = re.sub(r"[\s()-]", "", str(job.loudspeaker.address.get("number", "")))
    if not _NUMBER.fullmatch(number):
        raise BroadcastError("refused")
    return _order(job, number, from_, url, CALL_RING_SECONDS)


def sounding_seconds(job: Job) -> float:
    """How long a call lasts from picking up until all has been played."""
    spent = sum(
        KEY_SECONDS.get(key, 0.25) for key in keys_of(job.loudspeaker.address, job.loudspeaker.secret)
    )
    return spent + total_seconds(job.sound.seconds, job.repeat)


def keys_of(address: Mapping[str, Any], secret: str) -> str:
    """What is pressed once it has picked up: digits, `*`, `#`, `w` for half a second, `W` for a whole one.

    Raises BroadcastError for anything else, as where `{pin}` stands for a secret that is no number.
    """
    keys = str(address.get("keys", "")).replace(PIN, secret)
    if not _KEYS.fullmatch(keys):
        raise BroadcastError("refused")
    return keys


def _order(job: Job, to: str, from_: str, url: str, ring_seconds: int) -> QuietOrder:
    most = math.ceil(sounding_seconds(job)) + MARGIN_SECONDS
    keys = keys_of(job.loudspeaker.address, job.loudspeaker.secret)
    return QuietOrder(to, from_, url, most, ring_seconds, keys)
