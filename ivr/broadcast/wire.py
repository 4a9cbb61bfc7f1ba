"""What goes over the broker: topics, jobs, answers, presence; whatever is not one of them is nothing.

| topic | who writes | what |
|---|---|---|
| `tingjian/<loudspeaker>/job` | we | a job: `{id, url, sha256, volume, repeat, at, expires, …}` |
| `tingjian/all/stop` | we | `{airing}`: nothing of it sounds any more |
| `tingjian/<loudspeaker>/told` | the loudspeaker | what became of a job: `{id, what, at, detail}` |
| `tingjian/<loudspeaker>/presence` | the loudspeaker, retained | `{here, at}`; its last will: it is gone |

Moments are Unix time in seconds. A message that was retained is never a job, a stop or an answer.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast, get_args

Answered = Literal["received", "started", "finished", "failed"]

ROOT = OUR_USER = "tingjian"
STOPS = f"{ROOT}/all/stop"
ALL_TOLD, ALL_PRESENCE = f"{ROOT}/+/told", f"{ROOT}/+/presence"
MOST_JOB_BYTES, MOST_ANSWER_BYTES = 4096, 1024
MOST_REPEATS = 10
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SUM = re.compile(r"[0-9a-f]{64}")
_DETAIL = re.compile(r"[a-z_]{1,32}")


@dataclass(frozen=True)
class Order:
    """A job as the loudspeaker gets it: fetch `url`, check `sha256`, play `repeat` times from `at` on.

    Not begun at or after `expires`. `volume` is 0 to 100, `seconds` the length once through. An order that
    `cuts_in` ends what sounds.
    """

    id: str
    url: str
    sha256: str
    volume: int
    repeat: int
    at: float
    expires: float
    airing: str
    seconds: float
    cuts_in: bool = False

    def to_bytes(self) -> bytes:
        """As JSON."""
        return json.dumps(asdict(self)).encode()


@dataclass(frozen=True)
class Answer:
    """What a loudspeaker tells of one of its jobs. `detail` is a short word."""

    id: str
    what: Answered
    at: float
    detail: str = ""

    def to_bytes(self) -> bytes:
        """As JSON."""
        return json.dumps(asdict(self)).encode()


def job_topic(loudspeaker_id: str) -> str:
    """Where a loudspeaker gets its jobs."""
    return f"{ROOT}/{loudspeaker_id}/job"


def told_topic(loudspeaker_id: str) -> str:
    """Where it answers."""
    return f"{ROOT}/{loudspeaker_id}/told"


def presence_topic(loudspeaker_id: str) -> str:
    """Where it says that it is there, and its last will that it is not."""
    return f"{ROOT}/{loudspeaker_id}/presence"


def sender_of(topic: str, kind: Literal["told", "presence"]) -> str | None:
    """The loudspeaker that wrote to a topic of this kind."""
    root, _, rest = topic.partition("/")
    loudspeaker_id, _, last = rest.partition("/")
    is_ours = root == ROOT and last == kind and _ID.fullmatch(loudspeaker_id)
    return loudspeaker_id if is_ours else None


def stop_bytes(airing_id: str) -> bytes:
    """What ends an airing."""
    return json.dumps({"airing": airing_id}).encode()


def presence_bytes(is_here: bool, at: float = 0.0) -> bytes:
    """What a loudspeaker says of itself. A last will knows no moment: 0."""
    return json.dumps({"here": is_here, "at": at}).encode()


def read_order(payload: bytes) -> Order | None:
    """The order in a message; None when it is none, or asks for what no order may."""
    given = _read(payload, MOST_JOB_BYTES)
    try:
        order = Order(
            id=_matching(_ID, given["id"]),
            url=_address(given["url"]),
            sha256=_matching(_SUM, given["sha256"]),
            volume=int(_within(given["volume"], 0, 100)),
            repeat=int(_within(given["repeat"], 1, MOST_REPEATS)),
            at=_within(given["at"], 0, 1e11),
            expires=_within(given["expires"], 0, 1e11),
            airing=_matching(_ID, given["airing"]),
            seconds=_within(given["seconds"], 0, 86_400),
            cuts_in=given.get("cuts_in") is True,
        )
    except (KeyError, TypeError, ValueError):
        return None
    return order


def read_answer(payload: bytes) -> Answer | None:
    """The answer in a message; None when it is none. A detail in other words than ours is left out."""
    given = _read(payload, MOST_ANSWER_BYTES)
    try:
        what = given["what"]
        if what not in get_args(Answered):
            return None
        detail = given.get("detail")
        known = isinstance(detail, str) and _DETAIL.fullmatch(detail)
        at = _within(given["at"], 0, 1e11)
        return Answer(_matching(_ID, given["id"]), cast("Answered", what), at, str(detail) if known else "")
    except (KeyError, TypeError, ValueError):
        return None


def read_stop(payload: bytes) -> str | None:
    """The airing that is to end; None when the message is no stop."""
    try:
        return _matching(_ID, _read(payload, MOST_ANSWER_BYTES)["airing"])
    except (KeyError, TypeError, ValueError):
        return None


def read_presence(payload: bytes) -> tuple[bool, float] | None:
    """Whether a loudspeaker is there, and since when; None when the message does not say."""
    given = _read(payload, MOST_ANSWER_BYTES)
    try:
        is_here, at = given["here"], _within(given.get("at", 0), 0, 1e11)
    except (KeyError, TypeError, ValueError):
        return None
    return (is_here, at) if isinstance(is_here, bool) else None


def _read(payload: bytes, most_bytes: int) -> dict[str, Any]:
    if len(payload) > most_bytes:
        return {}
    try:
        given = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return given if isinstance(given, dict) else {}


def _matching(pattern: re.Pattern[str], value: object) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError("not in the form it should have")
    return value


def _address(value: object) -> str:
    if not isinstance(value, str) or not value.startswith(("http://", "https://")):
        raise ValueError("no address to fetch from")
    return value


def _within(value: object, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise ValueError("no number, or out of bounds")
    return float(value)
