"""How much watches would bring, by an archive that is read in batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitor import volume
from monitor.config import Alerts, Settings
from monitor.match import Document
from monitor.match.backtest import Archived
from monitor.model import ArticleId, StoryId, Watch
from monitor.stories.frequencies import shipped
from monitor.stories.terms import words

NOW = datetime(2025, 5, 10, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
EVERY_SECOND = Watch(name="Even", terms=("even",))
EVERY_TENTH = Watch(name="Ten", query="ten")
ALL = Watch(name="All", query="even OR odd")


def article(number: int, *, age: timedelta = timedelta(0)) -> Archived:
    """The number-th newest, this much older than when it was seen."""
    seen = NOW - number * 10 * MINUTE
    words = ["even" if number % 2 == 0 else "odd", *(["ten"] if number % 10 == 0 else [])]
    return Archived(
        article=ArticleId(number),
        story=StoryId(number),
        url=None,
        document=Document(title=" ".join(words), body=""),
        published_at=seen - age,
        first_seen_at=seen,
    )


class Archive:
    """A read side that has nothing but articles, and notes what is asked of it."""

    def __init__(self, number: int) -> None:
        self.articles = [article(n) for n in range(number)]
        self.given = 0

    async def archive(
        self, since: datetime, *, before: datetime | None = None, batch: int = 500
    ) -> AsyncIterator[Sequence[Archived]]:
        found = [each for each in self.articles if each.first_seen_at >= since]
        for start in range(0, len(found), batch):
            self.given += len(found[start : start + batch])
            yield found[start : start + batch]


async def told(archive: Archive, *watches: Watch, **options: object) -> list[str]:
    """What an operator is told of these watches."""
    settings = Settings(watches=watches)
    found = await volume.too_broad(settings, archive, NOW, **options)  # type: ignore[arg-type]
    return [str(mistake) for mistake in found.values()]


async def test_the_watches_that_bring_too_much_are_told() -> None:
    """In the file's order, with how much that is; the others are not."""
    found = await told(Archive(1000), EVERY_TENTH, ALL, EVERY_SECOND)
    assert found == [
        (
            'watch "All": is too broad: it would have matched 1,000 of the last 1,000 articles,'
            " about 144 a day in 144 messages; say what must stand beside it (AND, NEAR), or where"
            " (title:)"
        ),
        (
            'watch "Even": is too broad: it would have matched 500 of the last 1,000 articles,'
            " about 72 a day in 72 messages; say what must stand beside it (AND, NEAR), or where"
            " (title:)"
        ),
    ]


async def test_watches_that_stayed_are_not_told_again() -> None:
    """After an edit; and without any other watch the archive is not even read."""
    archive = Archive(1000)
    assert len(await told(archive, ALL, EVERY_SECOND, but=(ALL,))) == 1
    archive.given = 0
    assert await told(archive, ALL, but=(ALL, EVERY_SECOND)) == []
    assert archive.given == 0


async def test_an_empty_archive_tells_nothing() -> None:
    """Nor does one of a few articles."""
    assert await told(Archive(0), ALL) == []
    assert await told(Archive(30), ALL) == []


async def test_only_the_newest_articles_are_looked_at() -> None:
    """Two thousand, none older than a month."""
    archive = Archive(9000)
    [found] = await volume.predictions([ALL], archive, NOW, is_news=lambda _: True)  # type: ignore[arg-type]
    assert found.articles == archive.given == volume.ARTICLES
    archive.given = 0
    [found] = await volume.predictions(
        [ALL],
        archive,  # type: ignore[arg-type]
        NOW,
        is_news=lambda _: True,
        articles=9000,
    )
    assert found.articles == 30 * 144 + 1


@pytest.mark.parametrize("limit", [1, 499, 500, 501, 1000, 1200, None])
async def test_a_limit_is_kept_to_the_article(limit: int | None) -> None:
    """And hardly more is read than is wanted."""
    archive = Archive(1100)
    found = [
        each
        async for batch in volume.newest(archive, NOW - timedelta(days=99), limit)  # type: ignore[arg-type]
        for each in batch
    ]
    assert found == archive.articles[: 1100 if limit is None else limit]
    assert archive.given - len(found) < 500


@pytest.mark.parametrize(
    ("age", "max_age", "is_news"),
    [
        (timedelta(hours=1), timedelta(hours=24), True),
        (timedelta(hours=25), timedelta(hours=24), False),
        (timedelta(hours=25), None, True),
    ],
)
def test_news_is_what_would_be_told(age, max_age, is_news) -> None:
    """By the rule that holds for what is new."""
    assert volume.news_within(max_age)(article(1, age=age)) is is_news


async def test_what_is_too_old_to_be_told_makes_no_flood() -> None:
    """It is found, but sent to nobody."""
    archive = Archive(0)
    archive.articles = [article(n, age=timedelta(days=2)) for n in range(0, 1000, 8)]
    [found] = await volume.predictions(
        [ALL],
        archive,  # type: ignore[arg-type]
        NOW,
        is_news=volume.news_within(Alerts().max_age),
    )
    assert (found.hits, found.messages) == (125, 0)


async def test_words_are_counted_by_the_language_of_their_articles() -> None:
    """What every article here has weighs nothing in its language, and as ever in others."""
    archive = Archive(200)
    archive.articles = [
        replace(each, document=replace(each.document, language="en-IN", body="Kashmir"))
        for each in archive.articles
    ]
    found = await volume.words_in_news(archive, NOW)  # type: ignore[arg-type]
    assert found.languages["en"].articles == 200
    [kashmir] = words("Kashmir")
    both = shipped() + found
    assert both.weigher("en")(kashmir.form) < shipped().weigher("en")(kashmir.form)
    assert both.weigher("de")(kashmir.form) == shipped().weigher("de")(kashmir.form)


# --------------------------------------------------------------------------- a trial


async def test_a_trial_reads_the_newest_and_says_how_far_it_came() -> None:
    """With another version it says what that makes; it is told what was read, batch by batch."""
    archive, read = Archive(450), []
    trial = await volume.tried(
        EVERY_TENTH,
        EVERY_SECOND,
        archive,  # type: ignore[arg-type]
        is_news=volume.news_within(None),
        articles=250,
        samples=2,
        read=read.append,
    )
    assert (trial.outcome.articles, trial.outcome.new.hits) == (250, 25)
    assert trial.outcome.difference is not None
    assert trial.outcome.difference.only_old == 100
    assert trial.back_to == archive.articles[249].first_seen_at
    assert not trial.is_all
    assert read == [100, 100, 50]
    assert len(trial.outcome.new.samples) == 2


@pytest.mark.parametrize(
    ("number", "options", "articles", "is_all"),
    [
        (250, {}, 250, True),
        (250, {"articles": 300}, 250, True),
        (250, {"since": NOW - 100 * MINUTE}, 11, True),
        (250, {"seconds": 0.0}, 100, False),
        (0, {"seconds": 5.0}, 0, True),
    ],
)
async def test_a_trial_ends_where_it_is_told(
    number: int, options: dict[str, object], articles: int, is_all: bool
) -> None:
    trial = await volume.tried(
        EVERY_TENTH,
        None,
        Archive(number),  # type: ignore[arg-type]
        is_news=volume.news_within(None),
        **options,  # type: ignore[arg-type]
    )
    assert (trial.outcome.articles, trial.is_all) == (articles, is_all)
    assert (trial.back_to is None) is (articles == 0)


async def test_a_trial_leaves_the_loop_to_others() -> None:
    """Something else gets its turn at least once for each hundred articles."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    beside = asyncio.create_task(others())
    await volume.tried(
        EVERY_TENTH,
        None,
        Archive(1_000),
        is_news=volume.news_within(None),  # type: ignore[arg-type]
    )
    beside.cancel()
    assert turns >= 10
