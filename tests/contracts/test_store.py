"""What every store promises, on SQLite and on PostgreSQL alike: work by feed, article, story."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.errors import Superseded
from monitor.model import (
    BUCKETS,
    ArticleId,
    ArticleState,
    FeedStatus,
    Health,
    Hit,
    Job,
    Kind,
    Span,
    StoryId,
    Validators,
    bucket_of,
)
from monitor.ports import Added, Finds, Transaction
from monitor.storage import SqlReports, SqlStore, tables
from monitor.storage.address import read_address
from monitor.storage.engines import make_engines
from monitor.storage.types import KEY_LENGTH, key_of
from tests.contracts.material import (
    BUCKET,
    CEASEFIRE,
    HIT,
    HOST,
    LEASE,
    MINUTE,
    NOW,
    SECOND,
    content,
    found,
    given_articles,
    given_entries,
    given_feed,
    given_story,
    in_new_story,
    polled,
    several,
    spec,
)

# --------------------------------------------------------------------------- configuration


async def test_a_new_feed_is_due_at_once_as_it_was_declared(store: SqlStore) -> None:
    """What was declared comes back whole, never polled, due now."""
    feed = await given_feed(store)

    assert feed.spec == spec()
    assert feed.host == HOST
    assert feed.status is FeedStatus.NEW
    assert feed.validators == Validators()
    assert feed.polled_at is None
    assert feed.due_at == NOW


async def test_declaring_the_same_feeds_again_changes_no_schedule(store: SqlStore) -> None:
    """A restart neither forgets nor hammers."""
    feed = await given_feed(store)
    due = NOW + timedelta(hours=1)
    await store.write(lambda t: t.save_feeds({feed.id: polled(due)}))

    later = NOW + MINUTE
    renamed = dataclasses.replace(spec(), name="Renamed", tags=())
    await store.write(lambda t: t.sync_feeds([renamed], later))

    assert await store.write(lambda t: t.claim_feeds(BUCKET, later, LEASE, 10)) == []
    [again] = await store.write(lambda t: t.claim_feeds(BUCKET, due, LEASE, 10))
    assert (again.id, again.spec, again.due_at) == (feed.id, renamed, due)


async def test_a_feed_that_is_not_declared_any_more_is_kept_and_not_polled(
    store: SqlStore,
) -> None:
    """Taken out of the configuration it rests; put back it is due at once."""
    feed = await given_feed(store)
    await store.write(lambda t: t.save_feeds({feed.id: polled(None, status=FeedStatus.GONE)}))
    await store.write(lambda t: t.sync_feeds([], NOW))
    assert await store.write(lambda t: t.claim_feeds(BUCKET, NOW, LEASE, 10)) == []
    assert await store.read(lambda t: t.due_jobs(NOW)) == []

    later = NOW + MINUTE
    await store.write(lambda t: t.sync_feeds([spec()], later))
    [again] = await store.write(lambda t: t.claim_feeds(BUCKET, later, LEASE, 10))
    assert (again.id, again.due_at) == (feed.id, later)


async def test_the_first_declaration_of_a_url_counts(store: SqlStore) -> None:
    """A URL declared twice is one feed."""
    twice = [spec(), dataclasses.replace(spec(), name="Again")]
    await store.write(lambda t: t.sync_feeds(twice, NOW))

    [feed] = await store.write(lambda t: t.claim_feeds(BUCKET, NOW, LEASE, 10))
    assert feed.spec.name == "Feed 1"


async def test_hits_of_a_watch_outlive_its_declaration(store: SqlStore) -> None:
    """A watch taken out keeps what it found; put back with other terms it is the same watch."""
    story = await given_story(store)
    await store.write(lambda t: t.sync_watches([], NOW))
    changed = dataclasses.replace(CEASEFIRE, terms=("armistice",), channel="#x")
    await store.write(lambda t: t.sync_watches([changed], NOW))

    view = await store.read(lambda t: t.story_view(story))
    assert view.articles[0].hits == (HIT,)


# --------------------------------------------------------------------------- schedule


async def test_due_jobs_name_each_bucket_and_channel_with_something_due(store: SqlStore) -> None:
    """One job per kind and key, whatever the number of rows; nothing for the future."""
    specs = [spec(number, f"host{number % 3}.example") for number in range(9)]
    buckets = {str(bucket_of(f"host{number}.example")) for number in range(3)}
    await store.write(lambda t: t.sync_feeds(specs, NOW))

    assert await store.read(lambda t: t.due_jobs(NOW - SECOND)) == []
    jobs = await store.read(lambda t: t.due_jobs(NOW))
    assert len(jobs) == len(buckets)
    assert set(jobs) == {Job(Kind.POLL, bucket) for bucket in buckets}


async def test_due_jobs_cover_all_kinds_and_leave_out_what_is_leased(
    store: SqlStore,
) -> None:
    """Articles wait by bucket, deliveries by channel; a claim takes them off the list."""
    story = await given_story(store)
    feed = await given_feed(store, 2)
    await given_entries(store, feed, found("b"))
    for channel in ("#b", "#a", "#c"):
        await store.write(lambda t, channel=channel: t.want_delivery(story, channel, NOW))
    await store.write(lambda t: t.claim_due("#b", NOW, LEASE))

    expected = {
        Job(Kind.INGEST, str(BUCKET)),
        Job(Kind.DELIVER, "#a"),
        Job(Kind.DELIVER, "#c"),
        Job(Kind.INDEX, ""),
    }
    jobs = await store.read(lambda t: t.due_jobs(NOW))
    assert len(jobs) == len(expected)
    assert set(jobs) == expected

    await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10))
    assert set(await store.read(lambda t: t.due_jobs(NOW))) == expected - {
        Job(Kind.INGEST, str(BUCKET))
    }
    all_back = await store.read(lambda t: t.due_jobs(NOW + LEASE))
    assert set(all_back) == expected | {Job(Kind.POLL, str(BUCKET)), Job(Kind.DELIVER, "#b")}


async def test_every_bucket_is_looked_at(store: SqlStore) -> None:
    """The first and the last bucket are not forgotten."""
    hosts = [f"h{number}.example" for number in range(40 * BUCKETS)]
    by_bucket = {bucket_of(host): host for host in hosts}
    ends = [by_bucket[0], by_bucket[BUCKETS - 1]]
    await store.write(lambda t: t.sync_feeds([spec(1, host) for host in ends], NOW))

    jobs = await store.read(lambda t: t.due_jobs(NOW))
    assert set(jobs) == {Job(Kind.POLL, "0"), Job(Kind.POLL, str(BUCKETS - 1))}


async def test_release_leases_gives_everything_back(store: SqlStore) -> None:
    """After a crash of the only service, what it had in hand is due at once."""
    story = await given_story(store)  # leaves its feed leased
    await given_feed(store, 2)
    await store.write(lambda t: t.sync_feeds([spec(1), spec(2)], NOW))
    await store.write(lambda t: t.want_delivery(story, "#a", NOW))
    await store.write(lambda t: t.claim_due("#a", NOW, LEASE))

    assert await store.write(lambda t: t.release_leases()) == 3
    assert await store.write(lambda t: t.release_leases()) == 0
    assert set(await store.read(lambda t: t.due_jobs(NOW))) == {
        Job(Kind.POLL, str(BUCKET)),
        Job(Kind.DELIVER, "#a"),
        Job(Kind.INDEX, ""),
    }


# --------------------------------------------------------------------------- poll


async def test_a_claimed_feed_is_nobody_elses_until_its_lease_ends(store: SqlStore) -> None:
    """A worker that dies loses the feed to another when its lease is over."""
    feed = await given_feed(store)

    just_before = NOW + LEASE - SECOND
    assert await store.write(lambda t: t.claim_feeds(BUCKET, just_before, LEASE, 10)) == []
    [again] = await store.write(lambda t: t.claim_feeds(BUCKET, NOW + LEASE, LEASE, 10))
    assert again == feed


async def test_the_feed_that_is_due_longest_is_claimed_first(store: SqlStore) -> None:
    """Up to the limit, in the order of the schedule."""
    for number in (3, 1, 2):
        specs = [spec(each) for each in (3, 1, 2)[: (3, 1, 2).index(number) + 1]]
        at = NOW + number * MINUTE
        await store.write(lambda t, specs=specs, at=at: t.sync_feeds(specs, at))

    feeds = await store.write(lambda t: t.claim_feeds(BUCKET, NOW + LEASE, LEASE, 2))
    assert [feed.spec.name for feed in feeds] == ["Feed 1", "Feed 2"]


async def test_a_released_feed_is_still_due(store: SqlStore) -> None:
    """A worker that stops gives back what it did not poll."""
    feed = await given_feed(store)
    await store.write(lambda t: t.release_feeds([feed.id]))
    await store.write(lambda t: t.release_feeds([]))

    assert await store.write(lambda t: t.claim_feeds(BUCKET, NOW, LEASE, 10)) == [feed]


async def test_a_host_at_which_somebody_is_at_work_is_left_alone(store: SqlStore) -> None:
    """Whoever asks for hosts to themselves gets none of one with a lease, however much is due."""

    def claim(at: datetime, limit: int = 10) -> Callable[[Transaction], list[str]]:
        return lambda t: [
            feed.spec.name for feed in t.claim_feeds(BUCKET, at, LEASE, limit, idle_hosts=True)
        ]

    other = next(host for n in range(999) if bucket_of(host := f"h{n}.example") == BUCKET)
    await store.write(lambda t: t.sync_feeds([spec(1), spec(2)], NOW))
    assert await store.write(claim(NOW, 1)) == ["Feed 1"]
    assert await store.write(claim(NOW)) == []
    await store.write(lambda t: t.sync_feeds([spec(1), spec(2), spec(3, other)], NOW))
    assert await store.write(claim(NOW)) == ["Feed 3"]
    assert await store.write(claim(NOW + LEASE)) == ["Feed 1", "Feed 2", "Feed 3"]


async def test_articles_of_a_host_at_which_somebody_is_at_work_wait(store: SqlStore) -> None:
    """As for feeds; what was given back is free again."""

    def claim(t: Transaction) -> list[ArticleId]:
        return [each.id for each in t.claim_articles(BUCKET, NOW, LEASE, 1, idle_hosts=True)]

    feed = await given_feed(store)
    await given_entries(store, feed, found("a"), found("b"))
    [first] = await store.write(claim)
    assert await store.write(claim) == []
    await store.write(lambda t: t.release_articles([first]))
    assert await store.write(claim) == [first]


async def test_of_two_who_claim_at_once_one_gets_the_host(store: SqlStore) -> None:
    """Two workers never ask one host side by side, in a cluster either."""
    await store.write(lambda t: t.sync_feeds([spec(number) for number in range(40)], NOW))

    def claim(t: Transaction) -> int:
        return len(t.claim_feeds(BUCKET, NOW, LEASE, 5, idle_hosts=True))

    got = await asyncio.gather(*(store.write(claim) for _ in range(8)))
    assert sorted(got) == [0] * 7 + [5]


async def test_what_was_set_aside_is_due_again_later_and_keeps_nobody_else(
    store: SqlStore,
) -> None:
    """Its lease is over, so its host is free; what it was suspected of counts."""
    feed = await given_feed(store)
    await given_entries(store, feed, found("a"))
    [article] = await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 1))
    later = NOW + MINUTE
    await store.write(lambda t: t.suspect_article(article.id, 1))
    await store.write(lambda t: t.set_feed_aside(feed.id, later))
    await store.write(lambda t: t.set_article_aside(article.id, later))
    await store.write(lambda t: t.sync_feeds([spec(1), spec(2)], NOW))

    [other] = await store.write(lambda t: t.claim_feeds(BUCKET, NOW, LEASE, 9, idle_hosts=True))
    assert other.spec.name == "Feed 2"
    await store.write(lambda t: t.release_feeds([other.id]))
    both = await store.write(lambda t: t.claim_feeds(BUCKET, later, LEASE, 9, idle_hosts=True))
    assert len(both) == 2
    [again] = await store.write(
        lambda t: t.claim_articles(BUCKET, later, LEASE, 9, idle_hosts=True)
    )
    assert (again.attempts, again.deaths) == (1, 1)


async def test_a_poll_leaves_its_result_and_ends_the_lease(store: SqlStore) -> None:
    """Validators come back byte for byte; a failed poll is told as it was."""
    feed = await given_feed(store)
    failed = polled(
        NOW,
        status=FeedStatus.FAILING,
        failures=3,
        error_code="timeout",
        error_detail="no answer in 20 s \x00\ud800",
    )
    await store.write(lambda t: t.save_feeds({feed.id: failed}))

    [again] = await store.write(lambda t: t.claim_feeds(BUCKET, NOW, LEASE, 10))
    assert again == dataclasses.replace(
        feed,
        status=FeedStatus.FAILING,
        validators=failed.validators,
        body_hash="aa",
        failures=3,
        polled_at=NOW,
        health=Health.LIVE,
        error="timeout",
    )


async def test_new_entries_make_articles_and_known_ones_are_nothing(store: SqlStore) -> None:
    """An entry counts once per feed; new articles wait in their hosts' buckets."""
    feed = await given_feed(store)
    other = found("b", host="other.example")
    entries = [found("a"), other, found("a", "https://news.example/same-guid-again")]
    buckets = tuple(sorted({BUCKET, bucket_of("other.example")}))

    assert await given_entries(store, feed, *entries) == Added(
        entries=2, published=(NOW - MINUTE,) * 2, buckets=buckets
    )
    assert await given_entries(store, feed, *entries) == Added(known=2)
    assert await given_entries(store, feed) == Added()
    assert await given_entries(store, feed, *entries, found("c")) == Added(
        entries=1, known=2, published=(NOW - MINUTE,), buckets=(BUCKET,)
    )


async def test_a_second_feeds_entry_links_to_the_known_article(store: SqlStore) -> None:
    """One URL is one article, whoever lists it and however often."""
    first = await given_feed(store, 1)
    url = "https://news.example/one"
    added = await given_entries(store, first, found("a", url), found("b", url))
    assert added == Added(entries=2, published=(NOW - MINUTE,) * 2, linked=1, buckets=(BUCKET,))

    second = await given_feed(store, 2)
    assert await given_entries(store, second, found("a", url)) == Added(
        entries=1, published=(NOW - MINUTE,), linked=1
    )
    articles = await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10))
    assert len(articles) == 1


async def test_a_story_grows_by_each_feed_that_carries_it_once(store: SqlStore) -> None:
    """Told to the poll, so that the message says who else has it; undecided articles have none."""
    story = await given_story(store, "a")
    url = "https://news.example/a"
    second = await given_feed(store, 2)

    added = await given_entries(store, second, found("a", url), found("twice", url), found("b"))
    assert added == Added(
        entries=3,
        published=(NOW - MINUTE,) * 3,
        linked=2,
        buckets=(BUCKET,),
        stories=(story,),
    )
    again = await given_entries(store, second, found("under another id", url), found("b2"))
    assert dataclasses.replace(again, changed=()) == Added(
        entries=2, known=1, published=(NOW - MINUTE,) * 2, linked=1, buckets=(BUCKET,)
    )
    third = await given_feed(store, 3)
    undecided = await given_entries(store, third, found("b", "https://news.example/b"))
    assert undecided == Added(entries=1, published=(NOW - MINUTE,), linked=1)


async def test_texts_that_no_database_takes_are_made_storable(store: SqlStore) -> None:
    """NULs, half surrogate pairs and endless ids of a hostile feed are stored, and known again."""
    feed = await given_feed(store)
    # no database packs this into less than an index takes
    noise = "".join(hashlib.sha256(bytes([number])).hexdigest() for number in range(256))
    hostile = [
        found("\x00id", "https://news.example/\x00", text="a\x00b\ud83d", title="\udc00"),
        found(noise, f"https://news.example/{noise}"),
        found(f"{noise}y", f"https://news.example/{noise}y"),
    ]

    assert (await given_entries(store, feed, *hostile)).entries == 3
    assert (await given_entries(store, feed, *hostile)).entries == 0
    articles = await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10))
    assert [article.entry.text for article in articles] == ["a\ufffdb?", "Words.", "Words."]
    assert articles[0].entry.title == "?"
    assert articles[1].url == hostile[1].url
    known = await store.read(lambda t: t.article_at(hostile[2].url))
    assert known is not None
    assert known.article == articles[2].id


async def test_a_flood_of_one_feed_does_not_stand_before_the_others(store: SqlStore) -> None:
    """Feeds take turns, and of one host only few are claimed: it is asked one by one."""
    first = await given_feed(store, 1)
    slow = [found(f"s{number}", host=HOST) for number in range(40)]
    hosts = [host for host in (f"h{n}.example" for n in range(9000)) if bucket_of(host) == BUCKET]
    many = [found(f"m{number}", host=host) for number, host in enumerate(hosts[:60])]
    await given_entries(store, first, *slow, *many)
    second = await given_feed(store, 2)
    late = found("late", host=hosts[60])
    await store.write(lambda t: t.add_entries(second, [late], NOW + SECOND))

    claimed = await store.write(lambda t: t.claim_articles(BUCKET, NOW + MINUTE, LEASE, 20))
    assert len(claimed) == 20
    assert late.url in {article.url for article in claimed}
    assert sum(HOST in article.url for article in claimed) == 10


async def test_a_flood_of_one_feed_leaves_the_host_to_the_others(store: SqlStore) -> None:
    """An aggregator's thousands of links to a site don't stand before the site's own news."""
    await given_entries(store, await given_feed(store, 1), *(found(f"old{n}") for n in range(30)))
    await given_entries(store, await given_feed(store, 2), found("new"))

    claimed = await store.write(lambda tx: tx.claim_articles(BUCKET, NOW, LEASE, 50))

    assert f"https://{HOST}/new" in {each.url for each in claimed}
    assert len(claimed) == 10


async def test_polls_that_bring_the_same_news_at_once_make_it_once(database_url: str) -> None:
    """Feeds of different buckets are polled by different workers; their articles are shared."""
    hosts = [f"host{number}.example" for number in range(4)]
    async with SqlStore(database_url) as store:
        await store.write(lambda t: t.sync_feeds([spec(1, host) for host in hosts], NOW))
        claims = [
            await store.write(lambda t, host=host: t.claim_feeds(bucket_of(host), NOW, LEASE, 1))
            for host in hosts
        ]
    feeds = [feed for [feed] in claims]
    news = [found(str(number)) for number in range(30)]

    async with several(database_url, 4) as stores:
        results = await asyncio.gather(
            *(
                each.write(
                    lambda t, feed=feed, turn=turn: t.add_entries(
                        feed, news[turn * 7 :] + news[: turn * 7], NOW
                    )
                )
                for turn, (each, feed) in enumerate(zip(stores, feeds, strict=True))
            )
        )
        assert sum(each.entries for each in results) == 120
        assert sum(each.linked for each in results) == 90
        articles = []
        while some := await stores[0].write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 100)):
            articles += some
        assert len(articles) == 30


async def test_several_finds_at_once_are_as_one_after_the_other(store: SqlStore) -> None:
    """Whatever the feeds share, and whatever is known of it."""

    class UndoneError(Exception):
        pass

    one, two, three = [await given_feed(store, number) for number in (1, 2, 3)]
    shared = "https://news.example/shared"
    await given_entries(store, one, found("a"), found("b"), found("told", shared))
    await given_entries(store, two, found("other"))
    odd = '\N{GRINNING FACE} \ud800\0"' + "x" * KEY_LENGTH
    finds = [
        Finds(one, [found("a", title="Said anew"), found("new"), found("c"), found("c")], NOW),
        Finds(
            two, [found("told", shared), found("new"), found(odd, "https://news.example/odd")], NOW
        ),
        Finds(three, [], NOW),
    ]
    expected: list[Added] = []

    def one_by_one(tx: Transaction) -> None:
        expected.extend(tx.add_entries(each.feed, each.entries, each.at) for each in finds)
        raise UndoneError

    with pytest.raises(UndoneError):
        await store.write(one_by_one)

    assert await store.write(lambda tx: tx.add_finds(finds)) == expected
    assert [(each.entries, each.linked, each.known) for each in expected] == [
        (2, 0, 1),
        (3, 2, 0),
        (0, 0, 0),
    ]
    again = await store.write(lambda tx: tx.add_finds(finds))
    assert [(each.entries, each.known) for each in again] == [(0, 3), (0, 3), (0, 0)]


# --------------------------------------------------------------------------- ingest


async def test_a_claimed_article_brings_its_fullest_entry_and_that_ones_feed(
    store: SqlStore,
) -> None:
    """Of the entries linked to it, the one with most text speaks, the earliest on a tie."""
    url = "https://news.example/one"
    first = await given_feed(store, 1)
    await given_entries(store, first, found("short", url, text="Few."), found("b"))
    second = await given_feed(store, 2)
    full = found("full", url, text="Many more words.")
    await given_entries(store, second, full)
    third = await given_feed(store, 3)
    await given_entries(store, third, found("tie", url, text="Many more wordz."))

    claimed = await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10))
    article = next(each for each in claimed if each.url == url)
    assert article.entry == full.entry
    assert article.feed == spec(2)
    assert article.link == f"{url}?utm_source=rss"
    assert article.state is ArticleState.NEW
    assert article.attempts == 1
    assert article.first_seen_at == NOW
    assert article.backlog


async def test_an_article_is_backlog_only_if_every_entry_of_it_is(store: SqlStore) -> None:
    """What a feed's first poll lists is old, unless another feed lists it as news."""
    url = "https://news.example/one"
    first = await given_feed(store, 1)
    await given_entries(store, first, found("a", url), found("b"))
    second = await given_feed(store, 2)
    polled_before = dataclasses.replace(second, ok_at=NOW - MINUTE)
    await given_entries(store, polled_before, found("a", url))

    claimed = await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10))
    assert {article.url: article.backlog for article in claimed} == {
        url: False,
        "https://news.example/b": True,
    }


async def test_only_what_was_taken_apart_is_suspected_of_a_death(store: SqlStore) -> None:
    """However often others fall with it; what its site refused is counted apart from it."""
    guilty, other = await given_articles(store, "a", "b")
    for deaths in range(3):
        assert [(each.deaths, each.attempts) for each in (guilty, other)] == [(deaths, 1), (0, 1)]
        begun = guilty
        await store.write(lambda t: t.suspect_article(begun.id, deaths + 1))  # noqa: B023 at once
        at = NOW + (deaths + 1) * LEASE  # nobody ended the leases
        guilty, other = await store.write(lambda t: t.claim_articles(BUCKET, at, LEASE, 10))  # noqa: B023
    await store.write(lambda t: t.release_articles([guilty.id]))
    await store.write(lambda t: t.suspect_article(guilty.id, 9))  # it is nobody's
    [again] = await store.write(lambda t: t.claim_articles(BUCKET, at, LEASE, 10))
    assert again.deaths == 3
    await store.write(lambda t: t.leave_article(again.id, now=NOW, due_at=at))
    [cleared] = await store.write(lambda t: t.claim_articles(BUCKET, at, LEASE, 10))
    assert cleared.deaths == 0


async def test_a_poll_tells_which_stories_it_links_to(store: SqlStore) -> None:
    """Another outlet carries the story: whoever shows it may say so."""
    story = await given_story(store, "a")
    second = await given_feed(store, 2)
    added = await given_entries(
        store, second, found("a"), found("x", f"https://{HOST}/a"), found("new")
    )
    assert added.stories == (story,)
    assert (added.entries, added.linked) == (3, 2)


async def test_an_article_without_a_link_can_be_claimed(store: SqlStore) -> None:
    """What has no page is known by a URL of our own making."""
    feed = await given_feed(store)
    linkless = found("a", "entry:1")
    linkless = dataclasses.replace(linkless, entry=dataclasses.replace(linkless.entry, url=None))
    await given_entries(store, feed, linkless)

    [article] = await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10))
    assert article.link is None
    story = await store.write(in_new_story(article.id, article.url))
    view = await store.read(lambda t: t.story_view(story))
    assert view.articles[0].url is None


async def test_a_saved_article_is_done_and_its_url_leads_to_it(store: SqlStore) -> None:
    """The URL it was listed under and the one its page names both lead to it."""
    [article] = await given_articles(store, "a")
    canonical = "https://news.example/canonical"
    story = await store.write(in_new_story(article.id, canonical))

    for url in (article.url, canonical):
        known = await store.read(lambda t, url=url: t.article_at(url))
        assert known is not None
        assert (known.article, known.story, known.state) == (
            article.id,
            story,
            ArticleState.DONE,
        )
    assert await store.read(lambda t: t.article_at("https://news.example/unknown")) is None
    assert await store.read(lambda t: t.story_of(article.id)) == story
    late = NOW + timedelta(days=1)
    assert await store.write(lambda t: t.claim_articles(BUCKET, late, LEASE, 10)) == []


async def test_a_partial_article_is_claimed_again_when_due(store: SqlStore) -> None:
    """The feed's own text serves until the page answers."""
    [article] = await given_articles(store, "a")
    due = NOW + timedelta(hours=1)
    await store.write(
        lambda t: t.save_article(
            article.id,
            content(article.url),
            state=ArticleState.PARTIAL,
            now=NOW,
            due_at=due,
            attempts=article.attempts,
            error_code="timeout",
        )
    )

    assert await store.write(lambda t: t.claim_articles(BUCKET, due - SECOND, LEASE, 10)) == []
    [again] = await store.write(lambda t: t.claim_articles(BUCKET, due, LEASE, 10))
    assert (again.id, again.state, again.attempts) == (article.id, ArticleState.PARTIAL, 2)


async def test_a_url_that_leads_to_another_article_goes_on_doing_so(store: SqlStore) -> None:
    """Saving never steals a URL: merging is a decision of its own."""
    first, second = await given_articles(store, "a", "b")
    await store.write(in_new_story(second.id, first.url))

    known = await store.read(lambda t: t.article_at(first.url))
    assert known is not None
    assert known.article == first.id


async def test_the_oldest_article_with_the_same_text_is_the_twin(store: SqlStore) -> None:
    """Within the time asked for, and never the article itself."""
    first, second, third = await given_articles(store, "a", "b", "c")
    for article in (first, second, third):
        text_hash = "other" if article is third else "same"
        await store.write(in_new_story(article.id, article.url, text_hash=text_hash))

    async def twin(other_than: ArticleId, since: datetime) -> ArticleId | None:
        known = await store.read(lambda t: t.twin_of("same", since, other_than))
        return known.article if known else None

    assert await twin(second.id, NOW - MINUTE) == first.id
    assert await twin(first.id, NOW - MINUTE) == second.id
    assert await twin(second.id, NOW) is None


async def test_a_merged_article_lives_on_in_the_other(store: SqlStore) -> None:
    """Entries and URLs move; copies of the one gone are copies of the one kept."""
    kept, gone, copy = await given_articles(store, "a", "b", "c")
    story = await store.write(in_new_story(kept.id, kept.url))
    await store.write(lambda t: t.put_in_story(copy.id, story, copy_of=gone.id))
    await store.write(lambda t: t.put_in_story(kept.id, story, copy_of=gone.id))

    await store.write(lambda t: t.merge_article(gone.id, kept.id))
    await store.write(lambda t: t.merge_article(kept.id, kept.id))

    known = await store.read(lambda t: t.article_at(gone.url))
    assert known is not None
    assert known.article == kept.id
    assert await store.read(lambda t: t.story_of(gone.id)) is None
    for url in (gone.url, "https://news.example/unknown"):  # a worker that was too slow
        with pytest.raises(Superseded, match="merged into another"):
            await store.write(in_new_story(gone.id, url))
    feed = await given_feed(store, 2)
    added = await given_entries(store, feed, found("b2", gone.url))
    assert added == Added(entries=1, published=(NOW - MINUTE,), linked=1, stories=(story,))


async def test_a_story_left_empty_is_no_more(store: SqlStore) -> None:
    """An article that joins another story leaves none behind that nobody was told of."""
    first, second = await given_articles(store, "a", "b")
    kept = await store.write(in_new_story(first.id, first.url))
    left = await store.write(in_new_story(second.id, second.url))
    await store.write(lambda t: t.put_in_story(second.id, kept, copy_of=first.id))

    assert (await SqlReports(store).counts(NOW)).stories == 1
    assert (await store.read(lambda t: t.story_view(left))).articles == ()
    assert len((await store.read(lambda t: t.story_view(kept))).articles) == 2


async def test_what_was_merged_away_is_not_merged_again(store: SqlStore) -> None:
    """Two workers, the first one's lease over: the second learns that the work is done."""
    kept, gone = await given_articles(store, "a", "b")
    await store.write(lambda t: t.merge_article(gone.id, into=kept.id))
    with pytest.raises(Superseded, match="merged into another"):
        await store.write(lambda t: t.merge_article(gone.id, into=kept.id))


async def test_an_id_that_was_merged_away_never_means_another_article(store: SqlStore) -> None:
    """A slow worker's id must not hit an article that came later."""
    kept, gone = await given_articles(store, "a", "b")
    await store.write(lambda t: t.merge_article(gone.id, kept.id))
    feed = await given_feed(store, 2)
    await given_entries(store, feed, found("c"))

    [later] = await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10))
    assert later.id not in {kept.id, gone.id}


# --------------------------------------------------------------------------- stories and hits


async def test_hits_are_replaced_by_the_newest_matching(store: SqlStore) -> None:
    """An article that gets its full text is matched anew."""
    story = await given_story(store)
    [article] = (await store.read(lambda t: t.story_view(story))).articles
    both = [
        Hit(watch="Kashmir", spans=(Span(field="body", start=1, end=8, term="Kashmir"),)),
        Hit(watch="Ceasefire", spans=()),
    ]

    async def hits_after(hits: Sequence[Hit]) -> set[Hit]:
        await store.write(lambda t: t.set_hits(article.article, hits, NOW))
        view = await store.read(lambda t: t.story_view(story))
        return set(view.articles[0].hits)

    assert await hits_after(both) == set(both)
    assert await hits_after(both[:1]) == set(both[:1])
    assert await hits_after([]) == set()


async def test_a_hit_of_an_undeclared_watch_is_a_bug(store: SqlStore) -> None:
    """It would be an alert without a destination."""
    [article] = await given_articles(store, "a")
    with pytest.raises(KeyError):
        await store.write(lambda t: t.set_hits(article.id, [HIT], NOW))


async def test_a_story_shows_its_articles_with_all_who_carried_them(store: SqlStore) -> None:
    """Articles and publishers first seen first, each publisher once."""
    story = await given_story(store, "a")
    second = await given_feed(store, 2)
    again = [found("a2", "https://news.example/a"), found("a3", "https://news.example/a")]
    await given_entries(store, second, *again, found("copy"))
    [copy] = await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10))
    [original] = (await store.read(lambda t: t.story_view(story))).articles

    def join(transaction: Transaction) -> None:
        transaction.save_article(
            copy.id, content(copy.url), state=ArticleState.DONE, now=NOW, due_at=None
        )
        transaction.put_in_story(copy.id, story, copy_of=original.article)

    await store.write(join)
    view = await store.read(lambda t: t.story_view(story))
    assert view.story == story
    assert [(each.url, each.publishers) for each in view.articles] == [
        ("https://news.example/a", ("Publisher 1", "Publisher 2")),
        ("https://news.example/copy", ("Publisher 2",)),
    ]
    assert view.articles[0].hits == (HIT,)
    assert view.articles[0].title == "ceasefire holds"
    assert view.articles[0].body == "The ceasefire holds.\n\nSo far."
    assert view.articles[0].published_at == NOW - MINUTE
    assert view.articles[1].hits == ()


async def test_twins_that_arrive_at_once_are_one_story(database_url: str) -> None:
    """Eight workers decide at the same time; the lock lets one of them be first."""
    async with several(database_url, 4) as stores:
        guids = [f"twin{number}" for number in range(8)]
        articles = await given_articles(stores[0], *guids)

        def decide(article: ArticleId, url: str) -> Callable[[Transaction], StoryId]:
            def work(transaction: Transaction) -> StoryId:
                transaction.lock_stories()
                twin = transaction.twin_of("same", NOW - MINUTE, article)
                story = twin.story if twin and twin.story else transaction.new_story(NOW)
                transaction.save_article(
                    article, content(url, "same"), state=ArticleState.DONE, now=NOW, due_at=None
                )
                copy_of = twin.article if twin else None
                transaction.put_in_story(article, story, copy_of=copy_of)
                transaction.want_delivery(story, "#news", NOW)
                return story

            return work

        stories = await asyncio.gather(
            *(
                stores[number % 4].write(decide(article.id, article.url))
                for number, article in enumerate(articles)
            )
        )
        assert len(set(stories)) == 1
        view = await stores[0].read(lambda t: t.story_view(stories[0]))
        assert len(view.articles) == 8


# --------------------------------------------------------------------------- many workers


async def test_four_claimers_share_the_work_without_overlap(database_url: str) -> None:
    """Every row is claimed, none twice."""
    async with several(database_url, 4) as stores:
        feed = await given_feed(stores[0])
        await given_entries(stores[0], feed, *(found(str(number)) for number in range(160)))

        async def claim_all(store: SqlStore) -> list[ArticleId]:
            ids: list[ArticleId] = []
            while rows := await store.write(lambda t: t.claim_articles(BUCKET, NOW, LEASE, 10)):
                ids.extend(row.id for row in rows)
            return ids

        claimed = await asyncio.gather(*map(claim_all, stores))
        ids = [each for part in claimed for each in part]
        assert len(ids) == len(set(ids)) == 160


async def test_no_update_is_lost(database_url: str) -> None:
    """Four stores read, add one and write, eighty times: the sum is eighty."""
    async with several(database_url, 4) as stores:
        feed = await given_feed(stores[0])

        def add_one(transaction: Transaction) -> None:
            transaction.lock_stories()
            connection = transaction.connection  # type: ignore[attr-defined]
            failures = connection.execute(sa.text("SELECT failures FROM feed")).scalar_one()
            transaction.save_feeds({feed.id: polled(NOW, failures=failures + 1)})

        await asyncio.gather(*(store.write(add_one) for store in stores for _ in range(20)))
        [again] = await stores[0].write(lambda t: t.claim_feeds(BUCKET, NOW, LEASE, 1))
        assert again.failures == 80


async def test_an_entry_finds_its_article_though_it_is_merged_meanwhile(postgres_url: str) -> None:
    """Between looking the article up and linking to it, another worker may merge it away."""
    async with several(postgres_url, 2) as (polling, merging):
        kept, gone = await given_articles(merging, "a", "b")
        feed = await given_feed(polling, 2)
        loop = asyncio.get_running_loop()
        is_merged = False

        def merge_first(_connection: object, _cursor: object, text: str, *_: object) -> None:
            nonlocal is_merged
            if text.startswith("INSERT INTO entry") and not is_merged:
                is_merged = True
                merge = merging.write(lambda t: t.merge_article(gone.id, kept.id))
                asyncio.run_coroutine_threadsafe(merge, loop).result(30)

        sa.event.listen(polling._engines.write, "before_cursor_execute", merge_first)
        added = await given_entries(polling, feed, found("b2", gone.url))
        assert is_merged
        assert added == Added(entries=1, published=(NOW - MINUTE,), linked=1)


# --------------------------------------------------------------------------- laws

TIMES = st.datetimes(
    min_value=datetime(1900, 1, 1),
    max_value=datetime(2200, 1, 1),
    timezones=st.timezones(),
    allow_imaginary=False,
)
SPANS = st.builds(
    Span,
    field=st.sampled_from(["title", "body"]),
    start=st.integers(0, 10_000),
    end=st.integers(0, 10_000),
    term=st.text(max_size=20),
)


HOSTILE = st.characters(exclude_categories=())
UNSTORABLE = {"\x00", *map(chr, range(0xD800, 0xE000))}


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """Plain connections to an empty database."""
    engines = make_engines(read_address(database_url))
    yield engines.write
    engines.dispose()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moment=TIMES, spans=st.lists(SPANS, max_size=5).map(tuple), words=st.text(HOSTILE))
def test_what_is_stored_comes_back(
    engine: sa.Engine, moment: datetime, spans: tuple[Span, ...], words: str
) -> None:
    """Times come back as the same moment in UTC, texts with their offsets, spans to the letter."""
    with engine.connect() as connection:  # rolled back at the end
        connection.execute(
            sa.insert(tables.feed),
            {
                "id": 1,
                "url": "u",
                "name": "n",
                "publisher": "p",
                "tags": (),
                "declared": True,
                "host": "",
                "bucket": 0,
                "status": "new",
                "failures": 0,
                "entries": 0,
                "created_at": moment,
            },
        )
        connection.execute(
            sa.insert(tables.article),
            {
                "id": 1,
                "url": words,
                "feed_id": 1,
                "host": "",
                "bucket": 0,
                "state": "new",
                "attempts": 0,
                "first_seen_at": moment,
                "authors": (words,),
            },
        )
        connection.execute(
            sa.insert(tables.watch),
            {"id": 1, "name": "w", "terms": (), "declared": True, "created_at": moment},
        )
        connection.execute(
            sa.insert(tables.hit),
            {"id": 1, "article_id": 1, "watch_id": 1, "spans": spans, "matched_at": moment},
        )
        article = connection.execute(sa.select(tables.article)).one()
        hit = connection.execute(sa.select(tables.hit)).one()

    assert article.first_seen_at == moment.astimezone(UTC)
    assert article.first_seen_at.tzinfo is UTC
    assert len(article.url) == len(words)
    assert all(
        now == before or before in UNSTORABLE
        for before, now in zip(words, article.url, strict=True)
    )
    assert article.authors == (words,)
    assert hit.spans == spans
    assert [span.term for span in hit.spans] == [span.term for span in spans]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moments=st.lists(TIMES, min_size=2, max_size=8))
def test_times_sort_as_times(engine: sa.Engine, moments: list[datetime]) -> None:
    """On SQLite too, where they are text."""
    with engine.connect() as connection:
        rows = [{"id": number, "created_at": each} for number, each in enumerate(moments)]
        connection.execute(sa.insert(tables.story), rows)
        found = connection.execute(
            sa.select(tables.story.c.created_at).order_by(tables.story.c.created_at)
        )
        assert found.scalars().all() == sorted(moment.astimezone(UTC) for moment in moments)


def test_a_time_without_a_zone_is_refused(engine: sa.Engine) -> None:
    """It would be somebody's local time."""
    naive = datetime(2025, 5, 10)
    with (
        engine.connect() as connection,
        pytest.raises(sa.exc.StatementError, match="without a zone"),
    ):
        connection.execute(sa.insert(tables.story), {"created_at": naive})


@given(text=st.text(HOSTILE, max_size=2000))
def test_a_key_is_short_and_its_own_key(text: str) -> None:
    """What is stored as a key is found by the text and by itself, and fits every index."""
    key = key_of(text)
    assert key_of(key) == key
    assert len(key.encode()) <= 4 * KEY_LENGTH
