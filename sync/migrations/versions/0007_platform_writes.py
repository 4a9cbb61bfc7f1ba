"""What platforms write: answers kept for a repeated key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.records.base import Moment

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kept_answers",
        sa.Column("platform_id", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("media", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["platform_id"], ["platforms.id"], name=op.f("fk_kept_answers_platform_id")),
        sa.PrimaryKeyConstraint("platform_id", "digest", name=op.f("pk_kept_answers")),
    )
    op.create_index("ix_kept_answers_kept_at", "kept_answers", ["kept_at"])


def downgrade() -> None:
    op.drop_table("kept_answers")
