"""Platforms' keys: shown once, kept as a hash, refused when unknown or expired."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from sync.archive import Archive
from sync.errors import RecordsError
from sync.platforms import add_platform, platform_with
from sync.records.tables import Audit, Community, Platform
from tests.sync.voices import NOW


def test_a_key_opens_and_is_nowhere_in_the_records(archive: Archive, community: Community) -> None:
    with archive.database.begin() as session:
        platform, key = add_platform(session, community.id, "小程序", ["topics:read", "feedback:read"])
    with archive.database.read() as session:
        found = platform_with(session, key, NOW)
        assert found is not None
        assert (found.id, found.scopes) == (platform.id, ["feedback:read", "topics:read"])
        row = session.scalars(select(Platform)).one()
        assert key not in {row.key_hash, row.name, row.id}
        assert session.scalars(select(Audit.act)).all() == ["platform.added"]


def test_an_unknown_or_expired_key_opens_nothing(archive: Archive, community: Community) -> None:
    with archive.database.begin() as session:
        _, key = add_platform(session, community.id, "小程序", ["topics:read"], expires_at=NOW)
    with archive.database.read() as session:
        assert platform_with(session, key, NOW - timedelta(seconds=1)) is not None
        assert platform_with(session, key, NOW) is None
        assert platform_with(session, key[:-1], NOW - timedelta(days=1)) is None


def test_a_scope_there_is_none_of_is_refused(archive: Archive, community: Community) -> None:
    with pytest.raises(RecordsError, match="everything"), archive.database.begin() as session:
        add_platform(session, community.id, "小程序", ["everything"])
    with archive.database.read() as session:
        assert session.scalars(select(Platform)).all() == []
