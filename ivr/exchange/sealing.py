"""Small sealed files: AES-256-GCM under a key derived from the line's token, written so that a kill leaves
no half.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ivr.exchange.errors import SpoolError


def derive(secret: bytes, salt: bytes, purpose: str) -> AESGCM:
    """The key for one purpose and salt."""
    key = HKDF(SHA256(), 32, salt, f"tingjian exchange {purpose}".encode()).derive(secret)
    return AESGCM(key)


def write_sealed(path: Path, data: bytes, secret: bytes) -> None:
    """Write `data` so that after a kill either the old or the new content is there whole. Raises
    SpoolError.
    """
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    sealed = derive(secret, salt, "file").encrypt(nonce, data, path.name.encode())
    fresh = path.with_name(path.name + ".new")
    try:
        with fresh.open("wb") as file:
            os.chmod(file.fileno(), 0o600)
            file.write(salt + nonce + sealed)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
        sync_folder(path.parent)
    except OSError as error:
        raise SpoolError(f"cannot write {path.name}: {error.strerror}") from error


def read_sealed(path: Path, secret: bytes) -> bytes | None:
    """What `write_sealed` wrote; None when it is not there or not ours to read."""
    try:
        raw = path.read_bytes()
        return derive(secret, raw[:16], "file").decrypt(raw[16:28], raw[28:], path.name.encode())
    except (OSError, InvalidTag, ValueError):
        return None


def remove(path: Path) -> bool:
    """Delete a file for good; False when it was gone already."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    sync_folder(path.parent)
    return True


def sync_folder(folder: Path) -> None:
    """Make new, renamed and deleted names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
