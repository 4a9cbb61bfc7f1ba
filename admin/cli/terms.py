"""What every command shares: its settings, mistakes told in one kind sentence, a community picked by name."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin.parts import log_to_terminal, open_archive
from admin.roster import RosterError
from admin.settings import Settings, SettingsError
from admin.staff import StaffError
from speech.errors import SpeechError
from sync.archive import Archive
from sync.errors import RecordsError
from sync.records.tables import Community

P = ParamSpec("P")
R = TypeVar("R")


def read_settings() -> Settings:
    """The settings, with logging set up; a wrong one ends the command with its own words."""
    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        raise click.ClickException(f"设置有误 · a setting is wrong: {error}") from error
    log_to_terminal(settings)
    return settings


def kindly(command: Callable[P, R]) -> Callable[P, R]:
    """Our own errors become one sentence and exit code 1, without a traceback."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (RecordsError, SpeechError, StaffError, RosterError) as error:
            raise click.ClickException(str(error)) from error

    return run


@contextmanager
def opened(settings: Settings) -> Iterator[Archive]:
    """The archive for one command, its tables present."""
    archive = open_archive(settings)
    try:
        archive.database.create()
        yield archive
    finally:
        archive.close()


def pick_community(session: Session, asked: str | None) -> Community:
    """The community of that name, number or id; the only one when none is named."""
    everyone = list(session.scalars(select(Community).order_by(Community.created_at)))
    if asked:
        everyone = [one for one in everyone if asked in {one.id, one.name, one.dialled_number}]
    if len(everyone) == 1:
        return everyone[0]
    if not everyone:
        raise click.ClickException("没有这样的社区 · there is no such community (tingjian community list)")
    names = "、".join(one.name for one in everyone)
    raise click.ClickException(f"请用 --community 指明 · name one with --community: {names}")


def done(chinese: str, english: str) -> None:
    """One line for whoever typed the command."""
    click.echo(f"{chinese} · {english}")
