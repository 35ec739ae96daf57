"""How feeds post, how they are, and what they listed last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Columns of feeds.

    Every feed is read once more in full before its items are known by their bytes.
    """
    for column in (
        sa.Column("validators_url", sa.Text()),
        sa.Column("move_url", sa.Text()),
        sa.Column("move_since", TIME),
        sa.Column("move_polls", sa.Integer()),
        sa.Column("health", sa.Text(), nullable=False, server_default="new"),
        sa.Column("health_since", TIME),
        sa.Column("rhythm", sa.Text()),
        sa.Column("hints", sa.JSON()),
        sa.Column("gaps", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("gap_at", TIME),
        sa.Column("overlap", sa.Text()),
        sa.Column("blocks", sa.LargeBinary()),
    ):
        op.add_column("feed", column)
    op.execute(
        "UPDATE feed SET health = CASE WHEN status = 'gone' THEN 'gone' "
        "WHEN ok_at IS NULL THEN 'new' ELSE 'live' END"
    )
