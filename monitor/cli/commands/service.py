"""What runs the service, and asks whether it is alive: run, once, demo, healthcheck."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer

from monitor import answers, probe, telemetry, tracing
from monitor.cli.shared import (
    ConfigOption,
    err,
    out,
    settings_of,
    settings_to_look_by,
)
from monitor.cli.typed import decimal, whole
from monitor.config import Settings
from monitor.ports import Role
from monitor.service import (
    Service,
    assembled,
)

PATIENCE: Final = 60.0
"""Seconds for which a start waits for a PostgreSQL that is not there yet: it may be starting, too."""


def run(
    config_file: ConfigOption = None,
    role: Annotated[
        Role,
        typer.Option(
            help="What this process does, where several share a PostgreSQL: keep the clock, poll "
            "and read, send messages, or serve the page.",
        ),
    ] = Role.ALL,
) -> None:
    """Serve until stopped: poll, match, alert, show the page; follow edits of the configuration."""
    path, settings = settings_of(config_file)

    async def serve() -> None:
        async with assembled(settings, role=role, patience=PATIENCE) as service:
            stop = asyncio.Event()
            obey_signals(service, stop, path)
            await service.run(stop, path=path, env=os.environ, announce=_announce)

    _go(serve(), settings)


def once(config_file: ConfigOption = None) -> None:
    """Do what is due now, and what comes of it, then exit. For a first look, or for cron."""
    _, settings = settings_of(config_file)

    async def work() -> None:
        async with assembled(settings) as service:
            await service.once()
            counts = await service.reports.counts(service.clock.now())
        out.print(answers.counts_line(counts), markup=False)

    _go(work(), settings)


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


def healthcheck(config_file: ConfigOption = None) -> None:
    """Exit 0 if the service on this machine is alive, 1 if not. For the container's HEALTHCHECK."""
    web = settings_to_look_by(config_file, quiet=True).web
    is_well, said = probe.ask(web.host, web.port)
    if not is_well:
        err.print(f"monitor: {said}", markup=False, soft_wrap=True)
        raise typer.Exit(1)
    out.print(said, markup=False)


def _go(work: Coroutine[Any, Any, None], settings: Settings) -> None:
    telemetry.set_up_logging(settings.monitor.log, colours=not err.no_color)
    end_traces = tracing.start(os.environ)
    for warning in settings.warnings:
        telemetry.get_logger().warning("config.warning", detail=str(warning))
    # until the service obeys it: the first process of a container has no SIGTERM but its own
    signal.signal(signal.SIGTERM, _end)
    try:
        asyncio.run(work)
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        end_traces()


def _end(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)


def obey_signals(service: Service, stop: asyncio.Event, path: Path) -> None:
    """SIGTERM and SIGINT ask it to stop, a second one ends it; SIGHUP has it read its file again."""
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
    """To whoever sits there; a log has it in `service.started`, and nothing but its own lines."""
    if err.is_terminal:
        err.print(f"The page is at [bold]{url}[/bold] · Ctrl-C stops the service.")
