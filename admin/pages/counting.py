"""How we counted: a page for each topic, and the files that may be taken away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, abort, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin.pages.access import archive, reader
from admin.roles import for_role
from sync.community_settings import audit
from sync.explain import Explained, explain
from sync.export.community import community_files
from sync.export.polis import polis_files
from sync.export.zipped import zipped
from sync.named import PAGE, Voter, voters
from sync.records.tables import Topic


def add_counting(desk: Blueprint) -> None:
    """Put the pages and the downloads on the desk."""
    desk.add_url_rule("/counts", "counts", counts)
    desk.add_url_rule("/counts/<topic_id>", "counted", counted)
    desk.add_url_rule("/counts/<topic_id>/polis.zip", "polis", polis)
    desk.add_url_rule("/export.zip", "export", export)


@for_role("counts.see")
def counts() -> str:
    """Every topic of the community, newest first."""
    who = reader()
    with archive().database.read() as session:
        query = select(Topic).where(Topic.community_id == who.community_id, Topic.state != "draft")
        topics = session.scalars(query.order_by(Topic.created_at.desc(), Topic.id)).all()
    return render_template("desk/counts.html", topics=topics)


@for_role("counts.see")
def counted(topic_id: str) -> str:
    """How one topic was counted; who chose what where the topic votes by name and tells its result."""
    ours, who = archive(), reader()
    after = request.args.get("after", "")[:40]
    with ours.database.read() as session:
        topic = _topic(session, topic_id)
        found = explain(session, topic_id, datetime.now(UTC))
        named: list[Voter] = []
        if found.is_named and found.is_shown and who.may("counts.named"):
            named = voters(session, ours, topic, after)
        labels = {str(choice): str(label) for choice, label in topic.options}
    if named:
        with ours.database.begin() as session:
            audit(session, who.community_id, who.staff_id, "voters_seen", topic_id)
    return render_template(
        "desk/counted.html", found=found, count=found.tally, steps=steps(found), labels=labels, named=named,
        next_voter=named[-1].ballot_id if len(named) == PAGE else None,
    )  # fmt: skip


@for_role("records.export")
def polis(topic_id: str) -> Response:
    """The topic's four tables as Polis publishes them."""
    with archive().database.read() as session:
        _topic(session, topic_id)
    _audit("topic.exported", topic_id)
    return _download(f"polis-{topic_id}.zip", lambda session: polis_files(session, topic_id))


@for_role("records.export")
def export() -> Response:
    """Everything of the community that may leave the desk."""
    community_id, now = reader().community_id, datetime.now(UTC)
    _audit("community.exported", community_id)
    name = f"tingjian-{now:%Y%m%d}.zip"
    return _download(name, lambda session: community_files(session, community_id, now))


def steps(found: Explained) -> list[tuple[str, int]]:
    """The way from ballots to voters, as a word's id and a number each."""
    return [
        ("step_counted", found.counted),
        ("step_replaced", -found.replaced),
        ("step_linked", -found.linked),
        ("step_housemates", -found.housemates),
        ("step_voters", found.tally.voters),
    ]


def _topic(session: Session, topic_id: str) -> Topic:
    topic = session.get(Topic, topic_id)
    if topic is None or topic.community_id != reader().community_id or topic.state == "draft":
        abort(404)
    return topic


def _audit(act: str, subject: str) -> None:
    who = reader()
    with archive().database.begin() as session:
        audit(session, who.community_id, who.staff_id, act, subject)


def _download(name: str, files: Any) -> Response:
    """A zip that is sent while it is made."""
    ours = archive()

    def pieces() -> Iterator[bytes]:
        with ours.database.read() as session:
            yield from zipped(files(session), datetime.now(UTC))

    answer = Response(pieces(), mimetype="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer
