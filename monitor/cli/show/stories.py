"""What `monitor stories` prints: values in, lines and tables out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from monitor.compose import voices
from monitor.model import ArticleId
from monitor.ports import Coverage, Hold, StoryRow, StoryTrace, Verdict
from monitor.stories.copies import NEWS
from monitor.web import words


def listed(rows: Sequence[StoryRow], now: datetime) -> Iterator[RenderableType]:
    """Each story in a line: its number, the age of its newest article, size, where it is told, and its headline."""
    if not rows:
        yield Text("No story yet: nothing that a watch looks for has been found.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("Story", "Newest", "Articles", "Told in", "Headline"):
        table.add_column(name, overflow="fold", justify="right" if name == "Story" else "left")
    for row in rows:
        table.add_row(
            str(row.story),
            words.ago(row.last_at, now),
            str(row.articles),
            Text(", ".join(row.channels) or _waits(row.held) or "-"),
            Text(row.headline),
        )
    yield table


def listed_json(rows: Sequence[StoryRow]) -> list[dict[str, Any]]:
    """The same for machines: times in ISO 8601."""
    return [
        {
            "story": row.story,
            "headline": row.headline,
            "created_at": row.created_at.isoformat(),
            "last_at": row.last_at.isoformat(),
            "articles": row.articles,
            "channels": list(row.channels),
            "held": [{"watch": each.watch, "lacks": each.lacks} for each in row.held],
        }
        for row in rows
    ]


def shown(trace: StoryTrace, now: datetime) -> Iterator[RenderableType]:
    """A story: who reports it, which articles are copies, where it is told, who decided what."""
    view = trace.view
    carriers = {name for each in view.articles for name in each.publishers}
    yield Text(
        f"Story {view.story}: {words.some(len(view.articles), 'article')} "
        f"from {words.some(len(carriers), 'publisher')}, "
        f"{words.some(len(voices(view)), 'independent report')}, "
        f"found {words.ago(trace.created_at, now)}",
        style="bold",
    )
    if trace.follows is not None:
        yield Text(f"It follows story {trace.follows}.")
    if trace.chapter_after is not None:
        yield Text(f"Story {trace.chapter_after} follows it.")
    here = {each.article for each in view.articles}
    for each in view.articles:
        yield _article(each, here)
    for delivery in trace.deliveries:
        yield Text(f"{delivery.channel}: {delivery.state}", style="dim")
    for hold in trace.held:
        since = words.ago(hold.since, now)
        yield Text(f"Held for {hold.watch}, since {since}: {hold.lacks}.", style="yellow")
    for story, at, by in trace.merged:
        who = f"{by} merged" if by else "An article of both merged"
        yield Text(f"{who} story {story} into it {words.ago(at, now)}.", style="dim")
    for verdict in trace.verdicts:
        yield Text(_decided(verdict, now), style="dim")


def _waits(held: Sequence[Hold]) -> str:
    """Why a story is told nowhere."""
    return "; ".join(dict.fromkeys(f"held: {each.lacks}" for each in held))


def _article(article: Coverage, here: AbstractSet[ArticleId]) -> Text:
    """By the number that `monitor stories split` takes; its URL whole, to be copied."""
    text = Text(f"  {article.article}. ")
    text.append(article.title or "(no headline)", "bold")
    details = [", ".join(article.publishers)]
    if article.copy_of is not None:
        what = "an update" if (article.novelty or 0) > NEWS else "a copy"
        details.append(f"{what} of {article.copy_of}" if article.copy_of in here else what)
    if article.agency:
        details.append(article.agency)
    if article.hits:
        details.append("found: " + ", ".join(hit.watch for hit in article.hits))
    text.append(f"\n  {' · '.join(part for part in details if part)}", "dim")
    if article.url:
        text.append(f"\n  {article.url}", "dim")
    return text


def _decided(verdict: Verdict, now: datetime) -> str:
    what = "belongs to" if verdict.belongs else "is none of"
    when = words.ago(verdict.decided_at, now)
    return f"{verdict.by} decided {when}: {verdict.url} {what} story {verdict.story}."
