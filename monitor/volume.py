"""How much watches would bring, by the newest articles of the archive: for `check` and reloads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

from monitor.compose import why_not_news
from monitor.config import Settings
from monitor.errors import Mistake
from monitor.match.backtest import Archived, Backtest, IsNews, Outcome, Prediction, Survey
from monitor.match.frequency import SHIPPED, Frequencies, measured
from monitor.model import Watch
from monitor.ports import Reports
from monitor.stories import frequencies as by_language
from monitor.stories.terms import words

ARTICLES: Final = 2_000
"""How many of the newest are looked at: seconds of work, and a share of 1 % is still twenty."""

OLDEST: Final = timedelta(days=30)
"""What is older says little of what will come."""

THE_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)

_AT_ONCE: Final = 100  # articles of a trial: some hundredths of a second
_REST: Final = 0.5  # of the time that these took, that is left to others then


async def too_broad(
    settings: Settings,
    reports: Reports,
    now: datetime,
    *,
    but: Collection[Watch] = (),
) -> Mapping[str, Mistake]:
    """What to tell an operator of the watches that bring more than anybody reads, by their names.

    Watches in `but` are not looked at: after an edit, those that stayed as they were.
    """
    known = set(but)
    watches = [watch for watch in settings.watches if watch not in known]
    return {
        prediction.watch: settings.remark(
            prediction.watch,
            f"is too broad: it {prediction.sentence}; say what must stand beside it"
            " (AND, NEAR), or where (title:)",
        )
        for prediction in await predictions(
            watches, reports, now, is_news=news_within(settings.alerts.max_age)
        )
        if prediction.is_too_broad
    }


async def predictions(
    watches: Sequence[Watch],
    reports: Reports,
    now: datetime,
    *,
    is_news: IsNews,
    articles: int = ARTICLES,
) -> Sequence[Prediction]:
    """How much each watch would have brought of the newest articles. Works beside the event loop."""
    if not watches:
        return ()
    survey = await asyncio.to_thread(Survey, watches, is_news=is_news)
    async with aclosing(newest(reports, now - OLDEST, articles)) as batches:
        async for batch in batches:
            await asyncio.to_thread(survey.read, batch)
    return survey.predictions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a watch would have found in the newest articles, and how far that looked."""

    outcome: Outcome
    back_to: datetime | None  # when the oldest that was read was first seen; None: none was
    is_all: bool  # whether there is nothing older, as far as was asked


async def tried(
    watch: Watch,
    old: Watch | None,
    reports: Reports,
    *,
    is_news: IsNews,
    since: datetime = THE_BEGINNING,
    articles: int | None = None,
    seconds: float | None = None,
    samples: int = 5,
    read: Callable[[int], None] = lambda _count: None,
) -> Trial:
    """Run a watch, and another version of it if there is one, over the newest articles.

    It ends after so many articles, or seconds, or at `since`. It works beside the event loop and
    leaves it every other moment, so that what is read meanwhile is not late. `read` is told how many
    articles were read since it was told last. Raises `QueryError` or `ConfigError` for a watch that
    can't be read.
    """
    test = await asyncio.to_thread(Backtest, watch, old, is_news=is_news, samples=samples)
    until = None if seconds is None else monotonic() + seconds
    back_to: datetime | None = None
    is_all = True
    async with aclosing(newest(reports, since, articles, most=_AT_ONCE)) as batches:
        count = 0
        async for batch in batches:
            began = monotonic()
            await asyncio.to_thread(test.read, batch)
            read(len(batch))
            count += len(batch)
            if batch:
                back_to = batch[-1].first_seen_at
            if until is not None and monotonic() >= until:
                is_all = False
                break
            await asyncio.sleep((monotonic() - began) * _REST)
        else:
            is_all = articles is None or count < articles
    outcome = await asyncio.to_thread(test.outcome)
    return Trial(outcome=outcome, back_to=back_to, is_all=is_all)


async def frequencies(reports: Reports, now: datetime) -> Frequencies | None:
    """How common words are in the newest articles; None where there are too few to tell."""
    texts: list[str] = []
    async with aclosing(newest(reports, now - OLDEST, ARTICLES)) as batches:
        async for batch in batches:
            texts += [f"{each.document.title}\n\n{each.document.body}" for each in batch]
    found = await asyncio.to_thread(measured, texts)
    return None if found is SHIPPED else found


async def words_in_news(reports: Reports, now: datetime) -> by_language.Frequencies:
    """In how many of the newest articles each word is, by language: what names of the day weigh."""
    found = by_language.Frequencies({})
    async with aclosing(newest(reports, now - OLDEST, ARTICLES)) as batches:
        async for batch in batches:
            found += await asyncio.to_thread(_words_in, batch)
    return found


def _words_in(batch: Sequence[Archived]) -> by_language.Frequencies:
    documents = [each.document for each in batch]
    return by_language.measured(
        (each.language, (word.form for word in words(f"{each.title}\n\n{each.body}")))
        for each in documents
    )


async def newest(
    reports: Reports, since: datetime, limit: int | None = None, *, most: int = 500
) -> AsyncGenerator[Sequence[Archived], None]:
    """The archive, newest first, `most` at once; no more than `limit` articles, if there is one."""
    left = limit
    batch_size = most if limit is None else max(1, min(most, limit))
    async for batch in reports.archive(since, batch=batch_size):
        yield batch if left is None else batch[:left]
        if left is not None:
            left -= len(batch)
            if left <= 0:
                return


def news_within(max_age: timedelta | None) -> IsNews:
    """Which articles people would have been told of, by `[alerts] max_age`."""

    def is_news(each: Archived) -> bool:
        reason = why_not_news(
            each.published_at,
            first_seen_at=each.first_seen_at,
            backlog=each.backlog,
            max_age=max_age,
        )
        return reason is None

    return is_news
