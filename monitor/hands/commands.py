"""``/monitor``: what somebody typed, answered with cards."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.text import Text

from alerts import Card, Line, Part, Passage, line
from alerts.text import pieces
from monitor import answers, config, volume
from monitor.config import Settings
from monitor.errors import MonitorError, QueryError
from monitor.match import compile_watches
from monitor.match.backtest import Archived, Backtest, Outcome, Sample
from monitor.match.plan import read
from monitor.match.query import bracketed
from monitor.model import Hit, Watch
from monitor.ports import Counts, FeedRow, Reports, WatchRow
from monitor.web import words

MOST_LINES = 20  # of a list: more is for the page
MOST_READ = 20_000  # articles of a test or a search: a minute's work at most
PERIOD = timedelta(days=30)
QUICK = 2_000  # articles above which somebody is told that it takes a moment
FOUND = 10  # articles that a search shows
PASSAGE = 200  # characters

HELP: Mapping[str, str] = {
    "status": "how feeds, articles and alerts stand",
    "watches": "each watch: where it leads, what it found in seven days, its precision",
    "test QUERY": "what a query would have found in the stored articles",
    "search WORDS": "the newest stored articles that match; words or a query",
    "why URL": "why an article did or did not alert",
    "help": "this",
}
"""The commands, and what each answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What commands are answered from."""

    reports: Reports
    settings: Settings
    now: datetime


async def answered(typed: str, desk: Desk) -> AsyncIterator[Card]:
    """The answers to what was typed after the command, as they are ready; always at least one."""
    verb, _, rest = typed.strip().partition(" ")
    rest = rest.strip()
    try:
        match verb.casefold():
            case "status":
                yield await _status(desk)
            case "watches":
                yield await _watches(desk)
            case "test" if rest:
                async for card in _test(rest, desk):
                    yield card
            case "search" if rest:
                async for card in _search(rest, desk):
                    yield card
            case "why" if rest:
                yield await _why(rest, desk)
            case "" | "help":
                yield help_card()
            case other:
                yield help_card(other)
    except QueryError as error:
        # the place is pointed out by a caret where letters are equally wide: here, only in words
        yield Card(title=f"This is no query: {error.message}")
    except MonitorError as error:
        yield Card(title=str(error))


def help_card(verb: str = "") -> Card:
    """What can be asked; after something that can't be, or that lacks what it asks about."""
    names = {usage.split(" ")[0]: usage for usage in HELP}
    if verb in names:
        title = f"Say more: /monitor {names[verb]}"
    elif verb:
        close = difflib.get_close_matches(verb, names, n=1, cutoff=0.6)
        title = f"There is no /monitor {verb}" + (f"; did you mean {close[0]}?" if close else "")
    else:
        title = "What you can ask"
    rows = (
        line(Part(text=f"/monitor {usage}", bold=True), f"  {what}", bullet=True)
        for usage, what in HELP.items()
    )
    return Card(title=title, lines=tuple(rows))


# ------------------------------------------------------------------------------ how it stands


async def _status(desk: Desk) -> Card:
    counts, feeds = await desk.reports.counts(desk.now), await desk.reports.feeds()
    return status_card(counts, feeds, desk.now)


def status_card(counts: Counts, feeds: Sequence[FeedRow], now: datetime) -> Card:
    """Totals, and the feeds that somebody should look at."""
    rows = [
        line(
            f"Last poll {answers.ago(counts.last_poll_at, now)}; "
            f"{words.some(counts.due_feeds, 'feed')} due now."
        )
    ]
    if counts.oldest_waiting_at:
        rows.append(
            line(
                f"The oldest unsent message was wanted {words.ago(counts.oldest_waiting_at, now)}."
            )
        )
    bad = [row for row in feeds if row.health.is_trouble]
    for row in bad[:MOST_LINES]:
        remarks = "; ".join(filter(None, (row.error, words.health(row, now))))
        said = f": {words.HEALTH[row.health]}{f' ({remarks})' if remarks else ''}"
        rows.append(line(Part(text=row.spec.name, bold=True), said, bullet=True))
    rows += _more(len(bad) - MOST_LINES, "feed")
    return Card(title=answers.counts_line(counts), lines=tuple(rows))


async def _watches(desk: Desk) -> Card:
    rows = await desk.reports.watches(desk.now - timedelta(days=7))
    return watches_card(rows, desk.settings)


def watches_card(rows: Sequence[WatchRow], settings: Settings) -> Card:
    """Each watch: where it leads, what it found in seven days, what people think of that."""
    shown = [
        line(
            Part(text=row.watch.name, bold=True),
            f" → {row.watch.channel or settings.slack.channel or 'the default channel'}",
            f" · {words.some(row.hits, 'hit')} in 7 days",
            f" · {answers.precision(row.precision)}" if row.precision else "",
            bullet=True,
        )
        for row in rows[:MOST_LINES]
    ]
    shown += _more(len(rows) - MOST_LINES, "watch", "watches")
    return Card(title=words.some(len(rows), "watch", "watches"), lines=tuple(shown))


def _more(count: int, one: str, many: str | None = None) -> list[Line]:
    return [line(f"and {words.some(count, one, many)} more")] if count > 0 else []


# ------------------------------------------------------------------------------ queries


async def _test(query: str, desk: Desk) -> AsyncIterator[Card]:
    config.checked(query)
    watch = Watch(name="/monitor test", query=query)
    since = desk.now - PERIOD
    size = min(await desk.reports.archive_size(since), MOST_READ)
    if not size:
        raise MonitorError("there are no stored articles of the last 30 days to try it on")
    if size > QUICK:
        yield Card(title=f"Reading {words.number(size)} articles: one moment …")
    test = await asyncio.to_thread(
        Backtest, watch, None, is_news=volume.news_within(desk.settings.alerts.max_age)
    )
    async with aclosing(volume.newest(desk.reports, since, MOST_READ)) as batches:
        async for batch in batches:
            await asyncio.to_thread(test.read, batch)
    outcome = await asyncio.to_thread(test.outcome)
    yield test_card(bracketed(read(watch).root), outcome)


def test_card(written: str, outcome: Outcome) -> Card:
    """What a query would have brought."""
    rows = [line(f"It {outcome.prediction.sentence}.")]
    if outcome.prediction.is_too_broad:
        rows.append(line("That is too broad: say what must stand beside it (AND, NEAR)."))
    rows += [each for sample in outcome.new.samples for each in _sample(sample)]
    return Card(title=written, lines=tuple(rows))


async def _search(typed: str, desk: Desk) -> AsyncIterator[Card]:
    query = searched(typed)
    matcher = await asyncio.to_thread(compile_watches, (Watch(name="search", query=query),))
    found: list[Sample] = []
    seen = 0
    since = desk.now - 12 * PERIOD
    async with aclosing(volume.newest(desk.reports, since, MOST_READ)) as batches:
        async for batch in batches:

            def look(batch: Sequence[Archived] = batch) -> Iterable[tuple[Archived, Sequence[Hit]]]:
                return [(each, matcher.match(each.document)) for each in batch]

            for each, hits in await asyncio.to_thread(look):
                seen += 1
                if hits and len(found) < FOUND:
                    found.append(Sample(archived=each, spans=hits[0].spans))
            if len(found) == FOUND:
                break
    title = f"{words.some(len(found), 'article')}: {typed}" if found else f"Nothing found: {typed}"
    rows = [row for sample in found for row in _sample(sample)]
    note = f"Newest first, of {words.number(seen)} stored articles."
    yield Card(title=title, lines=tuple(rows), note=(Part(text=note),))


def searched(typed: str) -> str:
    """A query for what was typed: as it is if it is one, else all of its words.

    Raises `QueryError` where no word is left to look for.
    """
    try:
        config.checked(typed)
    except QueryError:
        said = typed.replace('"', " ").split()
        terms = [f'"{word}"' for word in said if any(map(str.isalnum, word))]
        query = " AND ".join(terms) or '""'
        config.checked(query)
        return query
    return typed if any(sign in typed for sign in _SIGNS) else " AND ".join(typed.split())


_SIGNS = ('"', "(", ":", " OR ", " AND ", " NOT ", "NEAR", "*", " -", "“", "”")
"""What only who writes a query types."""


def _sample(sample: Sample) -> Iterator[Line]:
    each = sample.archived
    title = each.document.title or each.url or "(untitled)"
    when = each.published_at or each.first_seen_at
    source = next(iter(each.document.sources), "")
    yield line(
        Part(text=title, url=each.url, bold=True),
        f"  {source} · " if source else "  ",
        Part(text="", at=when),
        bullet=True,
    )
    if passage := sample.passage(PASSAGE):
        shown = pieces(Passage(text=passage.text, marks=passage.marks))
        yield line(*(Part(text=piece, bold=is_found) for piece, is_found in shown), quote=True)


# ------------------------------------------------------------------------------ why


async def _why(typed: str, desk: Desk) -> Card:
    url = typed.strip("<>").partition("|")[0]  # as Slack writes links
    first, *rest = await answers.why(url, desk.settings, desk.reports, desk.now)
    return Card(
        title=_plain(first), lines=tuple(line(*_parts(each)) for each in rest if _plain(each))
    )


def _text(said: str | Text) -> Text:
    return said if isinstance(said, Text) else Text.from_markup(said)


def _plain(said: str | Text) -> str:
    return _text(said).plain.strip()


def _parts(said: str | Text) -> Iterator[Part]:
    """What the command line says, in parts: bold stays, colours go."""
    text = _text(said)
    bold = [False] * len(text.plain)
    for span in text.spans:
        if "bold" in str(span.style):
            bold[span.start : span.end] = [True] * (min(span.end, len(bold)) - span.start)
    at = 0
    for end in range(1, len(bold) + 1):
        if end == len(bold) or bold[end] != bold[at]:
            yield Part(text=text.plain[at:end], bold=bold[at])
            at = end
