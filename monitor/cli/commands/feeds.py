"""`monitor feeds`: where a site has them."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer

from monitor import config
from monitor.cli.shared import (
    ConfigOption,
    JsonOption,
    out,
    print_json,
    settings_to_look_by,
)
from monitor.cli.show import feeds as show_feeds
from monitor.service import (
    SystemClock,
)

commands = typer.Typer(help="Feeds: where a site has them.", no_args_is_help=True)


@commands.command("discover")
def feeds_discover(
    url: Annotated[str, typer.Argument(help="A web page, or a site: bbc.com", show_default=False)],
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """The feeds that a web page names: title, kind, and what is in each."""
    path = config_file or config.config_path_from(os.environ)
    settings = settings_to_look_by(path, quiet=not path.exists())  # nobody needs one for this
    clock = SystemClock()
    found = asyncio.run(show_feeds.look(url, settings, clock))
    if as_json:
        print_json(show_feeds.listed_json(found))
        return
    for part in show_feeds.listed(found, clock.now()):
        out.print(part)
