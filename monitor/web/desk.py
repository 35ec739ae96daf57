"""What every section of the page is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from starlette.routing import BaseRoute

from monitor.ports import Clock, Reports
from monitor.web.decisions import Decisions
from monitor.web.editor import Editor
from monitor.web.pages import Pages
from monitor.web.security import Forms


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a section reads from, renders with, and may be told to change."""

    reports: Reports
    pages: Pages
    clock: Clock
    forms: Forms
    decisions: Decisions | None  # None: nothing can be changed
    editor: Editor | None = None  # of feeds.toml; None: it runs from no file


class Section(Protocol):
    """A part of the page, with a place in its navigation."""

    nav: ClassVar[tuple[str, str]]  # path and name

    def routes(self) -> Sequence[BaseRoute]:
        """What it answers."""
