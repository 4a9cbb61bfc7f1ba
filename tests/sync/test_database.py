"""Promises of the database: one commit, one snapshot, errors in our words."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from sync.archive import Archive
from sync.database import Database, RecordsUnavailable
from sync.records.tables import Audit, Community
from tests.conftest import empty_database

NOW = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)


def an_audit(act: str = "looked") -> Audit:
    return Audit(at=NOW, actor="staff:1", act=act, subject="op_1")


def audits(archive: Archive) -> int:
    with archive.database.read() as session:
        return session.scalar(select(func.count(Audit.id))) or 0


def test_a_transaction_commits_on_leaving_and_vanishes_with_an_exception(any_archive: Archive) -> None:
    with any_archive.database.begin() as session:
        session.add(an_audit())
    with pytest.raises(ZeroDivisionError), any_archive.database.begin() as session:
        session.add(an_audit(str(1 / session.query(Audit).where(Audit.act == "none").count())))
    assert audits(any_archive) == 1


def test_moments_come_back_in_utc(any_archive: Archive) -> None:
    with any_archive.database.begin() as session:
        session.add(an_audit())
    with any_archive.database.read() as session:
        assert session.scalar(select(Audit.at)) == NOW


def test_a_reader_sees_one_snapshot(any_archive: Archive) -> None:
    count = select(func.count(Audit.id))
    with any_archive.database.read() as session:
        assert session.scalar(count) == 0
        with any_archive.database.begin() as other:
            other.add(an_audit())
        assert session.scalar(count) == 0
    assert audits(any_archive) == 1


def test_sqlite_survives_a_power_cut_and_holds_foreign_keys(archive: Archive) -> None:
    with archive.database.read() as session:
        pragmas = {name: session.scalar(text(f"PRAGMA {name}")) for name in
                   ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")}  # fmt: skip
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


def test_writers_that_read_first_never_fail_on_each_other(any_archive: Archive) -> None:
    """Read, think, write: with a deferred BEGIN, SQLite refuses the second one at once."""

    def work() -> None:
        for _ in range(5):
            with any_archive.database.begin() as session:
                seen = session.scalar(select(func.count(Audit.id)))
                time.sleep(0.002)
                session.add(an_audit(f"saw {seen}"))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert audits(any_archive) == 30


def test_another_process_that_holds_the_lock_too_long_is_our_error(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.writers.BUSY_SECONDS", 0.2)
    other = Database(str(archive.database.url))
    with archive.database.begin() as session:
        session.add(an_audit())
        session.flush()
        with pytest.raises(RecordsUnavailable), other.begin() as late:
            late.execute(text("SELECT 1"))
    other.close()


def test_a_full_disk_is_our_error_and_keeps_nothing(archive: Archive) -> None:
    with archive.database.begin() as session:
        pages = session.scalar(text("PRAGMA page_count"))
        session.execute(text(f"PRAGMA max_page_count={pages}"))
    with pytest.raises(RecordsUnavailable), archive.database.begin() as session:
        session.add(an_audit("x" * 200_000))
    with archive.database.begin() as session:
        session.execute(text("PRAGMA max_page_count=1000000"))
    assert audits(archive) == 0


def test_a_database_that_is_gone_is_our_error() -> None:
    gone = Database("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(RecordsUnavailable), gone.read() as session:
        session.execute(text("SELECT 1"))
    with pytest.raises(RecordsUnavailable):
        gone.is_current()


def test_a_wrong_statement_is_no_outage(any_archive: Archive) -> None:
    with pytest.raises(Exception, match="nowhere") as caught, any_archive.database.begin() as session:
        session.execute(text("SELECT * FROM nowhere"))
    assert not isinstance(caught.value, RecordsUnavailable)


@pytest.mark.slow
def test_a_server_that_drops_its_connections_is_found_again(postgres_archive: Archive) -> None:
    database = postgres_archive.database
    with pytest.raises(RecordsUnavailable), database.begin() as session:
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with database.begin() as session:
        session.add(Community(id="cm", name="n", dialled_number="1", created_at=NOW))


@pytest.mark.slow
def test_a_connection_that_died_while_it_rested_is_replaced_unseen(
    postgres_archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.database._REST_SECONDS", 0)
    database, other = postgres_archive.database, Database(str(postgres_archive.database.url))
    with database.begin() as session:
        backend = session.scalar(text("SELECT pg_backend_pid()"))
    with other.begin() as session:
        session.execute(text("SELECT pg_terminate_backend(:pid, 2000)"), {"pid": backend})
    other.close()
    with database.begin() as session:
        assert session.scalar(text("SELECT pg_backend_pid()")) != backend


@pytest.mark.slow
def test_a_database_without_an_encoding_keeps_chinese_words(postgres_server: str, tmp_path: Path) -> None:
    plain = "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    for url in empty_database(postgres_server, plain):
        with closing(Archive.open(url, tmp_path)) as archive:
            archive.database.create()
            with archive.database.begin() as session:
                session.add(an_audit("加装电梯"))
            with archive.database.read() as session:
                assert session.scalars(select(Audit.act)).all() == ["加装电梯"]
