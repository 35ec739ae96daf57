"""`monitor watches`: what they look for, what they find, what they would find."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from monitor import config, volume
from monitor.cli.shared import (
    ConfigOption,
    JsonOption,
    NameArgument,
    QueryOption,
    asked,
    err,
    print_found,
    stored,
    what_is_right,
)
from monitor.cli.show import backtests, edits, explained
from monitor.cli.show import watches as show_watches
from monitor.cli.typed import whole
from monitor.clock import SystemClock
from monitor.config import Settings
from monitor.errors import ConfigError, Mistake, MonitorError, StorageError
from monitor.match import Document
from monitor.match.backtest import Archived, Backtest, Replay
from monitor.match.explain import explain
from monitor.match.plan import content_of, read
from monitor.match.query import bracketed
from monitor.model import Watch
from monitor.opening import looking_at, spikes_unjudged
from monitor.ports import Reports, WatchRow
from monitor.web import words

commands = typer.Typer(
    help="Watches: what they look for, what they find, what they would find.", no_args_is_help=True
)


_DAYS = 30
"""How far a look into the archive goes back that nobody says more of."""

DaysOption = Annotated[
    int | None,
    typer.Option(
        help="How far to go back. Default: 30.",
        parser=whole(most=36500),
        metavar="NUMBER",
        show_default=False,
    ),
]

MostOption = Annotated[
    int | None,
    typer.Option(
        help="At most so many articles, the newest.",
        parser=whole(),
        metavar="NUMBER",
        show_default=False,
    ),
]


@commands.command("list")
def watches_list(config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Every watch: where it leads, what it found in seven days, how people judged, how it reads."""
    settings, _ = what_is_right(config_file)
    written = {watch.name: bracketed(read(watch).root) for watch in settings.watches}
    found = _found_in_a_week(settings)
    unjudged = asyncio.run(spikes_unjudged(settings)) if found is not None else {}
    print_found(
        found,
        as_json,
        lambda rows: show_watches.listed_json(settings, written, rows, unjudged),
        lambda rows: show_watches.listed(settings, written, rows, unjudged),
    )


@commands.command("explain")
def watches_explain(
    name: NameArgument = None,
    query: QueryOption = None,
    article: Annotated[
        str | None,
        typer.Option("--article", "-a", help="Try it on a stored article: its URL, or its number."),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            "--text",
            "-t",
            help="Try it on a file, or on what is piped in (-). Its first line is the headline.",
        ),
    ] = None,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a watch apart: its brackets, what each term is found as; why an article matches or not."""
    settings, mistakes = what_is_right(config_file)
    watch = _watch_of(name, query, settings, mistakes)
    if article is not None and text is not None:
        raise typer.BadParameter(
            "takes the place of --article: give one of them", param_hint="--text"
        )
    document = None
    if article is not None:
        document = asyncio.run(stored(article, settings)).document
    elif text is not None:
        headline, _, body = _text_of(text).strip().partition("\n")
        document = Document(title=headline.strip(), body=body.strip())
    print_found(
        explain(watch, document),
        as_json,
        partial(explained.explained_json, watch),
        partial(explained.explained, watch, document=document),
    )


@commands.command("test")
def watches_test(
    name: NameArgument = None,
    query: QueryOption = None,
    against: Annotated[
        str | None,
        typer.Option(
            help="Compare with this query. Default: the watch as the service last ran it, if it "
            "was another.",
            show_default=False,
        ),
    ] = None,
    days: DaysOption = None,
    limit: MostOption = None,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try a watch on the stored articles: how much it finds, a few of them, what an edit changes."""
    settings, mistakes = what_is_right(config_file)
    watch = _watch_of(name, query, settings, mistakes)
    other = None if against is None else _watch_of(None, against, settings, mistakes)
    trial = asyncio.run(_try(watch, other, settings, days=days, limit=limit))
    print_found(trial, as_json, backtests.tried_json, backtests.tried)


@commands.command("backtest")
def backtest(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...", help="Only these watches. Default: all.", show_default=False
        ),
    ] = None,
    days: DaysOption = None,
    limit: MostOption = None,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run all watches over the stored articles: which messages would have been sent, and where."""
    settings, mistakes = what_is_right(config_file)
    watches = [_watch_of(name, None, settings, mistakes) for name in names or ()]
    watches = list(dict.fromkeys(watches)) or list(settings.watches)
    if not watches:
        raise MonitorError("there is no watch to try: add a [[watch]] to feeds.toml")
    run = asyncio.run(_replay(watches, settings, days=days, limit=limit))
    print_found(run, as_json, backtests.replayed_json, backtests.replayed)


@commands.command("diff")
def watches_diff(
    days: DaysOption = None,
    limit: MostOption = None,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """What the watches of the file would find other than those that the service ran last."""
    settings, mistakes = what_is_right(config_file)
    if not as_json and mistakes:
        err.print("Watches with mistakes are left out.", style="yellow")
    found = asyncio.run(_differences(settings, days=days, limit=limit))
    print_found(found, as_json, edits.differences_json, edits.differences)


async def _replay(
    watches: Sequence[Watch], settings: Settings, *, days: int | None, limit: int | None
) -> backtests.Run:
    usual = settings.slack.channel or "the default channel"
    replay = Replay(
        watches,
        {watch.name: watch.channel or usual for watch in watches},
        is_news=volume.news_within(settings.alerts.max_age),
    )
    async with looking_at(settings) as reports:
        period, seconds = await _read_archive(reports, replay.read, days=days, limit=limit)
    return backtests.Run(replayed=replay.replayed(), period=period, seconds=seconds)


async def _differences(
    settings: Settings, *, days: int | None, limit: int | None
) -> Sequence[edits.Edit]:
    """What is new, gone or changed; how much more and less that finds."""
    now = SystemClock().now()
    is_news = volume.news_within(settings.alerts.max_age)
    async with looking_at(settings) as reports:
        stored = {row.watch.name: row.watch for row in await reports.watches(now)}
        current = {watch.name: watch for watch in settings.watches}
        tests: dict[str, Backtest] = {}
        for name in sorted({*stored, *current}, key=str.casefold):
            old, new = stored.get(name), current.get(name)
            if new is None and old is not None:
                tests[name] = Backtest(old, is_news=is_news)
            elif new is not None and (old is None or content_of(old) != content_of(new)):
                tests[name] = Backtest(new, old, is_news=is_news, samples=3)
        if tests and await reports.archive_size(_since(days, limit)):

            def read_all(batch: Sequence[Archived]) -> None:
                for test in tests.values():
                    test.read(batch)

            await _read_archive(reports, read_all, days=days, limit=limit)
    moved = {
        name: (old, current[name])
        for name, old in stored.items()
        if name in current and old.channel != current[name].channel
    }
    return [
        edits.Edit(
            old=stored.get(name),
            new=current.get(name),
            outcome=tests[name].outcome() if name in tests else None,
        )
        for name in sorted({*tests, *moved}, key=str.casefold)
    ]


def _since(days: int | None, limit: int | None) -> datetime:
    days = days or (None if limit else _DAYS)
    now = SystemClock().now()
    return now - timedelta(days=days) if days else datetime.min.replace(tzinfo=UTC)


async def _read_archive(
    reports: Reports,
    read: Callable[[Sequence[Archived]], None],
    *,
    days: int | None,
    limit: int | None,
) -> tuple[str, float]:
    """Have the newest articles read, with a bar; returns which these are, and in how many seconds.

    Raises `MonitorError` if there are none.
    """
    days = days or (None if limit else _DAYS)
    period = f" of the last {words.some(days, 'day')}" if days else ""
    since = _since(days, limit)
    size = await reports.archive_size(since)
    if not size:
        raise MonitorError(f"there are no articles{period} to try it on")
    began = perf_counter()
    with Progress(
        TextColumn("Reading"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    ) as progress:
        task = progress.add_task("", total=min(size, limit or size))
        async for batch in volume.newest(reports, since, limit):
            read(batch)
            progress.advance(task, len(batch))
    return period, perf_counter() - began


def _found_in_a_week(settings: Settings) -> Mapping[str, WatchRow] | None:
    a_week_ago = SystemClock().now() - timedelta(days=7)
    try:
        rows = asked(settings, lambda reports: reports.watches(a_week_ago))
    except StorageError:  # nothing has run yet
        return None
    return {row.watch.name: row for row in rows}


async def _try(
    watch: Watch, other: Watch | None, settings: Settings, *, days: int | None, limit: int | None
) -> backtests.Trial:
    async with looking_at(settings) as reports:
        rows = await reports.watches(SystemClock().now())
        stored = next((row.watch for row in rows if row.watch.name == watch.name), None)
        names = ("this one", "the other")
        if other is None and stored is not None and content_of(stored) != content_of(watch):
            other, names = stored, ("the edited version", "the version last run")
        test = Backtest(watch, other, is_news=volume.news_within(settings.alerts.max_age))
        period, seconds = await _read_archive(reports, test.read, days=days, limit=limit)
    return backtests.Trial(
        outcome=test.outcome(),
        new=bracketed(read(watch).root),
        old=bracketed(read(other).root) if other else None,
        names=names,
        period=period,
        seconds=seconds,
    )


def _watch_of(
    name: str | None, query: str | None, settings: Settings, mistakes: Sequence[Mistake]
) -> Watch:
    """The watch that is meant: one of the configuration, or a query alone.

    Raises `ConfigError` for a name that there is none of, `QueryError` for a query.
    """
    if (name is None) == (query is None):
        raise typer.BadParameter("give the name of a watch, or a query with --query")
    if query is not None:
        config.checked(query)
        return Watch(name="--query", query=query)
    assert name is not None
    known = {config.folded(watch.name): watch for watch in settings.watches}
    if watch := known.get(config.folded(name)):
        return watch
    own = tuple(mistake for mistake in mistakes if f'watch "{name}"' in mistake.message)
    raise ConfigError(own or (Mistake(show_watches.unknown(name, settings.watches)),))


def _text_of(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="--text") from None
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{file} is not in UTF-8", param_hint="--text") from None
