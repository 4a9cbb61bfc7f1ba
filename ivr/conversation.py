"""One step of a conversation: the pure dialogue run inside a transaction."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Generic, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from ivr.dialogue.answer import answer
from ivr.dialogue.hotline import hotline
from ivr.dialogue.plain import view_from_plain
from ivr.dialogue.steps import Flow
from ivr.dialogue.turns import AskRecords, Heard, Line, Place, Turn
from ivr.keeping import Keeping
from ivr.records_answers import tell
from sync.records.tables import Call

MOST_QUESTIONS = 8
CALLS_REMEMBERED = 2000

_T = TypeVar("_T")


@dataclass(frozen=True)
class Conversation:
    """What does not change during a call: its flow, and how many may vote from its telephone."""

    flow: Flow
    seats: int


class Recent(Generic[_T]):
    """The values used lately, by key. For what never changes: forgetting one costs a query, no more."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[str, _T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> _T | None:
        """The value, if it is still remembered."""
        return self._known.get(key)

    def put(self, key: str, value: _T) -> None:
        """Remember a value; the one put longest ago may be forgotten."""
        with self._lock:
            self._known[key] = value
            if len(self._known) > self._most:
                self._known.popitem(last=False)


class Conversations:
    """The conversations of the calls of late."""

    def __init__(self) -> None:
        self._known = Recent[Conversation](CALLS_REMEMBERED)

    def of(self, session: Session, call_id: str) -> Conversation:
        """The conversation of a call, from its row when it is not remembered."""
        known = self._known.get(call_id)
        if known is None:
            view = session.execute(select(Call.view).where(Call.id == call_id)).scalar_one()
            known = self.remember(call_id, view)
        return known

    def remember(self, call_id: str, view: Mapping[str, Any]) -> Conversation:
        """The conversation over `view`, in its plain form."""
        conversation = _conversation(json.dumps(view, ensure_ascii=False, sort_keys=True))
        self._known.put(call_id, conversation)
        return conversation


@lru_cache(maxsize=256)
def _conversation(view: str) -> Conversation:
    seen = view_from_plain(json.loads(view))
    return Conversation(hotline(seen), seen.seats)


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
