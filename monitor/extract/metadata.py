"""Title, authors, date, language and canonical URL of a page.

Publishers say these things several times, for search engines, for social networks and for
readers. What is said for search engines (JSON-LD) is the most exact; the title is checked against
what readers see, because the rest often carries the site's name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TypeAlias
from urllib.parse import urljoin, urlsplit

import lxml.html
from htmldate import find_date
from trafilatura.metadata import extract_author

from monitor.extract.linked_data import Node, names_of, text_of

MAX_TITLE = 1_000
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
_AUTHORS = ("author", "article:author", "parsely-author", "sailthru.author", "dc.creator", "byl")
_SEPARATOR = r"\s*(?:[|｜ㅣ·•»:：–—]|\s-+(?=\s)|--+|-(?=\S+$))\s*"
_SUFFIX = re.compile(_SEPARATOR)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8})*")
_BYLINE = re.compile(r"^(?:by|von|par|por|di|da|door|av)\s+", re.IGNORECASE)
_ASIDE = re.compile(r"\([^()]*\)|[\w.+-]+@[\w.-]+")
_BETWEEN_NAMES = re.compile(r"\s*[;|/]\s*|\s+(?:and|und|og|och|et|&)\s+")
_FRACTION = re.compile(r"(\.\d{6})\d+")
_OFFSET = re.compile(r"([+-]\d{2})(\d{2})$")


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


def title_of(tree: Tree, nodes: list[Node], meta: dict[str, str]) -> str:
    """The headline, without the name of the site behind it.

    What JSON-LD says; else the first-level heading that the other titles agree with; else the
    title made for social networks, and last the window's.
    """
    headings = [text for element in tree.iter("h1") if (text := _line(element.text_content()))]
    window = next((_line(element.text_content()) for element in tree.iter("title")), "")
    shared = meta.get("og:title", ""), meta.get("twitter:title", ""), window
    sites = _sites(nodes, meta)
    if headline := text_of(nodes, "headline"):
        return without_site(headline, headings, sites)[:MAX_TITLE]
    for heading in headings:
        if len(heading) > 10 and any(_same_start(heading, title) for title in shared):
            return heading[:MAX_TITLE]
    title = next((title for title in shared if title), headings[0] if headings else "")
    return without_site(title, [*headings, *shared], sites)[:MAX_TITLE]


def without_site(title: str, others: Iterable[str], sites: Iterable[str]) -> str:
    """A title without what follows its last separators, if that is the site's name or the rest is
    what another title says in full.
    """
    known = {_key(other) for other in others if other}
    names = {_key(site) for site in sites if site}
    for cut in _SUFFIX.finditer(title):
        front, back = title[: cut.start()].strip(), title[cut.end() :].strip()
        if len(front) < 8:
            continue
        if _key(front) in known - {_key(title)} or (back and _key(back) in names):
            return front
    return title


def authors_of(tree: Tree, nodes: list[Node], meta: dict[str, str]) -> tuple[str, ...]:
    """Who wrote it: by the page's statements for machines, else by its byline."""
    stated = names_of(nodes, "author") or [meta[name] for name in _AUTHORS if name in meta][:1]
    return _people(stated) or _people([extract_author(tree) or ""])


def _people(given: list[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for item in given:
        for part in _BETWEEN_NAMES.split(item):
            name = _BYLINE.sub("", _ASIDE.sub("", part)).strip(" ,.()")
            usable = 1 < len(name) <= 120 and "://" not in name and not name.startswith("@")
            if usable and not name.isdecimal():
                found[name] = None
    return tuple(found)[:MAX_AUTHORS]


def published_of(
    tree: Tree, nodes: list[Node], meta: dict[str, str], *, url: str
) -> datetime | None:
    """When it was first published: to the second where the page says so, else the day."""
    said = [text_of(nodes, "datePublished"), *(meta.get(name, "") for name in _DATES)]
    said += [element.get("datetime") or "" for element in tree.iter("time")][:1]
    for text in said:
        if moment := moment_of(text):
            return moment
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


def language_of(tree: Tree, nodes: list[Node], meta: dict[str, str]) -> str | None:
    """The language of the page as a BCP 47 tag, if it names one."""
    said = (
        tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang") or "",
        text_of(nodes, "inLanguage"),
        meta.get("og:locale", ""),
        meta.get("content-language", ""),
    )
    for text in said:
        tag = text.strip().replace("_", "-")
        if len(tag) <= 35 and _LANGUAGE.fullmatch(tag):
            return tag
    return None


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


def _sites(nodes: list[Node], meta: dict[str, str]) -> list[str]:
    """What the site calls itself."""
    said = [meta.get("og:site_name", ""), meta.get("application-name", "")]
    return [name for name in [*said, *names_of(nodes, "publisher")] if name]


def _line(text: str) -> str:
    return " ".join(text.split())


def _key(text: str) -> str:
    """A title as it is compared: case, quotes, and punctuation don't count."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if char.isalnum())


def _same_start(heading: str, title: str) -> bool:
    return bool(title) and _key(title).startswith(_key(heading))
