"""Whose a lease is, where many processes share the work."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLES = ("feed", "subscription", "article", "delivery", "notice")


def upgrade() -> None:
    """A column without a default: no row is written again."""
    for table in TABLES:
        op.add_column(table, sa.Column("lease_by", sa.Integer()))
