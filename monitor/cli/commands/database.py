"""`monitor db`: upgrade, backup, copy, prune."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from monitor.cli.shared import (
    ConfigOption,
    JsonOption,
    err,
    out,
    print_json,
    print_part,
    settings_of,
    settings_to_look_by,
)
from monitor.cli.show import database as show
from monitor.clock import SystemClock
from monitor.config import Settings, values
from monitor.errors import MonitorError
from monitor.opening import opened
from monitor.parts import limits_of
from monitor.ports.retention import Bounds
from monitor.storage import backup, exclusive, moving, pruning, sizes, upgrade
from monitor.storage import tables as t
from monitor.storage.address import read_address

commands = typer.Typer(
    help="The database: bring it to this version, copy it, delete what is old.",
    no_args_is_help=True,
)


@commands.command("upgrade")
def db_upgrade(config_file: ConfigOption = None) -> None:
    """Bring the database to this version's schema. `monitor run` does it by itself."""
    _, settings = settings_of(config_file)
    version = upgrade(settings.monitor.database)
    out.print(f"The database is at version {version}.", markup=False)


@commands.command("backup")
def db_backup(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="Where to; - is standard output. Default: beside the database, named by the time.",
            show_default=False,
        ),
    ] = None,
    config_file: ConfigOption = None,
) -> None:
    """Copy a SQLite database, checked, while the service runs. For PostgreSQL, print the command."""
    url = settings_to_look_by(config_file).monitor.database
    address, now = read_address(url), SystemClock().now()
    stamp = f"{now:%Y%m%dT%H%M%SZ}"
    if address.path is None:
        to = file if file not in {None, "-"} else f"monitor-{stamp}.dump"
        assert to is not None
        out.print(backup.pg_dump(url, to), markup=False, soft_wrap=True)
        err.print(
            "Nothing is copied yet: PostgreSQL's own program does that, by the command above. "
            "docs/production.md says how the copy is restored.",
            markup=False,
            soft_wrap=True,
        )
        return
    with _bar() as progress:
        if file == "-":
            if sys.stdout.isatty():
                raise MonitorError("a database is no text for a terminal: name a file, or pipe it")
            copied = backup.backup_to_stream(url, sys.stdout.buffer, progress=progress)
        else:
            beside = address.path.with_name(f"{address.path.stem}-{stamp}.db")
            target = Path(file) if file else beside
            copied = backup.backup(url, target, progress=progress)
    to = "standard output" if file == "-" else str(target)
    said = f"{values.show_size(copied.bytes)} copied to {to}, checked; version {copied.revision}."
    (err if file == "-" else out).print(said, markup=False, soft_wrap=True)


@commands.command("copy")
def db_copy(
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="URL",
            help="postgresql://user@host/name, or sqlite:////a/file. A password is better in "
            "PGPASSWORD, or in ~/.pgpass, than here.",
            show_default=False,
        ),
    ],
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Move to another database: copy everything, compare both, table by table. Stop the service first."""
    _, settings = settings_of(config_file)
    with _bar() as progress:
        rows = moving.move(settings.monitor.database, to, progress=progress)
    if as_json:
        print_json({"tables": rows})
        return
    out.print(
        f"{sum(rows.values()):,} rows in {len(rows)} tables copied and compared. "
        f"Set MONITOR_DATABASE_URL to {read_address(to)} and start the service.",
        markup=False,
        soft_wrap=True,
    )


@commands.command("prune")
def db_prune(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would go, table by table.")
    ] = False,
    older_than: Annotated[
        str | None,
        typer.Option(
            metavar="AGE",
            help="120d, 8w: in place of \\[retention] articles; 30d or more.",
            show_default=False,
        ),
    ] = None,
    vacuum: Annotated[
        bool,
        typer.Option(
            "--vacuum", help="Then give the room back to the disk; the service must be stopped."
        ),
    ] = False,
    as_json: JsonOption = False,
    config_file: ConfigOption = None,
) -> None:
    r"""Delete what is older than \[retention] says, now. The service does it by itself, bit by bit.

    Stories in which a watch found something stay as long as \[retention] matched says.
    """
    _, settings = settings_of(config_file)
    url, now = settings.monitor.database, SystemClock().now()
    limits = limits_of(settings)
    if older_than is not None:
        limits = replace(limits, articles=_age(older_than))
    if vacuum and dry_run:
        raise typer.BadParameter("--vacuum changes the database, --dry-run does not: choose one")
    bounds = limits.bounds(now)
    gone, there = asyncio.run(_prune(settings, bounds, now, dry=dry_run))
    if as_json:
        print_json(show.pruned_json(there, gone, dry=dry_run))
    else:
        for each in show.pruned(there, gone, dry=dry_run):
            print_part(each)
    if vacuum:
        _vacuum(url)


async def _prune(
    settings: Settings, bounds: Bounds, now: datetime, *, dry: bool
) -> tuple[Mapping[str, int], Mapping[str, sizes.TableSize]]:
    """What went, or would, by table; and what there is (before, if it only would)."""
    async with opened(settings) as store:
        newest = await store.query(lambda c: c.execute(_NEWEST).scalar()) or 0
        with _bar() as progress:
            if dry:
                gone: Mapping[str, int] = await store.query(
                    lambda connection: pruning.would_go(
                        connection,
                        bounds,
                        now,
                        progress=lambda story: progress("Looking", story, newest),
                    )
                )
            else:
                gone, after = Counter[str](), None
                if (found := bounds.matched) is not None:
                    # what was counted of it stays counted
                    await store.write(lambda tx: tx.seal_mentions(found))
                while True:
                    done = await store.write(
                        lambda tx, after=after: tx.prune(bounds, now, after=after)  # type: ignore[misc]
                    )
                    gone.update(done.rows)
                    after = done.after
                    if after is None:
                        break
                    progress("Deleting", after, newest)
            progress("Measuring", 0, 1)
            there = await store.query(sizes.table_sizes)
    return gone, there


_NEWEST = sa.select(sa.func.max(t.story.c.id))


def _vacuum(url: str) -> None:
    """Give room back. Raises `StorageError` if a service runs on a SQLite file."""
    address = read_address(url)
    if address.path is None:
        raise MonitorError(
            "PostgreSQL gives room back by itself to what comes; to the disk only by VACUUM FULL, "
            "which stops the service: docs/production.md"
        )
    before = address.path.stat().st_size
    with exclusive(url), _bar() as progress:
        progress("Giving room back", 0, 1)
        backup.vacuum(url)
    after = address.path.stat().st_size
    said = f"{values.show_size(before)} before, {values.show_size(after)} now."
    err.print(f"The file took {said}", markup=False)


def _age(typed: str) -> timedelta:
    try:
        age = values.duration(timedelta(days=30), timedelta(days=36500), example="120d")(typed)
    except values.Invalid as error:
        raise typer.BadParameter(str(error), param_hint="--older-than") from None
    assert age is not None
    return age


class _Bar:
    """A bar on stderr, where that is a terminal: one for what is done at a time."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, what: str, done: int, of: int) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=of)
        self._progress.update(self._tasks[what], completed=done, total=of)


@contextlib.contextmanager
def _bar() -> Iterator[_Bar]:
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    ) as progress:
        yield _Bar(progress)
