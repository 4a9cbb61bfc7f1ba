"""The placer: finds who is to be called, and asks the line for one call at a time, once for each try."""

from __future__ import annotations

import logging
import signal
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ivr.outbound.door import CallsDoor, DoorError, NotPlaced, Order
from sync.archive import Archive
from sync.errors import RecordsError
from sync.placing.claiming import Claimed, claim, is_due, not_placed
from sync.placing.courses import NoSuchTry, Told, Unsure, give_up_hope, is_too_long, note_told, unsure
from sync.placing.wishes import gather, is_more

LOG = logging.getLogger("tingjian.placer")

LOOK_SECONDS = 1.0
"""Between two looks at what is due; Twilio places one call a second anyway."""
GATHER_SECONDS = 5.0
LINE_IS_AWAY = timedelta(seconds=20)
"""Until a line is asked again that could not be reached, or had nothing free."""
LINE_REFUSES = timedelta(minutes=10)
"""Until one is asked again that does not take our account, our number or what we ask."""


def utc_now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def placed_url(public_base: str, placed_id: str, n: int, suffix: str = "") -> str:
    """Where the line reaches the dialogue of a try, or tells of its course (`/status`)."""
    return f"{public_base.rstrip('/')}/calls/placed/{placed_id}{suffix}?try={n}"


@dataclass
class Placer:
    """Places calls by one line. `most_everywhere`: tries in 24 hours, of all communities together."""

    archive: Archive
    door: CallsDoor
    public_base: str
    most_everywhere: int
    clock: Callable[[], datetime] = utc_now

    def gather(self) -> int:
        """Write down the wishes that the records hold; how many were new."""
        with self.archive.database.read() as session:
            if not is_more(session, self.clock()):
                return 0
        with self.archive.database.begin() as session:
            return gather(session, self.clock())

    def place_next(self) -> bool:
        """Place the next call that may be placed; False where there is none."""
        with self.archive.database.read() as session:
            if not is_due(session, self.clock()):
                return False
        claimed = claim(self.archive, self.door.line.name, self.clock(), self.most_everywhere)
        if claimed is None:
            return False
        try:
            told = self.door.place(self._order(claimed))
        except NotPlaced as refusal:
            self._put_off(claimed, refusal)
        except DoorError as error:
            LOG.warning("placed call %s: nobody knows whether it is placed (%s)", claimed.placed_id, error)
        else:
            self._note(claimed.placed_id, claimed.n, told)
        return True

    def resolve(self) -> int:
        """Ask what became of tries of which nothing was heard for long; how many there were."""
        found = self._unsure()
        for one in found:
            told = self._told_of(one)
            if told is not None:
                self._note(one.placed_id, one.n, told)
            else:
                give_up_hope(self.archive, one, self.clock())
        return len(found)

    def _order(self, claimed: Claimed) -> Order:
        def url(suffix: str = "") -> str:
            return placed_url(self.public_base, claimed.placed_id, claimed.n, suffix)

        shown = self.door.line.number or claimed.community_number
        return Order(claimed.to, shown, url(), url("/status"))

    def _put_off(self, claimed: Claimed, refusal: NotPlaced) -> None:
        now, problem = self.clock(), str(refusal)
        LOG.warning("placed call %s is not placed: %s", claimed.placed_id, problem)
        pause = LINE_IS_AWAY if refusal.is_passing else LINE_REFUSES
        not_placed(self.archive, claimed, problem, now, None if refusal.is_number else now + pause)

    def _note(self, placed_id: str, n: int, told: Told) -> None:
        try:
            with self.archive.database.begin() as session:
                note_told(session, placed_id, n, self.door.line.name, told, self.clock())
        except NoSuchTry:
            LOG.error("placed call %s: its try %d is another call", placed_id, n)

    def _unsure(self) -> list[Unsure]:
        with self.archive.database.read() as session:
            return unsure(session, self.clock())

    def _told_of(self, one: Unsure) -> Told | None:
        """What the line says now; None where it knows nothing, or where no call can last so long."""
        if not one.sid or one.line != self.door.line.name:
            return None
        if is_too_long(self.archive, one, self.clock()):
            return None
        try:
            return self.door.ask(one.sid)
        except DoorError as error:
            LOG.warning("placed call %s: the line does not say what became of it (%s)", one.placed_id, error)
            return None


def run_placer(placer: Placer | None, beat: Callable[[], None] = lambda: None) -> None:
    """Place calls until SIGTERM or Ctrl-C; the request at hand is finished.

    Without a placer nothing is done until then. `beat` is called at every look: a sign of life.
    """
    stopping = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopping.set())
    if placer is not None:
        LOG.info("calls are placed by the line %s", placer.door.line.name)
    gathers_at = 0.0
    while not stopping.wait(LOOK_SECONDS):
        beat()
        is_gathering = time.monotonic() >= gathers_at
        if is_gathering:
            gathers_at = time.monotonic() + GATHER_SECONDS
        if placer is not None:
            look(placer, is_gathering)


def look(placer: Placer, is_gathering: bool = True) -> None:
    """One look at what is to be done. What fails is found again by the next."""
    try:
        if is_gathering:
            placer.gather()
            placer.resolve()
        placer.place_next()
    except RecordsError as error:
        LOG.error("the placer can't use the records: %s", error)
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        LOG.error("the placer failed: %s at %s:%s", type(error).__name__, frame.filename, frame.lineno)
