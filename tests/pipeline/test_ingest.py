"""An article's way: page or feed, alone or a copy, news or not, told once."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.model import ArticleState, Kind
from monitor.pipeline.ingest import DEATHS, QUARANTINE, SUSPECT
from tests.pipeline.conftest import PARAGRAPHS, TRUCE, page, report_from
from tests.webserver import Reply, redirect


def claimed_everywhere(tx, now, newsroom):
    """All due articles, whatever their bucket."""
    lease = newsroom.context.lease
    return [each for bucket in range(64) for each in tx.claim_articles(bucket, now, lease, 9)]


async def state_of(newsroom, path):
    trace = await newsroom.reports.trace(newsroom.server.url(path))
    assert trace is not None
    return trace


async def test_an_article_is_read_matched_and_told(newsroom):
    """From the feed to the message: the page's text, the spans, the passage."""
    newsroom.feed("courier", ("Guns fall silent", "/truce?utm_source=rss"))
    newsroom.server.route("/truce", page("Guns fall silent | Courier"))
    await newsroom.declare("courier")
    await newsroom.settle()
    trace = await state_of(newsroom, "/truce")
    assert (trace.state, trace.source, trace.language) == (ArticleState.DONE, "page", "en")
    [alert] = newsroom.shown()
    assert (alert.headline, alert.publisher, alert.terms) == (
        "Guns fall silent",
        "Courier",
        ("ceasefire",),
    )
    assert alert.passage is not None
    [(start, end)] = alert.passage.marks
    assert alert.passage.text[start:end] == "ceasefire"


async def test_a_link_that_hides_its_article_is_not_asked(newsroom, monkeypatch):
    """The feed's text serves at once and for good, and why is stored: no consent page is read."""
    link = "https://news.google.com/rss/articles/CBMiAUFVX3lxTE1abc?oc=5"
    newsroom.feed("digest", ("Guns fall silent", "/hidden"), text="A ceasefire, at last.")
    feed = newsroom.server.url("/hidden")
    route = newsroom.server._routes["/digest.xml"]
    newsroom.server.route("/digest.xml", Reply(route.body.replace(feed, link)))
    await newsroom.declare("digest")
    await newsroom.settle()
    assert len(newsroom.shown()) == 1
    trace = await newsroom.reports.trace(link)
    assert trace is not None
    assert (trace.state, trace.source, trace.due_at) == (ArticleState.DONE, "feed", None)
    assert trace.error.startswith("opaque_link: ")


async def test_no_match_tells_nobody(newsroom):
    """An article without a hit is stored all the same."""
    newsroom.feed("courier", ("Cat shows", "/cats"))
    newsroom.server.route(
        "/cats", page("Cat shows", *[text.replace("ceasefire", "show") for text in PARAGRAPHS])
    )
    await newsroom.declare("courier")
    await newsroom.settle()
    assert (await state_of(newsroom, "/cats")).state is ArticleState.DONE
    assert newsroom.shown() == []


async def test_without_its_page_the_feeds_text_alerts_at_once(newsroom):
    """Minutes matter: the page is tried again later and then read, and nothing is told twice."""
    newsroom.feed("courier", ("Guns fall silent", "/truce"), text="A ceasefire, at last.")
    newsroom.server.route(
        "/truce", [Reply(status=503), Reply(status=404), page("Guns fall silent")]
    )
    await newsroom.declare("courier")
    await newsroom.settle()
    assert len(newsroom.shown()) == 1
    trace = await state_of(newsroom, "/truce")
    assert (trace.state, trace.source) == (ArticleState.PARTIAL, "feed")
    await newsroom.settle(minutes=2)
    await newsroom.settle(minutes=10)
    trace = await state_of(newsroom, "/truce")
    assert (trace.state, trace.source, trace.attempts) == (ArticleState.DONE, "page", 3)
    assert newsroom.sink.posts == 1
    assert "disputed line" in newsroom.shown()[0].passage.text


async def test_a_page_that_never_comes_is_given_up(newsroom):
    """After the last attempt the feed's text stays, and nobody asks again."""
    newsroom.feed("courier", ("Ceasefire", "/truce"), text="At last.")
    newsroom.server.route("/truce", Reply(status=500))
    await newsroom.declare("courier")
    for _ in range(40):
        await newsroom.settle(hours=1)
    assert len(newsroom.server.to("/truce")) == 5
    trace = await state_of(newsroom, "/truce")
    assert (trace.state, trace.due_at) == (ArticleState.DONE, None)
    assert len(newsroom.shown()) == 1


async def test_a_headline_alone_is_matched(newsroom):
    """Neither page nor text: what the feed says is what there is."""
    newsroom.feed("courier", ("Ceasefire announced", "/truce"))
    newsroom.server.route("/truce", Reply(status=410))
    await newsroom.declare("courier")
    await newsroom.settle()
    assert (await state_of(newsroom, "/truce")).state is ArticleState.FAILED
    [alert] = newsroom.shown()
    assert (alert.headline, alert.passage) == ("Ceasefire announced", None)


async def test_an_entry_without_a_link_is_an_article(newsroom):
    """A flash is matched by its own text; there is no page to ask for."""
    newsroom.feed("wire", ("FLASH: ceasefire", None))
    await newsroom.declare("wire")
    await newsroom.settle()
    [alert] = newsroom.shown()
    assert (alert.headline, alert.url) == ("FLASH: ceasefire", None)


async def test_a_second_feed_adds_its_publisher_and_no_message(newsroom):
    """The same page under another feed's tracking parameters: the message is edited."""
    newsroom.feed("courier", ("Guns fall silent", "/truce?utm_source=a"))
    newsroom.feed("ledger", ("Guns fall silent", "/truce?utm_source=b&amp;fbclid=1"))
    newsroom.server.route("/truce", page("Guns fall silent"))
    await newsroom.declare("courier")
    await newsroom.settle()
    await newsroom.declare("courier", "ledger")
    await newsroom.settle()
    assert newsroom.shown()[0].also == ()
    await newsroom.settle(seconds=31)
    assert newsroom.sink.posts == 1
    [alert] = newsroom.shown()
    assert (alert.publisher, alert.also) == ("Courier", ("Ledger",))
    assert len(newsroom.server.to("/truce")) == 1


@pytest.mark.parametrize("how", ["redirect", "canonical"])
async def test_two_urls_of_one_page_are_one_article(newsroom, how):
    """Found out by fetching it: the second is merged into the first."""
    newsroom.feed("courier", ("Guns fall silent", "/truce"))
    newsroom.feed("ledger", ("Truce!", "/short"))
    newsroom.server.route("/truce", page("Guns fall silent"))
    newsroom.server.route(
        "/short",
        redirect("/truce")
        if how == "redirect"
        else page("Truce!", canonical=newsroom.server.url("/truce?utm_source=x")),
    )
    await newsroom.declare("courier")
    await newsroom.settle()
    await newsroom.declare("courier", "ledger")
    await newsroom.settle()
    await newsroom.settle(minutes=1)
    counts = await newsroom.reports.counts(newsroom.clock.now())
    assert (sum(counts.articles.values()), counts.entries, counts.stories) == (1, 2, 1)
    [alert] = newsroom.shown()
    assert alert.also == ("Ledger",)
    assert newsroom.sink.posts == 1
    assert (await state_of(newsroom, "/short")).article == (
        await state_of(newsroom, "/truce")
    ).article


async def test_the_same_text_elsewhere_joins_the_story(newsroom):
    """A wire copy under another headline and URL counts as another outlet, and posts nothing."""
    newsroom.feed("courier", ("Guns fall silent", "/a"))
    newsroom.feed("ledger", ("Truce at last", "/b"))
    newsroom.server.route("/a", page("Guns fall silent"))
    newsroom.server.route(
        "/b", page("Truce at last", *[p.replace("Both", "Both") for p in PARAGRAPHS])
    )
    await newsroom.declare("courier", "ledger")
    await newsroom.settle()
    await newsroom.settle(minutes=1)
    assert newsroom.sink.posts == 1
    [alert] = newsroom.shown()
    assert {alert.publisher, *alert.also} == {"Courier", "Ledger"}
    counts = await newsroom.reports.counts(newsroom.clock.now())
    assert (counts.stories, sum(counts.articles.values())) == (1, 2)


async def test_old_news_is_stored_and_not_told(newsroom):
    """Older than max_age when first seen: a hit on the page, no message."""
    newsroom.rules(max_age=timedelta(hours=24))
    newsroom.feed("courier")
    await newsroom.declare("courier")
    await newsroom.settle()
    newsroom.feed("courier", ("Ceasefire of old", "/old"))
    newsroom.server.route("/old", page("Ceasefire of old"))
    await newsroom.settle(hours=30)
    assert len(await newsroom.reports.catalogue.hits(10)) == 1
    assert newsroom.shown() == []


async def test_what_a_new_feed_holds_already_is_stored_and_not_told(newsroom):
    """However fresh it is; a copy of it in a feed that was there before is told."""
    newsroom.rules(max_age=timedelta(hours=24))
    newsroom.feed("ledger")
    await newsroom.declare("ledger")
    await newsroom.settle()
    newsroom.feed("courier", ("Guns fall silent", "/truce"))
    newsroom.server.route("/truce", page("Guns fall silent"))
    await newsroom.declare("courier", "ledger")
    await newsroom.settle(hours=1)
    assert len(await newsroom.reports.catalogue.hits(10)) == 1
    assert newsroom.shown() == []
    newsroom.feed("ledger", ("Guns fall silent", "/again"))
    newsroom.server.route("/again", page("Guns fall silent"))
    await newsroom.settle(hours=1)
    [alert] = newsroom.shown()
    assert {alert.publisher, *alert.also} == {"Courier", "Ledger"}


async def test_an_old_page_seen_in_time_stays_news(newsroom):
    """Age counts when an article is first seen, not when its page could be read at last."""
    newsroom.feed("courier", ("Nothing yet", "/truce"))
    newsroom.server.route("/truce", [Reply(status=500)] * 3 + [page("Nothing yet")])
    await newsroom.declare("courier")
    await newsroom.settle()
    for _ in range(3):
        await newsroom.settle(hours=9)
    assert len(newsroom.shown()) == 1


async def test_a_watch_sends_to_its_own_channel(newsroom):
    """Two watches, two channels, one story: a message in each."""
    asia = type(TRUCE)(name="Asia", terms=("valley",), channel="#asia")
    newsroom.feed("courier", ("Guns fall silent", "/truce"))
    newsroom.server.route("/truce", page("Guns fall silent"))
    await newsroom.declare("courier")
    await newsroom.store.write(lambda tx: tx.sync_watches([TRUCE, asia], newsroom.clock.now()))
    from monitor.match import compile_watches

    newsroom.rules(watches=(TRUCE, asia), matcher=compile_watches((TRUCE, asia)))
    await newsroom.settle()
    assert [alert.watches for alert in newsroom.shown()] == [("Truce",)]
    assert [alert.watches for alert in newsroom.sink.messages("#asia")] == [("Asia",)]


async def test_an_article_that_kills_its_job_is_given_up(newsroom):
    """The row's attempts count up; beyond them the feed's text is taken without touching the page."""
    newsroom.feed("courier", ("Ceasefire", "/truce"))
    newsroom.server.route("/truce", page("Ceasefire"))
    await newsroom.declare("courier")
    get = newsroom.context.fetcher.get

    async def buggy(url, **given):
        if "truce" in url:
            raise ZeroDivisionError
        return await get(url, **given)

    newsroom.context.fetcher = type("Buggy", (), {"get": staticmethod(buggy)})()
    crashes = 0
    for _ in range(12):
        try:
            await newsroom.settle(minutes=6)
        except ZeroDivisionError:
            crashes += 1
    assert crashes == DEATHS
    assert len(newsroom.shown()) == 1


@pytest.mark.parametrize(("part", "deaths"), [("fetcher", 0), ("starting", 0), ("offload", 1)])
async def test_only_what_is_taken_apart_when_the_process_dies_is_suspected(
    newsroom, monkeypatch, part, deaths
):
    """Not what is only fetched, or waits for workers: of that there is much at any time."""
    newsroom.feed("courier", ("Ceasefire", "/truce"))
    newsroom.server.route("/truce", page("Ceasefire"))
    await newsroom.declare("courier")
    await newsroom.work(Kind.POLL)

    class Death(BaseException):
        """None of our code goes on after it."""

    class Dying:
        async def ready(self):
            if part == "starting":
                raise Death

        async def run(self, *_, **__):
            raise Death

        get = run

    monkeypatch.setattr(newsroom.context, "fetcher" if part == "fetcher" else "offload", Dying())
    with pytest.raises(Death):
        await newsroom.work(Kind.INGEST)
    later = newsroom.clock.now() + newsroom.context.lease
    [pending] = await newsroom.store.write(lambda tx: claimed_everywhere(tx, later, newsroom))
    assert pending.deaths == deaths


async def test_a_site_is_not_blamed_for_the_deaths_of_the_process(newsroom):
    """A page that is refused once, after the process died over it four times, is asked for again."""
    newsroom.feed("courier", ("Ceasefire", "/truce"))
    newsroom.server.route("/truce", [Reply(status=503), page("Ceasefire")])
    await newsroom.declare("courier")
    await newsroom.work(Kind.POLL)

    def dies(tx):
        for pending in claimed_everywhere(tx, newsroom.clock.now(), newsroom):
            tx.suspect_article(pending.id, pending.deaths + 1)
        tx.release_leases()

    for _ in range(4):
        await newsroom.store.write(dies)
    await newsroom.settle(seconds=QUARANTINE.total_seconds())
    await newsroom.settle(minutes=2)
    trace = await state_of(newsroom, "/truce")
    assert (trace.state, trace.attempts) == (ArticleState.DONE, 2)


async def test_two_suspects_are_never_taken_apart_at_once(newsroom, monkeypatch):
    """Nor soon after a start: an innocent one would be beside the guilty one each time."""
    newsroom.feed("courier", ("Ceasefire", "/truce"), ("Cats", "/cats"))
    feed = newsroom.server.route_of("/courier.xml")
    here = newsroom.server.url("/cats")
    cats = here.replace("127.0.0.1", "localhost")  # of another host: neither waits for the other
    newsroom.server.route("/courier.xml", replace(feed, body=feed.body.replace(here, cats)))
    for path in ("/truce", "/cats"):
        newsroom.server.route(path, page(path, report_from(path)))
    await newsroom.declare("courier")
    await newsroom.work(Kind.POLL)
    meeting, met = asyncio.Barrier(2), []
    pool = newsroom.context.offload

    class Meeting:
        ready = pool.ready

        async def run(self, *call, timeout):
            with suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await meeting.wait()
                    met.append(call)
            return await pool.run(*call, timeout=timeout)

    def dies(tx):
        for pending in claimed_everywhere(tx, newsroom.clock.now(), newsroom):
            tx.suspect_article(pending.id, SUSPECT)
        tx.release_leases()

    await newsroom.store.write(dies)
    monkeypatch.setattr(newsroom.context, "offload", Meeting())
    await newsroom.settle()
    assert (await state_of(newsroom, "/truce")).state is ArticleState.NEW
    newsroom.clock.advance(seconds=QUARANTINE.total_seconds())
    jobs = await newsroom.store.read(lambda tx: tx.due_jobs(newsroom.clock.now()))
    await asyncio.gather(*map(newsroom.pipeline.run, jobs))
    assert not met
    found = [await newsroom.reports.trace(url) for url in (newsroom.server.url("/truce"), cats)]
    assert [each.source for each in found] == ["page", "page"]


async def test_debounced_edits_do_not_flood(newsroom):
    """Ten outlets within seconds: one post, one edit."""
    newsroom.rules(debounce=timedelta(seconds=30))
    names = [f"outlet{number}" for number in range(10)]
    newsroom.server.route("/truce", page("Guns fall silent"))
    for number, name in enumerate(names):
        newsroom.feed(name, ("Guns fall silent", f"/truce?utm_source={number}"))
    for number in range(1, 11):
        await newsroom.declare(*names[:number])
        await newsroom.settle(seconds=1)
    await newsroom.settle(minutes=1)
    assert (newsroom.sink.posts, newsroom.sink.updates) == (1, 1)
    assert len(newsroom.shown()[0].also) == 9
