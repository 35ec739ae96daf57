"""Ingest: a new article gets its text, its story and its hits, in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from monitor import polling, telemetry, tracing
from monitor.compose import Rules, why_not_news
from monitor.errors import Code, ParseError, Permanent, Superseded, WorkError
from monitor.extract import extract_page
from monitor.model import (
    Article,
    ArticleState,
    Extraction,
    PendingArticle,
    Seen,
    StoryId,
)
from monitor.pipeline.context import BATCH, Context, claimed, work_by_host
from monitor.pipeline.group import Role, group
from monitor.pipeline.reading import Reading, beyond_wall, mark, read_article
from monitor.pipeline.updates import Growth, follow_up, want
from monitor.ports import NotModified, Page, Stored, Transaction
from monitor.stories.furniture import MEMORY
from monitor.stories.urls import host_of, is_opaque

log = telemetry.get_logger()

PAGE_ACCEPT = "text/html, application/xhtml+xml, */*;q=0.1"
EXTRACT_SECONDS = 10.0
APART = 8
"""Articles taken apart at once, and a quarter as many of sources that were slow to be so: these are
suspected if the process dies. More, unless there are many parsers, would wait for one another."""

SUSPECT = 2
"""Deaths that are no coincidence: once falls whatever is beside the one that kills."""

QUARANTINE = timedelta(minutes=5)
"""How long a process has to have lived before it takes a suspect apart: all else comes first, and who
dies of other causes again and again blames nobody for it."""

DEATHS = 5
"""The page of an article over which so many processes have died is left alone."""

FINISHED = (ArticleState.DONE, ArticleState.FAILED)
TAKEN_DOWN = {Code.GONE: "410", Code.NOT_FOUND: "404"}


class Ingest:
    """Ingests the due articles of a bucket."""

    def __init__(self, context: Context) -> None:
        self._with = context
        self._suspects_from = context.clock.now() + QUARANTINE
        self._suspects = asyncio.Lock()
        apart = max(APART, 2 * context.parsers.slots)
        self._apart, self._slow_apart = asyncio.Semaphore(apart), asyncio.Semaphore(apart // 4)

    async def run(self, bucket: int) -> None:
        """Ingest every due article of a bucket."""
        articles = await claimed(
            self._with,
            lambda tx: tx.claim_articles(
                bucket, self._with.clock.now(), self._with.lease, BATCH, idle_hosts=True
            ),
            _host,
        )
        await work_by_host(
            self._with,
            articles,
            lane=self._with.pages,
            host=_host,
            source=lambda pending: pending.feed.url,
            do=self._ingest_article,
            give_back=lambda rest: self._with.store.write(
                lambda tx: tx.release_articles([pending.id for pending in rest])
            ),
            set_aside=lambda pending, until: self._with.store.write(
                lambda tx: tx.set_article_aside(pending.id, until)
            ),
        )

    async def _ingest_article(self, pending: PendingArticle) -> None:
        began = self._with.clock.now()
        if pending.deaths >= SUSPECT and began < self._suspects_from:
            until = self._suspects_from
            await self._with.store.write(lambda tx: tx.set_article_aside(pending.id, until))
            return
        rules = self._with.rules
        try:
            page, error = await self._fetch(pending, rules)
        except Exception:  # a bug
            await self._suspect(pending)
            raise
        is_slow = self._with.parsers.is_slow(pending.feed.url)
        # of those over which processes died again and again, two are never taken apart at once: who
        # only was beside the guilty one is cleared the next time
        async with (
            self._suspects if pending.deaths >= SUSPECT else nullcontext(),
            self._slow_apart if is_slow else self._apart,
        ):
            await self._take_apart(pending, page, error, rules, began)

    async def _take_apart(
        self,
        pending: PendingArticle,
        page: Page | None,
        error: WorkError | None,
        rules: Rules,
        began: datetime,
    ) -> None:
        extraction = None
        if page is None:
            await self._suspect(pending)
        else:
            extraction, error = await self._extract(pending, page)
        page_url = page.url if page else None
        now = self._with.clock.now()
        # a feed's text is its own, whatever site it names: nobody speaks for another's paragraphs
        shown_at = page_url if extraction is not None and extraction.body else None
        host = host_of(shown_at or pending.feed.url)
        # beside the event loop: milliseconds, and seconds for what is made to be slow
        marked = await asyncio.to_thread(mark, pending, host, extraction)
        recall = partial(_recall, pending=pending, hashes=marked.hashes(), since=now - MEMORY)
        seen, stored = await self._with.store.read(recall)
        read = partial(read_article, marked=marked, seen=seen, stored=stored, rules=rules, now=now)
        with tracing.span(self._with.clock.now, pending.id, "match") as span:
            reading = await asyncio.to_thread(read, pending, page_url, extraction)
            span.note(words=len(reading.content.body.split()), hits=len(reading.hits))
        save = partial(
            _save,
            pending=pending,
            reading=reading,
            stored=stored,
            error=error,
            now=now,
            rules=rules,
        )
        with tracing.span(self._with.clock.now, pending.id, "group and store") as span:
            try:
                outcome = await self._with.store.write(save)
            except Superseded:
                outcome = "superseded"
            span.note(outcome=outcome)
        held = (
            None if outcome in {"merged", "superseded"} else _why_held(pending, reading, now, rules)
        )
        seconds = (self._with.clock.now() - began).total_seconds()
        telemetry.ARTICLES.labels(outcome).inc()
        telemetry.HITS.inc(len(reading.told))
        telemetry.INGEST_SECONDS.observe(seconds)
        log.info(
            "article.ingested",
            url=pending.link or pending.url,
            publisher=pending.feed.publisher,
            status=outcome,
            words=len(reading.content.body.split()),
            hits=[hit.watch for hit in reading.hits],
            **({"held": held} if held and reading.told else {}),
            seconds=round(seconds, 3),
            **({"error": f"{error.code}: {error.detail}"} if error else {}),
        )

    async def _suspect(self, pending: PendingArticle) -> None:
        """Note that it is taken apart from now on: if the process dies, that may be why.

        Not before: many are fetched at once, or wait for a parser, and where processes die again and
        again, of whatever, it would be the same ones each time. A fetch reads nothing into what comes.
        """
        await self._with.store.write(lambda tx: tx.suspect_article(pending.id, pending.deaths + 1))

    async def _fetch(
        self, pending: PendingArticle, rules: Rules
    ) -> tuple[Page | None, WorkError | None]:
        if pending.link is None:
            return None, None
        if pending.deaths >= DEATHS:
            return None, Permanent(Code.KILLED, "gave up after repeated crashes")
        if is_opaque(pending.link):
            what = "the link does not say where the article is"
            return None, Permanent(Code.OPAQUE_LINK, what)
        try:
            fetcher = self._with.for_pages or self._with.fetcher
            with tracing.span(self._with.clock.now, pending.id, "fetch", url=pending.link):
                page = await fetcher.get(pending.link, accept=PAGE_ACCEPT, max_bytes=rules.max_page)
            if isinstance(page, NotModified):  # nothing conditional was asked
                raise Permanent(Code.PROTOCOL, "answered 304 to an unconditional request")
        except WorkError as error:
            return None, error
        return page, None

    async def _extract(
        self, pending: PendingArticle, page: Page
    ) -> tuple[Extraction | None, WorkError | None]:
        extract = partial(
            extract_page,
            url=page.url,
            content_type=page.content_type,
            told=pending.entry.text,
            dated=pending.entry.published_at is not None,
        )
        offload, now = self._with.offload, self._with.clock.now
        await offload.ready()  # while its workers start, nothing is taken apart
        async with self._with.parsers.slot(pending.feed.url):
            await self._suspect(pending)
            try:
                with tracing.span(now, pending.id, "extract", bytes=len(page.body)):
                    extraction = await offload.run(extract, page.body, timeout=EXTRACT_SECONDS)
            except WorkError as error:
                return None, error
        if extraction.reason is None:
            return extraction, None
        wall = ParseError(extraction.reason, "only the article's beginning is shown")
        return beyond_wall(pending.entry, extraction), wall


def _host(pending: PendingArticle) -> str:
    """Whom its page is asked of; "": it has none."""
    return host_of(pending.link) if pending.link else ""


def _recall(
    tx: Transaction, *, pending: PendingArticle, hashes: Collection[int], since: datetime
) -> tuple[Mapping[int, Seen], Stored | None]:
    """What is known of the site's paragraphs, and of the article if it was read before."""
    seen = tx.seen_paragraphs(hashes, but=pending.id, since=since)
    return seen, None if pending.state is ArticleState.NEW else tx.stored_article(pending.id)


def _save(
    tx: Transaction,
    *,
    pending: PendingArticle,
    reading: Reading,
    stored: Stored | None,
    error: WorkError | None,
    now: datetime,
    rules: Rules,
) -> str:
    """Everything in one transaction; returns how the ingest ended.

    What its feed has come to say of it meanwhile, this reading does not know: there is another.
    """
    outcome = _save_ingest(
        tx, pending=pending, reading=reading, stored=stored, error=error, now=now, rules=rules
    )
    if tx.is_said_otherwise(pending.id, pending.entry):
        again = polling.revision_due(now, pending.first_seen_at, now)
        if again is not None:
            tx.ask_again(pending.id, again)
    return outcome


def _save_ingest(
    tx: Transaction,
    *,
    pending: PendingArticle,
    reading: Reading,
    stored: Stored | None,
    error: WorkError | None,
    now: datetime,
    rules: Rules,
) -> str:
    """Article, story, hits and deliveries; returns how the ingest ended."""
    content = reading.content
    tx.lock_stories()
    if stored is not None and pending.state in FINISHED:
        return _save_again(tx, pending, reading, error, now, rules)
    other_than, is_claimed = None, True
    # its own address leads to it as long as it is there
    known = tx.article_at(content.url) if content.url != pending.url else None
    if content.url != pending.url and tx.is_bygone(content.url):
        pending = replace(pending, backlog=True)  # what was told and deleted, by another URL
    if known is not None and known.article != pending.id:
        if tx.place_of(pending.id).fixed or tx.told_apart(pending.id, known.article):
            content = replace(content, url=pending.url)  # it stays itself
            other_than = known.story  # whose text it may be that both pages show
        else:
            tx.merge_article(pending.id, into=known.article)
            if known.story is not None:
                tx.refresh_deliveries(known.story, now + rules.debounce)
            if known.source != "feed" or content.source != "page":
                return "merged"
            # the page that the other could not have: its text is the better one
            pending = replace(pending, id=known.article, url=content.url)
            is_claimed = False

    state, due_at = _state_after(content, error, pending, now, rules)
    tx.save_article(
        pending.id,
        content,
        state=state,
        now=now,
        due_at=due_at,
        attempts=pending.attempts,
        error_code=str(error.code) if error else None,
        error_detail=error.detail if error else None,
        is_claimed=is_claimed,
    )
    if not reading.is_changed:
        return str(state)  # the page is still not to be had: nothing new was learnt
    _place(tx, pending, reading, now, rules, other_than)
    return str(state)


def _save_again(
    tx: Transaction,
    pending: PendingArticle,
    reading: Reading,
    error: WorkError | None,
    now: datetime,
    rules: Rules,
) -> str:
    """A finished article was read again: what changed is a revision, what came an update.

    Its story and its URL stay, and nobody is told what was told; a message that may bear its old
    headline is edited. Returns how the reading ended.
    """
    retry_at = None  # of a rolling page the next time is soon enough
    if error is not None and reading.last_update_at is None:
        retry_at = polling.page_retry(now, error, pending.attempts, rules.page_attempts)
    if not reading.is_changed:
        due_at = retry_at or _asked_again_at(pending, reading, now)
        attempts = pending.attempts if retry_at else 0
        tx.leave_article(pending.id, now=now, due_at=due_at, attempts=attempts)
        _tell_if_gone(tx, pending, reading, error, rules, now, is_last=retry_at is None)
        return "unchanged"
    if reading.former is not None:
        tx.keep_revision(pending.id, *reading.former, now)
    content = replace(reading.content, url=pending.url)
    state = ArticleState.DONE if content.body else ArticleState.FAILED
    tx.save_article(
        pending.id,
        content,
        state=state,
        now=now,
        due_at=retry_at,
        attempts=pending.attempts if retry_at else 0,
        error_code=str(error.code) if error else None,
        error_detail=error.detail if error else None,
    )
    _place(tx, pending, reading, now, rules)
    story = tx.story_of(pending.id)
    if story is not None and reading.former is not None and reading.former[0] != content.title:
        tx.refresh_deliveries(story, now + rules.debounce)
    return "grown" if reading.updates else "revised"


def _place(
    tx: Transaction,
    pending: PendingArticle,
    reading: Reading,
    now: datetime,
    rules: Rules,
    other_than: StoryId | None = None,
) -> None:
    """The article's story, and what was found in it; whoever is to be told will be."""
    placed = group(
        tx, pending.id, reading.marks, now=now, debounce=rules.debounce, other_than=other_than
    )
    tx.set_hits(pending.id, reading.hits, now)
    tx.note_paragraphs(pending.id, reading.paragraphs, now)
    tx.keep_updates(pending.id, reading.updates)
    again = _asked_again_at(pending, reading, now)
    if again is not None:
        tx.ask_again(pending.id, again)
    is_news = _why_held(pending, reading, now, rules) is None
    if is_news:
        want(tx, placed.story, reading.told, rules, now, shown_in=placed.shown_in)
    growth = Growth(
        article=pending.id,
        role=placed.role,
        body=reading.content.body,
        former=reading.former,
        is_news=is_news or reading.former is not None,
    )
    follow_up(tx, placed.story, growth, rules, now)


def _tell_if_gone(
    tx: Transaction,
    pending: PendingArticle,
    reading: Reading,
    error: WorkError | None,
    rules: Rules,
    now: datetime,
    *,
    is_last: bool,
) -> None:
    """An article that was read once is taken down: a 410, or a 404 for good."""
    if error is None or error.code not in TAKEN_DOWN or reading.content.source != "page":
        return
    story = tx.story_of(pending.id)
    if story is not None and is_last:
        growth = Growth(
            article=pending.id,
            role=Role.SETTLED,
            body=reading.content.body,
            gone=TAKEN_DOWN[error.code],
        )
        follow_up(tx, story, growth, rules, now)


def _why_held(pending: PendingArticle, reading: Reading, now: datetime, rules: Rules) -> str | None:
    """Why nobody is told of what was read, as a sentence; None if it is news."""
    said_at, seen_at, backlog = (
        reading.content.published_at,
        pending.first_seen_at,
        pending.backlog,
    )
    if reading.updates and pending.state in FINISHED:  # news is what came, however old the page is
        said_at, seen_at, backlog = max(reading.updates.values()), now, False
    return why_not_news(said_at, first_seen_at=seen_at, backlog=backlog, max_age=rules.max_age)


def _asked_again_at(pending: PendingArticle, reading: Reading, now: datetime) -> datetime | None:
    """When a rolling page is asked for more; None if it is none, or has ended."""
    if reading.last_update_at is None:
        return None
    return polling.rolling_due(now, pending.first_seen_at, reading.last_update_at)


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
