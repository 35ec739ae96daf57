"""The outermost edge of a job: what goes wrong in it costs this job only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final

from monitor import telemetry
from monitor.errors import StorageError
from monitor.model import Job

log = telemetry.get_logger()


SAY_POSTPONED: Final = 60.0
"""Seconds between two lines that jobs are postponed for the same reason. A database that can't be
written is met by every job of every tick."""


class Edge:
    """Where jobs of one engine end, well or not."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}  # why jobs were postponed, and when that was told

    async def attend(self, job: Job, handle: Callable[[Job], Awaitable[None]]) -> None:
        """Have a job done. Whatever it left behind is due again when its leases end."""
        gauge, began = telemetry.JOBS_RUNNING.labels(str(job.kind)), monotonic()
        gauge.inc()
        try:
            await handle(job)
        except StorageError as error:
            if self._is_news(str(error)):
                log.warning("job.postponed", kind=str(job.kind), key=job.key, error=str(error))
        except Exception:
            telemetry.JOBS_CRASHED.labels(str(job.kind)).inc()
            log.exception("job.crashed", kind=str(job.kind), key=job.key)
        finally:
            telemetry.JOB_SECONDS.labels(str(job.kind)).observe(monotonic() - began)
            gauge.dec()

    def _is_news(self, reason: str) -> bool:
        now = monotonic()
        self._said = {why: at for why, at in self._said.items() if now - at < SAY_POSTPONED}
        return self._said.setdefault(reason, now) == now
