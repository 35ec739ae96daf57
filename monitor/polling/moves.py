"""Does a feed live somewhere else now? Pure.

A permanent redirect is believed when it lasts: captive portals, firewalls and half-made
configurations answer 301 for an hour, and what was rewritten on their word is lost for good.
Temporary redirects (302, 303, 307) are followed and change nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from monitor.model import Move

POLLS = 3
"""Good polls in a row that must say the same, over at least `LASTING`."""
LASTING = timedelta(days=1)


def after(move: Move | None, moved_to: str | None, now: datetime) -> Move | None:
    """What is known of a feed's move after a good poll, 304 included.

    `moved_to` is where permanent redirects alone led it; None if it was answered where it was
    asked, or sent on for the time being. Failed polls say nothing and are not asked about here.
    """
    if moved_to is None:
        return None
    if move is None or move.url != moved_to:
        return Move(url=moved_to, since=now)
    return replace(move, polls=move.polls + 1)


def lasts(move: Move | None, now: datetime) -> bool:
    """Whether the feed's stored URL is to be rewritten to `move.url`."""
    return move is not None and move.polls >= POLLS and now - move.since >= LASTING
