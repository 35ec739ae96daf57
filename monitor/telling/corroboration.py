"""How well a story is reported: by whom in words of their own, and of how many sides.

Copies of one text count once, as the agency's whose report it is, else as that of whoever had it
first. A *side* is what the operator calls the party that a feed belongs to; feeds without one are of
none. Feeds of tier 3 are shown, and confirm nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.model import CONFIRMS_NOTHING, ArticleId, Escalation, Watch
from monitor.ports import Coverage
from monitor.stories.credits import UNNAMED


def named(side: str) -> str:
    """A side as people write it: India, Sri Lanka, EU. The configuration has small letters alone."""
    return side.upper() if len(side) <= 3 else side.title()


@dataclass(frozen=True, slots=True)
class Voice:
    """Somebody who reports a story in words of their own."""

    name: str
    side: str | None = None
    counts: bool = True  # whether anybody who has the text is of a better tier than 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Backing:
    """Who stands behind a story."""

    publishers: tuple[str, ...]
    sides: tuple[str, ...]


def voices(articles: Sequence[Coverage]) -> tuple[Voice, ...]:
    """Who reports a story themselves, each once: what "in 12 outlets" is worth.

    The articles of a family speak with one voice: that of the agency that any of them credits
    (a named one rather than "agencies"), else that of whoever had the text first. Its side is the
    agency's own, if a feed of that name has the text, else that of whoever had it first.
    """
    found: dict[str, Voice] = {}
    for root, family in _families(articles).items():
        voice = _voice(root, family)
        if voice is None:
            continue
        known = found.get(voice.name, voice)
        found[voice.name] = Voice(
            voice.name, known.side or voice.side, known.counts or voice.counts
        )
    return tuple(found.values())


def carriers(articles: Sequence[Coverage]) -> tuple[str, ...]:
    """Who has a story, first seen first: publishers by name, those that print an agency as it."""
    agencies = {root: _agency(family) for root, family in _families(articles).items()}
    found: list[str] = []
    for each in articles:
        agency = agencies[each.copy_of or each.article]
        named = agency if agency != UNNAMED else None
        found += [named] if named and each.publishers else each.publishers
    return _distinct(found)


def _families(articles: Sequence[Coverage]) -> Mapping[ArticleId, Sequence[Coverage]]:
    """Copies with what they are copies of, by the article that had the text first."""
    families: dict[ArticleId, list[Coverage]] = {}
    for each in articles:
        families.setdefault(each.copy_of or each.article, []).append(each)
    return families


def _agency(family: Sequence[Coverage]) -> str | None:
    """Whose report a family prints, if an agency's: a named one rather than "agencies"."""
    credited = [each.agency for each in family if each.agency]
    return next((name for name in credited if name != UNNAMED), credited[0] if credited else None)


def _voice(root: ArticleId, family: Sequence[Coverage]) -> Voice | None:
    carried = [each for each in family if each.publishers]
    if not carried:
        return None
    first = next((each for each in carried if each.article == root), carried[0])
    agency = _agency(family)
    own = next((each for each in carried if agency in each.publishers), first)
    return Voice(
        agency or first.publishers[0],
        own.sides[0] if own.sides else None,
        any(each.tier != CONFIRMS_NOTHING for each in carried),
    )


def backing(articles: Sequence[Coverage]) -> Backing:
    """Who of those that report a story counts, and of which sides they are."""
    counted = [voice for voice in voices(articles) if voice.counts]
    return Backing(
        publishers=tuple(voice.name for voice in counted),
        sides=_distinct(voice.side for voice in counted if voice.side),
    )


def lacks(there: Backing, watch: Watch) -> str | None:
    """What a story still lacks for a watch, as in "held: 1 of 2 publishers"; None: nothing."""
    parts = []
    if len(there.publishers) < watch.min_publishers:
        parts.append(f"{len(there.publishers)} of {watch.min_publishers} publishers")
    if len(there.sides) < watch.min_sides:
        parts.append(f"{len(there.sides)} of {watch.min_sides} sides")
    return ", ".join(parts) or None


def escalates(there: Backing, when: Escalation | None) -> bool:
    """Whether a story has grown as far as a watch says."""
    return (
        when is not None
        and len(there.publishers) >= when.publishers
        and len(there.sides) >= when.sides
    )


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
