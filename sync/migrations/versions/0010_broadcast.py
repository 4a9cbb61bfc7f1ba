"""Loudspeakers, programmes and what was really played."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.records.base import Json, Moment

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

OPEN_PLAY = sa.text("state IN ('waiting', 'sent', 'received', 'started', 'unknown')")
OPEN_AIRING = sa.text("state IN ('planned', 'airing')")
SOUND_WANTED = sa.text("sound_state = 'wanted'")


def upgrade() -> None:
    _loudspeakers()
    _programmes()
    _schedules()
    _airings()
    _plays()
    _programme_items()


def downgrade() -> None:
    for table in ("programme_items", "plays", "airings", "schedules", "programmes", "loudspeakers"):
        op.drop_table(table)


def _loudspeakers() -> None:
    op.create_table(
        "loudspeakers",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("community_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("groups", Json, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("address", Json, nullable=False),
        sa.Column("key_id", sa.String(length=40), nullable=True),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=True),
        sa.Column("volume", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("presence", sa.String(), nullable=False),
        sa.Column("last_seen_at", Moment(), nullable=True),
        sa.Column("problem", sa.String(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"], ["communities.id"], name=op.f("fk_loudspeakers_community_id")
        ),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name=op.f("fk_loudspeakers_key_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loudspeakers")),
        sa.UniqueConstraint("community_id", "name", name=op.f("uq_loudspeakers_community_id_name")),
    )


def _programmes() -> None:
    op.create_table(
        "programmes",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("community_id", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("voice", sa.String(), nullable=False),
        sa.Column("schedule_id", sa.String(length=40), nullable=True),
        sa.Column("day", sa.String(), nullable=True),
        sa.Column("last_day", sa.String(), nullable=True),
        sa.Column("sound_state", sa.String(), nullable=False),
        sa.Column("sound_digest", sa.String(), nullable=True),
        sa.Column("sound_seconds", sa.Double(), nullable=True),
        sa.Column("approved_digest", sa.String(), nullable=True),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("approved_at", Moment(), nullable=True),
        sa.Column("second_approved_by", sa.String(), nullable=True),
        sa.Column("second_approved_at", Moment(), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", Moment(), nullable=True),
        sa.Column("held_by", sa.String(), nullable=True),
        sa.Column("problem", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["community_id"], ["communities.id"], name=op.f("fk_programmes_community_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programmes")),
        sa.UniqueConstraint("schedule_id", "day", name=op.f("uq_programmes_schedule_id_day")),
    )
    op.create_index("ix_programmes_community_id", "programmes", ["community_id", "state", "changed_at"])
    op.create_index(
        "ix_programmes_wanted", "programmes", ["id"], sqlite_where=SOUND_WANTED, postgresql_where=SOUND_WANTED
    )


def _schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("community_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("programme_id", sa.String(length=40), nullable=True),
        sa.Column("rule", Json, nullable=True),
        sa.Column("times", Json, nullable=False),
        sa.Column("weekdays", Json, nullable=False),
        sa.Column("days", sa.String(), nullable=False),
        sa.Column("first_day", sa.String(), nullable=False),
        sa.Column("last_day", sa.String(), nullable=True),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("areas", Json, nullable=False),
        sa.Column("volume", sa.Integer(), nullable=True),
        sa.Column("late_minutes", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name=op.f("fk_schedules_community_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programmes.id"], name=op.f("fk_schedules_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
    )
    op.create_index("ix_schedules_community_id", "schedules", ["community_id", "state"])
    op.create_index("ix_schedules_programme_id", "schedules", ["programme_id"])


def _airings() -> None:
    op.create_table(
        "airings",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("natural_key", sa.String(), nullable=False),
        sa.Column("community_id", sa.String(length=40), nullable=False),
        sa.Column("programme_id", sa.String(length=40), nullable=True),
        sa.Column("schedule_id", sa.String(length=40), nullable=True),
        sa.Column("is_emergency", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("areas", Json, nullable=False),
        sa.Column("volume", sa.Integer(), nullable=True),
        sa.Column("resumes_id", sa.String(length=40), nullable=True),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("began_at", Moment(), nullable=True),
        sa.Column("over_at", Moment(), nullable=True),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name=op.f("fk_airings_community_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programmes.id"], name=op.f("fk_airings_programme_id")),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedules.id"], name=op.f("fk_airings_schedule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_airings")),
        sa.UniqueConstraint("natural_key", name=op.f("uq_airings_natural_key")),
    )
    op.create_index("ix_airings_community_id", "airings", ["community_id", "due_at"])
    op.create_index(
        "ix_airings_open", "airings", ["due_at"], sqlite_where=OPEN_AIRING, postgresql_where=OPEN_AIRING
    )


def _plays() -> None:
    op.create_table(
        "plays",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("airing_id", sa.String(length=40), nullable=False),
        sa.Column("loudspeaker_id", sa.String(length=40), nullable=False),
        sa.Column("community_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("volume", sa.Integer(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("sent_at", Moment(), nullable=True),
        sa.Column("received_at", Moment(), nullable=True),
        sa.Column("started_at", Moment(), nullable=True),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("sender", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["airing_id"], ["airings.id"], name=op.f("fk_plays_airing_id")),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name=op.f("fk_plays_community_id")),
        sa.ForeignKeyConstraint(
            ["loudspeaker_id"], ["loudspeakers.id"], name=op.f("fk_plays_loudspeaker_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plays")),
        sa.UniqueConstraint("airing_id", "loudspeaker_id", name=op.f("uq_plays_airing_id_loudspeaker_id")),
    )
    op.create_index("ix_plays_loudspeaker_id", "plays", ["loudspeaker_id", "due_at"])
    op.create_index(
        "ix_plays_open", "plays", ["airing_id"], sqlite_where=OPEN_PLAY, postgresql_where=OPEN_PLAY
    )


def _programme_items() -> None:
    op.create_table(
        "programme_items",
        sa.Column("programme_id", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("topic_id", sa.String(length=40), nullable=True),
        sa.Column("progress_id", sa.String(length=40), nullable=True),
        sa.Column("opinion_id", sa.String(length=40), nullable=True),
        sa.Column("is_own_voice", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["opinion_id"], ["opinions.id"], name=op.f("fk_programme_items_opinion_id")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_programme_items_programme_id")
        ),
        sa.ForeignKeyConstraint(
            ["progress_id"], ["progress_updates.id"], name=op.f("fk_programme_items_progress_id")
        ),
        sa.ForeignKeyConstraint(["topic_id"], ["topics.id"], name=op.f("fk_programme_items_topic_id")),
        sa.PrimaryKeyConstraint("programme_id", "position", name=op.f("pk_programme_items")),
    )
    op.create_index("ix_programme_items_opinion_id", "programme_items", ["opinion_id"])
    op.create_index("ix_programme_items_topic_id", "programme_items", ["topic_id"])
