"""`monitor completion`: what a shell asks when Tab is pressed."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer
from typer import completion as typers

from monitor.cli.shared import out

_ASKED = "_MONITOR_COMPLETE"
"""The variable by which the script asks this program, as Typer names it."""


class Shell(StrEnum):
    """Those that Typer knows and people use."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(
    shell: Annotated[Shell, typer.Argument(help="Which shell.", show_default=False)],
) -> None:
    """Print what completes commands and options at Tab: eval "$(monitor completion bash)"."""
    script = typers.get_completion_script(  # type: ignore[attr-defined]  # typer's gap
        prog_name="monitor", complete_var=_ASKED, shell=shell.value
    )
    out.print(script, markup=False, soft_wrap=True)


def answer_the_shell() -> None:
    """Be ready for the shell's question, if this is one."""
    if _ASKED in os.environ:
        typers.completion_init()  # type: ignore[attr-defined]  # typer's gap
