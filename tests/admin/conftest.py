"""The desk all tests of staff pages share; each test that changes records makes its own change."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, make_url, text

from tests.admin.desk import Desk, open_desk


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One desk a module."""
    opened = open_desk(tmp_path_factory.mktemp("home"))
    yield opened
    opened.archive.close()


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def any_desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One desk a module, once on each database."""
    environment = {}
    if request.param == "postgres":
        server = make_url(request.getfixturevalue("postgres_server")).set(drivername="postgresql+psycopg")
        name = f"t{uuid.uuid4().hex}"
        engine = create_engine(server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        environment["DATABASE_URL"] = server.set(database=name).render_as_string(hide_password=False)
    opened = open_desk(tmp_path_factory.mktemp("home"), **environment)
    yield opened
    opened.archive.close()
