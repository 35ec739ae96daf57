"""What people decide by hand.

About stories: two are one, or an article is none of it; both are kept as facts that grouping obeys
for ever after. About messages that could not be shown: to send them again, or to drop them; kept in
the audit.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from monitor.compose import Rules, hits_for
from monitor.config.values import did_you_mean
from monitor.errors import Refused
from monitor.model import ArticleId, DeliveryState, DueBy, FeedId, Job, Kind, StoryId
from monitor.pipeline.group import open_thread, time_of
from monitor.pipeline.merge import merge
from monitor.pipeline.updates import review
from monitor.ports import Asked, Coverage, Transaction, Waits
from monitor.stories import events


def merge_by_hand(
    tx: Transaction,
    one: StoryId,
    other: StoryId,
    *,
    by: str,
    now: datetime,
    rules: Rules | None = None,
) -> StoryId:
    """Make two stories one; returns which of them goes on.

    Everything that is later found to belong to the other belongs to this one. By the rules, if they
    are given, it is told where either waited to be confirmed and both together are. Raises `Refused`
    if either is not there, or both are one already.
    """
    tx.lock_stories()
    stories = []
    for story in (one, other):
        view = tx.story_view(story)
        if not view.articles:
            raise Refused(f"there is no story {story}: see `monitor stories list`")
        stories.append(view.story)
    if stories[0] == stories[1]:
        raise Refused(f"stories {one} and {other} are one already")
    story = merge(tx, *stories, now=now, by=by)
    if rules is not None and tx.holds(story):
        review(tx, tx.story_view(story, most=0), rules, now, is_news=True)
    return story


def split_by_hand(
    tx: Transaction, article: ArticleId, *, by: str, now: datetime, rules: Rules
) -> StoryId:
    """Give an article a story of its own, which is told where its hits lead; returns the story.

    What is a copy of it goes with it, and so does the message where nothing else of the old story
    was found. Raises `Refused` if nothing would be left of the old one.
    """
    tx.lock_stories()
    story = tx.story_of(article)
    if story is None:
        raise Refused("this article is in no story yet: it waits for its text")
    articles = tx.story_view(story).articles
    leaving = [each for each in articles if article in {each.article, each.copy_of}]
    if len(leaving) == len(articles):
        also = " but its copies" if len(articles) > 1 else ""
        raise Refused(f"nothing{also} is in story {story} beside this article")
    own = tx.new_story(now)
    for each in leaving:
        tx.put_in_story(
            each.article,
            own,
            copy_of=None if each.article == article else article,
            novelty=None if each.article == article else each.novelty,
        )
        tx.rule(each.article, story, belongs=False, by=by, now=now)
        tx.rule(each.article, own, belongs=True, by=by, now=now)
        if each.hits:
            open_thread(tx, own, _report(each, rules))
    staying = [each for each in articles if each not in leaving]
    places = {rules.channel_of(hit.watch) for each in leaving for hit in each.hits}
    for channel in sorted(place for place in places if place):
        if not any(hits_for(each, channel, rules) for each in staying):
            tx.move_delivery(story, channel, own)
        tx.want_delivery(own, channel, now)
        tx.submit(Job(Kind.DELIVER, channel))
    for channel in tx.refresh_deliveries(story, now):
        tx.submit(Job(Kind.DELIVER, channel))
    return own


def _report(article: Coverage, rules: Rules) -> events.Report:
    at = time_of(article.published_at, article.first_seen_at)
    return events.report(
        article.title,
        article.body,
        at=at,
        language=article.language,
        frequencies=rules.frequencies,
    )


# --------------------------------------------------------------------------- messages


def retry_by_hand(tx: Transaction, message: str, *, by: str, now: datetime) -> Waits:
    """Send a message again that was refused, dropped, or waits to be tried again; now.

    `message` is the end of its id. Raises `Refused` if it is shown, or about to be.
    """
    row = _only(tx, message)
    may = {DeliveryState.DEAD, DeliveryState.DROPPED, DeliveryState.RETRY}
    if row.is_shown or row.state not in may:
        raise Refused(f"message {message} {_STANDS[row.state]}: there is nothing to send again")
    tx.resend(row.id, now)
    _note(tx, "retry", row, by, now)
    tx.note_outcome([row.id], "resent", now, error=f"by {by}")
    tx.submit(Job(Kind.DELIVER, row.channel))
    return row


def drop_by_hand(tx: Transaction, message: str, *, by: str, now: datetime) -> Waits:
    """Give up a message that is not shown: it is counted nowhere, and a story is not told there.

    `message` is the end of its id. Raises `Refused` if it is shown, or may be.
    """
    row = _only(tx, message)
    may = {DeliveryState.DEAD, DeliveryState.RETRY, DeliveryState.PENDING, DeliveryState.HELD}
    if row.is_shown or row.state not in may:
        raise Refused(f"message {message} {_STANDS[row.state]}: there is nothing to drop")
    tx.drop(row.id, f"dropped by {by}")
    _note(tx, "drop", row, by, now)
    tx.note_outcome([row.id], "dropped", now, error=f"by {by}")
    return row


_STANDS = {
    DeliveryState.PENDING: "is about to be sent",
    DeliveryState.SENDING: "is being sent, or nobody knows yet whether it is shown",
    DeliveryState.SENT: "is shown",
    DeliveryState.RETRY: "is shown, and is to be edited",
    DeliveryState.DEAD: "is shown, and could not be edited",
    DeliveryState.DROPPED: "is dropped",
    DeliveryState.HELD: "is held until its time has come",
    DeliveryState.FOLDED: "is told in a list",
}


def _only(tx: Transaction, message: str) -> Waits:
    rows = tx.messages_named(message) if re.fullmatch("[0-9a-f]{4,32}", message) else ()
    if not rows:
        raise Refused(f"there is no message {message}: see `monitor deliveries list`")
    if len(rows) > 1:
        raise Refused(f"more than one message is called {message}: give more of its id")
    return rows[0]


def _note(tx: Transaction, action: str, row: Waits, by: str, now: datetime) -> None:
    mark = f"hand:{uuid.uuid4().hex}"
    tx.note_deed(
        mark, user="", name=by, action=action, subject=row.id, channel=row.channel, now=now
    )


# --------------------------------------------------------------------------- feeds

SOON_ENOUGH: Final = timedelta(seconds=30)
"""A feed that was polled so lately is not polled again by hand before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hastened:
    """What became of the wish to have feeds polled now."""

    due: tuple[str, ...]  # names of those that are
    left: Mapping[str, str]  # of those that are not, why


def poll_by_hand(
    tx: Transaction, *, now: datetime, name: str | None = None, feed: FeedId | None = None
) -> Hastened:
    """Have feeds polled now: one of that name or number, else all.

    What is polled already, or was a moment ago, is left alone; and so is what a server asked to be
    left alone until later. A host's feeds are polled one after the other, as always. Raises
    `Refused` if no declared feed is called that, or several are.
    """
    found = _asked_for(tx.feeds_to_ask(), name, feed)
    left: dict[str, str] = {}
    due: dict[FeedId, datetime] = {}
    for each in found:
        if why := _why_not(each, now):
            left[each.name] = why
        elif each.due_at is None or each.due_at > now:
            due[each.id] = now
    tx.ask_feeds(due)
    for bucket in sorted({each.bucket for each in found if each.id in due}):
        tx.submit(Job(Kind.POLL, str(bucket)))
    names = tuple(each.name for each in found if each.name not in left)
    return Hastened(due=names, left=left)


def _asked_for(feeds: Sequence[Asked], name: str | None, feed: FeedId | None) -> Sequence[Asked]:
    if name is None and feed is None:
        return feeds
    if feed is not None:
        found = [each for each in feeds if each.id == feed]
    else:
        wanted = (name or "").strip().casefold()
        found = [each for each in feeds if wanted in {each.name.casefold(), each.url.casefold()}]
    if not found:
        hint = did_you_mean(name, [each.name for each in feeds]) if name else ""
        called = f'"{name}"' if hint else name or feed
        raise Refused(f"there is no feed {called}{hint or ': see `monitor feeds list`'}")
    if len(found) > 1:
        raise Refused(f"more than one feed is called {name}: give its URL")
    return found


def _why_not(feed: Asked, now: datetime) -> str:
    if feed.lease_until is not None and feed.lease_until > now:
        return "it is being polled"
    if feed.polled_at is not None and now - feed.polled_at < SOON_ENOUGH:
        return "it was polled a moment ago"
    if feed.due_by is DueBy.RETRY_AFTER and feed.due_at is not None and feed.due_at > now:
        return f"its server asked to be left alone until {feed.due_at:%H:%M} UTC"
    return ""
