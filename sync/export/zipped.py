"""Files made into one zip while they are still being written: nothing is held, nothing lies on a disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import IO, cast
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

File = tuple[str, Iterable[bytes]]


class _Spout:
    """What the zip writes into; it can't be rewound, and is emptied as soon as something is in it."""

    def __init__(self) -> None:
        self._held: list[bytes] = []

    def write(self, content: bytes) -> int:
        self._held.append(bytes(content))
        return len(content)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def drain(self) -> Iterator[bytes]:
        """What has been written since the last time."""
        held, self._held = self._held, []
        yield from held


def zipped(files: Iterable[File], made_at: datetime) -> Iterator[bytes]:
    """One zip of these files, in pieces as they come."""
    spout = _Spout()
    with ZipFile(cast(IO[bytes], spout), "w", ZIP_DEFLATED) as archive:
        for name, content in files:
            entry = ZipInfo(name, made_at.timetuple()[:6])
            entry.compress_type, entry.external_attr = ZIP_DEFLATED, 0o600 << 16
            with archive.open(entry, "w", force_zip64=True) as into:
                for piece in content:
                    into.write(piece)
                    yield from spout.drain()
    yield from spout.drain()
