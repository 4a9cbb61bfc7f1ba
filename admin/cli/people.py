"""Commands about those who take part: communities, staff, the roster."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from sqlalchemy import select

from admin.cli.terms import done, kindly, opened, pick_community, read_settings
from admin.communities import SETTINGS, typed_setting
from admin.roles import ROLES
from admin.roster import import_roster, read_roster
from admin.staff import add_staff
from sync.community_settings import change_setting
from sync.people import normalise_number
from sync.records.tables import Community, Setting, new_id

which = click.option("--community", "asked", help="社区名称 · which community, where there are several")


@click.group()
def community() -> None:
    """社区 · Communities: each is chosen by the number dialled."""


@community.command("add")
@click.argument("name")
@click.argument("number")
@click.option("--zone", default="Asia/Shanghai", show_default=True, help="时区 · time zone")
@click.option("--language", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@kindly
def add_community(name: str, number: str, zone: str, language: str) -> None:
    """添加社区 NAME，居民拨打 NUMBER。

    Add the community NAME whose residents dial NUMBER.
    """
    e164 = normalise_number(number)
    if e164 is None:
        raise click.ClickException("这不像电话号码 · that is no telephone number")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise click.ClickException("没有这个时区 · there is no such time zone") from error
    with opened(read_settings()) as archive, archive.database.begin() as session:
        if session.scalar(select(Community.id).where(Community.dialled_number == e164)):
            raise click.ClickException("这个号码已有社区 · a community has this number already")
        session.add(
            Community(
                id=new_id("com"), name=name, dialled_number=e164, time_zone=zone, language=language,
                created_at=datetime.now(UTC),
            )
        )  # fmt: skip
    done(f"已添加 {name} {e164}", "added")


@community.command("list")
@kindly
def list_communities() -> None:
    """列出社区。

    List the communities.
    """
    with opened(read_settings()) as archive, archive.database.read() as session:
        for one in session.scalars(select(Community).order_by(Community.created_at)):
            click.echo(
                f"{one.name}  {one.dialled_number}  {one.time_zone}  {'demo' if one.is_demo else ''}".rstrip()
            )


@community.command("set")
@click.argument("name")
@click.argument("value")
@which
@kindly
def set_one(name: str, value: str, asked: str | None) -> None:
    """改社区的一项设置，例如 person_number 13800000000。

    Change a setting of the community: voice (female, male), person_number, seats_per_number; audited.
    """
    if name not in SETTINGS:
        raise click.ClickException(f"可改的有 · what can be set: {', '.join(SETTINGS)}")
    try:
        kept = typed_setting(name, value)
    except ValueError as error:
        raise click.ClickException(f"这个值不行 · that value won't do: {error}") from error
    with opened(read_settings()) as archive, archive.database.begin() as session:
        change_setting(session, pick_community(session, asked).id, name, kept, "command line")
    done("已改", "changed")


@community.command("settings")
@which
@kindly
def list_settings(asked: str | None) -> None:
    """列出社区的设置。

    List the settings of the community.
    """
    with opened(read_settings()) as archive, archive.database.read() as session:
        chosen = pick_community(session, asked)
        for one in session.scalars(
            select(Setting).where(Setting.community_id == chosen.id).order_by(Setting.name)
        ):
            click.echo(f"{one.name} = {one.value}")


@click.group()
def staff() -> None:
    """工作人员 · People at the desk."""


@staff.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="administrator", show_default=True)
@click.option("--password", prompt="密码 · password", hide_input=True, confirmation_prompt="再输一遍 · again")
@which
@kindly
def add_one(name: str, role: str, password: str, asked: str | None) -> None:
    """添加一位工作人员。

    Put NAME on the staff list; the password is asked for.
    """
    with opened(read_settings()) as archive, archive.database.begin() as session:
        add_staff(session, pick_community(session, asked).id, name, password, role)
    done(f"已添加 {name}", f"added {name} as {role}")


@click.group()
def roster() -> None:
    """住户名册 · The roster of households and residents."""


@roster.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@which
@kindly
def import_file(file: Path, asked: str | None) -> None:
    """从 CSV 导入：户, 姓名, 电话, 座次。

    Import a CSV FILE with the columns household, name, number, seat. Safe to repeat.
    """
    entries = read_roster(file)
    with opened(read_settings()) as archive, archive.database.begin() as session:
        counted = import_roster(session, archive, pick_community(session, asked).id, entries)
    done(
        f"新增 {counted.households} 户 {counted.residents} 人，已有 {counted.known} 人",
        f"{counted.households} homes and {counted.residents} residents added, {counted.known} known",
    )
