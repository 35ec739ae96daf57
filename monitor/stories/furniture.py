"""What a site prints on every page is not its articles' text: "Also read", the newsletter, the firm.

A paragraph that stood in three other articles of its host within thirty days is *furniture*. Who
has seen what is kept by `ports.Transaction`; what follows from it is decided here.

Two kinds of paragraph repeat and are no furniture. The beginning of an article stands as a teaser
on other pages of its site, often before it is read itself: what the feed says of an article is its
own, unless it says the same of others. And a report that is printed again and again with little
added repeats nearly all of itself: a text of which next to nothing would be left is kept whole.

Measured on labelled pairs of articles (docs/benchmarks.md): without this, furniture alone makes
copies of what are none.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from monitor.model import Seen

MEMORY: Final = timedelta(days=30)
"""How long a paragraph is remembered."""

OTHERS: Final = 3
"""Other articles of a host that make a paragraph furniture."""

MOST_HASHES: Final = 80
"""Paragraphs of one article that are looked up and remembered, from both its ends."""

SHORTEST: Final = 40
"""Words that make a text by themselves, as for copies."""

TEASER: Final = 12
"""Words in which a paragraph and a feed's text must begin alike where the feed's is cut off."""

PARAGRAPH_BITS: Final = 40
"""Low bits of a hash that tell paragraphs of a host apart; those above are the host's, so that a
site's memory lies together. With 100,000 paragraphs of one host the chance that a new one is taken
for one of them is 1e-7, and three such chances must meet."""


_UNSPACED: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph of a body, as the site's memory knows it."""

    text: str
    hash: int | None  # None: it has no words, or is not looked up
    words: int
    fed: bool  # the feed's own text, or the headline, says it


def paragraphs(body: str) -> list[str]:
    """The paragraphs of a plain text, apart by blank lines."""
    return [part for part in body.split("\n\n") if part.strip()]


def paragraph_hash(host: str, paragraph: str) -> int | None:
    """By what a paragraph of a host is remembered: 63 bits of its words; None if it has none."""
    words = _words(paragraph)
    return _hash(_site(host), " ".join(words)) if words else None


def plain_words(text: str) -> str:
    """The words of a text, a space between, without case, width and punctuation.

    Less than the one normal form, and thirty times as fast: what a site repeats, it repeats to the
    letter, and a feed's text differs from its page's in quotes and dashes.
    """
    return " ".join(_words(text))


def host_range(host: str) -> tuple[int, int]:
    """The hashes of a host's paragraphs: from, and up to but without."""
    first = _site_bits(_site(host)) << PARAGRAPH_BITS
    return first, first + (1 << PARAGRAPH_BITS)


def read_paragraphs(host: str, body: str, *, title: str, feed_text: str) -> tuple[Paragraph, ...]:
    """A body's paragraphs; `title` and `feed_text` are what the feed says of the article."""
    texts = paragraphs(body)
    site = _site(host)
    said = _Said(title, feed_text)
    ends = {*range(MOST_HASHES // 2), *range(len(texts) - MOST_HASHES // 2, len(texts))}
    found: list[Paragraph] = []
    for number, text in enumerate(texts):
        if number not in ends:
            found.append(Paragraph(text=text, hash=None, words=len(text.split()), fed=False))
            continue
        words = _words(text)
        joined = " ".join(words)
        found.append(
            Paragraph(
                text=text,
                hash=_hash(site, joined) if words else None,
                words=len(words) if joined.isascii() else _size(words),
                fed=said.says(joined),
            )
        )
    return tuple(found)


def furniture_of(read: Iterable[Paragraph], seen: Mapping[int, Seen]) -> frozenset[int]:
    """Hashes of the paragraphs that are furniture, given where else each was seen.

    None are, if what is left would be neither half of the text, nor long enough to be one, nor
    what the feed says of the article.
    """
    read = tuple(read)
    found = frozenset(each.hash for each in read if each.hash is not None and _repeats(each, seen))
    left = [each for each in read if each.hash not in found]
    words = sum(each.words for each in left)
    is_enough = words >= SHORTEST or 2 * words >= sum(each.words for each in read)
    return found if is_enough or any(each.fed for each in left) else frozenset()


def without(read: Sequence[Paragraph], furniture: Collection[int]) -> tuple[str, tuple[str, ...]]:
    """The body without its furniture, and what was left out, in order."""
    body = "\n\n".join(each.text for each in read if each.hash not in furniture)
    return body, tuple(each.text for each in read if each.hash in furniture)


def _repeats(paragraph: Paragraph, seen: Mapping[int, Seen]) -> bool:
    elsewhere = seen.get(paragraph.hash) if paragraph.hash is not None else None
    if elsewhere is None:
        return False
    return (elsewhere.fed if paragraph.fed else elsewhere.articles) >= OTHERS


class _Said:
    """What the feed says of an article."""

    def __init__(self, title: str, feed_text: str) -> None:
        self._title = " ".join(_words(title))
        words = _words(feed_text)
        self._text = f" {' '.join(words)} "
        self._start = f"{' '.join(words[:TEASER])} " if len(words) >= TEASER else None

    def says(self, words: str) -> bool:
        """Whether these words are the headline, in the feed's text, or go on where it is cut off."""
        if not words:
            return False
        if words == self._title or f" {words} " in self._text:
            return True
        return self._start is not None and f"{words} ".startswith(self._start)


def _words(text: str) -> list[str]:
    return unicodedata.normalize("NFKC", text.casefold()).translate(_KEPT).split()


class _Kept(dict[int, int | None]):
    """What becomes of each character, by its code point: punctuation and symbols go."""

    def __missing__(self, place: int) -> int | None:
        is_dropped = unicodedata.category(chr(place))[0] in "PS"
        self[place] = kept = None if is_dropped else place
        return kept


_KEPT: Final = _Kept()


def _size(words: Sequence[str]) -> int:
    """How many words these are; in scripts without spaces each character is one."""
    return sum(1 if word.isascii() else len(_UNSPACED.findall(word)) or 1 for word in words)


def _site(host: str) -> str:
    """A site by any of its hosts' usual names."""
    return host.lower().removeprefix("www.").removeprefix("m.").removeprefix("amp.")


def _site_bits(site: str) -> int:
    return int.from_bytes(hashlib.blake2b(site.encode(), digest_size=4).digest(), "big") >> 9


def _hash(site: str, words: str) -> int:
    digest = hashlib.blake2b(
        words.encode("utf-8", "surrogatepass"), digest_size=5, key=site.encode()[:64]
    ).digest()
    return _site_bits(site) << PARAGRAPH_BITS | int.from_bytes(digest, "big")
