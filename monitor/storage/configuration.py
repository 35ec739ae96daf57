"""The configuration in the database: which feeds and watches are declared."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from monitor.model import FeedSpec, FeedStatus, Watch, bucket_of
from monitor.storage import tables as t
from monitor.storage.work import Row, Work, insert_missing

ADD_FEEDS = insert_missing(t.feed)
ADD_WATCHES = insert_missing(t.watch)
LOOKS_FOR = ("terms", "query", "variants", "declared")


class ConfigurationWork(Work):
    """The part of `ports.Transaction` about what the operator declares."""

    def sync_feeds(self, specs: Sequence[FeedSpec], now: datetime) -> None:
        """See `ports.Transaction`. A feed that is declared again is due at once."""
        stored = {row.url: row for row in self._run(sa.select(t.feed))}
        wanted: dict[str, FeedSpec] = {}
        for spec in specs:
            wanted.setdefault(spec.url, spec)
        new = [_new_feed(spec, now) for url, spec in wanted.items() if url not in stored]
        if new:
            self._on(ADD_FEEDS, new)
        for url, row in stored.items():
            if url in wanted:
                self._redeclare(row, wanted[url], now)
        gone = [row.id for url, row in stored.items() if row.declared and url not in wanted]
        self._undeclare(t.feed, gone)

    def _redeclare(self, row: Row, spec: FeedSpec, now: datetime) -> None:
        values = _declared(spec)
        if not row.declared:
            values["due_at"] = now
        if any(getattr(row, name) != value for name, value in values.items()):
            self._run(sa.update(t.feed).where(t.feed.c.id == row.id).values(values))

    def sync_watches(self, watches: Sequence[Watch], now: datetime) -> Sequence[str]:
        """See `ports.Transaction`. A watch that is no longer declared keeps its hits.

        Of what is not stored itself, whether it was edited is told by a mark of the whole.
        """
        stored = {row.name: row for row in self._run(sa.select(t.watch))}
        wanted: dict[str, Watch] = {}
        for watch in watches:
            wanted.setdefault(watch.name, watch)
        new: list[dict[str, Any]] = []
        changed: list[str] = []
        for name, watch in wanted.items():
            values: dict[str, Any] = {
                "terms": watch.terms,
                "query": watch.query,
                "variants": watch.variants,
                "channel": watch.channel,
                "definition": _mark(watch),
                "declared": True,
            }
            row = stored.get(name)
            if row is not None and row.definition not in {None, values["definition"]}:
                values["changed_at"] = now
            if row is None or any(getattr(row, key) != values[key] for key in LOOKS_FOR):
                changed.append(name)
            if row is None:
                new.append({"name": name, "created_at": now, **values})
            elif any(getattr(row, column) != value for column, value in values.items()):
                self._run(sa.update(t.watch).where(t.watch.c.id == row.id).values(values))
        if new:
            self._on(ADD_WATCHES, new)
        gone = [row.id for name, row in stored.items() if row.declared and name not in wanted]
        self._undeclare(t.watch, gone)
        return changed

    def _undeclare(self, table: sa.Table, ids: Iterable[int]) -> None:
        statement = sa.update(table).where(table.c.id == sa.bindparam("row"))
        rows = [{"row": each} for each in ids]
        if rows:
            self._run(statement.values(declared=False), rows)


def _mark(watch: Watch) -> str:
    """What tells a watch from an edited one, in this version of the program and in others.

    A key that a version has and another has not tells nothing as long as it has its default.
    """
    plain = Watch(name=watch.name)
    said = {
        field.name: repr(value)
        for field in dataclasses.fields(watch)
        if (value := getattr(watch, field.name)) != getattr(plain, field.name)
    }
    return hashlib.sha256(repr(sorted(said.items())).encode()).hexdigest()[:32]


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _declared(spec: FeedSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "publisher": spec.publisher,
        "side": spec.side,
        "tier": spec.tier,
        "language": spec.language,
        "tags": spec.tags,
        "declared": True,
    }


def _new_feed(spec: FeedSpec, now: datetime) -> dict[str, Any]:
    host = _host(spec.url)
    return {
        "url": spec.url,
        "host": host,
        "bucket": bucket_of(host),
        "status": FeedStatus.NEW,
        "failures": 0,
        "due_at": now,
        "entries": 0,
        "created_at": now,
        **_declared(spec),
    }
