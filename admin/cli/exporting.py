"""Commands that take records away as files: a topic as Polis publishes it, a whole community."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from admin.cli.terms import done, kindly, opened, pick_community, read_settings
from sync.community_settings import audit
from sync.records.tables import Topic

ACTOR = "command"


@click.group()
def export() -> None:
    """把议题或整个社区导出成文件。

    Take a topic, or everything of a community, away as files: redacted words, no numbers.
    """


@export.command()
@click.argument("topic")
@click.option("--to", required=True, type=click.Path(path_type=Path, file_okay=False))
@kindly
def polis(topic: str, to: Path) -> None:
    """导出一个议题的四个 Polis 表格。

    Write comments.csv, votes.csv, participants-votes.csv and summary.csv of TOPIC (its id), as Polis
    publishes its conversations, into a folder.
    """
    from sync.export.polis import polis_files

    to.mkdir(parents=True, exist_ok=True)
    with opened(read_settings()) as archive:
        with archive.database.read() as session:
            found = session.get(Topic, topic)
            for name, pieces in polis_files(session, topic):
                with (to / name).open("wb") as file:
                    file.writelines(pieces)
        with archive.database.begin() as session:
            audit(session, found.community_id if found else None, ACTOR, "topic.exported", topic)
    done(f"已写到 {to}", f"written to {to}")


@export.command()
@click.option("--to", required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--community", "asked", help="名称、号码或编号 · its name, number or id")
@kindly
def community(to: Path, asked: str | None) -> None:
    """导出一个社区的全部记录 (CSV 和 JSON)。

    Write everything of a community that may leave the desk into one zip, as CSV and as JSON;
    columns.csv in it says what the columns mean.
    """
    from sync.export.community import community_files, size
    from sync.export.zipped import zipped

    now = datetime.now(UTC)
    draft = to.with_name(f".{to.name}.part")
    try:
        with opened(read_settings()) as archive:
            with archive.database.read() as session:
                community_id = pick_community(session, asked).id
                length = size(session, community_id)
                with (
                    click.progressbar(length=length, label="导出 · exporting") as bar,
                    draft.open("wb") as file,
                ):
                    files = community_files(session, community_id, now, bar.update)
                    file.writelines(zipped(files, now))
            with archive.database.begin() as session:
                audit(session, community_id, ACTOR, "community.exported", community_id)
        draft.replace(to)
    finally:
        draft.unlink(missing_ok=True)
    done(f"已写到 {to}", f"written to {to}")
