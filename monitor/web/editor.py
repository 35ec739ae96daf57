"""What the page does to `feeds.toml`: shows an edit, writes it, waits until it is in use."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

from monitor import config, telemetry
from monitor.config import Settings, writing
from monitor.config.writing import Source
from monitor.errors import ConfigError, Refused

log = telemetry.get_logger()

_PATIENCE: Final = 4.0
"""Seconds in which a saved edit is to be in use: the service notices one within a few tenths."""

_LOOK_EVERY: Final = 0.05  # seconds


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the difference between two texts."""

    kind: str  # "+", "-", " ", or "@" for where in the file the next ones stand
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """An edit that could be saved: it leaves a configuration without mistakes."""

    text: str
    mark: str  # of the file that it is an edit of
    changes: tuple[str, ...]  # what it means, as the log will say it
    lines: tuple[Line, ...]
    warnings: tuple[str, ...]  # what is odd in the file with it, and was not before


class Editor:
    """The configuration file, for those who may change it on the page."""

    def __init__(
        self, path: Path, env: Mapping[str, str], settings: Callable[[], Settings]
    ) -> None:
        """`env`: what the service was started with; `settings`: those in use."""
        self.path = path
        self._env = env
        self._settings = settings

    @property
    def settings(self) -> Settings:
        """Those in use."""
        return self._settings()

    @property
    def editable(self) -> bool:
        """Whether `[web] editable` lets the page write."""
        return self._settings().web.editable

    async def read(self) -> Source:
        """The file as it is. Raises `ConfigError`."""
        return await asyncio.to_thread(writing.source, self.path)

    async def propose(self, edit: Callable[[str], str]) -> Proposal:
        """What an edit of the file's text comes to; nothing is written.

        Raises `ConfigError` with the mistakes that the file would have, and whatever `edit` raises.
        """
        return await asyncio.to_thread(self._propose, edit)

    def _propose(self, edit: Callable[[str], str]) -> Proposal:
        source = writing.source(self.path)
        text = edit(source.text)
        settings = writing.checked(text, self.path, self._env)
        known = {each.message for each in self._settings().warnings}
        return Proposal(
            text=text,
            mark=source.mark,
            changes=config.differences(self._settings(), settings),
            lines=tuple(difference(source.text, text)),
            warnings=tuple(
                each.in_a_line for each in settings.warnings if each.message not in known
            ),
        )

    async def save(self, edit: Callable[[str], str], mark: str, *, by: str = "page") -> bool:
        """Write an edit of the file that has this mark, and wait until the service uses it.

        `by`: who wishes so, for the log. Returns whether it does; if not, it says on every page why. Raises `ConfigError` or
        `Refused` if nothing was written.
        """
        before = self._settings()
        settings = await asyncio.to_thread(self._write, edit, mark)
        log.info("config.saved", by=by, changes=[*config.differences(before, settings)])
        until = monotonic() + _PATIENCE
        while config.differences(self._settings(), settings):
            if monotonic() > until:
                return False
            await asyncio.sleep(_LOOK_EVERY)
        return True

    def _write(self, edit: Callable[[str], str], mark: str) -> Settings:
        return writing.write(self.path, edit(writing.source(self.path).text), mark, self._env)


def difference(old: str, new: str) -> Sequence[Line]:
    """The lines that go and come, each group with three of its neighbours."""
    lines = [*difflib.unified_diff(old.splitlines(), new.splitlines(), n=3, lineterm="")]
    return [Line(line[0], line if line[0] == "@" else line[1:]) for line in lines[2:]]


def reasons(error: ConfigError | Refused) -> tuple[str, ...]:
    """Why an edit was not made, a sentence each."""
    if isinstance(error, ConfigError):
        return tuple(each.in_a_line for each in error.mistakes)
    return (sentence(error),)


def sentence(words: object) -> str:
    """Words as a sentence: but for an address, it begins with a capital."""
    text = str(words)
    first = text[:1] if "://" in text.partition(" ")[0] else text[:1].upper()
    return f"{first}{text[1:].rstrip('.')}."
