"""Receipts survive a listener's slips."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync.archive import Archive
from sync.receipts import allot, check_digit, is_wellformed
from sync.records.tables import Community

sevens = st.integers(0, 9_999_999).map("{:07}".format)


@given(sevens, st.integers(0, 7), st.integers(1, 9))
def test_any_single_wrong_digit_is_caught(digits: str, place: int, shift: int) -> None:
    receipt = digits + check_digit(digits)
    wrong = str((int(receipt[place]) + shift) % 10)
    assert is_wellformed(receipt)
    assert not is_wellformed(receipt[:place] + wrong + receipt[place + 1 :])


@given(sevens, st.integers(0, 6))
def test_any_swap_of_neighbours_is_caught(digits: str, place: int) -> None:
    receipt = digits + check_digit(digits)
    swapped = receipt[:place] + receipt[place + 1] + receipt[place] + receipt[place + 2 :]
    assert is_wellformed(swapped) == (swapped == receipt)


def test_the_published_example_of_the_scheme() -> None:
    assert check_digit("572") == "4"


def test_only_eight_plain_digits_are_a_receipt() -> None:
    assert not any(
        is_wellformed(wrong) for wrong in ("", "1234567", "123456789", "１２３４５６７８", "12 45678")
    )


def test_no_receipt_is_given_twice(any_archive: Archive, any_community: Community) -> None:
    with any_archive.database.begin() as session:
        given = [allot(session, any_community.id) for _ in range(200)]
    assert len(set(given)) == 200
    assert all(is_wellformed(receipt) for receipt in given)
