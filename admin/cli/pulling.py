"""The command `tingjian pull`: a platform's changes as lines of JSON, from where the last run stopped."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import click

from sync.client import Away, Checkpoint, Client, ClientError

LOG = logging.getLogger("tingjian.pull")


@click.command()
@click.option(
    "--base", required=True, metavar="URL", help="听见的网址 · where Tingjian is: https://calls.example"
)
@click.option(
    "--key-file", type=click.Path(path_type=Path, dir_okay=False, exists=True), required=True,
    help="存密钥的文件 · the file that holds the platform's key",
)  # fmt: skip
@click.option(
    "--checkpoint", type=click.Path(path_type=Path, dir_okay=False), required=True,
    help="记住读到哪里的文件 · the file that remembers how far it was read",
)  # fmt: skip
@click.option("--follow", is_flag=True, help="一直等新的 · go on, waiting for what is new")
def pull(base: str, key_file: Path, checkpoint: Path, follow: bool) -> None:
    """读出上次以来的变化，每行一个 JSON 事件（CloudEvents）。

    Print every change since the last run, one CloudEvent a line. At the first run, and where the feed no
    longer goes back so far, an event of the type cn.tingjian.feed.resync comes first, then all there is.
    """
    client, place = Client(base, key_file.read_text("utf-8").strip()), Checkpoint(checkpoint)
    while True:
        try:
            for event in client.changes(place, follow=follow):
                click.echo(json.dumps(event.whole, ensure_ascii=False, separators=(",", ":")))
            return
        except Away as error:
            if not follow:
                raise click.ClickException(f"连不上听见 · Tingjian is away: {error}") from error
            LOG.warning("away (%s): trying on", error)
        except ClientError as error:
            raise click.ClickException(f"没有成功 · refused: {error}") from error
