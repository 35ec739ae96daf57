"""`monitor db`."""

from __future__ import annotations

import typer

from monitor.cli.shared import (
    ConfigOption,
    out,
    settings_of,
)
from monitor.storage import upgrade

commands = typer.Typer(help="The database.", no_args_is_help=True)


@commands.command("upgrade")
def db_upgrade(config_file: ConfigOption = None) -> None:
    """Bring the database to this version's schema. `monitor run` does it by itself."""
    _, settings = settings_of(config_file)
    version = upgrade(settings.monitor.database)
    out.print(f"The database is at version {version}.", markup=False)
