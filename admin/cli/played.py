"""Commands about what the loudspeakers played: who was silent; silence at once; the PIN of emergencies."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from admin.cli.terms import done, kindly, opened, pick_community, read_settings
from sync.desk import Actor, DeskError

ACTOR = "command"
which = click.option("--community", "asked", help="名称、号码或编号 · its name, number or id")


@click.command()
@click.option("--most", default=20, show_default=True, type=click.IntRange(1, 500), help="几条 · how many")
@which
@kindly
def played(most: int, asked: str | None) -> None:
    """哪个节目在几只喇叭上放了，哪只没响。

    What was played on how many loudspeakers, and which stayed silent; the latest first.
    """
    from sync.broadcasting import outcomes

    with opened(read_settings()) as archive, archive.database.read() as session:
        community = pick_community(session, asked)
        for one in outcomes(session, community.id, most):
            at = one.due_at.astimezone(ZoneInfo(community.time_zone))
            silent = f"，没响 / silent: {'、'.join(one.silent)}" if one.silent else ""
            why = f" ({one.reason})" if one.reason else ""
            heard = f"{one.played}/{one.loudspeakers}"
            click.echo(f"{one.airing_id}  {at:%m-%d %H:%M}  {one.state}{why}  {heard}  {one.title}{silent}")


@click.command()
@click.argument("airing_id")
@which
@kindly
def stop(airing_id: str, asked: str | None) -> None:
    """马上停下正在放的 AIRING_ID。

    Silence: what plays of AIRING_ID ends at once. `programme played` lists the ids.
    """
    from sync.broadcasting import stop_airing

    with opened(read_settings()) as archive, archive.database.begin() as session:
        actor = Actor(ACTOR, pick_community(session, asked).id)
        try:
            stop_airing(session, actor, airing_id, datetime.now(UTC))
        except DeskError as error:
            raise click.ClickException(f"没有这一条 · {error}") from error
    done("停了", "stopped")


@click.command()
@click.option("--pin", prompt="紧急口令 · PIN", hide_input=True, confirmation_prompt=True)
@which
@kindly
def pin(pin: str, asked: str | None) -> None:
    """设定紧急插播的口令，代替第二个人。

    Set the PIN that stands for a second person where an emergency has to cut in and nobody else is there.
    """
    from sync.broadcasting import set_pin

    with opened(read_settings()) as archive, archive.database.begin() as session:
        try:
            set_pin(session, Actor(ACTOR, pick_community(session, asked).id), pin)
        except DeskError as error:
            raise click.ClickException(f"至少六位数字 · {error}") from error
    done("口令设好了", "the PIN is set")
