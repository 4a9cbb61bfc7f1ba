"""Sealed, unsealed, and gone for good."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from sync.archive import Archive
from sync.errors import KeyDestroyed, KeyringUnreadable
from sync.keyring import Keyring
from sync.records.tables import Key


def test_what_is_sealed_can_be_unsealed_until_its_key_is_destroyed(any_archive: Archive) -> None:
    keyring = any_archive.keyring
    with any_archive.database.begin() as session:
        key_id = keyring.new_key(session)
        sealed = keyring.seal(session, key_id, "路灯坏了".encode(), "op_1")
        assert keyring.seal(session, key_id, "路灯坏了".encode(), "op_1") != sealed
    with any_archive.database.read() as session:
        assert keyring.unseal(session, key_id, sealed, "op_1").decode() == "路灯坏了"
    with any_archive.database.begin() as session:
        keyring.destroy(session, key_id)
    with any_archive.database.read() as session:
        assert session.get_one(Key, key_id).wrapped is None
        with pytest.raises(KeyDestroyed):
            keyring.unseal(session, key_id, sealed, "op_1")
        with pytest.raises(KeyDestroyed):
            keyring.seal(session, key_id, b"", "op_1")


def test_a_seal_fits_only_what_it_was_made_for(archive: Archive) -> None:
    with archive.database.begin() as session:
        key_id = archive.keyring.new_key(session)
        sealed = archive.keyring.seal(session, key_id, b"words", "op_1")
        for wrong, about in (
            (sealed, "op_2"),
            (sealed[:-1] + bytes([sealed[-1] ^ 1]), "op_1"),
            (b"", "op_1"),
            (sealed[:9], "op_1"),
        ):
            with pytest.raises(KeyringUnreadable):
                archive.keyring.unseal(session, key_id, wrong, about)


def test_another_master_key_opens_nothing(archive: Archive) -> None:
    with archive.database.begin() as session:
        key_id = archive.keyring.new_key(session)
        sealed = archive.keyring.seal(session, key_id, b"words", "op_1")
        with pytest.raises(KeyringUnreadable):
            Keyring(b"m" * 32, b"d" * 32).unseal(session, key_id, sealed, "op_1")


def test_a_digest_is_the_same_in_one_community_and_another_in_the_next() -> None:
    keyring = Keyring(b"m" * 32, b"d" * 32)
    assert keyring.digest("a", "+8613800000001") == keyring.digest("a", "+8613800000001")
    assert len({keyring.digest(where, who) for where in "ab" for who in ("+861", "+862")}) == 4
    assert "138" not in keyring.digest("a", "+8613800000001") or len(keyring.digest("a", "x")) == 64


def test_named_secrets_differ_and_do_not_change() -> None:
    keyring = Keyring(b"m" * 32, b"d" * 32)
    assert keyring.secret("cookies") == Keyring(b"m" * 32, b"e" * 32).secret("cookies")
    assert (
        len({keyring.secret("cookies"), keyring.secret("line"), Keyring(b"n" * 32, b"d" * 32).secret("line")})
        == 3
    )


def test_the_key_file_is_private_and_made_once_by_whoever_is_first(tmp_path: Path) -> None:
    path, secrets = tmp_path / "home" / "keys.json", set()
    start = threading.Barrier(6)

    def load() -> None:
        start.wait()
        secrets.add(Keyring.load_or_create(path).secret("x"))

    threads = [threading.Thread(target=load) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(secrets) == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["keys.json"]


@pytest.mark.parametrize("content", ["", "{}", "[]", json.dumps({"master": "AAAA", "digest_key": "AAAA"})])
def test_a_damaged_key_file_is_said_and_never_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content)
    with pytest.raises(KeyringUnreadable):
        Keyring.load_or_create(path)
    assert path.read_text() == content
