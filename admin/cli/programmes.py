"""Commands about programmes for the loudspeakers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin.cli.played import pin, played, stop
from admin.cli.terms import done, kindly, opened, pick_community, read_settings
from sync.community_settings import audit
from sync.export.zipped import File
from sync.records.tables import Community, Programme

ACTOR = "command"


@click.group()
def programme() -> None:
    """喇叭里放的节目。

    Programmes for the loudspeakers.
    """


for _command in (played, stop, pin):
    programme.add_command(_command)


@programme.command("list")
@click.option("--community", "asked", help="名称、号码或编号 · its name, number or id")
@kindly
def listed(asked: str | None) -> None:
    """列出节目：编号、状态、长度、标题。

    List the programmes, the latest first: id, state, length, title.
    """
    with opened(read_settings()) as archive, archive.database.read() as session:
        ours = select(Programme).where(Programme.community_id == pick_community(session, asked).id)
        for one in session.scalars(ours.order_by(Programme.changed_at.desc()).limit(50)):
            length = "-" if one.sound_seconds is None else f"{one.sound_seconds:.0f} s"
            click.echo(f"{one.id}  {one.state:<9}  {length:>6}  {one.title}")


@programme.command()
@click.argument("programme_id", required=False)
@click.option(
    "--to", required=True, type=click.Path(path_type=Path), help="文件夹，或 .zip · a folder or .zip"
)
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 31), help="几天 · how many days")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="从哪天起 · the first day")
@click.option("--community", "asked", help="名称、号码或编号 · its name, number or id")
@kindly
def export(programme_id: str | None, to: Path, days: int, first: datetime | None, asked: str | None) -> None:
    """把批准了的节目连同时间表导出到 U 盘。

    Write the approved programmes of the coming days, with a timetable, into a folder or a zip: for
    loudspeakers that play from a stick or a timer. PROGRAMME_ID writes that one alone.
    """
    from ivr.broadcast.carrying import write_folder
    from ivr.broadcast.exporting import community_files, programme_files
    from ivr.broadcast.store import SoundStore

    settings, now = read_settings(), datetime.now(UTC)
    sounds = SoundStore.under(settings.home)

    def content(session: Session, community: Community) -> Iterator[File]:
        if programme_id:
            return programme_files(session, sounds, community.id, programme_id, now)
        day = first.date() if first else _today(community, now)
        return community_files(session, sounds, community.id, day, days, now)

    with opened(settings) as archive:
        with archive.database.read() as session:
            community = pick_community(session, asked)
            files = content(session, community)
            try:
                _write_zip(files, to, now) if to.suffix == ".zip" else write_folder(files, to)
            except OSError as error:
                raise click.ClickException(f"写不进去 · can't be written: {to}: {error}") from error
        with archive.database.begin() as session:
            audit(session, community.id, ACTOR, "programme.exported", programme_id or community.id)
    done(f"已写到 {to}", f"written to {to}")


def _today(community: Community, now: datetime) -> date:
    return now.astimezone(ZoneInfo(community.time_zone)).date()


def _write_zip(files: Iterator[File], to: Path, now: datetime) -> None:
    from sync.export.zipped import zipped

    draft = to.with_name(f".{to.name}.part")
    try:
        with draft.open("wb") as file:
            file.writelines(zipped(files, now))
        draft.replace(to)
    finally:
        draft.unlink(missing_ok=True)
