"""Whatever bytes a feed comes in, as UTF-8."""

from __future__ import annotations

import codecs
import re

from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, to_unicode

# Encodings of text that take time in proportion to their bytes: `punycode` and its like do not.
_PLAIN = re.compile(
    r"utf-(?:8|16|32)(?:-[bl]e)?|iso8859-\d+|iso2022_\w+|cp\d+|windows-\d+|koi8-\w+|mac-\w+"
    r"|gb\w*|big5\w*|euc_\w+|shift_jis\w*|johab|tis-620|ptcp154|ascii"
)
_WIDE = ("utf-16", "utf-32")
_SEVEN_BITS = "iso2022"
_START = 4096  # bytes in which a document says what it is written in
_UNWANTED = bytes({*range(32), 127} - {9, 10, 13})  # XML has no place for them, nor has a text
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    *((first + b"\0\0\0", "utf-32-le") for first in (b"<", b"{")),
    *((b"\0\0\0" + first, "utf-32-be") for first in (b"<", b"{")),
    *((first + b"\0", "utf-16-le") for first in (b"<", b"{")),
    *((b"\0" + first, "utf-16-be") for first in (b"<", b"{")),
)


def utf8_of(body: bytes, content_type: str) -> bytes:
    """The text of a document in UTF-8, without what stands before its first character.

    Bytes that are valid UTF-8 are UTF-8, whatever is declared: no other text happens to be. Else
    the header is believed, then the document itself; a character that is broken is replaced. Takes
    time in proportion to the bytes, whatever they are. Never raises.
    """
    text = _decoded(body, content_type)
    return text.translate(None, _UNWANTED).lstrip(b" \t\r\n")


def is_clean(text: bytes) -> bool:
    """Whether it is UTF-8 of which `utf8_of` would change nothing, as a part of something longer."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return len(text.translate(None, _UNWANTED)) == len(text)


def _decoded(body: bytes, content_type: str) -> bytes:
    for mark, name in _MARKS:
        if body.startswith(mark):
            text = body if name == "utf-8" else _transcoded(body, name)
            return text.removeprefix(codecs.BOM_UTF8)
    declared = http_content_type_encoding(content_type[:200])
    declared = declared or html_body_declared_encoding(body[:_START])
    try:
        body.decode()
    except UnicodeDecodeError:
        return _transcoded(body, _believable(declared) or _guessed(body))
    if declared and declared.startswith(_SEVEN_BITS):
        return _transcoded(body, declared)
    return body


def _believable(declared: str | None) -> str | None:
    """A declaration that can be true: what says in ASCII that it is UTF-16 is not."""
    if declared is None or declared.startswith(_WIDE) or not _PLAIN.fullmatch(declared):
        return None
    return declared


def _guessed(body: bytes) -> str:
    """UTF-8 that is broken here and there, or what Western Windows writes."""
    text = body.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    return "utf-8" if broken * 3 < len(body) - len(text) else "cp1252"


def _transcoded(body: bytes, name: str) -> bytes:
    return to_unicode(body, name).encode("utf-8", "replace")
