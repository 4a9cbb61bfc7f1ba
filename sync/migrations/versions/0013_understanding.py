"""What understanding opinions keeps: what callers want, why the machine thinks so, models that learnt."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.records.base import Json, Moment

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_USED = sa.text("state = 'used'")


def upgrade() -> None:
    op.add_column("opinions", sa.Column("purpose", sa.String(), nullable=True))
    op.add_column("opinions", sa.Column("purpose_confidence", sa.Double(), nullable=True))
    _understandings()
    _learned()


def downgrade() -> None:
    op.drop_table("learned")
    op.drop_table("understandings")
    op.drop_column("opinions", "purpose_confidence")
    op.drop_column("opinions", "purpose")


def _understandings() -> None:
    op.create_table(
        "understandings",
        sa.Column("opinion_id", sa.String(length=40), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("because", Json, nullable=False),
        sa.Column("model_id", sa.String(length=40), nullable=True),
        sa.Column("made_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["opinion_id"], ["opinions.id"], name=op.f("fk_understandings_opinion_id")),
        sa.PrimaryKeyConstraint("opinion_id", "about", name=op.f("pk_understandings")),
    )


def _learned() -> None:
    op.create_table(
        "learned",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("community_id", sa.String(length=40), nullable=False),
        sa.Column("key_id", sa.String(length=40), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("examples", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("right", sa.Integer(), nullable=False),
        sa.Column("right_lists", sa.Integer(), nullable=False),
        sa.Column("right_before", sa.Integer(), nullable=True),
        sa.Column("chance", sa.Double(), nullable=False),
        sa.Column("kilobytes", sa.Integer(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("used_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name=op.f("fk_learned_community_id")),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name=op.f("fk_learned_key_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learned")),
    )
    op.create_index("ix_learned_made", "learned", ["community_id", "made_at"])
    op.create_index(
        "ix_learned_used",
        "learned",
        ["community_id"],
        unique=True,
        sqlite_where=_USED,
        postgresql_where=_USED,
    )
