"""What people do about messages: acknowledged, muted, snoozed, judged; and who did it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from monitor.model import Deed, DeliveryId, DeliveryState, Hand, StoryId
from monitor.ports import Judged, Precision, Waits
from monitor.storage import tables as t
from monitor.storage.clocks import SLACK
from monitor.storage.outbox import TABLES
from monitor.storage.work import Work, among, insert_missing, upsert

TIME = t.delivery.c.due_at.type

WAITED = timedelta(days=2)
"""How long before it was shown a message may have been wanted, to be looked at for acknowledgement."""

IS_MUTED = sa.exists().where(t.hand.c.delivery_id == t.delivery.c.id, t.hand.c.kind == Deed.MUTED)
"""Of a delivery: nothing is said in its message and its thread until that is taken back."""

HANDS = sa.select(t.hand.c.kind, t.hand.c.by, t.hand.c.at).where(
    t.hand.c.delivery_id == sa.bindparam("delivery")
)

NOTE_DEED = insert_missing(t.audit, t.audit.c.id)
SET_HAND = insert_missing(t.hand, t.hand.c.kind)
CLEAR_HAND = sa.delete(t.hand).where(
    t.hand.c.delivery_id == sa.bindparam("delivery"), t.hand.c.kind == sa.bindparam("deed")
)
JUDGE = upsert(t.judgement, key=("delivery_id", "watch"), update=("terms", "relevant", "at"))
UNJUDGE = sa.delete(t.judgement).where(t.judgement.c.delivery_id == sa.bindparam("delivery"))
SNOOZE = upsert(t.snooze, key=("watch", "channel"), update=("until", "by"))
END_SNOOZE = sa.delete(t.snooze).where(
    t.snooze.c.watch == sa.bindparam("of_watch"), t.snooze.c.channel == sa.bindparam("in_channel")
)
WAKE = (
    sa.update(t.delivery)
    .where(
        t.delivery.c.state == DeliveryState.HELD,
        t.delivery.c.channel == sa.bindparam("in_channel"),
        t.delivery.c.held_until > sa.bindparam("now", type_=TIME),
    )
    .values(due_at=sa.bindparam("now", type_=TIME), held_until=sa.bindparam("now", type_=TIME))
)
LONG_SNOOZES = sa.select(t.snooze.c.until).where(
    t.snooze.c.until > sa.bindparam("after", type_=TIME)
)
SNOOZED_BY = (  # which of the deeds on a message began a snooze; the newest, whatever the clock said
    sa.select(t.audit.c.action)
    .join(t.hand, t.hand.c.delivery_id == t.audit.c.subject)
    .where(
        t.hand.c.kind == Deed.SNOOZED,
        t.hand.c.at == sa.bindparam("old", type_=TIME),
        t.audit.c.action.in_(sa.bindparam("actions", expanding=True)),
    )
    .order_by(t.audit.c.id.desc())
    .limit(1)
)
SHORTEN_SNOOZE = (
    sa.update(t.snooze)
    .where(t.snooze.c.until == sa.bindparam("old", type_=TIME))
    .values(until=sa.bindparam("new", type_=TIME))
)
SHORTEN_HAND = (
    sa.update(t.hand)
    .where(t.hand.c.kind == Deed.SNOOZED, t.hand.c.at == sa.bindparam("old", type_=TIME))
    .values(at=sa.bindparam("new", type_=TIME))
    .returning(t.hand.c.delivery_id)
)
SNOOZES = sa.select(t.snooze.c.watch, t.snooze.c.until).where(
    t.snooze.c.channel == sa.bindparam("in_channel"),
    t.snooze.c.until > sa.bindparam("now", type_=TIME),
)
MUTED = sa.select(
    sa.exists().where(
        t.delivery.c.story_id == sa.bindparam("story"),
        t.delivery.c.channel == sa.bindparam("in_channel"),
        IS_MUTED,
    )
)
DELIVERY = sa.select(t.delivery.c.story_id, t.delivery.c.channel).where(
    t.delivery.c.id == sa.bindparam("delivery")
)
UNACKNOWLEDGED = (
    sa.select(t.delivery.c.story_id, t.delivery.c.channel)
    .where(
        # by this index: what waited for days is no help any more
        t.delivery.c.state.in_((DeliveryState.SENT, DeliveryState.SENDING, DeliveryState.RETRY)),
        t.delivery.c.created_at > sa.bindparam("wanted_after", type_=TIME),
        t.delivery.c.sent_at.between(
            sa.bindparam("first", type_=TIME), sa.bindparam("last", type_=TIME)
        ),
        ~sa.exists().where(
            t.hand.c.delivery_id == t.delivery.c.id,
            t.hand.c.kind.in_((Deed.SEEN, Deed.MUTED, Deed.IRRELEVANT)),
        ),
        sa.exists().where(
            t.article.c.story_id == t.delivery.c.story_id,
            t.hit.c.article_id == t.article.c.id,
            t.hit.c.watch_id == t.watch.c.id,
            t.watch.c.name.in_(sa.bindparam("watches", expanding=True)),
        ),
    )
    .order_by(t.delivery.c.sent_at, t.delivery.c.id)
)
NAMED = sa.union_all(
    *(
        sa.select(
            table.c.id, table.c.channel, table.c.state, table.c.sent_ref.is_not(None).label("shown")
        ).where(table.c.id.endswith(sa.bindparam("name", type_=sa.Text()), autoescape=False))
        for table in TABLES
    )
).limit(2)
_this = sa.bindparam("message", type_=sa.Text())
RESEND = [
    sa.update(table)
    .where(table.c.id == _this)
    .values(
        state=DeliveryState.PENDING,
        attempts=0,
        error=None,
        due_at=sa.bindparam("now", type_=TIME),
        lease_until=None,
    )
    for table in TABLES
]
DROP = [
    sa.update(table)
    .where(table.c.id == _this)
    .values(state=DeliveryState.DROPPED, due_at=None, error=sa.bindparam("why"))
    for table in TABLES
]
JUDGEMENTS = sa.select(t.judgement.c.watch, t.judgement.c.terms, t.judgement.c.relevant)
JUDGEMENTS_OF = JUDGEMENTS.where(among(t.judgement.c.watch, "watches"))


def hands_of(connection: sa.Connection, delivery: str) -> Mapping[Deed, Hand]:
    """What people did about a message."""
    rows = connection.execute(HANDS, {"delivery": delivery})
    return {Deed(row.kind): Hand(by=row.by, at=row.at) for row in rows}


class HandWork(Work):
    """The part of `ports.Transaction` about what people do about messages."""

    def note_deed(
        self,
        mark: str,
        *,
        user: str,
        name: str,
        action: str,
        subject: str,
        channel: str,
        now: datetime,
    ) -> bool:
        """See `ports.Transaction`."""
        values = {
            "mark": mark,
            "user": user,
            "name": name,
            "action": action,
            "subject": subject,
            "channel": channel,
            "at": now,
        }
        return self._on(NOTE_DEED, values).one_or_none() is not None

    def delivery_of(self, delivery: DeliveryId) -> tuple[StoryId, str] | None:
        """See `ports.Transaction`."""
        row = self._run(DELIVERY, {"delivery": delivery}).one_or_none()
        return None if row is None else (StoryId(row.story_id), row.channel)

    def set_hand(self, delivery: DeliveryId, deed: Deed, by: str, at: datetime) -> bool:
        """See `ports.Transaction`."""
        values = {"delivery_id": delivery, "kind": deed, "by": by, "at": at}
        return self._on(SET_HAND, values).one_or_none() is not None

    def hands_of(self, delivery: DeliveryId) -> Mapping[Deed, Hand]:
        """See `ports.Transaction`."""
        return hands_of(self.connection, delivery)

    def clear_hand(self, delivery: DeliveryId, deed: Deed) -> bool:
        """See `ports.Transaction`."""
        return self._run(CLEAR_HAND, {"delivery": delivery, "deed": deed}).rowcount > 0

    def is_muted(self, story: StoryId, channel: str) -> bool:
        """Whether nothing more is to be said of a story in a channel."""
        return bool(self._run(MUTED, {"story": story, "in_channel": channel}).scalar_one())

    def judge(
        self,
        delivery: DeliveryId,
        found: Mapping[str, Sequence[str]],
        *,
        relevant: bool | None,
        now: datetime,
    ) -> None:
        """See `ports.Transaction`."""
        if relevant is None:
            self._run(UNJUDGE, {"delivery": delivery})
            return
        for watch, terms in found.items():
            values = {
                "delivery_id": delivery,
                "watch": watch,
                "terms": tuple(terms),
                "relevant": relevant,
                "at": now,
            }
            self._on(JUDGE, values)

    def messages_named(self, name: str) -> Sequence[Waits]:
        """See `ports.Transaction`. `name` consists of hex digits."""
        return [
            Waits(
                id=DeliveryId(row.id),
                channel=row.channel,
                state=DeliveryState(row.state),
                is_shown=bool(row.shown),
            )
            for row in self._run(NAMED, {"name": name})
        ]

    def resend(self, message: DeliveryId, now: datetime) -> None:
        """See `ports.Transaction`."""
        for statement in RESEND:
            self._run(statement, {"message": message, "now": now})

    def drop(self, message: DeliveryId, why: str) -> None:
        """See `ports.Transaction`."""
        for statement in DROP:
            self._run(statement, {"message": message, "why": why})

    def snooze(self, watch: str, channel: str, until: datetime, by: str) -> None:
        """See `ports.Transaction`."""
        self._on(SNOOZE, {"watch": watch, "channel": channel, "until": until, "by": by})

    def end_snooze(self, watch: str, channel: str, now: datetime) -> None:
        """See `ports.Transaction`."""
        self._run(END_SNOOZE, {"of_watch": watch, "in_channel": channel})
        self._run(WAKE, {"in_channel": channel, "now": now})

    def snoozes(self, channel: str, now: datetime) -> Mapping[str, datetime]:
        """See `ports.Transaction`."""
        rows = self._run(SNOOZES, {"in_channel": channel, "now": now})
        return {row.watch: row.until for row in rows}

    def shorten_snoozes(
        self, lengths: Mapping[str, timedelta], now: datetime
    ) -> Sequence[DeliveryId]:
        """See `ports.Transaction`."""
        longest, shortest = max(lengths.values()), min(lengths.values())
        found = self._run(LONG_SNOOZES, {"after": now + shortest + SLACK}).scalars()
        shown: list[DeliveryId] = []
        for old in set(found):
            action = self._run(SNOOZED_BY, {"old": old, "actions": [*lengths]}).scalar()
            length = longest if action is None else lengths[action]
            if old > now + length + SLACK:
                values = {"old": old, "new": now + length}
                self._run(SHORTEN_SNOOZE, values)
                shown += self._run(SHORTEN_HAND, values).scalars()
        return sorted(shown)

    def unacknowledged(
        self, watches: Collection[str], first: datetime, last: datetime
    ) -> Sequence[tuple[StoryId, str]]:
        """See `ports.Transaction`."""
        if not watches:
            return ()
        values = {
            "watches": sorted(watches),
            "wanted_after": first - WAITED,
            "first": first,
            "last": last,
        }
        return [(StoryId(row.story_id), row.channel) for row in self._run(UNACKNOWLEDGED, values)]

    def precisions(self, watches: Collection[str] | None = None) -> Mapping[str, Precision]:
        """What people's judgements say of each watch that they judged; of these, if given."""
        judged: Counter[tuple[str, str | None]] = Counter()
        relevant: Counter[tuple[str, str | None]] = Counter()
        judgements = (
            self._run(JUDGEMENTS)
            if watches is None
            else self._run(JUDGEMENTS_OF, {"watches": watches})
        )
        for row in judgements:
            for term in (None, *row.terms):
                judged[row.watch, term] += 1
                relevant[row.watch, term] += row.relevant
        terms: dict[str, dict[str, Judged]] = {}
        for (watch, term), count in judged.items():
            if term is not None:
                each = Judged(judged=count, relevant=relevant[watch, term])
                terms.setdefault(watch, {})[term] = each
        return {
            watch: Precision(
                judged=count, relevant=relevant[watch, None], terms=terms.get(watch, {})
            )
            for (watch, term), count in judged.items()
            if term is None
        }
