"""Title, authors, date, language and canonical URL of a page.

Publishers say these things several times, for search engines, for social networks and for
readers. What is said for search engines (JSON-LD) is the most exact; the title is checked against
what readers see, because the rest often carries the site's name.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import TypeAlias
from urllib.parse import urljoin, urlsplit

import lxml.html
from lxml import etree

from monitor.extract.lines import key, one_line
from monitor.extract.linked_data import Node, names_of, text_of

MAX_TITLE = 1_000
MAX_HEADINGS = 20
MAX_AUTHORS = 20
OLDEST = datetime(1990, 1, 1, tzinfo=UTC)

Tree: TypeAlias = lxml.html.HtmlElement

_DATES = (
    "article:published_time",
    "og:article:published_time",
    "article:published",
    "datepublished",
    "parsely-pub-date",
    "sailthru.date",
    "pubdate",
    "publishdate",
    "publish-date",
    "publication_date",
    "cxenseparse:recs:publishtime",
    "dc.date.issued",
    "dcterms.created",
    "dc.date",
    "date",
)
_AUTHORS = (
    "author",
    "article:author",
    "parsely-author",
    "sailthru.author",
    "dc.creator",
    "byl",
    "cxenseparse:author",
)
_SEPARATOR = r"\s*(?:[|｜ㅣ·•»:：–—]|\s-+(?=\s)|--+|-(?=\S+$))\s*"
_SUFFIX = re.compile(_SEPARATOR)
_BYLINE = re.compile(r"^(?:by|von|par|por|di|da|door|av)\s+", re.IGNORECASE)
_NAME = re.compile(r"(?:[^\W\d_][\w.'’-]* ){1,4}[^\W\d_][\w.'’-]*")
_PARTICLES = frozenset(
    [
        "al",
        "bin",
        "da",
        "de",
        "del",
        "della",
        "den",
        "der",
        "di",
        "do",
        "dos",
        "du",
        "e",
        "el",
        "i",
        "ibn",
        "la",
        "le",
        "van",
        "von",
        "y",
        "zu",
    ]
)
_MARKED_AS_AUTHOR = etree.XPath(
    "//*[@rel = 'author' or @itemprop = 'author' or contains(@class, 'author')"
    " or contains(@class, 'byline') or contains(@class, 'Author') or contains(@class, 'Byline')]"
    "[not(ancestor::footer or ancestor::aside or contains(@class, 'bio'))][position() < 20]"
)
_ASIDE = re.compile(r"\([^()]*\)|[\w.+-]+@[\w.-]+")
_BETWEEN_NAMES = re.compile(r"\s*[;|/]\s*|\s+(?:and|und|og|och|et|&)\s+")
_FRACTION = re.compile(r"(\.\d{6})\d+")
_OFFSET = re.compile(r"([+-]\d{2})(\d{2})$")


logging.getLogger("htmldate").setLevel(logging.CRITICAL)


def metas(tree: Tree) -> dict[str, str]:
    """The `meta` elements of a page: the first content of each name."""
    found: dict[str, str] = {}
    for element in tree.iter("meta"):
        content = " ".join((element.get("content") or "").split())
        for attribute in ("property", "name", "itemprop"):
            name = (element.get(attribute) or "").strip().lower()
            if name and content:
                found.setdefault(name, content)
    return found


def titles_of(tree: Tree, nodes: list[Node], meta: dict[str, str]) -> tuple[str, ...]:
    """The headline, and then every other spelling of it that the page has.

    Publishers write a headline twice: one for readers and one for search engines, which is in the
    window's title. So where JSON-LD and heading say what the window says, and what is made for
    sharing is another, that is the readers'. Else JSON-LD's word holds, then the heading if what
    is shared begins with it. Names of sites behind a title are cut off.
    """
    lines = (_shown_in(element) for element in islice(tree.iter("h1"), MAX_HEADINGS))
    headings = [line for line in lines if line]
    heading = next((each for each in headings if len(each) > 10), "")
    stated = text_of(nodes, "headline")[:MAX_TITLE]
    told = (
        meta.get("og:title", "")[:MAX_TITLE],
        meta.get("twitter:title", "")[:MAX_TITLE],
        next(map(_shown_in, tree.iter("title")), ""),
    )
    everything = [*filter(None, (stated, *told)), *headings]
    sites = [*sites_of(nodes, meta), meta.get("article:section", "")]
    stated = without_site(stated, (), sites)
    shared, short, window = (without_site(each, everything, sites) for each in told)
    keys = {each: key(each) for each in (stated, shared, short, window, heading)}
    searched = {keys[each] for each in (stated, window, heading) if each}
    if shared and heading and len(searched) == 1 and keys[shared] not in searched:
        title = shared
    elif stated and keys[stated] == keys[shared]:
        title = min(stated, shared, key=lambda each: each.count('"') + each.count("'"))
    elif stated:
        title = stated
    elif heading and keys[shared or short or window].startswith(keys[heading]):
        title = heading
    else:
        title = next((each for each in (shared, short, window, *headings) if each), "")
    return tuple(dict.fromkeys(each for each in (title, *everything) if each))


def _shown_in(element: Tree) -> str:
    return one_line(element.text_content()[: 4 * MAX_TITLE])[:MAX_TITLE]


def without_site(title: str, others: Iterable[str], sites: Iterable[str]) -> str:
    """A title without what follows its last separators, if that is the site's name or the rest is
    what another title says in full.
    """
    known = {key(other) for other in others if other}
    names = {key(site) for site in sites if site}
    for cut in _SUFFIX.finditer(title):
        front, back = title[: cut.start()].strip(), title[cut.end() :].strip()
        if len(front) < 8:
            continue
        if key(front) in known - {key(title)} or (back and key(back) in names):
            return front
    return title


def authors_of(tree: Tree, nodes: list[Node], meta: dict[str, str], *, url: str) -> tuple[str, ...]:
    """Who wrote it: by the page's statements for machines, else by its byline.

    Where the first to be named is only the outlet itself, the others are asked who it was.
    """
    outlet = {key(name) for name in sites_of(nodes, meta)} | _keys_of_host(url)
    named: tuple[str, ...] = ()
    for said in _bylines(tree, nodes, meta):
        found = _people(said)
        if people := tuple(name for name in found if key(name) not in outlet):
            return people
        named = named or found
    return named


def _keys_of_host(url: str) -> set[str]:
    """How an outlet may be called that has its pages there: www.post.example → postexample, post."""
    labels = (urlsplit(url).hostname or "").removeprefix("www.").split(".")
    return {key("".join(labels[start:end])) for start in (0, -2) for end in (None, -1)}


def _bylines(tree: Tree, nodes: list[Node], meta: dict[str, str]) -> Iterator[list[str]]:
    yield names_of(nodes, "author")
    for name in _AUTHORS:
        yield [meta.get(name, "")]
    for element in _MARKED_AS_AUTHOR(tree):
        shown = _BYLINE.sub("", one_line(element.text_content()))
        if _NAME.fullmatch(shown) and not any(map(_is_plain_word, shown.split())):
            yield [shown]


def _is_plain_word(word: str) -> bool:
    """Whether a word is none of a name, in scripts that tell."""
    return word[0].islower() and word not in _PARTICLES


def _people(given: list[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for item in given:
        if "://" in item:
            continue  # the address of a profile
        for part in _BETWEEN_NAMES.split(item):
            name = _BYLINE.sub("", _ASIDE.sub("", part)).strip(" ,.()")
            if 1 < len(name) <= 120 and not name.startswith("@") and not name.isdecimal():
                found[name] = None
    return tuple(found)[:MAX_AUTHORS]


def published_of(
    tree: Tree, nodes: list[Node], meta: dict[str, str], *, url: str, thorough: bool = True
) -> datetime | None:
    """When it was first published: to the second where the page says so, else the day.

    `thorough`: look for the day in all of the page's words, which takes longer than all else that is
    done to a page together.
    """
    said = [text_of(nodes, "datePublished"), *(meta.get(name, "") for name in _DATES)]
    said += [element.get("datetime") or "" for element in tree.iter("time")][:1]
    for text in said:
        if moment := moment_of(text):
            return moment
    if not thorough:
        return None
    from htmldate import find_date  # noqa: PLC0415 only workers need it

    try:
        day = find_date(tree, original_date=True, url=url)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return None  # it searches all of a page that anybody wrote
    return moment_of(day or "")


def moment_of(text: str) -> datetime | None:
    """An ISO 8601 moment or day, in UTC; None for all else. No zone is taken for UTC."""
    text = _OFFSET.sub(r"\1:\2", _FRACTION.sub(r"\1", text.strip())) if "T" in text else text
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment >= OLDEST else None


def languages_of(tree: Tree, nodes: list[Node], meta: dict[str, str]) -> tuple[str, ...]:
    """What a page declares as its language, the nearest to its text first; not judged."""
    return (
        tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang") or "",
        text_of(nodes, "inLanguage"),
        meta.get("og:locale", ""),
        meta.get("content-language", ""),
    )


def canonical_of(tree: Tree, *, url: str) -> str | None:
    """What `rel=canonical` says, made absolute; None unless it is an http(s) URL."""
    for element in tree.iter("link"):
        if "canonical" in (element.get("rel") or "").lower().split():
            href = (element.get("href") or "").strip()
            try:
                found = urljoin(url, href)
                parts = urlsplit(found)
            except ValueError:
                return None
            usable = href and parts.scheme in {"http", "https"} and parts.hostname
            return found if usable and len(found) <= 2_000 else None
    return None


def sites_of(nodes: list[Node], meta: dict[str, str]) -> list[str]:
    """What the site calls itself."""
    said = [meta.get(name, "") for name in ("og:site_name", "application-name", "publisher")]
    return [name for name in [*said, *names_of(nodes, "publisher")] if name]
