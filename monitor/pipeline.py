"""The three use cases: poll a feed, ingest an article, deliver an alert. The only file that
composes the steps.

::

    poll(bucket)      feed → bytes → entries → rows            one transaction per feed
    ingest(bucket)    article → page → text → story, hits      one transaction per article
    deliver(channel)  outbox row → message → where it is shown

Everything here is idempotent and leased: a crash between any two steps costs a repetition that
nobody sees. A handler claims what is due, works through it host by host, and gives back what it
could not begin before its time was up or the service was stopped.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from typing import TypeVar

from alerts import Alert, Ambiguous, Deferred, Posted, Rejected, Sink, Stopped
from monitor import polling, telemetry
from monitor.compose import Rules, compose_alert, compose_article, is_news, place_entry
from monitor.errors import Code, Permanent, WorkError
from monitor.extract import extract_page
from monitor.match import Document
from monitor.model import (
    Article,
    ArticleState,
    Delivery,
    DeliveryState,
    Extraction,
    Feed,
    FeedStatus,
    Hit,
    Job,
    Kind,
    PendingArticle,
    Sent,
    Validators,
)
from monitor.parse import parse_feed
from monitor.ports import (
    Added,
    Clock,
    FeedUpdate,
    Fetcher,
    FoundEntry,
    NotModified,
    Offload,
    Page,
    Store,
    Transaction,
)
from monitor.stories.urls import host_of

T = TypeVar("T")
log = telemetry.get_logger()

FEED_ACCEPT = (
    "application/rss+xml, application/atom+xml, application/rdf+xml, application/feed+json;q=0.9, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.5"
)
PAGE_ACCEPT = "text/html, application/xhtml+xml, */*;q=0.1"

BUDGET = timedelta(seconds=60)
"""A job begins nothing new after this long; the next tick goes on."""

LEASE = timedelta(minutes=5)
"""Longer than a budget plus the slowest fetch and parse."""

DELIVERY_LEASE = timedelta(seconds=90)
"""Longer than the slowest call to a sink with its look-ups."""

BATCH = 50
FEED_PARSE_SECONDS = 5.0
PAGE_EXTRACT_SECONDS = 10.0
TWIN_WINDOW = timedelta(days=14)
CRASHES = 3
"""An article that took its job down this often beyond its attempts is given up."""

SECOND_LOOK = 3.0
"""Seconds before a message that was not found is looked for again: history lags behind posts."""


class Pipeline:
    """Runs jobs over what it was given. `rules` may be swapped between any two units of work."""

    def __init__(
        self,
        *,
        store: Store,
        fetcher: Fetcher,
        offload: Offload,
        sink: Sink,
        clock: Clock,
        rules: Rules,
        jitter: Callable[[], float],
    ) -> None:
        self._store = store
        self._fetcher = fetcher
        self._offload = offload
        self._sink = sink
        self._clock = clock
        self._jitter = jitter
        self._stopping = False
        self.rules = rules
        self.sink_problem: str | None = None

    def stop(self) -> None:
        """Begin nothing new: handlers give back what they have not begun."""
        self._stopping = True

    async def run(self, job: Job) -> None:
        """Do a job: everything due under its key, within the budget."""
        match job.kind:
            case Kind.POLL:
                await self._poll(int(job.key))
            case Kind.INGEST:
                await self._ingest(int(job.key))
            case Kind.DELIVER:
                await self._deliver(job.key)

    # -- poll

    async def _poll(self, bucket: int) -> None:
        feeds = await self._store.write(
            lambda tx: tx.claim_feeds(bucket, self._clock.now(), LEASE, BATCH)
        )
        await self._work_by_host(
            feeds,
            host=lambda feed: feed.host,
            do=self._poll_feed,
            give_back=lambda rest: self._store.write(
                lambda tx: tx.release_feeds([feed.id for feed in rest])
            ),
        )

    async def _poll_feed(self, feed: Feed) -> None:
        began = self._clock.now()
        telemetry.POLL_LAG.observe(max(0.0, (began - feed.due_at).total_seconds()))
        added = Added()
        try:
            answer = await self._fetcher.get(
                feed.spec.url,
                accept=FEED_ACCEPT,
                max_bytes=self.rules.max_feed,
                validators=feed.validators,
            )
            outcome, added = await self._read_feed(feed, answer)
            error = None
        except WorkError as caught:
            outcome, error = str(caught.code), caught
            await self._save_failed_poll(feed, caught)
        seconds = (self._clock.now() - began).total_seconds()
        telemetry.POLLS.labels(outcome).inc()
        telemetry.POLL_SECONDS.observe(seconds)
        telemetry.ENTRIES.labels("linked").inc(added.linked)
        telemetry.ENTRIES.labels("new").inc(added.entries - added.linked)
        say = log.warning if error else log.info if added.entries else log.debug
        say(
            "feed.polled",
            feed=feed.spec.name,
            status=outcome,
            new=added.entries,
            known=added.linked,
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
        parsed = await self._offload.run(
            partial(parse_feed, url=answer.url, content_type=answer.content_type),
            answer.body,
            timeout=FEED_PARSE_SECONDS,
        )
        found = tuple(place_entry(feed, entry) for entry in parsed.entries)
        return "read", await self._save_good_poll(feed, fresh, found)

    async def _save_good_poll(
        self, feed: Feed, read: Feed | _Read, found: Sequence[FoundEntry]
    ) -> Added:
        now = self._clock.now()
        interval = self.rules.intervals.get(feed.spec.url, self.rules.interval)
        then = polling.after_success(now, interval, self._jitter())
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
            tx.save_feed(feed.id, update)
            for bucket in added.buckets:
                tx.submit(Job(Kind.INGEST, str(bucket)))
            for story in added.stories:
                tx.refresh_deliveries(story, now + self.rules.debounce)
            return added

        return await self._store.write(save)

    async def _save_failed_poll(self, feed: Feed, error: WorkError) -> None:
        now = self._clock.now()
        interval = self.rules.intervals.get(feed.spec.url, self.rules.interval)
        then = polling.after_failure(now, interval, feed.failures, error, self._jitter())
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
        await self._store.write(lambda tx: tx.save_feed(feed.id, update))
        if then.status is FeedStatus.GONE:
            log.warning(
                "feed.gone", feed=feed.spec.name, detail="the server says 410: not polled any more"
            )

    # -- ingest

    async def _ingest(self, bucket: int) -> None:
        articles = await self._store.write(
            lambda tx: tx.claim_articles(bucket, self._clock.now(), LEASE, BATCH)
        )
        await self._work_by_host(
            articles,
            host=lambda pending: host_of(pending.link) if pending.link else "",
            do=self._ingest_article,
            give_back=lambda rest: self._store.write(
                lambda tx: tx.release_articles([pending.id for pending in rest])
            ),
        )

    async def _ingest_article(self, pending: PendingArticle) -> None:
        began = self._clock.now()
        rules = self.rules
        page_url, extraction, error = await self._read_page(pending, rules)
        content = compose_article(pending, page_url, extraction)
        document = Document(title=content.title, body=content.body, language=content.language)
        hits = rules.matcher.match(document)
        outcome = await self._store.write(
            partial(
                _save_ingest,
                pending=pending,
                content=content,
                hits=hits,
                error=error,
                now=self._clock.now(),
                rules=rules,
            )
        )
        seconds = (self._clock.now() - began).total_seconds()
        telemetry.ARTICLES.labels(outcome).inc()
        telemetry.HITS.inc(len(hits))
        telemetry.INGEST_SECONDS.observe(seconds)
        log.info(
            "article.ingested",
            url=pending.link or pending.url,
            publisher=pending.feed.publisher,
            status=outcome,
            words=len(content.body.split()),
            hits=[hit.watch for hit in hits],
            seconds=round(seconds, 3),
            **({"error": f"{error.code}: {error.detail}"} if error else {}),
        )

    async def _read_page(
        self, pending: PendingArticle, rules: Rules
    ) -> tuple[str | None, Extraction | None, WorkError | None]:
        if pending.link is None:
            return None, None, None
        if pending.attempts > rules.page_attempts + CRASHES:
            return None, None, Permanent(Code.KILLED, "gave up after repeated crashes")
        page_url = None
        try:
            page = await self._fetcher.get(
                pending.link, accept=PAGE_ACCEPT, max_bytes=rules.max_page
            )
            if isinstance(page, NotModified):  # nothing conditional was asked
                raise Permanent(Code.PROTOCOL, "answered 304 to an unconditional request")
            page_url = page.url
            extraction = await self._offload.run(
                partial(extract_page, url=page.url, content_type=page.content_type),
                page.body,
                timeout=PAGE_EXTRACT_SECONDS,
            )
        except WorkError as error:
            return page_url, None, error
        return page_url, extraction, None

    # -- deliver

    async def _deliver(self, channel: str) -> None:
        until = self._clock.now() + BUDGET
        while not self._stopping and self._clock.now() < until:
            now = self._clock.now()
            delivery = await self._store.write(
                lambda tx, now=now: tx.claim_delivery(channel, now, DELIVERY_LEASE)
            )
            if delivery is None:
                return
            if not await self._deliver_one(delivery):
                return

    async def _deliver_one(self, delivery: Delivery) -> bool:
        """Show one delivery; False when the channel should be left alone for now."""
        view = await self._store.read(lambda tx: tx.story_view(delivery.story))
        alert = compose_alert(delivery, view, self.rules)
        outcome, go_on = "sent", True
        sent, due_at, error = delivery.sent, None, None
        state = DeliveryState.SENT
        try:
            if alert is None:
                state, outcome, error = DeliveryState.DEAD, "empty", "nothing is left to show"
            else:
                sent = await self._show(delivery, alert)
        except Ambiguous as caught:
            # The row stays `sending`: it is looked for when the lease ends, here or elsewhere.
            log.warning(
                "delivery.unclear",
                delivery=delivery.id,
                channel=delivery.channel,
                error=str(caught),
            )
            telemetry.DELIVERIES.labels(self._sink.name, "ambiguous").inc()
            return False
        except Rejected as caught:
            # A refused edit leaves the message as it stands.
            state = DeliveryState.SENT if delivery.sent else DeliveryState.DEAD
            outcome, error = "rejected", str(caught)
        except (Deferred, Stopped) as caught:
            retry_after = caught.retry_after if isinstance(caught, Deferred) else 60.0
            state, outcome, error = DeliveryState.RETRY, "deferred", str(caught)
            due_at = polling.delivery_retry(self._clock.now(), delivery.attempts, retry_after)
            go_on = False
            if isinstance(caught, Stopped):
                outcome = "stopped"
        await self._finish(delivery, state, outcome, sent=sent, due_at=due_at, error=error)
        self.sink_problem = error if outcome == "stopped" else None
        if outcome == "sent" and alert and delivery.sent is None:
            seen = (self._clock.now() - alert.found_at).total_seconds()
            telemetry.ALERT_SECONDS.observe(max(0.0, seen))
        say = log.info if outcome == "sent" else log.warning
        say(
            "alert.updated" if delivery.sent and outcome == "sent" else f"alert.{outcome}",
            channel=delivery.channel,
            headline=alert.headline if alert else "",
            delivery=delivery.id,
            **({"error": error} if error else {}),
        )
        return go_on

    async def _finish(
        self,
        delivery: Delivery,
        state: DeliveryState,
        outcome: str,
        *,
        sent: Sent | None,
        due_at: datetime | None,
        error: str | None,
    ) -> None:
        telemetry.DELIVERIES.labels(self._sink.name, outcome).inc()
        now = self._clock.now()
        await self._store.write(
            lambda tx: tx.finish_delivery(
                delivery.id, state, now, sent=sent, due_at=due_at, error=error
            )
        )

    async def _show(self, delivery: Delivery, alert: Alert) -> Sent:
        """Post or edit, exactly once as far as the sink can tell."""
        if delivery.sent is not None:
            if self._sink.can_update:
                await self._sink.update(_posted(delivery.sent), alert)
            return delivery.sent
        begun = delivery.found_sending_at
        for last_try in (False, True):
            if begun is not None:
                found = await self._look(delivery, begun)
                if found is not None:
                    # What was posted then may say less than is known now.
                    if self._sink.can_update:
                        await self._sink.update(found, alert)
                    return Sent(channel=found.channel, ref=found.ref)
            try:
                begun = self._clock.now()
                posted = await self._sink.post(delivery.channel, alert)
            except Ambiguous:
                if last_try:
                    raise
                log.warning("delivery.unclear", delivery=delivery.id, channel=delivery.channel)
            else:
                return Sent(channel=posted.channel, ref=posted.ref)
        raise AssertionError("unreachable")

    async def _look(self, delivery: Delivery, since: datetime) -> Posted | None:
        """Find out whether a broken-off post is shown; looks twice, for history lags."""
        if not self._sink.can_find:
            telemetry.DELIVERIES.labels(self._sink.name, "repeated_blind").inc()
            return None
        for pause in (0.0, SECOND_LOOK):
            if pause:
                await self._clock.sleep(pause)
            found = await self._sink.find(delivery.channel, delivery.id, since)
            if found is not None:
                telemetry.DELIVERIES.labels(self._sink.name, "found").inc()
                return found
        return None

    # -- shared

    async def _work_by_host(
        self,
        rows: Sequence[T],
        *,
        host: Callable[[T], str],
        do: Callable[[T], Awaitable[None]],
        give_back: Callable[[Sequence[T]], Awaitable[object]],
    ) -> None:
        """Hosts side by side, each host strictly in series; what is not begun is given back."""
        until = self._clock.now() + BUDGET
        not_begun = list(rows)

        async def in_series(mine: Iterable[T]) -> None:
            for row in mine:
                if self._stopping or self._clock.now() >= until:
                    return
                not_begun.remove(row)
                try:
                    await do(row)
                except asyncio.CancelledError:
                    not_begun.append(row)
                    raise

        ordered = sorted(rows, key=host)
        groups = [list(group) for _, group in groupby(ordered, key=host)]
        try:
            results = await asyncio.gather(*map(in_series, groups), return_exceptions=True)
        finally:
            # A row that crashed its job is not among them: its lease keeps it from doing so again
            # at once.
            if not_begun:
                await asyncio.shield(give_back(tuple(not_begun)))
        for result in results:
            if isinstance(result, BaseException):
                raise result


def _save_ingest(
    tx: Transaction,
    *,
    pending: PendingArticle,
    content: Article,
    hits: Sequence[Hit],
    error: WorkError | None,
    now: datetime,
    rules: Rules,
) -> str:
    """Article, story, hits and deliveries in one transaction; returns how the ingest ended."""
    tx.lock_stories()
    known = tx.article_at(content.url)
    if known is not None and known.article != pending.id:
        tx.merge_article(pending.id, into=known.article)
        if known.story is not None:
            tx.refresh_deliveries(known.story, now + rules.debounce)
        return "merged"

    state, due_at = _state_after(content, error, pending, now, rules)
    tx.save_article(
        pending.id,
        content,
        state=state,
        now=now,
        due_at=due_at,
        error_code=str(error.code) if error else None,
        error_detail=error.detail if error else None,
    )
    story = tx.story_of(pending.id)
    grown: Sequence[str] = ()
    if story is None:
        twin = (
            tx.twin_of(content.text_hash, now - TWIN_WINDOW, pending.id)
            if content.text_hash
            else None
        )
        if twin is not None and twin.story is not None:
            story = twin.story
            tx.put_in_story(pending.id, story, copy_of=twin.article)
            grown = tx.refresh_deliveries(story, now + rules.debounce)
        else:
            story = tx.new_story(now)
            tx.put_in_story(pending.id, story, copy_of=None)
    tx.set_hits(pending.id, hits, now)
    if is_news(pending, content.published_at, rules):
        for channel in {rules.channel_of(hit.watch) or rules.default_channel for hit in hits}:
            if channel not in grown and tx.want_delivery(story, channel, now):
                tx.submit(Job(Kind.DELIVER, channel))
    return str(state)


def _state_after(
    content: Article,
    error: WorkError | None,
    pending: PendingArticle,
    now: datetime,
    rules: Rules,
) -> tuple[ArticleState, datetime | None]:
    if content.source == "page" or pending.link is None:
        return ArticleState.DONE, None
    if error is not None:
        due_at = polling.page_retry(now, error, pending.attempts, rules.page_attempts)
        if due_at is not None:
            return ArticleState.PARTIAL, due_at
    return (ArticleState.DONE if content.body else ArticleState.FAILED), None


def _posted(sent: Sent) -> Posted:
    return Posted(channel=sent.channel, ref=sent.ref)


@dataclass(frozen=True, slots=True)
class _Read:
    """What recognises a feed's answer next time."""

    validators: Validators
    body_hash: str | None
