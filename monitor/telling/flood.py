"""When stories share a message: so many come that nobody could read them one by one.

A *flood* is more new stories a minute in one channel than `[alerts] flood`. Whether a story is part
of one is a function of when it and those before it were first wanted there, which is in the
database: so a restart, or a second look, decides the same. A *backlog* is what waited while its
channel was not to be had.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

MINUTE: Final = timedelta(minutes=1)

CALM: Final = timedelta(minutes=5)
"""Without a story too many for so long, a flood is over: the next one has a message of its own."""

PAGE: Final = 20
"""Stories that one message lists: with the longest names 7,000 of the 9,000 characters of a card."""

MANY: Final = 20
"""Stories that may wait after an outage and still be told one by one."""

LONG: Final = timedelta(minutes=30)
"""How long the oldest of them has waited: what is younger is a flood at most."""


def overflows(wanted: Sequence[datetime], place: int, limit: int) -> bool:
    """Whether the story at this place is one too many of the minute before it.

    `wanted`: when the stories of its channel were first wanted, in order.
    """
    return place - bisect_right(wanted, wanted[place] - MINUTE, hi=place) >= limit


def goes_on(last: datetime, listed: int, at: datetime) -> bool:
    """Whether a story belongs into the summary of a flood that listed so many, the last at `last`."""
    return at - last <= CALM and listed < PAGE


def is_backlog(waiting: int, oldest: datetime, now: datetime) -> bool:
    """Whether what waits for a channel is told in digests."""
    return waiting > MANY and now - oldest > LONG
