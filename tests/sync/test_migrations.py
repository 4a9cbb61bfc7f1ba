"""The history of the tables ends where the program begins, on both databases."""

from __future__ import annotations

import threading

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from sync import migrations
from sync.archive import Archive
from sync.database import Database
from sync.records.tables import Base


def test_there_is_one_head() -> None:
    assert len(migrations.heads()) == 1


def test_the_migrated_tables_are_those_of_the_program(any_archive: Archive) -> None:
    with any_archive.database.engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    assert any_archive.database.is_current()


def test_every_index_of_the_program_is_there_with_its_condition(any_archive: Archive) -> None:
    with any_archive.database.engine.begin() as connection:
        found = {
            index["name"]: bool(set(index.get("dialect_options", {})) & {"sqlite_where", "postgresql_where"})
            for table in Base.metadata.tables
            for index in inspect(connection).get_indexes(table)
        }
    wanted = {index.name for table in Base.metadata.tables.values() for index in table.indexes}
    assert wanted <= set(found)
    assert found["ix_captures_pending"]


def test_down_and_up_again(any_archive: Archive) -> None:
    with any_archive.database.engine.begin() as connection:
        command.downgrade(migrations.configuration(connection), "base")
    assert not any_archive.database.is_current()
    any_archive.database.create()
    assert any_archive.database.is_current()


def test_making_the_tables_twice_is_making_them_once(any_archive: Archive) -> None:
    any_archive.database.create()
    assert any_archive.database.is_current()


def test_a_migration_that_breaks_half_way_leaves_nothing(
    any_archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = any_archive.database
    with database.engine.begin() as connection:
        command.downgrade(migrations.configuration(connection), "base")
    upgrade = migrations.upgrade

    def broken(connection: object) -> None:
        upgrade(connection)  # type: ignore[arg-type]
        raise RuntimeError("the power went")

    monkeypatch.setattr(migrations, "upgrade", broken)
    with pytest.raises(RuntimeError):
        database.create()
    with database.engine.begin() as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
    monkeypatch.undo()
    database.create()
    assert database.is_current()


def test_several_processes_may_start_at_once(any_archive: Archive) -> None:
    with any_archive.database.engine.begin() as connection:
        command.downgrade(migrations.configuration(connection), "base")
    url = any_archive.database.url.render_as_string(hide_password=False)
    databases = [Database(url) for _ in range(3)]
    threads = [threading.Thread(target=database.create) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(database.is_current() for database in databases)
    with any_archive.database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    for database in databases:
        database.close()
