"""Opinions joined as one matter, and taken apart again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.records.base import Moment

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "joined_opinions",
        sa.Column("opinion_id", sa.String(length=40), nullable=False),
        sa.Column("community_id", sa.String(length=40), nullable=False),
        sa.Column("under_id", sa.String(length=40), nullable=False),
        sa.Column("leader_id", sa.String(length=40), nullable=False),
        sa.Column("joined_at", Moment(), nullable=False),
        sa.Column("joined_by", sa.String(length=40), nullable=False),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_joined_opinions_{column}"))
            for column, table in (
                ("opinion_id", "opinions"),
                ("community_id", "communities"),
                ("under_id", "opinions"),
                ("leader_id", "opinions"),
            )
        ),
        sa.PrimaryKeyConstraint("opinion_id", name=op.f("pk_joined_opinions")),
    )
    for column in ("leader_id", "under_id"):
        op.create_index(f"ix_joined_opinions_{column}", "joined_opinions", [column])
    with op.batch_alter_table("replies") as replies:
        replies.add_column(sa.Column("repeats_id", sa.String(length=40), nullable=True))
        replies.add_column(sa.Column("stage_before", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("replies") as replies:
        replies.drop_column("stage_before")
        replies.drop_column("repeats_id")
    for column in ("under_id", "leader_id"):
        op.drop_index(f"ix_joined_opinions_{column}", table_name="joined_opinions")
    op.drop_table("joined_opinions")
