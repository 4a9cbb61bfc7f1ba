"""For whom no line of our own was free: who can be called back is on the list, once, and nobody else."""

from __future__ import annotations

from sqlalchemy import select

from sync.archive import Archive
from sync.records.tables import Call, Request
from sync.settle import settle_batch
from tests.web.platform import BASE
from tests.web.test_whole_calls import Phone


def requests(archive: Archive) -> list[str]:
    settle_batch(archive)
    with archive.database.read() as session:
        return list(session.scalars(select(Request.reason)))


def test_a_number_turned_away_is_to_be_called_back(phone: Phone, archive: Archive) -> None:
    call = phone(account="TJexchange", handset="sip").begin()
    for _ in range(2):  # the exchange tells it until it is acknowledged
        assert call.post(f"{BASE}/calls/{call.sid}/status", CallStatus="busy").status_code == 204
    assert requests(archive) == ["busy"]
    with archive.database.read() as session:
        assert session.scalars(select(Call.end_status)).one() == "busy"


def test_nobody_is_called_back_who_withholds_the_number(phone: Phone, archive: Archive) -> None:
    call = phone(account="TJexchange", handset="sip", caller="anonymous").begin()
    call.post(f"{BASE}/calls/{call.sid}/status", CallStatus="busy")
    assert requests(archive) == []


def test_a_call_that_was_talked_in_was_not_turned_away(phone: Phone, archive: Archive) -> None:
    call = phone(account="TJexchange", handset="sip").begin().press("1")
    call.post(f"{BASE}/calls/{call.sid}/status", CallStatus="busy")
    assert requests(archive) == []


def test_another_platforms_busy_is_its_own_affair(phone: Phone, archive: Archive) -> None:
    call = phone().begin()
    call.post(f"{BASE}/calls/{call.sid}/status", CallStatus="busy")
    assert requests(archive) == []
