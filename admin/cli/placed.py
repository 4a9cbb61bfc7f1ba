"""Commands of the calls we place: the process that places them, and what staff may do with one."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from admin.cli.terms import done, kindly, opened, pick_community, read_settings
from admin.supervised import end_with_supervisor
from sync.placing.acts import call_off, placed_calls, try_soon
from sync.records.tables import PlacedCall

_ACTOR = "command line"
_REASONS = {
    "missed": "响一声就挂 · missed call",
    "request": "线路忙 · lines were busy",
    "reply": "有了回复 · a reply",
    "danger": "有人可能有危险 · somebody may be in danger",
}
_STATES = {
    "waiting": "等着打 · waits",
    "calling": "正在打 · calling",
    "reached": "打通了 · reached",
    "unreached": "没人接 · nobody answered",
    "expired": "过期了 · too late",
    "canceled": "取消了 · canceled",
    "refused": "不能打 · not allowed",
}
which = click.option("--community", "asked", help="社区名称 · which community, where there are several")


@click.command()
@kindly
def placer() -> None:
    """打出电话：没接到的、线路忙的、有了回复的。

    Place the calls that are due: missed calls, callers for whom no line was free, replies.
    """
    from admin.placing import serve_placer

    end_with_supervisor()
    serve_placer(read_settings())


@click.group()
def placed() -> None:
    """我们打出去的电话 · The calls we place."""


@placed.command("list")
@click.option("--all", "also_over", is_flag=True, help="也列出打完的 · also those that are over")
@which
@kindly
def list_placed(also_over: bool, asked: str | None) -> None:
    """列出要打的电话：编号、为什么、第几次、下次几点。

    List the calls to be placed: id, why, tries, when next. Never a number.
    """
    with opened(read_settings()) as archive, archive.database.read() as session:
        community = pick_community(session, asked)
        found = placed_calls(session, community.id, also_over)
        for one in found:
            click.echo(_line(one, ZoneInfo(community.time_zone)))
        if not found:
            done("没有要打的电话", "no calls are to be placed")


@placed.command("cancel")
@click.argument("placed_id", metavar="ID")
@kindly
def cancel(placed_id: str) -> None:
    """不打了。

    Call ID off: nobody is called for it any more.
    """
    with opened(read_settings()) as archive, archive.database.begin() as session:
        call_off(session, placed_id, _ACTOR, datetime.now(UTC))
    done("不打了", "called off")


@placed.command("try")
@click.argument("placed_id", metavar="ID")
@kindly
def try_now(placed_id: str) -> None:
    """不等了，能打就打；休息时间照样不打。

    End the pause before the next try of ID. Quiet hours and caps hold as always.
    """
    with opened(read_settings()) as archive, archive.database.begin() as session:
        try_soon(session, placed_id, _ACTOR, datetime.now(UTC))
    done("能打就打", "tried as soon as it may be")


def _line(one: PlacedCall, zone: ZoneInfo) -> str:
    at = (one.settled_at or one.next_try_at).astimezone(zone)
    why = f"  ({one.problem})" if one.problem else ""
    return (
        f"{one.id}  {_REASONS.get(one.reason, one.reason)}  {_STATES.get(one.state, one.state)}"
        f"  {one.tries}×  {at:%Y-%m-%d %H:%M}{why}"
    )
