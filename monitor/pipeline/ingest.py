"""Ingest: a new article gets its text, its story and its hits, in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
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
)
from monitor.pipeline.context import BATCH, Context, work_by_host
from monitor.pipeline.group import Marks, group, marks_of
from monitor.ports import NotModified, Transaction
from monitor.stories.urls import host_of

log = telemetry.get_logger()

PAGE_ACCEPT = "text/html, application/xhtml+xml, */*;q=0.1"
EXTRACT_SECONDS = 10.0
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
        # beside the event loop: milliseconds, and seconds for what is made to be slow
        read = await asyncio.to_thread(_read, pending, page_url, extraction, rules)
        save = partial(
            _save_ingest,
            pending=pending,
            read=read,
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
        telemetry.HITS.inc(len(read.hits))
        telemetry.INGEST_SECONDS.observe(seconds)
        log.info(
            "article.ingested",
            url=pending.link or pending.url,
            publisher=pending.feed.publisher,
            status=outcome,
            words=len(read.content.body.split()),
            hits=[hit.watch for hit in read.hits],
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """An article as it was read: all that needs no database."""

    content: Article
    marks: Marks
    hits: Sequence[Hit]


def _read(
    pending: PendingArticle, page_url: str | None, extraction: Extraction | None, rules: Rules
) -> _Read:
    content = compose_article(pending, page_url, extraction)
    hits = rules.matcher.match(compose_document(content, pending.feed))
    marks = marks_of(
        content,
        first_seen_at=pending.first_seen_at,
        matched=bool(hits),
        frequencies=rules.frequencies,
    )
    content = replace(content, text_hash=marks.fingerprint.exact)
    return _Read(content=content, marks=marks, hits=hits)


def _save_ingest(
    tx: Transaction,
    *,
    pending: PendingArticle,
    read: _Read,
    error: WorkError | None,
    now: datetime,
    rules: Rules,
) -> str:
    """Article, story, hits and deliveries in one transaction; returns how the ingest ended."""
    content = read.content
    tx.lock_stories()
    known = tx.article_at(content.url)
    if known is not None and known.article != pending.id:
        if tx.place_of(pending.id).fixed or tx.told_apart(pending.id, known.article):
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
    placed = group(tx, pending.id, read.marks, now=now, debounce=rules.debounce)
    tx.set_hits(pending.id, read.hits, now)
    old = why_not_news(
        content.published_at,
        first_seen_at=pending.first_seen_at,
        backlog=pending.backlog,
        max_age=rules.max_age,
    )
    if old is None:
        for channel in {rules.channel_of(hit.watch) or rules.default_channel for hit in read.hits}:
            if channel not in placed.shown_in:
                tx.want_delivery(placed.story, channel, now)
                tx.submit(Job(Kind.DELIVER, channel))
    return str(state)


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
