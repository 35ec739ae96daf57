"""A watch, or two versions of it, against articles that were kept."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import ConfigError
from monitor.match import Document
from monitor.match.backtest import (
    ENOUGH,
    MOST_MESSAGES,
    MOST_OF_ALL,
    Archived,
    Backtest,
    Day,
    Prediction,
    Replay,
    Replayed,
    Sample,
    Survey,
)
from monitor.model import ArticleId, StoryId, Watch

NOON = datetime(2025, 5, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CEASEFIRE = Watch(name="Ceasefire", query="ceasefire NOT cricket")


def article(
    number: int,
    title: str = "Ceasefire holds",
    body: str = "",
    *,
    story: int | None = -1,
    hours: float | None = None,
    backlog: bool = False,
) -> Archived:
    """An article, an hour older than the one before; of a story of its own unless told."""
    seen = NOON - (number if hours is None else hours) * HOUR
    return Archived(
        article=ArticleId(number),
        story=StoryId(number) if story == -1 else None if story is None else StoryId(story),
        url=f"https://news.example/{number}",
        document=Document(title=title, body=body),
        published_at=seen,
        first_seen_at=seen,
        backlog=backlog,
    )


def numbers(samples: tuple[Sample, ...]) -> list[int]:
    """Which articles these are."""
    return [sample.archived.article for sample in samples]


# --------------------------------------------------------------------------- one version


def test_hits_and_messages_are_counted_by_day() -> None:
    """A story is one message, on the day on which it was found first; empty days are there, too."""
    test = Backtest(CEASEFIRE)
    test.read([article(1), article(2, "Cricket ceasefire"), article(3, story=1)])
    test.read([article(4, "Nothing"), article(30, story=1), article(80), article(81, story=None)])
    outcome = test.outcome()

    assert outcome.articles == 7
    assert (outcome.new.hits, outcome.new.messages) == (5, 3)
    assert outcome.new.days == (
        Day(date(2025, 5, 7), 2, 2, 2),
        Day(date(2025, 5, 8), 0, 0, 0),
        Day(date(2025, 5, 9), 1, 1, 1),
        Day(date(2025, 5, 10), 4, 2, 0),
    )
    assert (outcome.old, outcome.difference) == (None, None)


def test_the_order_of_the_articles_changes_no_count() -> None:
    """Newest first, oldest first, in one batch or in many."""
    articles = [article(n, story=n % 7, hours=n * 5) for n in range(40)]
    whole = Backtest(CEASEFIRE, samples=50)
    whole.read(articles)
    shuffled = random.Random(1).sample(articles, len(articles))
    parts = Backtest(CEASEFIRE, samples=50)
    for each in shuffled:
        parts.read([each])

    found, again = whole.outcome().new, parts.outcome().new
    assert (again.hits, again.messages, again.days) == (found.hits, found.messages, found.days)
    assert parts.outcome().prediction == whole.outcome().prediction


def test_what_is_no_news_is_a_hit_without_a_message() -> None:
    """Its story is told by another article, if that is news."""
    old = {2, 3}
    test = Backtest(CEASEFIRE, is_news=lambda each: each.article not in old)
    test.read([article(1, story=7), article(2, story=7), article(3)])
    found = test.outcome().new
    assert (found.hits, found.messages) == (3, 1)


@pytest.mark.parametrize("number", [9, 50, 97, 98, 99, 100, 400, 1000])
def test_samples_are_spread_over_the_whole(number: int) -> None:
    """The newest first; no part of the archive has none."""
    test = Backtest(CEASEFIRE, samples=3)
    test.read(article(n) for n in range(number))
    first, second, third = (found / number for found in numbers(test.outcome().new.samples))
    assert first < 0.1
    assert 0.2 < second < 0.6
    assert third > 0.5


def test_samples_are_of_different_stories() -> None:
    """The copies of one say nothing new."""
    test = Backtest(CEASEFIRE, samples=4)
    test.read(article(n, story=n // 2) for n in range(4))
    assert numbers(test.outcome().new.samples) == [0, 2]


@given(hits=st.integers(0, 400), most=st.integers(0, 9))
def test_there_are_as_many_samples_as_can_be(hits, most) -> None:
    """As many as were wanted, or all that there are; no article twice."""
    test = Backtest(CEASEFIRE, samples=most)
    test.read(article(n) for n in range(hits))
    found = numbers(test.outcome().new.samples)
    assert len(set(found)) == len(found) == min(hits, most)


def test_a_sample_shows_its_best_passage() -> None:
    """Of the text; where only the headline matched there is none."""
    test = Backtest(Watch(name="W", query="truce"))
    body = "Filler. " * 100 + "The truce was signed at dawn. " + "Filler. " * 100
    test.read([article(1, "Dawn", body), article(2, "Truce", "Nothing.")])
    long, short = test.outcome().new.samples
    passage = long.passage(60)
    assert passage is not None
    [(start, end)] = passage.marks
    assert passage.text[start:end] == "truce"
    assert len(passage.text) <= 60
    assert short.passage() is None
    assert [(span.field, span.start) for span in short.spans] == [("title", 0)]


def test_a_query_that_asks_nothing_of_the_text_has_hits_without_passages() -> None:
    """`source:` alone."""
    test = Backtest(Watch(name="W", query="lang:hi"))
    each = article(1)
    test.read([replace(each, document=replace(each.document, language="hi")), article(2)])
    [sample] = test.outcome().new.samples
    assert (sample.spans, sample.passage()) == ((), None)


def test_a_query_that_can_not_be_read_is_refused() -> None:
    """Before anything is."""
    with pytest.raises(ConfigError):
        Backtest(Watch(name="W", query="NOT cricket"))
    with pytest.raises(ConfigError):
        Backtest(CEASEFIRE, Watch(name="W", query="("))


def test_nothing_read_is_an_outcome_too() -> None:
    """Of noughts."""
    outcome = Backtest(CEASEFIRE, CEASEFIRE).outcome()
    assert (outcome.articles, outcome.new.hits, outcome.new.days) == (0, 0, ())
    assert outcome.prediction.sentence == "can't be tried: there are no articles yet"


# --------------------------------------------------------------------------- two versions


def test_two_versions_are_told_apart() -> None:
    """What both find, what only one does, in how many messages, with samples of each."""
    test = Backtest(Watch(name="W", query="a OR b"), Watch(name="W", terms=("b", "c")))
    titles = ["a", "b", "c", "a c", "d", "a", "b c"]
    test.read(article(n, title) for n, title in enumerate(titles))
    outcome = test.outcome()
    difference, old = outcome.difference, outcome.old
    assert difference is not None
    assert old is not None
    assert (outcome.new.hits, old.hits) == (5, 4)
    assert (outcome.new.messages, old.messages) == (5, 4)
    assert (difference.both, difference.only_new, difference.only_old) == (3, 2, 1)
    assert numbers(difference.samples_new) == [0, 5]
    assert numbers(difference.samples_old) == [2]
    assert numbers(old.samples) == [1, 2, 3, 6]


@given(titles=st.lists(st.sampled_from(["a", "b", "a b", "c"]), max_size=30))
def test_the_parts_make_the_whole(titles) -> None:
    """Both and either make up what each finds; a version beside itself differs in nothing."""
    new, old = Watch(name="W", query="a"), Watch(name="W", query="b")
    articles = [article(n, title) for n, title in enumerate(titles)]
    test = Backtest(new, old)
    test.read(articles)
    outcome = test.outcome()
    assert outcome.difference is not None
    assert outcome.old is not None
    assert outcome.difference.both + outcome.difference.only_new == outcome.new.hits
    assert outcome.difference.both + outcome.difference.only_old == outcome.old.hits
    alone = Backtest(new)
    alone.read(articles)
    assert alone.outcome().new == outcome.new

    same = Backtest(new, new)
    same.read(articles)
    nothing = same.outcome().difference
    assert nothing is not None
    assert (nothing.only_new, nothing.only_old) == (0, 0)
    assert nothing.samples_new == nothing.samples_old == ()


# --------------------------------------------------------------------------- predictions


def prediction(hits: int, messages: int, articles: int = 2000, **rates: float) -> Prediction:
    """Of a watch."""
    return Prediction(watch="W", articles=articles, hits=hits, messages=messages, **rates)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            prediction(412, 109, hits_a_day=230.4, messages_a_day=61.2),
            "would have matched 412 of the last 2,000 articles, about 230 a day in 61 messages",
        ),
        (
            prediction(20, 9, hits_a_day=0.4, messages_a_day=0.2),
            "would have matched 20 of the last 2,000 articles, about 3 a week in 1 message",
        ),
        (
            prediction(3, 3, hits_a_day=0.6, messages_a_day=0.6),
            "would have matched 3 of the last 2,000 articles, in 3 messages altogether",
        ),
        (
            prediction(9, 0, hits_a_day=2.0, messages_a_day=0.0),
            "would have matched 9 of the last 2,000 articles, about 2 a day in 0 messages",
        ),
        (prediction(0, 0), "would have matched none of the last 2,000 articles"),
        (prediction(7, 1, 10), "would have matched 7 of the last 10 articles, in 1 message"),
        (prediction(1, 1, 1), "would have matched the one article, in 1 message"),
        (prediction(0, 0, 1), "would have matched none of the one article"),
    ],
)
def test_a_prediction_is_a_sentence(found, sentence) -> None:
    """With a rate if articles came for long enough, and often enough."""
    assert found.sentence == sentence


@pytest.mark.parametrize(
    ("found", "is_too_broad"),
    [
        (prediction(5, 5, messages_a_day=MOST_MESSAGES + 0.1, hits_a_day=500.0), True),
        (prediction(300, 300, messages_a_day=MOST_MESSAGES, hits_a_day=500.0), False),
        (prediction(int(MOST_OF_ALL * ENOUGH) + 1, 1, ENOUGH), True),
        (prediction(int(MOST_OF_ALL * ENOUGH), 1, ENOUGH), False),
        (prediction(ENOUGH - 1, 1, ENOUGH - 1), False),
        (prediction(0, 0, 0), False),
    ],
)
def test_a_watch_is_too_broad_by_its_messages_or_its_share(found, is_too_broad) -> None:
    """Of few articles a share says nothing."""
    assert found.is_too_broad is is_too_broad


def predicted(*articles: Archived) -> Prediction:
    """What a survey of these articles tells."""
    survey = Survey([CEASEFIRE])
    survey.read(articles)
    [found] = survey.predictions()
    return found


def test_a_rate_is_that_of_the_time_in_which_articles_came() -> None:
    """Twelve hours with six hits in three stories are twelve and six a day."""
    found = predicted(*(article(n, hours=n * 2, story=n // 2) for n in range(6)), article(12, "x"))
    assert (found.articles, found.hits, found.messages) == (7, 6, 3)
    assert (found.hits_a_day, found.messages_a_day) == (12, 6)


def test_there_is_no_rate_for_a_short_time() -> None:
    """A service of an hour can't tell what a day brings."""
    assert predicted(article(1), article(5)).hits_a_day is None
    assert predicted(article(1), article(7)).hits_a_day == 8
    assert predicted().hits_a_day is None


def test_what_new_feeds_brought_with_them_is_no_rate() -> None:
    """A thousand articles of a feed's first poll came in a second, and never again."""
    backlog = [article(100 + n, hours=240, backlog=True) for n in range(50)]
    found = predicted(article(1, hours=0), article(2, hours=24), *backlog)
    assert (found.articles, found.hits, found.messages) == (52, 52, 52)
    assert (found.hits_a_day, found.messages_a_day) == (2, 2)


def test_a_survey_tells_of_each_watch_in_their_order() -> None:
    """As many backtests would, in one reading."""
    watches = [Watch(name=name, query=name) for name in ("b", "a", "c")]
    articles = [article(n, title) for n, title in enumerate(["a b", "a", "d", "b"])]
    survey = Survey(watches)
    survey.read(articles[:2])
    survey.read(articles[2:])
    for watch, found in zip(watches, survey.predictions(), strict=True):
        alone = Backtest(watch)
        alone.read(articles)
        assert found == alone.outcome().prediction
    assert [found.hits for found in survey.predictions()] == [2, 2, 0]


# --------------------------------------------------------------------------- many watches together


TRUCE = Watch(name="Truce", terms=("truce",), min_publishers=2)
CHANNELS = {"Ceasefire": "#desk", "Truce": "#desk", "Cricket": "#sport"}


def printed(number: int, title: str, *sources: str, **values) -> Archived:
    """An article of these sources."""
    one = article(number, title, **values)
    return replace(one, document=replace(one.document, sources=sources or ("Wire",)))


def replayed(*articles: Archived, **options) -> Replayed:
    """What three watches would have brought of these."""
    replay = Replay(
        (CEASEFIRE, TRUCE, Watch(name="Cricket", terms=("cricket",))), CHANNELS, **options
    )
    replay.read(articles[:2])
    replay.read(articles[2:])
    return replay.replayed()


def test_a_story_is_one_message_in_each_channel() -> None:
    """It is named by the first of its articles that was news, and names all watches."""
    found = replayed(
        printed(1, "Ceasefire and truce", "Wire", story=7),
        printed(2, "Truce and ceasefire", "Post", story=7),
        printed(3, "Truce, cricket", "Post", story=7),
        printed(4, "Ceasefire", "Wire", story=8),
        printed(5, "Nothing", story=9),
    )
    assert found.articles == 5
    assert [(each.story, each.channel, each.watches) for each in found.messages] == [
        (StoryId(7), "#desk", ("Ceasefire", "Truce")),
        (StoryId(7), "#sport", ("Cricket",)),
        (StoryId(8), "#desk", ("Ceasefire",)),
    ]
    first = found.messages[0]
    assert (first.article, first.title, first.articles) == (3, "Truce, cricket", 3)
    assert first.publishers == ("Post", "Wire")
    assert {each.watch: (each.hits, each.stories, each.messages) for each in found.watches} == {
        "Ceasefire": (3, 2, 2),
        "Truce": (3, 1, 1),
        "Cricket": (1, 1, 1),
    }
    assert sum(day.messages for day in found.days) == 3


def test_a_story_of_too_few_publishers_is_counted_and_not_told() -> None:
    found = replayed(printed(1, "Truce", "Wire", story=1), printed(2, "Truce", "Wire", story=1))
    [truce] = [each for each in found.watches if each.watch == "Truce"]
    assert (truce.hits, truce.stories, truce.messages, truce.too_few) == (2, 1, 0, 1)
    assert found.messages == ()


def test_what_was_no_news_is_found_and_not_told() -> None:
    """A story is told by what was news in it; what is not grouped stands for itself."""
    old, new = printed(2, "Ceasefire old", story=1), printed(1, "Ceasefire new", story=1)
    loose = printed(3, "Ceasefire loose", story=None)
    found = replayed(new, old, loose, is_news=lambda each: each is new)
    assert [each.title for each in found.messages] == ["Ceasefire new"]
    assert found.watches[0].hits == 3
    assert replayed(loose).messages[0].story == ("article", 3)
