"""Small indexes of what is still to be done, which the sweeper reads every two seconds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_opinions_waiting", "opinions", "said_at", "state = 'waiting'"),
    ("ix_recordings_untold", "recordings", "created_at", "acknowledged_at IS NULL"),
    ("ix_recordings_unclaimed", "recordings", "call_id", "is_claimed IS FALSE"),
)


def upgrade() -> None:
    for name, table, column, where in INDEXES:
        partly = sa.text(where)
        op.create_index(name, table, [column], sqlite_where=partly, postgresql_where=partly)


def downgrade() -> None:
    for name, table, _, _ in INDEXES:
        op.drop_index(name, table_name=table)
