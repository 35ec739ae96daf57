"""What those who run the service are told: cards about feeds, edits, dead letters and Slack. Pure.

Names and errors of feeds are anybody's words, like all parts of a card.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from alerts import Card, Line, Part, line
from monitor.errors import Mistake
from monitor.model import Health
from monitor.ports import Day, IllFeed
from monitor.telemetry import redact
from monitor.telling.digest import feeds_line, some

CROWD: Final = 5
"""Feeds that fall ill together are told together from so many on."""
MINUTES: Final = timedelta(minutes=15)
"""How close together: within this the polls are counted, and the messages."""
OPEN: Final = timedelta(hours=6)
"""For so long what falls ill belongs to the others that did."""

SHOWN: Final = 20
"""Feeds, changes or dead letters that a card lists."""

_SAYS: Final = {
    Health.SILENT: "is silent",
    Health.STALE: "is stale",
    Health.FAILING: "is failing",
    Health.CHALLENGED: "is behind a bot check",
    Health.GONE: "is gone",
}
_MEANS: Final = {
    Health.SILENT: "It answers, and lists nothing new: by its own rhythm that is improbable.",
    Health.STALE: "It answers, and even its newest entry is old.",
    Health.FAILING: "Several polls in a row failed.",
    Health.CHALLENGED: "A bot check stands where the feed should be.",
    Health.GONE: "The server says 410: it is not polled any more.",
}


# --------------------------------------------------------------------------- feeds


def is_crowd(*, polled: int, failed: int, told: int) -> bool:
    """Whether so many feeds are in trouble just now that it is hardly theirs.

    Of those `polled` lately at least half `failed`: it looks like our own network. Or so many were
    `told` of, one by one.
    """
    return (failed >= CROWD and 2 * failed >= polled) or told >= CROWD


def ill(feed: IllFeed) -> Card:
    """One feed is in trouble."""
    lines = [_since(feed.since), line(_MEANS[feed.health])]
    if feed.error:
        lines.append(line(redact(feed.error), quote=True))
    return Card(title=f"{feed.name} {_SAYS[feed.health]}", lines=tuple(lines), note=_at(feed.url))


def well(feed: IllFeed, now: datetime) -> Card:
    """It was in trouble, as `feed` has it, and is so no more."""
    was = _SAYS[feed.health].replace("is", "it was", 1)
    return Card(
        title=f"{feed.name} is well again",
        lines=(line("since ", _time(now), f"; {was} since ", _time(feed.since)),),
        note=_at(feed.url),
    )


def speaks_of(card: Card, since: datetime) -> bool:
    """Whether a card is about the state that a feed is in since then."""
    return any(part.at == since for each in card.lines for part in each.parts)


def ill_together(count: int, feeds: Sequence[IllFeed], *, polled: int, failed: int) -> Card:
    """Many feeds are in trouble; `feeds` are the first of them."""
    lines = [line(f"Of {some(polled, 'feed')} polled in the last minutes {failed} failed.")]
    if 2 * failed >= polled:
        lines.append(line("So many at once: our own network, or a proxy, may be down."))
    lines += [
        line(
            Part(text=each.name, url=_link(each.url)), f" {_SAYS[each.health]} since ", _time(each.since),
            bullet=True,
        )
        for each in feeds[:SHOWN]
    ]  # fmt: skip
    if count > len(feeds[:SHOWN]):
        lines.append(line(f"and {count - len(feeds[:SHOWN])} more"))
    return Card(title=f"{some(count, 'feed')} in trouble", lines=tuple(lines))


def well_together(now: datetime) -> Card:
    """The last of many is well again."""
    return Card(title="All feeds are well again", lines=(_since(now),))


def is_open(card: Card) -> bool:
    """Whether a card about many feeds still lists any."""
    return any(each.bullet for each in card.lines)


# --------------------------------------------------------------------------- edits, letters, Slack


def rejected(mistakes: Iterable[Mistake]) -> Card:
    """An edit of the configuration can't be used: every mistake, with the line and a caret."""
    lines: list[Line] = []
    for mistake in mistakes:
        said, *picture = redact(str(mistake)).split("\n")
        lines.append(line(said))
        lines += [line(row, code=True) for row in picture]
    return Card(
        title="The configuration was rejected",
        lines=tuple(lines),
        note=(Part(text="The one before this edit stays in use."),),
    )


def applied(changes: Sequence[str], warnings: Sequence[str] = ()) -> Card:
    """An edit of the configuration is in use: what it changed."""
    rows = [*map(redact, changes[:SHOWN])] or ["the mistake is gone"]
    if len(changes) > SHOWN:
        rows.append(f"and {len(changes) - SHOWN} more")
    lines = [line(row, bullet=True) for row in rows]
    return Card(
        title="The configuration was applied",
        lines=(*lines, *(line("Warning: ", redact(each)) for each in warnings[:SHOWN])),
    )


def too_broad(remarks: Sequence[str]) -> Card:
    """Watches that bring more than anybody reads."""
    return Card(title="Too much to read", lines=tuple(line(each, bullet=True) for each in remarks))


def dead_letter(before: Card | None, count: int, channel: str, headline: str, error: str) -> Card:
    """A message was refused for good; `before` is what was said of the others of this day."""
    one = line(Part(text=headline, bold=True), f": {redact(error)}", bullet=True)
    others = tuple(each for each in before.lines if each.bullet)[: SHOWN - 1] if before else ()
    lines = (one, *others)
    if count > len(lines):
        lines = (*lines, line(f"and {count - len(lines)} more"))
    return Card(
        title=f"{some(count, 'message')} could not be shown in {channel}",
        lines=lines,
        note=(Part(text="Refused for good. Their stories are on the page."),),
    )


def closed(channel: str, error: str, now: datetime) -> Card:
    """A channel takes nothing."""
    return Card(
        title=f"{channel} can't be posted to",
        lines=(
            _since(now),
            line(redact(error), quote=True),
            line("Its messages wait, in their order, and come once it is mended."),
        ),
    )


def slack_lacks(
    missing: Sequence[str], unknown: Sequence[str], unreadable: Sequence[str]
) -> Card | None:
    """What keeps Slack from being used as it should be; None if nothing does."""
    rows = []
    if missing:
        rows.append(f"The token lacks {', '.join(missing)}: install the app again.")
    if unknown:
        rows.append(f"No such channel, or the bot is not in it: {', '.join(unknown)}.")
    if unreadable:
        rows.append(
            f"Invite the bot to {', '.join(unreadable)}: else a post that broke off can't be looked"
            " up, and may be shown twice."
        )
    if not rows:
        return None
    return Card(
        title="Slack lacks something", lines=tuple(line(each, bullet=True) for each in rows)
    )


def storage_failed(error: str, began: datetime, now: datetime) -> Card:
    """For a while nothing could be stored: told when it can again."""
    return Card(
        title="The database could not be written",
        lines=(
            line("from ", _time(began), " to ", _time(now)),
            line(redact(error), quote=True),
            line("What was stored is whole; what came meanwhile is asked for again."),
        ),
    )


def heartbeat(day: Day, now: datetime) -> Card:
    """That all is well, or what is not: the last day in a line."""
    facts = [
        feeds_line(day.feeds),
        some(day.articles, "article"),
        some(day.alerts, "alert"),
    ]
    if day.dead:
        facts.append(f"{some(day.dead, 'message')} refused")
    waits = day.oldest_waiting_at
    last = (" · nothing waits",) if waits is None else (" · oldest unsent ", _time(waits))
    words = line(" · ".join(facts), *last)
    return Card(title="monitor is running", lines=(words,), note=(_time(now),))


def _since(at: datetime) -> Line:
    return line("since ", _time(at))


def _time(at: datetime) -> Part:
    return Part(text="", at=at)


def _at(url: str) -> tuple[Part, ...]:
    return (Part(text=redact(url)),)


def _link(url: str) -> str | None:
    """Where a feed is read, unless that holds a password or a key."""
    return url if redact(url) == url else None
