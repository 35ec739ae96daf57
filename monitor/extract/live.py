"""Live blogs and rolling pages: one page, many updates, each with its own words and time."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TypeAlias
from urllib.parse import urlsplit

import lxml.html
from lxml import etree

from monitor.extract.lines import clean, paragraphs_of
from monitor.extract.linked_data import Node, body_of, text_of
from monitor.extract.metadata import moment_of
from monitor.model import Update

MAX_UPDATES = 500
"""Updates that are read of a page, the newest."""

FEWEST = 3
"""Updates of a page that is one of many, where only its markup says so."""

LATEST = datetime.max.replace(tzinfo=UTC)

BEGINNING = 60
"""Characters by which updates of one moment are told apart."""

DEPTH = 8
"""Elements around a time that may be its update."""

SHORTEST = 30
"""Characters of an update."""

Tree: TypeAlias = lxml.html.HtmlElement

# Words of a URL's path or of a page's classes that name the form, in the languages of newsrooms.
_LIVE = re.compile(
    r"(?<![a-z])(?:live-?blog|live-?ticker|newsblog|newsticker|live-?updates?|live-?coverage"
    r"|live-?text|as-it-happened|minute-by-minute|en-direct|le-direct|en-vivo|en-directo"
    r"|minuto-a-minuto|ao-vivo|in-diretta|la-diretta|na-zywo|canli-anlatim|liveblogg|livebericht)(?![a-z])"
    r"|(?<=/)live(?=/)|-live(?=/|$|\.|-)",
)
_MARK = re.compile(r"live[-_]?(?:blog|ticker|updates?|posts?)", re.IGNORECASE)
_PARTS = ("article", "section", "li", "div")
_NAMES = ("id", "data-id", "data-post-id", "data-update-id", "data-block-id", "data-entry-id")
_LINES = ("p", "div", "h2", "h3", "h4", "h5", "ul", "ol", "li", "blockquote", "br", "section")
_WORDLESS = ("script", "style", "noscript", "template", "button", "svg", "form", "time", "figure")


@dataclass(frozen=True, slots=True)
class _Part:
    """An update before it has its id."""

    name: str  # what the page calls it; may be empty, or the same for all
    at: datetime | None
    text: str


def updates_of(tree: Tree, nodes: list[Node], *, url: str) -> tuple[Update, ...]:
    """The updates of a live page, in its order; none for any other page. The tree is left as it is.

    JSON-LD's `liveBlogUpdate` is the publisher's own list. Without it a page is live only if
    something says so (its type, its markup, its URL), and has several dated parts of one kind
    side by side: teasers have that, too.
    """
    live = [node for node in nodes if "LiveBlogPosting" in str(node.get("@type"))]
    found = [part for node in live for part in _stated(node)]
    if len(found) < 2:
        said = bool(live) or _LIVE.search(urlsplit(url).path.lower()) is not None
        found = _shown(tree, said=said)
    return _with_ids(_newest(found))


def _newest(parts: list[_Part]) -> list[_Part]:
    """As many as are read, in the page's order: many a list of a long day begins with its morning."""
    if len(parts) <= MAX_UPDATES:
        return parts
    latest = max((part.at for part in parts if part.at is not None), default=LATEST)
    places = sorted(
        range(len(parts)),
        # without a time it is as new as any; where none has one, the newest stands on top
        key=lambda place: parts[place].at or latest,
        reverse=True,
    )
    return [parts[place] for place in sorted(places[:MAX_UPDATES])]


def _with_ids(parts: list[_Part]) -> tuple[Update, ...]:
    """Updates under ids that later edits don't change.

    An id is what the page calls the update, if it calls no other so; else its moment with that,
    and for several of one moment how they begin as well.
    """
    names = Counter(part.name for part in parts)
    moments = Counter((part.name, part.at) for part in parts)
    made: dict[str, Update] = {}
    for part in parts:
        mark = [part.name]
        if not part.name or names[part.name] > 1:
            mark.append(str(part.at))
            if part.at is None or moments[part.name, part.at] > 1:
                mark.append(part.text[:BEGINNING])
        key = hashlib.blake2b("\n".join(mark).encode(), digest_size=16).hexdigest()
        made.setdefault(key, Update(id=key, text=part.text, at=part.at))
    return tuple(made.values())


def _stated(node: Node) -> Iterator[_Part]:
    given = node.get("liveBlogUpdate")
    for each in given if isinstance(given, list) else [given]:
        if isinstance(each, dict):
            at = moment_of(text_of([each], "datePublished"))
            name = next((text for key in ("@id", "url") if (text := text_of([each], key))), "")
            text = _joined(text_of([each], "headline"), paragraphs_of(body_of([each])))
            if len(text) >= SHORTEST:
                yield _Part(name, at, text)


def _shown(tree: Tree, *, said: bool) -> list[_Part]:
    """The parts of the largest group of dated parts: same parent, same element, same class.

    `said`: the page is known to be live; else the classes around the group have to say it.
    """
    groups: dict[tuple[Tree, object, str], dict[Tree, Tree]] = {}
    for time in tree.iter("time"):
        for part in islice(time.iterancestors(*_PARTS), DEPTH):
            parent = part.getparent()
            if parent is not None:
                kind = (part.get("class") or "").partition(" ")[0]
                groups.setdefault((parent, part.tag, kind), {}).setdefault(part, time)
    best: list[_Part] = []
    for (parent, _, kind), parts in groups.items():
        if len(parts) < FEWEST or not (said or _is_marked(parent, kind)):
            continue
        found = [made for part, time in parts.items() if (made := _from_part(part, time))]
        if len(found) >= FEWEST and _length(found) > _length(best):
            best = found
    return best


def _is_marked(parent: Tree, kind: str) -> bool:
    around = [kind]
    for each in (parent, *parent.iterancestors()):
        around += [each.get(name) or "" for name in ("class", "id", "itemtype")]
    return _MARK.search(" ".join(around)) is not None


def _length(parts: list[_Part]) -> int:
    return sum(len(part.text) for part in parts)


def _from_part(part: Tree, time: Tree) -> _Part | None:
    lines = _lines(part)
    text = "\n\n".join(lines)
    # a teaser is a headline and a link; an update has a paragraph
    if len(text) < SHORTEST or not any(len(line) >= 60 for line in lines):
        return None
    name = next((value for key in _NAMES if (value := part.get(key))), "")
    return _Part(name, moment_of(time.get("datetime") or ""), text)


def _lines(part: Tree) -> list[str]:
    """The paragraphs of an update, without its time, pictures and buttons."""
    copied = deepcopy(part)
    copied.tail = None
    etree.strip_elements(copied, *_WORDLESS, with_tail=False)
    for each in copied.iter(*_LINES):
        each.text = f"\n{each.text or ''}"
        each.tail = f"\n{each.tail or ''}"
    return paragraphs_of(copied.text_content())


def _joined(headline: str, lines: list[str]) -> str:
    if headline and not (lines and lines[0].startswith(headline)):
        lines = [clean(headline), *lines]
    return "\n\n".join(lines)
