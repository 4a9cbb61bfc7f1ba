"""Envelope encryption: one data key per person or number, wrapped by a master key; destroying it erases."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import insert
from sqlalchemy.orm import Session

from sync.errors import KeyDestroyed, KeyringUnreadable, RecordsUnavailable
from sync.prepared import Prepared
from sync.records.tables import Key, new_id

_log = logging.getLogger(__name__)
_NEW_KEY = Prepared(insert(Key), ("id", "wrapped", "created_at"))

KEY_BYTES = 32
NONCE_BYTES = 12
_FORMAT = b"\x01"  # AES-256-GCM, a random 96-bit nonce in front (NIST SP 800-38D)


@dataclass(frozen=True)
class NewKey:
    """A data key whose row in `keys` is still to be written."""

    row: Mapping[str, Any]
    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.row["id"])

    def seal(self, data: bytes, about: str) -> bytes:
        """What `Keyring.seal` gives once the row is there."""
        return _encrypt(self.secret, data, about)


class Keyring:
    """The master key and the digest key of one installation. Data keys are never held."""

    def __init__(self, master: bytes, digest_key: bytes) -> None:
        if len(master) != KEY_BYTES or len(digest_key) != KEY_BYTES:
            raise KeyringUnreadable("master and digest keys are 32 bytes each")
        self._master = master
        self._digest_key = digest_key

    @classmethod
    def load_or_create(cls, path: Path) -> Keyring:
        """The keyring of a JSON file that only its owner can read; fresh keys where there is none."""
        if not path.exists():
            _write_new(path)
        try:
            content = json.loads(path.read_text())
            master, digest_key = (base64.b64decode(content[name]) for name in ("master", "digest_key"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise KeyringUnreadable(f"the key file can't be read: {type(error).__name__}") from error
        if path.stat().st_mode & 0o077:
            _log.warning("the key file is open to others: chmod 600 it")
        return cls(master, digest_key)

    def new_key(self, session: Session) -> str:
        """A fresh data key; its id."""
        return self._written(session).id

    def make_key(self) -> NewKey:
        """A fresh data key, nothing written yet."""
        key_id, secret = new_id("key"), secrets.token_bytes(KEY_BYTES)
        wrapped = _encrypt(self._master, secret, f"key:{key_id}")
        return NewKey({"id": key_id, "wrapped": wrapped, "created_at": datetime.now(UTC)}, secret)

    def seal_anew(self, session: Session, data: bytes, about: str) -> tuple[str, bytes]:
        """`data` sealed under a fresh data key: the key's id, and what `seal` would have given."""
        key = self._written(session)
        return key.id, key.seal(data, about)

    def seal(self, session: Session, key_id: str, data: bytes, about: str) -> bytes:
        """`data` encrypted under a data key and bound to `about`, what it belongs to. Raises KeyDestroyed."""
        return _encrypt(self._data_key(session, key_id), data, about)

    def unseal(self, session: Session, key_id: str, sealed: bytes, about: str) -> bytes:
        """What `seal` was given. Raises KeyDestroyed once erased, KeyringUnreadable if it doesn't fit."""
        return _decrypt(self._data_key(session, key_id), sealed, about)

    def destroy(self, session: Session, key_id: str) -> None:
        """Forget a data key: all it sealed is noise from now on, in every copy."""
        key = session.get(Key, key_id)
        if key is not None and key.wrapped is not None:
            key.wrapped = None
            key.destroyed_at = datetime.now(UTC)

    def digest(self, community_id: str, e164: str) -> str:
        """HMAC-SHA256 of a telephone number within one community, as 64 hex digits."""
        return hmac.new(self._digest_key, f"{community_id}\x1f{e164}".encode(), hashlib.sha256).hexdigest()

    def secret(self, name: str) -> bytes:
        """32 bytes that follow from the master key and a name: tickets, line tokens, cookies."""
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"tingjian/" + name.encode()).derive(self._master)

    def _written(self, session: Session) -> NewKey:
        key = self.make_key()
        _NEW_KEY.run(session.connection(), key.row)
        return key

    def _data_key(self, session: Session, key_id: str) -> bytes:
        key = session.get(Key, key_id)
        if key is None or key.wrapped is None:
            raise KeyDestroyed(key_id)
        return _decrypt(self._master, key.wrapped, f"key:{key_id}")


def _encrypt(key: bytes, data: bytes, about: str) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return _FORMAT + nonce + AESGCM(key).encrypt(nonce, data, about.encode())


def _decrypt(key: bytes, sealed: bytes, about: str) -> bytes:
    if sealed[:1] != _FORMAT:
        raise KeyringUnreadable("sealed in a form this program doesn't know")
    nonce, body = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, body, about.encode())
    except (InvalidTag, ValueError) as error:
        raise KeyringUnreadable("the key doesn't fit, or what it sealed was altered") from error


def _write_new(path: Path) -> None:
    """Write fresh keys whole or not at all; of two processes starting at once, the first one's stand."""
    fresh = {
        name: base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() for name in ("master", "digest_key")
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".keys-")  # made with mode 0600
        with os.fdopen(descriptor, "w") as file:
            json.dump(fresh, file)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(draft)
    except OSError as error:
        raise RecordsUnavailable(f"the key file can't be written: {type(error).__name__}") from error
