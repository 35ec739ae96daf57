"""What a press of a button changes, and what is said again because nobody pressed one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from monitor.compose import Rules, hits_for, lead_of
from monitor.model import Deed, DeliveryId, Hand, Job, Kind
from monitor.ports import StoryView, Transaction
from monitor.telling import hands
from monitor.telling.hands import SNOOZES, Action

REMIND_WITHIN = timedelta(hours=1)
"""How late it may be to say a story again: after a longer stop it is no help any more."""


def act(
    tx: Transaction,
    action: Action,
    delivery: DeliveryId,
    *,
    mark: str,
    user: str,
    name: str,
    channel: str,
    rules: Rules,
    now: datetime,
) -> bool:
    """Do what somebody asked for; False if it was done before, by its mark, or is about nothing.

    `user` and `channel` are Slack's ids, for the audit; `name` is what people call that user.
    """
    is_new = tx.note_deed(
        mark, user=user, name=name, action=action, subject=delivery, channel=channel, now=now
    )
    place = tx.delivery_of(delivery)
    if not is_new or place is None:
        return False
    story, where = place
    done = tx.hands_of(delivery)
    found = _found(tx.story_view(story), where, rules)
    # what is muted still shows what is done about it
    muted = done.get(Deed.MUTED)
    tx.clear_hand(delivery, Deed.MUTED)
    tx.want_delivery(story, where, now)
    if muted is not None and action is not Action.UNMUTE:
        tx.set_hand(delivery, Deed.MUTED, muted.by, muted.at)
    match action:
        case Action.SEE:
            tx.set_hand(delivery, Deed.SEEN, name, now)
            if Deed.IRRELEVANT not in done:
                tx.judge(delivery, found, relevant=True, now=now)
        case Action.MUTE:
            tx.set_hand(delivery, Deed.MUTED, name, now)
        case Action.UNMUTE:
            pass
        case Action.SNOOZE_1H | Action.SNOOZE_24H:
            until = now + SNOOZES[action]
            for watch in found:
                tx.snooze(watch, where, until, name)
            tx.clear_hand(delivery, Deed.SNOOZED)
            tx.set_hand(delivery, Deed.SNOOZED, name, until)
        case Action.WAKE:
            for watch in found:
                tx.end_snooze(watch, where, now)
            tx.clear_hand(delivery, Deed.SNOOZED)
        case Action.REJECT:
            tx.set_hand(delivery, Deed.IRRELEVANT, name, now)
            tx.judge(delivery, found, relevant=False, now=now)
        case Action.ACCEPT:
            tx.clear_hand(delivery, Deed.IRRELEVANT)
            tx.judge(delivery, found, relevant=_seen(done), now=now)
    tx.submit(Job(Kind.DELIVER, where))
    return True


def remind(
    tx: Transaction,
    rules: Rules,
    after: timedelta,
    now: datetime,
    *,
    has_buttons: Callable[[str], bool],
) -> int:
    """Say critical stories again, each once, that nobody has acknowledged; returns how many.

    `has_buttons`: whether a channel can acknowledge anything.
    """
    count = 0
    due = tx.unacknowledged(hands.critical(rules.watches), now - after - REMIND_WITHIN, now - after)
    for story, channel in due:
        subject = f"reply:{story}:unacknowledged"
        if not has_buttons(channel) or tx.told(channel, subject) is not None:
            continue
        count += _remind(tx, subject, tx.story_view(story), channel, rules, after, now)
    return count


def _remind(
    tx: Transaction,
    subject: str,
    view: StoryView,
    channel: str,
    rules: Rules,
    after: timedelta,
    now: datetime,
) -> bool:
    found, lead = _found(view, channel, rules), lead_of(view, channel, rules)
    names = hands.critical(rules.watches) & found.keys()
    if not names or lead is None:  # critical elsewhere
        return False
    notify = (name for watch in rules.watches if watch.name in names for name in watch.notify)
    card = hands.reminder(lead[0].title, lead[0].url, after, dict.fromkeys(notify))
    return tx.tell(channel, subject, card, now, story=view.story)


def _found(view: StoryView, channel: str, rules: Rules) -> Mapping[str, tuple[str, ...]]:
    """The watches that brought a story to a channel, and by which of their terms."""
    terms: dict[str, dict[str, None]] = {}
    for article in view.articles:
        for hit in hits_for(article, channel, rules):
            terms.setdefault(hit.watch, {}).update(dict.fromkeys(span.term for span in hit.spans))
    return {watch: tuple(found) for watch, found in terms.items()}


def _seen(done: Mapping[Deed, Hand]) -> bool | None:
    return True if Deed.SEEN in done else None
