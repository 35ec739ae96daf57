"""Deliver: a row of the outbox becomes a message, posted once and edited from then on.

Stories' messages and notices take the same way; they differ in what is composed, and in that a
notice may be a reply.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from alerts import (
    Alert,
    AlertError,
    Ambiguous,
    Card,
    Closed,
    Deferred,
    Message,
    Posted,
    Rejected,
    Stopped,
)
from monitor import polling, telemetry, tracing
from monitor.compose import Rules, compose_alert, compose_reply
from monitor.model import (
    ArticleId,
    Delivery,
    DeliveryState,
    Job,
    Kind,
    Notice,
    Outgoing,
    Sent,
)
from monitor.pipeline import ops
from monitor.pipeline.context import Context
from monitor.pipeline.pace import keep_pace
from monitor.ports import StoryView, Transaction

log = telemetry.get_logger()

CANNOT_LOOK = frozenset({"missing_scope", "not_in_channel"})
"""Refusals that mean: posting works, looking at what was posted does not."""

AWAY = "this process was away for seconds: its message may be another's by now"

TRACED = 20
"""Articles of a story whose traces hold its first message."""

STOPPED_PAUSE = 60.0
"""Seconds before a sink that refuses us altogether is tried again: somebody may have mended it."""


class Deliver:
    """Shows what is due in a channel, what is new before edits, oldest first, one after the other."""

    def __init__(self, context: Context) -> None:
        self._with = context

    async def run(self, channel: str) -> None:
        """Show everything due in a channel, until it is done, refused or the budget is spent."""
        until, is_up = self._with.clock.now() + self._with.budget, False
        while (
            not self._with.stopping and self._with.is_present() and self._with.clock.now() < until
        ):
            claim = partial(_claim, channel=channel, context=self._with, is_up=is_up)
            row = await self._with.store.write(claim)
            if row is None:
                return
            show = self._show_notice(row) if isinstance(row, Notice) else self._show_story(row)
            if not await show:
                return
            is_up = True

    async def _show_story(self, delivery: Delivery) -> bool:
        """Show a story; False when the channel should be left alone for now."""
        view = await self._with.store.read(lambda tx: tx.story_view(delivery.story))
        # in a thread: the passage of a long body takes up to a second
        rules = self._with.rules
        alert = await asyncio.to_thread(compose_alert, delivery, view, rules)
        if alert is None:
            await self._let_go(delivery, view, rules)
            return True
        began = self._with.clock.now()
        goes_on = await self._show(delivery, alert)
        if tracing.is_on():
            for article in _told_of(delivery, view):
                tracing.record(
                    article,
                    "deliver",
                    began,
                    self._with.clock.now(),
                    channel=delivery.channel,
                    sink=self._with.sink_of(delivery.channel).name,
                    shown=goes_on,
                    edit=delivery.sent is not None,
                )
        return goes_on

    async def _show_notice(self, notice: Notice) -> bool:
        """Show a notice; False when the channel should be left alone for now."""
        card = replace(notice.card, delivery_id=notice.id)
        if notice.story is not None and notice.sent is None:
            story = notice.story
            if notice.root is None:
                await self._drop(notice, "the story it answers is not shown")
                return True
            if not self._with.sink_of(notice.channel).can_thread:
                view = await self._with.store.read(lambda tx: tx.story_view(story))
                card = compose_reply(card, view, notice.channel, self._with.rules)
        return await self._show(notice, card)

    async def _show(self, row: Outgoing, message: Alert | Card) -> bool:
        result = await self._attempt(row, message)
        sink = self._with.sink_of(row.channel)
        telemetry.DELIVERIES.labels(sink.name, result.outcome).inc()
        rules, now = self._with.rules, self._with.clock.now()
        if (
            isinstance(row, Notice)
            and result.outcome == "closed"
            and row.channel not in rules.channels
        ):
            await self._drop(row, f"{result.error}; nothing is said there any more")
            return True

        def settle(tx: Transaction) -> bool:
            if not _finish(tx, row, result, now):
                return False
            if result.state is DeliveryState.DEAD and result.error is not None:
                ops.note_dead(tx, row.channel, _about(message), result.error, rules, now)
            if result.outcome == "closed" and result.error is not None:
                ops.note_closed(tx, row.channel, result.error, rules, now)
            return True

        if not await self._with.store.write(settle):
            log.warning("delivery.late", delivery=row.id, channel=row.channel, ended=result.outcome)
        if sink is self._with.sink:
            if result.outcome == "stopped":
                await ops.note_sink(self._with, result.error)
            elif result.outcome not in {"deferred", "ambiguous"}:  # these say nothing of it
                await ops.note_sink(self._with, None)
        self._report(row, message, result)
        return result.outcome in {"sent", "updated", "found", "rejected"}

    async def _drop(self, notice: Notice, why: str) -> None:
        """A notice that can't be shown, and never will be. What broke off may be: nobody knows."""
        dropped = _Result("dropped", DeliveryState.DROPPED, error=why)
        now = self._with.clock.now()
        await self._with.store.write(lambda tx: _finish(tx, notice, dropped, now))
        telemetry.DELIVERIES.labels(self._with.sink_of(notice.channel).name, "dropped").inc()
        self._report(notice, notice.card, dropped)

    async def _let_go(self, delivery: Delivery, view: StoryView, rules: Rules) -> None:
        """The channel's watches don't match the story any more: the page or the rules have changed.

        A message that is shown stays as it stands. One that is not is dropped, so that a later hit
        is told, and what left for another channel is wanted there.
        """
        now = self._with.clock.now()
        places = {rules.channel_of(hit.watch) for each in view.articles for hit in each.hits}
        elsewhere = sorted(place for place in places if place and place != delivery.channel)

        def settle(tx: Transaction) -> None:
            if delivery.sent is not None:
                tx.finish_delivery(delivery.id, DeliveryState.SENT, now, sent=delivery.sent)
                return
            if delivery.found_sending_at is not None:  # it may be shown: nothing more is known
                why = "broke off, and nothing is left to show"
                tx.finish_delivery(delivery.id, DeliveryState.DEAD, now, error=why)
                tx.note_outcome([delivery.id], "dropped", now, error=why)
            else:
                tx.drop_delivery(delivery.id)
                # there still is something to finish if a hit came meanwhile: that one is told
                tx.finish_delivery(delivery.id, DeliveryState.PENDING, now, due_at=now)
            for channel in elsewhere:
                tx.want_delivery(view.story, channel, now)
                tx.submit(Job(Kind.DELIVER, channel))

        await self._with.store.write(settle)
        telemetry.DELIVERIES.labels(self._with.sink_of(delivery.channel).name, "empty").inc()
        log.info("alert.dropped", channel=delivery.channel, delivery=delivery.id, to=elsewhere)

    async def _attempt(self, delivery: Outgoing, message: Message) -> _Result:
        message = replace(message, revision=delivery.revision)
        try:
            if delivery.sent is None:
                return await self._post(delivery, message)
            sink = self._with.sink_of(delivery.channel)
            if sink.can_update:
                await sink.update(_posted(delivery.sent), message)
            return _Result("updated", DeliveryState.SENT, sent=delivery.sent)
        except Ambiguous as caught:
            if delivery.sent is not None:  # an edit may simply be repeated
                return self._later(delivery, "deferred", caught, None)
            # The row stays `sending`: it is looked for a little later, here or elsewhere.
            refused = isinstance(caught.__cause__, Stopped)  # by the look: nothing else will work
            pause = STOPPED_PAUSE if refused else getattr(caught.__cause__, "retry_after", None)
            doubt = self._later(delivery, "stopped" if refused else "ambiguous", caught, pause)
            return replace(doubt, state=DeliveryState.SENDING)
        except Rejected as caught:
            # A refused edit leaves the message as it stands.
            state = DeliveryState.SENT if delivery.sent else DeliveryState.DEAD
            return _Result("rejected", state, sent=delivery.sent, error=str(caught))
        except Closed as caught:
            if delivery.sent is not None:  # the message stands where nothing can be edited any more
                return _Result("rejected", DeliveryState.SENT, delivery.sent, error=str(caught))
            return self._later(delivery, "closed", caught, caught.retry_after)
        except Deferred as caught:
            return self._later(delivery, "deferred", caught, caught.retry_after)
        except Stopped as caught:
            return self._later(delivery, "stopped", caught, STOPPED_PAUSE)

    def _later(
        self, delivery: Outgoing, outcome: str, error: AlertError, retry_after: float | None
    ) -> _Result:
        due_at = polling.delivery_retry(self._with.clock.now(), delivery.attempts, retry_after)
        return _Result(
            outcome, DeliveryState.RETRY, sent=delivery.sent, due_at=due_at, error=str(error)
        )

    async def _post(self, delivery: Outgoing, message: Message) -> _Result:
        """Post, exactly once as far as the sink can tell."""
        thread, broadcast = _thread(delivery)
        unclear_since = delivery.found_sending_at
        for last_try in (False, True):
            if unclear_since is not None:
                found = await self._look(delivery, unclear_since)
                if found is not None:
                    # It may say less than is known by now: have it edited.
                    now = self._with.clock.now()
                    return _Result("found", DeliveryState.RETRY, sent=found, due_at=now)
            unclear_since = self._with.clock.now()
            if not self._with.is_present():
                raise Deferred("away", AWAY, retry_after=1.0)
            try:
                posted = await self._with.sink_of(delivery.channel).post(
                    delivery.channel, message, thread=thread, broadcast=broadcast
                )
            except Ambiguous:
                if last_try:
                    raise
            else:
                sent = Sent(channel=posted.channel, ref=posted.ref)
                return _Result("sent", DeliveryState.SENT, sent=sent)
        raise AssertionError("unreachable")

    async def _look(self, delivery: Outgoing, since: datetime) -> Sent | None:
        """Find out whether a broken-off post is shown.

        A sink that can't look is posted to again: an alert shown twice is better than one lost.
        Raises `Ambiguous` when the look itself has to wait, so that the doubt is kept.
        """
        sink = self._with.sink_of(delivery.channel)
        try:
            if sink.can_find:
                thread, _ = _thread(delivery)
                found = await sink.find(delivery.channel, delivery.id, since, thread=thread)
                return Sent(channel=found.channel, ref=found.ref) if found else None
        except (Rejected, Closed):
            return None  # no such channel: posting will say the same, definitely
        except Deferred as error:
            raise Ambiguous(error.code, error.detail) from error
        except Stopped as error:
            if error.code not in CANNOT_LOOK:
                raise Ambiguous(error.code, error.detail) from error
        log.warning("alert.repeated_blind", delivery=delivery.id, channel=delivery.channel)
        telemetry.DELIVERIES.labels(sink.name, "repeated_blind").inc()
        return None

    def _report(self, row: Outgoing, message: Alert | Card, result: _Result) -> None:
        if isinstance(message, Alert) and result.outcome == "sent":
            waited = (self._with.clock.now() - message.found_at).total_seconds()
            telemetry.ALERT_SECONDS.observe(max(0.0, waited))
            if message.published_at is not None:
                since = (self._with.clock.now() - message.published_at).total_seconds()
                telemetry.ALERT_PUBLISHED_SECONDS.observe(max(0.0, since))
        say = log.warning if result.error else log.info
        say(
            f"{'notice' if isinstance(row, Notice) else 'alert'}.{result.outcome}",
            channel=row.channel,
            headline=_about(message),
            delivery=row.id,
            **({"error": result.error} if result.error else {}),
        )


@dataclass(frozen=True, slots=True)
class _Result:
    """How an attempt ended: a word for logs and metrics, and what the row becomes."""

    outcome: str
    state: DeliveryState
    sent: Sent | None = None
    due_at: datetime | None = None
    error: str | None = None


def _claim(
    tx: Transaction, *, channel: str, context: Context, is_up: bool
) -> Delivery | Notice | None:
    """The next to be shown, once it is settled what is shown by itself."""
    now, can_update = context.clock.now(), context.sink_of(channel).can_update
    keep_pace(tx, channel, context.rules, now, is_up=is_up, can_update=can_update)
    return tx.claim_due(channel, now, context.delivery_lease)


def _finish(tx: Transaction, row: Outgoing, result: _Result, now: datetime) -> bool:
    """Write how a call ended; False if the row was not this process's any more."""
    tx.note_outcome([row.id], result.outcome, now, error=result.error)
    finish = tx.finish_notice if isinstance(row, Notice) else tx.finish_delivery
    if not finish(
        row.id, result.state, now, sent=result.sent, due_at=result.due_at, error=result.error
    ):
        return False
    if result.sent is None and result.state is DeliveryState.RETRY and result.due_at is not None:
        # the channel is not to be had: what came later must not overtake
        tx.postpone_channel(row.channel, result.due_at)
    return True


def _told_of(delivery: Delivery, view: StoryView) -> Sequence[ArticleId]:
    """The articles that a message brings: at first all that were found, in an edit the newest."""
    found = [each.article for each in view.articles if each.hits]
    return found[-1:] if delivery.sent is not None else found[:TRACED]


def _about(message: Alert | Card) -> str:
    """A message in a line of a log."""
    return message.headline if isinstance(message, Alert) else message.title


def _thread(row: Outgoing) -> tuple[Posted | None, bool]:
    """What a message answers, and whether the channel shows the answer, too."""
    if isinstance(row, Notice) and row.root is not None:
        return _posted(row.root), row.broadcast
    return None, False


def _posted(sent: Sent) -> Posted:
    return Posted(channel=sent.channel, ref=sent.ref)
