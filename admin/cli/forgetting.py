"""Commands that delete what a resident wants gone: one opinion by its receipt, or all of a number."""

from __future__ import annotations

import click
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from admin.cli.terms import done, kindly, opened, pick_community, read_settings
from sync.archive import Archive
from sync.erase import erase_person, withdraw_opinion
from sync.people import find_number, normalise_number
from sync.receipts import is_wellformed
from sync.records.tables import Opinion, Person

_ACTOR = "command line"
which = click.option("--community", "asked", help="社区名称 · which community, where there are several")
why = click.option("--reason", help="原因，记入审计 · the reason, for the audit; no names, no numbers")
sure = click.option("--yes", "is_sure", is_flag=True, help="不再询问 · do not ask")


@click.group()
def forget() -> None:
    """应居民要求删除 · Delete what a resident wants gone; it cannot be undone."""


@forget.command("receipt")
@click.argument("receipt")
@why
@which
@kindly
def forget_receipt(receipt: str, reason: str | None, asked: str | None) -> None:
    """删除受理号 RECEIPT 的那段话和录音。

    Delete the words and the sound of the opinion with this RECEIPT. Votes stay.
    """
    digits = "".join(character for character in receipt if character.isdecimal())
    if not is_wellformed(digits):
        raise click.ClickException(
            "这不是受理号 · that is no receipt: eight digits, and one of them is wrong"
        )
    with opened(read_settings()) as archive:
        with archive.database.read() as session:
            chosen = pick_community(session, asked).id
            mine = select(Opinion.id).where(Opinion.community_id == chosen, Opinion.receipt == digits)
            opinion_id = session.scalar(mine)
        if opinion_id is None:
            raise click.ClickException("没有这个受理号 · nothing has this receipt")
        withdraw_opinion(archive, opinion_id, _ACTOR, reason)
    done("已删除这段话和录音", "its words and sound are deleted")


@forget.command("number")
@click.argument("number")
@sure
@why
@which
@kindly
def forget_number(number: str, is_sure: bool, reason: str | None, asked: str | None) -> None:
    """删除号码 NUMBER 的一切：号码、说过的话、录音，以及未结束的投票。

    Delete all of a telephone NUMBER: itself, words, sound, votes on open topics. Closed counts stay.
    """
    e164 = normalise_number(number)
    if e164 is None:
        raise click.ClickException("这不像电话号码 · that is no telephone number")
    with opened(read_settings()) as archive:
        with archive.database.read() as session:
            people = _people(session, archive, pick_community(session, asked).id, e164)
            opinions = select(func.count()).where(Opinion.person_id.in_(people))
            said = session.scalar(opinions) or 0
        if not people:
            raise click.ClickException("这个号码没有打来过 · nobody has called from this number")
        if not is_sure:
            question = f"{len(people)} 人，{said} 段话，删除后找不回来 · {said} opinions, for good"
            click.confirm(question, abort=True)
        for person_id in people:
            erase_person(archive, person_id, _ACTOR, reason)
    done(f"已删除 {len(people)} 人的号码、话和录音", f"{len(people)} people at this number are erased")


def _people(session: Session, archive: Archive, community_id: str, e164: str) -> list[str]:
    """Everybody who has called from a number, not erased yet."""
    number = find_number(session, archive, community_id, e164)
    if number is None:
        return []
    there = select(Person.id).where(Person.number_id == number.id, Person.erased_at.is_(None))
    return list(session.scalars(there.order_by(Person.seat)))
