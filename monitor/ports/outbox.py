"""What telling and delivering ask of the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from alerts.message import Card
from monitor.model import Deed, Delivery, DeliveryId, DeliveryState, Hand, Notice, Sent, StoryId
from monitor.ports.facts import Brief, DueDigest, Finding, Hold, Summary, Told, Waiting, Waits


class Outbox(Protocol):
    """The part of `Transaction` about messages: what is told, where, when, and what people do about it."""

    # -- deliveries and notices

    def want_delivery(self, story: StoryId, channel: str, now: datetime) -> bool:
        """Have the channel show the story as it is now: a new message, or an edit of the old one.

        True if this made a new row. One row per story and channel, for ever.
        """

    def refresh_deliveries(self, story: StoryId, due_at: datetime) -> Sequence[str]:
        """Have every channel that shows the story show it as it is now; returns the channels."""

    def move_delivery(self, story: StoryId, channel: str, to: StoryId) -> None:
        """What the channel shows, or is to show, of the one story is of the other from now on.

        What was given up stays, and what is in the way of one that is there already.
        """

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
        """Have a channel show a card; its delivery is submitted, unless it is for later.

        One message per channel and subject, for ever: a subject that was told is not told again,
        unless `again`: then its message is edited to be this card. With `story` it is a reply in
        that story's thread, shown once the story is; with `broadcast` the channel shows it, too.
        Returns whether there is something new to show.
        """

    def told(self, channel: str, subject: str) -> Told | None:
        """What was said about a subject in a channel."""

    def last_told(self, channel: str, prefix: str) -> tuple[str, Told] | None:
        """The subject that was told last of those that begin so, with what was said."""

    def take_back(self, channel: str, prefix: str) -> None:
        """Forget what was told about subjects that begin so, as far as nobody began to show it."""

    def told_since(self, channel: str, prefix: str, since: datetime) -> int:
        """How many subjects that begin so were told for the first time since then."""

    # -- delivering

    def claim_due(self, channel: str, now: datetime, lease: timedelta) -> Delivery | Notice | None:
        """Take what has been due longest in a channel, of either kind, marked `sending`.

        A message of a story that is only to be edited comes when nothing else is due.
        """

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
        """Write a call's result and end the lease.

        With `sending` the call stays uncertain: whoever claims it, at `due_at` or without one at
        the end of the lease, is told so. A row that was wanted anew while the call ran is due again
        at once; one that somebody else has claimed or finished meanwhile is left as it is, and the
        answer is False.
        """

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
        """What `finish_delivery` does, of a notice."""

    def drop_delivery(self, delivery: DeliveryId) -> None:
        """Forget a claimed row that was never shown: a later want makes a new one.

        One that was wanted anew since it was claimed stays.
        """

    def note_outcome(
        self,
        messages: Collection[DeliveryId],
        what: str,
        now: datetime,
        *,
        error: str | None = None,
    ) -> None:
        """Keep what became of these messages just now, of either kind: for who asks later."""

    def postpone_channel(self, channel: str, until: datetime) -> None:
        """Nothing that waits to be shown in the channel is due before `until`."""

    # -- where a story is told

    def is_shown(self, story: StoryId) -> bool:
        """Whether a message of the story stands anywhere, or may stand."""

    def shown_in(self, story: StoryId) -> Sequence[str]:
        """The channels in which a message of the story stands, or may stand."""

    def listed_in(self, story: StoryId) -> Sequence[str]:
        """The channels in which a message tells of the story together with others, and none alone.

        Without those that want digests alone.
        """

    def wanted_in(self, story: StoryId) -> Sequence[str]:
        """The channels that show the story, or will."""

    def replies(self, story: StoryId, channel: str, since: datetime) -> Sequence[str]:
        """The subjects that were first told in a story's thread since then, oldest first."""

    # -- stories that wait to be confirmed

    def hold(self, story: StoryId, watch: str, lacks: str, now: datetime) -> None:
        """A story waits, for a watch, until it is better reported; it goes on waiting since when it did."""

    def holds(self, story: StoryId) -> Mapping[str, Hold]:
        """For which watches a story waits."""

    def release(self, story: StoryId, watch: str) -> None:
        """It waits no more."""

    def held_stories(self) -> Sequence[StoryId]:
        """All that wait."""

    def forget_holds(self, now: datetime, kept: timedelta) -> int:
        """What has waited for longer than this waits no more, and is not told; returns how many."""

    # -- what is told when, and together with what

    def waiting_in(self, channel: str, now: datetime) -> Sequence[Waiting]:
        """Stories that are due to be told in a channel, those first that were wanted first."""

    def wanted_between(
        self, channel: str, after: datetime, until: datetime
    ) -> Sequence[tuple[datetime, StoryId]]:
        """When stories were first wanted in a channel in a span of time, in order; not those held."""

    def hold_back(
        self, deliveries: Collection[DeliveryId], why: str, until: datetime | None
    ) -> None:
        """Have these wait until then, or for a digest."""

    def fold(self, deliveries: Collection[DeliveryId], into: str | None = None) -> None:
        """A notice of this subject tells these; without one, what told them already."""

    def unhold(self, deliveries: Collection[DeliveryId], now: datetime) -> None:
        """Have these shown by themselves, now, though they are held or told with others."""

    def held_without_end(self, channel: str) -> Mapping[StoryId, DeliveryId]:
        """What is held in a channel for a digest."""

    def open_folded(self, channel: str, now: datetime, most: int) -> None:
        """Stories told with others, in whose threads something is to be said, are shown now.

        At most so many a minute: those first in whose threads it was said first.
        """

    def last_summary(self, channel: str, kind: str, after: datetime) -> Summary | None:
        """The youngest notice whose subject begins so, if it tells what was wanted after then."""

    def stories_told_in(self, channel: str, subject: str) -> Sequence[StoryId]:
        """The stories that a notice tells, the youngest first."""

    def watches_of(self, stories: Collection[StoryId]) -> Mapping[StoryId, frozenset[str]]:
        """The names of all watches that found anything in these stories."""

    def briefs(
        self, stories: Collection[StoryId], max_age: timedelta | None
    ) -> Mapping[StoryId, Brief]:
        """Stories, each in a line; `max_age`: of what may lead one."""

    def found_for(
        self, channel: str, watches: Collection[str], after: datetime, until: datetime
    ) -> Sequence[Finding]:
        """What watches found, in a span of time, of stories that a channel is told.

        Of each watch, by its name, that with most articles first.
        """

    def drop_digests_since(self, at: datetime) -> int:
        """Forget the digests whose last one was told later than this; returns how many."""

    def due_digests(self, channel: str, now: datetime) -> Sequence[DueDigest]:
        """The digests of a channel that are due."""

    def next_digest(self, channel: str, schedule: str, now: datetime, due_at: datetime) -> None:
        """One was told, of everything until now; the next one is due then."""

    # -- what people do about messages

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
        """Keep who did what, on what; False if a deed of this mark was noted before."""

    def delivery_of(self, delivery: DeliveryId) -> tuple[StoryId, str] | None:
        """The story that a message tells, and the channel as the configuration calls it."""

    def set_hand(self, delivery: DeliveryId, deed: Deed, by: str, at: datetime) -> bool:
        """Somebody did this about a message; False if it was done already: the first one stays.

        A message that was muted is not due for what is wanted from then on.
        """

    def hands_of(self, delivery: DeliveryId) -> Mapping[Deed, Hand]:
        """What people did about a message."""

    def clear_hand(self, delivery: DeliveryId, deed: Deed) -> bool:
        """It was taken back; False if there was nothing to take back."""

    def judge(
        self,
        delivery: DeliveryId,
        found: Mapping[str, Sequence[str]],
        *,
        relevant: bool | None,
        now: datetime,
    ) -> None:
        """Whether what watches found, by these terms, was worth telling; None: nobody knows."""

    def snooze(self, watch: str, channel: str, until: datetime, by: str) -> None:
        """Have a watch begin no new messages in a channel until then."""

    def end_snooze(self, watch: str, channel: str, now: datetime) -> None:
        """Have it begin new ones again; what is held in the channel may be told now."""

    def snoozes(self, channel: str, now: datetime) -> Mapping[str, datetime]:
        """The watches that are snoozed in a channel, and until when."""

    def shorten_snoozes(
        self, lengths: Mapping[str, timedelta], now: datetime
    ) -> Sequence[DeliveryId]:
        """Have snoozes begun by a clock that was ahead of this one last their own length from now.

        `lengths`: by what was pressed. Returns the messages that say until when.
        """

    def unacknowledged(
        self, watches: Collection[str], first: datetime, last: datetime
    ) -> Sequence[tuple[StoryId, str]]:
        """Stories in which one of these watches found something, and channels where they were shown
        first between `first` and `last`, and which nobody has acknowledged or muted since.
        """

    def messages_named(self, name: str) -> Sequence[Waits]:
        """The rows of the outbox, of either kind, whose ids end so; two at most."""

    def resend(self, message: DeliveryId, now: datetime) -> None:
        """Have a message that is not shown be due now, as if it had never been tried."""

    def drop(self, message: DeliveryId, why: str) -> None:
        """Give up a message that is not shown."""
