"""The tables that come with the program: a line a row, its columns parted by tabs."""

from __future__ import annotations

from pathlib import Path


def rows(table: Path) -> list[list[str]]:
    """The rows of a table, without empty lines and remarks, which begin with #."""
    lines = table.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]
