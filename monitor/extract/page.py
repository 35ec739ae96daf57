"""The article of a page: its words, and what it says about itself."""

from __future__ import annotations

import re

from monitor.errors import Code, ParseError
from monitor.extract import linked_data
from monitor.extract.body import body_of
from monitor.extract.lines import clean
from monitor.extract.metadata import (
    authors_of,
    canonical_of,
    language_of,
    metas,
    published_of,
    titles_of,
)
from monitor.extract.scripts import drawn_by_script
from monitor.extract.source import parse_page
from monitor.model import Extraction

MAX_BODY = 200_000
SHORTEST = 40
"""Letters and digits that make a text. Less is a caption, or a wall that says to log in."""

_WORD = re.compile(r"\w+")


def extract_page(body: bytes, *, url: str, content_type: str, told: str = "") -> Extraction:
    """What a page says about its article.

    `url` is where the page came from, `content_type` the header as sent, `told` what its feed
    gave of its text. Raises `ParseError` and nothing else: `WRONG_TYPE` when this is no page,
    `NO_TEXT` when it has no article.
    """
    tree = parse_page(body, content_type)
    nodes = linked_data.articles(tree)
    meta = metas(tree)
    titles = titles_of(tree, nodes, meta)
    authors = authors_of(tree, nodes, meta, url=url)
    published = published_of(tree, nodes, meta, url=url)
    language = language_of(tree, nodes, meta)
    canonical = canonical_of(tree, url=url)
    stated = (linked_data.body_of(nodes), told)
    found = body_of(tree, url=url, titles=titles, stated=stated)
    if _letters(found) < SHORTEST:  # the tree is used up
        found = drawn_by_script(parse_page(body, content_type))
    text = "\n\n".join(found)
    if _letters(found) < SHORTEST:
        raise ParseError(Code.NO_TEXT, "no article was found in the page")
    return Extraction(
        title=clean(titles[0]) if titles else "",
        body=text[:MAX_BODY],
        authors=tuple(clean(name) for name in authors),
        published_at=published,
        language=language,
        canonical_url=canonical,
    )


def _letters(found: list[str]) -> int:
    return sum(len(word) for line in found for word in _WORD.findall(line))
