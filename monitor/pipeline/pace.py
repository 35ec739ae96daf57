"""Pace: what waits for a channel is told by itself, later, or together with others.

Decided in the transaction in which `deliver` claims what it shows next, by what the database holds:
so a restart at any moment changes nothing, and a notice that tells several stories is written with
the mark on each of them that it does.

A story is looked at when it is wanted (again). *Critical* watches tell at once. Else it is *held*
while every watch that found it is quiet, or is told by digests alone; and *folded* into a summary,
which is edited, when it is one of too many in its minute. What is held for a morning is told in one
message then. What waited while its channel was not to be had comes in messages that list many. A
story that was told in one of these and is wanted again stays there; it gets its own message when
something is to be said in its thread (but no more of them in a minute than make a flood), or a
critical watch finds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from alerts import Card
from monitor.compose import Rules
from monitor.model import DeliveryId, DeliveryState, DigestTime, StoryId, Watch
from monitor.ports import DueDigest, Transaction, Waiting
from monitor.telling import charts, digest, flood, quiet
from monitor.telling.hands import SNOOZES

GATHER: Final = timedelta(seconds=10)
"""A summary is edited no more often than this: each edit takes a turn of the channel's."""

SLACK: Final = timedelta(minutes=2)
"""By how much the clocks of machines that share a database may differ."""

WAIT: Final = timedelta(seconds=30)
"""How long a summary gathers that can't be edited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How one story is to be told now."""

    how: str  # show | hold | wake | stay
    until: datetime | None = None
    why: str = ""
    alone: bool = False  # whatever else comes


def manner(
    row: Waiting, watches: Sequence[Watch], now: datetime, snoozed: Mapping[str, datetime]
) -> Manner:
    """How a story that waits is told, by the watches of its channel that found it.

    `snoozed`: those of which people want to hear nothing new there, and until when.
    """
    if any(watch.priority == "critical" and watch.name not in snoozed for watch in watches):
        return Manner(how="show", alone=True)
    if row.state is DeliveryState.FOLDED:
        return Manner(how="stay")
    if not watches:  # another channel's, by now: delivering finds out
        return Manner(how="show", alone=row.told_in is not None)
    in_time = [watch for watch in watches if watch.realtime]
    if not in_time and row.told_in is None:
        return Manner(how="hold", why="held for the digest")
    wakes = [_wakes_at(watch, now, snoozed.get(watch.name)) for watch in in_time]
    asleep = [each for each in wakes if each is not None]
    if in_time and len(asleep) == len(wakes):
        return Manner(how="hold", until=min(asleep), why=_why_held(in_time, snoozed))
    if row.state is DeliveryState.HELD and row.held_until is not None and row.held_until <= now:
        slept = any(watch.quiet_hours for watch in watches)
        return Manner(how="wake", why="quiet" if slept else "snoozed")
    return Manner(how="show", alone=row.told_in is not None)


def _wakes_at(watch: Watch, now: datetime, snoozed_until: datetime | None) -> datetime | None:
    quiet_until = quiet.wakes_at(watch.quiet_hours, now) if watch.quiet_hours else None
    return max(filter(None, (quiet_until, snoozed_until)), default=None)


def _why_held(watches: Sequence[Watch], snoozed: Mapping[str, datetime]) -> str:
    hours = next((watch.quiet_hours for watch in watches if watch.quiet_hours), None)
    if hours is None or all(watch.name in snoozed for watch in watches):
        return "held while it is snoozed"
    return f"held for quiet hours, {hours}"


def keep_pace(
    tx: Transaction, channel: str, rules: Rules, now: datetime, *, is_up: bool, can_update: bool
) -> None:
    """Settle what of all that is due in a channel is shown by itself now.

    `is_up`: something was shown there a moment ago.
    """
    for due in tx.due_digests(channel, now):
        _tell_digest(tx, channel, rules, due, now)
    tx.open_folded(channel, now, rules.flood)
    rows = tx.waiting_in(channel, now)
    if not rows:
        return
    mine = _watches_of(channel, rules)
    snoozed = tx.snoozes(channel, now)
    is_plain = (
        not snoozed
        and all(
            watch.realtime and watch.quiet_hours is None and watch.priority == "normal"
            for watch in mine
        )
        and all(row.state not in {DeliveryState.HELD, DeliveryState.FOLDED} for row in rows)
    )
    found = {} if is_plain else tx.watches_of({row.story for row in rows})
    manners = {
        row.id: manner(
            row, [watch for watch in mine if watch.name in found.get(row.story, ())], now, snoozed
        )
        for row in rows
    }
    by_how: dict[str, list[Waiting]] = {"show": [], "hold": [], "wake": [], "stay": []}
    for row in rows:
        by_how[manners[row.id].how].append(row)
    for row in by_how["hold"]:
        tx.hold_back([row.id], manners[row.id].why, manners[row.id].until)
        if row.state is not DeliveryState.HELD:
            tx.note_outcome([row.id], "held", now, error=manners[row.id].why)
    tx.fold([row.id for row in by_how["stay"]])
    for why, reason in _WOKEN.items():
        if woken := [row for row in by_how["wake"] if manners[row.id].why == why]:
            _tell_together(tx, channel, reason, woken, rules.max_age, now)
    tx.unhold([row.id for row in by_how["show"]], now)
    crowd = [row for row in by_how["show"] if not manners[row.id].alone]
    if not crowd:
        return
    if is_up and flood.is_backlog(len(crowd), crowd[0].wanted_at, now):
        _tell_together(tx, channel, _Reason.backlog(len(crowd)), crowd, rules.max_age, now)
        return
    _fold_floods(tx, channel, rules, crowd, now, can_update=can_update)


def _watches_of(channel: str, rules: Rules) -> Sequence[Watch]:
    return [watch for watch in rules.watches if (watch.channel or rules.default_channel) == channel]


# --------------------------------------------------------------------------- several in one


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reason:
    """Why stories are told together."""

    subject: str
    title: str
    note: str

    @classmethod
    def backlog(cls, stories: int) -> _Reason:
        return cls(
            subject="backlog",
            title=f"While this channel was not to be had: {_stories(stories)}",
            note="What waited more than half an hour comes together, newest first.",
        )


_WOKEN: Mapping[str, _Reason] = {
    "quiet": _Reason(
        subject="digest:quiet",
        title="In quiet hours",
        note="What came in quiet hours, newest first.",
    ),
    "snoozed": _Reason(
        subject="digest:snooze",
        title="While it was snoozed",
        note="What came during the snooze, newest first.",
    ),
}


def _tell_together(
    tx: Transaction,
    channel: str,
    reason: _Reason,
    rows: Sequence[Waiting],
    max_age: timedelta | None,
    now: datetime,
) -> None:
    """Tell of these stories in as few messages as hold them, the newest first."""
    newest = sorted(rows, key=lambda row: (row.wanted_at, row.story), reverse=True)
    briefs = tx.briefs([row.story for row in newest], max_age)
    chunks = list(digest.pages(newest))
    for number, chunk in enumerate(chunks, start=1):
        subject = f"{reason.subject}:{_stamp(now)}/{chunk[0].story}"
        title = reason.title
        if reason.subject != "backlog":
            title += f": {_stories(len(newest))}"
        if len(chunks) > 1:
            title += f" ({number} of {len(chunks)})"
        known = [briefs[row.story] for row in chunk if row.story in briefs]
        tx.tell(channel, subject, digest.together(title, known, reason.note), now)
        _fold(tx, [row.id for row in chunk], subject, now)


def _fold(tx: Transaction, rows: Sequence[DeliveryId], into: str, now: datetime) -> None:
    """Tell these in the message about that subject."""
    tx.fold(rows, into)
    tx.note_outcome(rows, "folded", now)


def _fold_floods(
    tx: Transaction,
    channel: str,
    rules: Rules,
    crowd: Sequence[Waiting],
    now: datetime,
    *,
    can_update: bool,
) -> None:
    """Tell those that are too many of their minute in a summary."""
    limit = rules.flood
    first, last = crowd[0].wanted_at, crowd[-1].wanted_at
    wanted = tx.wanted_between(channel, first - flood.MINUTE, last)
    if len(wanted) <= limit:
        return
    place = {story: number for number, (_, story) in enumerate(wanted)}
    times = [at for at, _ in wanted]
    over = [
        row
        for row in crowd
        if row.story in place and flood.overflows(times, place[row.story], limit)
    ]
    if not over:
        return
    kind = f"flood:{channel}:"
    before = tx.last_summary(channel, kind, over[0].wanted_at - flood.CALM)
    summaries: dict[str, list[Waiting]] = {}
    subject, last_at, listed = "", first, flood.PAGE
    if before is not None and (can_update or not _is_shown(tx, channel, before.subject)):
        subject, last_at, listed = before.subject, before.last, len(before.stories)
    for row in over:
        if not flood.goes_on(last_at, listed, row.wanted_at):
            subject, listed = f"{kind}{_stamp(row.wanted_at)}/{row.story}", 0
        summaries.setdefault(subject, []).append(row)
        last_at, listed = max(last_at, row.wanted_at), listed + 1
    for each, rows in summaries.items():
        _fold(tx, [row.id for row in rows], each, now)
        card = _flood_card(tx, tx.stories_told_in(channel, each), rules)
        due_at = now
        if not can_update:
            due_at = now + WAIT
        elif before is not None and each == before.subject:
            due_at = now + GATHER
        tx.tell(channel, each, card, now, due_at=due_at, again=True)


def _is_shown(tx: Transaction, channel: str, subject: str) -> bool:
    told = tx.told(channel, subject)
    return told is None or told.state is not DeliveryState.PENDING


def _flood_card(tx: Transaction, stories: Sequence[StoryId], rules: Rules) -> Card:
    briefs = tx.briefs(stories, rules.max_age)
    return digest.together(
        f"Many stories at once: {_stories(len(stories))} more",
        [briefs[story] for story in stories if story in briefs],
        f"More than {rules.flood} new stories a minute share a message, newest first.",
    )


# --------------------------------------------------------------------------- digests


def plan_digests(tx: Transaction, rules: Rules, now: datetime) -> None:
    """Have a digest due in each channel whenever a watch of it wants one."""
    wanted = _schedules(rules)
    tx.sync_digests({key: quiet.next_digest(when, now) for key, when in wanted.items()}, now)


def plan_anew(tx: Transaction, rules: Rules, now: datetime) -> int:
    """The clock was set back: what waits for a morning or a digest waits for the right one.

    A digest that was told by the clock as it was is told again when its time comes, of what has come
    since; a snooze lasts no longer from now than who pressed it was told, and its message says so.
    Returns how many digests and messages that are.
    """
    forgotten = tx.drop_digests_since(now + SLACK)
    if forgotten:
        plan_digests(tx, rules, now)
    shortened = tx.shorten_snoozes({str(each): SNOOZES[each] for each in SNOOZES}, now)
    for message in shortened:
        if (place := tx.delivery_of(message)) is not None:
            tx.want_delivery(*place, now)
    tx.reconsider_held(now)
    return forgotten + len(shortened)


def _schedules(rules: Rules) -> Mapping[tuple[str, str], DigestTime]:
    return {
        (watch.channel or rules.default_channel, str(watch.digest)): watch.digest
        for watch in rules.watches
        if watch.digest is not None
    }


def _tell_digest(
    tx: Transaction, channel: str, rules: Rules, due: DueDigest, now: datetime
) -> None:
    """Tell of all since the last one. Who comes late, after a night's rest, tells once."""
    mine = _watches_of(channel, rules)
    watches = [watch for watch in mine if str(watch.digest) == due.schedule]
    if not watches:  # another configuration is on its way
        return
    when = watches[0].digest
    assert when is not None
    names = [watch.name for watch in watches]
    held = tx.held_without_end(channel)
    found_by = tx.watches_of(held.keys())
    must = {story: row for story, row in held.items() if found_by.get(story, set()) & set(names)}
    findings = tx.found_for(channel, names, due.since, now)
    cards = digest.digest(
        digest.Period(
            name="Daily digest" if when.weekday is None else "Weekly digest",
            since=due.since,
            until=now,
        ),
        names,
        findings,
        tx.briefs(digest.worth_a_line(findings, must.keys()), rules.max_age),
        tx.feeds_by_health(),
        must=must.keys(),
    )
    subject = f"digest:{due.schedule}:{quiet.day_of(when, due.due_at)}"
    if tx.told(channel, subject) is not None:  # by a clock that was set back since
        subject = f"{subject}/{_stamp(now)}"
    days, news = (charts.DAYS, 1) if when.weekday is None else (2 * charts.DAYS, 7)
    by_quarter = tx.mentions(names, charts.since(due.due_at, days))
    chart = charts.days_chart(
        names, by_quarter, until=due.due_at, zone=when.zone, days=days, news=news
    )
    if any(chart.values):
        cards = [replace(cards[0], image=charts.as_image(chart)), *cards[1:]]
    for number, card in enumerate(cards):
        tx.tell(channel, subject if number == 0 else f"{subject}/{number + 1}", card, now)
    _fold(tx, [*must.values()], subject, now)
    tx.next_digest(channel, due.schedule, now, quiet.next_digest(when, now))


def _stories(count: int) -> str:
    return digest.some(count, "story", "stories")


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
