"""One step of a conversation: the pure dialogue run inside a transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ivr.dialogue.answer import answer
from ivr.dialogue.hotline import hotline
from ivr.dialogue.steps import Flow
from ivr.dialogue.turns import AskRecords, Heard, Line, Place, Turn
from ivr.keeping import SIMPLE, Keeping
from ivr.recent import Recent
from ivr.records_answers import tell
from ivr.view import SHARED, joined
from sync.records.tables import Call, SharedView

MOST_QUESTIONS = 8
CALLS_REMEMBERED = 5000
VIEWS_REMEMBERED = 500


@dataclass(frozen=True)
class Conversation:
    """What does not change during a call: its flow, and how many may vote from its telephone."""

    flow: Flow
    seats: int


class Conversations:
    """The conversations of the calls of late. A view never changes: forgetting one costs a query or two."""

    def __init__(self) -> None:
        self._of_call = Recent[Conversation](CALLS_REMEMBERED)
        self._of_view = Recent[Conversation](VIEWS_REMEMBERED)

    def of(self, session: Session, call_id: str) -> Conversation:
        """The conversation of a call."""
        known = self._of_call.get(call_id)
        if known is None:
            part = session.execute(select(Call.view).where(Call.id == call_id)).scalar_one()
            known = self.over(call_id, part, lambda: _shared(session, part[SHARED]))
        return known

    def over(
        self, call_id: str, part: Mapping[str, Any], shared: Callable[[], Mapping[str, Any]]
    ) -> Conversation:
        """The conversation over a caller's part of a view; `shared` gives the rest where it is needed."""
        key = json.dumps(part, sort_keys=True)
        known = self._of_view.get(key)
        if known is None:
            view = joined(shared(), part)
            known = Conversation(hotline(view), view.seats)
            self._of_view.put(key, known)
        self._of_call.put(call_id, known)
        return known


def _shared(session: Session, shared_id: str) -> Mapping[str, Any]:
    content: Mapping[str, Any] = session.get_one(SharedView, shared_id).content
    return content


def is_simple(turn: Turn) -> bool:
    """Whether a turn asks the records nothing, and keeps nothing that is more than a capture."""
    return not isinstance(turn.wait, AskRecords) and all(isinstance(keep, SIMPLE) for keep in turn.keeps)


def run(conversation: Conversation, place: Place, heard: Heard, keeping: Keeping) -> Turn:
    """Answer `heard` at `place`: questions to the records are answered on the way, keeps are written.

    Lines said before a question come before those after it. Raises RuntimeError when questions never end.
    """
    lines: tuple[Line, ...] = ()
    for _ in range(MOST_QUESTIONS):
        turn = answer(conversation.flow, place, heard)
        memory = keeping.write(turn.keeps, turn.place.memory) if turn.keeps else turn.place.memory
        place = replace(turn.place, memory=memory)
        lines += turn.lines
        if not isinstance(turn.wait, AskRecords):
            return replace(turn, lines=lines, place=place, keeps=())
        speaker = replace(keeping.speaker, person_id=keeping.person_id)
        heard = tell(keeping.session, turn.wait, speaker, conversation.seats, keeping.now)
    raise RuntimeError(f"the records were asked {MOST_QUESTIONS} times at step {place.step}")
