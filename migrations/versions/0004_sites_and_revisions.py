"""What sites repeat, what articles said before, and the updates of rolling pages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Columns that may stay empty, and three tables."""
    op.add_column("entry", sa.Column("changed_at", TIME))
    op.add_column("article", sa.Column("furniture", sa.JSON()))
    op.create_table(
        "site_paragraph",
        sa.Column("hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("article_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("fed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("hash", "article_id", name=op.f("pk_site_paragraph")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "revision",
        sa.Column("article_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("replaced_at", TIME, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text()),
        sa.PrimaryKeyConstraint("article_id", "number", name=op.f("pk_revision")),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_revision_article_id")
        ),
    )
    op.create_table(
        "article_update",
        sa.Column("article_id", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("article_id", "key", name=op.f("pk_article_update")),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_article_update_article_id")
        ),
        sqlite_with_rowid=False,
    )
