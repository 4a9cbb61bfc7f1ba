"""What was taken back, so that every copy of the words goes too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.records.base import Moment

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UNPRUNED = sa.text("pruned_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "unsaid",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("community_id", sa.String(length=40), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("pruned_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["community_id"], ["communities.id"], name=op.f("fk_unsaid_community_id_communities")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unsaid")),
    )
    op.create_index("ix_unsaid_community_id", "unsaid", ["community_id", "id"])
    op.create_index("ix_unsaid_unpruned", "unsaid", ["id"], sqlite_where=UNPRUNED, postgresql_where=UNPRUNED)


def downgrade() -> None:
    op.drop_index("ix_unsaid_unpruned", table_name="unsaid")
    op.drop_index("ix_unsaid_community_id", table_name="unsaid")
    op.drop_table("unsaid")
