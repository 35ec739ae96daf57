"""The operations: what each of them reads or changes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
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
from monitor.web.api.operations import Call, Operation, missing, read_cursor, write_cursor
from monitor.web.api.problems import Problem, wrong
from monitor.web.decisions import Decisions
from monitor.web.desk import Desk
from monitor.web.health import alive, ready

_WEEK: Final = timedelta(days=7)
_FAR_BACK: Final = timedelta(days=30)
_STALE_AFTER: Final = 30.0


class Resources:
    """What can be asked of the desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._reports = desk.reports
        self._testing = asyncio.Semaphore(1)  # a backtest takes a processor for itself
        self.operations: Sequence[Operation] = (*self._reading(), *self._writing())
        self._by_name = {each.name: each for each in self.operations}

    def _reading(self) -> Sequence[Operation]:
        return (
            Operation(
                name="listArticles",
                method="GET",
                path="/articles",
                about="article",
                summary="Articles, those that were seen last first; with `q` a search.",
                more="A page of a search may hold fewer than `limit`, and none, and go on.",
                asked=a.ArticlesAsked,
                answer=s.Searched[s.ArticleLine],
                do=self.articles,
            ),
            Operation(
                name="getArticle",
                method="GET",
                path="/articles/{article}",
                about="article",
                summary="An article with its text, and all that is known of it.",
                answer=s.ArticleWhole,
                do=self.article,
            ),
            Operation(
                name="listStories",
                method="GET",
                path="/stories",
                about="story",
                summary="Stories in which something was found, those found last first.",
                more="A page may hold fewer than `limit`, and none, and go on.",
                asked=a.StoriesAsked,
                answer=s.Searched[s.StoryLine],
                do=self.stories,
            ),
            Operation(
                name="getStory",
                method="GET",
                path="/stories/{story}",
                about="story",
                summary="A story with its articles and messages.",
                more="Asked for one that was merged into another, it is that other one.",
                answer=s.StoryWhole,
                do=self.story,
            ),
            Operation(
                name="listHits",
                method="GET",
                path="/hits",
                about="hit",
                summary="What watches found, the newest first.",
                asked=a.HitsAsked,
                answer=s.Page[s.HitLine],
                do=self.hits,
            ),
            Operation(
                name="listWatches",
                method="GET",
                path="/watches",
                about="watch",
                summary="Watches, by name.",
                asked=a.Paged,
                answer=s.Page[s.WatchLine],
                do=self.watches,
            ),
            Operation(
                name="getWatch",
                method="GET",
                path="/watches/{watch}",
                about="watch",
                summary="A watch.",
                answer=s.WatchLine,
                do=self.watch,
            ),
            Operation(
                name="readQuery",
                method="POST",
                path="/queries",
                about="query",
                summary="Whether a query can be read, and how it is understood.",
                body=a.QueryAsked,
                answer=s.QueryRead,
                do=self.query,
            ),
            Operation(
                name="listFeeds",
                method="GET",
                path="/feeds",
                about="feed",
                summary="Declared feeds, those first that were declared first.",
                asked=a.Paged,
                answer=s.Page[s.FeedLine],
                do=self.feeds,
            ),
            Operation(
                name="getFeed",
                method="GET",
                path="/feeds/{feed}",
                about="feed",
                summary="A feed.",
                answer=s.FeedLine,
                do=self.feed,
            ),
            Operation(
                name="listDeliveries",
                method="GET",
                path="/deliveries",
                about="message",
                summary="Messages and notices, those first that were wanted last.",
                asked=a.DeliveriesAsked,
                answer=s.Page[s.Delivery],
                do=self.deliveries,
            ),
            Operation(
                name="getDelivery",
                method="GET",
                path="/deliveries/{delivery}",
                about="message",
                summary="A message, and what became of it each time.",
                answer=s.DeliveryWhole,
                do=self.delivery,
            ),
            Operation(
                name="runBacktest",
                method="POST",
                path="/backtests",
                about="backtest",
                summary="What a query would have found in what is stored.",
                more=(
                    "Each call reads some articles, the newest first, and says where the next one"
                    " goes on. Nothing is stored. One runs at a time; others wait."
                ),
                body=a.BacktestAsked,
                answer=s.Backtest,
                do=self.backtest,
            ),
            Operation(
                name="getStatus",
                method="GET",
                path="/status",
                about="status",
                summary="How the service is.",
                answer=s.Status,
                do=self.status,
            ),
        )

    def _writing(self) -> Sequence[Operation]:
        return (
            Operation(
                name="mergeStories",
                method="POST",
                path="/stories/{story}/merge",
                about="story",
                summary="Make two stories one; answered with the one that goes on.",
                body=a.MergeAsked,
                answer=s.StoryWhole,
                may=May.WRITE,
                conflicts=True,
                do=self.merge,
            ),
            Operation(
                name="splitStory",
                method="POST",
                path="/stories/{story}/split",
                about="story",
                summary="Take an article out of a story; answered with the story that it has now.",
                body=a.SplitAsked,
                answer=s.StoryWhole,
                may=May.WRITE,
                conflicts=True,
                do=self.split,
            ),
            Operation(
                name="pollFeed",
                method="POST",
                path="/feeds/{feed}/poll",
                about="feed",
                summary="Have a feed polled now, unless it was a moment ago or asked not to be.",
                answer=s.Hastened,
                may=May.WRITE,
                conflicts=True,
                do=self.poll,
            ),
            Operation(
                name="retryDelivery",
                method="POST",
                path="/deliveries/{delivery}/retry",
                about="message",
                summary="Send a message again that was refused or dropped, or waits to be; now.",
                answer=s.DeliveryWhole,
                may=May.WRITE,
                conflicts=True,
                do=self.retry,
            ),
            Operation(
                name="dropDelivery",
                method="POST",
                path="/deliveries/{delivery}/drop",
                about="message",
                summary="Give up a message that is not shown.",
                answer=s.DeliveryWhole,
                may=May.WRITE,
                conflicts=True,
                do=self.drop,
            ),
        )

    # -- articles

    async def articles(self, call: Call) -> s.Searched[s.ArticleLine]:
        """Articles, or what a search found."""
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

    async def article(self, call: Call) -> s.ArticleWhole:
        """All about one."""
        url = await self._reports.catalogue.url_of(ArticleId(call.at["article"]))
        trace = await self._reports.trace(url) if url is not None else None
        if trace is None:
            raise self._missing("getArticle", call)
        return answers.article(trace)

    # -- stories

    async def stories(self, call: Call) -> s.Searched[s.StoryLine]:
        """Stories in which something was found."""
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

    async def story(self, call: Call) -> s.StoryWhole:
        """All about one."""
        return await self._story(StoryId(call.at["story"]), call)

    async def _story(self, story: StoryId, call: Call) -> s.StoryWhole:
        decisions = self._desk.decisions
        # first: what is read later is never older
        mark = await decisions.mark(story) if decisions else None
        trace = await self._reports.story(story)
        if trace is None:
            raise self._missing("getStory", call)
        if decisions and trace.view.story != story:
            mark = await decisions.mark(trace.view.story)
        return answers.story(trace, mark, decisions.rules().max_age if decisions else None)

    async def merge(self, call: Call) -> s.StoryWhole:
        """Make two one."""
        decisions, asked = self._decisions(), call.body
        await self._story(StoryId(call.at["story"]), call)
        story, other = StoryId(call.at["story"]), StoryId(asked.other)
        if await self._reports.story(other) is None:
            raise Problem(409, f"There is no story {other} to merge with.")
        into = await decisions.merge(story, other, None, by=visitor().name)
        return await self._story(into, call)

    async def split(self, call: Call) -> s.StoryWhole:
        """Take an article out."""
        decisions, asked = self._decisions(), call.body
        story = (await self._story(StoryId(call.at["story"]), call)).id
        own = await decisions.split(
            ArticleId(asked.article), StoryId(story), asked.mark, by=visitor().name
        )
        return await self._story(own, call)

    # -- hits

    async def hits(self, call: Call) -> s.Page[s.HitLine]:
        """What watches found."""
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

    async def watches(self, call: Call) -> s.Page[s.WatchLine]:
        """By name."""
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

    async def watch(self, call: Call) -> s.WatchLine:
        """One."""
        rows = await self._reports.watches(self._desk.clock.now() - _WEEK)
        for row in rows:
            if row.watch.name == call.at["watch"]:
                return answers.watch(row)
        raise self._missing("getWatch", call)

    async def query(self, call: Call) -> s.QueryRead:
        """How it is understood."""
        query = config.checked(call.body.query)
        return s.QueryRead(
            query=bracketed(query.root), notes=[note.message for note in query.notes]
        )

    async def backtest(self, call: Call) -> s.Backtest:
        """Some of the archive, by one query."""
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
        async with aclosing(archive) as batches:  # type: ignore[type-var]
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

    async def feeds(self, call: Call) -> s.Page[s.FeedLine]:
        """Declared ones."""
        asked: a.Paged = call.asked
        place = read_cursor(asked.cursor, "feeds", int)
        after = FeedId(place[0]) if place else None
        rows = await self._reports.catalogue.feeds(asked.limit + 1, after=after)
        items = [*map(answers.feed, rows[: asked.limit])]
        more = len(rows) > asked.limit
        return s.Page(items=items, next=write_cursor("feeds", items[-1].id) if more else None)

    async def feed(self, call: Call) -> s.FeedLine:
        """One."""
        feed = FeedId(call.at["feed"])
        rows = await self._reports.catalogue.feeds(1, after=FeedId(feed - 1))
        if not rows or rows[0].id != feed:
            raise self._missing("getFeed", call)
        return answers.feed(rows[0])

    async def poll(self, call: Call) -> s.Hastened:
        """Now."""
        decisions = self._decisions()
        await self.feed(call)
        left_alone = await decisions.poll(FeedId(call.at["feed"]))
        return s.Hastened(feed=await self.feed(call), left_alone=left_alone)

    # -- messages

    async def deliveries(self, call: Call) -> s.Page[s.Delivery]:
        """Messages and notices."""
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

    async def delivery(self, call: Call) -> s.DeliveryWhole:
        """One."""
        message = DeliveryId(call.at["delivery"])
        row = await self._reports.catalogue.message(message)
        if row is None:
            raise self._missing("getDelivery", call)
        outcomes = await self._reports.messages.outcomes([message])
        return answers.delivery_whole(row, outcomes.get(message, ()))

    async def retry(self, call: Call) -> s.DeliveryWhole:
        """Send it again."""
        decisions = self._decisions()
        await self.delivery(call)
        await decisions.retry(call.at["delivery"], by=visitor().name)
        return await self.delivery(call)

    async def drop(self, call: Call) -> s.DeliveryWhole:
        """Give it up."""
        decisions = self._decisions()
        await self.delivery(call)
        await decisions.drop(call.at["delivery"], by=visitor().name)
        return await self.delivery(call)

    # -- the service

    async def status(self, _call: Call) -> s.Status:
        """How things stand."""
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

    def _missing(self, name: str, call: Call) -> Problem:
        return missing(self._by_name[name], call.at)
