"""The command line. Errors are one sentence each on stderr; exit codes: 0 fine, 2 configuration (and
usage), 3 database, 130 broken off by Ctrl-C (`run`: by a second one), 1 anything else.

    commands   what can be typed, a module for each group    show      what is printed
    shared     options, streams, settings                    examine   what `doctor` looks at
    typed      numbers as people type them
"""

from __future__ import annotations

import errno
import sys
from typing import Annotated, Final, cast

import typer

from monitor import __version__
from monitor.cli.commands import (
    completion,
    database,
    deliveries,
    feeds,
    look,
    search,
    service,
    slack,
    stories,
    watches,
)
from monitor.cli.shared import err, out
from monitor.errors import ConfigError, MonitorError, QueryError, StorageError
from monitor.match.language import rendered
from monitor.telemetry import redact

_MISTYPED: Final = cast("type[Exception]", typer.BadParameter.__mro__[1])
"""What Typer raises of what can't be read; it has a public name in no release."""

app = typer.Typer(
    help="Watch the news: feeds to stories to one living Slack message per story.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in (
    service.run,
    service.once,
    look.check,
    look.why,
    search.search,
    search.export,
    watches.backtest,
    look.status,
    service.healthcheck,
    service.demo,
    look.doctor,
    look.audit,
    completion.completion,
):
    app.command()(command)
for name, group in (
    ("db", database),
    ("watches", watches),
    ("feeds", feeds),
    ("stories", stories),
    ("deliveries", deliveries),
    ("slack", slack),
):
    app.add_typer(group.commands, name=name)


def main() -> None:
    """Run the command line; every error on purpose becomes its sentence and exit code."""
    completion.answer_the_shell()
    try:
        code = app(prog_name="monitor", standalone_mode=False)
    except _MISTYPED as error:
        _say_mistyped(cast("typer.BadParameter", error))
        sys.exit(2)
    except typer.Abort:
        err.print("monitor: broken off", style="red")
        sys.exit(1)
    except ConfigError as error:
        for mistake in error.mistakes:
            err.print(redact(str(mistake)), style="red", markup=False, soft_wrap=True)
        sys.exit(2)
    except QueryError as error:
        err.print(rendered(error), style="red", markup=False, soft_wrap=True)
        sys.exit(2)
    except MonitorError as error:
        err.print(f"monitor: {redact(str(error))}", style="red", markup=False, soft_wrap=True)
        sys.exit(3 if isinstance(error, StorageError) else 1)
    except OSError as error:
        if error.errno != errno.ENOSPC or error.filename is not None:
            raise
        sys.stdout = None  # what it still holds has no place to go
        err.print("monitor: the output can't be written: no space is left for it", style="red")
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def _say_mistyped(error: typer.BadParameter) -> None:
    """What is wrong in a sentence, and how it would be right."""
    context = error.ctx
    if context is None or type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return
    said = error.format_message().replace("Value error, ", "")  # as pydantic begins its own
    err.print(f"{context.command_path}: {said}", style="red", markup=False, soft_wrap=True)
    usage = " ".join(context.get_usage().split())
    err.print(f"{usage} · more: {context.command_path} --help", markup=False, soft_wrap=True)


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
