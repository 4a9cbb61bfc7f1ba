"""A conversation as large as those Polis publishes, shuffled, partly twice, to workers killed at random."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.polis import Vote, found, last_votes, matrix, outcomes, replay
from sync.archive import Archive

pytestmark = pytest.mark.slow

VOTERS, COMMENTS, VOTES, KILLS = 240, 36, 3_600, 4


def conversation() -> list[Vote]:
    """Votes of many people on many comments: some vote again, some twice within one millisecond."""
    dice = random.Random(11)
    votes: list[Vote] = []
    for n in range(VOTES):
        again = votes and dice.random() < 0.25
        earlier = dice.choice(votes) if again else None
        comment = earlier.comment if earlier else str(dice.randrange(COMMENTS))
        voter = earlier.voter if earlier else str(dice.randrange(VOTERS))
        moment = earlier.milliseconds if earlier and dice.random() < 0.2 else 1_435_654_192_085 + 977 * n
        votes.append(Vote(n, moment, comment, voter, dice.choice((1, -1, 0))))
    return votes


def test_the_matrix_is_exact_whatever_is_repeated_reordered_or_killed(
    any_archive: Archive, tmp_path: Path
) -> None:
    votes = conversation()
    wanted = last_votes(votes)
    assert len(wanted) < len(votes) * 0.8  # many cells are voted on more than once
    found(any_archive, votes)
    replay(any_archive, votes, tmp_path, KILLS)
    assert matrix(any_archive) == wanted
    assert outcomes(any_archive) == {"merged": len(votes)}
