"""The history of the tables, run through Alembic inside the caller's own transaction."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

FOLDER = Path(__file__).parent


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration; no ini file. With a connection, commands run on it and never commit it."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the tables to `revision`. All or nothing: both databases roll back table changes."""
    command.upgrade(configuration(connection), revision)


def heads() -> tuple[str, ...]:
    """The newest revisions known to this program; there must be one."""
    return tuple(ScriptDirectory.from_config(configuration()).get_heads())


def is_current(connection: Connection) -> bool:
    """Whether the tables stand at the newest revision."""
    return tuple(MigrationContext.configure(connection).get_current_heads()) == heads()
