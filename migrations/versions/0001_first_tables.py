"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Spelt out, not imported: what a migration makes must not change when the program does.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
WAITING = sa.text("due_at IS NOT NULL")
COPIES = sa.text("copy_of IS NOT NULL")
UNSHOWN = sa.text("sent_at IS NULL")


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "monitor",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_monitor")),
    )
    _feeds()
    _articles()
    _watches()
    _deliveries()


def _feeds() -> None:
    op.create_table(
        "feed",
        sa.Column("id", ID, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("publisher", sa.Text(), nullable=False),
        sa.Column("side", sa.Text()),
        sa.Column("language", sa.Text()),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("declared", sa.Boolean(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text()),
        sa.Column("last_modified", sa.Text()),
        sa.Column("body_hash", sa.Text()),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error_code", sa.Text()),
        sa.Column("error_detail", sa.Text()),
        sa.Column("polled_at", TIME),
        sa.Column("ok_at", TIME),
        sa.Column("due_at", TIME),
        sa.Column("lease_until", TIME),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("newest_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed")),
        sa.UniqueConstraint("url", name=op.f("uq_feed_url")),
    )
    op.create_index(
        op.f("ix_feed_bucket_due_at"),
        "feed",
        ["bucket", "due_at"],
        postgresql_where=WAITING,
        sqlite_where=WAITING,
    )


def _articles() -> None:
    op.create_table(
        "story",
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_story")),
    )
    op.create_table(
        "article",
        sa.Column("id", ID, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("link", sa.Text()),
        sa.Column("feed_id", ID, nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", TIME),
        sa.Column("lease_until", TIME),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.Column("ingested_at", TIME),
        sa.Column("published_at", TIME),
        sa.Column("language", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.Column("text_hash", sa.Text()),
        sa.Column("story_id", ID),
        sa.Column("copy_of", ID),
        sa.Column("error_code", sa.Text()),
        sa.Column("error_detail", sa.Text()),
        sa.Column("authors", sa.JSON()),
        sa.Column("title", sa.Text()),
        sa.Column("body", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article")),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_article_feed_id")),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name=op.f("fk_article_story_id")),
        sa.ForeignKeyConstraint(["copy_of"], ["article.id"], name=op.f("fk_article_copy_of")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_article_bucket_due_at"),
        "article",
        ["bucket", "due_at"],
        postgresql_where=WAITING,
        sqlite_where=WAITING,
    )
    for columns in (["text_hash", "first_seen_at"], ["story_id", "first_seen_at"], ["state"]):
        op.create_index(op.f(f"ix_article_{'_'.join(columns)}"), "article", columns)
    op.create_index(
        op.f("ix_article_copy_of"),
        "article",
        ["copy_of"],
        postgresql_where=COPIES,
        sqlite_where=COPIES,
    )
    op.create_table(
        "article_url",
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("article_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("url", name=op.f("pk_article_url")),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_article_url_article_id")
        ),
    )
    op.create_index(op.f("ix_article_url_article_id"), "article_url", ["article_id"])
    op.create_table(
        "entry",
        sa.Column("id", ID, nullable=False),
        sa.Column("feed_id", ID, nullable=False),
        sa.Column("guid", sa.Text(), nullable=False),
        sa.Column("article_id", ID, nullable=False),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.Column("backlog", sa.Boolean(), nullable=False),
        sa.Column("link", sa.Text()),
        sa.Column("published_at", TIME),
        sa.Column("language", sa.Text()),
        sa.Column("authors", sa.JSON(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
        sa.UniqueConstraint("feed_id", "guid", name=op.f("uq_entry_feed_id_guid")),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_entry_feed_id")),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_entry_article_id")),
    )
    op.create_index(op.f("ix_entry_article_id"), "entry", ["article_id"])


def _watches() -> None:
    op.create_table(
        "watch",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("channel", sa.Text()),
        sa.Column("declared", sa.Boolean(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch")),
        sa.UniqueConstraint("name", name=op.f("uq_watch_name")),
    )
    op.create_table(
        "hit",
        sa.Column("id", ID, nullable=False),
        sa.Column("article_id", ID, nullable=False),
        sa.Column("watch_id", ID, nullable=False),
        sa.Column("spans", sa.JSON(), nullable=False),
        sa.Column("matched_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hit")),
        sa.UniqueConstraint("article_id", "watch_id", name=op.f("uq_hit_article_id_watch_id")),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_hit_article_id")),
        sa.ForeignKeyConstraint(["watch_id"], ["watch.id"], name=op.f("fk_hit_watch_id")),
    )


def _deliveries() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("story_id", ID, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("claimed_at", TIME),
        sa.Column("due_at", TIME),
        sa.Column("lease_until", TIME),
        sa.Column("sent_channel", sa.Text()),
        sa.Column("sent_ref", sa.Text()),
        sa.Column("error", sa.Text()),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("sent_at", TIME),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("story_id", "channel", name=op.f("uq_delivery_story_id_channel")),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name=op.f("fk_delivery_story_id")),
    )
    op.create_index(
        op.f("ix_delivery_channel_due_at_story_id"),
        "delivery",
        ["channel", "due_at", "story_id"],
        postgresql_where=WAITING,
        sqlite_where=WAITING,
    )
    op.create_index(op.f("ix_delivery_state_created_at"), "delivery", ["state", "created_at"])
    op.create_index(
        op.f("ix_delivery_created_at"),
        "delivery",
        ["created_at"],
        postgresql_where=UNSHOWN,
        sqlite_where=UNSHOWN,
    )
