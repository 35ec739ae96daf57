"""Watches → what the page shows of them, decided before any HTML is written. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from markupsafe import Markup

from monitor.match.backtest import Difference, Outcome, Sample
from monitor.match.explain import Explanation, TermPlan
from monitor.match.language import line_and_column
from monitor.match.plan import read
from monitor.match.query import bracketed
from monitor.model import ArticleId, Span, StoryId, Watch
from monitor.ports import Judged, NowRow, Precision, Watched
from monitor.ports.watches import Found
from monitor.volume import Trial
from monitor.web import charts, view, words
from monitor.web.charts import Chart, Series
from monitor.web.view import Segment

LATELY: Final = 7
"""Days that a watch in a list is judged by."""

SHOWN_DAYS: Final = 28

_DAY: Final = timedelta(days=1)
_SPELLINGS: Final = 12  # that are shown of a term
_POOR: Final = 0.5  # precision below which a term is worth a look
_ENOUGH: Final = 5  # judgements below which that is chance
_FORMS: Final = frozenset({"try", "check", "change", ".", ".."})


def path(name: str) -> str:
    """Where a watch is on the page."""
    if name in _FORMS:  # these paths are taken, or mean another one
        return f"/watches?name={quote(name, safe='')}"
    return f"/watches/{quote(name, safe='')}"


def try_path(name: str = "") -> str:
    """Where one tries a watch, or a new one."""
    return f"/watches/try?of={quote(name, safe='')}" if name else "/watches/try"


def change_path(name: str, what: str) -> str:
    """Where one removes a watch, or has it rest."""
    return f"/watches/change?of={quote(name, safe='')}&do={what}"


@lru_cache(maxsize=2000)
def written(watch: Watch) -> str:
    """A watch as it is read, with all its brackets."""
    return bracketed(read(watch).root)


# ------------------------------------------------------------------------------ a list


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A watch for the list."""

    watch: Watch
    href: str
    written: str
    channel: str
    rests: bool
    watched: Watched | None  # None: it has not run yet
    articles: int  # in which it found something in seven days
    stories: int
    spark: Markup
    precision: str
    edited_at: datetime | None


def line(
    watch: Watch,
    watched: Watched | None,
    days: Mapping[date, Found],
    *,
    channel: str,
    today: date,
    rests: bool = False,
) -> Line:
    """A watch with what it brought lately."""
    shown = [days.get(today - number * _DAY, Found(0, 0)) for number in range(2 * LATELY)][::-1]
    lately = shown[-LATELY:]
    counts = [each.articles for each in shown]
    return Line(
        watch=watch,
        href=path(watch.name),
        written=written(watch),
        channel=watch.channel or channel,
        rests=rests,
        watched=watched,
        articles=sum(each.articles for each in lately),
        stories=sum(each.stories for each in lately),
        spark=charts.spark(counts, f"Articles a day, 14 days: {', '.join(map(str, counts))}"),
        precision=precision(watched.precision) if watched and watched.precision else "",
        edited_at=(watched.changed_at or watched.created_at) if watched else None,
    )


def precision(found: Judged) -> str:
    """What people think of what was found: ``37 of 45 judged were worth telling (82 %)``."""
    were = "was" if found.relevant == 1 else "were"
    return (
        f"{words.number(found.relevant)} of {words.number(found.judged)} judged {were} worth telling "
        f"({percent(found.precision)})"
    )


def percent(share: float) -> str:
    """A share of the whole."""
    return f"{round(100 * share)} %"


# ------------------------------------------------------------------------------ one watch


@dataclass(frozen=True, slots=True, kw_only=True)
class TermLine:
    """A term, what it is found as, and what people thought of that."""

    term: str
    spellings: tuple[str, ...]
    more: int  # that are not shown
    how: str  # that it is found in capitals only, or exactly so
    is_anchor: bool
    precision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A story in which the watch found something."""

    story: StoryId
    article: ArticleId
    headline: tuple[Segment, ...]
    passage: tuple[Segment, ...]
    language: str | None
    publisher: str
    at: datetime
    terms: tuple[str, ...]
    href: str | None


def chart(days: Mapping[date, Found], today: date) -> Chart:
    """How many articles and stories it found on each day."""
    first = today - (SHOWN_DAYS - 1) * _DAY
    found = [days.get(first + number * _DAY, Found(0, 0)) for number in range(SHOWN_DAYS)]
    return charts.days(
        "found",
        "Articles in which it found something, by day",
        "Articles",
        {first + number * _DAY: each.articles for number, each in enumerate(found)},
        until=today,
        number=SHOWN_DAYS,
    )


def terms(explanation: Explanation, judged: Precision | None) -> Sequence[TermLine]:
    """The terms of a watch."""
    known = judged.terms if judged else {}
    return [_term(each, known.get(each.term)) for each in explanation.terms]


def _term(plan: TermPlan, judged: Judged | None) -> TermLine:
    exact = any(spelling.startswith("=") for spelling in plan.spellings)
    spellings = [spelling.removeprefix("=") for spelling in plan.spellings]
    return TermLine(
        term=plan.term,
        spellings=tuple(spellings[:_SPELLINGS]),
        more=max(0, len(spellings) - _SPELLINGS),
        how=("in capitals only" if plan.capitals else "exactly so") if exact else "",
        is_anchor=plan.is_anchor,
        precision=precision(judged) if judged else "",
    )


def advice(judged: Precision | None, held: int) -> Sequence[str]:
    """What its figures suggest."""
    found = []
    terms = judged.terms if judged else {}
    for term, each in sorted(terms.items(), key=lambda item: item[1].precision):
        if len(terms) > 1 and each.judged >= _ENOUGH and each.precision < _POOR:
            found.append(
                f"What “{term}” finds was worth telling {words.number(each.relevant)} of "
                f"{words.some(each.judged, 'time')}: say what must stand beside it (AND, NEAR), or "
                "take it out."
            )
    if judged and len(terms) < 2 and judged.judged >= _ENOUGH and judged.precision < _POOR:
        found.append(
            f"{percent(judged.precision)} of what people judged was worth telling: say what must "
            "stand beside its words (AND, NEAR), or where (title:)."
        )
    if held >= _ENOUGH:
        found.append(
            f"{words.some(held, 'story waits', 'stories wait')} for others to confirm it: perhaps "
            "min_publishers asks too much."
        )
    return found


def report(row: NowRow, watch: str) -> Report:
    """A story by the article that shows best what the watch found in it."""
    articles = [each for each in (row.latest, row.lead) if each is not None]
    shown = next(
        (each for each in articles if any(hit.watch == watch for hit in each.hits)), row.lead
    )
    spans = [span for hit in shown.hits if hit.watch == watch for span in hit.spans]
    return Report(
        story=row.story,
        article=shown.article,
        headline=view.headline(shown.title, spans),
        passage=_passage(shown.body, spans),
        language=view.language(shown.language),
        publisher=shown.publisher,
        at=row.at,
        terms=_each(span.term for span in spans),
        href=view.web_link(shown.url),
    )


def _passage(body: str, spans: Sequence[Span]) -> tuple[Segment, ...]:
    """Where something was found; nothing, if only the headline holds it."""
    return view.passage(body, spans) if any(span.field == "body" for span in spans) else ()


def _each(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def notes(watch: Watch) -> Sequence[str]:
    """What is right in a query and may surprise, each with its place."""
    text = watch.query or ""
    several = "\n" in text.strip()
    found = []
    for note in read(watch).notes:
        row, column = line_and_column(text, note.start)
        place = f"line {row}, column {column}" if several else f"column {column}"
        found.append(f"{place}: {note.message}")
    return found


# ------------------------------------------------------------------------------ a trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """An article that was found."""

    story: StoryId | None
    headline: tuple[Segment, ...]
    passage: tuple[Segment, ...]
    language: str | None
    publisher: str
    at: datetime
    href: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What an edit changes."""

    both: int
    gained: int
    lost: int
    examples_gained: tuple[Example, ...]
    examples_lost: tuple[Example, ...]
    messages: int
    messages_before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a trial came to."""

    articles: int
    back_to: datetime | None
    is_all: bool
    hits: int
    messages: int
    sentence: str
    a_day: str  # "about 230 articles in 61 messages"; empty if that can't be told
    is_too_broad: bool
    chart: Chart | None
    examples: tuple[Example, ...]
    compared: Compared | None


def result(trial: Trial) -> Result:
    """A trial for the page."""
    outcome = trial.outcome
    told = outcome.prediction
    return Result(
        articles=outcome.articles,
        back_to=trial.back_to,
        is_all=trial.is_all,
        hits=outcome.new.hits,
        messages=outcome.new.messages,
        sentence=_sentence(outcome),
        a_day=_a_day(told.hits_a_day, told.messages_a_day) if outcome.new.hits else "",
        is_too_broad=told.is_too_broad,
        chart=_trial_chart(outcome),
        examples=tuple(map(_example, outcome.new.samples)),
        compared=_compared(outcome, outcome.difference) if outcome.difference else None,
    )


def _sentence(outcome: Outcome) -> str:
    if not outcome.articles:
        return "can't be tried: there are no articles yet"
    some = words.some(outcome.articles, "article")
    if not outcome.new.hits:
        return f"would have matched none of the last {some}"
    told = words.some(outcome.new.messages, "message")
    return f"would have matched {words.number(outcome.new.hits)} of the last {some}, in {told}"


def _a_day(hits: float | None, messages: float | None) -> str:
    if hits is None or messages is None:
        return ""
    return f"{_rate(hits)} articles and {_rate(messages)} messages a day"


def _rate(count: float) -> str:
    return words.number(round(count)) if count >= 9.5 or not count else f"{count:.1f}"


def _trial_chart(outcome: Outcome) -> Chart | None:
    days = outcome.new.days
    if len(days) < 2 or not (outcome.new.hits or (outcome.old and outcome.old.hits)):
        return None
    series = [Series(name="Articles", values=[day.hits for day in days])]
    return charts.bars(
        "trial",
        "Articles found, by the day on which they were first seen",
        series,
        first=datetime.combine(days[0].date, time(), UTC),
        step=_DAY,
    )


def _compared(outcome: Outcome, difference: Difference) -> Compared:
    assert outcome.old is not None
    return Compared(
        both=difference.both,
        gained=difference.only_new,
        lost=difference.only_old,
        examples_gained=tuple(map(_example, difference.samples_new)),
        examples_lost=tuple(map(_example, difference.samples_old)),
        messages=outcome.new.messages,
        messages_before=outcome.old.messages,
    )


def _example(sample: Sample) -> Example:
    each = sample.archived
    return Example(
        story=each.story,
        headline=view.headline(each.document.title, sample.spans),
        passage=_passage(each.document.body, sample.spans),
        language=view.language(each.document.language),
        publisher=next(iter(each.document.sources), ""),
        at=each.first_seen_at,
        href=view.web_link(each.url),
    )
