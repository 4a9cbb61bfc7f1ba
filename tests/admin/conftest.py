"""The desk all tests of staff pages share; each test that changes records makes its own change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.admin.desk import Desk, open_desk


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One desk a module."""
    opened = open_desk(tmp_path_factory.mktemp("home"))
    yield opened
    opened.archive.close()
