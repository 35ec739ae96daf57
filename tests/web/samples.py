"""Lifelike rows of an invented crisis, and a read side that holds them in memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from monitor.model import (
    ArticleId,
    ArticleState,
    DeliveryId,
    DeliveryState,
    FeedSpec,
    FeedStatus,
    Health,
    Hit,
    Kind,
    Span,
    StoryId,
)
from monitor.ports import (
    ArticleTrace,
    Choices,
    Counts,
    DeliveryRow,
    EngineState,
    FeedRow,
    KindOfWork,
    Marks,
    Message,
    NowPage,
    NowRow,
    Reported,
    Role,
    Sighting,
    Sought,
    Strip,
    Workload,
)

NOW = datetime(2025, 5, 10, 12, 0, tzinfo=UTC)

CEASEFIRE = "India–Pakistan ceasefire"
LANGUAGES = "Ceasefire, Hindi and Urdu"


def before(**delta: float) -> datetime:
    """A time this long before `NOW`."""
    return NOW - timedelta(**delta)


def article_trace(**other) -> ArticleTrace:
    """An article that a watch found by its headline, seen a moment ago and told nobody."""
    seen = Sighting(
        feed="Dawn",
        publisher="Dawn",
        guid="1",
        url=None,
        title="",
        published_at=before(minutes=5),
        first_seen_at=before(minutes=3),
        backlog=False,
    )
    usual = ArticleTrace(
        article=ArticleId(1),
        url="https://example.org/a",
        title="Ceasefire holds",
        body="The ceasefire holds.",
        state=ArticleState.DONE,
        source="page",
        language="en",
        attempts=1,
        error=None,
        published_at=seen.published_at,
        first_seen_at=seen.first_seen_at,
        ingested_at=before(minutes=2),
        due_at=None,
        story=StoryId(7),
        copy_of=None,
        sightings=(seen,),
        hits=(hit("Truce", "Ceasefire holds", "", "ceasefire"),),
        deliveries=(),
    )
    return replace(usual, **other)


def hit(watch: str, title: str, body: str, *terms: str) -> Hit:
    """A hit whose spans are where the terms stand in title and body, in any case."""
    spans = [
        Span(field=where, start=found.start(), end=found.end(), term=term)
        for where, text in (("title", title), ("body", body))
        for term in terms
        for found in re.finditer(re.escape(term), text, re.IGNORECASE)
    ]
    return Hit(watch=watch, spans=tuple(sorted(spans, key=lambda s: (s.field == "body", s.start))))


@dataclass(frozen=True, slots=True, kw_only=True)
class HitRow:
    """A hit, with what a page says of its article and story."""

    article: ArticleId
    story: StoryId | None
    watch: str
    url: str | None
    title: str
    body: str
    publisher: str
    language: str | None
    published_at: datetime | None
    first_seen_at: datetime
    matched_at: datetime
    hit: Hit
    copies: int
    delivery: DeliveryState | None
    backlog: bool = False


def hit_row(number: int, title: str, body: str, *terms: str, **other) -> HitRow:
    """A hit with everything said that a test does not care about."""
    watch = other.pop("watch", CEASEFIRE)
    seen = other.pop("first_seen_at", before(minutes=number))
    values = {
        "article": ArticleId(number),
        "story": StoryId(number),
        "url": f"https://news.example/{number}",
        "publisher": "Northern Wire",
        "language": "en",
        "published_at": seen - timedelta(seconds=80),
        "matched_at": seen + timedelta(seconds=2.4),
        "copies": 0,
        "delivery": DeliveryState.SENT,
    }
    return HitRow(
        watch=watch,
        title=title,
        body=body,
        first_seen_at=seen,
        hit=hit(watch, title, body, *terms),
        **(values | other),
    )


def feed_row(name: str, status: FeedStatus = FeedStatus.OK, **other) -> FeedRow:
    """A feed that was polled a minute ago."""
    spec = FeedSpec(
        url=other.pop("url", f"https://{re.sub('[^a-z]', '', name.lower()) or 'feed'}.example/rss"),
        name=name,
        publisher=other.pop("publisher", name),
    )
    values = {
        "polled_at": before(seconds=70),
        "ok_at": before(seconds=70),
        "due_at": NOW + timedelta(minutes=4),
        "failures": 0,
        "error": None,
        "entries": 120,
        "newest_at": before(minutes=12),
        "health": Health.LIVE if status is FeedStatus.OK else Health(status),
        "health_since": before(days=3),
        "gaps": 0,
        "gap_at": None,
        "rhythm": None,
        "move": None,
    }
    return FeedRow(spec=spec, status=status, **(values | other))


def delivery_row(number: int, headline: str, state: DeliveryState, **other) -> DeliveryRow:
    """A delivery made some minutes ago."""
    sent = state is DeliveryState.SENT
    values = {
        "channel": "#newsdesk",
        "attempts": 1,
        "created_at": before(minutes=number),
        "due_at": None if sent else NOW + timedelta(seconds=20),
        "sent_at": before(minutes=number) + timedelta(seconds=3) if sent else None,
        "error": None,
    }
    values["story"] = StoryId(number)
    return DeliveryRow(
        id=DeliveryId(f"{number:032x}"),
        headline=headline,
        state=state,
        **(values | other),
    )


NO_COUNTS = Counts(
    feeds={},
    entries=0,
    articles={},
    stories=0,
    hits=0,
    deliveries={},
    oldest_waiting_at=None,
    due_feeds=0,
    last_poll_at=None,
)


@dataclass
class MemoryReports:
    """A read side over rows in memory; with `error`, a database that can't be read."""

    hit_rows: Sequence[HitRow] = ()
    feed_rows: Sequence[FeedRow] = ()
    delivery_rows: Sequence[DeliveryRow] = ()
    totals: Counts = NO_COUNTS
    error: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.error:
            raise self.error

    async def counts(self, now: datetime) -> Counts:
        self._ask("counts")
        return self.totals

    async def feeds(self) -> Sequence[FeedRow]:
        self._ask("feeds")
        return self.feed_rows

    async def deliveries(self, limit: int, *, states=()) -> Sequence[DeliveryRow]:
        self._ask("deliveries")
        return self.delivery_rows[:limit]

    async def trace(self, url: str) -> ArticleTrace | None:
        raise NotImplementedError

    @property
    def news(self) -> MemoryNews:
        return MemoryNews(self)

    @property
    def messages(self) -> MemoryMessages:
        return MemoryMessages(self)


@dataclass
class MemoryNews:
    """The front page's questions of the same rows: one page, whatever is sought."""

    of: MemoryReports

    async def page(self, sought: Sought, limit: int, *, before=None) -> NowPage:
        self.of._ask("page")
        stories: dict[StoryId, list[HitRow]] = {}
        for row in self.of.hit_rows:
            stories.setdefault(row.story, []).append(row)
        rows = [now_row(rows) for rows in stories.values()]
        return NowPage(rows=tuple(rows[:limit]), earlier=None)

    async def among(self, sought: Sought, stories) -> Sequence[NowRow]:
        return [row for row in (await self.page(sought, 1000)).rows if row.story in stories]

    async def marks(self) -> Marks:
        self.of._ask("marks")
        return Marks(hit=0, outcome=0, deed=0)

    async def changed(self, since: Marks):
        return since, ()

    async def strip(self, now: datetime) -> Strip:
        self.of._ask("strip")
        totals = self.of.totals
        return Strip(
            feeds=totals.feeds,
            due_feeds=totals.due_feeds,
            last_poll_at=totals.last_poll_at,
            entries=totals.entries,
            waiting_articles=totals.articles.get(ArticleState.NEW, 0),
            hits=totals.hits,
            told=totals.messages(DeliveryState.SENT),
            dead=totals.messages(DeliveryState.DEAD),
            waiting=totals.waiting,
            retrying=totals.messages(DeliveryState.RETRY),
            uncertain=totals.uncertain,
            oldest_waiting_at=totals.oldest_waiting_at,
            held=totals.messages(DeliveryState.HELD),
            stories_held=totals.stories_held,
        )

    async def choices(self) -> Choices:
        self.of._ask("choices")
        rows = self.of.hit_rows
        return Choices(
            watches=tuple(sorted({row.watch for row in rows})),
            publishers=tuple(sorted({row.publisher for row in rows})),
            sides=(),
            languages=tuple(sorted({row.language for row in rows if row.language})),
        )


@dataclass
class MemoryMessages:
    """The outbox's questions of the same rows."""

    of: MemoryReports

    async def newest(self, limit: int, *, states=(), channel=None, before=None):
        self.of._ask("newest")
        return [row for row in self.of.delivery_rows if not states or row.state in states][:limit]

    async def of_story(self, story: StoryId):
        return [row for row in self.of.delivery_rows if row.story == story]

    async def outcomes(self, messages):
        return {}

    async def hands(self, messages):
        return {}

    async def channels(self):
        return sorted({row.channel for row in self.of.delivery_rows})


def now_row(rows: Sequence[HitRow]) -> NowRow:
    """A story of these hits; the first is what it is named by."""
    lead = rows[0]
    of_lead = [row for row in rows if row.article == lead.article]
    states = dict.fromkeys(row.delivery for row in rows if row.delivery is not None)
    return NowRow(
        story=lead.story,
        at=max(row.matched_at for row in rows),
        lead=Reported(
            article=lead.article,
            title=lead.title,
            body=lead.body,
            url=lead.url,
            publisher=lead.publisher,
            language=lead.language,
            published_at=lead.published_at,
            first_seen_at=lead.first_seen_at,
            matched_at=lead.matched_at,
            backlog=lead.backlog,
            hits=tuple(row.hit for row in of_lead),
        ),
        latest=None,
        articles=lead.copies + 1,
        copies=lead.copies,
        publishers=tuple(dict.fromkeys(row.publisher for row in rows)),
        sides=(),
        languages=tuple(dict.fromkeys(row.language for row in rows if row.language)),
        watches=tuple(dict.fromkeys(row.watch for row in rows)),
        held=(),
        messages=tuple(
            Message(
                id=DeliveryId(f"{number:032x}"),
                channel=f"#channel-{number}",
                state=state,
                due_at=None,
                held_until=None,
                sent_at=lead.matched_at if state is DeliveryState.SENT else None,
                told_at=lead.matched_at if state is DeliveryState.SENT else None,
                error=None,
                hands={},
            )
            for number, state in enumerate(states)
        ),
    )


@dataclass
class FixedHealth:
    """A service in whatever state a test wants."""

    version: str = "0.1.0"
    age: float | None = 0.4
    up: tuple[bool, str] = (True, "")
    mistakes: str | None = None
    problem: str | None = None
    stuck: float | None = 0.1
    engine: EngineState = EngineState(
        role=Role.ALL,
        is_leader=True,
        workload=Workload(kinds=dict.fromkeys(Kind, KindOfWork()), workers=1),
    )

    def tick_age(self) -> float | None:
        return self.age

    def stuck_for(self) -> float | None:
        return self.stuck

    def ready(self) -> tuple[bool, str]:
        return self.up

    def config_error(self) -> str | None:
        return self.mistakes

    def sink_problem(self) -> str | None:
        return self.problem

    async def engine_state(self) -> EngineState:
        return self.engine


def _hits() -> tuple[HitRow, ...]:
    first = hit_row(
        3,
        "India and Pakistan agree to an immediate ceasefire along the Line of Control",
        "Muzaffarabad, Saturday. The directors general of military operations of both countries "
        "spoke by telephone at half past three and agreed that all firing would end at five. "
        "People in the border towns of Kashmir came out of their shelters within the hour; in "
        "Uri, shopkeepers swept glass from the street.\n\nThe ceasefire covers land, air and sea, "
        "and both sides will speak again on Monday. A spokesman in Delhi said that Operation "
        "Sindoor was “paused, not ended”.",
        "ceasefire",
        "Kashmir",
        "Operation Sindoor",
        copies=4,
    )
    return (
        first,
        replace(first, article=ArticleId(1003), publisher="Indus Mirror"),
        replace(first, article=ArticleId(1004), publisher="The Deccan Post"),
        replace(first, watch="South Asia, everything", delivery=DeliveryState.RETRY),
        hit_row(
            9,
            "भारत और पाकिस्तान युद्धविराम पर राज़ी, कश्मीर में लौटी हलचल",
            "नई दिल्ली। दोनों देशों के सैन्य अभियान महानिदेशकों ने शनिवार दोपहर फ़ोन पर बात की और शाम पाँच बजे से "
            "युद्धविराम लागू करने पर सहमति जताई। कश्मीर के सीमावर्ती गाँवों में लोग बंकरों से बाहर निकले। अधिकारियों ने कहा कि "
            "अगली बातचीत सोमवार को होगी।",
            "युद्धविराम",
            "कश्मीर",
            watch=LANGUAGES,
            publisher="प्रभात संदेश",
            language="hi",
            copies=1,
        ),
        hit_row(
            14,
            "پاکستان اور بھارت جنگ بندی پر متفق، کشمیر میں خاموشی",
            "اسلام آباد: دونوں ملکوں کے فوجی حکام نے ہفتے کی سہ پہر ٹیلی فون پر بات کی اور فوری جنگ بندی پر "
            "اتفاق کیا۔ کشمیر کے سرحدی علاقوں میں رات بھر کی گولہ باری کے بعد خاموشی رہی اور لوگ اپنے گھروں کو "
            "لوٹنے لگے۔ وزارت خارجہ کے مطابق بات چیت پیر کو دوبارہ ہوگی۔",
            "جنگ بندی",
            "کشمیر",
            watch=LANGUAGES,
            publisher="روزنامہ افق",
            language="ur",
            delivery=DeliveryState.PENDING,
        ),
        hit_row(
            27,
            "Explosions heard over Srinagar hours after truce, officials say",
            "Several explosions were heard over Srinagar late in the evening, hours after the "
            "ceasefire had come into force. Officials in the city said that air defences had fired "
            "at drones. There was no immediate comment from across the Line of Control.",
            "ceasefire",
            publisher="Coastline Broadcasting",
            delivery=DeliveryState.DEAD,
        ),
        hit_row(
            190,
            "What the water treaty says, and why it matters in Kashmir",
            "The treaty of 1960 divides six rivers. Here is what each article of it means for "
            "farmers on both sides, and for the dams that are planned in Kashmir.",
            "Kashmir",
            publisher="The Deccan Post",
            published_at=None,
            delivery=None,
        ),
    )


def _feeds() -> tuple[FeedRow, ...]:
    return (
        feed_row(
            "Frontier Gazette",
            FeedStatus.FAILING,
            failures=6,
            error="timeout: no answer within 30 s",
            ok_at=before(hours=3, minutes=12),
            due_at=NOW + timedelta(minutes=22),
            entries=412,
            newest_at=before(hours=3, minutes=40),
        ),
        feed_row(
            "Valley Radio (old address)",
            FeedStatus.GONE,
            failures=1,
            error="gone: HTTP 410",
            publisher="Valley Radio",
            ok_at=before(days=2),
            polled_at=before(days=1),
            due_at=None,
            entries=87,
            newest_at=before(days=3),
        ),
        feed_row(
            "Coastline Broadcasting",
            FeedStatus.FAILING,
            health=Health.CHALLENGED,
            failures=1,
            error="challenged: the answer is a bot check",
            due_at=NOW + timedelta(minutes=10),
            entries=940,
        ),
        feed_row(
            "Indus Mirror",
            health=Health.SILENT,
            health_since=before(hours=7),
            entries=233,
            newest_at=before(hours=7, minutes=8),
        ),
        feed_row("Northern Wire: South Asia", publisher="Northern Wire", entries=1482),
        feed_row(
            "The Deccan Post",
            entries=609,
            newest_at=before(minutes=31),
            gaps=2,
            gap_at=before(hours=20),
        ),
        feed_row("प्रभात संदेश", entries=355),
        feed_row("روزنامہ افق", entries=148, newest_at=before(hours=1, minutes=4)),
        feed_row(
            "Himalayan Herald",
            FeedStatus.NEW,
            polled_at=None,
            ok_at=None,
            due_at=before(seconds=1),
            entries=0,
            newest_at=None,
        ),
    )


def _deliveries() -> tuple[DeliveryRow, ...]:
    return (
        delivery_row(
            27,
            "Explosions heard over Srinagar hours after truce, officials say",
            DeliveryState.DEAD,
            channel="#south-asia",
            attempts=1,
            due_at=None,
            error="channel_not_found: the bot is not a member of the channel, or it does not exist",
        ),
        delivery_row(
            3,
            "India and Pakistan agree to an immediate ceasefire along the Line of Control",
            DeliveryState.RETRY,
            channel="#south-asia",
            attempts=2,
            error="ratelimited: asked to wait for 20 s",
        ),
        delivery_row(
            6,
            "Dawn is failing",
            DeliveryState.SENDING,
            channel="#newsdesk-ops",
            story=None,
            subject="feed:https://www.dawn.com/feeds/home:1",
            error="timeout: no answer within 15 s",
        ),
        delivery_row(
            14,
            "پاکستان اور بھارت جنگ بندی پر متفق، کشمیر میں خاموشی",
            DeliveryState.PENDING,
            attempts=0,
        ),
        delivery_row(
            3,
            "India and Pakistan agree to an immediate ceasefire along the Line of Control",
            DeliveryState.SENT,
        ),
        delivery_row(9, "भारत और पाकिस्तान युद्धविराम पर राज़ी, कश्मीर में लौटी हलचल", DeliveryState.SENT),
    )


def lifelike() -> MemoryReports:
    """A service on a busy afternoon."""
    return MemoryReports(
        hit_rows=_hits(),
        feed_rows=_feeds(),
        delivery_rows=_deliveries(),
        totals=Counts(
            feeds={
                Health.LIVE: 4,
                Health.SILENT: 1,
                Health.FAILING: 1,
                Health.CHALLENGED: 1,
                Health.GONE: 1,
                Health.NEW: 1,
            },
            entries=4266,
            articles={ArticleState.DONE: 3901, ArticleState.PARTIAL: 42, ArticleState.NEW: 7},
            stories=3608,
            hits=58,
            deliveries={
                DeliveryState.SENT: 41,
                DeliveryState.PENDING: 1,
                DeliveryState.RETRY: 1,
                DeliveryState.DEAD: 1,
            },
            notices={DeliveryState.SENT: 6, DeliveryState.SENDING: 1},
            uncertain=1,
            oldest_waiting_at=before(minutes=14),
            due_feeds=1,
            last_poll_at=before(seconds=6),
        ),
    )
