"""The store of rendered clips: one name per sentence, voice and pace; nothing half-written is ever seen."""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from ivr.prompts.book import PromptError
from speech.synthesize import FALLBACK, FEMALE, MALE, VOICES_BEFORE

if TYPE_CHECKING:
    from ivr.prompts.shelf import Shelf

FORMAT, FORMAT_BEFORE = "2", "1"
"""Raised when the sound of all clips should change: every name but those of people's recordings does.

Until a clip has been rendered anew, the one of the format before is heard.
"""

_NAME = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class ClipStore:
    """Clips in `folder`: `NAME.wav` for the phone, `NAME.full.wav` in full band, `NAME.json` its caption.

    Names are keyed hashes of what is said and how, so that nobody without `secret` can ask for a sentence
    by guessing it. `engine` names the synthesizer: another engine, other clips. `shelf`: where the book's own
    sentences may lie already.
    """

    folder: Path
    secret: bytes
    engine: str = "kokoro"
    shelf: Shelf | None = None

    def name(self, text: str, voice: str, is_slow: bool = False) -> str:
        """The name (40 hex digits) of `text` said by `voice`."""
        return self._hash(FORMAT, self.engine, voice, "slow" if is_slow else "normal", text)

    def spare_name(self, text: str, voice: str, is_slow: bool = False) -> str:
        """The name of `text` said by the last fallback, while the engine can't say it."""
        return self._hash(FORMAT, FALLBACK, voice, "slow" if is_slow else "normal", text)

    def recorded_name(self, text: str, community_id: str) -> str:
        """The name of a person's own recording of `text` for one community; it serves every voice, pace."""
        return self._hash("1", "recorded", community_id, text)

    def own_name(self, text: str, voice: str, is_slow: bool, community_id: str) -> str:
        """The name of `text` where a community says words in it otherwise than the dictionaries do."""
        pace = "slow" if is_slow else "normal"
        return self._hash(FORMAT, "own", community_id, self.engine, voice, pace, text)

    def find(self, text: str, voice: str, is_slow: bool, community_id: str) -> str | None:
        """The best clip of `text`: recorded by a person, else rendered, else at normal pace; or None.

        A rendered one with the community's own pronunciations comes before one without. While it is still
        to be rendered: as an earlier release said it, then another voice, at last the fallback.
        """
        return next(
            (name for name in self._best_first(text, voice, is_slow, community_id) if self.has(name)), None
        )

    def _best_first(self, text: str, voice: str, is_slow: bool, community_id: str) -> Iterator[str]:
        paces = (True, False) if is_slow else (False,)
        yield self.recorded_name(text, community_id)
        yield from (self.own_name(text, voice, pace, community_id) for pace in paces)
        yield from (self.name(text, voice, pace) for pace in paces)
        before = VOICES_BEFORE.get(voice, voice)
        yield from (self.name(text, before, pace) for pace in paces)
        for who, pace in product((voice, before), paces):
            yield self._hash(FORMAT_BEFORE, self.engine, who, "slow" if pace else "normal", text)
        yield from (self.name(text, other) for other in (FEMALE, MALE) if other != voice)
        yield from (self.spare_name(text, voice, pace) for pace in paces)

    def _hash(self, *said: str) -> str:
        return hmac.digest(self.secret, "\x1f".join(said).encode(), "sha256").hex()[:40]

    def has(self, name: str) -> bool:
        """Whether the clip is there, whole."""
        return bool(_NAME.fullmatch(name)) and self.path(name).is_file()

    def path(self, name: str, is_full_band: bool = False) -> Path:
        """Where the clip lies. Raises `PromptError` for a name that is none of ours."""
        if not _NAME.fullmatch(name):
            raise PromptError("not the name of a clip")
        return self.folder / (f"{name}.full.wav" if is_full_band else f"{name}.wav")

    def caption(self, name: str) -> str:
        """The words of the clip; '' when it has none."""
        return str(self._note(name).get("text", ""))

    def is_personal(self, name: str) -> bool:
        """Whether it says a resident's words or an answer to one; so does a clip that doesn't tell."""
        return bool(self._note(name).get("is_personal", True))

    def may_change(self, name: str) -> bool:
        """Whether another sound may soon stand under this name, or none: nobody is to keep a copy."""
        return self.is_personal(name) or bool(self._note(name).get("may_change", False))

    def reading(self, name: str) -> str:
        """By which pronunciations it was rendered, as `write` was told; '' by none of a community's own."""
        return str(self._note(name).get("reading", ""))

    def write(
        self,
        name: str,
        phone_wav: bytes,
        full_wav: bytes,
        caption: str,
        is_personal: bool = False,
        may_change: bool = False,
        reading: str = "",
    ) -> None:
        """Keep a clip: whole on disk before its name can be found. Raises `OSError` when the disk is full."""
        self.folder.mkdir(parents=True, exist_ok=True)
        note = {"text": caption, "is_personal": is_personal, "may_change": may_change, "reading": reading}
        self._put(self._caption_path(name), json.dumps(note, ensure_ascii=False).encode())
        self._put(self.path(name, is_full_band=True), full_wav)
        self._put(self.path(name), phone_wav)
        self._settle()

    def delete(self, name: str) -> None:
        """Forget a clip, also what a crash has left of it; one that is not there is no error."""
        for path in (self.path(name), self.path(name, is_full_band=True), self._caption_path(name)):
            path.unlink(missing_ok=True)
        for unfinished in self.folder.glob(f".{name}.*"):
            unfinished.unlink(missing_ok=True)

    def names(self) -> frozenset[str]:
        """Every clip in the store."""
        return frozenset(path.stem for path in self.folder.glob("*.wav") if _NAME.fullmatch(path.stem))

    def traces(self) -> frozenset[str]:
        """Every clip of which anything lies in the store, be it half-written."""
        try:
            heads = {path.name.removeprefix(".").partition(".")[0] for path in self.folder.iterdir()}
        except FileNotFoundError:
            return frozenset()
        return frozenset(head for head in heads if _NAME.fullmatch(head))

    def wanted_at(self, name: str) -> float:
        """When it was last known to be wanted, in seconds since 1970; 0 for what is no whole clip."""
        try:
            return self._caption_path(name).stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def mark_wanted(self, name: str, at: float) -> None:
        """Remember that it is wanted; one that is gone is no error."""
        with suppress(FileNotFoundError):
            os.utime(self._caption_path(name), (at, at))

    def _caption_path(self, name: str) -> Path:
        return self.path(name).with_suffix(".json")

    def _note(self, name: str) -> dict[str, object]:
        try:
            note: dict[str, object] = dict(json.loads(self._caption_path(name).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return {}
        return note

    def _put(self, path: Path, data: bytes) -> None:
        unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            with unfinished.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise

    def _settle(self) -> None:
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
