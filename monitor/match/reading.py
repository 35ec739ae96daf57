"""A text as it can be read: word by word, or with the parts of a compound as one word."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Final

from monitor.match.patterns import Pattern
from monitor.text import Link, tokens

_LONGEST_JOIN: Final = 5  # parts that hyphens may hold together
_TAGS: Final = frozenset("#＃")


class Reading:
    """The words of a text, and what follows what."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._joined = self._joined_words()

    def _joined_words(self) -> dict[int, list[tuple[str, int]]]:
        """By first part: the norms of compounds read as one word, and the token behind them."""
        joined: dict[int, list[tuple[str, int]]] = {}
        words = self._tokens
        for second, word in enumerate(words):
            if word.link is not Link.JOINED or second == 0:
                continue
            for first in range(second - 1, max(second - _LONGEST_JOIN, -1), -1):
                norm = "".join(part.norm for part in words[first : second + 1])
                joined.setdefault(first, []).append((norm, second + 1))
                if words[first].link is not Link.JOINED:
                    break
        return joined

    def words(self, wanted: Container[str]) -> Iterator[tuple[int, str, int]]:
        """Every wanted word that can be read: its first token, its norm, the token behind it."""
        for at, word in enumerate(self._tokens):
            if word.norm in wanted:
                yield at, word.norm, at + 1
        for at, compounds in self._joined.items():
            for norm, after in compounds:
                if norm in wanted:
                    yield at, norm, after

    def follow(self, after: int, pattern: Pattern) -> int | None:
        """The token behind a pattern whose first word ends before token `after`, if it is here."""
        for norm in pattern[1:]:
            behind = self._behind(after, norm)
            if behind is None:
                return None
            after = behind
        return after

    def _behind(self, at: int, norm: str) -> int | None:
        """The token behind a word that can be read here, in the same sentence.

        There is at most one: each reading that starts here is longer than the one before.
        """
        if at >= len(self._tokens) or self._tokens[at].link is Link.BREAK:
            return None
        if self._tokens[at].norm == norm:
            return at + 1
        return next((after for joined, after in self._joined.get(at, ()) if joined == norm), None)

    def span(self, first: int, after: int) -> tuple[int, int]:
        """The characters from one token to before another; with its sign if a whole hashtag."""
        words = self._tokens
        start, end = words[first].start, words[after - 1].end
        whole = after == len(words) or words[after].link is not Link.JOINED
        if (
            whole
            and words[first].link is not Link.JOINED
            and self._text[start - 1 : start] in _TAGS
        ):
            start -= 1
        return start, end
