"""What the archive teaches: which watches are too broad, and how common words are here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from monitor import telemetry, volume
from monitor.config import Settings
from monitor.errors import StorageError
from monitor.match import compile_watches
from monitor.model import Watch
from monitor.operators import Operators
from monitor.pipeline import Context
from monitor.ports import Reports
from monitor.stories.frequencies import shipped
from monitor.telling import ops

log = telemetry.get_logger()

MANY_WATCHES = 500
"""Watches from which on it is worth to know how common words are here."""

DAY = 86_400.0
"""Seconds after which the archive is looked at again."""


class Learning:
    """Looks at the archive beside the work."""

    def __init__(
        self,
        context: Context,
        reports: Reports,
        operators: Operators,
        settings: Callable[[], Settings],
    ) -> None:
        self._context = context
        self._reports = reports
        self._operators = operators
        self._settings = settings
        self._told: set[str] = set()  # names of watches that operators know to be too broad

    def forget(self, watches: Collection[str]) -> None:
        """These were edited: should they be too broad, operators are told again."""
        self._told.difference_update(watches)

    async def learn(self, but: Sequence[Watch] = (), *, daily: bool = False) -> None:
        """Look at all watches but these, and, if at all of them, at all words; again every day.

        A new service has no archive yet: so the daily look is worth while.
        """
        while True:
            try:
                await self._tell_of_broad(but)
                if not but:
                    await self._learn_words()
                if not but and len(self._settings().watches) >= MANY_WATCHES:
                    await self._learn_frequencies()
            except StorageError as error:
                log.warning("watch.unjudged", error=str(error))
            if not daily:
                return
            await self._context.clock.sleep(DAY)

    async def _tell_of_broad(self, but: Sequence[Watch]) -> None:
        """Tell of the watches that bring more than anybody reads, of each once."""
        settings = self._settings()
        found = await volume.too_broad(settings, self._reports, self._context.clock.now(), but=but)
        broad = [mistake for name, mistake in found.items() if name not in self._told]
        self._told |= found.keys()
        for mistake in broad:
            log.warning("watch.too_broad", detail=str(mistake))
        if broad:
            card = ops.too_broad([mistake.in_a_line for mistake in broad])
            await self._operators.tell("watches", card, ends=True)

    async def _learn_words(self) -> None:
        """Have stories judged by how common words are here, too."""
        learnt = await volume.words_in_news(self._reports, self._context.clock.now())
        common = await asyncio.to_thread(shipped().__add__, learnt)
        self._context.rules = replace(self._context.rules, frequencies=common)

    async def _learn_frequencies(self) -> None:
        """Compile the watches anew by how common words are here."""
        common = await volume.frequencies(self._reports, self._context.clock.now())
        if common is None:
            return
        rules, watches = self._context.rules, self._settings().watches
        matcher = await asyncio.to_thread(compile_watches, watches, frequencies=common)
        if self._context.rules is rules:  # else an edit was faster
            self._context.rules = replace(rules, matcher=matcher)
