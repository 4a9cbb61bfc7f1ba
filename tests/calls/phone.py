"""A telephone for tests: it calls a flow, presses, waits and speaks, and remembers all it heard and gave."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal

from ivr.dialogue.answer import answer, begin
from ivr.dialogue.hotline import hotline
from ivr.dialogue.keeps import Keep, KeepBallot, KeepOpinion, KeepSeat
from ivr.dialogue.plain import heard_from_plain, heard_to_plain, place_from_plain, place_to_plain
from ivr.dialogue.steps import Flow
from ivr.dialogue.turns import (
    AskRecords,
    Dialled,
    Heard,
    HungUp,
    Line,
    Place,
    Pressed,
    Recorded,
    Silence,
    Started,
    Told,
    Turn,
    Wait,
)
from ivr.dialogue.view import CommunityView

RECEIPT = "20481769"
Ended = Literal["key", "silence", "limit", "hangup"]


class Phone:
    """One call, from the first ring on.

    `ballots` are the (topic, seat) pairs that this number has voted from before; `receipts` what the records
    tell of typed receipts. Places and inputs go through JSON at every turn, as they do in a call's row.
    """

    def __init__(
        self,
        called: CommunityView | Flow,
        ballots: frozenset[tuple[str, int]] = frozenset(),
        receipts: Mapping[str, Told] | None = None,
    ) -> None:
        self.flow = hotline(called) if isinstance(called, CommunityView) else called
        self.seats = called.seats if isinstance(called, CommunityView) else 2
        self.ballots, self.receipts, self.seat = set(ballots), receipts or {}, 1
        self.kept: list[Keep] = []
        self.turns: list[Turn] = []
        self.place: Place = begin(self.flow)
        self._hear(Started())

    # --- what a caller does ---
    def press(self, keys: str, after: float = 60.0) -> Phone:
        """Presses keys `after` seconds into the turn."""
        return self._hear(Pressed(keys, after))

    def wait(self, times: int = 1) -> Phone:
        """Says and presses nothing until the time is out."""
        for _ in range(times):
            self._hear(Silence())
        return self

    def speak(self, recording_id: str = "rec_1", seconds: float = 12.0, ended_by: Ended = "silence") -> Phone:
        """Speaks after the beep."""
        return self._hear(Recorded(recording_id, seconds, ended_by))

    def person(self, is_answered: bool) -> Phone:
        """The person at the other end picks up, or does not."""
        return self._hear(Dialled(is_answered))

    def hang_up(self) -> Phone:
        return self._hear(HungUp())

    def until(self, step: str, do: Callable[[Phone], object], most: int = 30) -> Phone:
        """Does the same again and again until the call waits at `step`."""
        for _ in range(most):
            if self.place.step == step:
                return self
            do(self)
        raise AssertionError(f"never came to {step}, but to {self.place.step}")

    # --- what is seen of it ---
    @property
    def lines(self) -> tuple[Line, ...]:
        return self.turns[-1].lines

    @property
    def hears(self) -> tuple[str, ...]:
        """The prompts of the last turn."""
        return tuple(line.prompt for line in self.lines)

    @property
    def heard(self) -> tuple[str, ...]:
        """The prompts of the whole call."""
        return tuple(line.prompt for turn in self.turns for line in turn.lines)

    @property
    def waits_for(self) -> Wait:
        return self.turns[-1].wait

    @property
    def at(self) -> str:
        return self.place.step

    def kept_of(self, kind: type[Keep]) -> list[Keep]:
        return [keep for keep in self.kept if isinstance(keep, kind)]

    # --- the world behind it ---
    def _hear(self, heard: Heard) -> Phone:
        lines: tuple[Line, ...] = ()
        while True:
            turn = answer(self.flow, self.place, _through_json(heard))
            lines += turn.lines
            self.place = replace(turn.place, memory={**turn.place.memory, **self._keep(turn)})
            self.place = place_from_plain(json.loads(json.dumps(place_to_plain(self.place))))
            if not isinstance(turn.wait, AskRecords):
                self.turns.append(replace(turn, lines=lines))
                return self
            heard = self._tell(turn.wait)

    def _keep(self, turn: Turn) -> dict[str, str]:
        self.kept += turn.keeps
        for keep in turn.keeps:
            match keep:
                case KeepSeat(seat):
                    self.seat = seat
                case KeepBallot(topic_id, _):
                    self.ballots.add((topic_id, self.seat))
        return {"receipt": RECEIPT} if any(isinstance(keep, KeepOpinion) for keep in turn.keeps) else {}

    def _tell(self, question: AskRecords) -> Told:
        if question.question == "find_receipt":
            return self.receipts.get(question.arguments["receipt"], Told("unknown"))
        if question.question == "link_code":
            return Told("given", {"code": "204817"})
        topic = question.arguments["topic_id"]
        if question.question == "running_result":
            has_voted = any(voted == topic for voted, _ in self.ballots)
            counts = {"chose.agree": "12", "chose.disagree": "3", "chose.pass": "0"}
            return Told("told", counts) if has_voted else Told("vote_first")
        taken = {seat for voted, seat in self.ballots if voted == topic}
        if self.seat not in taken:
            return Told("none")
        free = [seat for seat in range(1, self.seats + 1) if seat not in taken]
        return Told("voted", {"next_seat": str(free[0])}) if free else Told("full")


def _through_json(heard: Heard) -> Heard:
    return heard_from_plain(json.loads(json.dumps(heard_to_plain(heard))))
