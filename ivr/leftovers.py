"""Recordings of a caller who is gone that no turn has claimed: each is kept, once."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from ivr.answering import Answering, told_seconds, wakes_of
from ivr.deciding import Done, Wake
from ivr.dialogue.turns import Recorded
from ivr.keeping import Keeping
from ivr.live import Live, take
from ivr.sounds import unclaimed
from sync.records.tables import Recording

log = logging.getLogger(__name__)

UNCLAIMED_SECONDS = 60.0
"""A recording that no turn has taken for so long was made by a caller who is gone."""


def settle(session: Session, answering: Answering, call_id: str) -> Done:
    """Take what a call has left. Safe to repeat."""
    wakes: tuple[Wake, ...] = ()
    live = take(session, call_id=call_id)
    left = unclaimed(session, call_id) if live is not None and not live.is_forgotten else ()
    for recording in left:
        assert live is not None
        now = answering.clock()
        if _is_left_behind(recording, live, now):
            wakes += _take_recording(session, answering, live, recording, now).wakes
            live = take(session, call_id=call_id)
    return Done(wakes=wakes)


def _is_left_behind(recording: Recording, live: Live, now: datetime) -> bool:
    return live.ended_at is not None or recording.created_at <= now - timedelta(seconds=UNCLAIMED_SECONDS)


def _take_recording(
    session: Session, answering: Answering, live: Live, recording: Recording, now: datetime
) -> Done:
    """To the place that waits for it, as if the caller had hung up; a message when that place has gone."""
    recording.is_claimed = True
    session.flush()
    log.info("recording %s of call %s kept after the caller was gone", recording.id, live.call_id)
    if recording.turn == live.turn:
        heard = Recorded(recording.id, told_seconds(recording.seconds), "hangup")
        return answering.advance(session, live, heard, now, hears=False)
    keeping = Keeping(session, answering.archive, live.speaker, f"left {recording.sid}", now)
    keeping.keep_message(recording.id)
    return Done(wakes=wakes_of(keeping))
