"""Commands about online platforms: their keys, what they may do, where they are told of changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin.cli.people import which
from admin.cli.terms import done, kindly, opened, pick_community, read_settings
from admin.cli.webhooks import ACTOR, platform_of, webhook
from sync.platforms import SCOPES, add_platform, end_platform, exchange_key
from sync.records.tables import Community, Platform


@click.group()
def platforms() -> None:
    """线上平台 · Online platforms and their keys."""


platforms.add_command(webhook)


@platforms.command("add")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, default=("feedback:read",), show_default=True)
@click.option("--days", type=click.IntRange(1, 3660), help="密钥几天后失效 · the key ends after so many days")
@which
@kindly
def add(name: str, scopes: tuple[str, ...], days: int | None, asked: str | None) -> None:
    """添加平台，显示一次它的密钥；权限见 tingjian platforms scopes。

    Add the platform NAME and show its key, once. What a key may do: tingjian platforms scopes.
    """
    ends_at = datetime.now(UTC) + timedelta(days=days) if days else None
    with opened(read_settings()) as archive, archive.database.begin() as session:
        community_id = pick_community(session, asked).id
        _, key = add_platform(session, community_id, name, scopes, ends_at, ACTOR)
    done(f"已添加 {name}，密钥只显示这一次", "added; the key is shown this once")
    click.echo(key)


@platforms.command("list")
@kindly
def show() -> None:
    """列出平台、权限、到期。

    List the platforms: id, community, scopes, when the key ends.
    """
    now = datetime.now(UTC)
    with opened(read_settings()) as archive, archive.database.read() as session:
        for one, community in _everyone(session):
            end = "" if one.expires_at is None else f"  到 until {one.expires_at.astimezone():%Y-%m-%d %H:%M}"
            is_over = one.expires_at is not None and one.expires_at <= now
            click.echo(f"{one.id}  {one.name}  {community}{end}{'  已停用 ended' if is_over else ''}")
            click.echo(f"    {' '.join(map(str, one.scopes))}")


@platforms.command("scopes")
def list_scopes() -> None:
    """密钥可以有哪些权限。

    What a key may be allowed.
    """
    for scope, meaning in SCOPES.items():
        click.echo(f"{scope:<20} {meaning}")


@platforms.command("key")
@click.argument("platform")
@kindly
def rekey(platform: str) -> None:
    """换密钥，旧的马上失效。

    A new key for PLATFORM (name or id), shown this once; the old one is void at once.
    """
    with opened(read_settings()) as archive, archive.database.begin() as session:
        key = exchange_key(session, platform_of(session, platform), ACTOR)
    done("新密钥只显示这一次，旧的已失效", "shown this once; the old key is void")
    click.echo(key)


@platforms.command("end")
@click.argument("platform")
@kindly
def end(platform: str) -> None:
    """停用平台：密钥失效，不再通知；它带来的话和票还在。

    End PLATFORM (name or id): its key is void, it is told nothing; what it brought stays.
    """
    with opened(read_settings()) as archive, archive.database.begin() as session:
        end_platform(session, platform_of(session, platform), datetime.now(UTC), ACTOR)
    done("已停用", "ended")


def _everyone(session: Session) -> list[tuple[Platform, str]]:
    query = select(Platform, Community.name).join(Community, Community.id == Platform.community_id)
    return [(one, name) for one, name in session.execute(query.order_by(Platform.created_at, Platform.id))]
