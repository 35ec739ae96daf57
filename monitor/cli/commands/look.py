"""What looks at all of it: check, doctor, status, why, audit."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

import typer

from monitor import answers, config, volume
from monitor.cli import examine
from monitor.cli.shared import (
    ConfigOption,
    JsonOption,
    LimitOption,
    asked,
    err,
    out,
    print_found,
    print_json,
    print_part,
    settings_of,
    settings_to_look_by,
)
from monitor.cli.show import deliveries as show_deliveries
from monitor.cli.show import summary as show
from monitor.cli.show import why as show_why
from monitor.clock import SystemClock
from monitor.config import Settings
from monitor.errors import ConfigError, Mistake, StorageError
from monitor.opening import looking_at, workload_of
from monitor.parts import Pace, rules_of, sink_of
from monitor.ports import Reports
from monitor.storage import current
from monitor.storage.address import read_address
from monitor.web.trace import answer


def check(config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Read the configuration and print every mistake with its line and column.

    Exits with 2 if there is one, with 3 if there is a database that can't be used.
    """
    try:
        path, settings = settings_of(config_file)
    except ConfigError as error:
        if not as_json:
            raise
        print_json({"fine": False, "mistakes": [*map(asdict, error.mistakes)], "warnings": []})
        raise typer.Exit(2) from None
    warnings = (*settings.warnings, *asyncio.run(_too_broad(settings)))
    if as_json:
        print_json({"fine": True, "mistakes": [], "warnings": [*map(asdict, warnings)]})
    else:
        for warning in warnings:
            err.print(str(warning), style="yellow", markup=False, soft_wrap=True)
        out.print(
            f"{path}: fine. {examine.counted(settings)}, alerts to {show.destination(settings)}.",
            markup=False,
            soft_wrap=True,
        )
    if read_address(settings.monitor.database).path is not None:  # another may be elsewhere
        current(settings.monitor.database)


def doctor(config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Check what alerts depend on, a line each: configuration, database, Slack, clock, feeds.

    Exits with 1 if something is wrong, with 2 if that is the configuration.
    """
    path = config_file or config.config_path_from(os.environ)
    mistakes = 0
    found: list[examine.Finding] = []
    tell = found.append if as_json else _print_finding
    try:
        settings = config.load(path, os.environ)
    except ConfigError as error:
        mistakes = len(error.mistakes)
        settings = config.load_what_is_right(path, os.environ).settings
        for mistake in error.mistakes:
            tell(examine.Finding(subject="configuration", said=str(mistake), is_right=False))
    else:
        tell(examine.configuration(path, settings))

    async def all_fine() -> bool:
        fine = True
        async for finding in examine.findings(settings, SystemClock()):
            tell(finding)
            fine = fine and finding.is_right is not False
        return fine

    fine = asyncio.run(all_fine())
    if as_json:
        print_json([asdict(finding) for finding in found])
    if mistakes or not fine:
        raise typer.Exit(2 if mistakes else 1)


def status(config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show how the feeds, the articles and the alerts stand."""
    settings = settings_to_look_by(config_file)

    async def tell() -> None:
        now = SystemClock().now()
        async with looking_at(settings) as reports:
            counts, feeds = await reports.counts(now), await reports.feeds()
        engine = await workload_of(settings)
        if as_json:
            print_json(show.status_json(counts, feeds, engine))
        else:
            for part in show.status(counts, feeds, now, engine):
                print_part(part)

    asyncio.run(tell())


def why(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="The address of an article.", show_default=False)
    ],
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say of an article, stage by stage, why it did or did not alert."""
    settings = settings_to_look_by(config_file)

    async def tell() -> None:
        async with looking_at(settings) as reports:
            if as_json:
                print_json(await _why_json(url, settings, reports))
                return
            for line in await answers.why(url, settings, reports, SystemClock().now()):
                out.print(line, soft_wrap=True)

    asyncio.run(tell())


def audit(
    limit: LimitOption = 20, config_file: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Who did what about messages, in Slack and here; the newest first."""
    settings = settings_to_look_by(config_file)
    rows = asked(settings, lambda reports: reports.audit(limit))
    audited = partial(show_deliveries.audited, now=SystemClock().now())
    print_found(rows, as_json, show_deliveries.audited_json, audited)


async def _why_json(url: str, settings: Settings, reports: Reports) -> Mapping[str, Any]:
    """The answers of all watches, as the page has them of one."""
    at, now = answers.canonical(url), SystemClock().now()
    trace = await reports.trace(at)
    archived = await reports.archived(trace.article) if trace else None
    if trace is None or archived is None:
        return show_why.unseen_json(at, answers.of_its_site(at, await reports.feeds()))
    rows = trace.deliveries
    outcomes = await reports.messages.outcomes({row.id for row in rows})
    sink = sink_of(settings, sys.stdout)
    rules = rules_of(settings, Pace(), sink)
    await sink.close()
    found = {
        watch.name: answer(
            trace,
            watch,
            archived.document,
            why_here="",
            channel=rules.channel_of(watch.name),
            rows=rows,
            outcomes=outcomes,
            max_age=rules.max_age,
            now=now,
        )
        for watch in rules.watches
    }
    return show_why.why_json(trace, found, rows)


def _print_finding(finding: examine.Finding) -> None:
    out.print(show.finding(finding), soft_wrap=True)


async def _too_broad(settings: Settings) -> Sequence[Mistake]:
    """Watches that would bring too much, if there is an archive to tell by."""
    with suppress(StorageError):
        async with looking_at(settings) as reports:
            found = await volume.too_broad(settings, reports, SystemClock().now())
            return tuple(found.values())
    return ()
