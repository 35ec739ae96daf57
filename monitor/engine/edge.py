"""The outermost edge of a job: what goes wrong in it costs this job only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import monotonic

from monitor import telemetry
from monitor.errors import StorageError
from monitor.model import Job

log = telemetry.get_logger()


async def attend(job: Job, handle: Callable[[Job], Awaitable[None]]) -> None:
    """Have a job done. Whatever it left behind is due again when its leases end."""
    gauge, began = telemetry.JOBS_RUNNING.labels(str(job.kind)), monotonic()
    gauge.inc()
    try:
        await handle(job)
    except StorageError as error:
        # The rows' leases end by themselves; the tick reports that the database is away.
        log.warning("job.postponed", kind=str(job.kind), key=job.key, error=str(error))
    except Exception:
        telemetry.JOBS_CRASHED.labels(str(job.kind)).inc()
        log.exception("job.crashed", kind=str(job.kind), key=job.key)
    finally:
        telemetry.JOB_SECONDS.labels(str(job.kind)).observe(monotonic() - began)
        gauge.dec()
