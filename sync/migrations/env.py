"""Alembic's entry: runs revisions on the connection it was handed, inside that connection's transaction."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import JSON, Connection

from sync.records.base import Moment
from sync.records.tables import Base


def render(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """Write our own types by name; everything else as Alembic does."""
    if kind != "type":
        return False
    if isinstance(item, Moment):
        return "Moment()"
    return "Json" if isinstance(item, JSON) else False


def run(connection: Connection) -> None:
    """Run the revisions asked for. `render_as_batch` because SQLite can't alter a table in place."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        render_item=render,
        compare_type=True,
    )
    context.run_migrations()


run(context.config.attributes["connection"])
