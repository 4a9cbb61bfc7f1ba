"""The part of a call's view that many calls share."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.records.base import Json, Moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shared_views",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("content", Json, nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shared_views")),
    )
    with op.batch_alter_table("shared_views", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shared_views_made_at"), ["made_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("shared_views", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shared_views_made_at"))
    op.drop_table("shared_views")
