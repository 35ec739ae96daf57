"""Deliveries: what a channel should show for a story, who is showing it now, how that ended.

A row's message is made of the story as it stands when it is claimed.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from monitor.model import Delivery, DeliveryId, DeliveryState, Sent, StoryId
from monitor.storage import outbox
from monitor.storage import tables as t
from monitor.storage.hands import IS_MUTED, hands_of
from monitor.storage.outbox import LAST_TURN
from monitor.storage.work import Row, Work, insert_missing, is_held

ADD_DELIVERY = insert_missing(t.delivery, t.delivery.c.id)
WANT_AGAIN = outbox.want_again(t.delivery).where(
    t.delivery.c.story_id == sa.bindparam("story"),
    t.delivery.c.channel == sa.bindparam("in_channel"),
    ~IS_MUTED,
)
REFRESH = (
    outbox.want_again(t.delivery)
    .where(
        t.delivery.c.story_id == sa.bindparam("story"),
        t.delivery.c.state.not_in(outbox.GIVEN_UP),
        ~IS_MUTED,
    )
    .returning(t.delivery.c.channel)
)
_other = t.delivery.alias("other")
MOVE_DELIVERY = (
    sa.update(t.delivery)
    .where(
        t.delivery.c.story_id == sa.bindparam("story"),
        t.delivery.c.channel == sa.bindparam("in_channel"),
        t.delivery.c.state.not_in(outbox.GIVEN_UP),
        ~sa.exists().where(
            _other.c.story_id == sa.bindparam("to_story"), _other.c.channel == t.delivery.c.channel
        ),
    )
    .values(story_id=sa.bindparam("to_story"))
)
NEXT_DELIVERY = (
    sa.select(t.delivery)
    .where(outbox.due_in_channel(t.delivery))
    .order_by(t.delivery.c.due_at, t.delivery.c.story_id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
NEXT_UNSHOWN = NEXT_DELIVERY.where(t.delivery.c.sent_ref.is_(None))
CLAIM = outbox.claim_row(t.delivery)
FINISH = outbox.finish_row(t.delivery)
NOTE_OUTCOME = sa.insert(t.outcome)


class DeliveryWork(Work):
    """The part of `ports.Transaction` about the outbox."""

    def want_delivery(self, story: StoryId, channel: str, now: datetime) -> bool:
        """See `ports.Transaction`. What was given up (`dead`) stays given up."""
        new = {"id": uuid.uuid4().hex, "story_id": story, **self._new(channel, now, due_at=now)}
        if self._on(ADD_DELIVERY, new).one_or_none() is not None:
            return True
        self._run(WANT_AGAIN, {"story": story, "in_channel": channel, "by": now})
        return False

    def refresh_deliveries(self, story: StoryId, due_at: datetime) -> Sequence[str]:
        """See `ports.Transaction`."""
        return sorted(self._run(REFRESH, {"story": story, "by": due_at}).scalars())

    def move_delivery(self, story: StoryId, channel: str, to: StoryId) -> None:
        """See `ports.Transaction`. A call that runs ends as that of the other story."""
        self._run(MOVE_DELIVERY, {"story": story, "in_channel": channel, "to_story": to})

    def _next_delivery(self, channel: str, now: datetime) -> Row | None:
        """What is due; an edit only where nothing waits to be shown: edits are slow, and many."""
        where = {"in_channel": channel, "now": now}
        row = self._run(NEXT_UNSHOWN, where).one_or_none()
        return row if row is not None else self._run(NEXT_DELIVERY, where).one_or_none()

    def _claim_delivery(self, row: Row, now: datetime, lease: timedelta) -> Delivery:
        return Delivery(
            **self._claimed(CLAIM, row, now, lease),
            story=StoryId(row.story_id),
            hands=hands_of(self.connection, row.id),
        )

    def drop_delivery(self, delivery: DeliveryId) -> None:
        """See `ports.Transaction`."""
        self._run(
            sa.delete(t.delivery).where(
                t.delivery.c.id == delivery,
                t.delivery.c.state == DeliveryState.SENDING,
                t.delivery.c.sent_ref.is_(None),
                t.delivery.c.wanted <= t.delivery.c.shown,
                is_held(t.delivery),
            ),
            {"holder": self.holder},
        )

    def finish_delivery(
        self,
        delivery: DeliveryId,
        state: DeliveryState,
        now: datetime,
        *,
        sent: Sent | None = None,
        due_at: datetime | None = None,
        error: str | None = None,
    ) -> bool:
        """See `ports.Transaction`."""
        values = outbox.ended(
            delivery, state, now, holder=self.holder, sent=sent, due_at=due_at, error=error
        )
        return self._run(FINISH, values).rowcount > 0

    # -- of either table

    def note_outcome(
        self,
        messages: Collection[DeliveryId],
        what: str,
        now: datetime,
        *,
        error: str | None = None,
    ) -> None:
        """See `ports.Transaction`."""
        rows = [{"message": each, "at": now, "what": what, "error": error} for each in messages]
        if rows:
            self._run(NOTE_OUTCOME, rows)

    def _new(self, channel: str, now: datetime, *, due_at: datetime) -> Mapping[str, Any]:
        """What a row begins with: due behind what could not be shown just now."""
        last = self._run(LAST_TURN, {"in_channel": channel}).scalar_one()
        return {
            "channel": channel,
            "state": DeliveryState.PENDING,
            "attempts": 0,
            "wanted": 1,
            "shown": 0,
            "due_at": max(due_at, last) if last else due_at,
            "created_at": now,
        }

    def _claimed(
        self, claim: sa.Update, row: Row, now: datetime, lease: timedelta
    ) -> Mapping[str, Any]:
        """Mark a row as `sending`; returns the fields of `Outgoing`.

        `found_sending_at` is the start of the *first* call since which nothing is certain.
        """
        found = row.claimed_at if row.state == DeliveryState.SENDING else None
        values = {"row": row.id, "since": found or now, "until": now + lease}
        self._run(claim, values | {"holder": self.holder})
        return {
            "id": DeliveryId(row.id),
            "channel": row.channel,
            "attempts": row.attempts + 1,
            "sent": outbox.sent_of(row),
            "found_sending_at": found,
            "revision": row.wanted,
        }
