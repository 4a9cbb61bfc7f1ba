"""Commands that show and check the flow of a call."""

from __future__ import annotations

from datetime import UTC, datetime

import click
from sqlalchemy import select

from admin.cli.terms import done, kindly, opened, pick_community, read_settings
from ivr.dialogue.called import flow_of
from ivr.dialogue.draw import draw
from ivr.dialogue.hotline import hotline
from ivr.dialogue.linter import check
from ivr.dialogue.sample import reply_view, sample_flows, sample_view
from ivr.dialogue.steps import Flow
from ivr.prompts.book import LANGUAGES, Book
from ivr.view import community_view
from sync.records.tables import Community


@click.group()
def calls() -> None:
    """通话流程 · The flow of a call."""


@calls.command("draw")
@click.option("--language", type=click.Choice(LANGUAGES), default="zh", show_default=True)
@click.option("--community", "asked", help="画这个社区真实的流程 · draw this community's own call")
@click.option("--reply", is_flag=True, help="画我们为回复打出去的电话 · draw the call we place for a reply")
@kindly
def draw_call(language: str, asked: str | None, reply: bool) -> None:
    """把一通电话画成人人能读的文字。

    Draw a call so that somebody who does not program can read it: of a sample community, or of your own.
    """
    flow = _flow_of(asked) if asked else flow_of(reply_view() if reply else sample_view())
    click.echo(draw(flow, Book.load(language)), nl=False)


@calls.command("check")
@kindly
def check_calls() -> None:
    """按无障碍规则检查每一种流程；有毛病时以 1 退出。

    Prove the accessibility rules over every flow, those of the communities here too; exits with 1 on a fault.
    """
    flows = {**sample_flows(), **_flows_here()}
    faults = 0
    for language in LANGUAGES:
        book = Book.load(language)
        for name, flow in flows.items():
            for fault in check(flow, book):
                faults += 1
                click.echo(f"{language} {name}: {fault}")
    if faults:
        raise click.ClickException(f"{faults} 处不合规则 · {faults} fault(s)")
    done(f"{len(flows)} 种流程都合规则", f"{len(flows)} flows keep every rule in {len(LANGUAGES)} languages")


def _flow_of(asked: str) -> Flow:
    with opened(read_settings()) as archive, archive.database.read() as session:
        community = pick_community(session, asked)
        return hotline(community_view(session, community, None, datetime.now(UTC)))


def _flows_here() -> dict[str, Flow]:
    """The calls of the communities in these records, where there are records."""
    settings = read_settings()
    if settings.database_url.startswith("sqlite") and not (settings.home / "tingjian.db").exists():
        return {}
    with opened(settings) as archive, archive.database.read() as session:
        now = datetime.now(UTC)
        everyone = session.scalars(select(Community).order_by(Community.created_at)).all()
        return {one.name: hotline(community_view(session, one, None, now)) for one in everyone}
