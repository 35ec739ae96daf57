"""Notices: all that is said beside the living message of a story. One row per channel and subject.

A notice may be a reply in a story's thread: it is shown once the story's message is, and after the
replies that were told before it.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa

from alerts import Card
from alerts.message import card_from_json, card_to_json
from monitor.model import (
    Delivery,
    DeliveryId,
    DeliveryState,
    Notice,
    Sent,
    StoryId,
)
from monitor.ports import Told
from monitor.storage import outbox
from monitor.storage import tables as t
from monitor.storage.deliveries import DeliveryWork
from monitor.storage.outbox import BY
from monitor.storage.stories import LIVES_IN
from monitor.storage.work import Row, insert_missing

LOOK_AGAIN = timedelta(seconds=5)
"""After which a reply asks whether its story is shown by now, where no time is known."""

_same = (t.notice.c.channel == sa.bindparam("in_channel"), t.notice.c.subject == sa.bindparam("of"))
ADD_NOTICE = insert_missing(t.notice, t.notice.c.id)
TELL_AGAIN = (
    outbox.want_again(t.notice)
    .where(
        *_same,
        t.notice.c.card != sa.bindparam("new_card"),
        t.notice.c.state.not_in(outbox.GIVEN_UP),
    )
    .values(card=sa.bindparam("new_card"))
)
TOLD = sa.select(t.notice).where(*_same)
NEXT_NOTICE = (
    sa.select(t.notice)
    .where(outbox.due_in_channel(t.notice))
    .order_by(t.notice.c.due_at, t.notice.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
CLAIM = outbox.claim_row(t.notice)
FINISH = outbox.finish_row(t.notice)
ROOT = sa.select(t.delivery).where(
    t.delivery.c.story_id == LIVES_IN.scalar_subquery(),
    t.delivery.c.channel == sa.bindparam("in_channel"),
)
_thread = sa.and_(
    t.notice.c.story_id == sa.bindparam("of_story"),
    t.notice.c.channel == sa.bindparam("in_channel"),
    t.notice.c.sent_ref.is_(None),
)
UNCERTAIN_REPLY = sa.select(t.notice.c.lease_until, t.notice.c.due_at).where(
    _thread, t.notice.c.id < sa.bindparam("row"), t.notice.c.state == DeliveryState.SENDING
)
PUT_OFF_REPLIES = (
    sa.update(t.notice).where(_thread, outbox.is_waiting(t.notice), t.notice.c.due_at < BY)
).values(due_at=BY)
MOVE_REPLIES = (
    sa.update(t.notice)
    .where(
        _thread,
        ~sa.exists().where(
            t.delivery.c.story_id == t.notice.c.story_id, t.delivery.c.channel == t.notice.c.channel
        ),
    )
    .values(story_id=sa.bindparam("to_story"))
)

_made = itertools.count()


def new_id(now: datetime) -> DeliveryId:
    """32 hex digits that sort by time; of one moment, and one process, in the order they are made."""
    moment = round(now.timestamp() * 1e6)
    return DeliveryId(f"{moment:016x}{next(_made) % 2**32:08x}{secrets.token_hex(4)}")


class NoticeWork(DeliveryWork):
    """The part of `ports.Transaction` about notices, and about both tables of the outbox."""

    def tell(
        self,
        channel: str,
        subject: str,
        card: Card,
        now: datetime,
        *,
        story: StoryId | None = None,
        broadcast: bool = False,
        due_at: datetime | None = None,
        again: bool = False,
    ) -> bool:
        """See `ports.Transaction`."""
        due_at = due_at or now
        packed = card_to_json(card)
        new = {
            "id": new_id(now),
            "subject": subject,
            "story_id": story,
            "broadcast": broadcast,
            "card": packed,
            **self._new(channel, now, due_at=due_at),
        }
        if self._on(ADD_NOTICE, new).one_or_none() is not None:
            return True
        if not again:
            return False
        values = {"in_channel": channel, "of": subject, "new_card": packed, "by": due_at}
        return self._run(TELL_AGAIN, values).rowcount > 0

    def told(self, channel: str, subject: str) -> Told | None:
        """See `ports.Transaction`."""
        row = self._run(TOLD, {"in_channel": channel, "of": subject}).one_or_none()
        return None if row is None else outbox.told_of(row)

    def move_delivery(self, story: StoryId, channel: str, to: StoryId) -> None:
        """See `ports.Transaction`. Replies that wait follow the message."""
        super().move_delivery(story, channel, to)
        self._run(MOVE_REPLIES, {"of_story": story, "in_channel": channel, "to_story": to})

    def claim_due(self, channel: str, now: datetime, lease: timedelta) -> Delivery | Notice | None:
        """See `ports.Transaction`."""
        delivery = self._next_delivery(channel, now)
        if delivery is None or delivery.sent_ref is not None:  # an edit: that can wait
            notice = self._next_notice(channel, now, now, inclusive=True)
        else:  # of both at the same moment, the story first: the notice may be a reply
            notice = self._next_notice(channel, now, delivery.due_at, inclusive=False)
        if notice is not None:
            return self._claim_notice(notice, now, lease)
        return None if delivery is None else self._claim_delivery(delivery, now, lease)

    def finish_notice(
        self,
        notice: DeliveryId,
        state: DeliveryState,
        now: datetime,
        *,
        sent: Sent | None = None,
        due_at: datetime | None = None,
        error: str | None = None,
    ) -> bool:
        """See `ports.Transaction`."""
        values = outbox.ended(
            notice, state, now, holder=self.holder, sent=sent, due_at=due_at, error=error
        )
        return self._run(FINISH, values).rowcount > 0

    def recall_deliveries(self, channels: Collection[str], now: datetime) -> None:
        """See `ports.Transaction`."""
        for table in outbox.TABLES:
            elsewhere = table.c.channel.not_in(sorted(channels))
            waiting = outbox.is_waiting(table)
            self._run(sa.update(table).where(waiting, elsewhere).values(due_at=now))

    def postpone_channel(self, channel: str, until: datetime) -> None:
        """See `ports.Transaction`."""
        for statement in outbox.POSTPONE:
            self._run(statement, {"in_channel": channel, "by": until})

    def _next_notice(
        self, channel: str, now: datetime, before: datetime, *, inclusive: bool
    ) -> Row | None:
        """The oldest that was due before then and may be shown; replies that may not are put off."""
        while True:
            row = self._run(NEXT_NOTICE, {"in_channel": channel, "now": now}).one_or_none()
            if row is None or row.due_at > before or (row.due_at == before and not inclusive):
                return None
            if row.story_id is None or row.sent_ref is not None:
                return row
            until = self._waits_until(row, now)
            if until is None or until <= now:
                return row
            values = {"of_story": row.story_id, "in_channel": channel, "by": until}
            if self._run(PUT_OFF_REPLIES, values).rowcount == 0:  # it is `sending`: a look is due
                return row

    def _waits_until(self, row: Row, now: datetime) -> datetime | None:
        """When to ask again whether a reply may be shown; None: it may, or never may."""
        of = {"of_story": row.story_id, "in_channel": row.channel}
        before = self._run(UNCERTAIN_REPLY, of | {"row": row.id}).first()
        if before is not None:
            return max(before.lease_until or before.due_at or now, now + LOOK_AGAIN)
        root = self._root(row)
        if root is None or root.sent_ref is not None or root.state in outbox.GIVEN_UP:
            return None
        return max(root.due_at or now, now + LOOK_AGAIN)

    def _root(self, row: Row) -> Row | None:
        return self._run(ROOT, {"story": row.story_id, "in_channel": row.channel}).one_or_none()

    def _claim_notice(self, row: Row, now: datetime, lease: timedelta) -> Notice:
        root = None if row.story_id is None else self._root(row)
        return Notice(
            **self._claimed(CLAIM, row, now, lease),
            subject=row.subject,
            card=card_from_json(row.card),
            story=None if row.story_id is None else StoryId(row.story_id),
            broadcast=row.broadcast,
            root=None if root is None else outbox.sent_of(root),
        )
