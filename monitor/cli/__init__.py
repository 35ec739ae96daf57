"""The command line. Errors are one sentence each on stderr; exit codes are the design's:
0 fine, 2 configuration (and usage), 3 database, 1 anything else.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from monitor import __version__, config, telemetry
from monitor.cli import show
from monitor.config import Settings
from monitor.errors import ConfigError, MonitorError, StorageError
from monitor.service import Service, SystemClock, assembled, looking_at
from monitor.storage import upgrade
from monitor.web.words import some

app = typer.Typer(
    help="Watch the news: feeds to stories to one living Slack message per story.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
database = typer.Typer(help="The database.", no_args_is_help=True)
app.add_typer(database, name="db")

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
JsonOption = Annotated[bool, typer.Option("--json", help="For machines.")]


def main() -> None:
    """Run the command line; every error on purpose becomes its sentence and exit code."""
    try:
        app(prog_name="monitor")
    except ConfigError as error:
        for mistake in error.mistakes:
            err.print(str(mistake), style="red", markup=False, soft_wrap=True)
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
        out.print(show.counts_line(counts), markup=False)

    _go(work(), settings)


@app.command()
def check(config_file: ConfigOption = None) -> None:
    """Read the configuration and print every mistake with its line and column."""
    path, settings = _settings(config_file)
    for warning in settings.warnings:
        err.print(str(warning), style="yellow", markup=False, soft_wrap=True)
    out.print(
        f"{path}: fine. {some(len(settings.watches), 'watch', 'watches')} over "
        f"{some(len(settings.feeds), 'feed')}, alerts to {show.destination(settings)}.",
        markup=False,
        soft_wrap=True,
    )


@app.command()
def why(url: str, config_file: ConfigOption = None) -> None:
    """Say of an article, stage by stage, why it did or did not alert."""
    settings = _settings_to_look_by(config_file)

    async def tell() -> None:
        async with looking_at(settings) as reports:
            for line in await show.why(url, settings, reports, SystemClock().now()):
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
            json.dump(show.status_json(counts, feeds), sys.stdout, ensure_ascii=False, indent=2)
            sys.stdout.write("\n")
        else:
            for part in show.status(counts, feeds, now):
                out.print(part)

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
        float, typer.Option(help="How long the six hours of the story take.", min=0.5)
    ] = 10.0,
    port: Annotated[int, typer.Option(help="Where the page is served.")] = 8080,
    stay: Annotated[bool, typer.Option(help="Serve the page on when the story is told.")] = True,
) -> None:
    """Run the service against a newsroom that ships with it. Nothing but this machine is touched."""
    from monitor.demo.play import play  # noqa: PLC0415 only the demo needs its newsroom

    telemetry.set_up_logging("auto", level="WARNING")
    asyncio.run(play(minutes=minutes, port=port, console=out, stay=stay))


@database.command("upgrade")
def db_upgrade(config_file: ConfigOption = None) -> None:
    """Bring the database to this version's schema. `monitor run` does it by itself."""
    _, settings = _settings(config_file)
    version = upgrade(settings.monitor.database)
    out.print(f"The database is at version {version}.", markup=False)


def _settings(path: Path | None) -> tuple[Path, Settings]:
    path = path or config.config_path_from(os.environ)
    settings = config.load(path, os.environ)
    return path, settings


def _settings_to_look_by(path: Path | None, *, quiet: bool = False) -> Settings:
    """For commands that only look at a service, which goes on when an edit is wrong: so do they."""
    path = path or config.config_path_from(os.environ)
    try:
        return config.load(path, os.environ)
    except ConfigError as error:
        settings = config.load_what_is_right(path, os.environ)
        if not quiet:
            count = len(error.mistakes)
            err.print(
                f"{path} has {count} mistake{'' if count == 1 else 's'} (see `monitor check`): what "
                "is right in it is used here.",
                style="yellow",
                markup=False,
                soft_wrap=True,
            )
        return settings


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
