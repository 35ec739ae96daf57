"""The corpus' newsroom on loopback: 55 real pages, 8 feeds, one of which repeats every item."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from tests.webserver import Reply, WebServer

SEED_TERMS = ("ceasefire", "Kashmir", "Operation Sindoor")

_TYPES = {".json": "application/feed+json", ".xml": "application/xml"}
_OBVIOUS = re.compile(
    r"(?<!\w)(cease[\s\-‐‑]?fire|kashmir|operation\s+sindoor)(?!\w)", re.IGNORECASE
)


@dataclass(frozen=True)
class Newsroom:
    """What the manifest promises, with paths relative to the server."""

    corpus: Path
    feeds: tuple[tuple[str, int], ...]  # path, number of items
    articles: dict[str, str]  # path → article id

    @property
    def items(self) -> int:
        """Items of all feeds together."""
        return sum(number for _, number in self.feeds)

    def only(self, *names: str) -> Newsroom:
        """A smaller one: these feeds, and the articles that they list."""
        feeds = tuple(each for each in self.feeds if Path(each[0]).stem in names)
        listed = "".join(
            (self.corpus / "newsroom" / path.lstrip("/")).read_text(encoding="utf-8")
            for path, _ in feeds
        )
        articles = {path: each for path, each in self.articles.items() if path in listed}
        return replace(self, feeds=feeds, articles=articles)

    def hits(self) -> set[str]:
        """Paths of the articles whose gold title or text holds a term of the seed's watch.

        A plain regular expression over the gold texts: right for these English pages, and
        nothing of the product.
        """
        gold = _gold(self.corpus)
        return {
            path
            for path, article in self.articles.items()
            if _OBVIOUS.search(f"{gold[article]['title']}\n{gold[article]['body']}")
        }

    def serve(self, server: WebServer) -> None:
        """Put everything on a started server."""
        folder = self.corpus / "newsroom"
        base = json.loads((folder / "manifest.json").read_text())["base"]
        here = server.url("").rstrip("/")
        for path, _ in self.feeds:
            file = folder / path.lstrip("/")
            body = file.read_text(encoding="utf-8").replace(base, here)
            server.route(path, Reply(body, headers={"Content-Type": _TYPES[file.suffix]}))
        for path, article in self.articles.items():
            page = gzip.decompress((self.corpus / _gold(self.corpus)[article]["page"]).read_bytes())
            server.route(path, Reply(page, headers={"Content-Type": "text/html; charset=utf-8"}))


@cache
def _gold(corpus: Path) -> dict[str, dict[str, str]]:
    index = json.loads((corpus / "articles" / "index.json").read_text(encoding="utf-8"))
    manifest = json.loads((corpus / "newsroom" / "manifest.json").read_text(encoding="utf-8"))
    pages = {article["id"]: article["page_file"] for article in manifest["articles"]}
    return {
        row["id"]: {
            "title": row["title"] or "",
            "body": row["body"] or "",
            "page": pages[row["id"]],
        }
        for row in index
        if row["id"] in pages
    }


@cache
def newsroom(corpus: Path) -> Newsroom:
    """The newsroom of a corpus."""
    manifest = json.loads((corpus / "newsroom" / "manifest.json").read_text(encoding="utf-8"))
    return Newsroom(
        corpus=corpus,
        feeds=tuple(("/" + feed["file"], feed["items"]) for feed in manifest["feeds"]),
        articles={article["path"]: article["id"] for article in manifest["articles"]},
    )


_LANGUAGES = ("ar", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "pl", "ru", "tr", "uk", "zh")
EVERYTHING = " OR ".join(f"lang:{code}" for code in _LANGUAGES)
"""A query that every article of the newsroom fits: what nobody watches is not grouped."""

MATTERS = (frozenset({"EuronewsEN_2026_01_06", "EuronewsDE_2026_01_06", "EuronewsFR_2026_01_06"}),)
"""What a person would call one matter, by article ids: the corpus says so of Venezuela alone. Its
other reports of one conflict are years or countries apart."""


def feeds_toml(
    room: Newsroom, server: WebServer, *, channel: str = "#newsdesk", query: str = ""
) -> str:
    """A configuration for the newsroom with the seed's watch, or with one for a query."""
    lines = [
        "[fetch]",
        'allow = ["127.0.0.1"]',
        'spacing = "0s"',
        "[alerts]",
        'max_age = "off"',
        "[slack]",
        f'channel = "{channel}"',
        "[web]",
        "enabled = false",
        "[[watch]]",
        'name = "India–Pakistan ceasefire"',
        f"query = {json.dumps(query)}" if query else f"terms = {json.dumps(SEED_TERMS)}",
    ]
    for path, _ in room.feeds:
        lines += ["[[feed]]", f'name = "{Path(path).stem}"', f'url = "{server.url(path)}"']
    return "\n".join(lines) + "\n"
