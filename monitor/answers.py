"""What is answered to who asks how things stand, and why an article did or did not alert.

Values in, lines out, with their emphasis: the command line prints them, Slack shows them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from rich.markup import escape
from rich.text import Text

from monitor.compose import why_not_news
from monitor.config import Settings
from monitor.errors import MonitorError, Permanent
from monitor.match import Document
from monitor.match.explain import explain
from monitor.match.passage import best_passage
from monitor.model import ArticleState, DeliveryId, DeliveryState, Hit, Watch
from monitor.ports import ArticleTrace, Counts, DeliveryRow, FeedRow, Outcome, Precision, Reports
from monitor.stories.urls import canonical_url, host_of, resolve_redirector
from monitor.telling.changes import Passage, revised
from monitor.web import words
from monitor.web.outbox import became

_MOST_MISSED = 20
"""Watches that did not match which are explained: each is looked for anew."""

_MOST_REVISIONS = 5
_MOST_FURNITURE = 10
_MOST_OUTCOMES = 10
_WORST = 3  # terms of a watch
_SHOWN = 100
"""Characters of a paragraph that tell which one it is."""


def ago(then: datetime | None, now: datetime) -> str:
    """How long ago, as the page says it."""
    return words.ago(then, now) if then else "never"


def counts_line(counts: Counts) -> str:
    """Everything there is, in a line."""
    bad = sum(number for health, number in counts.feeds.items() if health.is_trouble)
    parts = [
        words.some(sum(counts.feeds.values()), "feed") + (f" ({bad} in trouble)" if bad else ""),
        words.some(counts.entries, "entry", "entries"),
        words.some(sum(counts.articles.values()), "article"),
        words.some(counts.stories, "story", "stories"),
        words.some(counts.hits, "hit"),
        words.some(counts.deliveries.get(DeliveryState.SENT, 0), "alert") + " shown",
    ]
    if counts.waiting:
        unsure = f" ({counts.uncertain} uncertain)" if counts.uncertain else ""
        parts.append(f"{counts.waiting} waiting{unsure}")
    if held := counts.deliveries.get(DeliveryState.HELD, 0):
        parts.append(f"{held} held")
    if counts.not_told:
        parts.append(f"{counts.not_told} of today no news")
    if dead := counts.messages(DeliveryState.DEAD):
        parts.append(f"{dead} dead")
    return " · ".join(parts)


def precision(found: Precision) -> str:
    """What people think of what a watch finds: "precision 82 % of 45 judged"."""
    worst = sorted(
        (each.precision, term) for term, each in found.terms.items() if each.precision < 1
    )
    terms = ", ".join(f"{term} {_percent(share)}" for share, term in worst[:_WORST])
    tail = f"; least: {terms}" if terms and len(found.terms) > 1 else ""
    return f"precision {_percent(found.precision)} of {found.judged} judged{tail}"


def _percent(share: float) -> str:
    return f"{round(100 * share)} %"


async def why(
    url: str, settings: Settings, reports: Reports, now: datetime
) -> Sequence[str | Text]:
    """The story of one article, stage by stage. Raises `MonitorError` if this is no URL."""
    at = canonical(url)
    trace = await reports.trace(at)
    if trace is None:
        return list(_unseen(at, await reports.feeds(), now))
    archived = await reports.archived(trace.article)
    document = archived.document if archived else None
    outcomes = await reports.messages.outcomes([row.id for row in trace.deliveries])
    return list(traced(trace, settings, now, document, outcomes))


def canonical(url: str) -> str:
    """What an article is known by. Raises `MonitorError` if this is no URL."""
    if "://" not in url and "." in url.partition("/")[0]:
        url = f"https://{url}"  # as browsers copy it
    try:
        return canonical_url(resolve_redirector(url))
    except Permanent as error:
        raise MonitorError(f"{url!r} is no web address") from error


def of_its_site(url: str, feeds: Sequence[FeedRow]) -> Sequence[FeedRow]:
    """The feeds that might have listed an article."""
    host = host_of(url).removeprefix("www.")
    return [row for row in feeds if host in row.spec.url or host_of(row.spec.url).endswith(host)]


def _unseen(url: str, feeds: Sequence[FeedRow], now: datetime) -> Iterator[str | Text]:
    yield "[bold]Not seen.[/] No feed has listed this article."
    yield f"  Known here as {escape(url)}"
    near = of_its_site(url, feeds)
    if not near:
        host = host_of(url).removeprefix("www.")
        yield f"  No feed from {escape(host)} is declared: add one to feeds.toml."
    for row in near:
        yield (
            f"  {escape(row.spec.name)}: {words.HEALTH[row.health]}, polled {ago(row.polled_at, now)}"
            + (f", next {words.due(row.due_at, now)}" if row.due_at else "")
            + (f"; {escape(row.error)}" if row.error else "")
        )


def traced(
    trace: ArticleTrace,
    settings: Settings,
    now: datetime,
    document: Document | None = None,
    outcomes: Mapping[DeliveryId, Sequence[Outcome]] | None = None,
) -> Iterator[str | Text]:
    """What is known of an article, stage by stage.

    `document`: as the watches read it; `outcomes`: what became of its messages, each time.
    """
    yield Text(trace.title or "(no headline)", style="bold")
    yield Text(trace.url, style="dim")
    yield ""
    for seen in trace.sightings:
        late = " (in the feed before it was watched)" if seen.backlog else ""
        yield f"[bold]Seen[/]      {ago(seen.first_seen_at, now)} in {escape(seen.feed)}{late}"
    yield (
        f"[bold]Published[/] {trace.published_at:%Y-%m-%d %H:%M} UTC"
        if trace.published_at
        else "[bold]Published[/] no date given"
    )
    yield f"[bold]Text[/]      {_text_line(trace, now)}"
    yield from _text_of_before(trace, now)
    if trace.story is None:
        yield "[bold]Grouped[/]   not yet"
        return
    copy = f", a copy of {escape(trace.copy_of)}" if trace.copy_of else ""
    yield f"[bold]Grouped[/]   story {trace.story}{copy}"
    document = document or Document(title=trace.title, body=trace.body, language=trace.language)
    yield from _matched(trace, settings, document)
    yield from _alerted(trace, settings, now, outcomes or {})


def _text_line(trace: ArticleTrace, now: datetime) -> str:
    length = words.some(len(trace.body.split()), "word")
    error = f" ({escape(trace.error)})" if trace.error else ""
    match trace.state:
        case ArticleState.NEW:
            return f"waits for its page, due {words.due(trace.due_at, now)}{error}"
        case ArticleState.PARTIAL:
            return (
                f"{length} from the feed; the page could not be had{error} and is tried "
                f"again {words.due(trace.due_at, now)}"
            )
        case ArticleState.FAILED:
            return f"none: only the headline was matched{error}"
        case _:
            place = "page" if trace.source == "page" else "feed"
            spoken = (
                f"in {words.language(trace.language)}" if trace.language else "language unknown"
            )
            return f"{length} from the {place}, {spoken}{error}"


def _text_of_before(trace: ArticleTrace, now: datetime) -> Iterator[str | Text]:
    """What is not, or no longer, the article's text."""
    if trace.updates:
        more = f", more are asked for {words.due(trace.due_at, now)}" if trace.due_at else ""
        yield f"[bold]Rolling[/]   {words.some(trace.updates, 'update')} read, each once{more}"
    for each in revised(trace.revisions, trace.title, trace.body, most=_MOST_REVISIONS):
        old = each.revision
        said = f"{words.some(len(old.body.split()), 'word')} " if old.body is not None else ""
        yield f"[bold]Revised[/]   {ago(old.replaced_at, now)}: {said}under “{escape(old.title)}”"
        for passage in each.passages:
            yield _changed(passage)
        if each.more:
            yield f"          [dim]and in {words.some(each.more, 'other place')}[/]"
    for text in trace.furniture[:_MOST_FURNITURE]:
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        yield f"[bold]Not read[/]  [dim]{escape(shown)}[/] (stands on other pages of the site, too)"
    if (rest := len(trace.furniture) - _MOST_FURNITURE) > 0:
        yield f"          [dim]nor {words.some(rest, 'other paragraph')} of this kind[/]"


def _changed(passage: Passage) -> Text:
    """What went and what came, told apart by marks, for not everything has colours."""
    text = Text("          ")
    for edit in passage:
        begin, style, end = _EDITED[edit.kind]
        inside = edit.text.rstrip() if begin else edit.text
        text.append(f"{begin}{inside}{end}{edit.text[len(inside) :]}", style)
    text.rstrip()
    return text


_EDITED: Final = {
    "same": ("", "", ""),
    "gone": ("[-", "red", "-]"),
    "new": ("{+", "bold green", "+}"),
}
"""As wdiff writes it."""


def _matched(trace: ArticleTrace, settings: Settings, document: Document) -> Iterator[str | Text]:
    found = {hit.watch: hit for hit in trace.hits}
    missed = [watch for watch in settings.watches if watch.name not in found]
    for watch in settings.watches:
        if hit := found.get(watch.name):
            yield from _hit(trace, hit)
    for watch in missed[:_MOST_MISSED]:
        reason = escape(_why_not(watch, document))
        yield f"[bold]Matched[/]   [dim]no[/]  {escape(watch.name)}: {reason}"
    if (more := len(missed) - _MOST_MISSED) > 0:
        yield f"          [dim]nor any of {words.some(more, 'other watch', 'other watches')}[/]"


def _hit(trace: ArticleTrace, hit: Hit) -> Iterator[str | Text]:
    terms = ", ".join(dict.fromkeys(span.term for span in hit.spans))
    beside = "what it said before" if trace.revisions else "what is known of it beside its text"
    said = escape(terms) or f"by {beside}"
    yield f"[bold]Matched[/]   [green]yes[/] {escape(hit.watch)}: {said}"
    in_body = [span for span in hit.spans if span.field == "body"]
    if in_body:
        passage = best_passage(trace.body, in_body)
        text = Text("                " + passage.text)
        for start, end in passage.marks:
            text.stylize("bold yellow", start + 16, end + 16)
        yield text


def _why_not(watch: Watch, document: Document) -> str:
    """What is missing of a watch, or which NOT fired."""
    reasons = explain(watch, document).reasons()
    return "; ".join(reasons) or "not when it was read, but the watch as it is now would match"


def _alerted(
    trace: ArticleTrace,
    settings: Settings,
    now: datetime,
    outcomes: Mapping[DeliveryId, Sequence[Outcome]],
) -> Iterator[str]:
    for hold in trace.held:
        yield (
            f"[bold]Alerted[/]   not for {escape(hold.watch)}: held: {escape(hold.lacks)},"
            f" since {ago(hold.since, now)}"
        )
    if not trace.deliveries and not trace.held:
        if not trace.hits:
            yield "[bold]Alerted[/]   no: no watch matched"
            return
        reason = why_not_news(
            trace.published_at,
            first_seen_at=trace.first_seen_at,
            backlog=all(seen.backlog for seen in trace.sightings),
            max_age=settings.alerts.max_age,
        )
        yield f"[bold]Alerted[/]   no: {escape(reason or 'its story has no delivery')}"
    for row in trace.deliveries:
        yield f"[bold]Alerted[/]   {_delivery_line(row, now)}"
        for each in map(became, outcomes.get(row.id, ())[-_MOST_OUTCOMES:]):
            detail = f": {escape(each.detail)}" if each.detail else ""
            yield f"          [dim]{words.clock(each.at, now)} {each.said}{detail}[/]"


def _delivery_line(row: DeliveryRow, now: datetime) -> str:
    channel, error = escape(row.channel), f": {escape(row.error)}" if row.error else ""
    match row.state:
        case DeliveryState.SENT:
            return f"[green]yes[/] in {channel}, {ago(row.sent_at, now)}{error}"
        case DeliveryState.DEAD:
            return f"[red]no[/]  {channel} refused it for good after {row.attempts} attempts{error}"
        case DeliveryState.RETRY:
            return f"not yet: {channel} is tried again {words.due(row.due_at, now)}{error}"
        case DeliveryState.SENDING:
            return f"being sent to {channel}"
        case DeliveryState.FOLDED:
            return f"[green]yes[/] in {channel}, in a message that lists several stories"
        case DeliveryState.DROPPED:
            return f"[red]no[/]  not in {channel}{error}"
        case DeliveryState.HELD:
            return f"not yet, in {channel}{error}"
        case _:
            return f"waits to be sent to {channel}"
