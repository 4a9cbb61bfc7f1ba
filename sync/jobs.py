"""The worker's jobs, each safe to repeat; the sweep finds in the records what the queue lost."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module

from sqlalchemy import select

from speech.recognize import Recognizer
from sync import retention
from sync.archive import Archive
from sync.drafts import forget_drafts
from sync.due import SWEPT, Due, due
from sync.erase import delete_erased_sound
from sync.fetching import Credentials
from sync.idempotency import forget_answers
from sync.queue import JOBS, WorkQueue
from sync.records.tables import Community
from sync.searching import index_missing, is_any_missing
from sync.settle import settle_batch
from sync.sorting import is_due, lessons_due
from sync.spoken_voices import forget_spoken
from sync.storing import store_recording
from sync.webhooks.addresses import PUBLIC_ONLY, Reach
from sync.webhooks.delivering import deliver as deliver_to
from sync.webhooks.log import prune_log

LOG = logging.getLogger("tingjian.worker")
_BATCH = 500


@dataclass
class Workplace:
    """What this process's jobs work with. The recognizer is loaded once, by the first that needs it."""

    archive: Archive
    queue: WorkQueue
    load: Callable[[], Recognizer]
    credentials: Credentials
    clock: Callable[[], datetime]
    reach: Reach = PUBLIC_ONLY
    _recognizer: Recognizer | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def recognizer(self) -> Recognizer:
        """The loaded engine. Raises SpeechError while it can't be had."""
        with self._lock:
            if self._recognizer is None:
                self._recognizer = self.load()
            return self._recognizer


_workplace: Workplace | None = None


def workplace() -> Workplace:
    """What this process works with. RuntimeError before `open_worker`."""
    if _workplace is None:
        raise RuntimeError("open_worker has not been called in this process")
    return _workplace


def open_worker(
    archive: Archive,
    queue: WorkQueue,
    recognizer_factory: Callable[[], Recognizer],
    credentials: Credentials,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    reach: Reach = PUBLIC_ONLY,
) -> Workplace:
    """Set what this process's jobs work with.

    `credentials`: a line → user, password of its recordings. `reach`: where webhooks may go.
    """
    global _workplace
    _workplace = Workplace(archive, queue, recognizer_factory, credentials, clock, reach)
    return _workplace


def settle() -> None:
    """Apply all captures that are pending, in batches; then wake whoever is needed next."""
    with _job("settle") as here:
        while settle_batch(here.archive, limit=_BATCH, now=here.clock()).is_more:
            pass
        delete_erased_sound(here.archive)
        sweep(here.archive, here.queue, here.clock(), jobs=("transcribe", "deliver"))


def fetch_recording(recording_id: str) -> None:
    """Bring one announced recording home, or finish telling its source that we have it."""
    with _job("fetch_recording", recording_id) as here:
        if store_recording(here.archive, recording_id, here.credentials, here.clock):
            sweep(here.archive, here.queue, here.clock(), jobs=("transcribe",))


def transcribe(opinion_id: str) -> None:
    """Turn one opinion into words."""
    from sync.words import transcribe_opinion  # dictionaries of 110 MiB, which no other worker needs

    with _job("transcribe", opinion_id) as here:
        transcribe_opinion(here.archive, opinion_id, here.recognizer, here.clock)
        sweep(here.archive, here.queue, here.clock(), jobs=("deliver",))


def transcribe_spoken(spoken_id: str) -> None:
    """Turn one reply that staff spoke into words."""
    from sync.spoken import transcribe_spoken as transcribe_one

    with _job("transcribe_spoken", spoken_id) as here:
        transcribe_one(here.archive, spoken_id, here.recognizer)


def index_words() -> None:
    """Let be found by their words what was restored, or said before there was an index."""
    with _job("index_words") as here:
        while index_missing(here.archive, _BATCH) == _BATCH:
            pass


def learn(community_id: str) -> None:
    """Learn categories from what staff of a community have confirmed, if enough is new."""
    from sync.teaching import teach  # scikit-learn, which no other job needs

    with _job("learn", community_id) as here:
        with here.archive.database.read() as session:
            is_wanted = is_due(session, community_id)
        if is_wanted:
            teach(here.archive, community_id, here.clock())


def deliver(endpoint_id: str) -> None:
    """Tell one endpoint what is new; what is left after a minute waits behind the other endpoints' jobs."""
    with _job("deliver", endpoint_id) as here:
        if deliver_to(here.archive, endpoint_id, here.reach, here.clock):
            here.queue.put("deliver", endpoint_id=endpoint_id)


def expire() -> None:
    """Erase what is older than its community promised to keep it."""
    with _job("expire") as here:
        while erased := retention.expire(here.archive, here.clock(), limit=_BATCH):
            LOG.info("expire: %d erased, they had been kept as long as promised", erased)
        while pruned := retention.prune_changes(here.archive, here.clock()):
            LOG.info("expire: %d changes are too old for the feed", pruned)
        forget_spoken(here.archive, here.clock())
        if is_any_missing(here.archive):
            here.queue.put("index_words")
        for community_id in lessons_due(here.archive):
            here.queue.put("learn", community_id=community_id)
        prune_log(here.archive, here.clock())
        forget_answers(here.archive, here.clock())
        forget_drafts(here.archive, here.clock())


def sweep(archive: Archive, queue: WorkQueue, now: datetime, jobs: Collection[str] = SWEPT) -> list[Due]:
    """Put a job for everything due in the records; returns what could not be put because Redis is away."""
    with archive.database.read() as session:
        found = list(due(session, now, jobs))
    return [one for one in found if not queue.put(one.job, **one.arguments)]


def put_renders(archive: Archive, queue: WorkQueue) -> None:
    """Ask for the prompts of every community to be looked over; those that are rendered cost nothing."""
    with archive.database.read() as session:
        communities = session.scalars(select(Community.id)).all()
    for community_id in communities:
        queue.put("render", community_id=community_id)


def do_here(one: Due) -> None:
    """Do a piece of work in this process, without any queue."""
    module, name = JOBS[one.job].path.split(":")
    getattr(import_module(module), name)(**one.arguments)


@contextmanager
def _job(name: str, record_id: str = "") -> Iterator[Workplace]:
    """A job never fails towards Redis: the records know what is still to be done. Logs ids only."""
    here = workplace()
    try:
        yield here
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{frame.filename}:{frame.lineno}"
        LOG.error("%s %s: %s at %s", name, record_id, type(error).__name__, place)
