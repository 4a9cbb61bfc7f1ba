"""One turn of a live call: most need only what is at hand, some the records; each is written as one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.orm import Session

from ivr.arrivals import Delivered, Manner, Reached
from ivr.at_once import Answered, write_answered
from ivr.conversation import Conversation, Conversations, run, think
from ivr.deciding import AtOnce, Done, Wake, Write
from ivr.dialogue.turns import EndCall, Heard, Line, Pressed, Recorded, Turn
from ivr.keeping import Keeping
from ivr.live import Live, stored_answer, take
from ivr.records_answers import tell
from ivr.sounds import note_recording, recording_id_of
from sync.archive import Archive

Render = Callable[[Turn, Manner], str]
Clock = Callable[[], datetime]

GOODBYE = "finish.goodbye"
_UNTOLD_SECONDS = 30.0  # a length that no platform told must not look like a slip of the finger


@dataclass
class Answering:
    """Answers turns. `render` makes the document of a turn; `clock` gives UTC."""

    archive: Archive
    render: Render
    clock: Clock
    conversations: Conversations = field(default_factory=Conversations)

    def plan(self, session: Session, live: Live, n: int, reached: Reached) -> Done | Write:
        """How anything but a recording answers turn `n`: as it was answered before, or what is to write."""
        if live.is_forgotten:
            return self._goodbye(live)
        if n != live.turn + 1:
            return Done(_latest(session, live, n))
        write = self._simple(session, live, reached)
        if write is not None:
            return write

        def write_held(writing: Session) -> Done:
            held = take(writing, call_id=live.call_id)
            assert held is not None
            if n != held.turn + 1:
                return Done(_latest(writing, held, n))
            now = self.clock()
            return self.advance(writing, held, heard_by(held, reached, now), now)

        return write_held

    def deliver(self, session: Session, live: Live, n: int, given: Delivered) -> Done:
        """A recording answers turn `n` of a call that is held: it is kept, though its turn be past."""
        if live.is_forgotten:
            return self._goodbye(live)
        now, is_next = self.clock(), n == live.turn + 1
        recording_id = note_recording(session, live.call_id, live.speaker, n - 1, given, is_next, now)
        wakes: tuple[Wake, ...] = (("fetch_recording", {"recording_id": recording_id}),)
        if not is_next:  # kept all the same, should no turn have taken it
            wakes += (("settle_call", {"call_id": live.call_id}),)
            return Done(_latest(session, live, n), wakes)
        done = self.advance(session, live, heard_by(live, given, now), now)
        return Done(done.document, wakes + done.wakes)

    def _goodbye(self, live: Live) -> Done:
        return Done(self.render(Turn((Line(GOODBYE),), EndCall(), live.place), live.manner))

    def _conversation(self, session: Session, live: Live) -> Conversation:
        return self.conversations.of(session, live.call_id, live.speaker.community_id)

    def _simple(self, session: Session, live: Live, reached: Reached) -> Write | None:
        """A turn for which the records are only read: all is thought before anything is locked."""
        now = self.clock()
        heard = heard_by(live, reached, now)
        conversation = self._conversation(session, live)
        turn = think(
            conversation,
            live.place,
            heard,
            lambda question: tell(session, self.archive, question, live.speaker, conversation.seats, now),
        )
        if turn is None:
            return None
        n = live.turn + 1
        keeping = Keeping(session, self.archive, live.speaker, str(n), now)
        captures = keeping.captures(turn.keeps)
        document = self.render(turn, replace(live.manner, n=n))
        answered = Answered(heard, turn, document, captures, live.speaker.person_id, now)

        def write(writing: Session) -> Done:
            write_answered(writing, live, answered)
            return Done(document, wakes_of(keeping, document))

        return AtOnce(write)

    def advance(self, session: Session, live: Live, heard: Heard, now: datetime, hears: bool = True) -> Done:
        """Answer the next turn. For a caller who no longer `hears`, nothing is rendered."""
        n = live.turn + 1
        keeping = Keeping(session, self.archive, live.speaker, str(n), now)
        turn = run(self._conversation(session, live), live.place, heard, keeping)
        document = self.render(turn, replace(live.manner, n=n)) if hears else ""
        answered = Answered(heard, turn, document, keeping.intended, keeping.person_id, now)
        write_answered(session, live, answered)
        return Done(document, wakes_of(keeping, document))


def wakes_of(keeping: Keeping, document: str = "") -> tuple[Wake, ...]:
    """A capture wakes the merge; a sentence the platform had to say itself is rendered for the next time."""
    wakes: tuple[Wake, ...] = (("settle", {}),) if keeping.written else ()
    if "<Say" in document:
        wakes += (("render", {"community_id": keeping.speaker.community_id}),)
    return wakes


def heard_by(live: Live, reached: Reached, now: datetime) -> Heard:
    """What reached the call, as the dialogue hears it."""
    match reached:
        case Pressed(keys):
            return Pressed(keys, (now - live.turned_at).total_seconds())
        case Delivered(recording_sid, _, seconds, ended_by):
            return Recorded(
                recording_id_of(live.speaker.line, recording_sid), told_seconds(seconds), ended_by
            )
    return reached


def told_seconds(seconds: float | None) -> float:
    """The length of a recording, or a usual one where no platform told it."""
    return _UNTOLD_SECONDS if seconds is None else seconds


def _latest(session: Session, live: Live, n: int) -> str:
    return stored_answer(session, live.call_id, n if 0 <= n <= live.turn else live.turn)
