"""Stories that are held until they are corroborated; the tier of feeds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """A table, empty until a watch asks for more than one publisher."""
    op.add_column("feed", sa.Column("tier", sa.Integer(), nullable=False, server_default="2"))
    op.create_table(
        "hold",
        sa.Column("story_id", ID, nullable=False),
        sa.Column("watch_id", ID, nullable=False),
        sa.Column("lacks", sa.Text(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.PrimaryKeyConstraint("story_id", "watch_id", name=op.f("pk_hold")),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name=op.f("fk_hold_story_id")),
        sa.ForeignKeyConstraint(["watch_id"], ["watch.id"], name=op.f("fk_hold_watch_id")),
    )
