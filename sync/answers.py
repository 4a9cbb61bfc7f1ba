"""What is given about somebody's opinion: reactions, satisfaction, a reply that was heard."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from sqlalchemy import or_, select, update
from sqlalchemy.engine import RowMapping

from sync import merge
from sync.ballots import rules_of
from sync.merge import Rules
from sync.pending import COLUMNS, Batch, Pending, givers
from sync.records.base import Base
from sync.records.tables import Assignment, Capture, Opinion, Reaction, Reply, Satisfaction, Topic, record_id
from sync.standing import Columns, write_standing

KINDS = frozenset({"reaction", "satisfaction", "heard"})
_CHOICES = Rules().choices
_YES, _NO = "yes", "no"
_NOWHERE = Rules()


def apply_answers(batch: Batch, captures: Iterable[Pending], new_opinions: Iterable[str]) -> None:
    """Settle what is about opinions, also what came before its opinion did."""
    waited = batch.admit(_orphans(batch, new_opinions))
    by_kind: dict[str, list[Pending]] = defaultdict(list)
    about = About(batch, [*captures, *waited])
    for capture in about.known:
        by_kind[capture.kind].append(capture)
    _react(batch, about, by_kind["reaction"])
    _satisfy(batch, about, by_kind["satisfaction"])
    for capture in by_kind["heard"]:
        _hear(batch, capture)


def reaction_id(opinion_id: str, root: str) -> str:
    """The id of the reaction of whoever counts as `root`."""
    return record_id("rea", opinion_id, root)


def recount_reactions(batch: Batch, people: Collection[str]) -> None:
    """Derive the reactions of these people, and of nobody else, from what they gave: after a link."""
    rows = batch.session.execute(
        select(*COLUMNS)
        .where(Capture.person_id.in_(people), Capture.kind == "reaction", Capture.state == "merged")
        .order_by(Capture.id)
    )
    captures = [Pending(*row) for row in rows]
    batch.people |= givers(batch.session, people)
    about = About(batch, captures)
    kept = {reaction_id(one.subject_id or "", batch.people[one.person_id].root) for one in captures}
    for row in batch.session.scalars(select(Reaction).where(Reaction.person_id.in_(people))):
        if row.id not in kept:
            batch.session.delete(row)
            batch.changed("reaction", row.id, row.community_id, "deleted", opinion_id=row.opinion_id)
    batch.session.flush()
    _react(batch, about, about.known, is_recount=True)


class About:
    """The opinions that captures are about, and under which rules they are ordered."""

    def __init__(self, batch: Batch, captures: Sequence[Pending]) -> None:
        ids = {capture.subject_id for capture in captures if capture.subject_id}
        query = select(Opinion).where(Opinion.id.in_(ids)).order_by(Opinion.id)
        self.opinions = {row.id: row for row in batch.session.scalars(query)} if ids else {}
        self._owners = givers(batch.session, {row.person_id for row in self.opinions.values()})
        self._rules = _rules(batch, {row.topic_id for row in self.opinions.values() if row.topic_id})
        self.known = [capture for capture in captures if self._is_known(batch, capture)]

    def rules(self, opinion_id: str) -> Rules:
        """The rules of the opinion's topic; plain ones for a message."""
        return self._rules.get(self.opinions[opinion_id].topic_id or "", _NOWHERE)

    def is_own(self, batch: Batch, capture: Pending) -> bool:
        """Whether a capture comes from the telephone, or person, whose opinion it is about."""
        owner = self._owners[self.opinions[capture.subject_id or ""].person_id]
        return batch.people[capture.person_id].speaker == owner.speaker

    def _is_known(self, batch: Batch, capture: Pending) -> bool:
        opinion = self.opinions.get(capture.subject_id or "")
        if opinion is None or opinion.community_id != capture.community_id:
            batch.refused(capture, "unknown_opinion")
            return False
        if capture.kind != "reaction" and not self.is_own(batch, capture):
            batch.refused(capture, "not_own")
            return False
        batch.merged(capture)
        return True


def _react(batch: Batch, about: About, captures: Iterable[Pending], is_recount: bool = False) -> None:
    casts: dict[str, list[merge.Ballot]] = defaultdict(list)
    opinions_of: dict[str, Opinion] = {}
    for capture in captures:
        if capture.payload.get("choice") not in _CHOICES:
            batch.refused(capture, "unknown_choice")
            continue
        row_id = reaction_id(capture.subject_id or "", batch.people[capture.person_id].root)
        opinions_of[row_id] = about.opinions[capture.subject_id or ""]
        casts[row_id].append(_ballot(capture, row_id, str(capture.payload["choice"])))

    def columns(row_id: str, winner: merge.Ballot) -> Columns:
        named = (
            "person_id", "choice", "cast_at", "received_at", "channel", "evidence", "source", "source_id",
            "is_practice",
        )  # fmt: skip
        opinion = opinions_of[row_id]
        standing = {name: getattr(winner, name) for name in named}
        return standing | {"opinion_id": opinion.id, "community_id": opinion.community_id}

    for row_id, act in _stand(batch, about, Reaction, casts, opinions_of, columns, is_recount).items():
        opinion = opinions_of[row_id]
        batch.changed("reaction", row_id, opinion.community_id, act, opinion_id=opinion.id)


def _satisfy(batch: Batch, about: About, captures: Iterable[Pending]) -> None:
    casts: dict[str, list[merge.Ballot]] = defaultdict(list)
    opinions_of: dict[str, Opinion] = {}
    for capture in captures:
        if not isinstance(capture.payload.get("is_satisfied"), bool):
            batch.refused(capture, "malformed")
            continue
        row_id = record_id("sat", capture.subject_id or "", capture.person_id)
        opinions_of[row_id] = about.opinions[capture.subject_id or ""]
        casts[row_id].append(_ballot(capture, row_id, _YES if capture.payload["is_satisfied"] else _NO))

    def columns(row_id: str, winner: merge.Ballot) -> Columns:
        standing = {name: getattr(winner, name) for name in ("person_id", "channel", "source", "source_id")}
        verdict = {"is_satisfied": winner.choice == _YES, "given_at": winner.cast_at}
        return standing | verdict | {"opinion_id": opinions_of[row_id].id}

    acts = _stand(batch, about, Satisfaction, casts, opinions_of, columns)
    for row_id, act in acts.items():
        batch.changed("satisfaction", row_id, opinions_of[row_id].community_id, act)
    for opinion in {opinions_of[row_id].id: opinions_of[row_id] for row_id in acts}.values():
        _restage(batch, opinion, about.rules(opinion.id))


def _restage(batch: Batch, opinion: Opinion, rules: Rules) -> None:
    """Settled or reopened, as the last of those who may answer for this opinion said."""
    rows = batch.session.connection().execute(
        select(Satisfaction.__table__).where(Satisfaction.opinion_id == opinion.id)
    )
    said = [_satisfaction(row) for row in rows.mappings()]
    last = max(said, key=lambda one: merge.order(one, rules))
    stage = "settled" if last.choice == _YES else "reopened"
    if opinion.stage != stage:
        opinion.stage = stage
        if stage == "reopened":  # whoever had it in hand has it again
            given = update(Assignment).where(Assignment.opinion_id == opinion.id)
            batch.session.execute(given.values(settled_at=None))
        batch.changed("opinion", opinion.id, opinion.community_id, "updated", stage=stage)


def _stand(
    batch: Batch,
    about: About,
    record: type[Base],
    casts: Mapping[str, Sequence[merge.Ballot]],
    opinions_of: Mapping[str, Opinion],
    columns: Callable[[str, merge.Ballot], Columns],
    is_recount: bool = False,
) -> dict[str, str]:
    read = _reaction if record is Reaction else _satisfaction

    def decide(row_id: str, row: RowMapping | None, given: Iterable[merge.Ballot]) -> Columns | None:
        ours = [] if row is None else [read(row)]
        (winner,) = merge.merge_ballots(
            [] if is_recount else ours, given, about.rules(opinions_of[row_id].id)
        )
        return None if winner in ours else columns(row_id, winner)

    return write_standing(batch.session, record, casts, decide)


def _hear(batch: Batch, capture: Pending) -> None:
    """The caller has heard what was published until then; the first time counts."""
    replies = Reply.__table__
    heard = (
        update(Reply)
        .where(Reply.opinion_id == capture.subject_id, Reply.published_at <= capture.cast_at)
        .where(or_(Reply.heard_at.is_(None), Reply.heard_at > capture.cast_at))
        .values(heard_at=capture.cast_at)
        .returning(replies.c.id, replies.c.community_id)
    )
    for reply_id, community_id in batch.session.connection().execute(heard):
        batch.changed("reply", reply_id, community_id, "updated", is_heard=True)


def _orphans(batch: Batch, new_opinions: Iterable[str]) -> list[Pending]:
    """What was refused because its opinion was not there yet."""
    ids = list(new_opinions)
    if not ids:
        return []
    rows = batch.session.execute(
        select(*COLUMNS)
        .where(Capture.subject_id.in_(ids), Capture.kind.in_(KINDS), Capture.problem == "unknown_opinion")
        .order_by(Capture.id)
    )
    found = [Pending(*row) for row in rows]
    batch.know(found)
    return found


def _rules(batch: Batch, topic_ids: set[str]) -> dict[str, Rules]:
    rows = batch.session.scalars(select(Topic).where(Topic.id.in_(topic_ids))) if topic_ids else ()
    return {topic.id: rules_of(topic) for topic in rows}


def _ballot(capture: Pending, row_id: str, choice: str) -> merge.Ballot:
    return merge.Ballot(
        row_id, capture.person_id, choice, capture.cast_at, capture.received_at, capture.channel,
        capture.evidence, capture.is_practice, capture.source, capture.source_id,
    )  # fmt: skip


def _reaction(row: RowMapping) -> merge.Ballot:
    return merge.Ballot(
        row["id"], row["person_id"], row["choice"], row["cast_at"], row["received_at"], row["channel"],
        row["evidence"], row["is_practice"], row["source"], row["source_id"],
    )  # fmt: skip


def _satisfaction(row: RowMapping) -> merge.Ballot:
    return merge.Ballot(
        row["id"], row["person_id"], _YES if row["is_satisfied"] else _NO, row["given_at"],
        row["given_at"], row["channel"], "", False, row["source"], row["source_id"],
    )  # fmt: skip
