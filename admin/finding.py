"""What the doctor has found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One matter looked at. `remedy` says what to do, where it is not well."""

    matter: str
    is_ok: bool
    says: str
    remedy: str = ""
