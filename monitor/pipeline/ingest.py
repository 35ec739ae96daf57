"""Ingest: a new article gets its text, its story and its hits, in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from monitor import polling, telemetry
from monitor.compose import Rules, compose_article, compose_document, why_not_news
from monitor.errors import Code, Permanent, Superseded, WorkError
from monitor.extract import extract_page
from monitor.model import (
    Article,
    ArticleState,
    Extraction,
    Hit,
    Job,
    Kind,
    PendingArticle,
    StoryId,
)
from monitor.pipeline.context import BATCH, Context, work_by_host
from monitor.ports import NotModified, Transaction
from monitor.stories.urls import host_of

log = telemetry.get_logger()

PAGE_ACCEPT = "text/html, application/xhtml+xml, */*;q=0.1"
EXTRACT_SECONDS = 10.0
TWIN_WINDOW = timedelta(days=14)
"""How long the same text is a copy of its first appearance."""
LONG_BODY = 10_000
"""Characters above which an article is read in a thread, to leave the event loop to others: matching
and hashing take 0.3 µs a character of English, and 10 µs of what is made to be slow."""
CRASHES = 3
"""An article that took its job down this often beyond its attempts is given up."""


class Ingest:
    """Ingests the due articles of a bucket."""

    def __init__(self, context: Context) -> None:
        self._with = context

    async def run(self, bucket: int) -> None:
        """Ingest every due article of a bucket."""
        articles = await self._with.store.write(
            lambda tx: tx.claim_articles(bucket, self._with.clock.now(), self._with.lease, BATCH)
        )
        await work_by_host(
            self._with,
            articles,
            lane=self._with.pages,
            host=lambda pending: host_of(pending.link) if pending.link else "",
            source=lambda pending: pending.feed.url,
            do=self._ingest_article,
            give_back=lambda rest: self._with.store.write(
                lambda tx: tx.release_articles([pending.id for pending in rest])
            ),
        )

    async def _ingest_article(self, pending: PendingArticle) -> None:
        began = self._with.clock.now()
        rules = self._with.rules
        page_url, extraction, error = await self._read_page(pending, rules)
        if max(len(pending.entry.text), len(extraction.body) if extraction else 0) > LONG_BODY:
            content, hits = await asyncio.to_thread(_read, pending, page_url, extraction, rules)
        else:
            content, hits = _read(pending, page_url, extraction, rules)
        save = partial(
            _save_ingest,
            pending=pending,
            content=content,
            hits=hits,
            error=error,
            now=self._with.clock.now(),
            rules=rules,
        )
        try:
            outcome = await self._with.store.write(save)
        except Superseded:
            outcome = "merged"
        seconds = (self._with.clock.now() - began).total_seconds()
        telemetry.ARTICLES.labels(outcome).inc()
        telemetry.HITS.inc(len(hits))
        telemetry.INGEST_SECONDS.observe(seconds)
        log.info(
            "article.ingested",
            url=pending.link or pending.url,
            publisher=pending.feed.publisher,
            status=outcome,
            words=len(content.body.split()),
            hits=[hit.watch for hit in hits],
            seconds=round(seconds, 3),
            **({"error": f"{error.code}: {error.detail}"} if error else {}),
        )

    async def _read_page(
        self, pending: PendingArticle, rules: Rules
    ) -> tuple[str | None, Extraction | None, WorkError | None]:
        if pending.link is None:
            return None, None, None
        if pending.attempts > rules.page_attempts + CRASHES:
            return None, None, Permanent(Code.KILLED, "gave up after repeated crashes")
        page_url = None
        try:
            page = await self._with.fetcher.get(
                pending.link, accept=PAGE_ACCEPT, max_bytes=rules.max_page
            )
            if isinstance(page, NotModified):  # nothing conditional was asked
                raise Permanent(Code.PROTOCOL, "answered 304 to an unconditional request")
            page_url = page.url
            extraction = await self._with.offload.run(
                partial(extract_page, url=page.url, content_type=page.content_type),
                page.body,
                timeout=EXTRACT_SECONDS,
            )
        except WorkError as error:
            return page_url, None, error
        return page_url, extraction, None


def _read(
    pending: PendingArticle, page_url: str | None, extraction: Extraction | None, rules: Rules
) -> tuple[Article, Sequence[Hit]]:
    """The article, and what matches it."""
    content = compose_article(pending, page_url, extraction)
    return content, rules.matcher.match(compose_document(content, pending.feed))


def _save_ingest(
    tx: Transaction,
    *,
    pending: PendingArticle,
    content: Article,
    hits: Sequence[Hit],
    error: WorkError | None,
    now: datetime,
    rules: Rules,
) -> str:
    """Article, story, hits and deliveries in one transaction; returns how the ingest ended."""
    tx.lock_stories()
    known = tx.article_at(content.url)
    if known is not None and known.article != pending.id:
        if not _may_join(tx, pending) or tx.told_apart(pending.id, known.article):
            content = replace(content, url=pending.url)  # it stays itself
        else:
            tx.merge_article(pending.id, into=known.article)
            if known.story is not None:
                tx.refresh_deliveries(known.story, now + rules.debounce)
            if known.source != "feed" or content.source != "page":
                return "merged"
            # the page that the other could not have: its text is the better one
            pending = replace(pending, id=known.article, url=content.url)

    state, due_at = _state_after(content, error, pending, now, rules)
    tx.save_article(
        pending.id,
        content,
        state=state,
        now=now,
        due_at=due_at,
        error_code=str(error.code) if error else None,
        error_detail=error.detail if error else None,
    )
    if pending.state is ArticleState.PARTIAL and content.source == "feed":
        return str(state)  # the page is still not to be had: nothing new was learnt
    story, shown_in = _decide_story(tx, pending, content, now, rules)
    tx.set_hits(pending.id, hits, now)
    old = why_not_news(
        content.published_at,
        first_seen_at=pending.first_seen_at,
        backlog=pending.backlog,
        max_age=rules.max_age,
    )
    if old is None:
        for channel in {rules.channel_of(hit.watch) or rules.default_channel for hit in hits}:
            if channel not in shown_in:
                tx.want_delivery(story, channel, now)
                tx.submit(Job(Kind.DELIVER, channel))
    return str(state)


def _decide_story(
    tx: Transaction, pending: PendingArticle, content: Article, now: datetime, rules: Rules
) -> tuple[StoryId, Sequence[str]]:
    """The article's story, and the channels that show it and will be edited because it grew."""
    story = tx.story_of(pending.id)
    if story is not None and not _may_join(tx, pending):
        return story, ()
    if content.text_hash:
        twin = tx.twin_of(content.text_hash, now - TWIN_WINDOW, pending.id)
        if (
            twin is not None
            and twin.story is not None
            and twin.story != story
            and not tx.told_apart(pending.id, twin.article)
        ):
            tx.put_in_story(pending.id, twin.story, copy_of=twin.article)
            return twin.story, tx.refresh_deliveries(twin.story, now + rules.debounce)
    if story is None:
        story = tx.new_story(now)
        tx.put_in_story(pending.id, story, copy_of=None)
    return story, ()


def _may_join(tx: Transaction, pending: PendingArticle) -> bool:
    """Whether an article can still become part of another story: alone in its own, nobody told."""
    story = tx.story_of(pending.id)
    if story is None:
        return True
    view = tx.story_view(story)
    return len(view.articles) == 1 and not view.articles[0].hits


def _state_after(
    content: Article,
    error: WorkError | None,
    pending: PendingArticle,
    now: datetime,
    rules: Rules,
) -> tuple[ArticleState, datetime | None]:
    if content.source == "page" or pending.link is None:
        return ArticleState.DONE, None
    if error is not None:
        due_at = polling.page_retry(now, error, pending.attempts, rules.page_attempts)
        if due_at is not None:
            return ArticleState.PARTIAL, due_at
    return (ArticleState.DONE if content.body else ArticleState.FAILED), None
