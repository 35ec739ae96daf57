"""The gauges of how things stand: set each minute of what was read, for /metrics."""

from __future__ import annotations

from datetime import datetime

from monitor import telemetry
from monitor.model import DeliveryState, Health
from monitor.ports import Counts, Workload


def set_jobs(workload: Workload, *, is_leader: bool) -> None:
    """How the jobs of all processes stand, and whether this one leads."""
    telemetry.LEADER.set(is_leader)
    telemetry.WORKERS.set(workload.workers)
    for kind, work in workload.kinds.items():
        telemetry.JOBS.labels(str(kind), "queued").set(work.queued)
        telemetry.JOBS.labels(str(kind), "running").set(work.running)
        telemetry.JOBS.labels(str(kind), "stalled").set(work.stalled)
        telemetry.JOBS_OLDEST.labels(str(kind)).set(work.oldest)


def clear_counts() -> None:
    """Tell nothing of what only the process that keeps the clock counts.

    What it told last would stand for ever, and hide what the next one tells wherever the largest counts.
    """
    for labelled in (telemetry.FEEDS, telemetry.OUTBOX):
        labelled.clear()
    for gauge in (
        telemetry.OUTBOX_UNCERTAIN,
        telemetry.OUTBOX_OLDEST,
        telemetry.STORIES_HELD,
        telemetry.SUBSCRIPTIONS,
        telemetry.FEEDS_DUE,
        telemetry.SINK_STOPPED,
        telemetry.DATABASE_BYTES,
    ):
        gauge.set(0)


def set_counts(counts: Counts, now: datetime, *, is_stopped: bool) -> None:
    """What there is of everything; `is_stopped`: nothing can be delivered."""
    for health in Health:
        telemetry.FEEDS.labels(str(health)).set(counts.feeds.get(health, 0))
    for state in DeliveryState:
        for kind, of in (("delivery", counts.deliveries), ("notice", counts.notices)):
            telemetry.OUTBOX.labels(kind, str(state)).set(of.get(state, 0))
    telemetry.OUTBOX_UNCERTAIN.set(counts.uncertain)
    telemetry.STORIES_HELD.set(counts.stories_held)
    telemetry.SUBSCRIPTIONS.set(counts.pushed)
    telemetry.FEEDS_DUE.set(counts.due_feeds)
    telemetry.SINK_STOPPED.set(is_stopped)
    oldest = counts.oldest_waiting_at
    age = (now - oldest).total_seconds() if oldest else 0.0
    telemetry.OUTBOX_OLDEST.set(max(0.0, age))
