"""What every format has in common: from loose strings to an `Entry`."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from urllib.parse import urljoin, urlsplit

from monitor.model import Entry
from monitor.parse.plain import clean, one_line, paragraphs, plain_paragraphs

MAX_ENTRIES = 5_000
MAX_TEXT = 200_000
MAX_TITLE = 1_000
MAX_URL = 2_000  # what a unique index of any database takes
MAX_GUID = 500
MAX_AUTHORS = 20
MAX_NAME = 2_000  # of markup

_TITLE_WORDS = 14
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8})*")
_COUNTRIES = frozenset({"us", "gb"})  # given as a language by some, and no language's code
_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+")
_NAME_AFTER_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+\s*\((?P<name>[^()]+)\)")
_PLAIN_LINK = re.compile(
    r"https?://[a-z0-9][a-z0-9.-]*(?:/[\w.~!$&'()*+,=:@%/-]*(?:\?[\w.~!$&'()*+,=:@%/;?-]+)?)?",
    re.ASCII,
)
_SPACES = re.compile(r"[\x00-\x20\x7f-\xa0]")


def build_entry(
    *,
    guid: str,
    link: str | None,
    title: str,
    texts: Iterable[str],
    plain: str = "",
    authors: Iterable[str],
    published_at: datetime | None,
    language: str | None,
) -> Entry | None:
    """An entry of plain text.

    `texts` are candidates in markup and `plain` is one without; the longest is taken.
    None when there is nothing in it: neither words nor a link.
    """
    candidates = [plain_paragraphs(plain), *(paragraphs(text) for text in texts)]
    text = max(candidates, key=len)[:MAX_TEXT]
    headline = one_line(title)[:MAX_TITLE] or opening(text)
    if not headline and not link:
        return None
    return Entry(
        guid=_identity(clean(guid).strip(), link, headline, text),
        url=link,
        title=headline,
        text=text,
        authors=names(authors),
        published_at=published_at,
        language=language,
    )


def first_of_each(entries: Iterable[Entry | None]) -> tuple[Entry, ...]:
    """The entries in order, the first of each guid; without the empty ones.

    Some feeds give one guid to everything. Entries that share theirs and differ in link and
    headline are different items, and are known by guid and link instead.
    """
    found = [entry for entry in entries if entry is not None]
    of_guid: dict[str, list[Entry]] = {}
    for entry in found:
        of_guid.setdefault(entry.guid, []).append(entry)
    shared = {guid for guid, group in of_guid.items() if _are_different(group)}
    unique: dict[str, Entry] = {}
    for entry in found:
        if entry.guid in shared and entry.url:
            guid = _identity(f"{entry.guid} {entry.url}", None, "", "")
            unique.setdefault(guid, dataclasses.replace(entry, guid=guid))
        else:
            unique.setdefault(entry.guid, entry)
    return tuple(unique.values())


def _are_different(group: Sequence[Entry]) -> bool:
    linked = [entry for entry in group if entry.url not in {None, entry.guid}]
    return any(each.url != linked[0].url and each.title != linked[0].title for each in linked[1:])


def web_link(base: str, given: object) -> str | None:
    """An absolute http(s) URL; None when there is none, or none that could be asked."""
    if isinstance(given, str) and len(given) <= MAX_URL and _PLAIN_LINK.fullmatch(given):
        return given  # as nearly all are
    return _resolved(base, given)


def _resolved(base: str, given: object) -> str | None:
    if not isinstance(given, str) or not given.strip():
        return None
    try:
        link = _SPACES.sub(_escaped_space, clean(given).strip())
        if urlsplit(link).scheme and not urlsplit(link).netloc:
            return None
        url = urljoin(base, link)
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or len(url) > MAX_URL:
            return None
        url.encode()
    except ValueError:
        return None
    return url


def language_tag(given: object) -> str | None:
    """A BCP 47 tag such as ``en-GB``; None when it does not look like one."""
    if not isinstance(given, str):
        return None
    tag = given.strip().replace("_", "-")
    if len(tag) > 35 or not _LANGUAGE.fullmatch(tag) or tag.lower() in _COUNTRIES:
        return None
    return tag


def names(given: Iterable[str]) -> tuple[str, ...]:
    """People, without mail addresses and without doubles."""
    found: dict[str, None] = {}
    for item in given:
        text = one_line(item[:MAX_NAME])  # what looks for addresses takes the square of its length
        if match := _NAME_AFTER_ADDRESS.fullmatch(text):
            text = match["name"]
        text = _ADDRESS.sub("", text).strip(" <>(),;")
        if text and "://" not in text and len(text) <= 200:
            found[text] = None
    return tuple(found)[:MAX_AUTHORS]


def opening(text: str) -> str:
    """The first words of a text, to stand in for a missing title."""
    first, _, rest = text.partition("\n")
    words = first.split()
    short = " ".join(words[:_TITLE_WORDS])[:120]
    return f"{short} …" if short and (len(short) < len(" ".join(words)) or rest) else short


def _identity(guid: str, link: str | None, title: str, text: str) -> str:
    if guid:
        if len(guid) <= MAX_GUID:
            return guid
        return f"{guid[:400]}#{hashlib.sha256(guid.encode()).hexdigest()}"
    if link:
        return _identity(link, None, title, text)
    return "hash:" + hashlib.sha256(f"{title}\0{text}".encode()).hexdigest()


def _escaped_space(match: re.Match[str]) -> str:
    return "%20" if match[0] == " " else ""
