"""Processes that died over an article are not requests that its site refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """None so far; a process of the version before goes on writing rows without it."""
    op.add_column("article", sa.Column("deaths", sa.Integer(), nullable=False, server_default="0"))
