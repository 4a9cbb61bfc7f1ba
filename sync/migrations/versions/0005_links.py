"""Links between people and the codes that make them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sync.records.base import Moment

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

LINKED = sa.text("root_id IS NOT NULL")


def upgrade() -> None:
    op.add_column("people", sa.Column("root_id", sa.String(length=40), nullable=True))
    op.add_column("people", sa.Column("home_id", sa.String(length=40), nullable=True))
    op.create_index("ix_people_linked", "people", ["root_id"], sqlite_where=LINKED, postgresql_where=LINKED)
    _accounts()
    _links()
    _codes()


def downgrade() -> None:
    for table in ("link_codes", "links", "accounts"):
        op.drop_table(table)
    op.drop_index("ix_people_linked", table_name="people")
    op.drop_column("people", "home_id")
    op.drop_column("people", "root_id")


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("platform_id", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("is_attested", sa.Boolean(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_accounts_person_id")),
        sa.ForeignKeyConstraint(["platform_id"], ["platforms.id"], name=op.f("fk_accounts_platform_id")),
        sa.PrimaryKeyConstraint("platform_id", "digest", name=op.f("pk_accounts")),
    )
    op.create_index("ix_accounts_person_id", "accounts", ["person_id"])


def _links() -> None:
    op.create_table(
        "links",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("community_id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("other_id", sa.String(length=40), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("undone_at", Moment(), nullable=True),
        sa.Column("undone_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"], name=op.f("fk_links_community_id")),
        sa.ForeignKeyConstraint(["other_id"], ["people.id"], name=op.f("fk_links_other_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_links_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
    )
    op.create_index("ix_links_community_id", "links", ["community_id", "made_at"])
    op.create_index("ix_links_person_id", "links", ["person_id"])
    op.create_index("ix_links_other_id", "links", ["other_id"])


def _codes() -> None:
    op.create_table(
        "link_codes",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("community_id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"], ["communities.id"], name=op.f("fk_link_codes_community_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_link_codes_person_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_link_codes")),
    )
    op.create_index("ix_link_codes_person_id", "link_codes", ["person_id"])
    op.create_index("ix_link_codes_community_id", "link_codes", ["community_id", "expires_at"])
