"""Rows as lines of CSV and JSON, a few hundred at a time: a file of any length needs no more memory."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

BATCH = 500
# What makes spreadsheets run a cell as a formula (OWASP, "CSV Injection"); full-width forms too.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_BYTE_ORDER_MARK = "\ufeff"  # without it Excel shows Chinese in UTF-8 as noise


def cell(value: Any) -> Any:
    """A value as a cell. Words that a spreadsheet would run get an apostrophe before them; numbers stay."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value


def csv_lines(
    columns: Sequence[str], rows: Iterable[Row], for_excel: bool = True, has_heading: bool = True
) -> Iterator[bytes]:
    """A CSV file (RFC 4180, UTF-8), in pieces."""
    text = io.StringIO(newline="")
    text.write(_BYTE_ORDER_MARK if for_excel else "")
    writer = csv.writer(text)
    if has_heading:
        writer.writerow(columns)
    for n, row in enumerate(rows, start=1):
        writer.writerow([cell(row[name]) for name in columns])
        if n % BATCH == 0:
            yield _taken(text)
    yield _taken(text)


def json_lines(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    """A JSON file, an array with one object a line, in pieces."""
    text = io.StringIO()
    separator = "[\n"
    for n, row in enumerate(rows, start=1):
        text.write(separator + json.dumps({name: row[name] for name in columns}, ensure_ascii=False))
        separator = ",\n"
        if n % BATCH == 0:
            yield _taken(text)
    text.write("[]\n" if separator == "[\n" else "\n]\n")
    yield _taken(text)


def _taken(text: io.StringIO) -> bytes:
    content = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return content
