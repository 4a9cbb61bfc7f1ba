"""Backups: everything comes back, into either database, and only with its keys."""

from __future__ import annotations

import json
import stat
import tarfile
import uuid
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, make_url, select, text

from sync import dump, feed, taken_back
from sync.archive import Archive
from sync.backup import backup, restore
from sync.desk import Actor, reply
from sync.erase import erase_person
from sync.errors import KeyDestroyed, RecordsError
from sync.people import find_number, readable_number
from sync.platforms import add_platform
from sync.records.tables import Audit, Change, Community, Opinion, Person, Recording, Transcript
from sync.sound import unsealed
from sync.words import transcribe_opinion
from tests.sync.recording_source import RecordingSource, a_wav, source
from tests.sync.test_words import clock, stored
from tests.sync.voices import NOW, Parrot, a_topic

__all__ = ["source"]

Rows = dict[str, list[tuple[object, ...]]]


def fill(archive: Archive, community: Community, source: RecordingSource) -> None:
    """An installation that has been used."""
    a_topic(archive, community)
    said = stored(archive, community, source, [a_wav(), b"broken"])
    transcribe_opinion(archive, said.opinion_id, Parrot, clock)
    reply(archive, Actor("st_1", community.id), said.opinion_id, "好的", NOW)
    with archive.database.begin() as session:
        add_platform(session, community.id, "小程序", ["feedback:read"])


def rows_of(archive: Archive) -> Rows:
    """Every row of every table; of changes all but PostgreSQL's transaction, which is another elsewhere.

    Feeds begin a new generation with every restore.
    """
    found: Rows = {}
    with archive.database.read() as session:
        for table in (one for one in dump.tables() if one.name != "feeds"):
            columns = [column for column in table.columns if (table.name, column.name) != ("changes", "xact")]
            rows = session.execute(select(*columns).order_by(*table.primary_key)).all()
            found[table.name] = [tuple(map(comparable, row)) for row in rows]
    return found


def comparable(value: object) -> object:
    """PostgreSQL keeps the keys of a JSON object in an order of its own."""
    return json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else value


@pytest.fixture
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/new/records.db"
    server = make_url(request.getfixturevalue("postgres_server")).set(drivername="postgresql+psycopg")
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    name = f"restored{uuid.uuid4().hex}"
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return server.set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def filled(any_archive: Archive, any_community: Community, source: RecordingSource) -> Archive:
    fill(any_archive, any_community, source)
    return any_archive


@pytest.mark.parametrize(
    "target", ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)], indirect=True
)
def test_everything_comes_back(filled: Archive, tmp_path: Path, target: str) -> None:
    file, home = tmp_path / "night.tar", tmp_path / "elsewhere"
    manifest = backup(filled, tmp_path, file)
    restore(file, target, home)
    restored = Archive.open(target, home)
    assert restored.database.is_current()
    before, after = rows_of(filled), rows_of(restored)
    assert before == after
    assert {name: len(rows) for name, rows in after.items()} | {"feeds": 0} == manifest.tables
    assert (manifest.recordings, manifest.missing) == (2, ())
    with restored.database.read() as session:
        assert unsealed(session, restored, session.get_one(Recording, "rec_1_0")) == a_wav()
        number = find_number(session, restored, "cm_test", "+8613800000001")
        assert number is not None
        assert readable_number(session, restored, number) == "+8613800000001"
        assert session.scalar(select(func.max(Change.xact))) == 0
    restored.close()


@pytest.mark.parametrize(
    "target", ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)], indirect=True
)
def test_a_restored_database_goes_on_counting(filled: Archive, tmp_path: Path, target: str) -> None:
    backup(filled, tmp_path, tmp_path / "night.tar")
    restore(tmp_path / "night.tar", target, tmp_path / "elsewhere")
    restored = Archive.open(target, tmp_path / "elsewhere")
    with restored.database.begin() as session:
        newest = session.scalar(select(func.max(Audit.id)))
        add_platform(session, "cm_test", "另一个", ["feedback:read"])
    with restored.database.read() as session:
        assert session.scalar(select(func.max(Audit.id))) == (newest or 0) + 1
    restored.close()


@pytest.mark.parametrize(
    "target", ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)], indirect=True
)
def test_a_cursor_from_before_the_restore_is_told_to_begin_again(
    filled: Archive, tmp_path: Path, target: str
) -> None:
    scopes = frozenset({"feedback:read"})
    backup(filled, tmp_path, tmp_path / "backup.tar")
    with filled.database.read() as session:
        before = feed.events(session, "cm_test", None, 100, scopes)
    assert before.events
    restore(tmp_path / "backup.tar", target, tmp_path / "new")
    restored = Archive.open(target, tmp_path / "new")
    with restored.database.read() as session:
        with pytest.raises(feed.CursorGone) as gone:
            feed.events(session, "cm_test", before.next_cursor, 100, scopes)
        assert feed.events(session, "cm_test", gone.value.latest, 100, scopes).events == []
        anew = feed.events(session, "cm_test", None, 100, scopes)
    assert [one["data"] for one in anew.events] == [one["data"] for one in before.events]
    assert not {one["id"] for one in anew.events} & {one["id"] for one in before.events}
    restored.close()


def test_a_backup_is_for_its_owners_eyes_and_leaves_no_draft(
    archive: Archive, community: Community, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    backup(archive, tmp_path, folder / "night.tar")
    assert sorted(path.name for path in folder.iterdir()) == ["night.tar", "taken-back.json"]
    assert stat.S_IMODE((folder / "night.tar").stat().st_mode) == 0o600


def test_the_words_in_a_backup_are_as_sealed_as_in_the_records(
    archive: Archive, community: Community, source: RecordingSource, tmp_path: Path
) -> None:
    fill(archive, community, source)
    backup(archive, tmp_path, tmp_path / "night.tar", passphrase="一只鸟在树上")
    content = (tmp_path / "night.tar").read_bytes()
    with archive.database.begin() as session:
        session.get_one(Transcript, (session.scalars(select(Transcript.opinion_id)).one(), 1)).redacted = None
    assert b"13800000001" not in content
    assert json.loads((tmp_path / "keys.json").read_text())["master"].encode() not in content


def test_sealed_keys_open_with_their_passphrase_alone(
    archive: Archive, community: Community, source: RecordingSource, tmp_path: Path
) -> None:
    fill(archive, community, source)
    file, url = tmp_path / "night.tar", f"sqlite:///{tmp_path}/new/records.db"
    backup(archive, tmp_path, file, passphrase="一只鸟在树上")
    for wrong in (None, "", "两只鸟在树上"):
        with pytest.raises(RecordsError, match="passphrase"):
            restore(file, url, tmp_path / "elsewhere", passphrase=wrong)
    restore(file, url, tmp_path / "elsewhere", passphrase="一只鸟在树上")
    assert (tmp_path / "elsewhere" / "keys.json").read_bytes() == (tmp_path / "keys.json").read_bytes()


def test_nothing_is_overwritten(archive: Archive, community: Community, tmp_path: Path) -> None:
    file = tmp_path / "night.tar"
    backup(archive, tmp_path, file)
    with pytest.raises(RecordsError, match="not empty"):
        restore(file, archive.database.url.render_as_string(hide_password=False), tmp_path)
    other = tmp_path / "other"
    Archive.open(f"sqlite:///{other}/records.db", other).close()
    with pytest.raises(RecordsError, match="other keys"):
        restore(file, f"sqlite:///{tmp_path}/new/records.db", other)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7])
def test_half_a_backup_is_refused_and_leaves_an_empty_database(
    archive: Archive, community: Community, source: RecordingSource, tmp_path: Path, share: float
) -> None:
    fill(archive, community, source)
    file, home = tmp_path / "night.tar", tmp_path / "elsewhere"
    backup(archive, tmp_path, file)
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    url = f"sqlite:///{home}/records.db"
    with pytest.raises(RecordsError):
        restore(file, url, home)
    archive = Archive.open(url, home)
    archive.database.create()
    assert not any(rows_of(archive).values())
    archive.close()


def test_a_backup_that_was_tampered_with_is_refused_as_a_whole(
    archive: Archive, community: Community, tmp_path: Path
) -> None:
    file = tmp_path / "night.tar"
    backup(archive, tmp_path, file)
    with tarfile.open(file) as tar:
        parts = {member.name: tar.extractfile(member).read() for member in tar.getmembers()}  # type: ignore[union-attr]
    parts["tables/communities.jsonl"] = b""
    parts["recordings/../../outside"] = b"x"
    with tarfile.open(file, "w") as tar:
        for name, content in parts.items():
            dump_part(tar, name, content)
    with pytest.raises(RecordsError):
        restore(file, f"sqlite:///{tmp_path}/new/records.db", tmp_path / "elsewhere")
    assert not (tmp_path / "outside").exists()


def dump_part(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    import io

    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def test_an_older_backup_does_not_bring_back_what_people_took_back(
    archive: Archive, community: Community, source: RecordingSource, tmp_path: Path
) -> None:
    fill(archive, community, source)
    folder, home = tmp_path / "backups", tmp_path / "elsewhere"
    backup(archive, tmp_path, folder / "monday.tar")
    with archive.database.read() as session:
        [opinion] = session.scalars(select(Opinion)).all()
    erase_person(archive, opinion.person_id, "st_1")
    backup(archive, tmp_path, folder / "tuesday.tar")
    restore(folder / "monday.tar", f"sqlite:///{home}/records.db", home)
    restored = Archive.open(f"sqlite:///{home}/records.db", home)
    with restored.database.read() as session:
        assert session.get_one(Opinion, opinion.id).state == "erased"
        assert session.scalars(select(Transcript.redacted)).all() == [None]
        key_id = session.get_one(Person, opinion.person_id).key_id
        with pytest.raises(KeyDestroyed):
            restored.keyring.seal(session, key_id, b"", "")
    assert list(restored.recordings.names()) == []
    restored.close()


def test_without_a_readable_list_of_what_was_taken_back_nothing_is_restored(
    archive: Archive, community: Community, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    backup(archive, tmp_path, folder / "monday.tar")
    (folder / taken_back.NAME).write_text("{")
    with pytest.raises(RecordsError, match=r"taken-back\.json"):
        restore(folder / "monday.tar", f"sqlite:///{tmp_path}/new/records.db", tmp_path / "elsewhere")
