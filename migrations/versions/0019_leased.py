"""What is leased is found without reading all that is due."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

LEASED = sa.text("due_at IS NOT NULL AND lease_until IS NOT NULL")


def upgrade() -> None:
    """Of feeds and articles, of which very many may be due. Some seconds for each million of rows."""
    for table in ("feed", "article"):
        op.create_index(
            op.f(f"ix_{table}_bucket_lease_until"),
            table,
            ["bucket", "lease_until"],
            postgresql_where=LEASED,
            sqlite_where=LEASED,
        )
