"""One file that holds an installation: all rows of one moment, the sealed recordings, their keys.

A `.tar` of `tables/NAME.jsonl`, `recordings/NAME`, `keys.json` and `manifest.json`. With a passphrase the
keys are sealed in it (`keys.sealed`: scrypt, AES-256-GCM); without one they lie open in it, and the file is
worth as much as all it holds. It can be restored into SQLite or PostgreSQL, whichever it came from.
Rendered prompts are not in it: they can be made again. Beside it, `taken-back.json` lists by id what people
took back, so that a backup made before that does not bring it back.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, select, update

from sync import carried_keys, dump, feed, taken_back
from sync.archive import Archive
from sync.database import Database
from sync.errors import RecordingMissing, RecordsError
from sync.migrations import heads
from sync.placing.acts import call_all_off
from sync.recordings import RecordingStore
from sync.records.tables import Change, Recording
from sync.voiding import void_restored

FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    """What a backup holds. `tables` counts rows; `missing` names recordings not found in the store."""

    format: int
    made_at: str
    revision: str
    tables: dict[str, int]
    recordings: int
    missing: tuple[str, ...]


def backup(archive: Archive, home: Path, to: Path, passphrase: str | None = None) -> Manifest:
    """Write a backup of one moment to `to`, whole or not at all, for its owner's eyes; calls may go on.

    Raises RecordsError where the file can't be written, RecordsUnavailable when the records are away.
    """
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=to.parent, prefix=f".{to.name}-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                manifest = _write(archive, home, file, passphrase)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, to)
            taken_back.add(archive, to.parent)
        finally:
            Path(draft).unlink(missing_ok=True)
    except OSError as error:
        raise RecordsError(f"the backup can't be written: {error.strerror}") from error
    return manifest


def restore(source: Path, database_url: str, home: Path, passphrase: str | None = None) -> Manifest:
    """Fill an empty database and `home` from a backup; the rows come all or not at all.

    Raises RecordsError when something is there already, the file is damaged, or the passphrase does not fit.
    """
    try:
        gone = taken_back.read(source.parent)
        with tarfile.open(source) as tar:
            manifest = _read_manifest(tar)
            name = carried_keys.SEALED if carried_keys.SEALED in tar.getnames() else carried_keys.OPEN
            keys = carried_keys.unpack(name, _content(tar, name), passphrase)
            database = Database(database_url)
            try:
                database.create()
                _refuse_used(database)
                carried_keys.install(home, keys)
                _restore_recordings(tar, RecordingStore(home / "recordings"))
                _restore_rows(tar, database, manifest)
            finally:
                database.close()
        _take_back(database_url, home, gone)
    except (tarfile.TarError, EOFError) as error:
        raise RecordsError("this file is not a whole backup") from error
    except OSError as error:
        raise RecordsError(f"the backup can't be restored: {error.strerror}") from error
    return manifest


def _take_back(database_url: str, home: Path, gone: taken_back.TakenBack) -> None:
    archive = Archive.open(database_url, home)
    try:
        taken_back.take_back_again(archive, gone)
    finally:
        archive.close()


def _write(archive: Archive, home: Path, file: io.BufferedWriter, passphrase: str | None) -> Manifest:
    counts: dict[str, int] = {}
    missing: list[str] = []
    with tarfile.open(fileobj=file, mode="w") as tar:
        with archive.database.read() as session:
            connection = session.connection()
            for table in dump.tables():
                with tempfile.TemporaryFile() as lines:
                    counts[table.name] = dump.write_table(connection, table, lines)
                    _add_file(tar, f"tables/{table.name}.jsonl", lines)
            names = session.scalars(select(Recording.file).where(Recording.file.is_not(None))).all()
        for name in names:
            try:
                _add(tar, f"recordings/{name}", archive.recordings.get(str(name)))
            except RecordingMissing:  # erased since, or lost: the manifest says so
                missing.append(str(name))
        _add(tar, *carried_keys.carry(home, passphrase))
        kept = len(names) - len(missing)
        now = datetime.now(UTC).isoformat()
        manifest = Manifest(FORMAT, now, ",".join(heads()), counts, kept, tuple(missing))
        _add(tar, "manifest.json", json.dumps(asdict(manifest)).encode())
    return manifest


def _read_manifest(tar: tarfile.TarFile) -> Manifest:
    """Written last, so that it proves the rest is there."""
    try:
        found = json.loads(_content(tar, "manifest.json"))
        manifest = Manifest(**found | {"missing": tuple(found["missing"])})
    except (ValueError, TypeError, KeyError) as error:
        raise RecordsError("this file is not a whole backup") from error
    if manifest.format != FORMAT or manifest.revision != ",".join(heads()):
        raise RecordsError(
            f"the backup was made at revision {manifest.revision}; restore it with that version, then migrate"
        )
    return manifest


def _refuse_used(database: Database) -> None:
    with database.read() as session:
        if not dump.is_empty(session.connection()):
            raise RecordsError("the database is not empty: restore only into a fresh one")


def _restore_rows(tar: tarfile.TarFile, database: Database, manifest: Manifest) -> None:
    with database.begin() as session:
        connection = session.connection()
        for table in dump.tables():
            lines = tar.extractfile(f"tables/{table.name}.jsonl")
            count = dump.read_table(connection, table, lines or ())
            if count != manifest.tables.get(table.name):
                raise RecordsError(
                    f"the backup holds {count} rows of {table.name}, not what its manifest says"
                )
        dump.count_on(connection)
        _forget_transactions(connection)
        feed.begin_anew(session, datetime.now(UTC))  # cursors may know of more than was restored
        call_all_off(session, datetime.now(UTC))
        void_restored(session, datetime.now(UTC))


def _forget_transactions(connection: Connection) -> None:
    """Another database counts its transactions anew: restored changes come before all that it will number."""
    connection.execute(update(Change).values(xact=0))


def _restore_recordings(tar: tarfile.TarFile, store: RecordingStore) -> None:
    for member in tar.getmembers():
        folder, _, name = member.name.partition("/")
        if folder == "recordings" and member.isfile():
            store.put(name, _content(tar, member.name))  # the store refuses names that are none


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    with io.BytesIO(content) as file:
        file.seek(0, os.SEEK_END)
        _add_file(tar, name, file)


def _add_file(tar: tarfile.TarFile, name: str, file: IO[bytes]) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = file.tell(), 0o600
    file.seek(0)
    tar.addfile(entry, file)


def _content(tar: tarfile.TarFile, name: str) -> bytes:
    try:
        file = tar.extractfile(name)
    except KeyError as error:
        raise RecordsError("this file is not a whole backup") from error
    return file.read() if file else b""
