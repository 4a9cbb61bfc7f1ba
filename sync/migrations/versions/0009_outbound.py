"""Calls that we place."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.records.base import Moment

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OPEN = sa.text("state IN ('waiting', 'calling')")


def upgrade() -> None:
    op.create_table(
        "placed_calls",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("community_id", sa.String(length=40), nullable=False),
        sa.Column("number_id", sa.String(length=40), nullable=True),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("settled_at", Moment(), nullable=True),
        sa.Column("problem", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["community_id"], ["communities.id"], name=op.f("fk_placed_calls_community_id_communities")
        ),
        sa.ForeignKeyConstraint(
            ["number_id"], ["numbers.id"], name=op.f("fk_placed_calls_number_id_numbers")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_placed_calls_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placed_calls")),
        sa.UniqueConstraint("reason", "about", name=op.f("uq_placed_calls_reason_about")),
    )
    op.create_index("ix_placed_calls_community_id", "placed_calls", ["community_id", "made_at"])
    op.create_index("ix_placed_calls_number_id", "placed_calls", ["number_id"])
    op.create_index("ix_placed_calls_person_id", "placed_calls", ["person_id"])
    op.create_index(
        "ix_placed_calls_open", "placed_calls", ["next_try_at"], sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.create_table(
        "placed_tries",
        sa.Column("placed_id", sa.String(length=40), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("sid", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("answered_by", sa.String(), nullable=True),
        sa.Column("tried_at", Moment(), nullable=False),
        sa.Column("begun_at", Moment(), nullable=True),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["placed_id"], ["placed_calls.id"], name=op.f("fk_placed_tries_placed_id_placed_calls")
        ),
        sa.PrimaryKeyConstraint("placed_id", "n", name=op.f("pk_placed_tries")),
    )
    op.create_index("ix_placed_tries_sid", "placed_tries", ["sid"])
    op.create_index("ix_placed_tries_tried_at", "placed_tries", ["tried_at"])
    op.create_index("ix_replies_community_id", "replies", ["community_id", "published_at"])


def downgrade() -> None:
    op.drop_index("ix_replies_community_id", table_name="replies")
    op.drop_table("placed_tries")
    op.drop_table("placed_calls")
