"""What articles are looked up by, and those that wait to be indexed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEYS = sa.JSON().with_variant(postgresql.ARRAY(sa.Integer), "postgresql")


def upgrade() -> None:
    """Empty tables: what is there already is indexed by the service, beside its work."""
    op.create_table(
        "article_mark",
        sa.Column("article_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("marks", KEYS, nullable=False),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_article_mark")),
    )
    if op.get_bind().dialect.name == "postgresql":
        # numbers made by hashing: trying to pack them is a waste
        op.execute("ALTER TABLE article_mark ALTER COLUMN marks SET STORAGE EXTERNAL")
        op.create_index(
            op.f("ix_article_mark_marks"), "article_mark", ["marks"], postgresql_using="gin"
        )
    op.create_table(
        "index_volume",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("articles", sa.Integer(), nullable=False),
        sa.Column("gone", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_index_volume")),
    )
    op.create_table(
        "unindexed",
        sa.Column("article_id", ID, autoincrement=False, nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_unindexed")),
    )
