"""Settings of a community and their audit."""

from __future__ import annotations

from sqlalchemy import select

from sync.archive import Archive
from sync.community_settings import change_setting, setting
from sync.records.tables import Audit, Community


def test_a_change_is_read_back_and_audited_without_its_value(
    any_archive: Archive, any_community: Community
) -> None:
    where = any_community.id
    with any_archive.database.begin() as session:
        assert setting(session, where, "person_number", "none") == "none"
        change_setting(session, where, "person_number", "+8657100000000", "staff:1")
        change_setting(session, where, "seats_per_number", 3, "staff:1")
        change_setting(session, where, "seats_per_number", 3, "staff:2")
    with any_archive.database.read() as session:
        assert setting(session, where, "person_number") == "+8657100000000"
        assert setting(session, where, "seats_per_number", 2) == 3
        audits = session.scalars(select(Audit).order_by(Audit.id)).all()
    assert [(one.actor, one.act, one.subject) for one in audits] == [
        ("staff:1", "setting_changed", "person_number"),
        ("staff:1", "setting_changed", "seats_per_number"),
    ]
    assert not any("8657100000000" in str(vars(one)) for one in audits)
