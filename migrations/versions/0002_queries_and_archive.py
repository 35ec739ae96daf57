"""Watches in the watch language; the archive in the order of time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MATCHED = sa.text("ingested_at IS NOT NULL")


def upgrade() -> None:
    """Two columns that may stay empty, and what makes the archive and a watch's hits countable."""
    op.add_column("watch", sa.Column("query", sa.Text()))
    op.add_column("watch", sa.Column("variants", sa.JSON()))
    op.create_index(
        op.f("ix_article_first_seen_at_id"),
        "article",
        ["first_seen_at", "id"],
        postgresql_where=MATCHED,
        sqlite_where=MATCHED,
    )
    op.create_index(op.f("ix_hit_watch_id_matched_at"), "hit", ["watch_id", "matched_at"])
