"""When a watch was edited last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Two columns, empty until the watch is stored again."""
    op.add_column("watch", sa.Column("definition", sa.String(32)))
    op.add_column("watch", sa.Column("changed_at", TIME))
