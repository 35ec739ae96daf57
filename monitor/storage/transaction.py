"""One unit of work: everything that may be done to the database, by noun."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from alerts import Card
from monitor.model import BUCKETS, Job, Kind, StoryId
from monitor.storage import tables as t
from monitor.storage.articles import ArticleWork
from monitor.storage.backfills import DUE_BACKFILLS, BackfillWork
from monitor.storage.clocks import ClockWork
from monitor.storage.configuration import ConfigurationWork
from monitor.storage.families import FamilyWork
from monitor.storage.feeds import FeedWork
from monitor.storage.forgetting import ForgetWork
from monitor.storage.hands import HandWork
from monitor.storage.holds import HoldWork
from monitor.storage.indexing import IS_QUEUED, IndexWork
from monitor.storage.mentions import MentionWork
from monitor.storage.notices import NoticeWork
from monitor.storage.ops import OpsWork
from monitor.storage.outages import OutageWork
from monitor.storage.outbox import due_channels
from monitor.storage.pacing import DUE_DIGEST_CHANNELS, PaceWork
from monitor.storage.pruning import PruneWork
from monitor.storage.revisions import RevisionWork
from monitor.storage.sinks import SinkWork
from monitor.storage.sites import SiteWork
from monitor.storage.sizes import SizeWork
from monitor.storage.spikes import SpikeWork
from monitor.storage.stories import StoryWork
from monitor.storage.subscriptions import SubscriptionWork
from monitor.storage.tallies import TallyWork
from monitor.storage.threads import ThreadWork
from monitor.storage.turns import TurnWork
from monitor.storage.verdicts import VerdictWork
from monitor.storage.work import (
    WORKING_TABLES,
    ended_leases,
    is_due,
    lease_holders,
    leases_of,
)


def _due_buckets(table: sa.Table, *also: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Buckets with a due row: one look at the index for each, however many rows there are."""
    bucket = sa.select(sa.literal(0, sa.Integer).label("number")).cte("bucket", recursive=True)
    bucket = bucket.union_all(sa.select(bucket.c.number + 1).where(bucket.c.number < BUCKETS - 1))
    due = sa.select(table.c.id).where(table.c.bucket == bucket.c.number, is_due(table), *also)
    return sa.select(bucket.c.number).where(due.correlate(bucket).exists())


DUE_POLLS = _due_buckets(t.feed, t.feed.c.declared)
DUE_SUBSCRIPTIONS = _due_buckets(t.subscription)
DUE_INGESTS = _due_buckets(t.article)
DUE_CHANNELS = due_channels()
HOLDERS = sa.union(*(lease_holders(table) for table in WORKING_TABLES))
END_LEASES_OF = tuple(leases_of(table) for table in WORKING_TABLES)
END_LEASES = tuple(ended_leases(table) for table in WORKING_TABLES)


class SqlTransaction(
    ClockWork,
    ConfigurationWork,
    FeedWork,
    OutageWork,
    TurnWork,
    SubscriptionWork,
    ArticleWork,
    RevisionWork,
    SiteWork,
    FamilyWork,
    StoryWork,
    ThreadWork,
    VerdictWork,
    SpikeWork,
    MentionWork,
    ForgetWork,
    PruneWork,
    SizeWork,
    TallyWork,
    NoticeWork,
    OpsWork,
    SinkWork,
    PaceWork,
    BackfillWork,
    HandWork,
    HoldWork,
    IndexWork,
):
    """`ports.Transaction` over one connection; `jobs` are what is to be done after the commit.

    Built by the store for one function's run, and of no use after it. `jobs` is None where
    nothing will be committed.
    """

    def __init__(
        self, connection: sa.Connection, jobs: set[Job] | None, holder: int | None = None
    ) -> None:
        super().__init__(connection, holder)
        self.jobs = jobs

    def submit(self, job: Job) -> None:
        """See `ports.Transaction`. The same job twice is one."""
        if self.jobs is None:
            raise RuntimeError("reading submits no jobs: use write")
        self.jobs.add(job)

    def tell(
        self,
        channel: str,
        subject: str,
        card: Card,
        now: datetime,
        *,
        story: StoryId | None = None,
        broadcast: bool = False,
        due_at: datetime | None = None,
        again: bool = False,
    ) -> bool:
        """See `ports.Transaction`."""
        if story is not None and self.is_muted(story, channel):
            return False
        is_news = super().tell(
            channel,
            subject,
            card,
            now,
            story=story,
            broadcast=broadcast,
            due_at=due_at,
            again=again,
        )
        if is_news and (due_at is None or due_at <= now):
            self.submit(Job(Kind.DELIVER, channel))
        return is_news

    def due_jobs(self, now: datetime) -> Collection[Job]:
        """See `ports.Transaction`."""
        at = {"now": now}
        return [
            *(Job(Kind.POLL, str(bucket)) for bucket in self._run(DUE_POLLS, at).scalars()),
            *(Job(Kind.INGEST, str(bucket)) for bucket in self._run(DUE_INGESTS, at).scalars()),
            *(
                Job(Kind.SUBSCRIBE, str(bucket))
                for bucket in self._run(DUE_SUBSCRIPTIONS, at).scalars()
            ),
            *(Job(Kind.DELIVER, channel) for channel in self._run(DUE_CHANNELS, at).scalars()),
            *(
                Job(Kind.DELIVER, channel)
                for channel in self._run(DUE_DIGEST_CHANNELS, at).scalars()
            ),
            *(Job(Kind.BACKFILL, "") for _ in self._run(DUE_BACKFILLS, at)),
            *(Job(Kind.INDEX, "") for _ in self._run(IS_QUEUED)),
        ]

    def release_leases(self) -> int:
        """See `ports.Transaction`. What is `sending` stays so, and can be claimed at once."""
        return sum(self._run(statement).rowcount for statement in END_LEASES)

    def lease_holders(self, now: datetime) -> frozenset[int]:
        """See `ports.Transaction`."""
        return frozenset(self._run(HOLDERS, {"now": now}).scalars())

    def release_leases_of(self, holders: Collection[int], now: datetime) -> int:
        """See `ports.Transaction`. What is `sending` stays so, and can be claimed at once."""
        values = {"now": now, "holders": [*holders]}
        return sum(self._run(statement, values).rowcount for statement in END_LEASES_OF)
