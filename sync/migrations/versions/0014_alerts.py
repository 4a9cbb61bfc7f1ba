"""Alerts of danger, until somebody takes them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.records.base import Moment

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_UNTAKEN = sa.text("taken_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("opinion_id", sa.String(length=40), nullable=False),
        sa.Column("community_id", sa.String(length=40), nullable=False),
        sa.Column("danger", sa.String(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("said_at", Moment(), nullable=False),
        sa.Column("raised_at", Moment(), nullable=False),
        sa.Column("taken_at", Moment(), nullable=True),
        sa.Column("taken_by", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["opinion_id"], ["opinions.id"], name=op.f("fk_alerts_opinion_id")),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name=op.f("fk_alerts_community_id")),
        sa.PrimaryKeyConstraint("opinion_id", name=op.f("pk_alerts")),
    )
    op.create_index(
        "ix_alerts_untaken",
        "alerts",
        ["community_id", "raised_at"],
        sqlite_where=_UNTAKEN,
        postgresql_where=_UNTAKEN,
    )


def downgrade() -> None:
    op.drop_table("alerts")
