"""`monitor slack`: the app to install."""

from __future__ import annotations

from typing import Annotated

import typer

from alerts.manifest import as_yaml, manifest, one_click
from monitor.cli.shared import (
    err,
    out,
)

commands = typer.Typer(help="Slack: the app to install.", no_args_is_help=True)


@commands.command("manifest")
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
