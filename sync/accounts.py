"""Accounts on platforms: whose voice comes in by one, without ever storing what the account is called."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.errors import RecordsError
from sync.links import join
from sync.people import find_or_create_number, normalise_number, person_at
from sync.records.tables import Account, Household, Key, Person, new_id
from sync.upsert import insert_for, insert_or_ignore

LONGEST = 200  # characters of an account's name
MOST_SEATS = 9


@dataclass(frozen=True)
class Voice:
    """Who speaks, and how well that is known: `attested`, `linked` or `none`."""

    person_id: str
    evidence: str


def voice_of(
    session: Session,
    archive: Archive,
    platform_id: str,
    community_id: str,
    account: str,
    number: str | None,
    seat: int = 1,
    household: str | None = None,
) -> Voice:
    """The person behind an account, made where they are new; the same account is always the same person.

    With `number`, which the platform has verified (the scope is the caller's to check), it is whoever sits
    at that number: the one who calls from it. What the account gave before is theirs too, by a link. Without
    one it is a person of the account's own. `household` is a home of the roster by its reference; it tells
    where a new person of that kind lives. Raises RecordsError for an account, number or seat there can't be.
    """
    if not account or len(account) > LONGEST or not 1 <= seat <= MOST_SEATS:
        raise RecordsError("an account has 1 to 200 characters, a seat is 1 to 9")
    digest = digest_of(archive, platform_id, account)
    row, root_id = _known(session, platform_id, digest)
    if number is not None:
        return _attested(session, archive, community_id, row, (platform_id, digest), number, seat)
    if row is None:
        row = _register(session, archive, community_id, (platform_id, digest), household)
    if row.is_attested:
        return Voice(row.person_id, "attested")
    return Voice(row.person_id, "none" if root_id is None else "linked")


def register_all(
    session: Session, archive: Archive, community_id: str, platform_id: str, digests: Collection[str]
) -> None:
    """Make a person of its own for each account that is new: a few statements for however many."""
    now = datetime.now(UTC)
    made = {digest: (new_id("per"), archive.keyring.new_key(session)) for digest in sorted(digests)}
    if not made:
        return
    people = [
        {"id": person_id, "community_id": community_id, "seat": 1, "key_id": key_id, "created_at": now}
        for person_id, key_id in made.values()
    ]
    session.connection().execute(insert(Person), people)
    rows = [
        {
            "platform_id": platform_id,
            "digest": digest,
            "person_id": person_id,
            "is_attested": False,
            "created_at": now,
        }
        for digest, (person_id, _) in made.items()
    ]
    fresh = insert_for(session, Account).on_conflict_do_nothing(index_elements=["platform_id", "digest"])
    ours = session.connection().execute(fresh.returning(Account.__table__.c.digest), rows).scalars()
    for digest in made.keys() - set(ours):  # another call of the same account was quicker
        person_id, key_id = made[digest]
        session.execute(delete(Person).where(Person.id == person_id))
        session.execute(delete(Key).where(Key.id == key_id))


def known_person(session: Session, archive: Archive, platform_id: str, account: str) -> str | None:
    """The person behind an account that has been here before; makes nothing."""
    row = session.get(Account, (platform_id, digest_of(archive, platform_id, account)))
    return None if row is None else row.person_id


def forget_accounts(session: Session, person_id: str) -> int:
    """Forget which accounts were this person's; how many."""
    gone = delete(Account).where(Account.person_id == person_id).returning(Account.digest)
    return len(session.execute(gone).all())


def digest_of(archive: Archive, platform_id: str, account: str) -> str:
    """HMAC-SHA256 of an account's name on one platform, as 64 hex digits."""
    return archive.keyring.digest(f"account/{platform_id}", account)


def _known(session: Session, platform_id: str, digest: str) -> tuple[Account | None, str | None]:
    """The account's row, held, and as whom its person counts where linked; none of somebody erased."""
    found = session.execute(
        select(Account, Person.root_id, Person.erased_at)
        .join(Person, Person.id == Account.person_id)
        .where(Account.platform_id == platform_id, Account.digest == digest)
        .with_for_update(of=Account)
    ).one_or_none()
    if found is None:
        return None, None
    row, root_id, erased_at = found
    if erased_at is None:
        return row, root_id
    session.delete(row)
    session.flush()
    return None, None


def _attested(
    session: Session,
    archive: Archive,
    community_id: str,
    row: Account | None,
    key: tuple[str, str],
    number: str,
    seat: int,
) -> Voice:
    """The person at the attested number, whoever the account was taken for until now."""
    e164 = normalise_number(number)
    if e164 is None:
        raise RecordsError("that is no telephone number")
    at = find_or_create_number(session, archive, community_id, e164)
    person = person_at(session, archive, community_id, at, seat)
    if row is None:
        row = _insert(session, key, person.id, is_attested=True)
    if row.person_id != person.id:
        before, was_attested = row.person_id, row.is_attested
        row.person_id, row.is_attested = person.id, True
        session.flush()
        if not was_attested:  # a number that has changed hands leaves what was said with its owner then
            join(session, archive, (before, person.id), "attested", key[0], datetime.now(UTC))
    return Voice(person.id, "attested")


def _register(
    session: Session, archive: Archive, community_id: str, key: tuple[str, str], household: str | None
) -> Account:
    person = person_at(session, archive, community_id, None)
    if household is not None:
        at_home = (Household.community_id == community_id, Household.reference == household)
        person.household_id = session.scalar(select(Household.id).where(*at_home))
    row = _insert(session, key, person.id, is_attested=False)
    if row.person_id != person.id:  # another call of the same account was quicker
        session.delete(person)
        session.flush()
        session.delete(session.get_one(Key, person.key_id))
        session.flush()
    return row


def _insert(session: Session, key: tuple[str, str], person_id: str, is_attested: bool) -> Account:
    insert_or_ignore(
        session,
        Account,
        ("platform_id", "digest"),
        platform_id=key[0],
        digest=key[1],
        person_id=person_id,
        is_attested=is_attested,
        created_at=datetime.now(UTC),
    )
    return session.get_one(Account, key, with_for_update=True)
