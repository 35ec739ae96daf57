"""Was it our own network that was away, and who is asked how soon when it is back? Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from monitor.errors import Code
from monitor.model import FeedId
from monitor.ports import Reach

UNREACHED: Final = frozenset({Code.DNS, Code.CONNECT, Code.TIMEOUT})
"""How polls end that reach nobody."""

LATELY: Final = timedelta(minutes=75)
"""What reaches nobody is asked again within so long: an hour, its jitter, and time to be asked."""
ALIVE: Final = timedelta(days=7)
"""A feed that was not read for so long is away by itself, whatever our network does."""
JUST_NOW: Final = timedelta(minutes=1)
"""Who was asked so recently is not asked again for another's sake."""
QUIET: Final = timedelta(minutes=5)
"""When nobody of a crowd was asked for so long, one is."""

CROWD: Final = 3
"""Feeds out of reach from which on it may be our network's doing."""
PER_SECOND: Final = 50
"""Feeds that are asked again in a second, of a crowd."""
LONGEST: Final = timedelta(minutes=20)
"""In which all are asked again, however many they are."""


def is_ours(reach: Reach) -> bool:
    """Whether so many can't be reached that it is our own network that is away."""
    return reach.unreached >= CROWD and 2 * reach.unreached >= reach.asked


def is_quiet(reach: Reach, now: datetime) -> bool:
    """Whether our network is away, and it would be long until anybody found it back.

    Of a few feeds that began to fail together, all wait for the same minute of the next hour.
    """
    return is_ours(reach) and reach.tried_at is not None and now - reach.tried_at >= QUIET


def spread(feeds: Sequence[FeedId], now: datetime) -> Iterator[tuple[datetime, Sequence[FeedId]]]:
    """When each is asked again: so many a second, from now on, in an order that mixes hosts.

    The order is the same whoever works it out, so that two processes that do so at once agree.
    """
    each_second = max(PER_SECOND, -(-len(feeds) // int(LONGEST.total_seconds())))
    mixed = sorted(feeds, key=lambda feed: blake2b(str(feed).encode(), digest_size=8).digest())
    for second, start in enumerate(range(0, len(mixed), each_second)):
        yield now + timedelta(seconds=second), mixed[start : start + each_second]


def lasts(feeds: int) -> timedelta:
    """How long it takes to ask so many again."""
    return min(LONGEST, timedelta(seconds=-(-feeds // PER_SECOND)))
