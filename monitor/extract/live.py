"""Live blogs and rolling pages: one page, many updates, each with its own words and time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from typing import TypeAlias
from urllib.parse import urlsplit

import lxml.html

from monitor.extract.lines import clean, one_line, paragraphs_of
from monitor.extract.linked_data import Node, body_of, text_of
from monitor.extract.metadata import moment_of
from monitor.model import Update

MAX_UPDATES = 500
FEWEST = 3
"""Updates of a page that is one of many, where only its markup says so."""

SHORTEST = 30
"""Characters of an update."""

Tree: TypeAlias = lxml.html.HtmlElement

# Words of a URL's path or of a page's classes that name the form, in the languages of newsrooms.
_LIVE = re.compile(
    r"(?<![a-z])(?:live-?blog|live-?ticker|newsblog|newsticker|live-?updates?|live-?coverage"
    r"|live-?text|as-it-happened|minute-by-minute|en-direct|le-direct|en-vivo|en-directo"
    r"|minuto-a-minuto|ao-vivo|in-diretta|la-diretta|relacja|na-zywo|canli|liveblogg|livebericht"
    r"|tekstovaya-translyaciya|onlayn|live-hindi|live-news)(?![a-z])"
    r"|(?<=/)live(?=/)|-live(?=/|$|\.|-)",
)
_MARK = re.compile(r"live[-_]?(?:blog|ticker|updates?|posts?)", re.IGNORECASE)
_PARTS = ("article", "section", "li", "div")
_NAMES = ("id", "data-id", "data-post-id", "data-update-id", "data-block-id", "data-entry-id")
_WORDLESS = ("script", "style", "noscript", "template", "button", "svg", "form", "time", "figure")


def updates_of(tree: Tree, nodes: list[Node], *, url: str) -> tuple[Update, ...]:
    """The updates of a live page, in its order; none for any other page. The tree is left as it is.

    JSON-LD's `liveBlogUpdate` is the publisher's own list. Without it a page is live only if
    something says so (its type, its markup, its URL), and has several dated parts of one kind
    side by side: teasers have that, too.
    """
    live = [node for node in nodes if "LiveBlogPosting" in str(node.get("@type"))]
    found = [update for node in live for update in _stated(node)]
    if len(found) < 2:
        said = bool(live) or _LIVE.search(urlsplit(url).path.lower()) is not None
        found = _shown(tree, said=said)
    unique = {update.id: update for update in found}
    return tuple(unique.values())[:MAX_UPDATES]


def _stated(node: Node) -> Iterator[Update]:
    given = node.get("liveBlogUpdate")
    for each in given if isinstance(given, list) else [given]:
        if isinstance(each, dict):
            at = moment_of(text_of([each], "datePublished"))
            name = next((text for key in ("@id", "url") if (text := text_of([each], key))), "")
            text = _joined(text_of([each], "headline"), paragraphs_of(body_of([each])))
            if len(text) >= SHORTEST:
                yield _update(name, at, text)


def _shown(tree: Tree, *, said: bool) -> list[Update]:
    """The parts of the largest group of dated parts: same parent, same element, same class.

    `said`: the page is known to be live; else the classes around the group have to say it.
    """
    groups: dict[tuple[Tree, object, str], dict[Tree, Tree]] = {}
    for time in tree.iter("time"):
        for part in time.iterancestors(*_PARTS):
            parent = part.getparent()
            if parent is not None:
                kind = (part.get("class") or "").partition(" ")[0]
                groups.setdefault((parent, part.tag, kind), {}).setdefault(part, time)
    best: list[Update] = []
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


def _length(updates: list[Update]) -> int:
    return sum(len(update.text) for update in updates)


def _from_part(part: Tree, time: Tree) -> Update | None:
    lines = [line for line in _lines(part) if line]
    text = "\n\n".join(lines)
    # a teaser is a headline and a link; an update has a paragraph
    if len(text) < SHORTEST or not any(len(line) >= 60 for line in lines):
        return None
    name = next((value for key in _NAMES if (value := part.get(key))), "")
    return _update(name, moment_of(time.get("datetime") or ""), text)


def _lines(part: Tree) -> Iterator[str]:
    shown = [
        each
        for each in part.iter("p", "h2", "h3", "h4", "h5", "li", "blockquote")
        if not any(outer in _WORDLESS for outer in (up.tag for up in each.iterancestors()))
    ]
    seen: set[Tree] = set()
    for each in shown:
        if not seen.intersection(each.iterancestors()):
            seen.add(each)
            yield one_line(clean(each.text_content()))


def _joined(headline: str, lines: list[str]) -> str:
    if headline and not (lines and lines[0].startswith(headline)):
        lines = [clean(headline), *lines]
    return "\n\n".join(lines)


def _update(name: str, at: datetime | None, text: str) -> Update:
    """An update under an id that later edits don't change: the page's own, else its moment."""
    mark = name or (at.isoformat() if at else text)
    return Update(id=hashlib.blake2b(mark.encode(), digest_size=16).hexdigest(), text=text, at=at)
