"""What the phone line still keeps."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What is searched by is derived anew, by the job `index_words`: pairs of letters, too."""
    op.create_index("ix_ballots_counted", "ballots", ["topic_id", "is_practice", "channel"])
    op.execute("DELETE FROM search_terms")
    op.execute("DELETE FROM searched")


def downgrade() -> None:
    """What is searched by stays as it is."""
    op.drop_index("ix_ballots_counted", "ballots")
