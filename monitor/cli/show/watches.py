"""What `monitor watches` prints: values in, lines and tables out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from monitor import answers
from monitor.config import Settings, folded
from monitor.match import Document
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
from monitor.match.explain import Explanation, TermPlan, Trace
from monitor.match.language import line_and_column
from monitor.match.passage import Passage, best_passage, highlight
from monitor.match.plan import read
from monitor.match.query import Note, bracketed
from monitor.model import Span, Watch
from monitor.ports import Precision, WatchRow
from monitor.web import words

_FOUND = "bold yellow"
_BAR = 24  # columns of the longest bar
_MOST_BARS = 31
_SHOWN_WORDS = 4  # of those that a term was found as


def kind(watch: Watch) -> str:
    """What a watch is made of, in a word."""
    return "terms" if watch.query is None else "query"


def unknown(name: str, watches: Sequence[Watch]) -> str:
    """What to say of a name that no watch has."""
    names = {folded(watch.name): watch.name for watch in watches}
    close = difflib.get_close_matches(folded(name), list(names), n=1, cutoff=0.6)
    close = close or [key for key in names if folded(name) in key][:1]
    if close:
        return f'no watch is called "{name}"; did you mean "{names[close[0]]}"?'
    return f'no watch is called "{name}"; see `monitor watches list`'


# ------------------------------------------------------------------------------ list


def listed(
    settings: Settings,
    written: Mapping[str, str],
    found: Mapping[str, WatchRow] | None,
    unjudged: Mapping[str, str],
) -> Iterator[RenderableType]:
    """Every watch: where it leads, what it found in a week, what people think of that, and itself
    with all its brackets.

    `found` is by name; None where there is no database to ask, without those not run yet.
    `unjudged`: why spikes can't be judged as yet, by name.
    """
    for watch in settings.watches:
        head = Text(watch.name, style="bold")
        head.append(f"  {kind(watch)}", style="dim")
        head.append(f" → {watch.channel or settings.slack.channel or 'the default channel'}", "dim")
        if found is not None:
            row = found.get(watch.name)
            lately = "not run yet" if row is None else f"{words.some(row.hits, 'hit')} in 7 days"
            head.append(f" · {lately}", "dim")
            if row is not None and row.precision is not None:
                head.append(f" · {answers.precision(row.precision)}", "dim")
            if watch.spike:
                head.append(f" · spikes: {unjudged.get(watch.name, 'are told')}", "dim")
        yield head
        yield Padding(Text(written[watch.name]), (0, 0, 0, 4))
    if not settings.watches:
        yield Text("No watches. Add a [[watch]] to feeds.toml.")


def listed_json(
    settings: Settings,
    written: Mapping[str, str],
    found: Mapping[str, WatchRow] | None,
    unjudged: Mapping[str, str],
) -> list[dict[str, Any]]:
    """The same for machines."""
    rows = found or {}
    return [
        {
            "name": watch.name,
            "kind": kind(watch),
            "terms": list(watch.terms),
            "query": watch.query,
            "variants": {term: list(spellings) for term, spellings in watch.variants},
            "channel": watch.channel or settings.slack.channel,
            "bracketed": written[watch.name],
            "hits_7_days": rows[watch.name].hits if watch.name in rows else None,
            "precision": _judged(rows[watch.name].precision) if watch.name in rows else None,
            "spikes": watch.spike is not None,
            "spikes_unjudged": unjudged.get(watch.name),
        }
        for watch in settings.watches
    ]


def _judged(found: Precision | None) -> dict[str, Any] | None:
    if found is None:
        return None
    terms = {
        term: {"judged": each.judged, "relevant": each.relevant}
        for term, each in found.terms.items()
    }
    return {"judged": found.judged, "relevant": found.relevant, "terms": terms}


# ------------------------------------------------------------------------------ explain


def explained(
    watch: Watch, explanation: Explanation, document: Document | None
) -> Iterator[RenderableType]:
    """A query taken apart; with an article, how it answers."""
    yield Text(explanation.bracketed, style="bold")
    for note in explanation.notes:
        yield Text(_note(watch.query or "", note), style="yellow")
    if explanation.terms:
        yield ""
        yield Text("Each term is found as", style="dim")
        yield _terms(explanation.terms)
    yield Text(_waits_for(explanation), style="dim")
    if document is not None and explanation.trace is not None:
        yield ""
        yield from _answered(explanation, explanation.trace, document)


def _note(query: str, note: Note) -> str:
    row, column = line_and_column(query, note.start)
    place = f"line {row}, column {column}" if "\n" in query.strip() else f"column {column}"
    return f"{place}: {note.message}"


def _terms(terms: Iterable[TermPlan]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 2))
    table.add_column(overflow="fold", max_width=30)
    table.add_column(overflow="fold")
    for term in terms:
        exactly = "in capitals only" if term.capitals else "exactly so"
        spelled = (
            f"{spelling[1:]} ({exactly})" if spelling.startswith("=") else spelling
            for spelling in term.spellings
        )
        table.add_row(Text(term.term), Text(", ".join(spelled)))
    return table


def _waits_for(explanation: Explanation) -> str:
    if explanation.always:
        return "No word must be there: every article is asked."
    anchors = [term.term for term in explanation.terms if term.is_anchor]
    shown = ", ".join(anchors[:8]) + (f" and {len(anchors) - 8} more" if len(anchors) > 8 else "")
    return (
        f"Only articles with {'one of ' if len(anchors) > 1 else ''}{shown} are looked at closely."
    )


def _answered(
    explanation: Explanation, trace: Trace, document: Document
) -> Iterator[RenderableType]:
    spans = trace.spans if trace.matched else tuple(_found_in(trace))
    yield from _article(document, spans)
    yield ""
    yield _tree(trace, document)
    if trace.matched:
        yield Text("It matches.", style="green")
    for reason in explanation.reasons():
        yield Text(f"It does not match: {reason}.", style="red")


def _article(document: Document, spans: Sequence[Span]) -> Iterator[RenderableType]:
    """The headline and the passage where most was found."""
    in_title = [span for span in spans if span.field == "title"]
    yield marked(highlight(document.title, in_title), "bold")
    in_body = [span for span in spans if span.field == "body"]
    if document.body:
        yield passage_text(best_passage(document.body, in_body))


def _tree(trace: Trace, document: Document, above: Tree | None = None) -> Tree:
    label = Text("✓ " if trace.matched else "✗ ", style="green" if trace.matched else "red")
    label.append(trace.text, "default")
    found = trace.spans if not trace.parts else ()
    for number, (word, count) in enumerate(_words_of(found, document)):
        label.append("  " if not number else ", ")
        label.append(word, _FOUND)
        label.append(f" ×{count}" if count > 1 else "", "dim")
    here = above.add(label) if above is not None else Tree(label, guide_style="dim")
    for part in trace.parts:
        _tree(part, document, here)
    return here


def _words_of(spans: Iterable[Span], document: Document) -> list[tuple[str, int]]:
    """What was found, as it is written, the most frequent first, and how often."""
    counts: dict[str, int] = {}
    for span in spans:
        text = document.title if span.field == "title" else document.body
        word = " ".join(text[span.start : span.end].split())
        counts[word] = counts.get(word, 0) + 1
    return sorted(counts.items(), key=lambda item: -item[1])[:_SHOWN_WORDS]


def _found_in(trace: Trace) -> Iterator[Span]:
    """Everything that was found of a query, also where the whole does not match."""
    if trace.matched and not trace.parts:
        yield from trace.spans
    for part in trace.parts:
        yield from _found_in(part)


def marked(pieces: Iterable[tuple[str, bool]], style: str = "") -> Text:
    """A text with what was found in it."""
    text = Text(style=style)
    for piece, is_found in pieces:
        text.append(" ".join(piece.split("\n")), _FOUND if is_found else "")
    return text


def passage_text(passage: Passage) -> Text:
    """A passage with what was found in it."""
    text = Text(passage.text)
    for start, end in passage.marks:
        text.stylize(_FOUND, start, end)
    return text


# ------------------------------------------------------------------------------ test


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
        yield from _samples("Some of them", outcome.new.samples)
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
        yield from _samples("Some of them", outcome.new.samples)
    yield from _samples(f"Only by {new_name}", difference.samples_new)
    yield from _samples(f"Only by {old_name}", difference.samples_old)


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


def _samples(title: str, samples: Sequence[Sample]) -> Iterator[RenderableType]:
    if samples:
        yield ""
        yield Text(f"{title}:", style="bold")
    for sample in samples:
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


# ------------------------------------------------------------------------------ backtest


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


# ------------------------------------------------------------------------------ diff


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A watch of the file beside the one of its name that was run last."""

    old: Watch | None  # None: it is new
    new: Watch | None  # None: it is gone
    outcome: Outcome | None  # over the archive; of what is gone, of the old one

    @property
    def name(self) -> str:
        """Of either."""
        watch = self.new or self.old
        assert watch is not None
        return watch.name

    @property
    def what(self) -> str:
        """What became of it, in a word."""
        return "new" if self.old is None else "gone" if self.new is None else "changed"

    @property
    def gained(self) -> int:
        """Articles in which only the new one finds something."""
        return self._count()[0]

    @property
    def lost(self) -> int:
        """And only the old one."""
        return self._count()[1]

    def _count(self) -> tuple[int, int]:
        if self.outcome is None:
            return 0, 0
        if self.outcome.difference is not None:
            return self.outcome.difference.only_new, self.outcome.difference.only_old
        hits = self.outcome.new.hits
        return (hits, 0) if self.new else (0, hits)

    @property
    def messages(self) -> tuple[int, int]:
        """In how many messages, before and now."""
        if self.outcome is None:
            return 0, 0
        told = self.outcome.new.messages
        if self.outcome.old is not None:
            return self.outcome.old.messages, told
        return (0, told) if self.new else (told, 0)


def differences(edits: Sequence[Edit]) -> Iterator[RenderableType]:
    """What the file would have other than what runs, for people."""
    if not edits:
        yield Text("The watches of the file are those that were run last.")
        return
    for edit in edits:
        yield from _edit(edit)
        yield ""


def _edit(edit: Edit) -> Iterator[RenderableType]:
    sign, style = {"new": ("+", "green"), "gone": ("-", "red"), "changed": ("~", "yellow")}[
        edit.what
    ]
    head = Text(f"{sign} ", style=style)
    head.append(edit.name, "bold")
    head.append(f"  {edit.what}", "dim")
    yield head
    old, new = edit.old, edit.new
    if old and new and old.channel != new.channel:
        was, now = old.channel or "the default channel", new.channel or "the default channel"
        yield Text(f"  channel: {was} → {now}")
    if edit.outcome is None:
        return
    for label, watch in (("-", old), ("+", new)):
        if watch is not None:
            yield Text(f"  {label} {bracketed(read(watch).root)}")
    before, after = edit.messages
    gained, lost = words.some(edit.gained, "article"), words.some(edit.lost, "article")
    yield Text(
        f"  of {words.some(edit.outcome.articles, 'article')}: {gained} more, {lost} less; "
        f"messages {words.number(before)} → {words.number(after)}"
    )
    if (difference := edit.outcome.difference) is not None:
        for title, samples in (
            ("more", difference.samples_new),
            ("less", difference.samples_old),
        ):
            yield from (Padding(part, (0, 0, 0, 2)) for part in _samples(title, samples))


def differences_json(edits: Sequence[Edit]) -> list[dict[str, Any]]:
    """The same for machines."""
    return [
        {
            "name": edit.name,
            "change": edit.what,
            "old": bracketed(read(edit.old).root) if edit.old else None,
            "new": bracketed(read(edit.new).root) if edit.new else None,
            "old_channel": edit.old.channel if edit.old else None,
            "new_channel": edit.new.channel if edit.new else None,
            "articles": edit.outcome.articles if edit.outcome else None,
            "gained": edit.gained,
            "lost": edit.lost,
            "messages_before": edit.messages[0],
            "messages": edit.messages[1],
        }
        for edit in edits
    ]
