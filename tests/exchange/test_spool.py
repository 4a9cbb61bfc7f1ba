"""Tapes: sealed part by part, whole up to the last second, closed once, read with the line's token alone."""

from __future__ import annotations

import errno
import secrets
from pathlib import Path

import pytest

from ivr.exchange.errors import SpoolError
from ivr.exchange.sealing import read_sealed, write_sealed
from ivr.exchange.sound import RATE, decode
from ivr.exchange.spool import Details, Spool
from tests.exchange.town import speech

SECRET = b"a line token"
SECOND = speech(1)


def details() -> Details:
    return Details("RE" + secrets.token_hex(16), "CA1", "http://web/told", "2026-11-21T08:00:00+00:00")


def begun(folder: Path, seconds: int, ended_by: str | None = None) -> tuple[Spool, str, Path]:
    spool, given = Spool(folder, SECRET), details()
    tape = spool.begin(given)
    for _ in range(seconds):
        tape.append(SECOND)
    if ended_by:
        tape.finish("key")
    else:
        tape.close()
    return spool, given.recording_sid, folder / f"{given.recording_sid}.tape"


def test_a_finished_tape_plays_and_an_unfinished_one_is_not_served(tmp_path: Path):
    spool, sid, _ = begun(tmp_path, 3, "key")
    tape = spool.read(sid)
    assert tape is not None
    assert (tape.pcm, tape.ended_by, tape.seconds) == (SECOND * 3, "key", 3)
    wav = spool.wav(sid)
    assert wav is not None
    assert len(decode(wav)) == 3 * RATE * 2
    other, unfinished, _ = begun(tmp_path, 3)
    assert other.wav(unfinished) is None


def test_cutting_the_file_anywhere_leaves_whole_seconds(tmp_path: Path):
    spool, sid, path = begun(tmp_path, 3, "key")
    whole = path.read_bytes()
    lengths = set()
    for cut in (*range(0, len(whole), 997), len(whole) - 1):
        path.write_bytes(whole[:cut])
        tape = spool.read(sid)
        if tape is not None:
            assert tape.pcm == SECOND * round(tape.seconds)
            assert tape.ended_by is None
            lengths.add(round(tape.seconds))
    assert lengths == {0, 1, 2, 3}


def test_recovery_closes_a_torn_tape_once_and_removes_an_empty_one(tmp_path: Path):
    spool, sid, path = begun(tmp_path, 2)
    with path.open("ab") as file:
        file.write(b"\x00\x00\x10\x00" + b"half a part")
    _, empty, empty_path = begun(tmp_path, 0)
    assert spool.recover() == [sid]
    assert spool.recover() == []
    tape = spool.read(sid)
    assert tape is not None
    assert (tape.pcm, tape.ended_by) == (SECOND * 2, "hangup")
    assert not empty_path.exists()
    assert spool.read(empty) is None


def test_a_changed_part_and_a_foreign_token_are_noticed(tmp_path: Path):
    spool, sid, path = begun(tmp_path, 3, "key")
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    tape = spool.read(sid)
    assert tape is not None
    assert tape.seconds < 3
    assert tape.ended_by is None
    assert Spool(tmp_path, b"another token").read(sid) is None


def test_parts_cannot_change_places(tmp_path: Path):
    spool, sid, path = begun(tmp_path, 2, "key")
    raw = path.read_bytes()
    head = len(raw) - 2 * (4 + 12 + 1 + len(SECOND) + 16) - (4 + 12 + 1 + 3 + 16)
    part = 4 + 12 + 1 + len(SECOND) + 16
    path.write_bytes(raw[:head] + raw[head + part : head + 2 * part] + raw[head : head + part])
    tape = spool.read(sid)
    assert tape is not None
    assert tape.pcm == b""


def test_nothing_said_and_no_number_stands_readable_in_the_folder(tmp_path: Path):
    _, _, path = begun(tmp_path, 2, "key")
    raw = path.read_bytes()
    assert b"http://web" not in raw
    assert SECOND[4000:4064] not in raw
    assert path.stat().st_mode & 0o077 == 0


def test_an_address_learnt_late_is_kept_and_goes_with_the_tape(tmp_path: Path):
    spool, sid, path = begun(tmp_path, 1, "key")
    spool.address(sid, "http://web/later")
    tape = spool.read(sid)
    assert tape is not None
    assert spool.callback(tape) == "http://web/later"
    assert spool.delete(sid) is True
    assert spool.delete(sid) is False
    assert not list(tmp_path.iterdir())
    assert not path.exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "RE1", "RE" + "g" * 32, ""])
def test_only_names_of_recordings_reach_the_disk(tmp_path: Path, name: str):
    with pytest.raises(SpoolError):
        Spool(tmp_path, SECRET).delete(name)


def test_sealed_files_are_replaced_whole_and_bound_to_their_name(tmp_path: Path):
    path = tmp_path / "CA1.errand"
    write_sealed(path, b"one", SECRET)
    write_sealed(path, b"two", SECRET)
    assert read_sealed(path, SECRET) == b"two"
    path.rename(tmp_path / "CA2.errand")
    assert read_sealed(tmp_path / "CA2.errand", SECRET) is None
    assert read_sealed(path, SECRET) is None
    with pytest.raises(SpoolError, match="cannot write"):
        write_sealed(tmp_path / "none" / "x", b"", SECRET)


def test_a_tape_of_another_token_outlives_a_start_with_the_wrong_keys(tmp_path: Path):
    spool, sid, path = begun(tmp_path, 2, "key")
    _, cut_off, _ = begun(tmp_path, 1)
    assert Spool(tmp_path, b"another token").recover() == []
    assert path.exists()
    assert spool.recover() == [cut_off]
    tape = spool.read(sid)
    assert tape is not None
    assert tape.seconds == 2


def test_a_tape_that_cannot_begin_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    spool, before = Spool(tmp_path, SECRET), len(list(Path("/proc/self/fd").iterdir()))
    given = [details() for _ in range(20)]
    with monkeypatch.context() as disk:
        disk.setattr("ivr.exchange.spool.os.fsync", full)
        disk.setattr("ivr.exchange.spool.remove", lambda path: path.unlink())
        kept = []
        for each in given:
            with pytest.raises(SpoolError) as failure:
                spool.begin(each)
            kept.append(failure)  # a traceback holds on to whatever was left open
    assert spool.sids() == []
    assert len(list(Path("/proc/self/fd").iterdir())) == before
