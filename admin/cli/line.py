"""Commands of the telephone line: run it, and let it call itself."""

from __future__ import annotations

import asyncio

import click
from rich.console import Console

from admin.cli.terms import kindly, opened, pick_community, read_settings
from admin.supervised import end_with_supervisor


@click.group(invoke_without_command=True)
@click.pass_context
@kindly
def line(context: click.Context) -> None:
    """电话线路：接听 SIP 中继打来的电话。

    Run the telephone line: it takes SIP calls from the trunks that are set and brings them to the exchange.
    """
    if context.invoked_subcommand is not None:
        return
    from admin.line import serve_line
    from ivr.exchange.errors import ExchangeError

    end_with_supervisor()
    try:
        serve_line(read_settings())
    except ExchangeError as error:
        raise click.ClickException(f"线路起不来 · the line does not start: {error}") from error


@line.command("test")
@click.option("--community", "asked", help="社区名称 · which community to call")
@click.option("--seconds", default=12.0, show_default=True, help="听多少秒 · how long to listen")
@kindly
def line_test(asked: str | None, seconds: float) -> None:
    """给自己打一通真的 SIP 电话，说说听到了什么。

    Call the line over real SIP, from a withheld number, and tell what was heard. `tingjian run`, or
    `tingjian line` with an exchange, has to be running.
    """
    from admin.line_test import LineTestError, call_myself

    settings = read_settings()
    with opened(settings) as archive, archive.database.read() as session:
        dialled = pick_community(session, asked).dialled_number
        try:
            is_well = asyncio.run(call_myself(settings, archive, dialled, seconds, Console(highlight=False)))
        except LineTestError as error:
            raise click.ClickException(f"打不通 · no answer: {error}") from error
    if not is_well:
        raise click.ClickException("接通了，但什么也没听到 · answered, but nothing was heard")
