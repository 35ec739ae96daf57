"""The database: tables, one transaction per unit of work, the read side, migrations."""

from monitor.storage.exclusive import exclusive
from monitor.storage.migrate import current, upgrade
from monitor.storage.reports import SqlReports
from monitor.storage.store import SqlStore

__all__ = ["SqlReports", "SqlStore", "current", "exclusive", "upgrade"]
