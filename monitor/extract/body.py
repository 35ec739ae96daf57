"""The article's own words: found by trafilatura, held against what the publisher states."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import lxml.html
from lxml import etree

from monitor.extract.clutter import without_clutter
from monitor.extract.lines import clean, one_line, paragraphs_of

TRUSTED = 400
"""Characters of a statement of the article's text that make it worth believing: shorter is a
teaser."""

SHORT = 300
"""Characters below which trafilatura's fast way is not believed without a second look."""

# What holds no paragraph of an article, whatever stands in it. trafilatura drops most of it as
# well, after it has searched it several times; its own list also has `form`, which some systems
# wrap around everything, and `figure`, which may hold a table.
_NO_TEXT = (
    "script", "style", "svg", "noscript", "template", "iframe", "link", "nav", "footer", "aside",
    "menu", "button", "select", "textarea", "input", "label", "dialog", "canvas", "video", "audio",
    "object", "embed", "source", "picture", "use", "time",
)  # fmt: skip
_BLOCKS = ("p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "li", "article")
MUCH = 1.25
"""How much longer the page's prose is than what was found, if that is only a part of it."""

PROSE = 80
"""Characters of a paragraph that is more than a caption or the teaser of a link."""

_PARAGRAPHS = frozenset({"p", "h2", "h3", "h4", "ul", "ol", "blockquote"})
_WORD = re.compile(r"\w+")

logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

Tree: TypeAlias = lxml.html.HtmlElement
Shingle: TypeAlias = tuple[str, ...]


def body_of(tree: Tree, *, url: str, titles: Sequence[str], stated: Sequence[str]) -> list[str]:
    """The article's paragraphs; none where the page shows no article.

    `titles` are the ways in which the page spells the headline: a paragraph that only repeats one
    is none. `stated` are texts of the article from elsewhere (JSON-LD's `articleBody`, the feed),
    each whole or in parts, paragraphs apart by newlines.

    trafilatura's fast way comes first. Unless a statement confirms its result, it is held against
    the page's own paragraphs. Its full way, which asks readability and justext as well and costs
    half as much again, is taken where the result is short, far less than they are, or made of
    something else. The tree is used up: read all else from it before.
    """
    _slim(tree)
    witnesses = [paragraphs_of(text) for text in stated if len(text) >= TRUSTED]
    found = without_clutter(_extracted(tree, url, fast=True), titles)
    if not any(_agree(found, witness) for witness in witnesses):
        length = sum(map(len, found))
        marked = sum(len(one_line(each.text_content())) for each in tree.iter("p"))
        if length < SHORT or not 0.4 * marked <= length <= 1.5 * marked:
            found = without_clutter(_extracted(tree, url, fast=False), titles)
        if length < 0.8 * marked:
            found = _longer(found, without_clutter(_prose(tree), titles))
    for witness in witnesses:
        found = _checked(found, witness)
    return found


def _slim(tree: Tree) -> None:
    """Take out of a page what can't be the article: half the work of all that follows."""
    etree.strip_elements(tree, *_NO_TEXT, with_tail=False)
    for link in list(tree.iter("a")):
        if next(link.iterdescendants(*_BLOCKS), None) is not None:
            link.drop_tree()  # a link around whole blocks is the teaser of something else


def _prose(tree: Tree) -> list[str]:
    """What stands in elements of that kind which hold most of the page's prose, in order.

    Elements of one kind have one tag and one class. So a body that adverts or a wall have torn in
    several elements is had whole.
    """
    weights = Counter[tuple[object, ...]]()
    for each in tree.iter("p"):
        length = len(one_line(each.text_content()))
        parent = each.getparent()
        if length >= PROSE and parent is not None:
            weights[parent.tag, parent.get("class")] += length
    if not weights:
        return []
    [((tag, kind), _)] = weights.most_common(1)
    parts = (each for part in tree.iter(tag) if part.get("class") == kind for each in part)
    lines = (one_line(clean(each.text_content())) for each in parts if each.tag in _PARAGRAPHS)
    return [line for line in lines if line]


def _extracted(tree: Tree, url: str, *, fast: bool) -> list[str]:
    from trafilatura import bare_extraction  # noqa: PLC0415 only workers need its 8 MB

    try:
        document = bare_extraction(tree, url=url, fast=fast, include_comments=False)
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError, etree.LxmlError):
        return []  # trafilatura stumbles over trees that nobody has written by hand
    text = getattr(document, "text", None)
    return paragraphs_of(text) if isinstance(text, str) else []


def _longer(found: list[str], prose: list[str]) -> list[str]:
    """The page's prose, where what was found is a part of it that is much shorter."""
    there, here = _shingles(prose), _shingles(found)
    part = sum(map(len, prose)) > MUCH * sum(map(len, found))
    return prose if part and len(here & there) >= 0.7 * len(here) else found


def _agree(found: Sequence[str], stated: Sequence[str]) -> bool:
    """Whether two texts say the same but for a few lines."""
    there, here = _shingles(stated), _shingles(found)
    both = len(here & there)
    return bool(there) and both >= 0.85 * len(there) and both >= 0.8 * len(here)


def _checked(found: list[str], stated: list[str]) -> list[str]:
    """What was found, held against a text that is stated to be the article's.

    Where most of what was found is in a much longer statement, the statement is the article (it is
    drawn by a script, or torn apart by adverts). Where the two say the same, the one with more
    paragraphs is taken. Where all of the statement was found, what stands before its first and
    behind its last paragraph is not part of it.
    """
    there, here = _shingles(stated), _shingles(found)
    if not there:
        return found
    longer = sum(map(len, stated)) > 2.5 * sum(map(len, found))
    if longer and len(here & there) >= 0.5 * len(here):
        return stated
    if len(here & there) < 0.85 * len(there):
        return found
    if len(stated) > len(found) and len(here & there) >= 0.95 * len(here):
        return stated
    inside = [n for n, text in enumerate(found) if _mostly_in(text, there)]
    return found[inside[0] : inside[-1] + 1] if inside else found


def _mostly_in(text: str, there: set[Shingle]) -> bool:
    shingles = _shingles([text])
    return bool(shingles) and 2 * len(shingles & there) > len(shingles)


def _shingles(texts: Iterable[str]) -> set[Shingle]:
    words = [word for text in texts for word in _WORD.findall(text)]
    return set(zip(words, words[1:], words[2:], words[3:], strict=False))
