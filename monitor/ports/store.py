"""The database as the pipeline sees it, and where its jobs go."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from monitor.match.backtest import Archived
from monitor.model import ArticleId, FeedSpec, Health, Hit, Job, StoryId, Watch
from monitor.ports.articles import Articles
from monitor.ports.facts import Backfilling, Beginning, Beginnings, Day, IllFeed
from monitor.ports.outbox import Outbox
from monitor.ports.polls import Polls
from monitor.ports.retention import Bounds, Pruned
from monitor.ports.search import Indexed, Unindexed

T = TypeVar("T")


class Transaction(Polls, Articles, Outbox, Protocol):
    """One unit of work. Committed when the function that uses it returns, undone when it raises.

    Plain synchronous calls: a transaction can't wait for the network by construction.
    """

    def submit(self, job: Job) -> None:
        """Have the engine do this job, if and only if this transaction commits."""

    # -- configuration

    def sync_feeds(self, specs: Sequence[FeedSpec], now: datetime) -> None:
        """Make the stored feeds those of the configuration; new ones are due now.

        A feed that is no longer declared is kept, with its history, and not polled.
        """

    def sync_watches(self, watches: Sequence[Watch], now: datetime) -> Sequence[str]:
        """Make the stored watches those of the configuration.

        Returns the names of those that are new, or look for something else than before.
        """

    def sync_digests(self, wanted: Mapping[tuple[str, str], datetime], now: datetime) -> None:
        """Make the digests by (channel, schedule) these; new ones are first due then."""

    def sync_subscriptions(self, callbacks: str | None, now: datetime) -> None:
        """Leave the hubs of feeds that are not polled any more; all, if `callbacks` is None.

        `callbacks` is what the URLs begin with that hubs may call: who knows others is asked anew.
        """

    def reconsider_held(self, now: datetime) -> None:
        """The rules have changed: all that is held is due."""

    def recall_deliveries(self, channels: Collection[str], now: datetime) -> None:
        """What waits for any other channel than these is due now: delivering moves it."""

    # -- schedule and leases

    def due_jobs(self, now: datetime) -> Collection[Job]:
        """A job for every bucket and channel in which something is due and not leased."""

    def lease_holders(self, now: datetime) -> frozenset[int]:
        """The numbers of the processes that lease anything now."""

    def release_leases(self) -> int:
        """Give back everything that is leased (only where nobody else can be at work)."""

    def release_leases_of(self, holders: Collection[int], now: datetime) -> int:
        """Give back what processes have leased that are dead; returns how many rows."""

    def bring_forward(self, now: datetime, lease: timedelta) -> int:
        """The clock was set back: what was done later than `now`, and planned from there, is due.

        No lease lasts longer than `lease` from now. Returns how many rows were changed. What is held
        for quiet hours or a digest stays held.
        """

    # -- what new watches would have found

    def want_backfill(self, watches: Sequence[str], since: datetime, now: datetime) -> None:
        """Have these watches run over the articles first seen since then.

        If they are being run already they begin anew.
        """

    def due_backfill(self, now: datetime) -> Backfilling | None:
        """The oldest that is due."""

    def is_reading_backlog(self) -> bool:
        """Whether a declared feed was not polled yet, or an article waits for its first reading."""

    def archive_before(
        self, since: datetime, before: tuple[datetime, int], limit: int
    ) -> Sequence[Archived]:
        """The next articles of the archive, newest first."""

    def add_hits(self, article: ArticleId, hits: Sequence[Hit], now: datetime) -> None:
        """These watches found something in an article, too; what is known of others stays."""

    def go_on_with(
        self, backfill: int, *, before: tuple[datetime, int], articles: int, due_at: datetime
    ) -> bool:
        """Articles down to this place were looked at; False if it is not wanted any more."""

    def end_backfill(self, backfill: int) -> bool:
        """Forget it; False if somebody did so already."""

    def backfilled(
        self, watches: Collection[str], since: datetime
    ) -> Sequence[tuple[str, StoryId, int, tuple[str, ...]]]:
        """What watches found among the articles first seen since then, the newest stories first.

        Rows of watch, story, number of articles, and the channels that the story is told in.
        """

    # -- mentions and spikes

    def begun_since(self, watches: Collection[str], since: datetime) -> Sequence[Beginning]:
        """The fresh articles since then that these watches found, in stories new to them."""

    def beginnings(self, watch: str, since: datetime) -> Beginnings:
        """How many stories began for a watch since then."""

    def mentions(self, watches: Collection[str], since: datetime) -> Mapping[int, int]:
        """In how many articles any of these watches found something, by quarter of an hour, since
        1970, in which they were first seen; from `since` on.
        """

    def count_mentions(self, now: datetime) -> bool:
        """Count some of what changed in what watches found; whether there is more to count.

        A small step. What was there before anything was counted follows, the newest first.
        """

    def seal_mentions(self, before: datetime, *, forget: datetime | None = None) -> int:
        """Let what is counted of the time before stay as it is, whatever becomes of its articles.

        To be said before articles with hits are deleted. With `forget` the counts of the days
        before that one are deleted; returns how many rows.
        """

    def was_read(self, hours: Collection[tuple[datetime, datetime]]) -> Sequence[bool]:
        """Of each span of time, whether any article was first seen then, and read."""

    def spike_told_at(self, channel: str, watch: str) -> datetime | None:
        """When a channel was last told of a spike of this watch."""

    # -- what articles are looked up by

    def unindexed(self, limit: int) -> Sequence[Unindexed]:
        """Articles that wait to be indexed, the newest first."""

    def index(self, indexed: Collection[Indexed]) -> None:
        """Keep what articles can be looked up by; those wanted again meanwhile go on waiting."""

    def renew_index(self) -> bool:
        """Have a part of the index made anew, if most of what it leads to is gone; all of it, if
        another version made it. Whether there was such a part.
        """

    # -- what is over

    def forget(self, before: datetime, now: datetime) -> int:
        """Delete some of what grouping keeps of articles of before; returns how many rows.

        A small step: what is left is for the next call.
        """

    def forget_told(self, now: datetime) -> int:
        """Delete some of what was said of what is over, and who did what long ago; how many rows.

        A small step, too. What could still be told again, or edited, stays.
        """

    def prune(self, bounds: Bounds, now: datetime, *, after: StoryId | None = None) -> Pruned:
        """Delete some of the stories that came before these bounds, with all that is of them.

        A small step; the next one goes on `after` what this one answers. What waits to be read or
        told stays, and of what goes it is remembered that it was there (`is_bygone`).
        """

    def is_bygone(self, url: str) -> bool:
        """Whether this canonical URL led to an article that was deleted."""

    def stored_bytes(self) -> int:
        """How much all rows and indexes take. On PostgreSQL an estimate."""

    # -- how the service fares

    def tally_rows(self, now: datetime) -> int:
        """Count some of the rows that nobody is to count who asks how many there are; of how many
        windows (see `monitor.storage.tallies`). To be done every minute.
        """

    def ill_feeds(self, since: datetime, limit: int) -> tuple[int, Sequence[IllFeed]]:
        """How many feeds are in trouble that began since then, and the first of them."""

    def feeds_by_health(self) -> Mapping[Health, int]:
        """How many of the declared feeds are how."""

    def note_sink(self, name: str, problem: str | None, now: datetime) -> None:
        """The main sink, of this name, refuses us altogether, and why; None: it takes from us."""

    def sink_trouble(self) -> tuple[str, str] | None:
        """The name of the sink that refuses us altogether, and why, whichever process found out."""

    def polls_since(self, since: datetime) -> tuple[int, int]:
        """How many feeds were polled since then, and of how many the last poll failed."""

    def dead_since(self, channel: str, since: datetime) -> int:
        """How many messages of a channel that were wanted since then are given up."""

    def day_since(self, since: datetime, now: datetime) -> Day:
        """How the service fared since then, and what waits now."""


class Store(Protocol):
    """The database: the truth about everything."""

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in one transaction. It may be run again if the database asks for it."""

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`, which only reads, beside any writer."""


class JobOutlet(Protocol):
    """Where submitted jobs go. The store calls it; an engine is one."""

    def insert(self, connection: Any, jobs: Sequence[Job]) -> None:
        """Last statements of the transaction, if the engine keeps its jobs in the database."""

    def wake(self, jobs: Sequence[Job]) -> None:
        """After the commit, on the event loop."""
