"""The operations: what each of them reads or changes."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Final

from monitor import config
from monitor.errors import Refused
from monitor.match.backtest import Archived
from monitor.match.backtest import Backtest as Reading
from monitor.match.query import bracketed
from monitor.model import ArticleId, DeliveryId, FeedId, StoryId, Watch
from monitor.ports import Filters, Sought
from monitor.volume import news_within
from monitor.web.access import May, visitor
from monitor.web.api import answers
from monitor.web.api import asked as a
from monitor.web.api import shapes as s
from monitor.web.api.operations import Call, Operations, missing, read_cursor, write_cursor
from monitor.web.api.problems import Problem, wrong
from monitor.web.decisions import Decisions
from monitor.web.desk import Desk
from monitor.web.health import alive, ready

_WEEK: Final = timedelta(days=7)
_FAR_BACK: Final = timedelta(days=30)
_STALE_AFTER: Final = 30.0

operation = Operations()


class Resources:
    """What can be asked of the desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._reports = desk.reports
        self._testing = asyncio.Semaphore(1)  # a backtest takes a processor for itself
        self.operations = operation.bound(self)

    # -- articles

    @operation("GET", "/articles", asked=a.ArticlesAsked)
    async def list_articles(self, call: Call) -> s.Searched[s.ArticleLine]:
        """Articles, those that were seen last first; with `q` a search.

        A page of a search may hold fewer than `limit`, and none, and go on.
        """
        asked: a.ArticlesAsked = call.asked
        filters = Filters(
            since=asked.since,
            until=asked.until,
            publisher=asked.publisher,
            side=asked.side,
            language=asked.language,
            watch=asked.watch,
        )
        place = read_cursor(asked.cursor, "articles", str)
        cursor = place[0] if place else None
        if asked.q is not None:
            config.checked(asked.q)  # before the cursor: its error is the one to mend
        try:
            found = await self._reports.search.find(
                asked.q, filters, cursor=cursor, limit=asked.limit
            )
        except Refused as error:
            raise wrong("query", "cursor", str(error)) from error
        # in a thread: the passages of long bodies take a while
        items = await asyncio.to_thread(lambda: [*map(answers.article_found, found.matches)])
        return s.Searched(
            items=items,
            next=write_cursor("articles", found.cursor) if found.cursor else None,
            searched_back_to=found.back_to,
        )

    @operation("GET", "/articles/{article}")
    async def get_article(self, call: Call) -> s.ArticleWhole:
        """An article with its text, and all that is known of it."""
        url = await self._reports.catalogue.url_of(ArticleId(call.at["article"]))
        trace = await self._reports.trace(url) if url is not None else None
        if trace is None:
            raise missing("article", call.at["article"])
        return answers.article(trace)

    # -- stories

    @operation("GET", "/stories", asked=a.StoriesAsked)
    async def list_stories(self, call: Call) -> s.Searched[s.StoryLine]:
        """Stories in which something was found, those found last first.

        A page may hold fewer than `limit`, and none, and go on.
        """
        asked: a.StoriesAsked = call.asked
        sought = Sought(
            watch=asked.watch,
            publisher=asked.publisher,
            side=asked.side,
            language=asked.language,
            standing=asked.standing,
            since=asked.since,
            until=asked.until,
            words=tuple((asked.q or "").split()),
        )
        place = read_cursor(asked.cursor, "stories", datetime, int)
        found = await self._reports.news.page(
            sought, asked.limit, before=(place[0], place[1]) if place else None
        )
        return s.Searched(
            items=[*map(answers.story_line, found.rows)],
            next=write_cursor("stories", *found.earlier) if found.earlier else None,
            searched_back_to=found.looked_back_to,
        )

    @operation("GET", "/stories/{story}")
    async def get_story(self, call: Call) -> s.StoryWhole:
        """A story with its articles and messages.

        Asked for one that was merged into another, it is that other one.
        """
        return await self._story(StoryId(call.at["story"]), call)

    async def _story(self, story: StoryId, call: Call) -> s.StoryWhole:
        decisions = self._desk.decisions
        # first: what is read later is never older
        mark = await decisions.mark(story) if decisions else None
        trace = await self._reports.story(story)
        if trace is None:
            raise missing("story", call.at["story"])
        if decisions and trace.view.story != story:
            mark = await decisions.mark(trace.view.story)
        return answers.story(trace, mark, decisions.rules().max_age if decisions else None)

    @operation("POST", "/stories/{story}/merge", body=a.MergeAsked, may=May.WRITE)
    async def merge_stories(self, call: Call) -> s.StoryWhole:
        """Make two stories one; answered with the one that goes on."""
        decisions, asked = self._decisions(), call.body
        await self._story(StoryId(call.at["story"]), call)
        story, other = StoryId(call.at["story"]), StoryId(asked.other)
        if await self._reports.story(other) is None:
            raise Problem(409, f"There is no story {other} to merge with.")
        into = await decisions.merge(story, other, None, by=visitor().name)
        return await self._story(into, call)

    @operation("POST", "/stories/{story}/split", body=a.SplitAsked, may=May.WRITE)
    async def split_story(self, call: Call) -> s.StoryWhole:
        """Take an article out of a story; answered with the story that it has now."""
        decisions, asked = self._decisions(), call.body
        story = (await self._story(StoryId(call.at["story"]), call)).id
        own = await decisions.split(
            ArticleId(asked.article), StoryId(story), asked.mark, by=visitor().name
        )
        return await self._story(own, call)

    # -- hits

    @operation("GET", "/hits", asked=a.HitsAsked)
    async def list_hits(self, call: Call) -> s.Page[s.HitLine]:
        """What watches found, the newest first."""
        asked: a.HitsAsked = call.asked
        place = read_cursor(asked.cursor, "hits", datetime, int)
        rows = await self._reports.catalogue.hits(
            asked.limit + 1,
            watch=asked.watch,
            since=asked.since,
            before=(place[0], place[1]) if place else None,
        )
        shown = rows[: asked.limit]
        items = await asyncio.to_thread(lambda: [*map(answers.hit, shown)])
        more = len(rows) > asked.limit
        return s.Page(items=items, next=write_cursor("hits", *shown[-1].place) if more else None)

    # -- watches

    @operation("GET", "/watches", asked=a.Paged)
    async def list_watches(self, call: Call) -> s.Page[s.WatchLine]:
        """Watches, by name."""
        asked: a.Paged = call.asked
        place = read_cursor(asked.cursor, "watches", str)
        rows = await self._reports.watches(self._desk.clock.now() - _WEEK)
        named = sorted((row.watch.name.casefold(), row.watch.name, row) for row in rows)
        if place is not None:
            after = (place[0].casefold(), place[0])
            named = [each for each in named if each[:2] > after]
        shown = [row for *_, row in named[: asked.limit]]
        more = len(named) > asked.limit
        return s.Page(
            items=[*map(answers.watch, shown)],
            next=write_cursor("watches", shown[-1].watch.name) if more else None,
        )

    @operation("GET", "/watches/{watch}")
    async def get_watch(self, call: Call) -> s.WatchLine:
        """A watch."""
        rows = await self._reports.watches(self._desk.clock.now() - _WEEK)
        for row in rows:
            if row.watch.name == call.at["watch"]:
                return answers.watch(row)
        raise missing("watch", call.at["watch"])

    @operation("POST", "/queries", body=a.QueryAsked)
    async def read_query(self, call: Call) -> s.QueryRead:
        """Whether a query can be read, and how it is understood."""
        query = config.checked(call.body.query)
        return s.QueryRead(
            query=bracketed(query.root), notes=[note.message for note in query.notes]
        )

    @operation("POST", "/backtests", body=a.BacktestAsked)
    async def run_backtest(self, call: Call) -> s.Backtest:
        """What a query would have found in what is stored.

        Each call reads some articles, the newest first, and says where the next one goes
        on. Nothing is stored. One runs at a time; others wait.
        """
        asked: a.BacktestAsked = call.body
        config.checked(asked.query)
        place = read_cursor(asked.cursor, "backtest", datetime)
        since = asked.since or self._desk.clock.now() - _FAR_BACK
        decisions = self._desk.decisions
        is_news = news_within(decisions.rules().max_age if decisions else None)
        watch = Watch(name="backtest", query=asked.query)
        async with self._testing:
            read, is_all = await self._archive(since, place[0] if place else None, asked.limit)
            testing = await asyncio.to_thread(Reading, watch, is_news=is_news)
            for start in range(0, len(read), 200):  # threads are shared: each has its turn
                await asyncio.to_thread(testing.read, read[start : start + 200])
            tested = await asyncio.to_thread(testing.outcome)
        back_to = read[-1].first_seen_at if read else None
        following = None if is_all or back_to is None else write_cursor("backtest", back_to)
        return answers.backtest(
            bracketed(config.checked(asked.query).root), tested, back_to, following
        )

    async def _archive(
        self, since: datetime, before: datetime | None, limit: int
    ) -> tuple[list[Archived], bool]:
        """Articles, and whether that is all: more than `limit` only if seen at one moment."""
        read: list[Archived] = []
        archive = self._reports.archive(since, before=before, batch=limit + 1)
        async with aclosing(archive) as batches:
            async for batch in batches:
                read.extend(batch)
                if len(read) > limit:
                    most = max(read[limit].first_seen_at, read[-1].first_seen_at)
                    if kept := [each for each in read if each.first_seen_at > most]:
                        return kept, False
                    if read[-1].first_seen_at < read[0].first_seen_at:
                        moment = read[0].first_seen_at
                        return [each for each in read if each.first_seen_at == moment], False
        return read, True

    # -- feeds

    @operation("GET", "/feeds", asked=a.Paged)
    async def list_feeds(self, call: Call) -> s.Page[s.FeedLine]:
        """Declared feeds, those first that were declared first."""
        asked: a.Paged = call.asked
        place = read_cursor(asked.cursor, "feeds", int)
        after = FeedId(place[0]) if place else None
        rows = await self._reports.catalogue.feeds(asked.limit + 1, after=after)
        items = [*map(answers.feed, rows[: asked.limit])]
        more = len(rows) > asked.limit
        return s.Page(items=items, next=write_cursor("feeds", items[-1].id) if more else None)

    @operation("GET", "/feeds/{feed}")
    async def get_feed(self, call: Call) -> s.FeedLine:
        """A feed."""
        feed = FeedId(call.at["feed"])
        rows = await self._reports.catalogue.feeds(1, after=FeedId(feed - 1))
        if not rows or rows[0].id != feed:
            raise missing("feed", call.at["feed"])
        return answers.feed(rows[0])

    @operation("POST", "/feeds/{feed}/poll", may=May.WRITE)
    async def poll_feed(self, call: Call) -> s.Hastened:
        """Have a feed polled now, unless it was a moment ago or asked not to be."""
        decisions = self._decisions()
        await self.get_feed(call)
        left_alone = await decisions.poll(FeedId(call.at["feed"]))
        return s.Hastened(feed=await self.get_feed(call), left_alone=left_alone)

    # -- messages

    @operation("GET", "/deliveries", asked=a.DeliveriesAsked)
    async def list_deliveries(self, call: Call) -> s.Page[s.Delivery]:
        """Messages and notices, those first that were wanted last."""
        asked: a.DeliveriesAsked = call.asked
        place = read_cursor(asked.cursor, "deliveries", datetime, str)
        rows = await self._reports.messages.newest(
            asked.limit + 1,
            states=() if asked.state is None else (asked.state,),
            channel=asked.channel,
            before=(place[0], DeliveryId(place[1])) if place else None,
        )
        shown = rows[: asked.limit]
        more = len(rows) > asked.limit
        return s.Page(
            items=[*map(answers.delivery, shown)],
            next=write_cursor("deliveries", shown[-1].created_at, shown[-1].id) if more else None,
        )

    @operation("GET", "/deliveries/{delivery}")
    async def get_delivery(self, call: Call) -> s.DeliveryWhole:
        """A message, and what became of it each time."""
        message = DeliveryId(call.at["delivery"])
        row = await self._reports.catalogue.message(message)
        if row is None:
            raise missing("delivery", call.at["delivery"])
        outcomes = await self._reports.messages.outcomes([message])
        return answers.delivery_whole(row, outcomes.get(message, ()))

    @operation("POST", "/deliveries/{delivery}/retry", may=May.WRITE)
    async def retry_delivery(self, call: Call) -> s.DeliveryWhole:
        """Send a message again that was refused or dropped, or waits to be; now."""
        decisions = self._decisions()
        await self.get_delivery(call)
        await decisions.retry(call.at["delivery"], by=visitor().name)
        return await self.get_delivery(call)

    @operation("POST", "/deliveries/{delivery}/drop", may=May.WRITE)
    async def drop_delivery(self, call: Call) -> s.DeliveryWhole:
        """Give up a message that is not shown."""
        decisions = self._decisions()
        await self.get_delivery(call)
        await decisions.drop(call.at["delivery"], by=visitor().name)
        return await self.get_delivery(call)

    # -- the service

    @operation("GET", "/status")
    async def get_status(self, _call: Call) -> s.Status:
        """How the service is."""
        health, now = self._desk.pages.health, self._desk.clock.now()
        strip = await self._reports.news.strip(now)
        is_alive, is_ready = alive(health.tick_age(), _STALE_AFTER), ready(health, _STALE_AFTER)
        return s.Status(
            version=health.version,
            now=now,
            health=s.Verdict(ok=is_alive.ok, reason=is_alive.reason),
            ready=s.Verdict(ok=is_ready.ok, reason=is_ready.reason),
            config_error=health.config_error(),
            sink_problem=health.sink_problem(),
            feeds={str(state): number for state, number in strip.feeds.items()},
            messages={
                "dead": strip.dead,
                "waiting": strip.waiting,
                "retrying": strip.retrying,
                "uncertain": strip.uncertain,
                "held": strip.held,
                "told_in_a_day": strip.told,
            },
            hits_in_a_day=strip.hits,
            articles_waiting=strip.waiting_articles,
            stories_held=strip.stories_held,
            oldest_waiting_at=strip.oldest_waiting_at,
            last_poll_at=strip.last_poll_at,
        )

    # -- what they share

    def _decisions(self) -> Decisions:
        if self._desk.decisions is None:
            raise Problem(403, "Nothing can be changed here.")
        return self._desk.decisions
