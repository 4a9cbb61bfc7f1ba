"""What the review desk keeps: assignments, words to search by, lessons, spoken replies; queue indexes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.records.base import Moment, Serial

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

IN_HAND = sa.text("settled_at IS NULL")
QUEUES = {
    "urgent": sa.text("state = 'review' AND urgency IS NOT NULL"),
    "listen": sa.text("state = 'review' AND urgency IS NULL AND needs_listening"),
    "other": sa.text("state = 'review' AND urgency IS NULL AND NOT needs_listening"),
}


def upgrade() -> None:
    _assignments()
    _search()
    _lessons()
    _spoken_replies()
    for name, condition in QUEUES.items():
        op.create_index(
            f"ix_opinions_queue_{name}", "opinions", ["community_id", "said_at", "id"],
            sqlite_where=condition, postgresql_where=condition,
        )  # fmt: skip
    op.create_index("ix_opinions_category", "opinions", ["community_id", "category", "said_at", "id"])
    op.create_index("ix_opinions_topic_said", "opinions", ["topic_id", "said_at", "id"])


def downgrade() -> None:
    for name in ("topic_said", "category", *(f"queue_{name}" for name in QUEUES)):
        op.drop_index(f"ix_opinions_{name}", table_name="opinions")
    for table in ("spoken_replies", "lessons", "search_terms", "searched", "assignments"):
        op.drop_table(table)


def _assignments() -> None:
    op.create_table(
        "assignments",
        sa.Column("opinion_id", sa.String(length=40), nullable=False),
        sa.Column("community_id", sa.String(length=40), nullable=False),
        sa.Column("staff_id", sa.String(length=40), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("assigned_at", Moment(), nullable=False),
        sa.Column("assigned_by", sa.String(), nullable=False),
        sa.Column("settled_at", Moment(), nullable=True),
        *_references("assignments", opinion_id="opinions", community_id="communities", staff_id="staff"),
        sa.PrimaryKeyConstraint("opinion_id", name=op.f("pk_assignments")),
    )
    for name, column in (("mine", "staff_id"), ("due", "community_id")):
        op.create_index(
            f"ix_assignments_{name}", "assignments", [column, "due_at"],
            sqlite_where=IN_HAND, postgresql_where=IN_HAND,
        )  # fmt: skip


def _search() -> None:
    op.create_table(
        "searched",
        sa.Column("number", Serial, autoincrement=True, nullable=False),
        sa.Column("opinion_id", sa.String(length=40), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        *_references("searched", opinion_id="opinions"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_searched")),
        sa.UniqueConstraint("opinion_id", name=op.f("uq_searched_opinion_id")),
    )
    op.create_table(
        "search_terms",
        sa.Column("term", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("term", "number", name=op.f("pk_search_terms")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_search_terms_number", "search_terms", ["number"])


def _lessons() -> None:
    op.create_table(
        "lessons",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("opinion_id", sa.String(length=40), nullable=False),
        sa.Column("community_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("heard", sa.String(), nullable=False),
        sa.Column("meant", sa.String(), nullable=False),
        sa.Column("taught_at", Moment(), nullable=False),
        sa.Column("taught_by", sa.String(), nullable=False),
        *_references("lessons", opinion_id="opinions", community_id="communities"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lessons")),
    )
    op.create_index("ix_lessons_opinion_id", "lessons", ["opinion_id"])
    op.create_index("ix_lessons_community_id", "lessons", ["community_id", "kind", "id"])


def _spoken_replies() -> None:
    op.create_table(
        "spoken_replies",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("opinion_id", sa.String(length=40), nullable=False),
        sa.Column("community_id", sa.String(length=40), nullable=False),
        sa.Column("recording_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sealed_text", sa.LargeBinary(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("reply_id", sa.String(length=40), nullable=True),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        *_references(
            "spoken_replies", opinion_id="opinions", community_id="communities", recording_id="recordings"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spoken_replies")),
    )
    op.create_index("ix_spoken_replies_opinion_id", "spoken_replies", ["opinion_id", "made_at"])
    op.create_index("ix_spoken_replies_reply_id", "spoken_replies", ["reply_id"])
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "ix_spoken_replies_waiting", "spoken_replies", ["made_at"],
        sqlite_where=waiting, postgresql_where=waiting,
    )  # fmt: skip


def _references(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))
        for column, other in columns.items()
    ]
