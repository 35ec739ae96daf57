"""What no single value can tell: things said twice, things that contradict or miss each other."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from monitor.config import addresses
from monitor.config.document import Document, quoted
from monitor.config.models import Settings
from monitor.errors import Mistake


@dataclass(frozen=True, slots=True)
class Report:
    """What is wrong, and what is merely odd."""

    mistakes: list[Mistake] = field(default_factory=list)
    warnings: list[Mistake] = field(default_factory=list)


def check(document: Document, settings: Settings) -> Report:
    """Look at the whole. The document may hold mistakes that were reported already."""
    report = Report()
    _names(document, report)
    _feeds(document, settings, report)
    _terms(document, report)
    _channels(document, settings, report)
    _database(document, settings, report)
    for index, entry in enumerate(settings.fetch.allow):
        if entry in {"0.0.0.0/0", "::/0"}:
            report.warnings.append(
                document.mistake(
                    ("fetch", "allow", index),
                    f"{entry} lets any feed reach into your own network; name what it needs",
                )
            )
    if not settings.feeds:
        report.warnings.append(Mistake("no feed is enabled: nothing is polled", document.file))
    if not settings.watches:
        report.warnings.append(Mistake("no [[watch]]: nothing can be found", document.file))
    return report


def _tables(document: Document, kind: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The tables of a kind that are tables."""
    tables = document.data.get(kind)
    if isinstance(tables, list):
        yield from ((n, table) for n, table in enumerate(tables) if isinstance(table, dict))


def _twice(
    document: Document, kind: str, key: str, same: Callable[[str], str]
) -> Iterator[tuple[int, int]]:
    """Pairs of tables (first, later) that agree in a key."""
    first: dict[str, int] = {}
    for index, table in _tables(document, kind):
        value = table.get(key)
        if isinstance(value, str) and (likeness := same(value.strip())):
            earlier = first.setdefault(likeness, index)
            if earlier != index:
                yield earlier, index


def folded(text: str) -> str:
    """A spelling without case, width and spacing."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _names(document: Document, report: Report) -> None:
    for kind in ("watch", "feed"):
        for first, later in _twice(document, kind, "name", folded):
            line = document.place((kind, first, "name")).line
            report.mistakes.append(
                document.mistake(
                    (kind, later, "name"), f"is also the name of the {kind} on line {line}"
                )
            )


def _feeds(document: Document, settings: Settings, report: Report) -> None:
    same = {
        url.strip(): _comparable(url)
        for _, table in _tables(document, "feed")
        if isinstance(url := table.get("url"), str)
    }
    for first, later in _twice(document, "feed", "url", same.__getitem__):
        path = ("feed", later, "url")
        line = document.place(("feed", first, "url")).line
        title = document.title("feed", first)
        urls = [document.data["feed"][index]["url"].lower() for index in (first, later)]
        if urls[0].startswith("https:") == urls[1].startswith("https:"):
            message = f"is also the URL of {title} on line {line}"
            report.mistakes.append(document.mistake(path, message))
        else:
            message = f"differs from {title} on line {line} by http and https alone"
            report.warnings.append(document.mistake(path, message))
    for index, table in _tables(document, "feed"):
        url = table.get("url")
        if isinstance(url, str) and same[url.strip()]:
            _address(document, settings, report, index, url)


def _address(document: Document, settings: Settings, report: Report, index: int, url: str) -> None:
    """What may surprise about where a feed is."""
    parts = urlsplit(url.strip())
    name = addresses.to_ascii(parts.hostname or "") or ""
    if parts.password:
        message = "holds a password, which every reader of this file and of the page can see"
        report.warnings.append(document.mistake(("feed", index, "url"), message))
    if addresses.is_private(name) and not addresses.covers(settings.fetch.allow, name):
        message = f"{name} is a private address and will be refused; add it to [fetch] allow"
        report.warnings.append(document.mistake(("feed", index, "url"), message))


def _comparable(url: str) -> str:
    """`addresses.same_url`, or nothing for what is no URL (that is reported elsewhere)."""
    try:
        return addresses.same_url(addresses.http_url(url))
    except ValueError:
        return ""


def _terms(document: Document, report: Report) -> None:
    for index, table in _tables(document, "watch"):
        terms = table.get("terms")
        if not isinstance(terms, list):
            continue
        seen: set[str] = set()
        for place, term in enumerate(terms):
            if not isinstance(term, str) or not term.strip():
                continue
            path = ("watch", index, "terms", place)
            if folded(term) in seen:
                report.warnings.append(document.mistake(path, f"{quoted(term)} is there twice"))
            elif _is_short(term):
                message = f"{quoted(term)} is so short that it will be found in many articles"
                report.warnings.append(document.mistake(path, message))
            seen.add(folded(term))


def _is_short(term: str) -> bool:
    """Fewer than three letters and digits, none of them of a script where that is a word."""
    chars = [char for char in term if unicodedata.category(char)[0] in "LN"]
    return 0 < len(chars) < 3 and all(
        unicodedata.category(char)[0] == "N" or unicodedata.name(char, "").startswith("LATIN")
        for char in chars
    )


def _channels(document: Document, settings: Settings, report: Report) -> None:
    """Every watch must lead somewhere, once Slack is set up."""
    default = document.data.get("slack")
    has_default = isinstance(default, dict) and "channel" in default
    for index, table in _tables(document, "watch"):
        if settings.slack_token and not has_default and "channel" not in table:
            message = "has no channel, and there is no channel below [slack] to fall back on"
            report.mistakes.append(document.mistake(("watch", index), message))
        if settings.slack_webhook and not settings.slack_token and "channel" in table:
            message = "is not used: a webhook posts to the one channel it was made for"
            report.warnings.append(document.mistake(("watch", index, "channel"), message))


def _database(document: Document, settings: Settings, report: Report) -> None:
    path = ("monitor", "database")
    if path in document.origins or not settings.monitor.database.startswith("postgresql:"):
        return
    if urlsplit(settings.monitor.database).password:
        message = "holds a password; MONITOR_DATABASE_URL or MONITOR_DATABASE_URL_FILE is its place"
        report.warnings.append(document.mistake(path, message))
