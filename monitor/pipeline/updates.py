"""Updates: when a story that waits is told, what is said under one that was, and when it is said aloud.

All of it in the transaction that finds it, by what the database holds: what is done again says
nothing twice, for a subject is told once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from alerts import Card, Line, Part, line
from monitor import telemetry
from monitor.compose import Rules, why_not_news
from monitor.model import ArticleId, Job, Kind, StoryId, Watch
from monitor.pipeline.group import Role
from monitor.ports import Coverage, StoryView, Transaction
from monitor.telling import corroboration, material
from monitor.telling.corroboration import Backing
from monitor.telling.digest import some
from monitor.telling.material import Update

MOST_AN_HOUR: Final = 6
"""Replies under a story in an hour: what goes beyond is listed in the last of them."""

LISTED: Final = 20
"""Updates that this last one lists; the rest are counted."""

TAKES_BACK: Final = frozenset(
    {
        material.Kind.CORRECTION,
        material.Kind.RETRACTION,
        material.Kind.GONE,
        material.Kind.HEADLINE,
    }
)
"""What is also said of a story that was told in a list, as it is not as it was told there.

It gets its own message then; whatever else is new there leaves it where it is.
"""

_HOUR: Final = timedelta(hours=1)

KEPT: Final = timedelta(days=14)
"""How long a story waits to be corroborated: as long as copies of it would be known as such."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """An article that came to a story, or changed in it."""

    article: ArticleId
    role: Role
    body: str  # whole: a desk says at its end that it was corrected
    former: tuple[str, str | None] | None = None  # title and body that were replaced
    is_news: bool = True
    gone: str | None = None  # its page is: what the server said


def want(
    tx: Transaction,
    story: StoryId,
    watches: Iterable[str],
    rules: Rules,
    now: datetime,
    *,
    shown_in: Collection[str] = (),
) -> None:
    """Have a story shown where these watches alert; of those whose demands it does not meet, hold it.

    A channel that shows it already does so for all its watches.
    """
    ready: dict[str, None] = {}
    demanding: list[Watch] = []
    waiting: dict[str, tuple[str, str]] = {}  # by watch: where, and for what
    for name in watches:
        watch = rules.watch_of(name)
        if watch is not None and (watch.min_publishers > 1 or watch.min_sides > 0):
            demanding.append(watch)
        else:
            ready[rules.channel_of(name) or rules.default_channel] = None
    if demanding:
        there = corroboration.backing(tx.story_view(story, most=0).articles)
        for watch in demanding:
            channel = watch.channel or rules.default_channel
            lacks = corroboration.lacks(there, watch)
            if lacks is None:
                ready[channel] = None
            else:
                waiting[watch.name] = channel, lacks
    for name, (channel, lacks) in waiting.items():
        if channel not in {*ready, *shown_in}:
            tx.hold(story, name, lacks, now)
    for channel in ready:
        if channel not in shown_in:
            tx.want_delivery(story, channel, now)
            tx.submit(Job(Kind.DELIVER, channel))


def follow_up(tx: Transaction, story: StoryId, growth: Growth, rules: Rules, now: datetime) -> None:
    """What an article that came to a story, or changed in it, makes of what people are told."""
    waits, shown = tx.holds(story), tx.shown_in(story)
    wanted = tx.wanted_in(story)
    if not waits and not wanted:
        return
    view = tx.story_view(story, most=material.LEAD)
    if waits:
        review(tx, view, rules, now, is_news=growth.is_news)
        wanted = tx.wanted_in(story)
    if not growth.is_news:
        return
    listed = tx.listed_in(story)
    for channel in (*shown, *listed):
        for update in _updates(view, growth, channel, rules):
            if channel in shown or update.kind in TAKES_BACK:
                _reply(tx, channel, story, update, now)
    _escalate(tx, view, wanted, rules, now)


def review(
    tx: Transaction, view: StoryView, rules: Rules, now: datetime, *, is_news: bool = False
) -> None:
    """Whether a story that waits is told now; what has nothing to wait for any more does not.

    It is if what came just now is news, or what was found first still is.
    """
    there = corroboration.backing(view.articles)
    found = {hit.watch for each in view.articles for hit in each.hits}
    is_news = is_news or any(each.hits and _is_fresh(each, rules, now) for each in view.articles)
    for name in tx.holds(view.story):
        watch = rules.watch_of(name)
        if watch is None or name not in found or rules.channel_of(name) in tx.wanted_in(view.story):
            tx.release(view.story, name)
            continue
        lacks = corroboration.lacks(there, watch)
        if lacks is not None:
            tx.hold(view.story, name, lacks, now)
            continue
        tx.release(view.story, name)
        if is_news:
            channel = watch.channel or rules.default_channel
            tx.want_delivery(view.story, channel, now)
            tx.submit(Job(Kind.DELIVER, channel))
            telemetry.CORROBORATED.inc()


def review_all(tx: Transaction, rules: Rules, now: datetime) -> None:
    """All stories that wait, by the rules as they are now."""
    tx.lock_stories()
    tx.forget_holds(now, KEPT)
    for story in tx.held_stories():
        review(tx, tx.story_view(story, most=0), rules, now)


def _is_fresh(article: Coverage, rules: Rules, now: datetime) -> bool:
    """Whether an article that was news when it came would still be, if it came now."""
    seen_at = now if article.published_at is not None else article.first_seen_at
    reason = why_not_news(
        article.published_at,
        first_seen_at=seen_at,
        backlog=article.backlog,
        max_age=rules.max_age,
    )
    return reason is None


# --------------------------------------------------------------------------- replies


def _updates(view: StoryView, growth: Growth, channel: str, rules: Rules) -> Sequence[Update]:
    """What a channel that shows the story is to be told of an article of it."""
    own = next((each for each in view.articles if each.article == growth.article), None)
    if own is None or not any(rules.channel_of(hit.watch) == channel for hit in own.hits):
        return ()  # nobody there was looking for this one
    own = replace(own, body=growth.body)
    if growth.gone is not None:
        return (material.gone(own, growth.gone),)
    if growth.former is not None:
        return material.changed(growth.former, own)
    if growth.role in {Role.COPY, Role.UPDATE, Role.REPORT}:
        others = [each for each in view.articles if each.article != growth.article]
        return material.joined(others, own)
    return ()


def _reply(tx: Transaction, channel: str, story: StoryId, update: Update, now: datetime) -> None:
    """Say it in the story's thread, once; in the last reply of the hour, if there were many."""
    subject = f"reply:{story}:{update.subject}"
    if tx.told(channel, subject) is not None:
        return
    prefix = f"reply:{story}:more:"
    lately = [
        each
        for each in tx.replies(story, channel, now - _HOUR)
        if each.startswith("reply:") and not each.startswith(f"reply:{story}:escalate:")
    ]
    if len(lately) < MOST_AN_HOUR - 1:
        if tx.tell(channel, subject, reply_card(update), now, story=story):
            telemetry.UPDATES.labels(update.kind).inc()
        return
    last = next((each for each in reversed(lately) if each.startswith(prefix)), None)
    told = tx.told(channel, last) if last is not None else None
    card = _listed(told.card if told is not None else None, update)
    if told is None or card != told.card:
        at = last or f"{prefix}{now.isoformat()}"
        tx.tell(channel, at, card, now, story=story, again=True)
        telemetry.UPDATES.labels(update.kind).inc()


def reply_card(update: Update) -> Card:
    """An update as it is shown: what it is, the sentence of before and that of now, whose it is."""
    lines = [line(Part(text=update.was), quote=True)] if update.was else []
    if update.now:
        is_headline = update.now == update.headline
        url = update.url if is_headline else None
        lines.append(line(Part(text=update.now, url=url, bold=bool(update.was)), quote=True))
    by = [Part(text=update.publisher)] if update.publisher else []
    if update.headline and update.now != update.headline:
        by += [Part(text=" · "), Part(text=update.headline, url=update.url)] if by else []
    return Card(title=_title(update), lines=tuple(lines), note=tuple(by))


def _title(update: Update) -> str:
    match update.kind:
        case material.Kind.SIDE:
            return f"Now from {corroboration.named(update.title)}, too"
        case material.Kind.CORRECTION:
            return "Corrected"
        case material.Kind.RETRACTION:
            return "Retracted"
        case material.Kind.GONE:
            return f"The page is gone ({update.title})"
        case material.Kind.DIFFERENCE:
            return f"Reports differ. {update.title}"
        case _:
            return update.title


def _listed(card: Card | None, update: Update) -> Card:
    """The last reply of an hour, with one more update in it; the same, if it has that one."""
    own = line(
        Part(text=f"{_title(update)} · "),
        Part(text=update.now or update.headline, url=update.url),
        Part(text=f" · {update.publisher}" if update.publisher else ""),
        bullet=True,
    )
    lines: tuple[Line, ...] = card.lines if card is not None else ()
    if own in lines:
        assert card is not None
        return card
    lines = (*lines, own)[-LISTED:]
    before = int(card.title.split()[0]) if card is not None else 0
    return Card(title=f"{before + 1} more update{'s' if before else ''}", lines=lines)


# --------------------------------------------------------------------------- escalation


def _escalate(
    tx: Transaction, view: StoryView, wanted: Collection[str], rules: Rules, now: datetime
) -> None:
    """Say aloud, once for each watch that asks for it, that a story has grown so far."""
    there: Backing | None = None
    for name in dict.fromkeys(hit.watch for each in view.articles for hit in each.hits):
        watch = rules.watch_of(name)
        if watch is None or watch.escalate is None:
            continue
        channel = watch.channel or rules.default_channel
        there = there or corroboration.backing(view.articles)
        if channel not in wanted or not corroboration.escalates(there, watch.escalate):
            continue
        card = escalation_card(view, watch, there)
        subject = f"reply:{view.story}:escalate:{name}"
        if tx.tell(channel, subject, card, now, story=view.story, broadcast=True):
            telemetry.ESCALATIONS.inc()


def escalation_card(view: StoryView, watch: Watch, there: Backing) -> Card:
    """Who reports the story by now, and its newest headline."""
    newest = max(
        (each for each in view.articles if each.hits and each.title),
        key=lambda each: (each.first_seen_at, each.article),
        default=view.articles[-1],
    )
    count = len(there.publishers)
    of = f", of {len(there.sides)} sides" if len(there.sides) > 1 else ""
    return Card(
        title=f"{watch.name}: {some(count, 'publisher')} report{'s' if count == 1 else ''} it now{of}",
        lines=(
            line(Part(text=newest.title, url=newest.url, bold=True)),
            line(Part(text=", ".join(there.publishers[:12]))),
        ),
        note=(Part(text=", ".join(map(corroboration.named, there.sides))),) if there.sides else (),
        notify=watch.notify,
    )
