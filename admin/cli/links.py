"""Commands about links: who counts as one person with whom, and letting them be two again."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin.cli.terms import done, kindly, opened, pick_community, read_settings
from sync.links import undo_link
from sync.records.tables import Link, Platform

_ACTOR = "command line"
_HOW = {"code": "六位数 · by code", "attested": "平台核实的号码 · by verified number"}
which = click.option("--community", "asked", help="社区名称 · which community, where there are several")


@click.group()
def links() -> None:
    """同一个人的关联 · Links: who counts once, by phone and on a platform."""


@links.command("list")
@click.option("--all", "also_undone", is_flag=True, help="也列出已解除的 · also those undone")
@which
@kindly
def list_links(also_undone: bool, asked: str | None) -> None:
    """列出关联：编号、时间、来自哪里。

    List links: id, when, from where. Never a name or a number.
    """
    with opened(read_settings()) as archive, archive.database.read() as session:
        community = pick_community(session, asked)
        query = select(Link).where(Link.community_id == community.id)
        if not also_undone:
            query = query.where(Link.undone_at.is_(None))
        found = session.scalars(query.order_by(Link.made_at, Link.id)).all()
        for one in found:
            click.echo(_line(session, one, ZoneInfo(community.time_zone)))
        if not found:
            done("还没有关联", "there are no links yet")


@links.command("undo")
@click.argument("link_id", metavar="ID")
@kindly
def undo(link_id: str) -> None:
    """解除关联 ID，没结束的议题马上重新计票。

    Undo the link ID: both count alone again, and open topics are counted anew. Closed ones stay.
    """
    with opened(read_settings()) as archive, archive.database.begin() as session:
        undo_link(session, archive, link_id, _ACTOR, datetime.now(UTC))
    done("已解除，已重新计票", "undone; open topics are counted anew")


def _line(session: Session, link: Link, zone: ZoneInfo) -> str:
    platform = session.get(Platform, link.made_by)
    made_by = platform.name if platform is not None else link.made_by
    undone = "  已解除 · undone" if link.undone_at is not None else ""
    return f"{link.id}  {link.made_at.astimezone(zone):%Y-%m-%d %H:%M}  {made_by}  {_HOW[link.how]}{undone}"
