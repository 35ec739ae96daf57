"""What a watch would have found in the articles there are.

Pure: articles come in batches, from wherever they are kept, in any order; what is shown of them is
worked out when all were read. A `Backtest` looks at one watch closely, or at two versions of it;
a `Survey` tells of many at once how much they bring, a `Replay` which messages they would send.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from monitor.match import Document, compile_watches
from monitor.match.passage import Passage, best_passage
from monitor.match.presearch import Presearch
from monitor.model import ArticleId, Hit, Span, StoryId, Watch

MOST_MESSAGES: Final = 100
"""Messages a day above which a watch is too broad: one every five minutes of a working day.

Nobody reads the next one, and what would have been read drowns with it.
"""

MOST_OF_ALL: Final = 0.2
"""Share of all articles above which a watch is too broad, however few they are.

A watch on the one subject of a desk's feeds may well find every tenth article ("Kashmir" in the
papers of Srinagar). Every fifth is what words do that belong to no subject: "said", "government",
a newspaper's name under each of its articles.
"""

ENOUGH: Final = 200
"""Articles below which a share is chance."""

SHORTEST: Final = timedelta(hours=6)
"""How long articles must have come for a rate per day to mean something."""

_FEW: Final = 5  # finds below which a rate is chance
_SPARE: Final = 4  # times as many samples are kept as are shown, to choose them evenly
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """An article as it was matched, from the archive."""

    article: ArticleId
    story: StoryId | None  # None: not grouped yet
    url: str | None  # None when its entry had no link
    document: Document
    published_at: datetime | None
    first_seen_at: datetime
    backlog: bool = False  # in its feeds already when they were polled for the first time


IsNews = Callable[[Archived], bool]
"""Whether people would have been told of an article in which a watch found something."""


def everything(_: Archived) -> bool:
    """Every article is news: an `IsNews`."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One of the articles that were found."""

    archived: Archived
    spans: tuple[Span, ...]  # title before body

    def passage(self, limit: int = 300) -> Passage | None:
        """The best of the text, in `limit` characters; None where only the headline matched."""
        in_body = [span for span in self.spans if span.field == "body"]
        return best_passage(self.archived.document.body, in_body, limit) if in_body else None


class Day(NamedTuple):
    """One day (UTC) of the archive."""

    date: date
    articles: int  # read
    hits: int
    messages: int  # new ones: stories of which people hear for the first time


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one version of a watch finds."""

    hits: int
    messages: int  # one per story
    days: tuple[Day, ...]  # from the first with an article to the last, oldest first
    samples: tuple[Sample, ...]  # of different stories, spread over the whole, newest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What two versions of a watch don't agree on. Articles, with some of each kind."""

    both: int
    only_old: int
    only_new: int
    samples_old: tuple[Sample, ...]
    samples_new: tuple[Sample, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a backtest comes to."""

    articles: int  # read
    new: Found
    old: Found | None  # the version it was compared with
    difference: Difference | None
    prediction: Prediction  # of the new version


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """How much a watch brings, judged by the articles there are."""

    watch: str
    articles: int
    hits: int
    messages: int  # in which they would have been told
    hits_a_day: float | None = None  # None: the articles came in too short a time to tell
    messages_a_day: float | None = None

    @property
    def is_too_broad(self) -> bool:
        """Whether so much would come that nobody reads it."""
        is_flood = (self.messages_a_day or 0) > MOST_MESSAGES
        return is_flood or (self.articles >= ENOUGH and self.hits > MOST_OF_ALL * self.articles)

    @property
    def sentence(self) -> str:
        """`would have matched 412 of the last 2,000 articles, about 230 a day in 61 messages`."""
        if not self.articles:
            return "can't be tried: there are no articles yet"
        last = "the one article" if self.articles == 1 else f"the last {self.articles:,} articles"
        if not self.hits:
            return f"would have matched none of {last}"
        told = "" if self.articles == 1 else f"{self.hits:,} of "
        return f"would have matched {told}{last}, {self._rate()}"

    def _rate(self) -> str:
        if self.hits_a_day is None or self.messages_a_day is None:
            return f"in {_some(self.messages, 'message')}"
        units = (("day", 1), ("week", 7)) if self.hits >= _FEW else ()
        for name, days in units:
            hits, messages = round(self.hits_a_day * days), round(self.messages_a_day * days)
            if hits and (messages or not self.messages):
                return f"about {hits:,} a {name} in {_some(messages, 'message')}"
        return f"in {_some(self.messages, 'message')} altogether"


class Backtest:
    """Reads the archive for a watch, and for another version of it if there is one."""

    def __init__(
        self,
        watch: Watch,
        old: Watch | None = None,
        *,
        is_news: IsNews = everything,
        samples: int = 5,
    ) -> None:
        """Raises `QueryError` or `ConfigError` for what `compile_watches` refuses."""
        versions = [replace(watch, name="new"), *([replace(old, name="old")] if old else [])]
        matcher = compile_watches(versions)
        self._match = matcher.match
        self._may_match = Presearch(matcher.plans().values()).may_match
        self._watch = watch.name
        self._flow = _Flow()
        self._is_news = is_news
        self._new = _Volume(samples)
        self._old = _Volume(samples) if old else None
        self._both = 0
        self._only_new, self._only_old = _Samples(samples), _Samples(samples)

    def read(self, batch: Iterable[Archived]) -> None:
        """Look at these articles, too."""
        match, may_match = self._match, self._may_match
        for each in batch:
            self._flow.add(each)
            if may_match(each.document) and (hits := match(each.document)):
                self._count(each, hits)

    def _count(self, each: Archived, hits: Sequence[Hit]) -> None:
        is_news = self._is_news(each)
        for hit in hits:
            volume = self._new if hit.watch == "new" else self._old
            assert volume is not None
            volume.add(each, hit, is_news=is_news)
        if len(hits) == 2:
            self._both += 1
        elif self._old:
            (self._only_new if hits[0].watch == "new" else self._only_old).offer(each, hits[0])

    def outcome(self) -> Outcome:
        """What was found in what was read so far."""
        new, old = self._new, self._old
        return Outcome(
            articles=self._flow.articles,
            new=new.found(self._flow),
            old=old.found(self._flow) if old else None,
            difference=Difference(
                both=self._both,
                only_old=old.hits - self._both,
                only_new=new.hits - self._both,
                samples_old=self._only_old.chosen(),
                samples_new=self._only_new.chosen(),
            )
            if old
            else None,
            prediction=new.prediction(self._watch, self._flow),
        )


class Survey:
    """Reads some of the archive for many watches: how much does each of them bring?"""

    def __init__(self, watches: Sequence[Watch], *, is_news: IsNews = everything) -> None:
        """Raises `QueryError` or `ConfigError` for what `compile_watches` refuses."""
        self._match = compile_watches(watches).match
        self._is_news = is_news
        self._flow = _Flow()
        self._volumes = {watch.name: _Volume(0) for watch in watches}

    def read(self, batch: Iterable[Archived]) -> None:
        """Look at these articles, too."""
        for each in batch:
            self._flow.add(each)
            hits = self._match(each.document)
            is_news = bool(hits) and self._is_news(each)
            for hit in hits:
                self._volumes[hit.watch].add(each, hit, is_news=is_news)

    def predictions(self) -> tuple[Prediction, ...]:
        """One for each watch, in their order."""
        return tuple(volume.prediction(name, self._flow) for name, volume in self._volumes.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message that would have been sent: one for each story and channel."""

    story: Hashable
    channel: str
    watches: tuple[str, ...]  # that found something in the story, by name
    at: datetime  # when the first of its articles that was news was first seen
    article: ArticleId  # that one
    url: str | None
    title: str
    publishers: tuple[str, ...]  # of all in which something was found, by name
    articles: int  # these


@dataclass(frozen=True, slots=True, kw_only=True)
class Bringing:
    """What one of several watches brings."""

    watch: str
    hits: int
    stories: int
    messages: int  # in which it is named
    too_few: int  # stories that are not told for it: fewer publishers report them than it asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What several watches would have brought together."""

    articles: int  # read
    watches: tuple[Bringing, ...]  # in their order
    days: tuple[Day, ...]
    messages: tuple[Message, ...]  # the newest first
    messages_a_day: float | None  # None: the articles came in too short a time to tell


class Replay:
    """Reads the archive for all watches together: which messages would have been sent?

    A story is one message in each channel, whichever watches found something in it. A watch that
    asks for publishers names a story once so many have it; as the archive does not tell whose words
    an article prints, copies of one dispatch count there, too. Quiet hours, digests and floods,
    which tell several stories in one message, are left out.
    """

    def __init__(
        self,
        watches: Sequence[Watch],
        channels: Mapping[str, str],
        *,
        is_news: IsNews = everything,
    ) -> None:
        """`channels`: where each watch leads, by name.

        Raises `QueryError` or `ConfigError` for what `compile_watches` refuses.
        """
        matcher = compile_watches(watches)
        self._match = matcher.match
        self._may_match = Presearch(matcher.plans().values()).may_match
        self._watches = watches
        self._channels = channels
        self._is_news = is_news
        self._flow = _Flow()
        self._hits: Counter[str] = Counter()
        self._per_day: Counter[date] = Counter()
        self._found: dict[tuple[Hashable, str], _Bundle] = {}  # by story and watch

    def read(self, batch: Iterable[Archived]) -> None:
        """Look at these articles, too."""
        for each in batch:
            self._flow.add(each)
            if not (self._may_match(each.document) and (hits := self._match(each.document))):
                continue
            self._per_day[each.first_seen_at.date()] += 1
            is_news = self._is_news(each)
            for hit in hits:
                self._hits[hit.watch] += 1
                bundle = self._found.setdefault((_story_of(each), hit.watch), _Bundle())
                bundle.add(each, is_news=is_news)

    def replayed(self) -> Replayed:
        """What was found in what was read so far."""
        asked = {watch.name: watch.min_publishers for watch in self._watches}
        told: dict[tuple[Hashable, str], dict[str, _Bundle]] = {}
        stories: Counter[str] = Counter()
        named: Counter[str] = Counter()
        too_few: Counter[str] = Counter()
        for (story, watch), bundle in self._found.items():
            stories[watch] += 1
            if bundle.first is None:
                continue  # none of it was news
            if len(bundle.publishers) < asked[watch]:
                too_few[watch] += 1
                continue
            named[watch] += 1
            told.setdefault((story, self._channels[watch]), {})[watch] = bundle
        messages = [_message(story, channel, by) for (story, channel), by in told.items()]
        messages.sort(key=lambda each: (each.at, each.article), reverse=True)
        came = sum(not bundle.backlog for by in told.values() for bundle in [_earliest(by)])
        per_day = Counter(each.at.date() for each in messages)
        return Replayed(
            articles=self._flow.articles,
            watches=tuple(
                Bringing(
                    watch=watch.name,
                    hits=self._hits[watch.name],
                    stories=stories[watch.name],
                    messages=named[watch.name],
                    too_few=too_few[watch.name],
                )
                for watch in self._watches
            ),
            days=tuple(
                Day(day, self._flow.per_day[day], self._per_day[day], per_day[day])
                for day in _days(self._flow.per_day)
            ),
            messages=tuple(messages),
            messages_a_day=self._flow.a_day(came),
        )


class _Bundle:
    """What one watch found in one story; no texts, as there may be many."""

    __slots__ = ("article", "articles", "backlog", "first", "publishers", "title", "url")

    def __init__(self) -> None:
        self.first: datetime | None = None  # of what was news
        self.article = ArticleId(0)
        self.title = ""
        self.url: str | None = None
        self.backlog = True
        self.articles: set[int] = set()
        self.publishers: set[str] = set()

    def add(self, each: Archived, *, is_news: bool) -> None:
        self.articles.add(each.article)
        self.publishers.update(each.document.sources[:1])
        if is_news and (self.first is None or each.first_seen_at < self.first):
            self.first, self.article = each.first_seen_at, each.article
            self.title, self.url = each.document.title, each.url
            self.backlog = each.backlog


def _earliest(by: Mapping[str, _Bundle]) -> _Bundle:
    return min(by.values(), key=lambda each: (each.first is None, each.first))


def _message(story: Hashable, channel: str, by: Mapping[str, _Bundle]) -> Message:
    lead = _earliest(by)
    assert lead.first is not None
    return Message(
        story=story,
        channel=channel,
        watches=tuple(sorted(by)),
        at=lead.first,
        article=lead.article,
        url=lead.url,
        title=lead.title,
        publishers=tuple(sorted(set().union(*(each.publishers for each in by.values())))),
        articles=len(set().union(*(each.articles for each in by.values()))),
    )


class _Flow:
    """What was read, and how fast it came."""

    def __init__(self) -> None:
        self.per_day: Counter[date] = Counter()
        self._first: datetime | None = None
        self._last: datetime | None = None

    def add(self, each: Archived) -> None:
        at = each.first_seen_at
        self.per_day[at.date()] += 1
        if each.backlog:  # what a feed had when it was new says nothing of how fast it comes
            return
        if self._first is None or at < self._first:
            self._first = at
        if self._last is None or at > self._last:
            self._last = at

    @property
    def articles(self) -> int:
        return self.per_day.total()

    def a_day(self, count: int) -> float | None:
        """So many of the articles that came, per day."""
        if self._first is None or self._last is None or self._last - self._first < SHORTEST:
            return None
        return count / ((self._last - self._first) / _DAY)


class _Samples:
    """Some of the articles that are offered, of different stories, spread evenly over all."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: list[Sample] = []
        self._every = 1
        self._offered = 0
        self._stories: set[Hashable] = set()

    def offer(self, each: Archived, hit: Hit) -> None:
        story = _story_of(each)
        if not self._most or story in self._stories:
            return
        self._stories.add(story)
        if self._offered % self._every == 0:
            if len(self._kept) == _SPARE * self._most:  # thin out: every second
                self._kept = self._kept[::2]
                self._every *= 2
            if self._offered % self._every == 0:
                self._kept.append(Sample(archived=each, spans=hit.spans))
        self._offered += 1

    def chosen(self) -> tuple[Sample, ...]:
        """At most as many as were wanted, newest first."""
        kept = sorted(self._kept, key=lambda sample: sample.archived.first_seen_at, reverse=True)
        if len(kept) <= self._most:
            return tuple(kept)
        step = (len(kept) - 1) / max(1, self._most - 1)
        return tuple(kept[round(number * step)] for number in range(self._most))


class _Volume:
    """How much one watch found."""

    def __init__(self, samples: int) -> None:
        self.hits = 0
        self._per_day: Counter[date] = Counter()
        self._told: dict[Hashable, date] = {}  # stories by the day on which they were news first
        self._came = 0  # hits that were no backlog
        self._came_stories: set[Hashable] = set()
        self._samples = _Samples(samples)

    def add(self, each: Archived, hit: Hit, *, is_news: bool) -> None:
        day, story = each.first_seen_at.date(), _story_of(each)
        self.hits += 1
        self._per_day[day] += 1
        self._came += not each.backlog
        if is_news:
            self._told[story] = min(day, self._told.get(story, day))
            if not each.backlog:
                self._came_stories.add(story)
        self._samples.offer(each, hit)

    def found(self, flow: _Flow) -> Found:
        messages = Counter(self._told.values())
        return Found(
            hits=self.hits,
            messages=len(self._told),
            days=tuple(
                Day(day, flow.per_day[day], self._per_day[day], messages[day])
                for day in _days(flow.per_day)
            ),
            samples=self._samples.chosen(),
        )

    def prediction(self, watch: str, flow: _Flow) -> Prediction:
        return Prediction(
            watch=watch,
            articles=flow.articles,
            hits=self.hits,
            messages=len(self._told),
            hits_a_day=flow.a_day(self._came),
            messages_a_day=flow.a_day(len(self._came_stories)),
        )


def _story_of(each: Archived) -> Hashable:
    """What a message would be about; an article that was not grouped yet stands for itself."""
    return ("article", each.article) if each.story is None else each.story


def _days(found: Iterable[date]) -> Iterable[date]:
    """Every day from the first to the last, those without anything as well."""
    known = sorted(found)
    if known:
        for number in range((known[-1] - known[0]).days + 1):
            yield known[0] + timedelta(days=number)


def _some(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
