"""The keys of an installation as a backup carries them: open, or sealed under a passphrase."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from sync.errors import RecordsError

OPEN, SEALED = "keys.json", "keys.sealed"
_SALT_BYTES, _NONCE_BYTES = 16, 12
_ABOUT = b"tingjian keys"


def carry(home: Path, passphrase: str | None) -> tuple[str, bytes]:
    """The name and content under which the keys of `home` go into a backup."""
    keys = (home / OPEN).read_bytes()
    if passphrase is None:
        return OPEN, keys
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    return SEALED, salt + nonce + AESGCM(_stretch(passphrase, salt)).encrypt(nonce, keys, _ABOUT)


def unpack(name: str, content: bytes, passphrase: str | None) -> bytes:
    """The keys from a backup. RecordsError where they are sealed and the passphrase does not fit."""
    if name == OPEN:
        return content
    if passphrase is None:
        raise RecordsError("the keys in this backup are sealed: its passphrase is needed")
    salt, body = content[:_SALT_BYTES], content[_SALT_BYTES:]
    try:
        return AESGCM(_stretch(passphrase, salt)).decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], _ABOUT)
    except (InvalidTag, ValueError) as error:
        raise RecordsError("the passphrase does not fit this backup") from error


def install(home: Path, keys: bytes) -> None:
    """Put the keys into a home that has none, or the same. RecordsError for one that has others."""
    path = home / OPEN
    if path.exists():
        if path.read_bytes() != keys:
            raise RecordsError(f"{path} holds other keys: restore only into a fresh home")
        return
    home.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(keys)
        file.flush()
        os.fsync(file.fileno())


def _stretch(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode())
