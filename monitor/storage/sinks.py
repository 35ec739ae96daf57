"""Why nothing can be delivered at all: written by who sends, read by every process."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from monitor.storage import tables as t
from monitor.storage.work import Work, upsert

TROUBLE = sa.select(t.sink_trouble.c.sink, t.sink_trouble.c.problem).limit(1)
END = sa.delete(t.sink_trouble)
OTHERS = END.where(t.sink_trouble.c.sink != sa.bindparam("name"))
BEGIN = upsert(t.sink_trouble, key=("sink",), update=("problem",))


class SinkWork(Work):
    """The part of `ports.Transaction` for a sink that refuses us."""

    def note_sink(self, name: str, problem: str | None, now: datetime) -> None:
        """See `ports.Transaction`."""
        if problem is None:
            self._run(END)
            return
        self._run(OTHERS, {"name": name})  # it is not in use any more
        self._on(BEGIN, [{"sink": name, "problem": problem, "since": now}])

    def sink_trouble(self) -> tuple[str, str] | None:
        """See `ports.Transaction`."""
        row = self._run(TROUBLE).one_or_none()
        return None if row is None else (row.sink, row.problem)
