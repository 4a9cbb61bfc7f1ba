"""The state of a play only ever moves forward, whatever is told in whatever order and however often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ivr.broadcast.loudspeakers import Told
from sync.records.tables import Loudspeaker, Play
from sync.upsert import is_among

RANKS: Mapping[str, int] = {
    "waiting": 0,
    "sent": 1,
    "received": 2,
    "started": 3,
    "unknown": 4,  # we have stopped waiting; a late word from the device still says more
    "finished": 5,
    "failed": 5,
    "expired": 5,
    "cut": 5,
}
ENDS = frozenset(state for state, rank in RANKS.items() if rank == 5)
OPEN = ("waiting", "sent", "received", "started")
_LONGEST_DETAIL = 60


def forward(state: str, told: str) -> str:
    """The state after something was told: the further of the two; of two ends the one that came first."""
    return told if RANKS[told] > RANKS[state] else state


def state_told(told: Told) -> str | None:
    """The state of a play that this speaks of; None where it is about the loudspeaker alone."""
    match told.what, told.detail:
        case "failed", "stopped":
            return "cut"
        case "failed", "expired":
            return "expired"
        case (("received" | "started" | "finished" | "failed"), _):
            return told.what
    return None


def move(play: Play, state: str, at: datetime, detail: str = "") -> bool:
    """Move a play forward; False where it is as far already."""
    if forward(play.state, state) == play.state:
        return False
    play.state = state
    match state:
        case "sent":
            play.sent_at = at
        case "received":
            play.received_at = at
        case "started":
            play.started_at = at
        case _:
            play.ended_at = at
    if detail or state in ENDS:
        play.error = "".join(letter for letter in detail if letter.isprintable())[:_LONGEST_DETAIL] or None
    return True


def write_down(session: Session, told: Sequence[Told]) -> int:
    """Write down what loudspeakers told; how many plays moved. Of another's play nothing is believed."""
    plays = _plays(session, {one.play_id for one in told if one.play_id})
    speakers = _speakers(session, {one.loudspeaker_id for one in told})
    moved = 0
    for one in told:
        play, speaker = plays.get(one.play_id or ""), speakers.get(one.loudspeaker_id)
        if speaker is not None:
            _seen(speaker, one)
        state = state_told(one)
        if play is not None and state is not None and play.loudspeaker_id == one.loudspeaker_id:
            moved += move(play, state, one.at, one.detail)
    return moved


def _seen(speaker: Loudspeaker, told: Told) -> None:
    """Whoever speaks is there; who failed has a problem until it plays again."""
    match told.what:
        case "gone":
            speaker.presence = "gone"
        case "failed":
            speaker.problem = None if told.detail in {"stopped", "expired"} else (told.detail or "failed")
        case "finished" if told.detail == "unconfirmed":
            speaker.problem = None  # nothing answers there: that it was sent says nothing of who heard it
        case _:
            speaker.presence = "here"
            speaker.last_seen_at = max(told.at, speaker.last_seen_at or told.at)
            if told.what == "finished":
                speaker.problem = None


def _plays(session: Session, ids: set[str]) -> Mapping[str, Play]:
    rows = select(Play).where(is_among(session, Play.id, sorted(ids))).order_by(Play.id)
    return {row.id: row for row in session.scalars(rows.with_for_update())} if ids else {}


def _speakers(session: Session, ids: set[str]) -> Mapping[str, Loudspeaker]:
    rows = select(Loudspeaker).where(is_among(session, Loudspeaker.id, sorted(ids))).order_by(Loudspeaker.id)
    return {row.id: row for row in session.scalars(rows.with_for_update())} if ids else {}
