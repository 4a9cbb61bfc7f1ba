"""Staff see who is linked, by id only, and undo a link."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from admin.demo.seed import COMMUNITY_ID, seed
from admin.parts import open_archive
from sync.links import join
from sync.people import person_at
from sync.records.tables import Link, Person
from tests.admin.test_commands import Shell


def test_links_are_listed_and_undone(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    archive = open_archive(shell.settings())
    archive.database.create()
    seed(archive, tmp_path)
    assert "there are no links yet" in shell.type("links", "list").output
    with archive.database.begin() as session:
        one, other = (person_at(session, archive, COMMUNITY_ID, None).id for _ in range(2))
        made = join(session, archive, (one, other), "code", "phone", datetime.now(UTC))
        assert isinstance(made, Link)
    listed = shell.type("links", "list").output
    assert made.id in listed
    assert one not in listed
    assert shell.type("links", "undo", made.id).exit_code == 0
    assert "已解除" not in shell.type("links", "list").output
    assert "已解除" in shell.type("links", "list", "--all").output
    with archive.database.read() as session:
        assert session.get_one(Person, one).root_id is None
    refused = shell.type("links", "undo", "lnk_none")
    assert (refused.exit_code, "Traceback" in refused.output) == (1, False)
    archive.close()
