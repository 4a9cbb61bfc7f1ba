"""What people took back, listed beside the backups: no older backup may bring it back."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from sync.archive import Archive
from sync.erase import erase_person, withdraw_opinion
from sync.errors import RecordsError
from sync.records.tables import Opinion, Person

NAME = "taken-back.json"
_ACTOR = "restore"


@dataclass(frozen=True)
class TakenBack:
    """Ids only: people erased, opinions withdrawn."""

    people: frozenset[str] = frozenset()
    opinions: frozenset[str] = frozenset()

    def __or__(self, other: TakenBack) -> TakenBack:
        return TakenBack(self.people | other.people, self.opinions | other.opinions)


def read(folder: Path) -> TakenBack:
    """The list in a folder of backups; empty where there is none. RecordsError for a damaged one."""
    try:
        content = json.loads((folder / NAME).read_text())
        return TakenBack(frozenset(content["people"]), frozenset(content["opinions"]))
    except FileNotFoundError:
        return TakenBack()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordsError(f"{folder / NAME} can't be read: nothing is restored without it") from error


def add(archive: Archive, folder: Path) -> TakenBack:
    """Bring the list up to what the records say; nothing is ever taken off it."""
    with archive.database.read() as session:
        people = session.scalars(select(Person.id).where(Person.erased_at.is_not(None))).all()
        opinions = session.scalars(select(Opinion.id).where(Opinion.state == "withdrawn")).all()
    known = read(folder) | TakenBack(frozenset(people), frozenset(opinions))
    content = {"people": sorted(known.people), "opinions": sorted(known.opinions)}
    descriptor, draft = tempfile.mkstemp(dir=folder, prefix=f".{NAME}-")
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, folder / NAME)
    return known


def take_back_again(archive: Archive, known: TakenBack) -> int:
    """Erase and withdraw what was restored against its owner's will; how many. Safe to repeat."""
    with archive.database.read() as session:
        people = session.scalars(select(Person.id).where(Person.erased_at.is_(None))).all()
        there = select(Opinion.id).where(Opinion.state.not_in(["withdrawn", "erased"]))
        opinions = session.scalars(there).all()
    for person_id in known.people.intersection(people):
        erase_person(archive, person_id, _ACTOR)
    for opinion_id in known.opinions.intersection(opinions):
        withdraw_opinion(archive, opinion_id, _ACTOR)
    return len(known.people.intersection(people)) + len(known.opinions.intersection(opinions))
