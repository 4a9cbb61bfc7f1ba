"""The live call and its records: a turn is one transaction; a repeated one gets the stored answer again."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy.orm import Session

from ivr.answering import Answering, Clock, Render, wakes_of
from ivr.arrivals import EXCHANGE, Arrival, Delivered, Manner, PlacedArrival, Reached, UnknownCall
from ivr.beginning import Beginnings, Begun, CallBack, Greeting
from ivr.conversation import CALLS_REMEMBERED, Conversation, run
from ivr.deciding import AtOnce, Done, Plan, Wake, Write, decide
from ivr.dialogue.answer import begin
from ivr.dialogue.keeps import KeepRequest
from ivr.dialogue.turns import Started, Turn
from ivr.keeping import Keeping
from ivr.leftovers import settle
from ivr.live import Live, look, mark_ended, rows_begun, stored_answer, take
from ivr.missed import UNANSWERED, note_missed, unanswered
from ivr.recent import Recent
from ivr.sounds import note_recording
from speech.synthesize import FEMALE
from sync.archive import Archive
from sync.inbox import CAPTURES, row_of
from sync.placing.courses import Told, note_begun, note_told
from sync.placing.rules import ENDS
from sync.together import insert_together

log = logging.getLogger(__name__)

TURNED_AWAY = "busy"
"""How a call ends for which no line was free, and why its caller is to be called back."""


def utc_now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


class Queue(Protocol):
    """What calls need of the work queue: to wake a worker, never failing."""

    def put(self, job: str, **arguments: str) -> bool: ...


@dataclass
class Calls:
    """Calls as the phone lines drive them. `render` makes the document of a turn; `clock` gives UTC.

    `dials_out`: there is a line by which we can call.
    Every method raises RecordsUnavailable when nothing could be kept: the same may be asked again.
    """

    archive: Archive
    queue: Queue
    render: Render
    clock: Clock = utc_now
    dials_out: bool = False
    _answering: Answering = field(init=False)
    _beginnings: Beginnings = field(init=False)
    _manners: Recent[Manner] = field(default_factory=lambda: Recent(CALLS_REMEMBERED), init=False)

    def __post_init__(self) -> None:
        self._answering = Answering(self.archive, self.render, self.clock)
        self._beginnings = Beginnings(self.archive, self.dials_out)

    def begin(self, arrival: Arrival) -> str:
        """The first document of a call, new or told of again. Raises UnknownNumber, UnknownCall.

        '' where it is not to be taken: we call back, so that it costs its caller nothing.
        """
        return self._decide(lambda session: self._begin(session, arrival))

    def answer(self, sid: str, n: int, reached: Reached, line: str | None = None) -> str:
        """The document that answers turn `n`; a repeated or early `n` gets what was answered last.

        '' when that turn was settled while nobody listened. Raises UnknownCall, also for another line's call.
        """
        if isinstance(reached, Delivered):
            given = reached
            return self._decide(
                _held(lambda session: self._deliver(session, _known(session, sid, line), n, given))
            )
        return self._decide(lambda session: self._answer(session, _seen(session, sid, line), n, reached))

    def announce(self, sid: str, n: int, given: Delivered, line: str | None = None) -> None:
        """A recording made by the Record that turn `n` answers is finished. Raises UnknownCall."""
        self._decide(_held(lambda session: self._announce(session, _known(session, sid, line), n, given)))

    def end(self, sid: str, status: str, line: str | None = None, arrival: Arrival | None = None) -> None:
        """The line says that the call is over (`completed`, `busy`, …). Raises UnknownCall.

        `arrival` says whose call it was, should it have ended before anybody answered.
        """
        self._decide(_held(lambda session: self._end_or_miss(session, sid, status, line, arrival)))

    def begin_placed(self, answered: PlacedArrival, greet: Callable[[Greeting], str]) -> str:
        """The first document of a call of ours; '' where a machine answered. Raises NoSuchTry.

        Where nobody can tell who listens, `greet` makes it: nothing of the call is said or kept before a key
        is pressed.
        """
        return self._decide(_held(lambda session: self._begin_placed(session, answered, greet)))

    def tell_placed(self, placed_id: str, n: int, line: str, told: Told) -> None:
        """The line tells how a call of ours goes on, in whatever order. Raises NoSuchTry."""
        self._decide(_held(lambda session: self._tell_placed(session, placed_id, n, line, told)))

    def unanswered(self) -> list[str]:
        """The numbers at which nobody is answered, because everybody is called back."""
        with self.archive.database.read() as session:
            return unanswered(session) if self.dials_out else []

    def settle(self, call_id: str) -> None:
        """Take what a caller who is gone has left: recordings that no turn has claimed. Safe to repeat."""
        self._decide(_held(lambda session: settle(session, self._answering, call_id)))

    def manner(self, sid: str, n: int) -> Manner:
        """How to speak to a call when the records cannot be asked: as lately, else plainly."""
        known = self._manners.get(sid)
        return replace(known, n=n) if known is not None else Manner(sid, n, voice=FEMALE)

    def _decide(self, plan: Plan) -> str:
        done = decide(self.archive.database, plan)
        for job, arguments in done.wakes:
            self.queue.put(job, **arguments)
        return done.document

    def _answer(self, session: Session, live: Live, n: int, reached: Reached) -> Done | Write:
        self._remember(live)
        return self._answering.plan(session, live, n, reached)

    def _deliver(self, session: Session, live: Live, n: int, given: Delivered) -> Done:
        self._remember(live)
        return self._answering.deliver(session, live, n, given)

    def _remember(self, live: Live) -> None:
        if self._manners.get(live.speaker.sid) is None:
            self._manners.put(live.speaker.sid, live.manner)

    def _begin(self, session: Session, arrival: Arrival) -> Done | Write:
        known = look(session, arrival.sid)
        if known is not None:
            _check_line(known, arrival.line)
            return Done(stored_answer(session, known.call_id, 0))
        now = self.clock()
        return self._take(session, arrival, now)

    def _call_back(self, session: Session, arrival: Arrival, now: datetime) -> Done:
        """Who can be called back is refused; everybody else is answered as always."""
        if self._is_missed(session, arrival, "no-answer", now):
            return Done()
        planned = self._take(session, arrival, now, is_taken=True)
        return planned if isinstance(planned, Done) else planned(session)

    def _is_missed(self, session: Session, arrival: Arrival, status: str, now: datetime) -> bool:
        return note_missed(session, self.archive, self._beginnings, arrival, status, now)

    def _take(
        self, session: Session, arrival: Arrival, now: datetime, is_taken: bool = False
    ) -> Done | Write:
        begun = self._beginnings.plan(session, arrival, now, is_taken)
        if isinstance(begun, CallBack):
            return lambda writing: self._call_back(writing, arrival, now)
        if begun is None:
            return lambda writing: self._beginnings.prepare(writing, arrival, now)
        conversation = self._conversation(begun)

        def write(writing: Session) -> Done:
            return self._write_begun(writing, begun, conversation, now)

        return AtOnce(write) if self._beginnings.is_rows_only(begun) else write

    def _conversation(self, begun: Begun) -> Conversation:
        return self._answering.conversations.begin(
            begun.call_id, begun.part, begun.shared.content, begun.unsaid
        )

    def _begin_placed(
        self, session: Session, answered: PlacedArrival, greet: Callable[[Greeting], str]
    ) -> Done:
        arrival, now = answered.arrival, self.clock()
        known = look(session, arrival.sid)
        placed = note_begun(
            session, answered.placed_id, answered.n, arrival.line, arrival.sid, answered.answered_by, now
        )
        if known is not None:
            return Done(stored_answer(session, known.call_id, 0))
        if placed is None:
            return Done()
        if answered.is_unsure:
            return Done(greet(self._beginnings.spoken_to(session, arrival, placed, now)))
        begun = self._beginnings.plan_placed(session, arrival, placed, now)
        return self._write_begun(session, begun, self._conversation(begun), now)

    def _tell_placed(self, session: Session, placed_id: str, n: int, line: str, told: Told) -> Done:
        note_told(session, placed_id, n, line, told, self.clock())
        live = take(session, sid=told.sid) if told.status in ENDS else None
        return Done() if live is None else self._end(session, live, told.status)

    def _write_begun(self, session: Session, begun: Begun, conversation: Conversation, now: datetime) -> Done:
        self._beginnings.prepare_rows(session, begun, now)
        keeping = Keeping(session, self.archive, begun.speaker, "0", now)
        turn = run(conversation, begin(conversation.flow), Started(), keeping)
        document = self.render(turn, begun.manner)
        rows = rows_begun(begun.row, keeping.person_id, turn, document, now)
        captures = [(CAPTURES, row_of(given, now)) for given in keeping.intended]
        insert_together(session, [*self._beginnings.rows(begun, now), *rows, *captures])
        self._manners.put(begun.manner.sid, begun.manner)
        log.info("call %s began on %s", begun.call_id, begun.speaker.line)
        return Done(document, wakes_of(keeping, document))

    def _announce(self, session: Session, live: Live, n: int, given: Delivered) -> Done:
        recording_id = note_recording(session, live.call_id, live.speaker, n - 1, given, False, self.clock())
        wakes: tuple[Wake, ...] = (("fetch_recording", {"recording_id": recording_id}),)
        if live.ended_at is not None:
            wakes += (("settle_call", {"call_id": live.call_id}),)
        return Done(wakes=wakes)

    def _end_or_miss(
        self, session: Session, sid: str, status: str, line: str | None, arrival: Arrival | None
    ) -> Done:
        live, now = take(session, sid=sid), self.clock()
        if live is None and arrival is not None and self._is_missed(session, arrival, status, now):
            return Done()
        known = _of_line(live, line)
        if arrival is not None and known.ended_at is None and not known.turn and status in UNANSWERED:
            self._is_missed(session, arrival, status, now)
        return self._end(session, known, status)

    def _end(self, session: Session, live: Live, status: str) -> Done:
        if live.ended_at is not None:
            return Done()
        wakes: tuple[Wake, ...] = (("settle_call", {"call_id": live.call_id}),)
        if _was_turned_away(live, status):
            keeping = Keeping(session, self.archive, live.speaker, TURNED_AWAY, self.clock())
            keeping.intend([KeepRequest(TURNED_AWAY)], {})
            keeping.write()
            wakes += wakes_of(keeping)
        mark_ended(session, live, status, self.clock())
        log.info("call %s ended: %s", live.call_id, status)
        return Done(wakes=wakes)


def settle_call(call_id: str) -> None:
    """Job: settle one call with what this process works with. What fails is found again by the sweep."""
    from sync.jobs import workplace  # the jobs bring the speech engines along: nothing for a webhook

    here = workplace()
    try:
        Calls(here.archive, here.queue, _nobody_listens, here.clock).settle(call_id)
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        log.error("settle_call %s: %s at %s:%s", call_id, type(error).__name__, frame.filename, frame.lineno)


def _was_turned_away(live: Live, status: str) -> bool:
    """Whether our own exchange had no line free for somebody who can be called back, and told them so."""
    is_ours = status == TURNED_AWAY and live.speaker.line == EXCHANGE
    return is_ours and not live.turn and live.speaker.number_id is not None and not live.is_forgotten


def _nobody_listens(turn: Turn, manner: Manner) -> str:
    return ""


def _known(session: Session, sid: str, line: str | None) -> Live:
    return _of_line(take(session, sid=sid), line)


def _seen(session: Session, sid: str, line: str | None) -> Live:
    return _of_line(look(session, sid), line)


def _of_line(live: Live | None, line: str | None) -> Live:
    if live is None:
        raise UnknownCall("no call has this id")
    _check_line(live, line)
    return live


def _check_line(live: Live, line: str | None) -> None:
    if line is not None and live.speaker.line != line:
        raise UnknownCall("the call came by another line")


def _held(work: Callable[[Session], Done]) -> Plan:
    """Work that is all writing."""
    return lambda session: work
