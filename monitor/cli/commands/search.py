"""`monitor search` and `monitor export`: the archive in the watch language, to read and to keep."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from monitor import config
from monitor.cli.shared import (
    ConfigOption,
    JsonOption,
    err,
    out,
    print_json,
    print_part,
    settings_to_look_by,
)
from monitor.cli.show import search as show_search
from monitor.cli.show.watches import unknown
from monitor.cli.typed import whole
from monitor.clock import SystemClock
from monitor.config import Settings, values
from monitor.errors import ConfigError, Mistake, MonitorError
from monitor.match.query import bracketed
from monitor.opening import looking_at
from monitor.ports import Filters, Match, Reports
from monitor.web import words
from monitor.web.finds import EXPORTED, Value, lines_of_csv, lines_of_json, record

ROWS: int = 2_000
"""Rows of a group in a Parquet file."""

_LONG_AGO = timedelta(days=36_500)


class Format(StrEnum):
    """What an export is written as."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


def _time(typed: str) -> datetime:
    """A moment in UTC, or so long ago: `2026-05-10`, `2026-05-10T14:30`, `7d`."""
    with suppress(ValueError):
        at = datetime.fromisoformat(typed)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    try:
        ago = values.duration(timedelta(seconds=1), _LONG_AGO, example="7d")(typed)
    except values.Invalid:
        raise typer.BadParameter(
            f"{typed!r} is no time: write 7d, 12h, 2026-05-10 or 2026-05-10T14:30"
        ) from None
    assert ago is not None
    return SystemClock().now() - ago


def _language(typed: str) -> str:
    """A code that there is: a misspelt one would find nothing, and look as if there were nothing."""
    try:
        return values.language(typed)
    except values.Invalid as error:
        raise typer.BadParameter(f"{typed!r} {error}") from None


def _in_order(since: datetime | None, until: datetime | None) -> None:
    """Raises `typer.BadParameter` for a time in which nothing can be."""
    if since is not None and until is not None and since >= until:
        raise typer.BadParameter("must be later than --since", param_hint="--until")


SinceOption = Annotated[
    datetime | None,
    typer.Option(parser=_time, metavar="TIME", help="First seen since then: 7d, 12h, 2026-05-10."),
]
UntilOption = Annotated[
    datetime | None, typer.Option(parser=_time, metavar="TIME", help="First seen before then.")
]
PublisherOption = Annotated[str | None, typer.Option(help="Of this publisher.")]
LanguageOption = Annotated[
    str | None,
    typer.Option(parser=_language, metavar="CODE", help="In this language: hi, ur, pt-BR."),
]
SideOption = Annotated[str | None, typer.Option(help="Of this side.")]
WatchOption = Annotated[str | None, typer.Option(help="In which this watch found something.")]


def search(
    query: Annotated[
        str,
        typer.Argument(metavar="QUERY", help="What to look for, in the watch language; in quotes."),
    ],
    since: SinceOption = None,
    until: UntilOption = None,
    publisher: PublisherOption = None,
    language: LanguageOption = None,
    side: SideOption = None,
    watch: WatchOption = None,
    limit: Annotated[
        int,
        typer.Option(
            help="At most so many, the newest.", parser=whole(most=10_000), metavar="NUMBER"
        ),
    ] = 20,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="For a spreadsheet.")] = False,
    as_jsonl: Annotated[bool, typer.Option("--jsonl", help="An object a line.")] = False,
) -> None:
    """Search all stored articles, with what a watch with this query would find in them."""
    if as_json + as_csv + as_jsonl > 1:
        raise typer.BadParameter("give one of --json, --csv and --jsonl", param_hint="--json")
    _in_order(since, until)
    read = config.checked(query)
    settings = settings_to_look_by(config_file)
    filters = Filters(
        since=since, until=until, publisher=publisher, side=side, language=language, watch=watch
    )
    found, unindexed, nowhere = asyncio.run(_found(settings, query, filters, limit))
    if unindexed:
        waiting = words.some(unindexed, "article")
        _note(f"{waiting} can't be found yet: the service is still indexing them.")
    if as_json:
        print_json([record(match) for match in found])
        return
    if as_csv or as_jsonl:
        records = [record(match) for match in found]
        sys.stdout.write(lines_of_json(records) if as_jsonl else lines_of_csv(records, head=True))
        return
    now = SystemClock().now()
    for number, match in enumerate(found):
        if number:
            out.print()
        for part in show_search.found(match, now):
            print_part(part)
    if not found:
        out.print(f"No article matches {bracketed(read.root)}.", markup=False, soft_wrap=True)
        if nowhere:
            words_said = ", ".join(f"“{term}”" for term in nowhere)
            stand = "stands" if len(nowhere) == 1 else "stand"
            out.print(f"In none at all {stand} {words_said}.", markup=False, soft_wrap=True)
    elif len(found) == limit:
        _note(f"The newest {words.number(limit)}: --limit gives more, `monitor export` all.")


def export(
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to: a file, or - (no Parquet).",
            show_default=False,
        ),
    ],
    form: Annotated[
        Format | None,
        typer.Option("--format", help="Default: what FILE ends in.", show_default=False),
    ] = None,
    query: Annotated[
        str | None,
        typer.Option("--query", "-q", help="Only what this finds.", show_default=False),
    ] = None,
    watch: WatchOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    config_file: ConfigOption = None,
) -> None:
    """Write stored articles to a file, with their texts: all, or what a query or a watch finds."""
    _in_order(since, until)
    form = form or _format_of(output)
    if query is not None:
        config.checked(query)
    writer = _WRITERS[form]
    if form is Format.PARQUET and output == "-":
        raise typer.BadParameter("a Parquet file can't be piped: name a file", param_hint="-o")
    settings = settings_to_look_by(config_file)
    filters = Filters(since=since, until=until, watch=watch)
    rows = asyncio.run(_export(settings, query, filters, output, writer))
    if output != "-":
        err.print(
            f"{words.some(rows, 'article')} written to {output}.", markup=False, soft_wrap=True
        )


async def _found(
    settings: Settings, query: str, filters: Filters, limit: int
) -> tuple[Sequence[Match], int, Sequence[str]]:
    """At most so many finds, how many articles could not be looked at, and terms that are nowhere."""
    found: list[Match] = []
    cursor: str | None = None
    unindexed = 0
    nowhere: Sequence[str] = ()
    async with looking_at(settings) as reports:
        await _check_watch(reports, filters.watch, settings)
        with _progress() as progress:
            task = progress.add_task("Searching", total=None)
            while len(found) < limit:
                page = await reports.search.find(
                    query, filters, cursor=cursor, limit=limit - len(found)
                )
                found += page.matches
                unindexed = max(unindexed, page.unindexed)
                cursor, nowhere = page.cursor, page.nowhere
                if cursor is None:
                    break
                back = f", back to {page.back_to:%Y-%m-%d}" if page.back_to else ""
                progress.update(task, description=f"Searching{back}")
    return found, unindexed, nowhere


async def _export(
    settings: Settings,
    query: str | None,
    filters: Filters,
    output: str,
    make: Callable[[Path | None], _Writer],
) -> int:
    rows = 0
    async with looking_at(settings) as reports:
        await _check_watch(reports, filters.watch, settings)
        total = None
        if query is None and filters == Filters(since=filters.since):
            total = await reports.archive_size(filters.since or datetime.min.replace(tzinfo=UTC))
        with _progress() as progress, _beside(output) as path:
            task = progress.add_task("Writing", total=total)
            writer = make(path)
            try:
                async for page in reports.search.walk(query, filters):
                    await asyncio.to_thread(writer.write, [_whole(match) for match in page])
                    rows += len(page)
                    progress.update(task, completed=rows, description=f"Writing {rows:,}")
            finally:
                writer.close()
    return rows


async def _check_watch(reports: Reports, name: str | None, settings: Settings) -> None:
    """Raises `ConfigError` for a watch that has never run."""
    if name is not None:
        rows = await reports.watches(SystemClock().now())
        if name not in {row.watch.name for row in rows}:
            raise ConfigError((Mistake(unknown(name, settings.watches)),))


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )


def _note(said: str) -> None:
    err.print(said, style="dim", markup=False, soft_wrap=True)


def _format_of(output: str) -> Format:
    ending = Path(output).suffix.removeprefix(".").lower()
    if ending not in set(Format):
        raise typer.BadParameter(
            f"{output!r} does not say what to write: give --format csv, jsonl or parquet",
            param_hint="--format",
        )
    return Format(ending)


# ------------------------------------------------------------------------------- writing


def _whole(match: Match) -> Mapping[str, Value]:
    """An article as an export has it: with its text in place of a passage."""
    document = match.archived.document
    row = record(match)
    del row["passage"]
    return row | {
        "sides": list(document.sides),
        "tags": list(document.tags),
        "authors": list(document.authors),
        "body": document.body,
    }


@contextmanager
def _beside(output: str) -> Iterator[Path | None]:
    """A new file that takes the place of `output` once all is written; None: standard output."""
    if output == "-":
        yield None
        return
    target = Path(output)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise MonitorError(f"{output} can't be written: {error.strerror}") from None
    os.close(handle)
    made = Path(name)
    try:
        yield made
        made.chmod(0o666 & ~_umask())
        made.replace(target)
    except OSError as error:
        raise MonitorError(f"{output} can't be written: {error.strerror}") from None
    finally:
        made.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


class _Writer(Protocol):
    """Writes rows to a file, or to standard output."""

    def write(self, rows: Sequence[Mapping[str, Value]]) -> None:
        """Add some."""

    def close(self) -> None:
        """Nothing comes any more."""


class _Text:
    """Lines of text."""

    def __init__(
        self, path: Path | None, lines: Callable[[Sequence[Mapping[str, Value]], bool], str]
    ) -> None:
        # as it is: the rows of a table end in \r\n
        self._file = sys.stdout if path is None else path.open("w", encoding="utf-8", newline="")
        self._lines = lines
        self._is_first = True

    def write(self, rows: Sequence[Mapping[str, Value]]) -> None:
        """See `_Writer`."""
        self._file.write(self._lines(rows, self._is_first))
        self._is_first = False

    def close(self) -> None:
        """See `_Writer`."""
        if self._is_first:  # a table without rows has its heads
            self.write([])
        if self._file is sys.stdout:
            self._file.flush()
        else:
            self._file.close()


class _Parquet:
    """Apache Parquet, by pyarrow."""

    def __init__(self, path: Path | None) -> None:
        """Raises `MonitorError` without pyarrow."""
        try:
            import pyarrow as pa  # noqa: PLC0415 an extra
            import pyarrow.parquet as pq  # noqa: PLC0415
        except ImportError:
            raise MonitorError(
                "Parquet is written by pyarrow, which is not installed: install monitor[parquet]"
            ) from None
        several = pa.list_(pa.string())
        moment = pa.timestamp("s", tz="UTC")
        self._pa = pa
        self._schema = pa.schema(
            {
                "id": pa.int64(),
                "story": pa.int64(),
                "first_seen_at": moment,
                "published_at": moment,
                "publisher": pa.string(),
                "language": pa.string(),
                "title": pa.string(),
                "url": pa.string(),
                "found": several,
                "sides": several,
                "tags": several,
                "authors": several,
                "body": pa.string(),
            }
        )
        self._file = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._rows: list[Mapping[str, Any]] = []

    def write(self, rows: Sequence[Mapping[str, Value]]) -> None:
        """See `_Writer`."""
        self._rows += [
            {**row, **{name: _moment(row[name]) for name in ("first_seen_at", "published_at")}}
            for row in rows
        ]
        if len(self._rows) >= ROWS:
            self._flush()

    def close(self) -> None:
        """See `_Writer`."""
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        self._file.write_table(self._pa.Table.from_pylist(self._rows, schema=self._schema))
        self._rows = []


def _moment(text: Value) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


_WRITERS: Mapping[Format, Callable[[Path | None], _Writer]] = {
    Format.CSV: lambda path: _Text(
        path, lambda rows, first: lines_of_csv(rows, head=first, columns=EXPORTED)
    ),
    Format.JSONL: lambda path: _Text(path, lambda rows, _: lines_of_json(rows)),
    Format.PARQUET: _Parquet,
}
