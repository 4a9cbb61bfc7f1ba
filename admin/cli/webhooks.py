"""Commands about the addresses that platforms are told at: `tingjian platforms webhook …`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

import click
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from admin.cli.terms import done, kindly, opened, read_settings
from sync.feed import latest as newest_place
from sync.records.tables import Endpoint, Platform
from sync.webhooks import endpoints
from sync.webhooks.addresses import Reach, Unreachable
from sync.webhooks.log import latest
from sync.webhooks.trying import try_endpoint

ACTOR = "command line"
PROBLEMS: Mapping[str, str] = MappingProxyType(
    {
        "no_such_address": "这不是网址 · that is no address a webhook can have",
        "name_unknown": "域名查不到 · nobody knows this name",
        "address_not_public": "不是公网地址 · not a public address; TINGJIAN_WEBHOOKS_TO may allow it",
        "not_https": "须用 https · https is needed, unless TINGJIAN_WEBHOOKS_TO names the address",
        "not_reached": "连不上 · nobody answers there",
        "too_slow": "太慢 · too slow",
        "certificate_not_valid": "证书不对 · its certificate is not valid for this name",
        "no_tls": "没有 TLS · no TLS there",
        "no_http": "答的不是 HTTP · no HTTP there",
        "refused": "对方没有收下 · it did not take it",
    }
)
STATES: Mapping[str, str] = MappingProxyType(
    {"active": "在用 · active", "paused": "已暂停 · paused", "gone": "对方不要了 (410) · gone"}
)


@click.group()
def webhook() -> None:
    """平台的通知地址 · Where platforms are told of changes."""


@webhook.command("add")
@click.argument("platform")
@click.argument("url")
@click.option(
    "--type", "types", multiple=True, help="只要这类事件 · only such events (cn.tingjian.reply.created)"
)
@kindly
def add(platform: str, url: str, types: tuple[str, ...]) -> None:
    """给平台 PLATFORM（名称或编号）添加地址 URL，显示一次密钥。

    Tell PLATFORM (its name or id) of changes at URL from now on; shows the secret, once.
    """
    settings = read_settings()
    with opened(settings) as archive, archive.database.begin() as session:
        found = platform_of(session, platform)
        place = newest_place(session, found.community_id)
        reach, now = Reach.of(settings.webhooks_to), datetime.now(UTC)
        try:
            endpoint, secret = endpoints.add_endpoint(
                session, archive, found, url, types, place, reach, ACTOR, now
            )
        except Unreachable as error:
            raise click.ClickException(said(str(error))) from error
    done(f"已添加 {endpoint.id}，密钥只显示这一次", "added; the secret is shown this once")
    click.echo(secret)


@webhook.command("list")
@kindly
def show() -> None:
    """列出地址、状态、毛病。

    List the endpoints: how they are, and what is wrong.
    """
    with opened(read_settings()) as archive, archive.database.read() as session:
        rows = session.execute(
            select(Endpoint, Platform.name)
            .join(Platform, Platform.id == Endpoint.platform_id)
            .order_by(Endpoint.created_at, Endpoint.id)
        ).all()
        for endpoint, name in rows:
            click.echo(f"{endpoint.id}  {name}  {endpoint.url}")
            click.echo(f"    {STATES[endpoint.state]}  {_moment(endpoint.state_at)}")
            if endpoint.types:
                click.echo(f"    {' '.join(endpoint.types)}")
            if endpoint.failing_since:
                since, tries = _moment(endpoint.failing_since), endpoint.tries
                click.echo(f"    {said(endpoint.problem or '')}  自 since {since}  {tries} 次 tries")


@webhook.command("log")
@click.argument("endpoint")
@click.option("--most", type=click.IntRange(1, 1000), default=20, show_default=True)
@kindly
def log(endpoint: str, most: int) -> None:
    """最近的投递，新的在前。

    The last tries, newest first: when, status, milliseconds, event type, record, event id.
    """
    with opened(read_settings()) as archive, archive.database.read() as session:
        for one in latest(session, _endpoint(session, endpoint).id, most):
            status = one.status or one.problem
            what = f"{one.type} {one.subject} {one.event_id}"
            click.echo(f"{_moment(one.sent_at)}  {status}  {one.milliseconds} ms  {what}")


@webhook.command("test")
@click.argument("endpoint")
@kindly
def test(endpoint: str) -> None:
    """马上发一个试验事件。

    Send one event of the type cn.tingjian.webhook.tested now.
    """
    settings, now = read_settings(), datetime.now(UTC)
    with opened(settings) as archive:
        with archive.database.read() as session:
            found = _endpoint(session, endpoint)
        sent = try_endpoint(archive, found, Reach.of(settings.webhooks_to), now)
    if not sent.is_taken:
        raise click.ClickException(f"{said(sent.problem or '')} {sent.status or ''}".rstrip())
    done(f"对方已收下 {sent.status}", f"taken in {sent.milliseconds} ms")


@webhook.command("rotate")
@click.argument("endpoint")
@kindly
def rotate(endpoint: str) -> None:
    """换密钥；旧的再用 24 小时。

    A new secret, shown this once; the old one signs beside it for 24 hours.
    """
    with opened(read_settings()) as archive, archive.database.begin() as session:
        found = _endpoint(session, endpoint)
        secret = endpoints.exchange_secret(session, archive, found, ACTOR, datetime.now(UTC))
    done("新密钥只显示这一次，旧的再用 24 小时", "shown this once; the old one is good for 24 hours more")
    click.echo(secret)


@webhook.command("pause")
@click.argument("endpoint")
@kindly
def pause(endpoint: str) -> None:
    """先不通知。

    Tell it nothing until it is resumed.
    """
    with opened(read_settings()) as archive, archive.database.begin() as session:
        endpoints.pause(session, _endpoint(session, endpoint), ACTOR, datetime.now(UTC))
    done("已暂停", "paused")


@webhook.command("resume")
@click.argument("endpoint")
@kindly
def resume(endpoint: str) -> None:
    """接着通知，从停下的地方起。

    Go on from where it stopped.
    """
    with opened(read_settings()) as archive, archive.database.begin() as session:
        endpoints.resume(session, _endpoint(session, endpoint), ACTOR, datetime.now(UTC))
    done("已恢复，从停下的地方接着通知", "resumed from where it stopped")


@webhook.command("remove")
@click.argument("endpoint")
@kindly
def remove(endpoint: str) -> None:
    """删掉地址、密钥和投递记录。

    Forget the endpoint with its secrets and its log.
    """
    with opened(read_settings()) as archive, archive.database.begin() as session:
        endpoints.remove(session, archive, _endpoint(session, endpoint), ACTOR)
    done("已删除", "removed")


def said(problem: str) -> str:
    """A problem's word, with the status it may carry, as a sentence in both languages."""
    word, _, status = problem.partition(" ")
    return f"{PROBLEMS.get(word, word)} {status}".rstrip()


def platform_of(session: Session, asked: str) -> Platform:
    """The platform of that name or id. ClickException where there is none, or several of one name."""
    found = session.scalars(select(Platform).where(or_(Platform.id == asked, Platform.name == asked))).all()
    if len(found) == 1:
        return found[0]
    if not found:
        raise click.ClickException("没有这个平台 · there is no such platform")
    ids = "、".join(sorted(one.id for one in found))
    raise click.ClickException(f"同名的有几个，请用编号 · several of this name, say which: {ids}")


def _endpoint(session: Session, asked: str) -> Endpoint:
    found = session.get(Endpoint, asked)
    if found is None:
        raise click.ClickException(
            "没有这个地址 · there is no such endpoint (tingjian platforms webhook list)"
        )
    return found


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
