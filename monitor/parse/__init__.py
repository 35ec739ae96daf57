"""Feed bytes to entries. Pure.

`cut` may run anywhere: it takes time in proportion to the bytes. What it leaves is for
`parse_rest`, and for a process that can be killed, for the bytes are anybody's.
"""

from __future__ import annotations

from monitor.parse.cut import Cut, cut
from monitor.parse.discover import FoundFeed, discover
from monitor.parse.feeds import Unread, parse_feed, parse_rest, parse_rests

__all__ = [
    "Cut",
    "FoundFeed",
    "Unread",
    "cut",
    "discover",
    "parse_feed",
    "parse_rest",
    "parse_rests",
]
