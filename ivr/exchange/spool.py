"""Recordings on their way to web: sealed second by second while the caller speaks, kept until web takes
them over.

A tape is `MAGIC salt (length sealed-part)*`; every part is AES-256-GCM under the tape's own key, bound to
its number. The first part holds the details, the last one says what ended the recording. A tape without a
last part was cut off by a kill: what was written is whole up to the last second, and `recover` closes it as
if the caller had hung up.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from errno import ENOSPC
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ivr.exchange.errors import SpoolError
from ivr.exchange.sealing import derive, read_sealed, remove, sync_folder, write_sealed
from ivr.exchange.sound import BYTES_PER_SECOND, seconds_of, to_wav

log = logging.getLogger(__name__)

MAGIC = b"TJTAPE1\n"
SID = re.compile(r"RE[0-9a-f]{32}")
Ended = Literal["key", "silence", "limit", "hangup"]


@dataclass(frozen=True)
class Details:
    """Whose recording this is. `callback` is where it is announced; '' until somebody is known to want it."""

    recording_sid: str
    call_sid: str
    callback: str
    started_at: str


@dataclass(frozen=True)
class Tape:
    """What a tape file holds, as far as it is whole. `ended_by` is None while it is still being written."""

    details: Details
    pcm: bytes
    ended_by: str | None
    good_bytes: int

    @property
    def seconds(self) -> float:
        """Its length."""
        return seconds_of(self.pcm)


class TapeWriter:
    """One recording being made. Every call blocks until it is on disk: use it from a thread."""

    def __init__(self, file: BinaryIO, key: AESGCM, details: Details, parts: int) -> None:
        self.details = details
        self.seconds = 0.0
        self._file, self._key, self._parts = file, key, parts
        self._one_at_a_time = Lock()

    def append(self, pcm: bytes) -> None:
        """Keep some more sound, durably. Raises SpoolError when the disk does not take it."""
        self._write(b"A", pcm)
        self.seconds += len(pcm) / BYTES_PER_SECOND

    def finish(self, ended_by: Ended) -> None:
        """Close the tape; from now on it is served."""
        try:
            self._write(b"E", ended_by.encode())
        finally:
            self._file.close()

    def close(self) -> None:
        """Leave off without an end."""
        self._file.close()

    def begin(self) -> None:
        """Write the details; a tape exists from here on."""
        self._write(b"D", json.dumps(asdict(self.details)).encode())

    def _write(self, kind: bytes, data: bytes) -> None:
        with self._one_at_a_time:
            self._write_part(kind, data)

    def _write_part(self, kind: bytes, data: bytes) -> None:
        nonce = secrets.token_bytes(12)
        sealed = nonce + self._key.encrypt(nonce, kind + data, self._parts.to_bytes(4, "big"))
        place = self._file.tell()
        try:
            if self._file.write(len(sealed).to_bytes(4, "big") + sealed) != len(sealed) + 4:
                raise OSError(ENOSPC, "no space left")
            os.fsync(self._file.fileno())
        except OSError as error:
            os.ftruncate(self._file.fileno(), place)
            self._file.seek(place)
            raise SpoolError(
                f"recording {self.details.recording_sid} cannot grow: {error.strerror}"
            ) from error
        self._parts += 1


class Spool:
    """All tapes of one exchange, in one folder."""

    def __init__(self, folder: Path, secret: bytes) -> None:
        self.folder = folder
        self._secret = secret
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def begin(self, details: Details) -> TapeWriter:
        """Start a recording. Blocks on the disk. Raises SpoolError."""
        salt, path = secrets.token_bytes(16), self._path(details.recording_sid)
        try:
            file = open(path, "xb", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise SpoolError(f"cannot begin recording {details.recording_sid}: {error.strerror}") from error
        writer = TapeWriter(file, derive(self._secret, salt, "tape"), details, 0)
        try:
            os.chmod(file.fileno(), 0o600)
            file.write(MAGIC + salt)
            sync_folder(self.folder)
            writer.begin()
        except (OSError, SpoolError) as error:
            writer.close()
            remove(path)
            raise SpoolError(f"cannot begin recording {details.recording_sid}: {error}") from error
        return writer

    def read(self, sid: str) -> Tape | None:
        """A tape as far as it is whole; None when there is none or not even its details were written."""
        try:
            raw = self._path(sid).read_bytes()
        except OSError:
            return None
        if not raw.startswith(MAGIC):
            return None
        key, place = derive(self._secret, raw[len(MAGIC) : len(MAGIC) + 16], "tape"), len(MAGIC) + 16
        details, sound, ended_by = None, [], None
        for kind, data, end in _parts(raw, key, place):
            place = end
            if kind == b"D":
                details = Details(**json.loads(data))
            elif kind == b"A":
                sound.append(data)
            else:
                ended_by = data.decode()
        return Tape(details, b"".join(sound), ended_by, place) if details else None

    def wav(self, sid: str) -> bytes | None:
        """A finished recording as WAV; None while it is being made, or when there is none."""
        tape = self.read(sid)
        return to_wav(tape.pcm) if tape and tape.ended_by else None

    def recover(self) -> list[str]:
        """Close every tape a kill cut off; tapes on which nothing was said yet are removed. Returns those
        closed.

        Only for the moment before calls are taken. A tape of another token stays: its keys may come back.
        """
        closed = []
        for sid in self.sids():
            tape = self.read(sid)
            if tape is None and self._is_foreign(sid):
                log.error("recording %s cannot be read with this token; it is kept", sid)
            elif tape is None or not tape.pcm:
                remove(self._path(sid))
            elif tape.ended_by is None:
                self._close(sid, tape)
                closed.append(sid)
        return closed

    def _is_foreign(self, sid: str) -> bool:
        """Whether a tape that gives no details has them whole all the same, or cannot be looked at now."""
        try:
            raw = self._path(sid).read_bytes()
        except OSError:
            return True
        first = len(MAGIC) + 16
        length = int.from_bytes(raw[first : first + 4], "big")
        return raw.startswith(MAGIC) and length > 0 and len(raw) >= first + 4 + length

    def _close(self, sid: str, tape: Tape) -> None:
        file = open(self._path(sid), "r+b", buffering=0)  # noqa: SIM115 (closed by finish)
        file.truncate(tape.good_bytes)
        file.seek(0)
        raw = file.read()
        salt = raw[len(MAGIC) : len(MAGIC) + 16]
        parts = sum(1 for _ in _parts(raw, derive(self._secret, salt, "tape"), len(MAGIC) + 16))
        TapeWriter(file, derive(self._secret, salt, "tape"), tape.details, parts).finish("hangup")

    def sids(self) -> list[str]:
        """The recordings here, finished or not."""
        return sorted(path.stem for path in self.folder.glob("RE*.tape") if SID.fullmatch(path.stem))

    def address(self, sid: str, callback: str) -> None:
        """Say where a recording is to be announced, when that became known only after it was made."""
        write_sealed(self.folder / f"{sid}.to", callback.encode(), self._secret)

    def callback(self, tape: Tape) -> str:
        """Where a recording is to be announced; '' when nobody is known to want it yet."""
        late = read_sealed(self.folder / f"{tape.details.recording_sid}.to", self._secret)
        return late.decode() if late else tape.details.callback

    def delete(self, sid: str) -> bool:
        """Web has it: forget it. False when it was gone already. A recording still being made stays."""
        tape = self.read(sid)
        if tape is not None and tape.ended_by is None:
            return False
        remove(self.folder / f"{sid}.to")
        return remove(self._path(sid))

    def drop(self, sid: str) -> None:
        """Forget a recording on which nothing was said."""
        remove(self._path(sid))

    def _path(self, sid: str) -> Path:
        if not SID.fullmatch(sid):
            raise SpoolError("not the name of a recording")
        return self.folder / f"{sid}.tape"


def _parts(raw: bytes, key: AESGCM, place: int) -> Iterator[tuple[bytes, bytes, int]]:
    """The whole parts of a tape: kind, content, where the part ends. Stops at the first torn or foreign
    one.
    """
    number = 0
    while place + 4 <= len(raw):
        end = place + 4 + int.from_bytes(raw[place : place + 4], "big")
        if end > len(raw):
            return
        try:
            plain = key.decrypt(raw[place + 4 : place + 16], raw[place + 16 : end], number.to_bytes(4, "big"))
        except (InvalidTag, ValueError):
            return
        yield plain[:1], plain[1:], end
        place, number = end, number + 1
