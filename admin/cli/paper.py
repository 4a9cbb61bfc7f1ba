"""The command that prints the card."""

from __future__ import annotations

from pathlib import Path

import click

from admin.card import write_card
from admin.cli.terms import done, kindly, opened, pick_community, read_settings


@click.command()
@click.option(
    "--to",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("card.html"),
    show_default=True,
)
@click.option("--language", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option("--community", "asked", help="社区名称 · which community")
@kindly
def card(path: Path, language: str, asked: str | None) -> None:
    """写一页大字说明：号码、按键、三步（A4，可打印）。

    Write the one-page guide in very large type: the number, the keys, three steps (A4, to be printed).
    """
    with opened(read_settings()) as archive, archive.database.read() as session:
        community = pick_community(session, asked)
        write_card(path, community.name, community.dialled_number, language)
    done(f"已写好 {path}，用浏览器打开打印", f"wrote {path}; open it in a browser and print")
