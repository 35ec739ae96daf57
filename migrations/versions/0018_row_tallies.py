"""How many rows the largest tables have is kept, by windows of their ids."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table, filled beside the work: until then all rows are counted when somebody asks."""
    op.create_table(
        "row_tally",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "number", "state", name=op.f("pk_row_tally")),
        sqlite_with_rowid=False,
    )
