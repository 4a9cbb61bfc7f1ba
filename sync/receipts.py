"""Receipts: eight digits a caller can write down, of which the last catches a wrong one."""

from __future__ import annotations

import secrets
from functools import cache

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from sync.errors import RecordsError
from sync.prepared import Prepared
from sync.records.tables import Receipt
from sync.upsert import is_sqlite

DIGITS = 8
_TRIES = 40
# The quasigroup of H. M. Damm, "Total anti-symmetrische Quasigruppen" (Marburg 2004): its check digit catches
# every single wrong digit and every swap of neighbours.
_DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)


def allot(session: Session, community_id: str) -> str:
    """A receipt that nobody in this community has, as eight digits; taken once the session commits."""
    for _ in range(_TRIES):
        digits = "".join(secrets.choice("0123456789") for _ in range(DIGITS - 1))
        receipt = digits + check_digit(digits)
        row = {"community_id": community_id, "digits": receipt}
        if _taking(is_sqlite(session)).rows(session.connection(), row):
            return receipt
    raise RecordsError("nearly all receipts of this community are given out")


@cache
def _taking(on_sqlite: bool) -> Prepared:
    """Insert one unless it was there; it comes back where it is new. The statement is built once."""
    fresh = (sqlite.insert if on_sqlite else postgresql.insert)(Receipt)
    taken = fresh.on_conflict_do_nothing(index_elements=["community_id", "digits"])
    return Prepared(taken.returning(Receipt.digits), ("community_id", "digits"))


def is_wellformed(receipt: str) -> bool:
    """Whether this can be a receipt at all: eight digits whose check digit fits."""
    return (
        len(receipt) == DIGITS
        and receipt.isascii()
        and receipt.isdigit()
        and check_digit(receipt[:-1]) == receipt[-1]
    )


def check_digit(digits: str) -> str:
    """The digit to be put behind `digits`."""
    interim = 0
    for digit in digits:
        interim = _DAMM[interim][int(digit)]
    return str(interim)
