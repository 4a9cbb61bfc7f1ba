"""Finished programmes as sound: three files by the digest of what is said, there whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import soundfile

from ivr.broadcast.loudspeakers import BroadcastError, Form, SoundFile
from speech.audio import Audio, resample, write_phone_wav, write_wav

RATE = 24_000
ENDINGS: Mapping[Form, str] = {"mp3": ".mp3", "wav": ".wav", "phone": ".phone.wav"}
MEDIA_TYPES: Mapping[Form, str] = {"mp3": "audio/mpeg", "wav": "audio/wav", "phone": "audio/wav"}

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class _Note:
    seconds: float
    sums: Mapping[Form, str]


@dataclass(frozen=True)
class SoundStore:
    """Sounds in `folder`, by digest. Not sealed: all of it is meant for the whole village."""

    folder: Path

    @classmethod
    def under(cls, home: Path) -> SoundStore:
        """The store of one installation."""
        return cls(home / "broadcasts")

    def write(self, digest: str, sound: Audio) -> float:
        """Keep a sound in every form; its length in seconds. Raises OSError when the disk is full."""
        full = resample(sound, RATE)
        content = {"mp3": write_mp3(full), "wav": write_wav(full), "phone": write_phone_wav(full)}
        self.folder.mkdir(parents=True, exist_ok=True)
        sums = {form: hashlib.sha256(data).hexdigest() for form, data in content.items()}
        for form, ending in ENDINGS.items():
            self._put(digest + ending, content[form])
        note = {"seconds": round(full.seconds, 3), "sha256": sums}
        self._put(f"{digest}.json", json.dumps(note).encode())  # last: what has a note is whole
        return full.seconds

    def has(self, digest: str | None) -> bool:
        """Whether all forms of it are there."""
        return bool(digest) and self._note(digest or "") is not None

    def file(self, digest: str, form: Form) -> SoundFile:
        """One form of it. Raises BroadcastError where it is not there."""
        note = self._note(digest)
        if note is None:
            raise BroadcastError("the sound is not there")
        path = self.folder / (digest + ENDINGS[form])
        return SoundFile(path, note.sums[form], note.seconds, MEDIA_TYPES[form])

    def delete(self, digest: str) -> None:
        """Forget a sound; one that is not there is no error."""
        for ending in (".json", *ENDINGS.values()):
            self._path(digest, ending).unlink(missing_ok=True)
        for unfinished in self.folder.glob(f".{digest}.*"):
            unfinished.unlink(missing_ok=True)

    def digests(self) -> frozenset[str]:
        """Every sound of which anything lies in the folder."""
        try:
            heads = {path.name.removeprefix(".").partition(".")[0] for path in self.folder.iterdir()}
        except FileNotFoundError:
            return frozenset()
        return frozenset(head for head in heads if _DIGEST.fullmatch(head))

    def _note(self, digest: str) -> _Note | None:
        try:
            plain = json.loads(self._path(digest, ".json").read_text())
            note = _Note(float(plain["seconds"]), plain["sha256"])
        except (OSError, ValueError, KeyError, BroadcastError):
            return None
        return note if all(self._path(digest, ending).is_file() for ending in ENDINGS.values()) else None

    def _path(self, digest: str, ending: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise BroadcastError("not the name of a sound")
        return self.folder / (digest + ending)

    def _put(self, name: str, data: bytes) -> None:
        self._path(name.partition(".")[0], "")
        unfinished = self.folder / f".{name}.{secrets.token_hex(4)}"
        try:
            with unfinished.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self.folder / name)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise


def write_mp3(sound: Audio) -> bytes:
    """An MP3 of constant bit rate, which the oldest devices play."""
    out = io.BytesIO()
    soundfile.write(
        out, sound.samples, sound.rate, format="MP3", bitrate_mode="CONSTANT", compression_level=0.6
    )
    return out.getvalue()
