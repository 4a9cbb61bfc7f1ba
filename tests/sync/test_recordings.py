"""The store of sound: whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from sync.errors import RecordingMissing, RecordsError, RecordsUnavailable
from sync.recordings import RecordingStore


def test_a_recording_is_kept_replaced_and_deleted(tmp_path: Path) -> None:
    store = RecordingStore(tmp_path / "recordings")
    assert list(store.names()) == []
    store.put("rec_1", b"one")
    store.put("rec_1", b"two")
    assert store.get("rec_1") == b"two"
    assert list(store.names()) == ["rec_1"]
    store.delete("rec_1")
    store.delete("rec_1")
    assert not store.exists("rec_1")
    with pytest.raises(RecordingMissing):
        store.get("rec_1")


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 200, "a\0b"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecordsError):
        RecordingStore(tmp_path).put(name, b"x")


def test_a_full_disk_keeps_the_old_recording_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RecordingStore(tmp_path)
    store.put("rec_1", b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RecordsUnavailable, match="space"):
        store.put("rec_1", b"new")
    assert store.get("rec_1") == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["rec_1"]


def test_a_disk_that_is_gone_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordsUnavailable):
        RecordingStore(tmp_path / "file" / "below").put("rec_1", b"x")
