"""Charts' questions, answered from what is kept of mentions: never from articles or hits."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from alerts.message import card_from_json
from monitor.model import StoryId
from monitor.ports import spike_subject
from monitor.ports.trends import (
    DAY,
    HOUR,
    Counted,
    Part,
    Period,
    SpikeRow,
    SpikeStory,
    Split,
    Trend,
)
from monitor.storage import tables as t
from monitor.storage.mentions import ANY, DOWN_TO, REMEMBERED, start_of
from monitor.storage.messages import channels_of
from monitor.storage.store import SqlStore
from monitor.storage.work import Texts, among, for_each

Name = TypeVar("Name", int, str)

DETAILED: Final = 12
"""Watches whose counts are told step by step, if none were named."""

_SPIKES: Final = 200
_SPIKE_WATCHES: Final = 100

_FROM, _UNTIL, _SINCE = (
    sa.bindparam(name, type_=sa.Integer()) for name in ("from", "until", "since")
)
_GRAIN = sa.bindparam("grain", type_=sa.Integer())


def _sums(column: sa.Column[int], at: sa.Column[int]) -> Sequence[sa.ColumnElement[int]]:
    """Of the period, and of the one before it."""
    zero: sa.ColumnElement[int] = sa.literal_column("0", sa.Integer())
    return (
        sa.func.sum(sa.case((at >= _SINCE, column), else_=zero)).label("count"),
        sa.func.sum(sa.case((at < _SINCE, column), else_=zero)).label("before"),
    )


def _of(table: sa.Table, first: sa.BindParameter[int]) -> Sequence[Any]:
    return (
        among(table.c.watch_id, "watches"),
        table.c.at >= first,
        table.c.at < _UNTIL,
    )


def _totals(counted: Counted) -> sa.Select[Any]:
    table = t.mention_total
    return (
        sa.select(table.c.watch_id, *_sums(table.c[counted], table.c.at))
        .where(table.c.grain == _GRAIN, *_of(table, _FROM))
        .group_by(table.c.watch_id)
    )


def _steps(counted: Counted) -> sa.Select[Any]:
    table = t.mention_total
    return sa.select(
        table.c.watch_id.label("name"), table.c.at, table.c[counted].label("count")
    ).where(table.c.grain == _GRAIN, *_of(table, _SINCE))


def _parts(table: sa.Table, counted: Counted) -> sa.Select[Any]:
    return (
        sa.select(table.c.feed_id, table.c.language, *_sums(table.c[counted], table.c.at))
        .where(*_of(table, _FROM))
        .group_by(table.c.feed_id, table.c.language)
    )


def _series(table: sa.Table, counted: Counted, split: Split) -> sa.Select[Any]:
    name: sa.ColumnElement[str] = {
        Split.PUBLISHER: t.feed.c.publisher,
        Split.SIDE: sa.func.coalesce(t.feed.c.side, ""),
        Split.LANGUAGE: table.c.language,
    }[split]
    source = (
        table if split is Split.LANGUAGE else table.join(t.feed, t.feed.c.id == table.c.feed_id)
    )
    return (
        sa.select(name.label("name"), table.c.at, sa.func.sum(table.c[counted]).label("count"))
        .select_from(source)
        .where(
            *_of(table, _SINCE),
            # of the others there are few: to compare each row's takes twice as long as to sum them up
            *([among(name, "names")] if split is Split.PUBLISHER else []),
        )
        .group_by(name, table.c.at)
    )


_TABLES: Final = {HOUR: t.mention_hour, DAY: t.mention_day}
TOTALS = {counted: _totals(counted) for counted in Counted}
STEPS = {counted: _steps(counted) for counted in Counted}
PARTS = {
    (step, counted): _parts(table, counted)
    for step, table in _TABLES.items()
    for counted in Counted
}
SERIES = {
    (step, counted, split): _series(table, counted, split)
    for step, table in _TABLES.items()
    for counted in Counted
    for split in (Split.PUBLISHER, Split.SIDE, Split.LANGUAGE)
}
CHANNELS = channels_of(t.notice)
WATCHES = sa.select(t.watch.c.id, t.watch.c.name).where(t.watch.c.declared)
FEEDS = sa.select(t.feed.c.id, t.feed.c.publisher, t.feed.c.side).where(among(t.feed.c.id, "feeds"))
SINCE = sa.select(
    sa.select(t.mention_total.c.at)
    .where(t.mention_total.c.grain == 24, t.mention_total.c.watch_id == ANY)
    .order_by(t.mention_total.c.at)
    .limit(1)
    .scalar_subquery()
    .label("oldest"),
    REMEMBERED.scalar_subquery().label("down_to"),
)


def _spikes(dialect: str) -> sa.Select[Any]:
    """The notices of spikes of some watches in some channels: of each one look at an index."""
    names = ("watch", "channel", "first", "beyond")
    asked: tuple[sa.ColumnElement[str], ...]
    if dialect == "sqlite":
        each = sa.func.json_each(sa.bindparam("asked", type_=sa.Text())).table_valued("value")
        asked = tuple(
            sa.func.json_extract(each.c.value, f"$[{place}]", type_=sa.Text())
            for place in range(len(names))
        )
    else:
        lists = (sa.bindparam(name, type_=Texts()) for name in names)
        columns = (sa.column(name, sa.Text()) for name in names)
        each = sa.func.unnest(*lists).table_valued(*columns, name="asked").render_derived()
        asked = tuple(each.c)
    watch, channel, first, beyond = asked
    subject = sa.type_coerce(t.notice.c.subject, sa.Text())
    return (
        sa.select(watch.label("watch"), t.notice.c.subject, t.notice.c.card)
        .select_from(each)
        .join(
            t.notice,
            sa.and_(t.notice.c.channel == channel, subject >= first, subject < beyond),
        )
        .order_by(t.notice.c.id.desc())
        .limit(_SPIKES)
    )


SPIKES = for_each(_spikes)
STORIES_AT = (
    sa.select(t.article_url.c.url, t.article.c.story_id)
    .join(t.article, t.article.c.id == t.article_url.c.article_id)
    .where(among(t.article_url.c.url, "urls"))
)


class SqlTrends:
    """`ports.Trends` over an open store."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def trend(
        self,
        period: Period,
        *,
        watches: Sequence[str] = (),
        counted: Counted = Counted.ARTICLES,
        split: Split = Split.WATCH,
        largest: int = 7,
    ) -> Trend:
        """See `ports.Trends`."""
        return await self._store.query(
            lambda connection: _Asked(connection, period, counted).answer(watches, split, largest)
        )


class _Asked:
    """A question, on one snapshot."""

    def __init__(self, connection: sa.Connection, period: Period, counted: Counted) -> None:
        self._connection = connection
        self._period = period
        self._counted = counted
        self._span = {
            "grain": period.step // HOUR,
            "from": _number(period.before.first, period.step),
            "since": _number(period.first, period.step),
            "until": _number(period.end, period.step),
        }

    def answer(self, asked: Sequence[str], split: Split, largest: int) -> Trend:
        declared = {row.id: row.name for row in self._connection.execute(WATCHES)}
        chosen = [number for number, name in declared.items() if name in set(asked)]
        of_whole = chosen or [ANY]
        sums = self._totals([*declared, ANY])
        watches = sorted(
            (
                (number, Part(name=name, count=sums[number][0], before=sums[number][1]))
                for number, name in declared.items()
                if not chosen or number in chosen
            ),
            key=lambda each: (-each[1].count, -each[1].before, each[1].name),
        )
        shown = [number for number, _ in watches[: len(chosen) or DETAILED]]
        steps = self._steps(STEPS[self._counted], {"watches": [*shown, ANY]})
        detailed = [
            replace(part, by_step=steps(number)) if number in shown else part
            for number, part in watches
        ]
        per_watch = [steps(number) for number in of_whole]
        whole = Part(
            name="",
            count=sum(sums[number][0] for number in of_whole),
            before=sum(sums[number][1] for number in of_whole),
            by_step=[sum(values) for values in zip(*per_watch, strict=True)],
        )
        parts = self._parts(of_whole)
        series: Sequence[Part] = detailed[:largest]
        if split is not Split.WATCH:
            names = [part for part in parts[split][:largest] if part.count]
            by_name = self._steps(
                SERIES[self._period.step, self._counted, split],
                {"watches": of_whole, "names": [part.name for part in names]},
            )
            series = [replace(part, by_step=by_name(part.name)) for part in names]
        since = self._connection.execute(SINCE, {"name": DOWN_TO}).one()
        return Trend(
            whole=whole,
            watches=detailed,
            parts=parts,
            series=[part for part in series if part.count],
            spikes=self._spikes([part.name for part in detailed[:_SPIKE_WATCHES]]),
            since=None if since.oldest is None else start_of(24 * since.oldest),
            counting=start_of(int(since.down_to)) if since.down_to not in {None, "0"} else None,
        )

    def _rows(self, statement: sa.Select[Any], values: Mapping[str, Any]) -> Any:
        return self._connection.execute(statement, {**self._span, **values})

    def _totals(self, watches: Collection[int]) -> Mapping[int, tuple[int, int]]:
        rows = self._rows(TOTALS[self._counted], {"watches": watches})
        found = {row.watch_id: (int(row.count), int(row.before)) for row in rows}
        return {number: found.get(number, (0, 0)) for number in watches}

    def _steps(
        self, statement: sa.Select[Any], values: Mapping[str, Any]
    ) -> Callable[[Any], Sequence[int]]:
        """By what name what was counted in each step."""
        counts: dict[Any, list[int]] = {}
        nothing = [0] * self._period.steps
        for name, at, count in self._rows(statement, values):
            counts.setdefault(name, [*nothing])[at - self._span["since"]] = int(count)
        return lambda name: counts.get(name, nothing)

    def _parts(self, watches: Sequence[int]) -> Mapping[Split, Sequence[Part]]:
        by_feed: dict[int, tuple[int, int]] = {}
        by_language: dict[str, tuple[int, int]] = {}
        rows = self._rows(PARTS[self._period.step, self._counted], {"watches": watches})
        for feed, language, count, before in rows:
            _more(by_feed, feed, count, before)
            _more(by_language, language, count, before)
        feeds = {row.id: row for row in self._rows(FEEDS, {"feeds": by_feed.keys()})}
        by_publisher: dict[str, tuple[int, int]] = {}
        by_side: dict[str, tuple[int, int]] = {}
        for feed, (count, before) in by_feed.items():
            known = feeds.get(feed)
            _more(by_publisher, known.publisher if known else "", count, before)
            _more(by_side, (known.side if known else None) or "", count, before)
        return {
            Split.PUBLISHER: _largest_first(by_publisher),
            Split.SIDE: _largest_first(by_side),
            Split.LANGUAGE: _largest_first(by_language),
        }

    def _spikes(self, watches: Sequence[str]) -> Sequence[SpikeRow]:
        """The notices of spikes in the period."""
        channels = self._connection.execute(CHANNELS).scalars().all() if watches else ()
        if not channels:
            return ()
        first, end = self._period.first, self._period.end
        asked = [
            (watch, channel, spike_subject(watch, first), spike_subject(watch, end))
            for watch in watches
            for channel in channels
        ]
        columns = zip(
            ("watch", "channel", "first", "beyond"), zip(*asked, strict=True), strict=True
        )
        is_sqlite = self._connection.dialect.name == "sqlite"
        values = {"asked": json.dumps(asked)} if is_sqlite else dict(columns)
        rows = self._connection.execute(SPIKES[self._connection.dialect.name], values).all()
        found: dict[tuple[str, datetime], Any] = {}
        for watch, name, card in rows:
            at = _stamp(name, watch)
            if at is not None:  # in some orders of letters others lie between
                found.setdefault((watch, at), card_from_json(card))
        ordered = sorted(found.items(), key=lambda each: each[0][1], reverse=True)
        links = [
            part for _, card in ordered for line in card.lines for part in line.parts if part.url
        ]
        stories = self._stories_at({part.url for part in links})
        return [
            SpikeRow(
                watch=watch,
                at=at,
                said="".join(part.text for part in card.lines[0].parts),
                stories=[
                    SpikeStory(story=stories.get(part.url), title=part.text)
                    for line in card.lines[1:]
                    for part in line.parts
                    if part.url
                ],
            )
            for (watch, at), card in ordered
        ]

    def _stories_at(self, urls: Collection[str]) -> Mapping[str, StoryId]:
        rows = self._connection.execute(STORIES_AT, {"urls": sorted(urls)}) if urls else ()
        return {row.url: StoryId(row.story_id) for row in rows if row.story_id is not None}


def _more(counted: dict[Name, tuple[int, int]], name: Name, count: int, before: int) -> None:
    known = counted.get(name, (0, 0))
    counted[name] = (known[0] + int(count), known[1] + int(before))


def _largest_first(counted: Mapping[str, tuple[int, int]]) -> Sequence[Part]:
    parts = [
        Part(name=name, count=count, before=before)
        for name, (count, before) in counted.items()
        if count or before
    ]
    return sorted(parts, key=lambda part: (-part.count, -part.before, part.name))


def _number(at: datetime, step: timedelta) -> int:
    """Hours, or days, since 1970."""
    return int(at.timestamp()) // int(step.total_seconds())


def _stamp(subject: str, watch: str) -> datetime | None:
    try:
        return datetime.fromisoformat(subject.removeprefix(spike_subject(watch, None)))
    except ValueError:
        return None
