"""What commands share: the two streams, their options, and how they come by their settings."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import re
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console, RenderableType

from monitor import answers, config, telemetry
from monitor.cli.typed import LARGEST, whole
from monitor.config import Settings
from monitor.errors import ConfigError, Mistake, MonitorError
from monitor.match.backtest import Archived
from monitor.model import ArticleId
from monitor.opening import looking_at
from monitor.ports import Reports
from monitor.web import words

_Found = TypeVar("_Found")

_OF_DATABASE = re.compile(r'MONITOR_DATABASE_URL|monitor: (database:|.*did you mean "database")')

_WIDEST = 10_000
"""Columns of what is no terminal."""

out = Console(highlight=False)

err = Console(stderr=True, highlight=False)

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="The configuration file. Default: $MONITOR_CONFIG, else ./feeds.toml.",
        show_default=False,
    ),
]

NameArgument = Annotated[
    str | None,
    typer.Argument(metavar="NAME", help="A watch of the configuration.", show_default=False),
]

QueryOption = Annotated[
    str | None,
    typer.Option("--query", "-q", help="A query, in place of a watch.", show_default=False),
]

StoryArgument = Annotated[
    int,
    typer.Argument(
        help="The number of a story.", parser=whole(), metavar="STORY", show_default=False
    ),
]

LimitOption = Annotated[
    int,
    typer.Option(help="At most so many, up to 1000.", parser=whole(most=1000), metavar="NUMBER"),
]

MessageArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The id of a message, or its end.", show_default=False)
]

JsonOption = Annotated[bool, typer.Option("--json", help="For machines.")]


def print_json(value: object) -> None:
    """On stdout, and nothing else."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def print_found(
    found: _Found,
    as_json: bool,
    to_json: Callable[[_Found], object],
    to_parts: Callable[[_Found], Iterable[RenderableType]],
) -> None:
    """For machines or for people."""
    if as_json:
        print_json(to_json(found))
        return
    for part in to_parts(found):
        print_part(part)


def print_part(part: RenderableType) -> None:
    """On stdout. Into a pipe, a line of text or a row of a table is a line, however long."""
    if out.is_terminal:
        out.print(part)
        return
    before = out.width
    out.width = max(before, out.measure(part, options=out.options.update(width=_WIDEST)).maximum)
    try:
        out.print(part)
    finally:
        out.width = before


def asked(settings: Settings, question: Callable[[Reports], Awaitable[_Found]]) -> _Found:
    """What the database of a service that may be running answers."""

    async def ask() -> _Found:
        async with looking_at(settings) as reports:
            return await question(reports)

    return asyncio.run(ask())


def settings_of(path: Path | None) -> tuple[Path, Settings]:
    """The configuration and where it is. Raises `ConfigError` if anything is wrong with it."""
    path = path or config.config_path_from(os.environ)
    settings = config.load(path, os.environ)
    return path, settings


def settings_to_look_by(path: Path | None, *, quiet: bool = False) -> Settings:
    """For commands that only look at a service, which goes on when an edit is wrong: so do they."""
    return what_is_right(path, quiet=quiet)[0]


def settings_to_change_by(path: Path | None) -> Settings:
    """For commands that change what a service has stored."""
    return what_is_right(path, to_change=True)[0]


def what_is_right(
    path: Path | None, *, quiet: bool = False, to_change: bool = False
) -> tuple[Settings, tuple[Mistake, ...]]:
    """The settings as far as they can be told, and what is wrong with the rest.

    Raises `ConfigError` if that is the database: another one would be looked at, or changed. So
    it does `to_change` something if the file is not there, or is not TOML.
    """
    path = path or config.config_path_from(os.environ)
    try:
        return config.load(path, os.environ), ()
    except ConfigError as error:
        of_database = tuple(each for each in error.mistakes if _OF_DATABASE.match(each.message))
        if of_database and not quiet:
            raise ConfigError(of_database) from None
        rest = config.load_what_is_right(path, os.environ)
        if quiet:
            return rest.settings, error.mistakes
        if not rest.is_whole and (to_change or not rest.is_database_known):
            why = "nothing is changed" if to_change else "the database can't be told"
            raise ConfigError(
                _with_end(error.mistakes, f" ({why} before that is mended)")
            ) from None
        said = (
            f"{path} has {words.some(len(error.mistakes), 'mistake')} (see `monitor check`): "
            "what is right in it is used here"
            if path.exists()
            else f"{path}: there is no such file: its defaults are used here"
        )
        if not rest.is_whole:
            said += f", with the database {telemetry.redact(rest.settings.monitor.database)}"
        err.print(f"{said}.", style="yellow", markup=False, soft_wrap=True)
        return rest.settings, error.mistakes


def _with_end(mistakes: Sequence[Mistake], end: str) -> tuple[Mistake, ...]:
    """Only the last one, that of the file itself: said in one sentence."""
    return (replace(mistakes[-1], message=f"{mistakes[-1].message}{end}"),)


def whoever_types() -> str:
    """The name under which a decision is kept."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have none
        return "the command line"


async def stored(article: str, settings: Settings) -> Archived:
    """The article of that URL or number. Raises `MonitorError` if there is none."""
    async with looking_at(settings) as reports:
        if article.isdecimal():
            number = ArticleId(min(int(article[:20]), LARGEST))
            found = await reports.archived(number)
        else:
            trace = await reports.trace(answers.canonical(article))
            found = await reports.archived(trace.article) if trace else None
    if found is None:
        raise MonitorError(f"there is no article {article} in the database: see `monitor why`")
    return found
