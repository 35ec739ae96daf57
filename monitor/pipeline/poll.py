"""Poll: a feed's bytes become entries and new articles, saved with all that was learned at once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import ParamSpec, TypeVar

from monitor import polling, telemetry, tracing, websub
from monitor.compose import place_entry
from monitor.errors import Permanent, WorkError
from monitor.model import (
    ArticleId,
    DueBy,
    Entry,
    Feed,
    FeedId,
    FeedStatus,
    Health,
    Hints,
    Job,
    Kind,
    Move,
    ParsedFeed,
    StoryId,
    Validators,
)
from monitor.parse import cut
from monitor.pipeline import ops, subscribe
from monitor.pipeline.budget import limits_of
from monitor.pipeline.context import BATCH, Context, claimed, work_by_host
from monitor.pipeline.fill import fill
from monitor.pipeline.outage import Outage
from monitor.pipeline.parsing import Parsing
from monitor.pipeline.results import Results
from monitor.polling import gaps, health, hints, history, moves, schedule
from monitor.polling.gaps import Overlap
from monitor.polling.health import Signs
from monitor.polling.outage import UNREACHED
from monitor.polling.rhythm import PRIOR, Rhythm, learn, silence
from monitor.ports import (
    Added,
    FeedUpdate,
    Finds,
    FoundEntry,
    Listing,
    NotModified,
    Page,
    Transaction,
)

P = ParamSpec("P")
T = TypeVar("T")

log = telemetry.get_logger()

FEED_ACCEPT = (
    "application/rss+xml, application/atom+xml, application/rdf+xml, application/feed+json;q=0.9, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.5"
)

UNWATCHED = timedelta(hours=1)
"""A poll that comes so late was not made when it should have been: the service was away."""
LONG = 256 << 10
"""Bytes of a document above which it is cut on a thread: milliseconds of the event loop."""
MANY = 30
"""Entries above which they are placed on a thread, for the same reason."""


class Poll:
    """Polls the due feeds of a bucket."""

    def __init__(self, context: Context) -> None:
        self._with = context
        self._parsing = Parsing(context)
        self._results = Results(context, self._write, _weight)
        self._outage = Outage(context)

    async def run(self, bucket: int) -> None:
        """Poll every due feed of a bucket once; hosts at which somebody is at work are theirs."""
        feeds = await claimed(
            self._with,
            lambda tx: tx.claim_feeds(
                bucket, self._with.clock.now(), self._with.lease, BATCH, idle_hosts=True
            ),
            lambda feed: feed.host,
        )
        await work_by_host(
            self._with,
            feeds,
            lane=self._with.polls,
            host=lambda feed: feed.host,
            source=lambda feed: feed.host,
            do=self._poll,
            give_back=lambda rest: self._with.store.write(
                lambda tx: tx.release_feeds([feed.id for feed in rest])
            ),
            set_aside=lambda feed, until: self._with.store.write(
                lambda tx: tx.set_feed_aside(feed.id, until)
            ),
        )
        await self._outage.look()

    async def _poll(self, feed: Feed) -> None:
        with self._results.expected():
            await self._poll_feed(feed)

    async def _poll_feed(self, feed: Feed) -> None:
        began = self._with.clock.now()
        telemetry.POLL_LAG.observe(max(0.0, (began - feed.due_at).total_seconds()))
        added = Added()
        try:
            answer = await self._with.fetcher.get(
                _address(feed, began),
                accept=FEED_ACCEPT,
                max_bytes=self._with.rules.max_feed,
                validators=feed.validators,
            )
            outcome, added = await self._read(feed, answer)
            error = None
            if feed.error in UNREACHED:
                self._outage.reached()
        except WorkError as caught:
            outcome, error = str(caught.code), caught
            await self._save_failed(feed, caught)
        ended = self._with.clock.now()
        seconds = (ended - began).total_seconds()
        for article in added.made:
            tracing.record(article, tracing.POLL, began, ended, feed=feed.spec.name)
        telemetry.POLLS.labels(outcome).inc()
        telemetry.POLL_SECONDS.observe(seconds)
        if not error and not added.entries:
            return  # nine polls of ten: not worth a line
        telemetry.ENTRIES.labels("linked").inc(added.linked)
        telemetry.ENTRIES.labels("new").inc(added.entries - added.linked)
        (log.warning if error else log.info)(
            "feed.polled",
            feed=feed.spec.name,
            status=outcome,
            new=added.entries - added.linked,
            linked=added.linked,
            seconds=round(seconds, 3),
            **({"error": error.detail, "failures": feed.failures + 1} if error else {}),
        )

    # -- good polls

    async def _read(self, feed: Feed, answer: Page | NotModified) -> tuple[str, Added]:
        if isinstance(answer, NotModified):
            held = answer.validators if answer.validators != Validators() else feed.validators
            await self._save_unchanged(feed, _Good.of(answer, held, feed.body_hash))
            return "not_modified", Added()
        digest = hashlib.blake2b(answer.body, digest_size=16).hexdigest()
        good = _Good.of(answer, answer.validators, digest)
        if digest == feed.body_hash:
            await self._save_unchanged(feed, good)
            return "unchanged", Added()
        parsed = await self._parse(feed, answer)
        found: Sequence[FoundEntry] = ()
        if parsed.entries:
            place = asyncio.to_thread if len(parsed.entries) > MANY else _at_once
            found = await place(_placed, feed, parsed.entries)
        offer = websub.offer_of(answer.headers, parsed, answer.url)
        read = _Read(feed, self._with.clock.now(), good, parsed, found, offer)
        return "read", await self._save_read(read)

    async def _parse(self, feed: Feed, page: Page) -> ParsedFeed:
        """What of a document was not read before; only that is worth a process."""
        run = asyncio.to_thread if len(page.body) > LONG else _at_once
        for known in (feed.blocks, b""):
            found = await run(
                cut, page.body, url=page.url, content_type=page.content_type, blocks=known
            )
            if found.unchanged is not None:
                return found.unchanged
            parsed = await self._parsing.rest(found, feed.host)
            if parsed is not None:
                return parsed
        raise AssertionError("a document that is whole can be trusted")

    async def _save_unchanged(self, feed: Feed, good: _Good) -> None:
        now = self._with.clock.now()
        rhythm = Rhythm.from_json(feed.rhythm)
        without, why = self._due_at(feed, good, rhythm, feed.hints, Overlap.load(feed.overlap), now)
        due_at = subscribe.backup_due(
            feed.subscription, feed.spec.url, without, self._with.rules, now
        )
        why = why if due_at == without else DueBy.BACKUP
        update = self._update(feed, good, rhythm, (due_at, why), now)
        await self._results.save(_Ended(feed, now, update))

    async def _save_read(self, read: _Read) -> Added:
        became = await self._results.save(read)
        if became.lost:
            telemetry.GAPS.inc()
            log.warning(
                "feed.gap",
                feed=read.feed.spec.name,
                detail="nothing that it listed before is left: entries were lost between two polls",
            )
            await fill(self._with, read.feed, read.found)
        return became.added

    # -- in a transaction, of several polls

    def _write(self, tx: Transaction, results: Sequence[_Ended | _Read]) -> Sequence[_Became]:
        """Write how polls ended, the feeds in an order that all processes keep to."""
        ended = {each.feed.id: each for each in results if isinstance(each, _Ended)}
        reads = sorted(
            (each for each in results if isinstance(each, _Read)), key=lambda each: each.feed.id
        )
        became = dict.fromkeys(ended, _Became())
        updates = {feed: each.update for feed, each in ended.items()}
        listings: dict[FeedId, Listing] = {}
        finds = [Finds(each.feed, each.found, each.now) for each in reads]
        added = tx.add_finds(finds) if finds else ()
        for read, new in zip(reads, added, strict=True):
            feed = read.feed.id
            listings[feed], updates[feed] = self._learned(tx, read, new)
            became[feed] = _Became(new, lost=listings[feed].gap_at is not None)
        tx.keep_listings(listings)
        late = tx.save_feeds(updates)
        for each in results:
            if each.feed.id in late:  # entries are stored all the same
                continue
            ops.note_health(tx, each.feed, updates[each.feed.id], self._with.rules, each.now)
        self._pass_on(tx, reads, added)
        return [became[each.feed.id] for each in results]

    def _learned(self, tx: Transaction, read: _Read, added: Added) -> tuple[Listing, FeedUpdate]:
        """What a document with these new entries says of its feed."""
        feed, now = read.feed, read.now
        overlap, lost = gaps.after(
            Overlap.load(feed.overlap),
            listed=read.parsed.listed,
            known=read.parsed.known + added.known,
            published=added.published,
            newest_at=feed.newest_at,
            polled_at=feed.ok_at,
            now=now,
        )
        rhythm = learn(
            Rhythm.from_json(feed.rhythm),
            now,
            feed.ok_at,
            added.published,
            unseen=lost or feed.failures > 0 or now - feed.due_at > UNWATCHED,
        )
        listing = Listing(
            blocks=read.parsed.blocks,
            hints=read.parsed.hints,
            rhythm=rhythm.to_json() if rhythm.at is not None else None,
            overlap=overlap.dump(),
            gap_at=now if lost else None,
        )
        without, why = self._due_at(feed, read.good, rhythm, read.parsed.hints, overlap, now)
        due_at = subscribe.note_poll(
            tx,
            feed,
            subscribe.Read(read.offer, grew=added.entries > 0),
            without,
            self._with.rules,
            now,
        )
        newest_at = max(
            (at for at in (feed.newest_at, *added.published) if at and at <= now), default=None
        )
        due = due_at, why if due_at == without else DueBy.BACKUP
        seen = replace(feed, newest_at=newest_at)
        return listing, self._update(seen, read.good, rhythm, due, now, lost=lost)

    def _pass_on(self, tx: Transaction, reads: Sequence[_Read], added: Sequence[Added]) -> None:
        """Have done what new entries make due: articles read, messages brought up to date."""
        for bucket in sorted({bucket for each in added for bucket in each.buckets}):
            tx.submit(Job(Kind.INGEST, str(bucket)))
        again: dict[ArticleId, datetime] = {}
        grown: dict[StoryId, datetime] = {}
        for read, each in zip(reads, added, strict=True):
            for one in each.changed:
                due_at = polling.revision_due(read.now, one.first_seen_at, one.read_at)
                if due_at is not None:
                    again[one.article] = due_at
            for story in each.stories:
                grown[story] = read.now + self._with.rules.debounce
        for article in sorted(again):
            tx.ask_again(article, again[article])
        for story in sorted(grown):
            tx.refresh_deliveries(story, grown[story])

    # -- failed polls

    async def _save_failed(self, feed: Feed, error: WorkError) -> None:
        now = self._with.clock.now()
        rhythm = Rhythm.from_json(feed.rhythm)
        then = polling.after_failure(
            now, self._interval(feed, rhythm, now), feed.failures, error, self._with.jitter()
        )
        state, since = self._health(feed, rhythm, now, then.status, then.failures, error)
        is_wrong_address = isinstance(error, Permanent) and moves.lasts(feed.move, now)
        move = None if is_wrong_address else feed.move
        update = FeedUpdate(
            status=then.status,
            due_at=then.due_at,
            polled_at=now,
            failures=then.failures,
            validators=feed.validators,
            body_hash=feed.body_hash,
            error_code=str(error.code),
            error_detail=error.detail,
            health=state,
            health_since=since,
            move=move,
            due_by=history.after_failure(error, then.status, then.due_at, now),
            events=history.events(feed, now, health=state, move=move, error=error),
        )
        await self._results.save(_Ended(feed, now, update))
        if then.status is FeedStatus.GONE:
            log.warning(
                "feed.gone", feed=feed.spec.name, detail="the server says 410: not polled any more"
            )

    # -- what a poll means for the next one, and for people

    def _interval(self, feed: Feed, rhythm: Rhythm, now: datetime) -> timedelta:
        rules, market = self._with.rules, self._with.market
        cadence = rules.cadence_of(feed.spec.url)
        if cadence.interval is not None:
            return cadence.interval
        if market is None:
            return rules.interval
        return schedule.next_interval(
            rhythm,
            now,
            market.price,
            prior=market.prior,
            weight=cadence.weight,
            limits=limits_of(cadence),
        )

    def _due_at(
        self,
        feed: Feed,
        good: _Good,
        rhythm: Rhythm,
        asked: Hints,
        overlap: Overlap,
        now: datetime,
    ) -> tuple[datetime, DueBy]:
        """When the feed is polled after a good poll, and why then, pushes aside."""
        rules = self._with.rules
        cadence = rules.cadence_of(feed.spec.url)
        interval, jitter = self._interval(feed, rhythm, now), self._with.jitter()
        if cadence.interval is not None:
            return polling.after_about(now, interval, jitter), DueBy.FIXED
        within = gaps.faster(overlap, now)
        if within is not None and within < interval:  # it has proved its own hints wrong
            soon = polling.after_about(now, max(within, cadence.fastest), jitter)
            return soon, DueBy.CAUTION
        due_at = polling.after_about(now, interval, jitter)
        asked_for = hints.put_off(
            due_at, hints=asked, fresh_for=good.fresh_for, now=now, cap=rules.hint_cap
        )
        return asked_for, DueBy.BUDGET if asked_for == due_at else DueBy.HINT

    def _update(
        self,
        feed: Feed,
        good: _Good,
        rhythm: Rhythm,
        due: tuple[datetime, DueBy],
        now: datetime,
        *,
        lost: bool = False,
    ) -> FeedUpdate:
        state, since = self._health(feed, rhythm, now, FeedStatus.OK, 0, None)
        move, (due_at, why) = good.move(feed, now), due
        return FeedUpdate(
            status=FeedStatus.OK,
            due_at=due_at,
            polled_at=now,
            failures=0,
            validators=good.validators,
            body_hash=good.body_hash,
            health=state,
            health_since=since,
            move=move,
            due_by=why,
            events=history.events(feed, now, health=state, move=move, lost=lost),
        )

    def _health(
        self,
        feed: Feed,
        rhythm: Rhythm,
        now: datetime,
        status: FeedStatus,
        failures: int,
        error: WorkError | None,
    ) -> tuple[Health, datetime]:
        posted_at, quiet = _quiet(rhythm, now)
        prior = self._with.market.prior if self._with.market else PRIOR
        signs = Signs(
            status=status,
            failures=failures,
            error=None if error is None else error.code,
            ok_at=now if error is None else feed.ok_at,
            posted_at=posted_at,
            posts=rhythm.items,
            watched=timedelta(seconds=rhythm.exposure),
            longest=timedelta(seconds=rhythm.quiet),
            silence=1.0
            if posted_at is None or quiet < health.SHORTEST_SILENCE
            else silence(rhythm, posted_at, now, prior),
            newest_at=feed.newest_at,
        )
        return health.judge(feed.health, feed.health_since, signs, now)


@dataclass(frozen=True, slots=True)
class _Ended:
    """A poll that brought no document, or one that was known."""

    feed: Feed
    now: datetime
    update: FeedUpdate


@dataclass(frozen=True, slots=True)
class _Read:
    """A poll that brought a document; `feed` is as it was before."""

    feed: Feed
    now: datetime
    good: _Good
    parsed: ParsedFeed
    found: Sequence[FoundEntry]
    offer: websub.Offer | None


@dataclass(frozen=True, slots=True)
class _Became:
    """What became of a poll's result."""

    added: Added = Added()
    lost: bool = False  # entries, between it and the poll before


def _weight(result: _Ended | _Read) -> int:
    """What it takes to write, that of a 304 being 1; a millisecond is 20."""
    return 1 if isinstance(result, _Ended) else 12 + 4 * len(result.found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Good:
    """What an answer says beside its document."""

    validators: Validators
    body_hash: str | None
    moved_to: str | None
    fresh_for: timedelta | None

    @classmethod
    def of(cls, answer: Page | NotModified, validators: Validators, body_hash: str | None) -> _Good:
        return cls(
            validators=validators,
            body_hash=body_hash,
            moved_to=answer.moved_to,
            fresh_for=answer.fresh_for,
        )

    def move(self, feed: Feed, now: datetime) -> Move | None:
        """Where the feed lives now; one that was asked there, and stays, has not come back."""
        if self.moved_to is None and moves.lasts(feed.move, now):
            return feed.move
        return moves.after(feed.move, self.moved_to, now)


async def _at_once(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """As `asyncio.to_thread`, where that would cost more than the call."""
    return function(*args, **kwargs)


def _quiet(rhythm: Rhythm, now: datetime) -> tuple[datetime | None, timedelta]:
    """When a feed was seen to post last, if it ever was, and how long ago that is."""
    if rhythm.at is None or not rhythm.items:
        return None, timedelta(0)
    posted_at = datetime.fromtimestamp(rhythm.at, UTC)
    return posted_at, now - posted_at


def _address(feed: Feed, now: datetime) -> str:
    """Where a feed is asked: where it says it lives now, once that has lasted."""
    return feed.move.url if feed.move and moves.lasts(feed.move, now) else feed.spec.url


def _placed(feed: Feed, entries: Sequence[Entry]) -> tuple[FoundEntry, ...]:
    """Where the entries belong: seconds for a feed of thousands."""
    return tuple(place_entry(feed, entry) for entry in entries)
