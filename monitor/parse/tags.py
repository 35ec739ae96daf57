"""Single tags of a document that nobody has parsed: for what stands outside of its items.

A full parser would be surer, and can be made to run for minutes; these bytes are read where
nothing can be killed. Everything takes time in proportion to the bytes, whatever they are.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

_TAG = re.compile(
    rb"<(?:[^\s<>/:!?]{1,60}:)?(?P<name>link|base|a)(?=\s)(?P<rest>[^<>]{1,4000})>([^<>]{0,200})",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(
    r"""(?<![^\s"'/])(?P<name>[a-z:_-]{1,30})\s{0,9}=\s{0,9}"""
    r"""(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"'=`]+))""",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag's name in lower case, its attributes, and the words that follow it."""

    name: str
    attributes: dict[str, str]
    words: str

    def get(self, name: str) -> str:
        """The value of an attribute without references, stripped; empty where there is none."""
        return html.unescape(self.attributes.get(name, "")).strip()

    def tokens(self, name: str) -> frozenset[str]:
        """The words of an attribute such as ``rel``, in lower case."""
        return frozenset(self.get(name).lower().split())


def tags_of(text: bytes) -> Iterator[Tag]:
    """Every tag called link, base or a (with whatever prefix) of a document in UTF-8, in order."""
    for match in _TAG.finditer(text):
        given = match["rest"].decode("utf-8", "replace")
        attributes: dict[str, str] = {}
        for found in _ATTRIBUTE.finditer(given):
            value = found["double"] or found["single"] or found["bare"] or ""
            attributes.setdefault(found["name"].lower(), value)
        words = match[3].decode("utf-8", "replace")
        yield Tag(
            match["name"].lower().decode(), attributes, " ".join(html.unescape(words).split())
        )
