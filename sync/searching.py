"""Finding opinions by their words: an index of keyed hashes, derived, and deleted with the words.

The words of an opinion lie sealed under their speaker's key. What is searched by is a hash of each under the
installation's own secret and its community: who reads the tables reads no word, and reads nothing at all
of an opinion that was erased. See docs/decisions/0018.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Select, delete, exists, func, insert, select
from sqlalchemy.orm import Session, aliased

from sync.archive import Archive
from sync.errors import KeyDestroyed
from sync.records.tables import Opinion, Person, Searched, SearchTerm, Transcript

MOST_TERMS = 600  # of one opinion; of a longer one the rest is not found
MOST_ASKED = 12  # words of one question
_LEAST_COMMON = 3  # words, before two opinions are alike
_COMMON = 1_000  # a word with so many opinions is common; beyond that nobody counts
_GONE = ("withdrawn", "erased")


def index_words(session: Session, archive: Archive, opinion_id: str, community_id: str, words: str) -> None:
    """Let an opinion be found by these words and by no earlier ones. In the transaction that writes them."""
    number = _number(session, opinion_id)
    session.execute(delete(SearchTerm).where(SearchTerm.number == number))
    found = sorted(_indexed(archive, community_id, words))[:MOST_TERMS]
    if found:
        session.execute(insert(SearchTerm), [{"term": term, "number": number} for term in found])


def forget_words(session: Session, opinion_id: str) -> None:
    """An opinion whose words are gone is found no more."""
    number = session.scalar(select(Searched.number).where(Searched.opinion_id == opinion_id))
    if number is not None:
        session.execute(delete(SearchTerm).where(SearchTerm.number == number))
        session.execute(delete(Searched).where(Searched.number == number))


def hashes(archive: Archive, community_id: str, question: str) -> frozenset[int]:
    """What a question stands under in the index of one community: all of these together."""
    from speech.terms import apart  # its dictionary is large, and most who import this never search

    return _hashes(archive, community_id, *apart(question))


def _indexed(archive: Archive, community_id: str, words: str) -> frozenset[int]:
    from speech.terms import pairs, terms

    return _hashes(archive, community_id, terms(words), pairs(words))


def _hashes(
    archive: Archive, community_id: str, words: Iterable[str], pairs: Iterable[str]
) -> frozenset[int]:
    """Words have even numbers, pairs of letters odd ones."""
    secret = archive.keyring.secret("search")
    even = {_hash(secret, community_id, word) & ~1 for word in words}
    return frozenset(even | {_hash(secret, community_id, pair) | 1 for pair in pairs})


def matching(session: Session, asked: Collection[int]) -> Select[int, str]:
    """(number, opinion id) of what holds all the asked words, the newest first; the rarest word leads.

    A caller adds its own conditions, a limit, and `Searched.number < …` for the next page.
    """
    rarest, *others = _rarest_first(session, sorted(asked)[: 2 * MOST_ASKED])[:MOST_ASKED]
    query = (
        select(Searched.number, Searched.opinion_id)
        .join(SearchTerm, SearchTerm.number == Searched.number)
        .where(SearchTerm.term == rarest)
        .order_by(SearchTerm.number.desc())
    )
    return query.where(*(_holds(term) for term in others))


def index_missing(archive: Archive, limit: int = 500) -> int:
    """Index opinions that have words and stand in no index, as after a restore; how many. Safe to repeat."""
    with archive.database.read() as session:
        missing = session.scalars(missing_from_index().limit(limit)).all()
    for opinion_id in missing:
        with archive.database.begin() as session:
            opinion = session.get(Opinion, opinion_id, with_for_update=True)
            if opinion is not None and opinion.state not in _GONE:
                words = _words(session, archive, opinion)
                index_words(session, archive, opinion.id, opinion.community_id, words)
    return len(missing)


def is_any_missing(archive: Archive) -> bool:
    """Whether there is anything for `index_missing` to do."""
    with archive.database.read() as session:
        return session.scalar(missing_from_index().limit(1)) is not None


def missing_from_index() -> Select[str]:
    """Opinions that went through the recognizer and cannot be found, the oldest first."""
    return (
        select(Opinion.id)
        .outerjoin(Searched, Searched.opinion_id == Opinion.id)
        .where(Searched.number.is_(None), Opinion.state.not_in(("waiting", *_GONE)))
        .order_by(Opinion.said_at)
    )


def alike(session: Session, opinion_id: str, most: int = 3, least: float = 0.4) -> list[tuple[str, float]]:
    """Opinions of the same words: (id, share of the shorter one's words in common), the most alike first.

    Only what shares several words counts: two short sentences have one in common soon.
    """
    number = session.scalar(select(Searched.number).where(Searched.opinion_id == opinion_id))
    every = session.scalars(select(SearchTerm.term).where(SearchTerm.number == number))
    own = frozenset(term for term in every if _is_word(term))
    telling = sorted(own, key=lambda term: (_frequency(session, term), term))[:MOST_ASKED]
    near = {other for term in telling for other in _newest_with(session, term) if other != number}
    shares = {other: _share(own, terms) for other, terms in _terms_of(session, near).items()}
    best = sorted(((share, other) for other, share in shares.items() if share >= least), reverse=True)[:most]
    ids = dict(
        session.execute(
            select(Searched.number, Searched.opinion_id).where(Searched.number.in_([one for _, one in best]))
        ).all()
    )
    return [(ids[other], share) for share, other in best if other in ids]


def _number(session: Session, opinion_id: str) -> int:
    found = session.scalar(select(Searched.number).where(Searched.opinion_id == opinion_id))
    if found is not None:
        return found
    row = Searched(opinion_id=opinion_id, made_at=datetime.now(UTC))
    session.add(row)
    session.flush()
    return row.number


def _hash(secret: bytes, community_id: str, term: str) -> int:
    digest = hmac.digest(secret, f"{community_id}\x1f{term}".encode(), "sha256")
    return int.from_bytes(digest[:8], "big", signed=True)


def _is_word(term: int) -> bool:
    return term % 2 == 0


def _frequency(session: Session, term: int) -> int:
    some = select(SearchTerm.number).where(SearchTerm.term == term).limit(_COMMON).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def _rarest_first(session: Session, asked: Sequence[int]) -> Sequence[int]:
    """The terms by how common they are, in one question; one alone is not asked about."""
    if len(asked) < 2:
        return asked
    some = (select(SearchTerm.number).where(SearchTerm.term == term).limit(_COMMON) for term in asked)
    counts = (select(func.count()).select_from(one.subquery()).scalar_subquery() for one in some)
    found = session.execute(select(*counts)).one()
    return [term for _, term in sorted(zip(found, asked, strict=True))]


def _holds(term: int) -> ColumnElement[bool]:
    other = aliased(SearchTerm)
    return exists().where(other.term == term, other.number == SearchTerm.number)


def _newest_with(session: Session, term: int) -> Sequence[int]:
    newest = select(SearchTerm.number).where(SearchTerm.term == term)
    return session.scalars(newest.order_by(SearchTerm.number.desc()).limit(60)).all()


def _terms_of(session: Session, numbers: Iterable[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    rows = select(SearchTerm.number, SearchTerm.term).where(SearchTerm.number.in_(list(numbers)))
    for number, term in session.execute(rows):
        if _is_word(term):
            found.setdefault(number, set()).add(term)
    return found


def _share(own: Collection[int], other: Collection[int]) -> float:
    common = len(set(own) & set(other))
    return common / min(len(own), len(other)) if common >= _LEAST_COMMON else 0.0


def _words(session: Session, archive: Archive, opinion: Opinion) -> str:
    from sync.words import transcript_name

    latest = session.scalar(
        select(Transcript)
        .where(Transcript.opinion_id == opinion.id)
        .order_by(Transcript.version.desc())
        .limit(1)
    )
    if latest is None or latest.sealed_text is None:
        return ""
    key_id = session.get_one(Person, opinion.person_id).key_id
    try:
        return archive.keyring.unseal(
            session, key_id, latest.sealed_text, transcript_name(opinion.id, latest.version)
        ).decode()
    except KeyDestroyed:
        return ""
