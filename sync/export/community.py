"""Everything of a community that may leave the desk, as CSV and JSON: no number, no voter, redacted words.

Words appear once staff have approved them; a result appears once its topic shows it. Of what was taken back a
row without content is left. `columns.csv` says what every column means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from sync.export.cells import BATCH, Row, csv_lines, json_lines
from sync.export.columns import COLUMNS
from sync.export.zipped import File
from sync.records.tables import Opinion, ProgressUpdate, Reply, Satisfaction, Topic
from sync.shown.opinions import GONE, is_demo, opinions, shown_opinions
from sync.shown.topics import moment, shown_topics

Told = Callable[[int], None]
_NO_MORE_THAN_APPROVED = frozenset[str]()


@dataclass(frozen=True)
class _Source:
    """Whose records, read when, and where each row that is read is told."""

    session: Session
    community_id: str
    now: datetime
    told: Told


def community_files(
    session: Session, community_id: str, now: datetime, told: Told = lambda _: None
) -> Iterator[File]:
    """Each table twice, then what the columns mean. `told` is called with each number of rows just read."""
    source = _Source(session, community_id, now, told)
    for name, meanings in COLUMNS.items():
        columns = tuple(meanings)
        yield f"{name}.csv", csv_lines(columns, _counting(source, _ROWS[name](source)))
        yield f"{name}.json", json_lines(columns, _counting(source, _ROWS[name](source)))
    meaning = (
        {"table": name, "column": column, "meaning": says}
        for name, meanings in COLUMNS.items()
        for column, says in meanings.items()
    )
    yield "columns.csv", csv_lines(("table", "column", "meaning"), meaning)


def size(session: Session, community_id: str) -> int:
    """About how many rows `community_files` will tell of: for a bar that shows how far it is."""
    tables = (Topic, ProgressUpdate, Opinion, Reply)
    counts = (
        session.scalar(select(func.count()).select_from(one).where(one.community_id == community_id))
        for one in tables
    )
    return 2 * sum(count or 0 for count in counts)


def _counting(source: _Source, rows: Iterator[Row]) -> Iterator[Row]:
    held = 0
    for row in rows:
        yield row
        held += 1
        if held == BATCH:
            source.told(held)
            held = 0
    source.told(held)


def _topics(source: _Source) -> Iterator[Row]:
    for topic in _shown_topics(source):
        result = topic["result"] or {}
        facts = ("counts", "voters", "replaced", "early", "late", "electorate", "electorate_size", "quorum")
        yield (
            {name: topic[name] for name in COLUMNS["topics"] if name in topic}
            | {name: result.get(name) for name in (*facts, "is_quorate")}
            | {"is_result_hidden": topic["result"] is None}
        )


def _results(source: _Source) -> Iterator[Row]:
    for topic in _shown_topics(source):
        labels = dict(topic["options"])
        for by in ("choices", "evidence", "channels"):
            for value, voters in (topic["result"] or {}).get(by, {}).items():
                label = labels.get(value) if by == "choices" else None
                yield {"topic_id": topic["id"], "by": by, "value": value, "label": label, "voters": voters}


def _progress(source: _Source) -> Iterator[Row]:
    for topic in _shown_topics(source):
        for update in topic["updates"]:
            yield update | {"topic_id": topic["id"]}


def _feedback(source: _Source) -> Iterator[Row]:
    for item in _shown_opinions(source):
        reactions = item.get("reactions", {})
        sides = {name: reactions.get(name, 0) for name in ("agree", "disagree", "pass")}
        yield dict.fromkeys(COLUMNS["feedback"]) | item | (sides if item["state"] not in GONE else {})


def _replies(source: _Source) -> Iterator[Row]:
    for item in _shown_opinions(source):
        for reply in item.get("replies", ()):
            yield reply | {"feedback_id": item["id"]}


def _satisfaction(source: _Source) -> Iterator[Row]:
    query = (
        select(
            Satisfaction.opinion_id, Satisfaction.is_satisfied, Satisfaction.given_at, Satisfaction.channel
        )
        .join(Opinion, Opinion.id == Satisfaction.opinion_id)
        .where(Opinion.community_id == source.community_id, Opinion.state.not_in(GONE))
        .order_by(Satisfaction.given_at, Satisfaction.id)
    )
    if not is_demo(source.session, source.community_id):
        query = query.where(Opinion.is_practice.is_(False))
    for row in source.session.execute(query.execution_options(yield_per=BATCH)):
        yield {
            "feedback_id": row.opinion_id,
            "is_satisfied": row.is_satisfied,
            "given_at": moment(row.given_at),
            "channel": row.channel,
        }


def _shown_topics(source: _Source) -> Iterator[dict[str, Any]]:
    query = (
        select(Topic)
        .where(Topic.community_id == source.community_id, Topic.state != "draft")
        .order_by(Topic.created_at, Topic.id)
    )
    for page in source.session.scalars(query.execution_options(yield_per=BATCH)).partitions():
        yield from shown_topics(source.session, page, source.now)


def _shown_opinions(source: _Source) -> Iterator[dict[str, Any]]:
    session, community_id = source.session, source.community_id
    with_practice = is_demo(session, community_id)
    query: Select[Any] = opinions(community_id, with_practice).order_by(Opinion.said_at, Opinion.id)
    for page in session.execute(query.execution_options(yield_per=BATCH)).partitions():
        yield from shown_opinions(session, page, _NO_MORE_THAN_APPROVED, with_practice)


_ROWS: Mapping[str, Callable[[_Source], Iterator[Row]]] = {
    "topics": _topics,
    "results": _results,
    "progress": _progress,
    "feedback": _feedback,
    "replies": _replies,
    "satisfaction": _satisfaction,
}
