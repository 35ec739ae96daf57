"""What `monitor watches test` and `backtest` print: values in, lines and tables out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from monitor.cli.show.passages import marked, passage_text
from monitor.match.backtest import (
    MOST_MESSAGES,
    Archived,
    Bringing,
    Day,
    Found,
    Message,
    Outcome,
    Replayed,
    Sample,
)
from monitor.match.passage import highlight
from monitor.web import words

_BAR = 24  # columns of the longest bar
_MOST_BARS = 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A backtest, and what it is of."""

    outcome: Outcome
    new: str  # with all its brackets
    old: str | None
    names: tuple[str, str]  # of the two, in words
    period: str  # " of the last 30 days"
    seconds: float

    @property
    def speed(self) -> int:
        """Articles a second."""
        return round(self.outcome.articles / max(self.seconds, 1e-9))


def tried(trial: Trial) -> Iterator[RenderableType]:
    """What a backtest found, for people."""
    outcome = trial.outcome
    yield Text(trial.new, style="bold")
    yield Text(
        f"{words.some(outcome.articles, 'article')}{trial.period} read in {trial.seconds:.1f} s "
        f"({trial.speed:,} a second).",
        style="dim",
    )
    yield ""
    yield Text(f"It {outcome.prediction.sentence}.")
    if outcome.prediction.is_too_broad:
        yield Text(
            "That is too broad: nobody reads so much. Say what must stand beside it (AND, NEAR), "
            "or where (title:).",
            style="yellow",
        )
    if outcome.new.hits:
        yield ""
        yield chart(outcome.new.days, outcome.old)
    if outcome.difference is None:
        yield from samples("Some of them", outcome.new.samples)
        return
    yield from _compared(trial)


def _compared(trial: Trial) -> Iterator[RenderableType]:
    outcome, difference, old = trial.outcome, trial.outcome.difference, trial.outcome.old
    assert difference is not None
    assert old is not None
    yield ""
    new_name, old_name = trial.names
    yield Text(f"Compared with {old_name}:", style="bold")
    yield Padding(Text(trial.old or ""), (0, 0, 0, 4))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 2))
    table.add_column(justify="right")
    table.add_column()
    for count, what in (
        (difference.both, "found by both"),
        (difference.only_new, f"only by {new_name}"),
        (difference.only_old, f"only by {old_name}"),
    ):
        table.add_row(words.number(count), what)
    yield table
    yield Text(
        f"In {words.some(outcome.new.messages, 'message')}; {old_name} in "
        f"{words.number(old.messages)}."
    )
    if not difference.only_new and not difference.only_old:
        yield from samples("Some of them", outcome.new.samples)
    yield from samples(f"Only by {new_name}", difference.samples_new)
    yield from samples(f"Only by {old_name}", difference.samples_old)


def chart(days: Sequence[Day], old: Found | None) -> Table:
    """A bar for each day; for each week, if there are many."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    rows = list(_rows(days))
    before = [row.hits for row in _rows(old.days)] if old else []
    table.add_column("Week of" if len(days) > _MOST_BARS else "Day", no_wrap=True)
    table.add_column("Hits", justify="right")
    if old:
        table.add_column("Other", justify="right")
    table.add_column("Messages", justify="right")
    table.add_column("")
    most = max((row.hits for row in rows), default=0)
    for number, row in enumerate(rows):
        table.add_row(
            _day(row.date),
            words.number(row.hits),
            *([words.number(before[number])] if old else []),
            words.number(row.messages),
            Text(_bar(row.hits, most), style="green"),
        )
    return table


def _rows(days: Sequence[Day]) -> Iterable[Day]:
    """The days; if they are more than a month, put together to weeks from Monday."""
    if len(days) <= _MOST_BARS:
        return days
    weeks = groupby(days, key=lambda day: day.date - timedelta(days=day.date.weekday()))
    return [
        Day(
            monday,
            sum(day.articles for day in group),
            sum(day.hits for day in group),
            sum(day.messages for day in group),
        )
        for monday, group in ((monday, list(days)) for monday, days in weeks)
    ]


def _day(day: date) -> str:
    return f"{day:%a} {day.day:>2} {day:%b}"


_EIGHTHS = " ▏▎▍▌▋▊▉"


def _bar(count: int, most: int) -> str:
    """A bar in eighths of a column; whatever is not nothing can be seen."""
    if not count:
        return ""
    eighths = max(1, round(count / most * _BAR * 8))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def samples(title: str, found: Sequence[Sample]) -> Iterator[RenderableType]:
    """Some of what was found, below a title; nothing of nothing."""
    if found:
        yield ""
        yield Text(f"{title}:", style="bold")
    for sample in found:
        yield Padding(Group(*_sample(sample)), (0, 0, 0, 2))


def _sample(sample: Sample) -> Iterator[RenderableType]:
    article = sample.archived
    in_title = [span for span in sample.spans if span.field == "title"]
    title = highlight(article.document.title or "(no headline)", in_title)
    yield Text("• ") + marked(title, "bold")
    details = [*article.document.sources[:1], words.date(article.first_seen_at)]
    yield Text(f"  {' · '.join(details)}  {address(article)}", style="dim")
    if passage := sample.passage(200):
        yield Padding(passage_text(passage), (0, 0, 0, 2))


def address(article: Archived) -> str:
    """What `explain --article` takes."""
    return article.url or str(article.article)


def tried_json(trial: Trial) -> dict[str, Any]:
    """What a backtest found, for machines: days and times in ISO 8601."""
    outcome, prediction = trial.outcome, trial.outcome.prediction
    difference = outcome.difference
    return {
        "query": trial.new,
        "against": trial.old,
        "articles": outcome.articles,
        "seconds": round(trial.seconds, 3),
        "articles_per_second": trial.speed,
        "hits_per_day": prediction.hits_a_day,
        "messages_per_day": prediction.messages_a_day,
        "too_broad": prediction.is_too_broad,
        "summary": prediction.sentence,
        "new": _found_json(outcome.new),
        "old": None if outcome.old is None else _found_json(outcome.old),
        "difference": None
        if difference is None
        else {
            "both": difference.both,
            "only_new": difference.only_new,
            "only_old": difference.only_old,
            "samples_only_new": [_sample_json(sample) for sample in difference.samples_new],
            "samples_only_old": [_sample_json(sample) for sample in difference.samples_old],
        },
    }


def _found_json(found: Found) -> dict[str, Any]:
    return {
        "hits": found.hits,
        "messages": found.messages,
        "days": [_day_json(day) for day in found.days],
        "samples": [_sample_json(sample) for sample in found.samples],
    }


def _day_json(day: Day) -> dict[str, Any]:
    return {
        "date": day.date.isoformat(),
        "articles": day.articles,
        "hits": day.hits,
        "messages": day.messages,
    }


def _sample_json(sample: Sample) -> dict[str, Any]:
    article, passage = sample.archived, sample.passage(200)
    return {
        "article": article.article,
        "story": article.story,
        "url": article.url,
        "title": article.document.title,
        "sources": list(article.document.sources),
        "first_seen_at": article.first_seen_at.isoformat(),
        "passage": passage.text if passage else None,
        "spans": [[span.field, span.start, span.end, span.term] for span in sample.spans],
    }


# ------------------------------------------------------------------------------ all watches


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """All watches, run over the archive."""

    replayed: Replayed
    period: str  # " of the last 30 days"
    seconds: float


_MOST_TOLD = 15


def replayed(run: Run) -> Iterator[RenderableType]:
    """What would have been sent, for people."""
    found = run.replayed
    speed = round(found.articles / max(run.seconds, 1e-9))
    yield Text(
        f"{words.some(found.articles, 'article')}{run.period} read in {run.seconds:.1f} s "
        f"({speed:,} a second).",
        style="dim",
    )
    rate = found.messages_a_day
    often = "" if rate is None else f", about {_rate(rate)} a day"
    yield Text(f"{words.some(len(found.messages), 'message')} would have been sent{often}.")
    if rate is not None and rate > MOST_MESSAGES:
        yield Text("Nobody reads so many: see which watches bring most.", style="yellow")
    yield ""
    yield _bringing(found.watches)
    if any(day.hits for day in found.days):
        yield ""
        yield chart(found.days, None)
    if found.messages:
        yield ""
        yield Text("The newest:" if len(found.messages) > _MOST_TOLD else "They are:", style="bold")
    for message in found.messages[:_MOST_TOLD]:
        yield Padding(Group(*_message(message)), (0, 0, 0, 2))
    if (more := len(found.messages) - _MOST_TOLD) > 0:
        yield Text(f"  and {words.some(more, 'earlier one')} (all of them: --json)", style="dim")
    yield ""
    yield Text(
        "Quiet hours, digests and floods would have told some of these together.", style="dim"
    )


def _rate(count: float) -> str:
    return words.number(round(count)) if count >= 9.5 or not count else f"{count:.1f}"


def _bringing(watches: Sequence[Bringing]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("Watch", overflow="fold")
    for name in ("Hits", "Stories", "Messages"):
        table.add_column(name, justify="right")
    table.add_column("")
    for each in sorted(watches, key=lambda one: (-one.messages, -one.hits, one.watch.casefold())):
        few = f"{words.some(each.too_few, 'story', 'stories')} of too few publishers"
        table.add_row(
            Text(each.watch),
            words.number(each.hits),
            words.number(each.stories),
            words.number(each.messages),
            Text(few if each.too_few else "", style="dim"),
        )
    return table


def _message(message: Message) -> Iterator[RenderableType]:
    yield Text("• ") + Text(message.title or "(no headline)", style="bold")
    said = [
        f"{message.at:%d %b %H:%M}",
        message.channel,
        ", ".join(message.watches),
        words.some(message.articles, "article"),
        ", ".join(message.publishers[:3]) + (", …" if len(message.publishers) > 3 else ""),
    ]
    yield Text(f"  {' · '.join(filter(None, said))}", style="dim")


def replayed_json(run: Run) -> dict[str, Any]:
    """The same for machines, with every message."""
    found = run.replayed
    return {
        "articles": found.articles,
        "seconds": round(run.seconds, 3),
        "messages_per_day": found.messages_a_day,
        "watches": [
            {
                "name": each.watch,
                "hits": each.hits,
                "stories": each.stories,
                "messages": each.messages,
                "too_few_publishers": each.too_few,
            }
            for each in found.watches
        ],
        "days": [_day_json(day) for day in found.days],
        "messages": [
            {
                "story": each.story if isinstance(each.story, int) else None,
                "channel": each.channel,
                "watches": list(each.watches),
                "first_seen_at": each.at.isoformat(),
                "article": each.article,
                "url": each.url,
                "title": each.title,
                "publishers": list(each.publishers),
                "articles": each.articles,
            }
            for each in found.messages
        ],
    }
