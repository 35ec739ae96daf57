"""Real bytes through the real service in this process: every corpus feed, and the seed article."""

from __future__ import annotations

import io
import json
from contextlib import asynccontextmanager
from datetime import timedelta
from html import escape
from pathlib import Path

import feedparser
import pytest

from alerts.memory import MemorySink
from monitor.config import Settings
from monitor.config.models import Alerts, Fetch, Monitor, Web
from monitor.errors import Code
from monitor.model import FeedSpec, FeedStatus, Kind, Watch
from monitor.service import assembled
from tests.journeys.newsroom import SEED_TERMS
from tests.webserver import Reply, WebServer

pytestmark = pytest.mark.timeout(120)

SEED = Watch(name="India–Pakistan ceasefire", terms=(*SEED_TERMS, "Bunyan un Marsoos"))


@asynccontextmanager
async def service(database: str, *feeds: FeedSpec):
    """The whole service over a database, alerting into memory; nothing runs by itself."""
    settings = Settings(
        monitor=Monitor(database=database),
        fetch=Fetch(allow=("127.0.0.0/8",), spacing=timedelta(0)),
        alerts=Alerts(max_age=None),
        web=Web(enabled=False),
        watches=(SEED,),
        feeds=feeds,
    )
    sink = MemorySink()
    async with assembled(settings, sink=sink) as wired:
        yield wired, sink


def feed(url: str, name: str) -> FeedSpec:
    return FeedSpec(url=url, name=name, publisher=name)


async def test_every_corpus_feed_is_read_or_refused_with_a_class(corpus, sqlite_url):
    """All 64 real feeds go through a poll; entries are counted against feedparser's own."""
    index = json.loads((corpus / "feeds" / "index.json").read_text(encoding="utf-8"))
    files = [corpus / "feeds" / row["file"] for row in index]
    assert len(files) == 64
    async with WebServer() as server:
        specs = []
        for path in files:
            kind = "application/feed+json" if path.suffix == ".json" else "text/xml"
            server.route(f"/{path.name}", Reply(path.read_bytes(), headers={"Content-Type": kind}))
            specs.append(feed(server.url(f"/{path.name}"), path.name))
        async with service(sqlite_url, *specs) as (wired, _):
            now = wired.clock.now()
            due = await wired.store.read(lambda tx: tx.due_jobs(now))
            polls = [job for job in due if job.kind is Kind.POLL]
            for _ in range(2):  # a batch is smaller than the corpus
                for job in polls:
                    await wired.pipeline.run(job)
            rows = {row.spec.name: row for row in await wired.reports.feeds()}
    assert len(rows) == 64
    for path in files:
        row = rows[path.name]
        if row.status is FeedStatus.OK:
            assert row.entries == expected_entries(path), path.name
        else:
            assert row.error is not None
            assert row.error.split(":")[0] in set(Code), (path.name, row.error)
    assert sum(row.status is FeedStatus.OK for row in rows.values()) == 64


def expected_entries(path: Path) -> int:
    """What feedparser finds, each id once; a JSON Feed's items for what it can't read."""
    if path.suffix == ".json":
        return len(json.loads(path.read_text(encoding="utf-8"))["items"])
    entries = feedparser.parse(io.BytesIO(path.read_bytes()), sanitize_html=False).entries
    ids = {
        entry.get("id") or entry.get("link") or entry.get("title") or entry.get("summary")
        for entry in entries
    }
    return len(ids - {None, ""})


def blog_page(article: str) -> str:
    """The seed article as its site shows it: WordPress, with a form for comments below."""
    title, *paragraphs = [part.strip() for part in article.split("\n\n") if part.strip()]
    paragraphs = [text for text in paragraphs if text != "0"]
    body = "\n".join(f"<p>{escape(text)}</p>" for text in paragraphs)
    return f"""<!DOCTYPE html><html lang="en-US"><head><meta charset="utf-8">
<title>{escape(title)} - The Seed</title>
<meta property="og:title" content="{escape(title)}"></head>
<body class="post-template-default single single-post">
<header><nav><ul><li><a href="/">Home</a></li><li><a href="/world">World</a></li></ul></nav></header>
<main><article class="post"><header><h1 class="entry-title">{escape(title)}</h1></header>
<span class="comments-count">0</span><div class="entry-content">{body}</div></article>
<div id="comments" class="comments-area"><div id="respond" class="comment-respond">
<h3 id="reply-title" class="comment-reply-title">Leave a Reply</h3>
<form action="/wp-comments-post.php" method="post" id="commentform" class="comment-form">
<p class="comment-notes">Your email address will not be published. Required fields are marked *</p>
<p><label for="comment">Comment *</label><textarea id="comment" name="comment"></textarea></p>
<p><label for="author">Name *</label><input id="author" name="author"></p>
<p><input name="submit" type="submit" value="Post Comment"></p></form></div></div></main>
<footer><p>© The Seed</p></footer></body></html>"""


async def test_the_seed_article_arrives_whole_and_matches(corpus, database_url):
    """Body without the comment form; each term found, its spans on the original words; one alert."""
    text = (corpus / "seed_article.txt").read_text(encoding="utf-8")
    article, _, _ = text.partition("Leave a Reply")
    title = article.strip().splitlines()[0]
    async with WebServer() as server:
        link = server.url("/2025/05/ceasefire-secures-a-pause/")
        rss = (
            '<rss version="2.0"><channel><title>Seed</title><item>'
            f"<title>{escape(title)}</title><link>{link}?utm_source=feed</link>"
            "<description>A pause, not peace.</description></item></channel></rss>"
        )
        server.route("/feed", Reply(rss, headers={"Content-Type": "application/rss+xml"}))
        server.route(
            "/2025/05/ceasefire-secures-a-pause/",
            Reply(blog_page(article), headers={"Content-Type": "text/html; charset=UTF-8"}),
        )
        async with service(database_url, feed(server.url("/feed"), "Seed")) as (wired, sink):
            await wired.once()
            trace = await wired.reports.trace(link)
    assert trace is not None
    assert trace.title == title
    for furniture in ("Leave a Reply", "email address", "Required fields", "Post Comment", "Home"):
        assert furniture not in trace.body
    words = " ".join(trace.body.split())
    paragraphs = [" ".join(part.split()) for part in article.split("\n\n")[1:]]
    assert [part for part in paragraphs if part != "0" and part not in words] == []

    [hit] = trace.hits
    fields = {"title": trace.title, "body": trace.body}
    found = {(span.term, fields[span.field][span.start : span.end]) for span in hit.spans}
    assert found == {
        ("ceasefire", "Ceasefire"),
        ("ceasefire", "ceasefire"),
        ("Kashmir", "Kashmir"),
        ("Operation Sindoor", "Operation Sindoor"),
        ("Bunyan un Marsoos", "Bunyān un Marsoos"),
    }
    in_text = article.lower().count("ceasefire")
    assert sum(span.term == "ceasefire" for span in hit.spans) == in_text
    [alert] = sink.messages("terminal")
    assert alert.headline == title
    assert set(alert.terms) == set(SEED.terms)


async def test_a_worker_that_is_killed_costs_one_item(sqlite_url):
    """A page that hangs its parser is given up; the feed's own text serves and alerts."""
    slow = "<html><body>" + "<div " + " ".join(f'a{n}="{n}"' for n in range(150_000)) + ">x</div>"
    async with WebServer() as server:
        rss = (
            '<rss version="2.0"><channel><title>S</title>'
            f"<item><title>Ceasefire holds</title><link>{server.url('/slow')}</link></item>"
            "</channel></rss>"
        )
        server.route("/feed", Reply(rss, headers={"Content-Type": "application/rss+xml"}))
        server.route("/slow", Reply(slow, headers={"Content-Type": "text/html"}))
        async with service(sqlite_url, feed(server.url("/feed"), "Slow")) as (wired, sink):
            await wired.once()
            trace = await wired.reports.trace(server.url("/slow"))
            assert trace is not None
            assert trace.source == "feed"
            assert trace.error is not None
            assert trace.error.startswith(("killed", "no_text", "too_large"))
            assert len(sink.messages("terminal")) == 1
