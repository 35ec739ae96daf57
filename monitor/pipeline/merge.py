"""Two stories become one: by hand, or because an article shows that they were one all along."""

from __future__ import annotations

from datetime import datetime
from functools import reduce

from monitor.model import Job, Kind, StoryId
from monitor.ports import Transaction
from monitor.stories import events


def may_merge(tx: Transaction, one: StoryId, other: StoryId, *, though_told: bool = False) -> bool:
    """Whether two stories may be merged without anybody's word for it.

    Not if both were told, unless `though_told`: where a channel shows both, one of its messages
    becomes a pointer to the other. Not if people took an article of the one out of the other.
    """
    if not though_told and tx.is_shown(one) and tx.is_shown(other):
        return False
    return not tx.ruled_apart(one, other)


def merge(
    tx: Transaction, one: StoryId, other: StoryId, *, now: datetime, by: str | None = None
) -> StoryId:
    """Make two stories one; returns which of them goes on: one that is shown, else the older.

    Messages of the other go on as messages of this one; where a channel shows both, the other's
    becomes a pointer. `by`: who decided, where somebody did.
    """
    into, gone = sorted((one, other), key=lambda story: (not tx.is_shown(story), story))
    threads = [events.unpacked(packed) for packed in tx.threads([into, gone]).values()]
    for channel in tx.merge_stories(gone, into, now=now, by=by):
        tx.submit(Job(Kind.DELIVER, channel))
    if threads:
        thread = reduce(events.merged, threads)
        terms = (term for each in threads for term in (*each.centroid,)[: events.INDEXED])
        tx.set_thread(into, events.packed(thread), {*terms})
    return into
