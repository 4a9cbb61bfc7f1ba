"""One step of a conversation: the pure dialogue run inside a transaction."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ivr.dialogue.answer import answer
from ivr.dialogue.called import flow_of
from ivr.dialogue.steps import Flow
from ivr.dialogue.turns import AskRecords, Heard, Line, Place, Told, Turn
from ivr.keeping import SIMPLE, Keeping
from ivr.recent import Recent
from ivr.records_answers import READING_ONLY, tell
from ivr.view import SHARED, joined
from ivr.wordless import worded_part, worded_shared
from sync.records.tables import Call, SharedView
from sync.unsaid import mark

MOST_QUESTIONS = 8
CALLS_REMEMBERED = 5000
VIEWS_REMEMBERED = 500
UNSAID_SECONDS = 2.0
"""How long a call may go on saying what was taken back."""


@dataclass(frozen=True)
class Conversation:
    """What does not change during a call: its flow, and how many may vote from its telephone."""

    flow: Flow
    seats: int


class Conversations:
    """The conversations of the calls of late. A view changes only when words in it are taken back.

    Whether any were is asked every two seconds; forgetting a conversation costs a few queries.
    """

    def __init__(self) -> None:
        self._of_call = Recent[tuple[int, Conversation]](CALLS_REMEMBERED)
        self._of_view = Recent[Conversation](VIEWS_REMEMBERED)
        self._unsaid = Recent[tuple[int, float]](VIEWS_REMEMBERED)

    def of(self, session: Session, call_id: str, community_id: str) -> Conversation:
        """The conversation of a call."""
        unsaid = self._mark(session, community_id)
        known = self._of_call.get(call_id)
        if known is not None and known[0] == unsaid:
            return known[1]
        part = session.execute(select(Call.view).where(Call.id == call_id)).scalar_one()
        shared = session.get_one(SharedView, part[SHARED]).content
        return self.begin(call_id, worded_part(session, part), worded_shared(session, shared), unsaid)

    def begin(
        self, call_id: str, part: Mapping[str, Any], shared: Mapping[str, Any], unsaid: int
    ) -> Conversation:
        """The conversation over both parts of a view, read when `unsaid` was the mark of its community."""
        key = json.dumps([unsaid, part], sort_keys=True)
        known = self._of_view.get(key)
        if known is None:
            view = joined(shared, part)
            known = Conversation(flow_of(view), view.seats)
            self._of_view.put(key, known)
        self._of_call.put(call_id, (unsaid, known))
        return known

    def _mark(self, session: Session, community_id: str) -> int:
        now = time.monotonic()
        marked, until = self._unsaid.get(community_id) or (0, 0.0)
        if now >= until:
            marked = int(session.scalar(mark(community_id)) or 0)
            self._unsaid.put(community_id, (marked, now + UNSAID_SECONDS))
        return marked


def think(
    conversation: Conversation, place: Place, heard: Heard, ask: Callable[[AskRecords], Told]
) -> Turn | None:
    """Answer `heard` where nothing has to be written meanwhile; None where something has: then `run` it."""
    lines: tuple[Line, ...] = ()
    for _ in range(MOST_QUESTIONS):
        turn = answer(conversation.flow, place, heard)
        lines += turn.lines
        if not all(isinstance(keep, SIMPLE) for keep in turn.keeps):
            return None
        if not isinstance(turn.wait, AskRecords):
            return replace(turn, lines=lines)
        if turn.keeps or turn.wait.question not in READING_ONLY:
            return None
        place, heard = turn.place, ask(turn.wait)
    return None


def run(conversation: Conversation, place: Place, heard: Heard, keeping: Keeping) -> Turn:
    """Answer `heard` at `place`: questions to the records are answered on the way, over all kept by then.

    What is kept after the last question stays `intended`, to be written with the turn.
    Lines said before a question come before those after it. Raises RuntimeError when questions never end.
    """
    lines: tuple[Line, ...] = ()
    for _ in range(MOST_QUESTIONS):
        turn = answer(conversation.flow, place, heard)
        memory = keeping.intend(turn.keeps, turn.place.memory) if turn.keeps else turn.place.memory
        place = replace(turn.place, memory=memory)
        lines += turn.lines
        if not isinstance(turn.wait, AskRecords):
            return replace(turn, lines=lines, place=place, keeps=())
        keeping.write()
        speaker = replace(keeping.speaker, person_id=keeping.person_id)
        heard = tell(keeping.session, keeping.archive, turn.wait, speaker, conversation.seats, keeping.now)
    raise RuntimeError(f"the records were asked {MOST_QUESTIONS} times at step {place.step}")
