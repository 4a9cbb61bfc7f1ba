"""Commands that make calls: the terminal phone, and the demo that tells a whole call as a story."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from admin.cli.terms import kindly, opened, pick_community, read_settings
from admin.health import is_serving, near
from admin.parts import exchange_token
from admin.settings import Settings

if TYPE_CHECKING:
    from sync.archive import Archive

PRACTICE_CALLER = "13900000001"
wav = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.option("--from", "caller", default=PRACTICE_CALLER, show_default=True, help="来电号码 · caller")
@click.option("--community", "asked", help="社区名称 · which community to call")
@click.option("--speak", type=wav, help="嘀声后播放的录音 · spoken after the beep")
@kindly
def phone(caller: str, asked: str | None, speak: Path | None) -> None:
    """用终端打电话：0–9 * # 是按键，q 挂断。

    Call from the terminal: 0–9, * and # are keys, q hangs up. `tingjian run` has to be running.
    """
    from ivr.exchange.errors import ExchangeError
    from ivr.exchange.terminal import TerminalPhone
    from ivr.exchange.tickets import make_ticket

    settings = read_settings()
    with opened(settings) as archive, archive.database.read() as session:
        dialled = pick_community(session, asked).dialled_number
        ticket = make_ticket(exchange_token(archive), "terminal")
    try:
        asyncio.run(TerminalPhone(settings.phone_url, ticket, caller, dialled, speak).run())
    except ExchangeError as error:
        raise click.ClickException(f"打不通，先运行 tingjian run · no answer: {error}") from error


@click.command()
@click.option("--speak", type=wav, help="来电人说的话 · what the caller says")
@click.option("--keys", default="1,1", show_default=True, help="先按的键 · keys pressed first")
@kindly
def demo(speak: Path | None, keys: str) -> None:
    """打一通完整的示范电话，讲成故事。

    Make one whole call with real sound and tell it: what was heard, pressed and said, what the records
    hold, and what the second call reads back. Uses what runs here, or starts it for the time of the story.
    """
    from admin.demo.story import SAYS, Story, StoryError
    from admin.run import RunError

    pressed = [key.strip() for key in keys.split(",") if key.strip()]
    if any(key not in set("0123456789*#") for key in pressed):
        raise click.ClickException("按键只有 0–9 * # · the keys are 0–9, * and #")
    out = Console(highlight=False)
    try:
        with _demo_home(read_settings(), out) as (settings, archive):
            says = SAYS if speak is None else f"（{speak.name}）"
            Story(settings, archive, out, says).tell(pressed, speak)
    except (StoryError, RunError, TimeoutError) as error:
        raise click.ClickException(f"故事没讲完 · the story broke off: {error or 'time ran out'}") from error


@contextmanager
def _demo_home(settings: Settings, out: Console) -> Iterator[tuple[Settings, Archive]]:
    """What runs here already; else this home, where it is the demo's or nobody's; else one for the day."""
    from admin.demo.seed import COMMUNITY_ID
    from admin.run import running
    from sync.records.tables import Community

    with opened(settings) as archive:
        with archive.database.read() as session:
            has_demo = session.get(Community, COMMUNITY_ID) is not None
            is_empty = session.query(Community).first() is None
        if has_demo and is_serving(f"{near(settings, settings.port)}/health"):
            yield settings, archive
            return
    if has_demo or is_empty:
        with running(settings, out) as archive:
            yield settings, archive
        return
    with tempfile.TemporaryDirectory(prefix="tingjian-demo-") as folder:
        fresh = Settings.from_environment(_fresh_environment(Path(folder)))
        with running(fresh, out) as archive:
            yield fresh, archive


def _fresh_environment(home: Path) -> dict[str, str]:
    """A home of its own on ports of its own, so that real records stay untouched."""
    kept = {
        name: os.environ[name] for name in ("TINGJIAN_MODELS", "TINGJIAN_SYNTHESIZER") if name in os.environ
    }
    web, exchange = _free_ports(2)
    return {
        **kept,
        "TINGJIAN_HOME": str(home),
        "TINGJIAN_PORT": str(web),
        "TINGJIAN_EXCHANGE_PORT": str(exchange),
        "TINGJIAN_SIP": "off",
    }


def _free_ports(count: int) -> list[int]:
    import socket

    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()
