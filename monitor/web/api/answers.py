"""Rows as they are answered. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from monitor.compose import named_by
from monitor.match.backtest import Outcome as Tested
from monitor.match.backtest import Sample
from monitor.match.passage import best_passage
from monitor.match.plan import read
from monitor.match.query import bracketed
from monitor.model import Hit, Span
from monitor.ports import (
    ArticleTrace,
    Coverage,
    DeliveryRow,
    FeedRow,
    FoundRow,
    Hold,
    Match,
    NowRow,
    Outcome,
    StoryTrace,
    WatchRow,
)
from monitor.web import view
from monitor.web.api import shapes as s

PASSAGE: Final = 300  # characters


def _excerpt(body: str, spans: Iterable[Span]) -> s.Excerpt | None:
    if not body.strip():
        return None
    best = best_passage(body, [span for span in spans if span.field == "body"], PASSAGE)
    return s.Excerpt(text=best.text, marks=[*best.marks])


def _finds(spans: Iterable[Span]) -> list[s.Find]:
    return [*map(s.Find.model_validate, spans)]


def _found_by(hits: Iterable[Hit]) -> list[s.FoundBy]:
    return [s.FoundBy(watch=hit.watch, finds=_finds(hit.spans)) for hit in hits]


def _waits(holds: Iterable[Hold]) -> list[s.Waits]:
    return [*map(s.Waits.model_validate, holds)]


def article_found(match: Match) -> s.ArticleLine:
    """An article that a search found."""
    archived, document = match.archived, match.archived.document
    return s.ArticleLine(
        id=archived.article,
        story=archived.story,
        url=archived.url,
        title=document.title,
        publisher=match.publisher,
        language=document.language,
        published_at=archived.published_at,
        first_seen_at=archived.first_seen_at,
        passage=_excerpt(document.body, match.spans),
    )


def article(trace: ArticleTrace) -> s.ArticleWhole:
    """All about an article."""
    return s.ArticleWhole(
        id=trace.article,
        story=trace.story,
        url=trace.url,
        title=trace.title,
        text=trace.body,
        state=trace.state,
        source=trace.source,
        language=trace.language,
        published_at=trace.published_at,
        first_seen_at=trace.first_seen_at,
        read_at=trace.ingested_at,
        due_at=trace.due_at,
        attempts=trace.attempts,
        error=trace.error,
        copy_of=trace.copy_of,
        hits=_found_by(trace.hits),
        sightings=[*map(s.Listed.model_validate, trace.sightings)],
        revisions=[
            s.Former(title=each.title, text=each.body, replaced_at=each.replaced_at)
            for each in trace.revisions
        ],
        held=_waits(trace.held),
    )


def story_line(row: NowRow) -> s.StoryLine:
    """A story in a list."""
    lead = row.lead
    return s.StoryLine(
        id=row.story,
        headline=lead.title,
        url=lead.url,
        language=lead.language,
        found_at=row.at,
        first_seen_at=lead.first_seen_at,
        articles=row.articles,
        copies=row.copies,
        publishers=[*row.publishers],
        sides=[*row.sides],
        languages=[*row.languages],
        watches=[*row.watches],
        held=_waits(row.held),
        messages=[*map(s.MessageLine.model_validate, row.messages)],
    )


def story(trace: StoryTrace, mark: str | None, max_age: timedelta | None) -> s.StoryWhole:
    """All about a story."""
    return s.StoryWhole(
        id=trace.view.story,
        headline=named_by(trace.view, max_age).title,
        created_at=trace.created_at,
        follows=trace.follows,
        followed_by=trace.chapter_after,
        merged=[s.Merged(id=each, at=at, by=by) for each, at, by in trace.merged],
        mark=mark,
        articles=[*map(_story_article, trace.view.articles)],
        deliveries=[*map(delivery, trace.deliveries)],
        held=_waits(trace.held),
    )


def _story_article(row: Coverage) -> s.StoryArticle:
    return s.StoryArticle(
        id=row.article,
        url=row.url,
        title=row.title,
        publishers=[*row.publishers],
        sides=[*row.sides],
        tier=row.tier,
        language=row.language,
        published_at=row.published_at,
        first_seen_at=row.first_seen_at,
        copy_of=row.copy_of,
        novelty=row.novelty,
        agency=row.agency,
        hits=_found_by(row.hits),
    )


def delivery(row: DeliveryRow) -> s.Delivery:
    """A message."""
    return s.Delivery.model_validate(row)


def delivery_whole(row: DeliveryRow, outcomes: Sequence[Outcome]) -> s.DeliveryWhole:
    """All about a message."""
    events = [*map(s.Event.model_validate, outcomes)]
    return s.DeliveryWhole(**dict(delivery(row)), outcomes=events)


def hit(row: FoundRow) -> s.HitLine:
    """A hit."""
    return s.HitLine(
        id=row.id,
        watch=row.hit.watch,
        found_at=row.matched_at,
        terms=[*dict.fromkeys(span.term for span in row.hit.spans)],
        finds=_finds(row.hit.spans),
        article=s.ArticleLine(
            id=row.article,
            story=row.story,
            url=row.url,
            title=row.title,
            publisher=row.publisher,
            language=row.language,
            published_at=row.published_at,
            first_seen_at=row.first_seen_at,
            passage=_excerpt(row.body, row.hit.spans),
        ),
    )


def watch(row: WatchRow) -> s.WatchLine:
    """A watch."""
    judged = row.precision
    return s.WatchLine(
        name=row.watch.name,
        query=bracketed(read(row.watch).root),
        terms=[*row.watch.terms],
        variants={term: [*spellings] for term, spellings in row.watch.variants},
        channel=row.watch.channel,
        hits_in_a_week=row.hits,
        precision=s.Precision(judged=judged.judged, relevant=judged.relevant) if judged else None,
    )


def feed(row: FeedRow) -> s.FeedLine:
    """A feed."""
    assert row.id is not None
    spec = row.spec
    return s.FeedLine(
        id=row.id,
        name=spec.name,
        url=view.feed_link(spec.url),
        publisher=spec.publisher,
        side=spec.side,
        tier=spec.tier,
        language=spec.language,
        tags=[*spec.tags],
        health=row.health,
        health_since=row.health_since,
        polled_at=row.polled_at,
        ok_at=row.ok_at,
        due_at=row.due_at,
        failures=row.failures,
        error=row.error,
        entries=row.entries,
        newest_at=row.newest_at,
        gaps=row.gaps,
        gap_at=row.gap_at,
        is_pushed=row.subscription == "active",
    )


def backtest(
    query: str, tested: Tested, back_to: datetime | None, following: str | None
) -> s.Backtest:
    """What a step of a backtest came to."""
    found = tested.new
    return s.Backtest(
        query=query,
        articles=tested.articles,
        hits=found.hits,
        messages=found.messages,
        days=[
            s.TestedDay(
                date=day.date.isoformat(),
                articles=day.articles,
                hits=day.hits,
                messages=day.messages,
            )
            for day in found.days
        ],
        samples=[*map(_sample, found.samples)],
        read_back_to=back_to,
        next=following,
    )


def _sample(sample: Sample) -> s.ArticleLine:
    return article_found(Match(archived=sample.archived, spans=sample.spans))
