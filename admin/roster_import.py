"""A roster file checked before it is taken over: what would be new; then imported in small steps."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from admin.roster import Entry, import_roster, parse_roster
from sync.archive import Archive
from sync.community_settings import audit
from sync.desk import Actor, DeskError, NotThere
from sync.drafts import close_draft
from sync.errors import KeyDestroyed
from sync.jobs import workplace
from sync.people import find_number
from sync.records.tables import Household, Key, Resident, RosterImport, new_id, record_id

MOST_ENTRIES = 50_000
SHOWN = 100
_STEP = 100  # entries in one transaction: a few seconds at most during which nobody else writes
_AT_ONCE = 500


@dataclass(frozen=True)
class Line:
    """One entry of the file and what it would do: `new_home`, `new`, `known`, or `other_home`.

    `other_home`: its number stands in another home of the roster already; it would stand in both.
    """

    household: str
    name: str
    has_number: bool
    seat: int
    change: str


@dataclass(frozen=True)
class Checked:
    """What a file would change: how many entries of each kind, the first of them, and who is not in it."""

    counts: dict[str, int]
    lines: Sequence[Line]
    not_in_file: int


def check(session: Session, archive: Archive, actor: Actor, raw: bytes, now: datetime) -> RosterImport:
    """Keep a file for a day, sealed. RosterError for a line that is wrong; DeskError `roster_size`."""
    entries = parse_roster(raw)
    if not 1 <= len(entries) <= MOST_ENTRIES:
        raise DeskError("an empty file, or too long a one", "roster_size", MOST_ENTRIES)
    draft_id = new_id("ri")
    content = json.dumps([astuple(entry) for entry in entries], ensure_ascii=False).encode()
    key_id, sealed = archive.keyring.seal_anew(session, content, draft_id)
    draft = RosterImport(
        id=draft_id, community_id=actor.community_id, key_id=key_id, sealed_entries=sealed,
        total=len(entries), made_by=actor.id, made_at=now,
    )  # fmt: skip
    session.add(draft)
    session.flush()
    audit(session, actor.community_id, actor.id, "roster.checked", draft.id, entries=len(entries))
    return draft


def draft_of(session: Session, actor: Actor, draft_id: str) -> RosterImport:
    """An import of this community. Raises NotThere."""
    draft = session.get(RosterImport, draft_id)
    if draft is None or draft.community_id != actor.community_id:
        raise NotThere("there is no such import", "not_there")
    return draft


def preview(session: Session, archive: Archive, draft: RosterImport) -> Checked:
    """What taking it over would change, as the roster stands now."""
    entries = _entries(session, archive, draft)
    known = _known(session, archive, draft.community_id)
    homes = set(session.scalars(select(Household.id).where(Household.community_id == draft.community_id)))
    numbered = _homes_of_numbers(session, archive, draft.community_id, entries)
    seen: set[tuple[str, str]] = set()
    lines = []
    for entry in entries:
        home = record_id("hh", draft.community_id, entry.household)
        kind = "new"
        if (home, entry.name) in known or (home, entry.name) in seen:
            kind = "known"
        elif numbered.get(entry.number or "", {home}) != {home}:
            kind = "other_home"
        elif home not in homes:
            kind = "new_home"
        seen.add((home, entry.name))
        lines.append(Line(entry.household, entry.name, entry.number is not None, entry.seat, kind))
    shown = [line for line in lines if line.change != "known"] + [
        one for one in lines if one.change == "known"
    ]
    return Checked(dict(Counter(line.change for line in lines)), shown[:SHOWN], len(known - seen))


def begin(session: Session, archive: Archive, actor: Actor, draft_id: str) -> None:
    """Let the worker take it over; put the job `import_roster` afterwards. DeskError: `import_over`."""
    draft = draft_of(session, actor, draft_id)
    if draft.sealed_entries is None:
        raise DeskError("it is in already, or was dropped", "import_over")
    if draft.state == "checked":
        draft.state = "waiting"
        audit(session, actor.community_id, actor.id, "roster.imported", draft.id, entries=draft.total)


def drop(session: Session, archive: Archive, actor: Actor, draft_id: str, now: datetime) -> None:
    """Don't take it over."""
    draft = draft_of(session, actor, draft_id)
    if draft.sealed_entries is not None and draft.state == "checked":
        close_draft(session, archive, draft, "failed", now)


def import_job(draft_id: str) -> None:
    """The queued job. Safe to repeat and to be killed: what is in already is known."""
    run_import(workplace().archive, draft_id)


def run_import(archive: Archive, draft_id: str) -> None:
    """Take a file over, a hundred entries a transaction, and say in its row how far it is."""
    while True:
        with archive.database.begin() as session:
            draft = session.get(RosterImport, draft_id, with_for_update=True)
            if draft is None or draft.sealed_entries is None or draft.state == "checked":
                return
            try:
                entries = _entries(session, archive, draft)
            except KeyDestroyed:
                return
            step = entries[draft.done : draft.done + _STEP]
            is_last = draft.done + _STEP >= draft.total
            done = import_roster(session, archive, draft.community_id, step, recounts=is_last)
            draft.state, draft.done = "running", min(draft.done + _STEP, draft.total)
            draft.households += done.households
            draft.residents += done.residents
            draft.known += done.known
            if draft.done >= draft.total:
                close_draft(session, archive, draft, "done", datetime.now(UTC))


def _entries(session: Session, archive: Archive, draft: RosterImport) -> list[Entry]:
    sealed = draft.sealed_entries
    if sealed is None:
        raise KeyDestroyed("this import is over")
    return [
        Entry(*one) for one in json.loads(archive.keyring.unseal(session, draft.key_id, sealed, draft.id))
    ]


def _known(session: Session, archive: Archive, community_id: str) -> set[tuple[str, str]]:
    """Home and name of everybody on the roster."""
    rows = session.scalars(select(Resident).where(Resident.community_id == community_id)).all()
    theirs = (
        select(Key).join(Resident, Resident.key_id == Key.id).where(Resident.community_id == community_id)
    )
    session.info["keys"] = session.scalars(theirs).all()  # held, so that unsealing asks no more
    return {
        (
            one.household_id or "",
            archive.keyring.unseal(session, one.key_id, one.sealed_name, one.id).decode(),
        )
        for one in rows
    }


def _homes_of_numbers(
    session: Session, archive: Archive, community_id: str, entries: Sequence[Entry]
) -> dict[str, set[str]]:
    """By number: the homes in which the roster has it."""
    found: dict[str, set[str]] = {}
    for e164 in {entry.number for entry in entries if entry.number}:
        number = find_number(session, archive, community_id, e164)
        if number is not None:
            homes = select(Resident.household_id).where(Resident.number_id == number.id)
            if there := {home for home in session.scalars(homes) if home}:
                found[e164] = there
    return found
