"""The live call and its records: a turn is one transaction; a repeated one gets the stored answer again."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ivr.arrivals import Arrival, Delivered, Manner, Reached, UnknownCall
from ivr.beginning import Beginnings
from ivr.conversation import CALLS_REMEMBERED, Conversations, run
from ivr.dialogue.answer import begin
from ivr.dialogue.turns import Heard, Pressed, Recorded, Started, Turn
from ivr.keeping import Keeping
from ivr.live import Live, mark_ended, move, stored_answer, take, write_call, write_turn
from ivr.recent import Recent
from ivr.sounds import note_recording, recording_id_of, unclaimed
from speech.synthesize import FEMALE
from sync.archive import Archive
from sync.records.tables import Recording

log = logging.getLogger(__name__)

UNCLAIMED_SECONDS = 60.0
"""A recording that no turn has taken for so long is taken by settling: its caller is gone."""

_UNTOLD_SECONDS = 30.0  # a length that no platform told must not look like a slip of the finger
_DUPLICATES = 3  # tries against another process that writes the same turn at the same moment

Render = Callable[[Turn, Manner], str]
Clock = Callable[[], datetime]
Wake = tuple[str, dict[str, str]]


class Queue(Protocol):
    """What calls need of the work queue: to wake a worker, never failing."""

    def put(self, job: str, **arguments: str) -> bool: ...


def utc_now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Done:
    """What a transaction came to: a document, and the work to wake once it is committed."""

    document: str = ""
    wakes: tuple[Wake, ...] = ()


@dataclass
class Calls:
    """Calls as the phone lines drive them. `render` makes the document of a turn; `clock` gives UTC.

    Every method raises RecordsUnavailable when nothing could be kept: the same may be asked again.
    """

    archive: Archive
    queue: Queue
    render: Render
    clock: Clock = utc_now
    _conversations: Conversations = field(default_factory=Conversations, init=False)
    _beginnings: Beginnings = field(init=False)
    _manners: Recent[Manner] = field(default_factory=lambda: Recent(CALLS_REMEMBERED), init=False)

    def __post_init__(self) -> None:
        self._beginnings = Beginnings(self.archive)

    def begin(self, arrival: Arrival) -> str:
        """The first document of a call, new or told of again. Raises UnknownNumber, UnknownCall."""
        return self._decide(lambda session: self._begin(session, arrival))

    def answer(self, sid: str, n: int, reached: Reached, line: str | None = None) -> str:
        """The document that answers turn `n`; a repeated or early `n` gets what was answered last.

        '' when that turn was settled while nobody listened. Raises UnknownCall, also for another line's call.
        """
        return self._decide(lambda session: self._answer(session, _known(session, sid, line), n, reached))

    def announce(self, sid: str, n: int, given: Delivered, line: str | None = None) -> None:
        """A recording made by the Record that turn `n` answers is finished. Raises UnknownCall."""
        self._decide(lambda session: self._announce(session, _known(session, sid, line), n, given))

    def end(self, sid: str, status: str, line: str | None = None) -> None:
        """The line says that the call is over (`completed`, `busy`, …). Raises UnknownCall."""
        self._decide(lambda session: self._end(session, _known(session, sid, line), status))

    def settle(self, call_id: str) -> None:
        """Take what a caller who is gone has left: recordings that no turn has claimed. Safe to repeat."""
        self._decide(lambda session: self._settle(session, call_id))

    def manner(self, sid: str, n: int) -> Manner:
        """How to speak to a call when the records cannot be asked: as lately, else plainly."""
        known = self._manners.get(sid)
        return replace(known, n=n) if known is not None else Manner(sid, n, voice=FEMALE)

    # --- one transaction each ---
    def _decide(self, work: Callable[[Session], Done]) -> str:
        for tries_left in reversed(range(_DUPLICATES)):
            try:
                with self.archive.database.begin() as session:
                    done = work(session)
                break
            except IntegrityError:  # another wrote the same first: read what it wrote
                if not tries_left:
                    raise
        for job, arguments in done.wakes:
            self.queue.put(job, **arguments)
        return done.document

    def _begin(self, session: Session, arrival: Arrival) -> Done:
        known = take(session, sid=arrival.sid)
        if known is not None:
            _check_line(known, arrival.line)
            return Done(stored_answer(session, known.call_id, 0))
        now = self.clock()
        begun = self._beginnings.new_call(session, arrival, now)
        call_id, part = begun.call_id, begun.row["view"]
        conversation = self._conversations.over(call_id, part, lambda: begun.shared.content)
        keeping = Keeping(session, self.archive, begun.speaker, "0", now)
        turn = run(conversation, begin(conversation.flow), Started(), keeping)
        document = self.render(turn, begun.manner)
        connection = session.connection()
        write_call(connection, begun.row, keeping.person_id, turn)
        write_turn(connection, call_id, 0, Started(), turn, document, now)
        self._manners.put(arrival.sid, begun.manner)
        log.info("call %s began on %s", call_id, arrival.line)
        return Done(document, _wakes(keeping, document))

    def _answer(self, session: Session, live: Live, n: int, reached: Reached) -> Done:
        now = self.clock()
        is_next = n == live.turn + 1
        wakes: tuple[Wake, ...] = ()
        if isinstance(reached, Delivered):
            recording_id = note_recording(session, live.call_id, live.speaker, n - 1, reached, is_next, now)
            wakes = (("fetch_recording", {"recording_id": recording_id}),)
            if not is_next:  # kept all the same, should no turn have taken it
                wakes += (("settle_call", {"call_id": live.call_id}),)
        if not is_next:
            latest = n if 0 <= n <= live.turn else live.turn
            return Done(stored_answer(session, live.call_id, latest), wakes)
        done = self._advance(session, live, _heard(reached, live, now), now)
        return Done(done.document, wakes + done.wakes)

    def _advance(self, session: Session, live: Live, heard: Heard, now: datetime, hears: bool = True) -> Done:
        """Answer the next turn. For a caller who no longer `hears`, nothing is rendered."""
        n = live.turn + 1
        if self._manners.get(live.manner.sid) is None:
            self._manners.put(live.manner.sid, live.manner)
        keeping = Keeping(session, self.archive, live.speaker, str(n), now)
        turn = run(self._conversations.of(session, live.call_id), live.place, heard, keeping)
        document = self.render(turn, replace(live.manner, n=n)) if hears else ""
        connection = session.connection()
        write_turn(connection, live.call_id, n, heard, turn, document, now)
        move(connection, live.call_id, n, keeping.person_id, turn, now)
        return Done(document, _wakes(keeping, document))

    def _announce(self, session: Session, live: Live, n: int, given: Delivered) -> Done:
        recording_id = note_recording(session, live.call_id, live.speaker, n - 1, given, False, self.clock())
        wakes: tuple[Wake, ...] = (("fetch_recording", {"recording_id": recording_id}),)
        if live.ended_at is not None:
            wakes += (("settle_call", {"call_id": live.call_id}),)
        return Done(wakes=wakes)

    def _end(self, session: Session, live: Live, status: str) -> Done:
        if live.ended_at is not None:
            return Done()
        now = self.clock()
        mark_ended(session, live, status, now)
        log.info("call %s ended: %s", live.call_id, status)
        return Done(wakes=(("settle_call", {"call_id": live.call_id}),))

    def _settle(self, session: Session, call_id: str) -> Done:
        wakes: tuple[Wake, ...] = ()
        live = take(session, call_id=call_id)
        left = unclaimed(session, call_id) if live is not None else ()
        for recording in left:
            assert live is not None
            if not self._is_left_behind(recording, live):
                continue
            wakes += self._take_recording(session, live, recording).wakes
            live = take(session, call_id=call_id)
        return Done(wakes=wakes)

    def _is_left_behind(self, recording: Recording, live: Live) -> bool:
        waits_since = self.clock() - timedelta(seconds=UNCLAIMED_SECONDS)
        return live.ended_at is not None or recording.created_at <= waits_since

    def _take_recording(self, session: Session, live: Live, recording: Recording) -> Done:
        recording.is_claimed = True
        session.flush()
        now = self.clock()
        log.info("recording %s of call %s kept after the caller was gone", recording.id, live.call_id)
        if recording.turn == live.turn:
            seconds = _UNTOLD_SECONDS if recording.seconds is None else recording.seconds
            heard = Recorded(recording.id, seconds, "hangup")
            return self._advance(session, live, heard, now, hears=False)
        keeping = Keeping(session, self.archive, live.speaker, f"left {recording.sid}", now)
        keeping.keep_message(recording.id)
        return Done(wakes=_wakes(keeping))


def settle_call(call_id: str) -> None:
    """Job: settle one call with what this process works with. What fails is found again by the sweep."""
    from sync.jobs import workplace  # the jobs bring the speech engines along: nothing for a webhook

    here = workplace()
    try:
        Calls(here.archive, here.queue, _nobody_listens, here.clock).settle(call_id)
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        log.error("settle_call %s: %s at %s:%s", call_id, type(error).__name__, frame.filename, frame.lineno)


def _nobody_listens(turn: Turn, manner: Manner) -> str:
    return ""


def _known(session: Session, sid: str, line: str | None) -> Live:
    live = take(session, sid=sid)
    if live is None:
        raise UnknownCall("no call has this id")
    _check_line(live, line)
    return live


def _check_line(live: Live, line: str | None) -> None:
    if line is not None and live.speaker.line != line:
        raise UnknownCall("the call came by another line")


def _heard(reached: Reached, live: Live, now: datetime) -> Heard:
    match reached:
        case Pressed(keys):
            return Pressed(keys, (now - live.turned_at).total_seconds())
        case Delivered(recording_sid, _, seconds, ended_by):
            recording_id = recording_id_of(live.speaker.line, recording_sid)
            return Recorded(recording_id, _UNTOLD_SECONDS if seconds is None else seconds, ended_by)
    return reached


def _wakes(keeping: Keeping, document: str = "") -> tuple[Wake, ...]:
    """A capture wakes the merge; a sentence the platform had to say itself is rendered for the next time."""
    wakes: tuple[Wake, ...] = (("settle", {}),) if keeping.written else ()
    if "<Say" in document:
        wakes += (("render", {"community_id": keeping.speaker.community_id}),)
    return wakes
