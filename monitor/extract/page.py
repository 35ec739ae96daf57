"""The article of a page: its words, and what it says about itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from monitor.errors import Code, ParseError
from monitor.extract import linked_data
from monitor.extract.body import body_of
from monitor.extract.language import language_of
from monitor.extract.lines import clean, key, one_line, paragraphs_of
from monitor.extract.live import updates_of
from monitor.extract.metadata import (
    authors_of,
    canonical_of,
    languages_of,
    metas,
    published_of,
    sites_of,
    titles_of,
)
from monitor.extract.scripts import drawn_by_script
from monitor.extract.source import parse_page
from monitor.extract.walls import LONG, STUB, is_stub, signs_of, wall_of, without_offer
from monitor.model import Extraction, Update

MAX_BODY = 200_000
SHORTEST = 40
"""Letters and digits that make a text. Less is a caption, or a wall that says to log in."""

MOSTLY = 0.4
"""The share of a live page's words that its updates have at least."""

BEGINNING = 30
"""Letters by which a line of the page is known as a line of an update."""

_WORD = re.compile(r"\w+")


def extract_page(
    body: bytes,
    *,
    url: str,
    content_type: str,
    told: str = "",
    dated: bool = False,
    languages: Sequence[str | None] = (),
) -> Extraction:
    """What a page says about its article.

    `url` is where the page came from, `content_type` the header as sent; `told` is what its feed
    gave of its text, `dated` whether it gave the date, so that the page's words need not be searched
    for one, and `languages` what it declared (entry, then feed). Raises `ParseError` and
    nothing else: `WRONG_TYPE` when this is no page, `NO_TEXT` when it has no article, and
    `CHALLENGED`, `CONSENT`, `PAYWALL`, `NOT_FOUND` or `SERVER_ERROR` when something else stands
    in its place. Of an article for subscribers the free beginning is the body, with a reason.
    """
    tree = parse_page(body, content_type)
    nodes = linked_data.articles(tree)
    meta = metas(tree)
    titles = titles_of(tree, nodes, meta)
    authors = authors_of(tree, nodes, meta, url=url)
    published = published_of(tree, nodes, meta, url=url, thorough=not dated)
    declared = (*languages_of(tree, nodes, meta), *languages)
    canonical = canonical_of(tree, url=url)
    updates = updates_of(tree, nodes, url=url)
    stated = linked_data.body_of(nodes)
    found = body_of(tree, url=url, titles=titles, stated=(stated, told))  # uses up the tree
    reason = None
    if sum(len(update.text) for update in updates) < MOSTLY * _length(found):
        updates = ()  # a list of other news beside an article
    if updates:
        found = _with_updates(found, updates)
    elif _length(found) < (STUB if nodes else LONG):
        tree = parse_page(body, content_type)
        if _letters(found) < SHORTEST:
            found = drawn_by_script(tree)
        signs = signs_of(tree, nodes, titles, sites_of(nodes, meta))
        if wall := wall_of(signs, found, one_line(tree.text_content())):
            raise ParseError(*wall)
        if is_stub(signs, found):
            reason = Code.PAYWALL
            found = without_offer(found)
    if _letters(found) < SHORTEST:
        code = reason or Code.NO_TEXT
        what = "nothing of it is free to read" if reason else "no article was found in the page"
        raise ParseError(code, what)
    text = "\n\n".join(found)
    title = clean(titles[0]) if titles else ""
    return Extraction(
        title=title,
        body=text[:MAX_BODY],
        authors=tuple(clean(name) for name in authors),
        published_at=published,
        language=language_of(f"{title}\n{text}", declared),
        canonical_url=canonical,
        updates=updates,
        reason=reason,
    )


def _with_updates(found: Sequence[str], updates: Sequence[Update]) -> list[str]:
    """What stands above the updates of a live page, and then they."""
    lines = [line for update in updates for line in paragraphs_of(update.text)]
    begun = {key(line)[:BEGINNING] for line in lines}
    above = takewhile(lambda line: key(line)[:BEGINNING] not in begun, found)
    return [*above, *lines]


def _length(found: Sequence[str]) -> int:
    return sum(map(len, found))


def _letters(found: Sequence[str]) -> int:
    return sum(len(word) for line in found for word in _WORD.findall(line))
