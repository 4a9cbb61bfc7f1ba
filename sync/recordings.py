"""The store of sealed sound: a folder whose files appear whole or not at all."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sync.errors import RecordingMissing, RecordsError, RecordsUnavailable

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,120}")


class RecordingStore:
    """Sealed recordings by name (letters, digits, `_ . -`). What `put` returned from survives a power cut."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, name: str, sealed: bytes) -> None:
        """Keep `sealed` under `name`, replacing what was there. Raises RecordsUnavailable on a full disk."""
        path = self._path(name)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _write_whole(path, sealed)
        except OSError as error:
            raise RecordsUnavailable(f"the recording store can't be written: {error.strerror}") from error

    def get(self, name: str) -> bytes:
        """The sealed bytes. Raises RecordingMissing, or RecordsUnavailable where the disk doesn't answer."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError as error:
            raise RecordingMissing(name) from error
        except OSError as error:
            raise RecordsUnavailable(f"the recording store can't be read: {error.strerror}") from error

    def delete(self, name: str) -> None:
        """Remove a recording; one that isn't there is no error."""
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError as error:
            raise RecordsUnavailable(f"the recording store can't be written: {error.strerror}") from error

    def exists(self, name: str) -> bool:
        """Whether a recording of this name is kept."""
        return self._path(name).exists()

    def names(self) -> Iterator[str]:
        """The names of all recordings, in no order."""
        if self.folder.exists():
            yield from (path.name for path in self.folder.iterdir() if not path.name.startswith("."))

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise RecordsError("not a name of a recording")
        return self.folder / name


def _write_whole(path: Path, content: bytes) -> None:
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the name too must be on the disk, not only the content
    finally:
        os.close(folder)
