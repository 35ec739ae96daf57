"""The outbox: what a channel should show, who is showing it now, and how that ended.

A row's message is made of the story as it stands when it is claimed. `wanted` counts the times
somebody asked for it, `shown` is that count as the last call found it: if it grew while the call
ran, the row is due again at once.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from monitor.model import Delivery, DeliveryId, DeliveryState, Sent, StoryId
from monitor.storage import tables as t
from monitor.storage.work import Work, insert_missing, is_due

TIME = t.delivery.c.due_at.type

ADD_DELIVERY = insert_missing(t.delivery, t.delivery.c.id)


def _wanted_again() -> sa.Update:
    """Count the wish; a message that stands as sent is due by `:by` (sooner, if it was so already).

    What was not shown yet keeps its turn (it will show the story as it is then), what was given up
    stays so.
    """
    by = sa.bindparam("by", type_=TIME)
    is_sent = t.delivery.c.state == DeliveryState.SENT
    is_idle = sa.and_(is_sent, t.delivery.c.due_at.is_(None))
    return sa.update(t.delivery).values(
        wanted=t.delivery.c.wanted + 1,
        attempts=sa.case((is_idle, 0), else_=t.delivery.c.attempts),
        due_at=sa.case(
            (is_idle, by),
            (sa.and_(is_sent, t.delivery.c.due_at > by), by),
            else_=t.delivery.c.due_at,
        ),
    )


WANT_AGAIN = _wanted_again().where(
    t.delivery.c.story_id == sa.bindparam("story"),
    t.delivery.c.channel == sa.bindparam("in_channel"),
)
REFRESH = (
    _wanted_again()
    .where(t.delivery.c.story_id == sa.bindparam("story"), t.delivery.c.state != DeliveryState.DEAD)
    .returning(t.delivery.c.channel)
)
_other = t.delivery.alias("other")
MOVE_DELIVERY = (
    sa.update(t.delivery)
    .where(
        t.delivery.c.story_id == sa.bindparam("story"),
        t.delivery.c.channel == sa.bindparam("in_channel"),
        t.delivery.c.state != DeliveryState.DEAD,
        ~sa.exists().where(
            _other.c.story_id == sa.bindparam("to_story"), _other.c.channel == t.delivery.c.channel
        ),
    )
    .values(story_id=sa.bindparam("to_story"))
)
NEXT_DELIVERY = (
    sa.select(t.delivery)
    .where(t.delivery.c.channel == sa.bindparam("in_channel"), is_due(t.delivery))
    .order_by(t.delivery.c.due_at, t.delivery.c.story_id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
CLAIM_DELIVERY = (
    sa.update(t.delivery)
    .where(t.delivery.c.id == sa.bindparam("delivery"))
    .values(
        state=DeliveryState.SENDING,
        attempts=t.delivery.c.attempts + 1,
        shown=t.delivery.c.wanted,
        claimed_at=sa.bindparam("since", type_=TIME),
        lease_until=sa.bindparam("until", type_=TIME),
    )
)


def _finish() -> sa.Update:
    state = sa.bindparam("new_state", type_=sa.Text())
    now = sa.bindparam("now", type_=TIME)
    is_shown = state == DeliveryState.SENT
    due_at = sa.bindparam("new_due_at", type_=TIME)
    goes_on = sa.and_(state == DeliveryState.SENDING, due_at.is_(None))
    again = sa.and_(is_shown, t.delivery.c.wanted > t.delivery.c.shown)
    return (
        sa.update(t.delivery)
        # only a call that runs can end: a late word never undoes what another worker wrote
        .where(
            t.delivery.c.id == sa.bindparam("delivery"),
            t.delivery.c.state == DeliveryState.SENDING,
        )
        .values(
            state=state,
            lease_until=sa.case((goes_on, t.delivery.c.lease_until), else_=None),
            error=sa.bindparam("new_error"),
            due_at=sa.case((again, now), (goes_on, t.delivery.c.due_at), else_=due_at),
            attempts=sa.case((again, 0), else_=t.delivery.c.attempts),
            sent_channel=sa.func.coalesce(
                sa.bindparam("at_channel", type_=sa.Text()), t.delivery.c.sent_channel
            ),
            sent_ref=sa.func.coalesce(
                sa.bindparam("at_ref", type_=sa.Text()), t.delivery.c.sent_ref
            ),
            sent_at=sa.case(
                (is_shown, sa.func.coalesce(t.delivery.c.sent_at, now)),
                else_=t.delivery.c.sent_at,
            ),
        )
    )


FINISH = _finish()


IS_WAITING = sa.and_(
    t.delivery.c.state.in_((DeliveryState.PENDING, DeliveryState.RETRY)),
    t.delivery.c.sent_ref.is_(None),
    t.delivery.c.due_at.is_not(None),
)
IS_UNSHOWN = sa.and_(t.delivery.c.channel == sa.bindparam("in_channel"), IS_WAITING)
LAST_TURN = sa.select(sa.func.max(t.delivery.c.due_at)).where(IS_UNSHOWN)
POSTPONE = (
    sa.update(t.delivery)
    .where(IS_UNSHOWN, t.delivery.c.due_at < sa.bindparam("by", type_=TIME))
    .values(due_at=sa.bindparam("by", type_=TIME))
)


class DeliveryWork(Work):
    """The part of `ports.Transaction` about the outbox."""

    def want_delivery(self, story: StoryId, channel: str, now: datetime) -> bool:
        """See `ports.Transaction`. What was given up (`dead`) stays given up."""
        # behind those that wait already
        last = self._run(LAST_TURN, {"in_channel": channel}).scalar_one()
        made = self._on(
            ADD_DELIVERY,
            {
                "id": uuid.uuid4().hex,
                "story_id": story,
                "channel": channel,
                "state": DeliveryState.PENDING,
                "attempts": 0,
                "wanted": 1,
                "shown": 0,
                "due_at": max(now, last) if last else now,
                "created_at": now,
            },
        ).one_or_none()
        if made is not None:
            return True
        self._run(WANT_AGAIN, {"story": story, "in_channel": channel, "by": now})
        return False

    def refresh_deliveries(self, story: StoryId, due_at: datetime) -> Sequence[str]:
        """See `ports.Transaction`."""
        return sorted(self._run(REFRESH, {"story": story, "by": due_at}).scalars())

    def move_delivery(self, story: StoryId, channel: str, to: StoryId) -> None:
        """See `ports.Transaction`. A call that runs ends as that of the other story."""
        self._run(MOVE_DELIVERY, {"story": story, "in_channel": channel, "to_story": to})

    def claim_delivery(self, channel: str, now: datetime, lease: timedelta) -> Delivery | None:
        """See `ports.Transaction`.

        `found_sending_at` is the start of the *first* call since which nothing is certain.
        """
        row = self._run(NEXT_DELIVERY, {"in_channel": channel, "now": now}).one_or_none()
        if row is None:
            return None
        found = row.claimed_at if row.state == DeliveryState.SENDING else None
        self._run(CLAIM_DELIVERY, {"delivery": row.id, "since": found or now, "until": now + lease})
        is_sent = row.sent_channel is not None
        return Delivery(
            id=DeliveryId(row.id),
            story=StoryId(row.story_id),
            channel=row.channel,
            attempts=row.attempts + 1,
            sent=Sent(channel=row.sent_channel, ref=row.sent_ref) if is_sent else None,
            found_sending_at=found,
        )

    def drop_delivery(self, delivery: DeliveryId) -> None:
        """See `ports.Transaction`."""
        self._run(
            sa.delete(t.delivery).where(
                t.delivery.c.id == delivery,
                t.delivery.c.state == DeliveryState.SENDING,
                t.delivery.c.sent_ref.is_(None),
                t.delivery.c.wanted <= t.delivery.c.shown,
            )
        )

    def recall_deliveries(self, channels: Collection[str], now: datetime) -> None:
        """See `ports.Transaction`."""
        elsewhere = t.delivery.c.channel.not_in(sorted(channels))
        self._run(sa.update(t.delivery).where(IS_WAITING, elsewhere).values(due_at=now))

    def postpone_channel(self, channel: str, until: datetime) -> None:
        """See `ports.Transaction`."""
        self._run(POSTPONE, {"in_channel": channel, "by": until})

    def finish_delivery(
        self,
        delivery: DeliveryId,
        state: DeliveryState,
        now: datetime,
        *,
        sent: Sent | None = None,
        due_at: datetime | None = None,
        error: str | None = None,
    ) -> None:
        """See `ports.Transaction`.

        With `sending` the call stays uncertain: whoever claims it, at `due_at` or without one at
        the end of the lease, is told so.
        A row that somebody else has finished meanwhile is left as it is.
        """
        self._run(
            FINISH,
            {
                "delivery": delivery,
                "new_state": state,
                "now": now,
                "at_channel": sent.channel if sent else None,
                "at_ref": sent.ref if sent else None,
                "new_due_at": due_at,
                "new_error": error,
            },
        )
