"""`monitor slack`: the app to install, and a try of it."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

from alerts.console import ConsoleSink
from alerts.manifest import as_yaml, manifest, one_click
from monitor.cli import trial
from monitor.cli.examine import Finding
from monitor.cli.shared import ConfigOption, JsonOption, err, out, print_json, settings_of
from monitor.cli.show import summary
from monitor.clock import SystemClock
from monitor.config import Settings
from monitor.parts import sink_for

commands = typer.Typer(help="Slack: the app to install, and a try of it.", no_args_is_help=True)


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


@commands.command("test")
def slack_test(
    channel: Annotated[
        str | None,
        typer.Argument(
            metavar="CHANNEL",
            help=r"#newsdesk, an id, or webhook:NAME. Default: that of \[slack].",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
    config_file: ConfigOption = None,
) -> None:
    """Post a message that says it is a test, answer it, find it, edit it; say what did not work.

    Exits with 1 if something did not.
    """
    _, settings = settings_of(config_file)
    channel = channel or settings.slack.channel
    if channel is None:
        has_slack = settings.slack_token is not None or settings.slack_webhook is not None
        if has_slack and settings.slack_webhook is None:
            raise typer.BadParameter(r"name a channel, or set channel under [slack]")
        channel = "the webhook's channel" if has_slack else "the terminal"
    findings = asyncio.run(_try(settings, channel, quiet=as_json))
    if as_json:
        print_json([asdict(each) for each in findings])
    if any(each.is_right is False for each in findings):
        raise typer.Exit(1)


async def _try(settings: Settings, channel: str, *, quiet: bool) -> list[Finding]:
    found = []
    async with sink_for(settings, channel) as sink:
        if isinstance(sink, ConsoleSink):
            found.append(
                Finding(
                    subject="post",
                    said="alerts are printed where monitor runs: set SLACK_BOT_TOKEN for Slack",
                    is_right=None,
                )
            )
        else:
            found += [each async for each in trial.tried(sink, channel, SystemClock().now())]
    if not quiet:
        for each in found:
            out.print(summary.finding(each), soft_wrap=True)
    return found
