"""Several stories in one message: what a digest, a flood, a backlog and a backfill say.

Cards are made of values; which stories they are of is decided elsewhere. No card lists more than
`PAGE` stories: who has more makes more cards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from alerts import Card, Line, Part, line
from monitor.model import Health, StoryId
from monitor.ports import Brief, Finding
from monitor.telling.flood import PAGE

T = TypeVar("T")

HEADLINE: Final = 140
"""Characters of a headline in a list."""

NAME: Final = 60

TOP: Final = 5
"""Stories of one watch that a digest lists beside those that are told nowhere else."""


def pages(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """Rows by what fits one message; a single empty page if there are none."""
    for start in range(0, max(1, len(rows)), PAGE):
        yield rows[start : start + PAGE]


def listed(brief: Brief, *, with_watches: bool = True) -> Line:
    """A story as a line of a list."""
    parts = [Part(text=_cut(brief.headline or brief.url or "(untitled)", HEADLINE), url=brief.url)]
    facts = [_cut(brief.publisher, NAME)] if brief.publisher else []
    if brief.others:
        facts.append(f"+{some(brief.others, 'outlet')}")
    if with_watches and brief.watches:
        facts.append(_cut(", ".join(brief.watches), NAME))
    for number, fact in enumerate(facts):  # each by itself: scripts run in either direction
        parts += [Part(text=" · " if number else " — "), Part(text=fact)]
    parts += [Part(text=" · "), Part(text="", at=brief.first_seen_at)]
    return Line(parts=tuple(parts), bullet=True)


def together(title: str, briefs: Iterable[Brief], note: str) -> Card:
    """A card that tells of several stories, and below why it does."""
    return Card(
        title=title,
        lines=tuple(listed(brief) for brief in briefs),
        note=(Part(text=note),),
    )


def feeds_line(feeds: Mapping[Health, int]) -> str:
    """How many feeds are live, "41 of 44 feeds live", and what is wrong with the others."""
    live = feeds.get(Health.LIVE, 0) + feeds.get(Health.RECOVERED, 0)
    trouble = [
        f"{number} {health}" for health, number in feeds.items() if number and health.is_trouble
    ]
    detail = f" ({', '.join(sorted(trouble))})" if trouble else ""
    return f"{live} of {some(sum(feeds.values()), 'feed')} live{detail}"


def worth_a_line(findings: Sequence[Finding], must: Iterable[StoryId]) -> frozenset[StoryId]:
    """The stories that a digest lists: of each watch those with most articles, and all of `must`."""
    found: dict[str, list[StoryId]] = {}
    for each in findings:
        found.setdefault(each.watch, []).append(each.story)
    return frozenset(must).union(*(stories[:TOP] for stories in found.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What a digest is of."""

    name: str  # "Daily digest"
    since: datetime
    until: datetime


def digest(
    period: Period,
    watches: Sequence[str],
    findings: Sequence[Finding],
    briefs: Mapping[StoryId, Brief],
    feeds: Mapping[Health, int],
    *,
    must: Iterable[StoryId] = (),
) -> Sequence[Card]:
    """The cards of a digest: stories by watch, counts, how the feeds are.

    `briefs` are those of the stories `worth_a_line`; `must`: those that are told nowhere else. A
    story that several watches found is listed once, under the first of them.
    """
    of_watch = {name: [each for each in findings if each.watch == name] for name in watches}
    left = set(must)
    seen: set[StoryId] = set()
    rows: list[Line] = []
    for name, found in of_watch.items():
        counts = "nothing new"
        if found:
            counts = some(len(found), "story", "stories")
            counts += f", {some(sum(each.articles for each in found), 'article')}"
        rows.append(line(Part(text=_cut(name, NAME), bold=True), f": {counts}"))
        shown = [
            each.story
            for place, each in enumerate(found)
            if each.story in briefs and (place < TOP or each.story in left)
        ]
        fresh = [story for story in shown if story not in seen]
        seen.update(fresh)
        rows += [listed(briefs[story], with_watches=False) for story in fresh]
        more = len(found) - len(shown)
        if more > 0:
            rows.append(line(f"and {more} more"))
    rest = [story for story in left if story in briefs and story not in seen]
    rows += [listed(briefs[story]) for story in sorted(rest)]  # found before, and not told yet
    stories = {each.story for each in findings} | set(rest)
    cards = []
    chunks = list(pages(rows))
    for number, chunk in enumerate(chunks, start=1):
        title = f"{period.name}: {some(len(stories), 'story', 'stories')}"
        note: list[Part] = []
        if len(chunks) > 1:
            title += f" ({number} of {len(chunks)})"
        if number == len(chunks):
            note = [Part(text=f"{feeds_line(feeds)} · since "), Part(text="", at=period.since)]
        cards.append(Card(title=title, lines=tuple(chunk), note=tuple(note)))
    return cards


def some(count: int, one: str, many: str | None = None) -> str:
    """So many of something: "1 story", "1,204 stories"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
