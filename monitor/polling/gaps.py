"""Were items lost between two polls, and how soon must the next one come? Pure.

A feed lists its newest items, and most of those that it listed at the poll before. When it lists
none of them, more came than it holds: some came and went unseen. That is judged only of a feed that
is known to overlap, for others are replaced whole, by a new issue or with each alert. After a loss
the feed is polled so soon that half of its list would still be known.

Only polls that brought a new document count: one that is unchanged says nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self

FEWEST = 3
"""A shorter list may be replaced whole at any time; also the overlaps that prove a habit."""
CAUTION = timedelta(days=14)
"""How long a feed that lost items is polled with care: it takes in two of its weeks."""
_SOONEST = 60.0  # seconds
_MEMORY = 0.95  # each poll counts this much of the next one: some twenty are remembered
_LONG_MEMORY = 0.99
_LATE = 1.5  # times what was asked for: polls have jitter, and wait their turn
_REPLACED = 1.9  # so often none was left, though it was polled soon enough: it is replaced whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """What is known of how a feed's documents overlap; a small JSON text between polls."""

    items: int = 0  # in the last document that had any
    shared: float = 0.0  # documents that shared an item with what was listed before, decayed
    replaced: float = 0.0  # those that shared none, though they were asked for in time, decayed
    within: float | None = None  # seconds: how soon to poll, since items were lost
    lost_at: float | None = None  # when that was, as a POSIX time; None: it was no loss after all

    @classmethod
    def load(cls, text: str | None) -> Self:
        """What `dump` wrote; what nobody wrote, or another version, is nothing."""
        try:
            return cls(**json.loads(text or "{}"))
        except (TypeError, ValueError):
            return cls()

    def dump(self) -> str:
        """JSON, for `load`."""
        return json.dumps(asdict(self), separators=(",", ":"))


def after(
    overlap: Overlap,
    *,
    listed: int,
    known: int,
    published: Sequence[datetime | None],
    newest_at: datetime | None,
    polled_at: datetime | None,
    now: datetime,
) -> tuple[Overlap, bool]:
    """What is known after a poll that brought a new document, and whether items were lost before it.

    `listed` counts the document's items; `known` those among them that this feed listed before, by
    guid, by bytes or by their article: a feed that changes its guids loses nothing. `published` are
    the dates of the others, `newest_at` the newest date of all that was listed before, `polled_at`
    the last poll that worked. A long outage loses items as well as a slow rhythm.
    """
    if listed == 0:
        return overlap, False  # a hiccup, or an empty desk
    then = replace(
        overlap,
        items=listed,
        shared=overlap.shared * _MEMORY,
        replaced=overlap.replaced * _LONG_MEMORY,
    )
    if polled_at is None:
        return then, False
    if known:
        return replace(then, shared=then.shared + 1), False
    waited = (now - polled_at).total_seconds()
    if overlap.within is not None and (overlap.lost_at is None or waited <= _LATE * overlap.within):
        then = replace(then, replaced=then.replaced + 1)
    if (
        min(listed, overlap.items) < FEWEST
        or listed * 2 < overlap.items  # a list with room for more drops nothing for want of it
        or overlap.shared < FEWEST * _MEMORY**FEWEST
        or not _is_later(published, newest_at)
    ):
        return then, False
    if then.replaced >= _REPLACED:
        return replace(then, lost_at=None), False
    within = _half_listed(published, waited)
    if overlap.within is not None and faster(overlap, now) is not None:
        within = min(within, overlap.within)
    return replace(then, within=within, lost_at=now.timestamp()), True


def faster(overlap: Overlap, now: datetime) -> timedelta | None:
    """The longest interval to the next poll of a feed that lost items lately; None: any."""
    if overlap.within is None or overlap.lost_at is None:
        return None
    if now - datetime.fromtimestamp(overlap.lost_at, UTC) > CAUTION:
        return None
    return timedelta(seconds=overlap.within)


def _is_later(published: Sequence[datetime | None], newest_at: datetime | None) -> bool:
    """Whether what is listed came after what was, as far as dates tell.

    If not, they are old items under new names, or another choice of them.
    """
    dates = sorted(date for date in published if date is not None)
    if newest_at is None or len(dates) * 2 < len(published):
        return True
    return dates[(len(dates) - 1) // 2] > newest_at


def _half_listed(published: Sequence[datetime | None], waited: float) -> float:
    """Seconds in which half of a document's items were published.

    Between a quarter and half of what was `waited` this time: dates may be all the same or made
    up, and the next loss halves it again.
    """
    dates = sorted(date for date in published if date is not None)
    half = waited / 2
    if len(dates) * 2 >= len(published) and dates:
        half = (dates[-1] - dates[(len(dates) - 1) // 2]).total_seconds()
    return max(_SOONEST, waited / 4, min(half, waited / 2))
