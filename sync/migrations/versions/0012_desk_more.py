"""What the rest of the desk keeps: stages of topics, voices of prompts, previews, roster imports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.records.base import Moment

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_AUDITS = (("actor", "ix_audits_actor"), ("act", "ix_audits_act"), ("subject", "ix_audits_subject"))


def upgrade() -> None:
    _milestones()
    _prompts()
    _previews()
    _roster_imports()
    _corrections()
    for column, name in _AUDITS:
        op.create_index(name, "audits", ["community_id", column, "at"])
    op.create_index("ix_opinions_said", "opinions", ["community_id", "said_at", "id"])
    op.create_index("ix_satisfactions_given_at", "satisfactions", ["given_at"])
    op.create_index("ix_residents_household_id", "residents", ["household_id"])


def downgrade() -> None:
    op.drop_index("ix_residents_household_id", "residents")
    op.drop_index("ix_satisfactions_given_at", "satisfactions")
    op.drop_index("ix_opinions_said", "opinions")
    for _, name in _AUDITS:
        op.drop_index(name, "audits")
    for table in (
        "corrections",
        "roster_imports",
        "previews",
        "pronunciations",
        "prompt_takes",
        "milestones",
    ):
        op.drop_table(table)


def _milestones() -> None:
    op.create_table(
        "milestones",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("topic_id", sa.String(length=40), nullable=False),
        sa.Column("community_id", sa.String(length=40), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("goal", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("due_on", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("done_on", sa.String(length=10), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["topic_id"], ["topics.id"], name=op.f("fk_milestones_topic_id")),
        sa.ForeignKeyConstraint(
            ["community_id"], ["communities.id"], name=op.f("fk_milestones_community_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_milestones")),
    )
    op.create_index("ix_milestones_topic_id", "milestones", ["topic_id", "place"])
    op.create_index("ix_milestones_due", "milestones", ["community_id", "state", "due_on"])


def _prompts() -> None:
    op.create_table(
        "prompt_takes",
        sa.Column("community_id", sa.String(length=40), nullable=False),
        sa.Column("prompt", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sound", sa.LargeBinary(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("recorded_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"], ["communities.id"], name=op.f("fk_prompt_takes_community_id")
        ),
        sa.PrimaryKeyConstraint("community_id", "prompt", "version", name=op.f("pk_prompt_takes")),
    )
    op.create_table(
        "pronunciations",
        sa.Column("community_id", sa.String(length=40), nullable=False),
        sa.Column("word", sa.String(), nullable=False),
        sa.Column("pinyin", sa.String(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"], ["communities.id"], name=op.f("fk_pronunciations_community_id")
        ),
        sa.PrimaryKeyConstraint("community_id", "word", name=op.f("pk_pronunciations")),
    )


def _previews() -> None:
    op.create_table(
        "previews",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("community_id", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("clip", sa.String(), nullable=True),
        sa.Column("problem", sa.String(), nullable=True),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name=op.f("fk_previews_community_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_previews")),
    )
    op.create_index("ix_previews_asked_at", "previews", ["asked_at"])


def _roster_imports() -> None:
    op.create_table(
        "roster_imports",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("community_id", sa.String(length=40), nullable=False),
        sa.Column("key_id", sa.String(length=40), nullable=False),
        sa.Column("sealed_entries", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.Column("residents", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["community_id"], ["communities.id"], name=op.f("fk_roster_imports_community_id")
        ),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name=op.f("fk_roster_imports_key_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_imports")),
    )
    op.create_index("ix_roster_imports_community_id", "roster_imports", ["community_id", "made_at"])


def _corrections() -> None:
    op.create_table(
        "corrections",
        sa.Column("opinion_id", sa.String(length=40), nullable=False),
        sa.Column("community_id", sa.String(length=40), nullable=False),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("characters", sa.Integer(), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["opinion_id"], ["opinions.id"], name=op.f("fk_corrections_opinion_id")),
        sa.ForeignKeyConstraint(
            ["community_id"], ["communities.id"], name=op.f("fk_corrections_community_id")
        ),
        sa.PrimaryKeyConstraint("opinion_id", name=op.f("pk_corrections")),
    )
    op.create_index("ix_corrections_community_id", "corrections", ["community_id", "made_at"])
