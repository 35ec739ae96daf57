"""What was deleted because it was old is remembered, eight bytes each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table, empty until something is old enough to go."""
    op.create_table(
        "bygone",
        sa.Column("mark", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_bygone")),
        sqlite_with_rowid=False,
    )
