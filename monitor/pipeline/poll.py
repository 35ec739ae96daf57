"""Poll: a feed's bytes become entries and new articles, saved with its validators at once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from monitor import polling, telemetry
from monitor.compose import place_entry
from monitor.errors import WorkError
from monitor.model import (
    Entry,
    Feed,
    FeedStatus,
    Job,
    Kind,
    Validators,
)
from monitor.parse import parse_feed
from monitor.pipeline.context import BATCH, Context, work_by_host
from monitor.ports import Added, FeedUpdate, FoundEntry, NotModified, Page, Transaction

log = telemetry.get_logger()

FEED_ACCEPT = (
    "application/rss+xml, application/atom+xml, application/rdf+xml, application/feed+json;q=0.9, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.5"
)
PARSE_SECONDS = 5.0


class Poll:
    """Polls the due feeds of a bucket."""

    def __init__(self, context: Context) -> None:
        self._with = context

    async def run(self, bucket: int) -> None:
        """Poll every due feed of a bucket once."""
        feeds = await self._with.store.write(
            lambda tx: tx.claim_feeds(bucket, self._with.clock.now(), self._with.lease, BATCH)
        )
        await work_by_host(
            self._with,
            feeds,
            lane=self._with.polls,
            host=lambda feed: feed.host,
            source=lambda feed: feed.host,
            do=self._poll_feed,
            give_back=lambda rest: self._with.store.write(
                lambda tx: tx.release_feeds([feed.id for feed in rest])
            ),
        )

    async def _poll_feed(self, feed: Feed) -> None:
        began = self._with.clock.now()
        telemetry.POLL_LAG.observe(max(0.0, (began - feed.due_at).total_seconds()))
        added = Added()
        try:
            answer = await self._with.fetcher.get(
                feed.spec.url,
                accept=FEED_ACCEPT,
                max_bytes=self._with.rules.max_feed,
                validators=feed.validators,
            )
            outcome, added = await self._read_feed(feed, answer)
            error = None
        except WorkError as caught:
            outcome, error = str(caught.code), caught
            await self._save_failed_poll(feed, caught)
        seconds = (self._with.clock.now() - began).total_seconds()
        telemetry.POLLS.labels(outcome).inc()
        telemetry.POLL_SECONDS.observe(seconds)
        telemetry.ENTRIES.labels("linked").inc(added.linked)
        telemetry.ENTRIES.labels("new").inc(added.entries - added.linked)
        say = log.warning if error else log.info if added.entries else log.debug
        say(
            "feed.polled",
            feed=feed.spec.name,
            status=outcome,
            new=added.entries - added.linked,
            linked=added.linked,
            seconds=round(seconds, 3),
            **({"error": error.detail, "failures": feed.failures + 1} if error else {}),
        )

    async def _read_feed(self, feed: Feed, answer: Page | NotModified) -> tuple[str, Added]:
        if isinstance(answer, NotModified):
            await self._save_good_poll(feed, feed, ())
            return "not_modified", Added()
        digest = hashlib.blake2b(answer.body, digest_size=16).hexdigest()
        fresh = _Read(answer.validators, digest)
        if digest == feed.body_hash:
            await self._save_good_poll(feed, fresh, ())
            return "unchanged", Added()
        parsed = await self._with.offload.run(
            partial(parse_feed, url=answer.url, content_type=answer.content_type),
            answer.body,
            timeout=PARSE_SECONDS,
        )
        found = await asyncio.to_thread(_placed, feed, parsed.entries)
        return "read", await self._save_good_poll(feed, fresh, found)

    async def _save_good_poll(
        self, feed: Feed, read: Feed | _Read, found: Sequence[FoundEntry]
    ) -> Added:
        now = self._with.clock.now()
        interval = self._with.rules.intervals.get(feed.spec.url, self._with.rules.interval)
        then = polling.after_success(now, interval, self._with.jitter())
        update = FeedUpdate(
            status=then.status,
            due_at=then.due_at,
            polled_at=now,
            failures=0,
            validators=read.validators,
            body_hash=read.body_hash,
        )

        def save(tx: Transaction) -> Added:
            added = tx.add_entries(feed, found, now) if found else Added()
            tx.save_feeds({feed.id: update})
            for bucket in added.buckets:
                tx.submit(Job(Kind.INGEST, str(bucket)))
            for each in added.changed:
                again = polling.revision_due(now, each.first_seen_at, each.read_at)
                if again is not None:
                    tx.ask_again(each.article, again)
            for story in added.stories:
                tx.refresh_deliveries(story, now + self._with.rules.debounce)
            return added

        return await self._with.store.write(save)

    async def _save_failed_poll(self, feed: Feed, error: WorkError) -> None:
        now = self._with.clock.now()
        interval = self._with.rules.intervals.get(feed.spec.url, self._with.rules.interval)
        then = polling.after_failure(now, interval, feed.failures, error, self._with.jitter())
        update = FeedUpdate(
            status=then.status,
            due_at=then.due_at,
            polled_at=now,
            failures=then.failures,
            validators=feed.validators,
            body_hash=feed.body_hash,
            error_code=str(error.code),
            error_detail=error.detail,
        )
        await self._with.store.write(lambda tx: tx.save_feeds({feed.id: update}))
        if then.status is FeedStatus.GONE:
            log.warning(
                "feed.gone", feed=feed.spec.name, detail="the server says 410: not polled any more"
            )


def _placed(feed: Feed, entries: Sequence[Entry]) -> tuple[FoundEntry, ...]:
    """Where the entries belong: seconds for a feed of thousands, so not on the event loop."""
    return tuple(place_entry(feed, entry) for entry in entries)


@dataclass(frozen=True, slots=True)
class _Read:
    """What recognises a feed's answer next time."""

    validators: Validators
    body_hash: str | None
