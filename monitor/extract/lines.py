"""The lines of an extracted text."""

from __future__ import annotations

import re
import unicodedata

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """A text without control characters and what UTF-8 can't hold."""
    return _CONTROL.sub("", text)


def one_line(text: str) -> str:
    """A text with every run of white space made one space."""
    return " ".join(text.split())


def paragraphs_of(text: str) -> list[str]:
    """The lines of a text that hold anything, cleaned."""
    return [line for line in (one_line(clean(each)) for each in text.split("\n")) if line]


def key(text: str) -> str:
    """A line as it is compared: case, white space and punctuation don't count."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if char.isalnum())
