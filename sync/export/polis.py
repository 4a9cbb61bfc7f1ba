"""A topic as Polis publishes its conversations: opinions are its comments, reactions its votes.

The columns are those of the published data sets (github.com/compdemocracy/openData); a vote is 1 for agree,
-1 for disagree, 0 for pass. Comments and participants are numbered from 0 as they came; nobody is named.
`votes.csv` has every vote, also those changed later; `participants-votes.csv` the last of each participant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, true, union_all
from sqlalchemy.orm import Session

from sync.errors import RecordsError
from sync.export.cells import BATCH, csv_lines
from sync.export.zipped import File
from sync.merge import AGREE, DISAGREE, PASS
from sync.records.tables import Capture, Community, Opinion, Person, Reaction, Topic, Transcript

VOTES = {AGREE: 1, DISAGREE: -1, PASS: 0}
_MODERATED = {"approved": 1, "waiting": 0, "review": 0}  # all else was kept back or taken back
_COMMENT = (
    "timestamp", "datetime", "comment-id", "author-id", "agrees", "disagrees", "moderated", "comment-body",
)  # fmt: skip
_VOTE = ("timestamp", "datetime", "comment-id", "voter-id", "vote")
_PARTICIPANT = ("participant", "group-id", "n-comments", "n-votes", "n-agree", "n-disagree")
_WHO = func.coalesce(Person.root_id, Person.id)


@dataclass(frozen=True)
class _Conversation:
    """What the four files share: a number for each opinion and each participant."""

    topic: Topic
    comments: Mapping[str, int]
    participants: Mapping[str, int]
    counts_practice: bool

    def counts(self, table: type[Opinion] | type[Reaction] | type[Capture]) -> ColumnElement[bool]:
        """Whether a row counts here."""
        return true() if self.counts_practice else table.is_practice.is_(False)


def polis_files(session: Session, topic_id: str) -> Iterator[File]:
    """The four files, to be written one after the other. RecordsError where there is no such topic."""
    topic = session.get(Topic, topic_id)
    if topic is None:
        raise RecordsError("没有这个议题 · there is no such topic")
    talk = _conversation(session, topic)
    yield "summary.csv", _summary(session, talk)
    yield "comments.csv", csv_lines(_COMMENT, _comments(session, talk), for_excel=False)
    yield "votes.csv", csv_lines(_VOTE, _votes(session, talk), for_excel=False)
    columns = (*_PARTICIPANT, *map(str, talk.comments.values()))
    yield "participants-votes.csv", csv_lines(columns, _participants(session, talk), for_excel=False)


def _conversation(session: Session, topic: Topic) -> _Conversation:
    draft = _Conversation(topic, {}, {}, session.get_one(Community, topic.community_id).is_demo)
    said = _opinions(draft, Opinion.id).order_by(Opinion.said_at, Opinion.id)
    comments = {one: number for number, one in enumerate(session.scalars(said))}
    wrote = _opinions(draft, _WHO.label("who"), Opinion.said_at.label("at"))
    voted = (
        select(_WHO.label("who"), Capture.cast_at.label("at"))
        .join(Opinion, Opinion.id == Capture.subject_id)
        .join(Person, Person.id == Capture.person_id)
        .where(Capture.kind == "reaction", Capture.state == "merged")
        .where(Opinion.topic_id == topic.id, draft.counts(Opinion), draft.counts(Capture))
    )
    both = union_all(wrote, voted).subquery()
    came = select(both.c.who).group_by(both.c.who).order_by(func.min(both.c.at), both.c.who)
    participants = {one: number for number, one in enumerate(session.scalars(came))}
    return _Conversation(topic, comments, participants, draft.counts_practice)


def _opinions(talk: _Conversation, *columns: Any) -> Select[Any]:
    query = select(*columns).select_from(Opinion).join(Person, Person.id == Opinion.person_id)
    return query.where(Opinion.topic_id == talk.topic.id, talk.counts(Opinion))


def _summary(session: Session, talk: _Conversation) -> Iterator[bytes]:
    """Two columns without a heading, as Polis writes it; what we do not know stays empty."""
    voters = session.scalar(
        select(func.count(_WHO.distinct()))
        .select_from(Reaction)
        .join(Opinion, Opinion.id == Reaction.opinion_id)
        .join(Person, Person.id == Reaction.person_id)
        .where(Opinion.topic_id == talk.topic.id, talk.counts(Opinion), talk.counts(Reaction))
    )
    commenters = session.scalar(_opinions(talk, func.count(_WHO.distinct())))
    facts = {
        "topic": talk.topic.title,
        "url": "",
        "views": "",
        "voters": voters,
        "voters-in-conv": voters,
        "commenters": commenters,
        "comments": len(talk.comments),
        "groups": "",
        "conversation-description": talk.topic.text,
    }
    lines = ({"fact": name, "value": value} for name, value in facts.items())
    return csv_lines(("fact", "value"), lines, for_excel=False, has_heading=False)


def _comments(session: Session, talk: _Conversation) -> Iterator[Mapping[str, Any]]:
    query = _opinions(talk, Opinion.id, Opinion.said_at, Opinion.state, _WHO.label("who"))
    rows = session.execute(query.order_by(Opinion.said_at, Opinion.id).execution_options(yield_per=BATCH))
    for page in rows.partitions():
        ids = [row.id for row in page if row.state == "approved"]
        words, sides = _words(session, ids), _sides(session, talk, [row.id for row in page])
        for row in page:
            yield _moment(row.said_at) | {
                "comment-id": talk.comments[row.id],
                "author-id": talk.participants[row.who],
                "agrees": sides[row.id, AGREE],
                "disagrees": sides[row.id, DISAGREE],
                "moderated": _MODERATED.get(row.state, -1),
                "comment-body": words.get(row.id) or "",
            }


def _votes(session: Session, talk: _Conversation) -> Iterator[Mapping[str, Any]]:
    query = (
        select(Capture.cast_at, Capture.subject_id, Capture.payload, _WHO.label("who"))
        .join(Opinion, Opinion.id == Capture.subject_id)
        .join(Person, Person.id == Capture.person_id)
        .where(Capture.kind == "reaction", Capture.state == "merged")
        .where(Opinion.topic_id == talk.topic.id, talk.counts(Opinion), talk.counts(Capture))
        .order_by(Capture.cast_at, Capture.source, Capture.source_id)
    )
    for row in session.execute(query.execution_options(yield_per=BATCH)):
        vote = VOTES.get(str(row.payload.get("choice")))
        if vote is not None:
            yield _moment(row.cast_at) | {
                "comment-id": talk.comments[row.subject_id],
                "voter-id": talk.participants[row.who],
                "vote": vote,
            }


def _participants(session: Session, talk: _Conversation) -> Iterator[Mapping[str, Any]]:
    """One row a participant, in the order of their numbers; only a page of them is held."""
    wrote = Counter(session.scalars(_opinions(talk, _WHO)))
    everybody = list(talk.participants)
    for start in range(0, len(everybody), BATCH):
        page = everybody[start : start + BATCH]
        votes = _last_votes(session, talk, page)
        for who in page:
            last = votes.get(who, {})
            yield dict.fromkeys(map(str, talk.comments.values())) | {
                "participant": talk.participants[who],
                "group-id": None,
                "n-comments": wrote[who],
                "n-votes": len(last),
                "n-agree": sum(vote == 1 for vote in last.values()),
                "n-disagree": sum(vote == -1 for vote in last.values()),
                **{str(comment): vote for comment, vote in last.items()},
            }


def _last_votes(
    session: Session, talk: _Conversation, people: Sequence[str]
) -> Mapping[str, Mapping[int, int]]:
    """By participant: the vote that stands on each comment; among linked accounts the one cast last."""
    rows = session.execute(
        select(_WHO.label("who"), Reaction.opinion_id, Reaction.choice)
        .join(Opinion, Opinion.id == Reaction.opinion_id)
        .join(Person, Person.id == Reaction.person_id)
        .where(Opinion.topic_id == talk.topic.id, _WHO.in_(people))
        .where(talk.counts(Opinion), talk.counts(Reaction))
        .order_by(Reaction.cast_at, Reaction.source, Reaction.source_id)
    )
    found: dict[str, dict[int, int]] = {}
    for row in rows:
        found.setdefault(row.who, {})[talk.comments[row.opinion_id]] = VOTES[row.choice]
    return found


def _sides(session: Session, talk: _Conversation, ids: Sequence[str]) -> Counter[tuple[str, str]]:
    rows = session.execute(
        select(Reaction.opinion_id, Reaction.choice, func.count(_WHO.distinct()))
        .join(Person, Person.id == Reaction.person_id)
        .where(Reaction.opinion_id.in_(ids), talk.counts(Reaction))
        .group_by(Reaction.opinion_id, Reaction.choice)
    )
    return Counter({(opinion_id, choice): count for opinion_id, choice, count in rows})


def _words(session: Session, ids: Sequence[str]) -> Mapping[str, str | None]:
    rows = session.execute(
        select(Transcript.opinion_id, Transcript.redacted)
        .where(Transcript.opinion_id.in_(ids))
        .order_by(Transcript.opinion_id, Transcript.version)
    )
    return dict(iter(rows))  # the newest version stands


def _moment(at: datetime) -> dict[str, Any]:
    stamp = int(at.timestamp() * 1000)
    return {"timestamp": stamp, "datetime": at.strftime("%a %b %d %H:%M:%S UTC %Y")}
