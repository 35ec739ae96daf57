"""What the signals do that a running service gets."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from monitor.__main__ import main as entry
from monitor.cli.commands.service import obey_signals
from monitor.errors import StorageError
from monitor.service import Service


class Loading:
    """The command line while it is imported, when somebody presses Ctrl-C."""

    @property
    def main(self) -> None:
        raise KeyboardInterrupt


def test_ctrl_c_while_the_program_loads_is_no_trace(monkeypatch):
    """Only its exit code."""
    monkeypatch.setattr(sys, "argv", ["monitor", "status"])
    monkeypatch.setitem(sys.modules, "monitor.cli", Loading())
    with pytest.raises(SystemExit) as ended:
        entry()
    assert ended.value.code == 130


class Away(Service):
    """A service whose database is away for the first reload."""

    reload_again = 0.01

    def __init__(self) -> None:
        self.reloads = 0
        self.applied = asyncio.Event()

    async def reload(self, path, env):
        self.reloads += 1
        if self.reloads == 1:
            raise StorageError("the database is locked")
        self.applied.set()
        return True


async def test_a_sighup_while_the_database_is_away_is_not_forgotten():
    """It is read again until it can be stored, as an edit that was noticed by itself."""
    service, loop = Away(), asyncio.get_running_loop()
    try:
        obey_signals(service, asyncio.Event(), Path("feeds.toml"))
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.wait_for(service.applied.wait(), 2)
    finally:
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    assert service.reloads == 2
