"""What platforms write: answers kept for a repeated key; a feed's life, and when each word was said."""

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
    _feeds()
    op.add_column("transcripts", sa.Column("sealed_words", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("transcripts", "sealed_words")
    op.drop_table("feeds")
    op.drop_table("kept_answers")


def _feeds() -> None:
    op.create_table(
        "feeds",
        sa.Column("community_id", sa.String(length=40), nullable=False),
        sa.Column("generation", sa.String(length=16), nullable=False),
        sa.Column("pruned_xact", sa.BigInteger(), nullable=False),
        sa.Column("pruned_id", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name=op.f("fk_feeds_community_id")),
        sa.PrimaryKeyConstraint("community_id", name=op.f("pk_feeds")),
    )
