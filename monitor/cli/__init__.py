"""The command line. Errors are one sentence each on stderr; exit codes: 0 fine, 2 configuration (and
usage), 3 database, 130 broken off by Ctrl-C (`run`: by a second one), 1 anything else.
"""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import re
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from alerts.manifest import as_yaml, manifest, one_click
from monitor import __version__, answers, config, telemetry, volume
from monitor.cli import deliveries as show_deliveries
from monitor.cli import examine, show
from monitor.cli import feeds as show_feeds
from monitor.cli import stories as show_stories
from monitor.cli import watches as show_watches
from monitor.cli.typed import LARGEST, decimal, whole
from monitor.config import Settings
from monitor.errors import ConfigError, Mistake, MonitorError, QueryError, Refused, StorageError
from monitor.match import Document
from monitor.match.backtest import Archived, Backtest
from monitor.match.explain import explain
from monitor.match.language import rendered
from monitor.match.plan import content_of, read
from monitor.match.query import bracketed
from monitor.model import ArticleId, DeliveryState, StoryId, Watch
from monitor.pipeline.by_hand import drop_by_hand, merge_by_hand, retry_by_hand, split_by_hand
from monitor.ports import Waits, WatchRow
from monitor.service import (
    Service,
    SystemClock,
    assembled,
    deciding,
    looking_at,
    spikes_unjudged,
)
from monitor.storage import upgrade
from monitor.web import words

app = typer.Typer(
    help="Watch the news: feeds to stories to one living Slack message per story.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
database = typer.Typer(help="The database.", no_args_is_help=True)
app.add_typer(database, name="db")
watch_commands = typer.Typer(
    help="Watches: what they look for, what they find, what they would find.",
    no_args_is_help=True,
)
app.add_typer(watch_commands, name="watches")
feed_commands = typer.Typer(help="Feeds: where a site has them.", no_args_is_help=True)
app.add_typer(feed_commands, name="feeds")
story_commands = typer.Typer(
    help="Stories: what belongs together; and putting it right by hand, for good.",
    no_args_is_help=True,
)
app.add_typer(story_commands, name="stories")
delivery_commands = typer.Typer(
    help="Messages: what was said and what could not be; to send it again, or to drop it.",
    no_args_is_help=True,
)
app.add_typer(delivery_commands, name="deliveries")
slack_commands = typer.Typer(help="Slack: the app to install.", no_args_is_help=True)
app.add_typer(slack_commands, name="slack")

_OF_DATABASE = re.compile(r'MONITOR_DATABASE_URL|monitor: (database:|.*did you mean "database")')

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
    str | None, typer.Argument(help="A watch of the configuration.", show_default=False)
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


def main() -> None:
    """Run the command line; every error on purpose becomes its sentence and exit code."""
    try:
        app(prog_name="monitor")
    except ConfigError as error:
        for mistake in error.mistakes:
            err.print(str(mistake), style="red", markup=False, soft_wrap=True)
        sys.exit(2)
    except QueryError as error:
        err.print(rendered(error), style="red", markup=False, soft_wrap=True)
        sys.exit(2)
    except MonitorError as error:
        err.print(f"monitor: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(3 if isinstance(error, StorageError) else 1)


@app.callback(invoke_without_command=True)
def _version(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        out.print(__version__)
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        out.print(ctx.get_help(), markup=False)


@app.command()
def run(config_file: ConfigOption = None) -> None:
    """Serve until stopped: poll, match, alert, show the page; follow edits of the configuration."""
    path, settings = _settings(config_file)

    async def serve() -> None:
        async with assembled(settings) as service:
            stop = asyncio.Event()
            _obey_signals(service, stop, path)
            await service.run(stop, path=path, env=os.environ, announce=_announce)

    _go(serve(), settings)


@app.command()
def once(config_file: ConfigOption = None) -> None:
    """Do what is due now, and what comes of it, then exit. For a first look, or for cron."""
    _, settings = _settings(config_file)

    async def work() -> None:
        async with assembled(settings) as service:
            await service.once()
            counts = await service.reports.counts(service.clock.now())
        out.print(answers.counts_line(counts), markup=False)

    _go(work(), settings)


@app.command()
def check(config_file: ConfigOption = None) -> None:
    """Read the configuration and print every mistake with its line and column."""
    path, settings = _settings(config_file)
    for warning in (*settings.warnings, *asyncio.run(_too_broad(settings))):
        err.print(str(warning), style="yellow", markup=False, soft_wrap=True)
    out.print(
        f"{path}: fine. {examine.counted(settings)}, alerts to {show.destination(settings)}.",
        markup=False,
        soft_wrap=True,
    )


@app.command()
def why(
    url: Annotated[str, typer.Argument(help="The address of an article.", show_default=False)],
    config_file: ConfigOption = None,
) -> None:
    """Say of an article, stage by stage, why it did or did not alert."""
    settings = _settings_to_look_by(config_file)

    async def tell() -> None:
        async with looking_at(settings) as reports:
            for line in await answers.why(url, settings, reports, SystemClock().now()):
                out.print(line, soft_wrap=True)

    asyncio.run(tell())


@app.command()
def status(config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show how the feeds, the articles and the alerts stand."""
    settings = _settings_to_look_by(config_file)

    async def tell() -> None:
        now = SystemClock().now()
        async with looking_at(settings) as reports:
            counts, feeds = await reports.counts(now), await reports.feeds()
        if as_json:
            _print_json(show.status_json(counts, feeds))
        else:
            for part in show.status(counts, feeds, now):
                out.print(part, soft_wrap=not out.is_terminal)  # who greps wants whole URLs

    asyncio.run(tell())


@app.command()
def healthcheck(config_file: ConfigOption = None) -> None:
    """Exit 0 if the service on this machine is alive, 1 if not. For the container's HEALTHCHECK."""
    web = _settings_to_look_by(config_file, quiet=True).web
    host = web.host
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 asked, not bound
    address = f"http://{f'[{host}]' if ':' in host else host}:{web.port}/healthz"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=5) as answer:
            reason = json.load(answer).get("reason", "")
    except urllib.error.HTTPError as error:
        reason = f"{address} answers {error.code}: is another program on that port?"
        with suppress(ValueError):
            reason = json.load(error).get("reason", reason)
        err.print(f"monitor: {reason}", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        reason = getattr(reason, "strerror", None) or reason
        err.print(
            f"monitor: no service answers at {address}: {reason}", markup=False, soft_wrap=True
        )
        raise typer.Exit(1) from None
    out.print(reason, markup=False)


@app.command()
def demo(
    minutes: Annotated[
        float,
        typer.Option(
            help="How long the six hours of the story take; 0.5 or more.",
            parser=decimal(0.5),
            metavar="NUMBER",
        ),
    ] = 10.0,
    port: Annotated[
        int,
        typer.Option(
            help="Where the page is served; up to 65535. Its Slack is one above.",
            parser=whole(most=65535),
            metavar="NUMBER",
        ),
    ] = 8080,
    stay: Annotated[bool, typer.Option(help="Serve the page on when the story is told.")] = True,
) -> None:
    """Run the service against a newsroom that ships with it. Nothing but this machine is touched."""
    from monitor.demo.play import play  # noqa: PLC0415 only the demo needs its newsroom

    telemetry.set_up_logging("auto", level="ERROR")  # feeds in trouble are told of in its Slack
    asyncio.run(play(minutes=minutes, port=port, console=out, stay=stay))


@app.command()
def doctor(config_file: ConfigOption = None) -> None:
    """Check what alerts depend on, a line each: configuration, database, Slack, clock, feeds.

    Exits with 1 if something is wrong, with 2 if that is the configuration.
    """
    path = config_file or config.config_path_from(os.environ)
    mistakes = 0
    try:
        settings = config.load(path, os.environ)
    except ConfigError as error:
        mistakes = len(error.mistakes)
        settings = config.load_what_is_right(path, os.environ).settings
        for mistake in error.mistakes:
            _print_finding(
                examine.Finding(subject="configuration", said=str(mistake), is_right=False)
            )
    else:
        _print_finding(examine.configuration(path, settings))

    async def all_fine() -> bool:
        fine = True
        async for finding in examine.findings(settings, SystemClock()):
            _print_finding(finding)
            fine = fine and finding.is_right is not False
        return fine

    fine = asyncio.run(all_fine())
    if mistakes or not fine:
        raise typer.Exit(2 if mistakes else 1)


def _print_finding(finding: examine.Finding) -> None:
    out.print(show.finding(finding), soft_wrap=True)


@slack_commands.command("manifest")
def slack_manifest(
    interactive: Annotated[
        bool,
        typer.Option("--interactive", help="With buttons and /monitor: Socket Mode."),
    ] = False,
) -> None:
    """Print the Slack app as a manifest, to be pasted, and a link that has it filled in."""
    app_manifest = manifest(interactive=interactive)
    out.print(as_yaml(app_manifest), end="", markup=False, soft_wrap=True)
    err.print("Or open this, choose the workspace, and press Create:", markup=False)
    err.print(one_click(app_manifest), markup=False, soft_wrap=True)


@database.command("upgrade")
def db_upgrade(config_file: ConfigOption = None) -> None:
    """Bring the database to this version's schema. `monitor run` does it by itself."""
    _, settings = _settings(config_file)
    version = upgrade(settings.monitor.database)
    out.print(f"The database is at version {version}.", markup=False)


@feed_commands.command("discover")
def feeds_discover(
    url: Annotated[str, typer.Argument(help="A web page, or a site: bbc.com", show_default=False)],
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """The feeds that a web page names: title, kind, and what is in each."""
    path = config_file or config.config_path_from(os.environ)
    settings = _settings_to_look_by(path, quiet=not path.exists())  # nobody needs one for this
    clock = SystemClock()
    found = asyncio.run(show_feeds.look(url, settings, clock))
    if as_json:
        _print_json(show_feeds.listed_json(found))
        return
    for part in show_feeds.listed(found, clock.now()):
        out.print(part)


@watch_commands.command("list")
def watches_list(config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Every watch: where it leads, what it found in seven days, how people judged, how it reads."""
    settings, _ = _what_is_right(config_file)
    written = {watch.name: bracketed(read(watch).root) for watch in settings.watches}
    found = asyncio.run(_found_in_a_week(settings))
    unjudged = asyncio.run(spikes_unjudged(settings)) if found is not None else {}
    if as_json:
        _print_json(show_watches.listed_json(settings, written, found, unjudged))
        return
    for part in show_watches.listed(settings, written, found, unjudged):
        out.print(part)


@watch_commands.command("explain")
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
) -> None:
    """Take a watch apart: its brackets, what each term is found as; why an article matches or not."""
    settings, mistakes = _what_is_right(config_file)
    watch = _watch_of(name, query, settings, mistakes)
    if article is not None and text is not None:
        raise typer.BadParameter(
            "takes the place of --article: give one of them", param_hint="--text"
        )
    document = None
    if article is not None:
        document = asyncio.run(_stored(article, settings)).document
    elif text is not None:
        headline, _, body = _text_of(text).strip().partition("\n")
        document = Document(title=headline.strip(), body=body.strip())
    for part in show_watches.explained(watch, explain(watch, document), document):
        out.print(part)


@watch_commands.command("test")
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
    days: Annotated[
        int | None,
        typer.Option(
            help="How far to go back. Default: 30.",
            parser=whole(most=36500),
            metavar="NUMBER",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            help="At most so many articles, the newest.",
            parser=whole(),
            metavar="NUMBER",
            show_default=False,
        ),
    ] = None,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try a watch on the stored articles: how much it finds, a few of them, what an edit changes."""
    settings, mistakes = _what_is_right(config_file)
    watch = _watch_of(name, query, settings, mistakes)
    other = None if against is None else _watch_of(None, against, settings, mistakes)
    trial = asyncio.run(_try(watch, other, settings, days=days, limit=limit))
    if as_json:
        _print_json(show_watches.tried_json(trial))
        return
    for part in show_watches.tried(trial):
        out.print(part)


@story_commands.command("list")
def stories_list(
    limit: LimitOption = 20,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """The stories in which a watch found something last: number, size, where they are told."""
    settings = _settings_to_look_by(config_file)

    async def tell() -> None:
        async with looking_at(settings) as reports:
            rows = await reports.stories(limit)
        if as_json:
            _print_json(show_stories.listed_json(rows))
            return
        for part in show_stories.listed(rows, SystemClock().now()):
            out.print(part)

    asyncio.run(tell())


@story_commands.command("show")
def stories_show(story: StoryArgument, config_file: ConfigOption = None) -> None:
    """One story: its articles and whose copies they are, its chapters, what people decided."""
    settings = _settings_to_look_by(config_file)

    async def tell() -> None:
        async with looking_at(settings) as reports:
            trace = await reports.story(StoryId(story))
        if trace is None:
            raise Refused(f"there is no story {story}: see `monitor stories list`")
        if trace.view.story != story:
            out.print(f"Story {story} was merged into story {trace.view.story}.", markup=False)
        for part in show_stories.shown(trace, SystemClock().now()):
            out.print(part, soft_wrap=True)

    asyncio.run(tell())


@story_commands.command("merge")
def stories_merge(
    story: StoryArgument, other: StoryArgument, config_file: ConfigOption = None
) -> None:
    """Make two stories one, for good: one message goes on, another becomes a pointer to it.

    The one that is told already goes on; if both are, or neither is, the older one.
    """
    settings = _settings_to_change_by(config_file)

    async def decide() -> StoryId:
        now, by = SystemClock().now(), _whoever_types()
        async with deciding(settings) as (store, rules):
            stories = StoryId(story), StoryId(other)
            return await store.write(
                lambda tx: merge_by_hand(tx, *stories, by=by, now=now, rules=rules)
            )

    kept = asyncio.run(decide())
    out.print(f"Stories {story} and {other} are one now: story {kept}.", markup=False)


@story_commands.command("split")
def stories_split(
    article: Annotated[str, typer.Argument(help="The article: its URL, or its number.")],
    config_file: ConfigOption = None,
) -> None:
    """Give an article a story of its own, for good; its copies go along.

    What a watch found in it is told anew, in a message of its own.
    """
    settings = _settings_to_change_by(config_file)

    async def decide() -> StoryId:
        now, by = SystemClock().now(), _whoever_types()
        known = (await _stored(article, settings)).article
        async with deciding(settings) as (store, rules):
            return await store.write(
                lambda tx: split_by_hand(tx, known, by=by, now=now, rules=rules)
            )

    out.print(f"It is story {asyncio.run(decide())} now.", markup=False)


@delivery_commands.command("list")
def deliveries_list(
    dead: Annotated[bool, typer.Option("--dead", help="Only what was refused for good.")] = False,
    limit: LimitOption = 20,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Messages, the newest first: what waits or failed, and why; then what is shown."""
    settings = _settings_to_look_by(config_file)
    states = {DeliveryState.DEAD} if dead else ()

    async def tell() -> None:
        async with looking_at(settings) as reports:
            rows = await reports.deliveries(limit, states=states)
        if as_json:
            _print_json(show_deliveries.listed_json(rows))
            return
        for part in show_deliveries.listed(rows, SystemClock().now()):
            out.print(part)

    asyncio.run(tell())


@delivery_commands.command("retry")
def deliveries_retry(message: MessageArgument, config_file: ConfigOption = None) -> None:
    """Send a message again that was refused or dropped, or that waits to be tried again: now."""
    row = asyncio.run(_decide_on(message, retry_by_hand, config_file))
    out.print(f"It is due in {row.channel} now.", markup=False)


@delivery_commands.command("drop")
def deliveries_drop(message: MessageArgument, config_file: ConfigOption = None) -> None:
    """Give up a message that is not shown. It counts as failed no more; `retry` takes it back."""
    row = asyncio.run(_decide_on(message, drop_by_hand, config_file))
    out.print(f"It is dropped: {row.channel} will not show it.", markup=False)


async def _decide_on(message: str, decide: Callable[..., Waits], config_file: Path | None) -> Waits:
    settings = _settings_to_change_by(config_file)
    now, by = SystemClock().now(), _whoever_types()
    async with deciding(settings) as (store, _):
        return await store.write(lambda tx: decide(tx, message.lower(), by=by, now=now))


@app.command()
def audit(
    limit: LimitOption = 20, config_file: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Who did what about messages, in Slack and here; the newest first."""
    settings = _settings_to_look_by(config_file)

    async def tell() -> None:
        async with looking_at(settings) as reports:
            rows = await reports.audit(limit)
        if as_json:
            _print_json(show_deliveries.audited_json(rows))
            return
        for part in show_deliveries.audited(rows, SystemClock().now()):
            out.print(part)

    asyncio.run(tell())


def _whoever_types() -> str:
    """The name under which a decision is kept."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have none
        return "the command line"


async def _found_in_a_week(settings: Settings) -> Mapping[str, WatchRow] | None:
    try:
        async with looking_at(settings) as reports:
            rows = await reports.watches(SystemClock().now() - timedelta(days=7))
    except StorageError:  # nothing has run yet
        return None
    return {row.watch.name: row for row in rows}


async def _too_broad(settings: Settings) -> Sequence[Mistake]:
    """Watches that would bring too much, if there is an archive to tell by."""
    with suppress(StorageError):
        async with looking_at(settings) as reports:
            found = await volume.too_broad(settings, reports, SystemClock().now())
            return tuple(found.values())
    return ()


async def _stored(article: str, settings: Settings) -> Archived:
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


async def _try(
    watch: Watch, other: Watch | None, settings: Settings, *, days: int | None, limit: int | None
) -> show_watches.Trial:
    now = SystemClock().now()
    days = days or (None if limit else 30)
    since = now - timedelta(days=days) if days else datetime.min.replace(tzinfo=UTC)
    async with looking_at(settings) as reports:
        rows = await reports.watches(now)
        stored = next((row.watch for row in rows if row.watch.name == watch.name), None)
        names = ("this one", "the other")
        if other is None and stored is not None and content_of(stored) != content_of(watch):
            other, names = stored, ("the edited version", "the version last run")
        size = await reports.archive_size(since)
        if not size:
            period = f" of the last {words.some(days, 'day')}" if days else ""
            raise MonitorError(f"there are no articles{period} to try it on")
        test = Backtest(watch, other, is_news=volume.news_within(settings.alerts.max_age))
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
                test.read(batch)
                progress.advance(task, len(batch))
        seconds = perf_counter() - began
    return show_watches.Trial(
        outcome=test.outcome(),
        new=bracketed(read(watch).root),
        old=bracketed(read(other).root) if other else None,
        names=names,
        period=f" of the last {words.some(days, 'day')}" if days else "",
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


def _print_json(value: object) -> None:
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def _settings(path: Path | None) -> tuple[Path, Settings]:
    path = path or config.config_path_from(os.environ)
    settings = config.load(path, os.environ)
    return path, settings


def _settings_to_look_by(path: Path | None, *, quiet: bool = False) -> Settings:
    """For commands that only look at a service, which goes on when an edit is wrong: so do they."""
    return _what_is_right(path, quiet=quiet)[0]


def _settings_to_change_by(path: Path | None) -> Settings:
    """For commands that change what a service has stored."""
    return _what_is_right(path, to_change=True)[0]


def _what_is_right(
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


def _go(work: Coroutine[Any, Any, None], settings: Settings) -> None:
    telemetry.set_up_logging(settings.monitor.log)
    for warning in settings.warnings:
        telemetry.get_logger().warning("config.warning", detail=str(warning))
    try:
        asyncio.run(work)
    except KeyboardInterrupt:
        sys.exit(130)


def _obey_signals(service: Service, stop: asyncio.Event, path: Path) -> None:
    loop = asyncio.get_running_loop()
    reloads: set[asyncio.Task[None]] = set()

    def ask_to_stop(name: str) -> None:
        if stop.is_set():
            os._exit(130)  # asked twice: whatever is at work is leased and goes on after a start
        telemetry.get_logger().info("service.stopping", signal=name)
        stop.set()

    def reload() -> None:
        telemetry.get_logger().info("config.asked_for", signal="SIGHUP")
        task = loop.create_task(service.reload_now(path, os.environ, stop))
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask_to_stop, signal.Signals(number).name)
    loop.add_signal_handler(signal.SIGHUP, reload)


def _announce(url: str) -> None:
    err.print(f"The page is at [bold]{url}[/bold] · Ctrl-C stops the service.")
