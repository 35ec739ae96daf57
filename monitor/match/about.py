"""What a query asks of an article beside its text: source:Dawn, site:bbc.co.uk, lang:ur."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from monitor.match.document import Document
from monitor.match.query import About
from monitor.text import tokens

LANGUAGES: Final = {
    "arabic": "ar",
    "bengali": "bn",
    "chinese": "zh",
    "english": "en",
    "french": "fr",
    "german": "de",
    "greek": "el",
    "hebrew": "he",
    "hindi": "hi",
    "indonesian": "id",
    "italian": "it",
    "japanese": "ja",
    "korean": "ko",
    "persian": "fa",
    "farsi": "fa",
    "portuguese": "pt",
    "punjabi": "pa",
    "pashto": "ps",
    "russian": "ru",
    "spanish": "es",
    "tamil": "ta",
    "thai": "th",
    "turkish": "tr",
    "ukrainian": "uk",
    "urdu": "ur",
    "vietnamese": "vi",
}
"""Codes by the names that other dialects use: lang:urdu."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One `field:value`, ready to be asked."""

    about: About
    value: str
    words: tuple[str, ...]  # of the value, in normal form
    is_open: bool  # the value ended in *

    def fits(self, document: Document) -> bool:
        """Whether the article is as the value says."""
        match self.about:
            case "source":
                return self._names(document.sources) or (
                    "." in self.value and self._hosts(document.sites)
                )
            case "author":
                return self._names(document.authors)
            case "site":
                return self._hosts(document.sites)
            case "lang":
                return self._language(document.language)
            case "tag":
                return self._equals(document.tags)
            case "side":
                return self._equals(document.sides)

    def _names(self, names: Iterable[str]) -> bool:
        """Whether a name holds the value's words in a row: source:Hindu finds "The Hindu"."""
        return any(self._holds(_words(name)) for name in names)

    def _holds(self, name: tuple[str, ...]) -> bool:
        width = len(self.words)
        return any(self._same(name[at : at + width]) for at in range(max(0, len(name) - width) + 1))

    def _equals(self, values: Iterable[str]) -> bool:
        return any(self._same(_words(value)) for value in values)

    def _same(self, words: tuple[str, ...]) -> bool:
        if not self.is_open:
            return words == self.words and bool(words)
        if not self.words:
            return bool(words)
        return (
            len(words) >= len(self.words)
            and words[: len(self.words) - 1] == self.words[:-1]
            and words[len(self.words) - 1].startswith(self.words[-1])
        )

    def _hosts(self, hosts: Iterable[str]) -> bool:
        """Whether an article is served by this host, or by one below it."""
        for host in hosts:
            name = host.lower().rstrip(".")
            if self.is_open:
                bare = name.removeprefix("www.")
                if name.startswith(self.value) or bare.startswith(self.value):
                    return True
            elif (
                name == self.value
                or name.endswith(f".{self.value}")
                or ("." not in self.value and self.value in name.split("."))
            ):
                return True
        return False

    def _language(self, language: str | None) -> bool:
        known = (language or "").lower().replace("_", "-")
        if self.is_open:
            return bool(known) and known.startswith(self.value)
        return known == self.value or known.startswith(f"{self.value}-")


def wanted(about: About, value: str) -> Wanted:
    """What `about:value` asks for, whatever way it was typed."""
    bare = value.strip()
    is_open = bare.endswith("*")
    bare = bare.removesuffix("*")
    words = _words(bare)
    if about in ("site", "source"):
        host = re.sub(r"^[a-z+]+://", "", bare.lower()).partition("/")[0]
        bare = host.removeprefix("*.").removeprefix("www.").rstrip(".") if about == "site" else host
    elif about == "lang":
        code = bare.lower().replace("_", "-")
        bare = LANGUAGES.get(code, code)
    return Wanted(about=about, value=bare, words=words, is_open=is_open)


def _words(text: str) -> tuple[str, ...]:
    return tuple(token.norm for token in tokens(text))
