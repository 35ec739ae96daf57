"""Where the database is: one URL, read once, shown without its password."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from monitor.errors import StorageError

SILENT = {
    "keepalives_idle": "10",
    "keepalives_interval": "3",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}
"""A network that drops what is sent, and says nothing, is noticed within twenty seconds: the system's own
values are two hours for who waits and a quarter of one for who sends. What an address says wins."""

EXPECTED = "it must be sqlite:////absolute/path or postgresql://user@host/name"


@dataclass(frozen=True, slots=True)
class Address:
    """A database: a file of SQLite, if `path` is set, or PostgreSQL."""

    url: sa.URL
    path: Path | None

    @property
    def conninfo(self) -> str:
        """What PostgreSQL's own library connects with, password and all."""
        url = self.url.set(drivername="postgresql", query={**SILENT, **self.url.query})
        return url.render_as_string(hide_password=False)

    def __str__(self) -> str:
        """What may be logged and shown: no password, no options (they can hold one)."""
        if self.path is not None:
            return f"sqlite:///{self.path}"
        shown = self.url.set(drivername="postgresql", password=None, query={})
        return shown.render_as_string(hide_password=True)


def read_address(url: str) -> Address:
    """Understand a database URL. Raises `StorageError` if it is not one we serve."""
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        # the text is not repeated: what can't be read may hold a password anywhere
        raise StorageError(f"the database URL can't be read: {EXPECTED}") from None
    if parsed.drivername in {"sqlite", "sqlite+pysqlite"}:
        if not parsed.database or parsed.database == ":memory:" or parsed.host:
            raise StorageError(f"the database URL names no file: {EXPECTED}")
        return Address(url=parsed, path=Path(parsed.database).resolve())
    if parsed.drivername in {"postgres", "postgresql", "postgresql+psycopg"}:
        return Address(url=parsed.set(drivername="postgresql+psycopg"), path=None)
    raise StorageError(f"the database URL begins with {parsed.drivername}: {EXPECTED}")
