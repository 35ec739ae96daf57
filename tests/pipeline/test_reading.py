"""What is read a second time: what sites repeat, what feeds change, what rolling pages add."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from monitor.engine.pool import ProcessPool
from monitor.fetch import HttpFetcher
from monitor.match import compile_watches
from monitor.model import Article, ArticleState, FeedSpec, Hit, Kind, Span, Watch
from monitor.pipeline.reading import LONGEST, _cut_to_length
from tests.fakes import FakeClock
from tests.pipeline.conftest import CHANNEL, PARAGRAPHS, TRUCE, Newsroom, page, report_from
from tests.webserver import Reply, WebServer

FOOTER = "The Courier is printed in the valley, and has hoped for a ceasefire since 1931."
KASHMIR = Watch(name="Kashmir", terms=("Kashmir",), channel="#asia")


@pytest.fixture
async def newsroom(store) -> AsyncIterator[Newsroom]:
    """A newsroom on each kind of database."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(WebServer())
        pool = await stack.enter_async_context(ProcessPool(workers=1))
        fetcher = await stack.enter_async_context(
            HttpFetcher(
                clock=FakeClock(), user_agent="monitor/test", timeout=5, allow=("127.0.0.1",)
            )
        )
        yield Newsroom(store, server, pool, fetcher)


async def trace_of(newsroom: Newsroom, path: str):
    trace = await newsroom.reports.trace(newsroom.server.url(path))
    assert trace is not None
    return trace


# --------------------------------------------------------------------------- what sites repeat


async def list_with_footer(newsroom: Newsroom, numbers, *, name: str = "courier", text: str = ""):
    """Articles of one host, one after the other, all with the same paragraph at their end."""
    await newsroom.declare(name)
    for number in numbers:
        path = f"/{name}{number}"
        newsroom.feed(name, (f"Item {number} of {name}", path), text=text)
        newsroom.server.route(
            path, page(f"Item {number} of {name}", report_from(f"{name}{number}"), FOOTER)
        )
        await newsroom.settle(minutes=6)


async def test_what_stood_in_three_others_is_not_read(newsroom):
    """The first three alert, which is a known limit; from then on it is the site's, and said so."""
    await list_with_footer(newsroom, range(5))
    traces = [await trace_of(newsroom, f"/courier{number}") for number in range(5)]
    assert [bool(trace.hits) for trace in traces] == [True, True, True, False, False]
    assert [trace.furniture for trace in traces] == [(), (), (), (FOOTER,), (FOOTER,)]
    assert FOOTER not in traces[3].body
    assert "wordcourier30 " in traces[3].body


async def test_what_was_seen_long_ago_is_forgotten(newsroom):
    """Thirty days later it is a paragraph like any other."""
    await list_with_footer(newsroom, range(3))
    newsroom.clock.advance(days=31)
    await list_with_footer(newsroom, range(3, 5))
    assert (await trace_of(newsroom, "/courier3")).furniture == ()


async def test_the_same_article_again_counts_once(newsroom):
    """Read three times, it has still stood in one article."""
    await list_with_footer(newsroom, [0])
    for number in range(3):
        newsroom.feed("courier", (f"Item 0 of courier, {number}", "/courier0"))
        await newsroom.settle(hours=2)
    await list_with_footer(newsroom, [1])
    assert (await trace_of(newsroom, "/courier1")).furniture == ()


async def test_copies_do_not_make_each_other_furniture(newsroom):
    """One text under five URLs of its site is published five times, and repeats nothing."""
    newsroom.server.route("/a*", page("Guns fall silent"))
    names = [f"courier{number}" for number in range(5)]
    for number, name in enumerate(names):
        newsroom.feed(name, ("Guns fall silent", f"/a{number}"))
    await newsroom.declare(*names)
    await newsroom.settle()
    traces = [await trace_of(newsroom, f"/a{number}") for number in range(5)]
    assert sum(trace.copy_of is not None for trace in traces) == 4
    assert [trace.furniture for trace in traces] == [()] * 5
    newsroom.feed("courier0", ("The bridges", "/b"))
    newsroom.server.route("/b", page("The bridges", report_from("b"), PARAGRAPHS[0]))
    await newsroom.settle(minutes=6)
    assert (await trace_of(newsroom, "/b")).furniture == ()


async def test_what_the_feed_says_of_an_article_is_its_own(newsroom):
    """A site shows the beginning of an article on other pages before that one is read."""
    teaser = PARAGRAPHS[0]
    await newsroom.declare("courier")
    for number in range(4):
        newsroom.server.route(f"/x{number}", page(f"X{number}", report_from(f"x{number}"), teaser))
        newsroom.feed("courier", (f"X{number}", f"/x{number}"))
        await newsroom.settle(minutes=6)
    assert (await trace_of(newsroom, "/x3")).furniture == (teaser,)
    newsroom.server.route("/truce", page("Guns fall silent", *PARAGRAPHS, report_from("t")))
    newsroom.feed("courier", ("Guns fall silent", "/truce"), text=teaser[:100] + "…")
    await newsroom.settle(minutes=6)
    trace = await trace_of(newsroom, "/truce")
    assert (trace.furniture, len(trace.hits)) == ((), 1)


async def test_nobodys_feed_speaks_for_another_site(newsroom):
    """It lists pages that are not there, with paragraphs of another's for their text."""
    await newsroom.declare("courier")
    spec = FeedSpec(
        url=newsroom.server.url("/spite.xml").replace("127.0.0.1", "localhost"),
        name="spite",
        publisher="Spite",
    )
    await newsroom.store.write(lambda tx: tx.sync_feeds([spec], newsroom.clock.now()))
    for number in range(4):
        newsroom.feed("spite", (f"X{number}", f"/x{number}"), text=PARAGRAPHS[0])
        newsroom.server.route(f"/x{number}", Reply(status=410))
        await newsroom.settle(minutes=6)
    assert len((await trace_of(newsroom, "/x3")).sightings) == 1
    newsroom.server.route("/truce", page("Guns fall silent", *PARAGRAPHS, report_from("t")))
    newsroom.feed("courier", ("Guns fall silent", "/truce"), text=PARAGRAPHS[0])
    await newsroom.declare("courier")
    await newsroom.settle(minutes=6)
    trace = await trace_of(newsroom, "/truce")
    assert (trace.furniture, len(trace.hits)) == ((), 1)


async def test_a_site_has_a_bounded_memory(newsroom):
    """Of a paragraph the newest four articles are kept; what is old goes, a part at a time."""
    await list_with_footer(newsroom, range(8))
    store, now = newsroom.store, newsroom.clock.now()

    def count(connection):
        return connection.exec_driver_sql(
            "SELECT count(*), max(n) FROM"
            " (SELECT count(*) AS n FROM site_paragraph GROUP BY hash) AS each_hash"
        ).one()

    hashes, most = await store.query(count)
    assert (hashes, most) == (9, 4)
    for part in range(1024):
        at = now + timedelta(minutes=part)
        assert await store.write(lambda tx, at=at: tx.forget_paragraphs(at)) == 0
    later = now + timedelta(days=32)
    gone = [
        await store.write(
            lambda tx, part=part: tx.forget_paragraphs(later + timedelta(minutes=part))
        )
        for part in range(1024)
    ]
    assert (sum(gone), (await store.query(count))[0]) == (12, 0)


# --------------------------------------------------------------------------- revisions


async def revise(newsroom: Newsroom, title: str, *paragraphs: str, text: str = "", **later):
    """The feed lists the page under this headline, and the page says this."""
    newsroom.server.route("/truce", page(title, *paragraphs))
    newsroom.feed("courier", (title, "/truce"), text=text)
    await newsroom.settle(**later)


CALM = [text.replace("ceasefire", "pause") for text in PARAGRAPHS]


async def test_a_known_url_with_new_words_is_a_revision(newsroom):
    """Its page is read again, the former text is kept, and a hit that is new by it is told."""
    await newsroom.declare("courier")
    await revise(newsroom, "Guns fall silent", *CALM)
    assert newsroom.shown() == []
    first = await trace_of(newsroom, "/truce")
    await revise(newsroom, "A ceasefire, they say", *PARAGRAPHS, minutes=20)
    trace = await trace_of(newsroom, "/truce")
    assert (trace.story, trace.title, trace.state) == (
        first.story,
        "A ceasefire, they say",
        ArticleState.DONE,
    )
    [old] = trace.revisions
    assert (old.title, old.body, old.replaced_at) == (first.title, first.body, newsroom.clock.now())
    assert newsroom.sink.posts == 1
    [span, *_] = [span for span in trace.hits[0].spans if span.field == "body"]
    assert trace.body[span.start : span.end] == "ceasefire"


@pytest.mark.parametrize("is_known", [False, True])
async def test_what_a_feed_says_anew_during_a_reading_is_read_later(newsroom, is_known):
    """An edit that comes between claim and result is not lost, the first time or later."""
    newsroom.feed("courier", ("Ceasefire: 12 killed", "/truce"))
    newsroom.server.route("/truce", page("Ceasefire: 12 killed"))
    await newsroom.declare("courier")
    if is_known:
        await newsroom.settle()
        newsroom.feed("courier", ("Ceasefire: 13 killed", "/truce"))
    await newsroom.work(Kind.POLL, minutes=15)

    async def edited_meanwhile(_):
        newsroom.feed("courier", ("Ceasefire: 14 killed", "/truce"))
        newsroom.clock.advance(minutes=6)
        await newsroom.work(Kind.POLL)
        newsroom.server.route("/truce", page("Ceasefire: 14 killed"))
        return page("Ceasefire: 13 killed")

    newsroom.server.route("/truce", edited_meanwhile)
    await newsroom.work(Kind.INGEST)
    await newsroom.settle(minutes=30)
    await newsroom.settle(minutes=1)
    assert newsroom.shown()[0].headline == "Ceasefire: 14 killed"


async def test_an_edit_is_no_alert_by_itself(newsroom):
    """The watch had told of it: nothing is posted; another headline is shown, another text not."""
    await newsroom.declare("courier")
    await revise(newsroom, "Guns fall silent", *PARAGRAPHS)
    await revise(newsroom, "Guns fall silent", "News.", *PARAGRAPHS, text="News.", minutes=20)
    assert len((await trace_of(newsroom, "/truce")).revisions) == 1
    await newsroom.settle(minutes=1)
    assert (newsroom.sink.posts, newsroom.sink.updates) == (1, 0)
    await revise(newsroom, "Guns silent at last", "News.", *PARAGRAPHS, text="News.", minutes=20)
    await newsroom.settle(minutes=1)
    assert (newsroom.sink.posts, newsroom.sink.updates) == (1, 1)
    assert newsroom.shown()[0].headline == "Guns silent at last"


async def test_a_retraction_is_shown_where_the_report_was(newsroom):
    """It has no word of the watch any more, and is what its readers should see."""
    await newsroom.declare("courier")
    await revise(newsroom, "Ceasefire agreed", *PARAGRAPHS)
    await revise(newsroom, "RETRACTED: our report of Saturday", *CALM, minutes=20)
    await newsroom.settle(minutes=1)
    alert, reply = newsroom.shown()
    assert (alert.headline, alert.watches, alert.terms) == (
        "RETRACTED: our report of Saturday",
        ("Truce",),
        (),
    )
    trace = await trace_of(newsroom, "/truce")
    assert [(hit.watch, hit.spans) for hit in trace.hits] == [("Truce", ())]
    assert (newsroom.sink.posts, reply.title) == (2, "Retracted")


@pytest.mark.parametrize(("status", "tries"), [(410, 1), (404, 5), (503, 5)])
async def test_a_page_that_is_taken_down_is_told(newsroom, status, tries):
    """At once where it is gone for good, after the last try where it was not found; once."""
    await newsroom.declare("courier")
    await revise(newsroom, "Ceasefire agreed", *PARAGRAPHS, text="It is so.")
    newsroom.server.route("/truce", Reply("", status=status))
    newsroom.feed("courier", ("Ceasefire agreed", "/truce"), text="It is not so.")
    for _ in range(tries + 3):
        await newsroom.settle(hours=3)
    replies = [each.title for each in newsroom.shown()[1:]]
    assert replies == ([f"The page is gone ({status})"] if status < 500 else [])
    assert (await trace_of(newsroom, "/truce")).body  # what it said is kept


async def test_another_watch_that_hits_by_an_edit_is_told(newsroom):
    """In its own channel, and the first one's message stays as it is."""
    await newsroom.declare("courier")
    watches = (TRUCE, KASHMIR)
    await newsroom.store.write(lambda tx: tx.sync_watches(watches, newsroom.clock.now()))
    newsroom.rules(watches=watches, matcher=compile_watches(watches))
    await revise(newsroom, "Guns fall silent", *PARAGRAPHS)
    await revise(newsroom, "Guns fall silent in Kashmir", *PARAGRAPHS, minutes=20)
    assert len(newsroom.sink.messages("#asia")) == 1
    assert len(newsroom.shown()) == 1


@pytest.mark.parametrize(
    ("title", "text", "asked"),
    [
        ("Guns fall silent", "It is quiet.", 1),
        ("Guns  fall\nsilent", "It  is quiet.", 1),
        ("Guns fall silent", "It is loud.", 2),
    ],
)
async def test_a_feed_that_says_the_same_asks_for_nothing(newsroom, title, text, asked):
    """White space is no news; where the page says the same, nothing is kept."""
    await newsroom.declare("courier")
    await revise(newsroom, "Guns fall silent", *PARAGRAPHS, text="It is quiet.")
    newsroom.feed("courier", ("Guns fall silent", "/truce"), text=text)
    await newsroom.settle(minutes=20)
    await newsroom.settle(minutes=20)
    assert len(newsroom.server.to("/truce")) == asked
    trace = await trace_of(newsroom, "/truce")
    assert (trace.revisions, trace.due_at) == ((), None)


async def test_a_url_under_a_new_id_is_a_revision_too(newsroom):
    """Many systems make a new guid of each edit; the guid of these feeds is the headline."""
    await newsroom.declare("courier")
    await revise(newsroom, "Guns fall silent", *CALM)
    await revise(newsroom, "Guns fall silent: ceasefire", *CALM, minutes=20)
    trace = await trace_of(newsroom, "/truce")
    assert (trace.title, len(trace.revisions), len(trace.sightings)) == (
        "Guns fall silent: ceasefire",
        1,
        2,
    )


async def test_another_outlets_headline_is_no_revision(newsroom):
    """It lists the page under its own words: the publisher's stand."""
    await newsroom.declare("courier")
    await revise(newsroom, "Guns fall silent", *PARAGRAPHS)
    newsroom.feed("ledger", ("Truce!", "/truce"))
    await newsroom.declare("courier", "ledger")
    await newsroom.settle(minutes=20)
    assert (await trace_of(newsroom, "/truce")).revisions == ()
    assert len(newsroom.server.to("/truce")) == 1


@pytest.mark.slow
async def test_a_page_that_is_edited_all_the_time_is_read_now_and_then(newsroom):
    """Not before ten minutes have passed, then after a quarter of its age, and for three days."""
    await newsroom.declare("courier")
    for minute in range(0, 5 * 24 * 60, 10):
        newsroom.feed("courier", ("Guns fall silent", "/truce"), text=f"Comments: {minute}")
        newsroom.server.route("/truce", page("Guns fall silent"))
        await newsroom.settle(minutes=10)
    asked = newsroom.server.to("/truce")
    assert 15 <= len(asked) <= 25
    trace = await trace_of(newsroom, "/truce")
    assert (trace.due_at, trace.revisions) == (None, ())


async def test_a_page_that_is_gone_keeps_its_text(newsroom):
    """A new headline counts; what the page said stands, though it can't be had now."""
    await newsroom.declare("courier")
    await revise(newsroom, "Guns fall silent", *PARAGRAPHS)
    first = await trace_of(newsroom, "/truce")
    newsroom.server.route("/truce", Reply(status=410))
    newsroom.feed("courier", ("Guns fall silent: updated", "/truce"), text="Gone.")
    await newsroom.settle(minutes=20)
    trace = await trace_of(newsroom, "/truce")
    assert (trace.title, trace.body, trace.source) == (
        "Guns fall silent: updated",
        first.body,
        "page",
    )
    assert (trace.state, trace.due_at) == (ArticleState.DONE, None)


async def test_a_page_that_is_locked_later_keeps_its_text(newsroom):
    """What stands where the article was says less than it did; a new headline counts."""
    await newsroom.declare("courier")
    await revise(newsroom, "Guns fall silent", *PARAGRAPHS)
    first = await trace_of(newsroom, "/truce")
    for number, wall in enumerate((CONSENT, locked(PARAGRAPHS[0])), 1):
        newsroom.server.route("/truce", wall)
        newsroom.feed("courier", (f"Guns fall silent: {number}", "/truce"), text=PARAGRAPHS[0][:60])
        await newsroom.settle(hours=1)
        trace = await trace_of(newsroom, "/truce")
        assert (trace.title, trace.body) == (f"Guns fall silent: {number}", first.body)
        assert (trace.source, trace.hits) == ("page", first.hits)


async def test_an_edited_page_that_can_not_be_had_is_asked_again(newsroom):
    """It says now what a watch looks for; the server was in trouble for a while."""
    await newsroom.declare("courier")
    await revise(newsroom, "Guns fall silent", *CALM)
    newsroom.server.route("/truce", Reply(status=503))
    newsroom.feed("courier", ("Guns fall silent", "/truce"), text="There is more to it.")
    await newsroom.settle(minutes=20)
    newsroom.server.route("/truce", page("Guns fall silent", *PARAGRAPHS))
    await newsroom.settle(minutes=2)
    trace = await trace_of(newsroom, "/truce")
    assert (len(trace.hits), newsroom.sink.posts, trace.due_at) == (1, 1, None)


async def test_an_edited_page_that_stays_away_is_asked_a_few_times(newsroom):
    """As often as a new one."""
    await newsroom.declare("courier")
    await revise(newsroom, "Guns fall silent", *CALM)
    newsroom.server.route("/truce", Reply(status=503))
    newsroom.feed("courier", ("Guns fall silent", "/truce"), text="There is more to it.")
    for _ in range(10):
        await newsroom.settle(hours=3)
    assert len(newsroom.server.to("/truce")) == 1 + newsroom.context.rules.page_attempts
    assert (await trace_of(newsroom, "/truce")).due_at is None


async def test_an_agencys_report_stays_the_agencys(newsroom):
    """Under another headline, while its page can't be had."""
    await newsroom.declare("courier")
    wire = f"VARSK, May 10 (Reuters) - {PARAGRAPHS[0]}"
    await revise(newsroom, "Guns fall silent", wire)
    story = (await trace_of(newsroom, "/truce")).story
    newsroom.server.route("/truce", Reply(status=410))
    newsroom.feed("courier", ("Guns are silent", "/truce"))
    await newsroom.settle(minutes=20)
    [article] = (await newsroom.store.read(lambda tx: tx.story_view(story))).articles
    assert (article.title, article.agency) == ("Guns are silent", "Reuters")


# --------------------------------------------------------------------------- rolling pages


def rolling(title: str, **updates: str) -> Reply:
    """A live blog: what it says first, and its updates, the newest on top."""
    newest_first = [*reversed([("start", START), *updates.items()])]
    rows = "".join(
        f"<div class='update' id='{key}'><p>{text}</p></div>" for key, text in newest_first
    )
    stated = {
        "@context": "https://schema.org",
        "@type": "LiveBlogPosting",
        "headline": title,
        "liveBlogUpdate": [
            {"@type": "BlogPosting", "@id": f"#{key}", "articleBody": text}
            for key, text in newest_first
        ],
    }
    return Reply(
        f'<html lang="en"><head><title>{title}</title>'
        f'<script type="application/ld+json">{json.dumps(stated)}</script></head><body><article>'
        f"<h1>{title}</h1><p>{INTRO}</p>{rows}</article></body></html>",
        headers={"Content-Type": "text/html; charset=utf-8"},
    )


INTRO = "All that happens along the line today, as it comes, from our people there."
START = "Good morning. Our reporters are at the bridge and in the capital, and will be all day."
QUIET = "At the northern end of the valley the night was quiet, our reporter says from the bridge."
TALKS = "The directors of operations speak on the line at noon, a spokesman in the capital says."
DEAL = "They have agreed to a ceasefire from five in the afternoon, both ministries say now."
AGAIN = "Shots were heard after the ceasefire began, a resident of the border town tells us."


async def test_each_update_of_a_rolling_page_is_matched_once(newsroom):
    """The body grows at its end, spans stay valid, and a later hit edits the message."""
    newsroom.server.route("/live", rolling("Live: the line", a=QUIET, b=TALKS))
    newsroom.feed("courier", ("Live: the line", "/live"))
    await newsroom.declare("courier")
    await newsroom.settle()
    trace = await trace_of(newsroom, "/live")
    assert trace.body == f"{INTRO}\n\n{START}\n\n{QUIET}\n\n{TALKS}"
    assert (trace.updates, trace.hits) == (3, ())
    assert trace.due_at is not None

    newsroom.server.route("/live", rolling("Live: the line", a=QUIET, b=TALKS, c=DEAL))
    await newsroom.settle(minutes=6)
    first = trace.body
    trace = await trace_of(newsroom, "/live")
    assert trace.body == f"{first}\n\n{DEAL}"
    assert (newsroom.sink.posts, trace.updates, trace.revisions) == (1, 4, ())

    # an edit of an old update is not new, nor is the same page again
    newsroom.server.route("/live", rolling("Live: the line", a=QUIET, b=AGAIN, c=DEAL))
    await newsroom.settle(minutes=6)
    assert (await trace_of(newsroom, "/live")).body == trace.body
    assert (newsroom.sink.posts, newsroom.sink.updates) == (1, 0)

    newsroom.server.route("/live", rolling("Live: the line", b=TALKS, c=DEAL, d=AGAIN))
    await newsroom.settle(minutes=20)
    trace = await trace_of(newsroom, "/live")
    [hit] = trace.hits
    assert [trace.body[span.start : span.end] for span in hit.spans] == ["ceasefire"] * 2
    assert hit.spans[1].start == trace.body.index(AGAIN) + AGAIN.index("ceasefire")
    assert newsroom.sink.posts == 1
    assert newsroom.sink.updates >= 1


async def test_a_new_update_of_an_old_page_is_news(newsroom):
    """The page was listed before its feed was watched, and is nobody's alert; what comes is."""
    newsroom.rules(max_age=timedelta(hours=24))
    newsroom.server.route("/live", rolling("Live: ceasefire", a=QUIET, b=DEAL))
    newsroom.feed("courier", ("Live: ceasefire", "/live"), date=False)
    await newsroom.declare("courier")
    await newsroom.settle()
    assert (len((await trace_of(newsroom, "/live")).hits), newsroom.sink.posts) == (1, 0)
    newsroom.server.route("/live", rolling("Live: ceasefire", a=QUIET, b=DEAL, c=TALKS))
    await newsroom.settle(minutes=6)
    assert newsroom.sink.posts == 0
    newsroom.server.route("/live", rolling("Live: ceasefire", a=QUIET, b=DEAL, c=TALKS, d=AGAIN))
    await newsroom.settle(minutes=6)
    assert newsroom.sink.posts == 1


async def test_a_rolling_pages_headline_does_not_speak_again(newsroom):
    """It hits once; updates without a word of the watch are nothing new to it."""
    newsroom.server.route("/live", rolling("Live: ceasefire", a=QUIET))
    newsroom.feed("courier", ("Live: ceasefire", "/live"))
    await newsroom.declare("courier")
    await newsroom.settle()
    newsroom.server.route("/live", rolling("Live: ceasefire", a=QUIET, b=TALKS))
    await newsroom.settle(minutes=6)
    await newsroom.settle(minutes=6)
    trace = await trace_of(newsroom, "/live")
    assert (trace.updates, newsroom.sink.posts, newsroom.sink.updates) == (3, 1, 0)
    assert [span.field for span in trace.hits[0].spans] == ["title"]


async def test_a_rolling_page_under_another_headline_keeps_its_hits(newsroom):
    """What was told stands; marks in the headline are those of the headline as it is."""
    newsroom.server.route("/live", rolling("Live: ceasefire", a=QUIET, b=DEAL))
    newsroom.feed("courier", ("Live: ceasefire", "/live"))
    await newsroom.declare("courier")
    await newsroom.settle()
    newsroom.feed("courier", ("Live: what we know of the ceasefire", "/live"))
    await newsroom.settle(minutes=11)
    await newsroom.settle(minutes=11)
    trace = await trace_of(newsroom, "/live")
    texts = {"title": trace.title, "body": trace.body}
    found = [texts[span.field][span.start : span.end] for span in trace.hits[0].spans]
    assert found == ["ceasefire", "ceasefire"]
    assert [old.title for old in trace.revisions] == ["Live: ceasefire"]
    assert trace.revisions[0].body is None
    assert newsroom.sink.posts == 1


async def test_a_page_that_rolls_no_more_is_left(newsroom):
    """After a day without an update nobody asks; until then about twenty times."""
    newsroom.server.route("/live", rolling("Live: the line", a=QUIET))
    newsroom.feed("courier", ("Live: the line", "/live"))
    await newsroom.declare("courier")
    for _ in range(2 * 24 * 4):
        await newsroom.work(Kind.INGEST, Kind.POLL, minutes=15)
    assert (await trace_of(newsroom, "/live")).due_at is None
    assert 10 <= len(newsroom.server.to("/live")) <= 30


async def test_a_rolling_page_that_can_not_be_had_is_asked_again(newsroom):
    """It keeps what it said, and goes on when it is back."""
    newsroom.server.route("/live", rolling("Live: the line", a=QUIET))
    newsroom.feed("courier", ("Live: the line", "/live"))
    await newsroom.declare("courier")
    await newsroom.settle()
    before = await trace_of(newsroom, "/live")
    newsroom.server.route("/live", Reply(status=503))
    await newsroom.settle(minutes=6)
    newsroom.server.route("/live", rolling("Live: the line", a=QUIET, b=DEAL))
    await newsroom.settle(minutes=20)
    trace = await trace_of(newsroom, "/live")
    assert trace.body == f"{before.body}\n\n{DEAL}"
    assert len(newsroom.sink.messages(CHANNEL)) == 1


def test_a_rolling_page_that_grows_too_long_loses_its_beginning():
    """At the end of a paragraph; spans go with it, and those that were cut off are no more."""
    body = "\n\n".join(["a" * 99, "b" * (LONGEST - 150), "c ceasefire", "d" * 60])
    at = body.index("ceasefire")
    spans = [Span(field="title", start=0, end=1, term="x")]
    spans += [Span(field="body", start=place, end=place + 9, term="x") for place in (5, at)]
    article = Article(url="u", title="t", body=body, source="page")
    cut, (hit,) = _cut_to_length(article, (Hit(watch="W", spans=tuple(spans)),))
    assert cut.body == body[101:]
    assert [span.field for span in hit.spans] == ["title", "body"]
    assert cut.body[hit.spans[1].start : hit.spans[1].end] == "ceasefire"
    assert _cut_to_length(cut, (hit,)) == (cut, (hit,))


# --------------------------------------------------------------------------- walls


def locked(*paragraphs: str) -> Reply:
    """What a site shows of an article to those who don't pay."""
    stated = {"@type": "NewsArticle", "headline": "Guns fall silent", "isAccessibleForFree": False}
    rows = "".join(f"<p>{text}</p>" for text in paragraphs)
    return Reply(
        '<html lang="en"><head><title>Guns fall silent</title>'
        f'<script type="application/ld+json">{json.dumps(stated)}</script></head><body><article>'
        f"<h1>Guns fall silent</h1>{rows}</article><div class='paywall'>"
        "<p>Subscribe to continue reading this article.</p></div></body></html>",
        headers={"Content-Type": "text/html; charset=utf-8"},
    )


CONSENT = Reply(
    "<html><head><title>Courier</title></head><body><div class='consent'>"
    "<p>We and our partners store and access data on your device, such as cookies.</p>"
    "<p>Accept all, or manage your preferences: see our privacy policy and legitimate interest.</p>"
    "</div></body></html>",
    headers={"Content-Type": "text/html"},
)
ROBOT = Reply(
    "<html><head><title>Just a moment...</title></head><body><div id='challenge-running'>"
    "<p>Checking your browser before you can read on. Please enable JavaScript.</p></div></body>"
    "</html>",
    headers={"Content-Type": "text/html"},
)
SHORT = "Readers ask us what a ceasefire would mean for their holidays by the sea."


@pytest.mark.parametrize(
    ("wall", "text", "code", "source", "asked"),
    [
        (locked(PARAGRAPHS[0]), SHORT, "paywall", "feed", 1),  # the feed's words are not in it
        (locked(PARAGRAPHS[0]), PARAGRAPHS[0][:60], "paywall", "page", 1),  # it goes on
        (locked(PARAGRAPHS[0]), " ".join(PARAGRAPHS), "paywall", "feed", 1),  # the feed says more
        (locked(PARAGRAPHS[0]), "", "paywall", "page", 1),  # it says nothing
        (CONSENT, SHORT, "consent", "feed", 1),
        (ROBOT, SHORT, "challenged", "feed", 5),  # tomorrow it may let us in
    ],
)
async def test_behind_a_wall_the_feeds_text_serves(newsroom, wall, text, code, source, asked):
    """The longer text of the article wins; why is said, and nobody knocks where nobody opens."""
    newsroom.server.route("/truce", wall)
    newsroom.feed("courier", ("Guns fall silent", "/truce"), text=text)
    await newsroom.declare("courier")
    for _ in range(8):
        await newsroom.settle(hours=3)
    trace = await trace_of(newsroom, "/truce")
    assert trace.error is not None
    assert (trace.error.partition(":")[0], trace.source) == (code, source)
    assert trace.body == (PARAGRAPHS[0] if source == "page" else text)
    assert (trace.state, trace.due_at) == (ArticleState.DONE, None)
    assert len(newsroom.server.to("/truce")) == asked
    assert newsroom.sink.posts == 1
