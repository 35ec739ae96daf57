"""`monitor deliveries`: what was said and what could not be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.shared import (
    ConfigOption,
    JsonOption,
    LimitOption,
    MessageArgument,
    asked,
    out,
    print_found,
    settings_to_change_by,
    settings_to_look_by,
    whoever_types,
)
from monitor.cli.show import deliveries as show_deliveries
from monitor.clock import SystemClock
from monitor.model import DeliveryState
from monitor.opening import deciding
from monitor.pipeline.by_hand import drop_by_hand, retry_by_hand
from monitor.ports import Waits

commands = typer.Typer(
    help="Messages: what was said and what could not be; to send it again, or to drop it.",
    no_args_is_help=True,
)


@commands.command("list")
def deliveries_list(
    dead: Annotated[bool, typer.Option("--dead", help="Only what was refused for good.")] = False,
    limit: LimitOption = 20,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Messages, the newest first: what waits or failed, and why; then what is shown."""
    settings = settings_to_look_by(config_file)
    states = {DeliveryState.DEAD} if dead else ()
    rows = asked(settings, lambda reports: reports.deliveries(limit, states=states))
    listed = partial(show_deliveries.listed, now=SystemClock().now())
    print_found(rows, as_json, show_deliveries.listed_json, listed)


@commands.command("retry")
def deliveries_retry(message: MessageArgument, config_file: ConfigOption = None) -> None:
    """Send a message again that was refused or dropped, or that waits to be tried again: now."""
    row = asyncio.run(_decide_on(message, retry_by_hand, config_file))
    out.print(f"It is due in {row.channel} now.", markup=False)


@commands.command("drop")
def deliveries_drop(message: MessageArgument, config_file: ConfigOption = None) -> None:
    """Give up a message that is not shown. It counts as failed no more; `retry` takes it back."""
    row = asyncio.run(_decide_on(message, drop_by_hand, config_file))
    out.print(f"It is dropped: {row.channel} will not show it.", markup=False)


async def _decide_on(message: str, decide: Callable[..., Waits], config_file: Path | None) -> Waits:
    settings = settings_to_change_by(config_file)
    now, by = SystemClock().now(), whoever_types()
    async with deciding(settings) as (store, _):
        return await store.write(lambda tx: decide(tx, message.lower(), by=by, now=now))
