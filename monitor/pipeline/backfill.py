"""Backfill: a watch that came or changed is run over what was stored before.

What it finds is stored as hits, in batches, beside the work; where it goes on is in the database.
Nobody is told of these articles one by one: at the end one notice says what there was.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from alerts import Card, Line, Part, line
from monitor import telemetry
from monitor.compose import Rules
from monitor.match import Matcher, compile_watches
from monitor.match.backtest import Archived
from monitor.model import ArticleId, Hit, StoryId, Watch
from monitor.pipeline.context import Context
from monitor.ports import Backfilling, Transaction
from monitor.telling import digest
from monitor.telling.digest import some

log = telemetry.get_logger()

BATCH: Final = 200
"""Articles of one step: some tenths of a second, and one transaction."""

NEWEST: Final = 10
"""Stories that are named."""

PATIENCE: Final = timedelta(minutes=10)
"""How long the summary waits for the first reading of new feeds, so that what they held is in it."""

LOOK_AGAIN: Final = timedelta(seconds=15)


def want_backfill(
    tx: Transaction, watches: Sequence[str], span: timedelta | None, now: datetime
) -> None:
    """Have these watches run over what was stored in so long a time; None: not at all."""
    if span is not None and watches:
        tx.want_backfill(watches, now - span, now)


class Backfill:
    """Runs new watches over the archive, one step after the other."""

    def __init__(self, context: Context, *, batch: int = BATCH) -> None:
        self._with = context
        self._batch = batch
        self._compiled: tuple[tuple[Watch, ...], Matcher] | None = None

    async def run(self) -> None:
        """Go on until it is done or the budget is spent."""
        until = self._with.clock.now() + self._with.budget
        while not self._with.stopping and self._with.clock.now() < until:
            todo = await self._with.store.read(lambda tx: tx.due_backfill(self._with.clock.now()))
            if todo is None:
                return
            await self._step(todo, self._with.clock.now())

    async def _step(self, todo: Backfilling, now: datetime) -> None:
        store, rules = self._with.store, self._with.rules
        watches = tuple(watch for watch in rules.watches if watch.name in set(todo.watches))
        batch = await store.read(lambda tx: tx.archive_before(todo.since, todo.before, self._batch))
        if batch and watches:
            matcher = await self._matcher(watches)
            found = await asyncio.to_thread(_match, matcher, batch)
            await store.write(lambda tx: _keep(tx, todo, batch, found, now))
            return
        is_early = now - todo.wanted_at < PATIENCE
        if is_early and watches and await store.read(lambda tx: tx.is_reading_backlog()):
            await store.write(
                lambda tx: tx.go_on_with(
                    todo.id, before=todo.before, articles=todo.articles, due_at=now + LOOK_AGAIN
                )
            )
            return
        told = await store.write(lambda tx: _finish(tx, todo, watches, rules, now))
        log.info("watch.backfilled", watches=len(watches), articles=todo.articles, told=told)

    async def _matcher(self, watches: tuple[Watch, ...]) -> Matcher:
        """These watches, compiled once for all steps."""
        if self._compiled is None or self._compiled[0] != watches:
            self._compiled = (watches, await asyncio.to_thread(compile_watches, watches))
        return self._compiled[1]


def _match(
    matcher: Matcher, batch: Sequence[Archived]
) -> Sequence[tuple[ArticleId, Sequence[Hit]]]:
    found = ((each.article, matcher.match(each.document)) for each in batch)
    return [(article, hits) for article, hits in found if hits]


def _keep(
    tx: Transaction,
    todo: Backfilling,
    batch: Sequence[Archived],
    found: Sequence[tuple[ArticleId, Sequence[Hit]]],
    now: datetime,
) -> None:
    last = batch[-1]
    articles = todo.articles + len(batch)
    before = (last.first_seen_at, int(last.article))
    if tx.go_on_with(todo.id, before=before, articles=articles, due_at=now):
        for article, hits in found:
            tx.add_hits(article, hits, now)


def _finish(
    tx: Transaction, todo: Backfilling, watches: Sequence[Watch], rules: Rules, now: datetime
) -> int:
    """Tell what was found, once in each channel; returns in how many."""
    if not tx.end_backfill(todo.id):
        return 0
    by_channel: dict[str, list[str]] = defaultdict(list)
    for watch in watches:
        by_channel[watch.channel or rules.default_channel].append(watch.name)
    told = 0
    for channel, names in by_channel.items():
        card = _card(tx, todo, channel, names, rules.max_age, now)
        if card is None:
            continue
        of = names[0] if len(names) == 1 else f"{len(names)} watches"
        subject = f"backfill:{of}:{todo.wanted_at:%Y-%m-%dT%H:%M:%SZ}"
        told += tx.tell(channel, subject, card, now)
    return told


def _card(
    tx: Transaction,
    todo: Backfilling,
    channel: str,
    names: Sequence[str],
    max_age: timedelta | None,
    now: datetime,
) -> Card | None:
    """What watches found before they were there; None if there is nothing to tell.

    The first start of all has nothing before it: what its feeds held is told if it was not yet.
    """
    found = tx.backfilled(names, todo.since)
    untold = [row for row in found if channel not in row[3]]
    if not untold and not todo.articles:
        return None
    articles, stories = sum(row[2] for row in found), {row[1] for row in found}
    newest: list[StoryId] = list(dict.fromkeys(row[1] for row in untold))[:NEWEST]
    briefs = tx.briefs(newest, max_age)
    lines: list[Line] = []
    if len(names) > 1:
        for name in names[: 2 * NEWEST]:
            of_watch = [row for row in found if row[0] == name]
            lines.append(
                line(Part(text=name, bold=True), f": {some(len(of_watch), 'story', 'stories')}")
            )
        if len(names) > 2 * NEWEST:
            lines.append(line(f"and {some(len(names) - 2 * NEWEST, 'more watch', 'more watches')}"))
    lines += [
        digest.listed(briefs[story], with_watches=len(names) > 1)
        for story in newest
        if story in briefs
    ]
    who = f"Watch “{names[0]}” is on" if len(names) == 1 else f"{len(names)} watches are on"
    counts = f"{some(articles, 'article')} in {some(len(stories), 'story', 'stories')}"
    if not found:
        counts = "nothing"
    more = len({row[1] for row in untold}) - len(newest)
    told = len(stories) - len({row[1] for row in untold})
    facts = [f"{told} of them told here before"] * bool(told)
    facts += [f"{more} older ones are on the page"] * bool(more > 0)
    note = f"{'; '.join(facts)}. " if facts else ""
    hours = (now - todo.since).total_seconds() / 3600
    return Card(
        title=f"{who}. Of the {hours:.0f} h before: {counts}",
        lines=tuple(lines),
        note=(Part(text=f"{note}What comes from now on is told as it comes."),),
    )
