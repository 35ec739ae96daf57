"""The use cases: poll a feed, subscribe to it, ingest an article, deliver an alert. The only place
that composes the steps.

::

    poll(bucket)      feed → bytes → entries → rows            one transaction per feed
    subscribe(bucket) feed's hub → pushes                      two transactions per request
    ingest(bucket)    article → page → text → story, hits      one transaction per article
    deliver(channel)  outbox row → message → where it is shown
    backfill          new watches → archive → hits              one transaction per batch
    index             articles → what they are looked up by     one transaction per batch

Everything here is idempotent and leased: a crash between any two steps costs a repetition that
nobody sees. A handler claims what is due, works through it host by host, and gives back what it
could not begin before its time was up or the service was stopped.
"""

from __future__ import annotations

from monitor.model import Job, Kind
from monitor.pipeline.backfill import Backfill
from monitor.pipeline.context import Context
from monitor.pipeline.deliver import Deliver
from monitor.pipeline.index import Index
from monitor.pipeline.ingest import Ingest
from monitor.pipeline.poll import Poll
from monitor.pipeline.subscribe import Subscribe

__all__ = ["Context", "Pipeline"]


class Pipeline:
    """Does jobs: the function that an engine is given."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._poll = Poll(context)
        self._subscribe = Subscribe(context)
        self._ingest = Ingest(context)
        self._deliver = Deliver(context)
        self._backfill = Backfill(context)
        self._index = Index(context)

    async def run(self, job: Job) -> None:
        """Do everything due under a job's key, within the budget."""
        match job.kind:
            case Kind.POLL:
                async with self.context.polls.turn(int(job.key)) as may:
                    if may and not self.context.stopping:
                        await self._poll.run(int(job.key))
            case Kind.SUBSCRIBE:
                await self._subscribe.run(int(job.key))
            case Kind.INGEST:
                async with self.context.pages.turn(int(job.key)) as may:
                    if may and not self.context.stopping:
                        await self._ingest.run(int(job.key))
            case Kind.DELIVER:
                await self._deliver.run(job.key)
            case Kind.BACKFILL:
                await self._backfill.run()
            case Kind.INDEX:
                await self._index.run()
