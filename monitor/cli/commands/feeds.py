"""`monitor feeds`: which there are and how they are, where a site has some, in and out."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from monitor import config, opml
from monitor.cli.shared import (
    ConfigOption,
    JsonOption,
    asked,
    err,
    out,
    print_found,
    print_json,
    print_part,
    settings_of,
    settings_to_change_by,
    settings_to_look_by,
)
from monitor.cli.show import feeds as show_feeds
from monitor.clock import SystemClock
from monitor.config import Settings, editing, writing
from monitor.errors import MonitorError, Refused
from monitor.model import Health
from monitor.opening import deciding, fetching, offloading
from monitor.pipeline import adopt
from monitor.pipeline.adopt import Fate
from monitor.pipeline.by_hand import poll_by_hand
from monitor.pipeline.discover import Looked, bare, inspect, look
from monitor.ports import FeedsSought
from monitor.web import words

commands = typer.Typer(
    help="Feeds: how they are, where a site has some, in and out.", no_args_is_help=True
)

_AT_ONCE = 20
"""Feeds that are looked at side by side; of one host one after the other, as always."""

_ALL = 100_000


class State(StrEnum):
    """How feeds may be that are listed."""

    TROUBLE = "trouble"  # any of those of which somebody should know
    NEW = Health.NEW
    LIVE = Health.LIVE
    RECOVERED = Health.RECOVERED
    SILENT = Health.SILENT
    STALE = Health.STALE
    FAILING = Health.FAILING
    CHALLENGED = Health.CHALLENGED
    GONE = Health.GONE


class Format(StrEnum):
    """In which feeds are written."""

    OPML = "opml"
    TOML = "toml"
    JSON = "json"


FeedArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="A feed's name or its URL.", show_default=False)
]


@commands.command("list")
def feeds_list(
    state: Annotated[
        State | None, typer.Option(help="Only those that are so.", show_default=False)
    ] = None,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """All feeds, those in trouble first: how they are, when they are polled, what they bring."""
    settings = settings_to_look_by(config_file)
    states = {
        State.TROUBLE: frozenset(each for each in Health if each.is_trouble),
        None: frozenset[Health](),
    }
    sought = FeedsSought(
        states=states[state] if state in states else frozenset({Health(str(state))})
    )
    now = SystemClock().now()
    found = asked(settings, lambda reports: reports.fleet.find(sought, now, limit=_ALL))
    fleet = partial(show_feeds.fleet, now=now)
    print_found(found, as_json, show_feeds.fleet_json, fleet)


@commands.command("discover")
def feeds_discover(
    url: Annotated[
        str,
        typer.Argument(metavar="URL", help="A web page, or a site: bbc.com", show_default=False),
    ],
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """The feeds that a web page names: title, kind, and what is in each."""
    path = config_file or config.config_path_from(os.environ)
    settings = settings_to_look_by(path, quiet=not path.exists())  # nobody needs one for this
    found = asyncio.run(_look(url, settings))
    listed = partial(show_feeds.listed, now=SystemClock().now())
    print_found(found, as_json, show_feeds.listed_json, listed)


@commands.command("add")
def feeds_add(
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL", help="A feed, a web page, or a site: bbc.com", show_default=False
        ),
    ],
    name: Annotated[str | None, typer.Option(help="What to call it.", show_default=False)] = None,
    publisher: Annotated[
        str | None, typer.Option(help="Whose words it brings.", show_default=False)
    ] = None,
    side: Annotated[
        str | None, typer.Option(help="To which side that belongs.", show_default=False)
    ] = None,
    tier: Annotated[
        int | None, typer.Option(min=1, max=3, help="1, 2 or 3.", show_default=False)
    ] = None,
    language: Annotated[
        str | None, typer.Option(help="Such as en or hi.", show_default=False)
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="A word to find it by.", show_default=False)
    ] = None,
    config_file: ConfigOption = None,
) -> None:
    """Write a feed to feeds.toml: that at a URL, or one that a web page names."""
    path, settings = settings_of(config_file)
    chosen = _chosen(asyncio.run(_look(url, settings)))
    given = {
        "name": name,
        "publisher": publisher,
        "side": side,
        "tier": tier,
        "language": language,
        "tags": tag,
    }
    suggested = adopt.suggest(chosen, settings.feeds)
    table = dict(suggested) | {key: value for key, value in given.items() if value is not None}
    order = ("name", "url", "publisher", "side", "tier", "language", "tags")
    table = {key: table[key] for key in order if key in table}
    text = _edit(path, partial(_with_feed, table=table))
    out.print(editing.written("feed", table, text), end="", markup=False, soft_wrap=True)
    _say(f"{path}: it stands there now. A running service polls it within seconds.")


@commands.command("remove")
def feeds_remove(name: FeedArgument, config_file: ConfigOption = None) -> None:
    """Take a feed out of feeds.toml. What it brought stays."""
    path, _ = settings_of(config_file)
    _edit(path, lambda text: editing.without_feed(text, name))
    _say(f"{path}: {name} is gone. What it brought stays.")


@commands.command("import")
def feeds_import(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="An OPML file, or -.", show_default=False)
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be added, and write nothing.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Ask each feed first; add those that can be read.")
    ] = False,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add the feeds of an OPML list to feeds.toml, as other readers export them."""
    path, settings = settings_of(config_file)
    items = adopt.plan(opml.read(_bytes_of(file)), settings.feeds)
    troubles = asyncio.run(_troubles(items, settings)) if check else {}
    tables = [
        each.table for each in items if each.table is not None and each.outline.url not in troubles
    ]
    if tables and not dry_run:
        _edit(path, lambda text: editing.with_feeds(text, tables))
    if as_json:
        print_json(show_feeds.planned_json(items, troubles))
        return
    for part in show_feeds.planned(items, troubles):
        print_part(part)
    if not items:
        _say("The list holds no feed.")
    elif dry_run:
        _say(f"{words.some(len(tables), 'feed')} would be added to {path}: nothing was written.")
    else:
        _say(f"{path}: {words.some(len(tables), 'feed was', 'feeds were')} added.")


@commands.command("export")
def feeds_export(
    form: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.OPML,
    config_file: ConfigOption = None,
) -> None:
    """Print the feeds of the configuration, for another reader or another desk."""
    settings = settings_to_look_by(config_file)
    if form is Format.JSON:
        print_json(show_feeds.exported_json(settings.feeds))
    elif form is Format.TOML:
        tables = [adopt.table_of_spec(feed) for feed in settings.feeds]
        out.print(
            "\n".join(editing.written("feed", table) for table in tables),
            end="",
            markup=False,
            soft_wrap=True,
        )
    else:
        now = SystemClock().now()
        sys.stdout.buffer.write(opml.write(settings.feeds, title="monitor", now=now))
        sys.stdout.flush()


@commands.command("poll")
def feeds_poll(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="A feed's name or its URL.", show_default=False),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    config_file: ConfigOption = None,
) -> None:
    """Have a feed polled now by the running service, however long it would wait."""
    if (name is None) is not every:
        raise typer.BadParameter("give the name of one feed, or --all")
    settings, now = settings_to_change_by(config_file), SystemClock().now()

    async def ask() -> None:
        async with deciding(settings) as (store, _):
            done = await store.write(lambda tx: poll_by_hand(tx, now=now, name=name))
        for feed, why in list(done.left.items())[:10]:
            _say(f"{feed}: {why}.")
        if every:
            _say(f"{words.some(len(done.due), 'feed is', 'feeds are')} due now.")
        elif done.due:
            _say(f"{done.due[0]} is due now.")

    asyncio.run(ask())


# --------------------------------------------------------------------------- what they share


def _say(sentence: str) -> None:
    out.print(sentence, markup=False, soft_wrap=True)


def _with_feed(text: str, table: Mapping[str, Any]) -> str:
    return editing.with_feed(text, table)


def _edit(path: Path, change: Callable[[str], str]) -> str:
    """Write a change of the configuration; returns the new text. Raises what `writing` raises."""
    source = writing.source(path)
    text = change(source.text)
    writing.write(path, text, source.mark, os.environ)
    return text


async def _look(url: str, settings: Settings) -> Sequence[Looked]:
    known = {bare(feed.url): feed.name for feed in settings.feeds}
    most = settings.fetch.max_feed
    async with fetching(settings, SystemClock()) as fetcher, offloading() as pool:
        return await look(url, fetcher, pool, max_bytes=most, known=known)


def _chosen(found: Sequence[Looked]) -> Looked:
    """The feed that is meant: the only one that can be read and is new, or what is answered.

    Where nobody can be asked they are listed, and the exit code is 2.
    """
    readable = [each for each in found if each.trouble is None and each.same_as is None]
    new = [each for each in readable if each.known_as is None]
    if not readable:
        raise Refused(f"{found[0].feed.url} can't be read: {found[0].trouble}")
    if not new:
        raise Refused(f"{readable[0].feed.url} is declared already, as {readable[0].known_as}")
    if len(new) == 1:
        return new[0]
    for part in show_feeds.listed(new, SystemClock().now(), numbered=True):
        (out if sys.stdin.isatty() else err).print(part)
    if not sys.stdin.isatty():
        err.print("There are several: give the URL of one of them.", style="yellow")
        raise typer.Exit(2)
    number: int = typer.prompt("Which one", type=int, default=1)
    if not 1 <= number <= len(new):
        raise MonitorError(f"there is no feed {number} in this list")
    return new[number - 1]


def _bytes_of(file: str) -> bytes:
    try:
        if file == "-":
            return sys.stdin.buffer.read(opml.LARGEST + 1)
        with Path(file).open("rb") as opened:
            return opened.read(opml.LARGEST + 1)
    except OSError as error:
        raise MonitorError(f"{file} can't be read: {error.strerror}") from None


async def _troubles(items: Sequence[adopt.Item], settings: Settings) -> Mapping[str, str]:
    """By URL, why a new feed of a list can't be read."""
    new = [each for each in items if each.fate is Fate.NEW]
    found: dict[str, str] = {}
    at_once = asyncio.Semaphore(_AT_ONCE)
    with Progress(console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("Asking feeds", total=len(new))
        async with fetching(settings, SystemClock()) as fetcher, offloading() as pool:

            async def ask(url: str) -> None:
                async with at_once:
                    seen = await inspect(url, fetcher, pool, max_bytes=settings.fetch.max_feed)
                if seen.trouble is not None:
                    found[url] = seen.trouble
                progress.advance(task)

            await asyncio.gather(*(ask(each.outline.url) for each in new))
    return found
