"""The worker's side of the inbox: captures become records, exactly once in effect, in batches."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

from sync import opinions
from sync.alerts import apply_taken
from sync.answers import apply_answers
from sync.archive import Archive
from sync.ballots import apply_ballots
from sync.erase import delete_erased_sound
from sync.opinions import apply_opinions
from sync.pending import Batch, Pending, open_batch, take
from sync.wishes import apply_consents, apply_requests

BATCH = 500


@dataclass(frozen=True)
class Settled:
    """What one batch did. `opinions` now need sound or words; `is_more` says that more captures may wait."""

    taken: int = 0
    merged: int = 0
    refused: int = 0
    outside: int = 0
    opinions: tuple[str, ...] = ()
    is_more: bool = False


def settle_batch(archive: Archive, limit: int = BATCH, now: datetime | None = None) -> Settled:
    """Apply up to `limit` waiting captures in one transaction, in whatever order they came.

    Killed at any point, it has done all or nothing; run by several workers, each capture counts once.
    Raises RecordsUnavailable, having changed nothing, where the database can't be used.
    """
    with archive.database.begin() as session:
        captures = take(session, limit)
        batch = open_batch(session, archive, now or datetime.now(UTC), captures)
        _apply(batch, captures)
        session.flush()
        batch.finish(captures)
    if batch.has_erased:
        delete_erased_sound(archive)
    return _report(batch, captures, limit)


def _apply(batch: Batch, captures: list[Pending]) -> None:
    by_kind: dict[str, list[Pending]] = defaultdict(list)
    for capture in batch.admit(captures):
        by_kind["opinion" if capture.kind in opinions.KINDS else capture.kind].append(capture)
    apply_opinions(batch, by_kind["opinion"])
    answers = by_kind["reaction"] + by_kind["satisfaction"] + by_kind["heard"]
    apply_answers(batch, answers, batch.new_opinions)
    apply_ballots(batch, by_kind["ballot"])
    apply_consents(batch, by_kind["consent"])
    apply_requests(batch, by_kind["request"])
    apply_taken(batch, by_kind["alert_taken"])


def _report(batch: Batch, captures: list[Pending], limit: int) -> Settled:
    states = [batch.outcomes[capture.id][0] for capture in captures]
    return Settled(
        taken=len(states),
        merged=states.count("merged"),
        refused=states.count("refused"),
        outside=states.count("early") + states.count("late"),
        opinions=tuple(sorted(batch.opinions)),
        is_more=len(states) == limit,
    )
