"""Page bytes to a tree: what is not a page is told apart, what is gets decoded."""

from __future__ import annotations

import re

import lxml.html
from lxml import etree
from w3lib.encoding import html_to_unicode

from monitor.errors import Code, ParseError

MAX_HTML = 2 << 20
"""Characters of a page that are looked at: extraction takes more than linear time (3 s for 1 MB
of plain prose, 17 s for 3 MB)."""

_PAGES = frozenset({"", "text/html", "application/xhtml+xml", "text/xml", "application/xml"})
_UNSURE = frozenset({"text/plain", "application/octet-stream", "binary/octet-stream"})
_MAGIC = (b"%PDF", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"PK\x03\x04", b"\x1f\x8b")
_HEAVY = re.compile(
    r"<(script|style|svg)\b(?![^>]*ld\+json)[^>]*>.*?</\1\s*>", re.IGNORECASE | re.DOTALL
)
_LOOKS_ASCII = ("iso2022", "utf-16", "utf-32")  # as w3lib names them
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>", re.IGNORECASE)


def parse_page(body: bytes, content_type: str) -> lxml.html.HtmlElement:
    """The tree of an HTML page. Raises `ParseError` for anything else."""
    kind = content_type.partition(";")[0].strip().lower()
    sure = kind in _PAGES or (kind in _UNSURE and b"<" in body[:1024])
    if not sure or body.startswith(_MAGIC):
        raise ParseError(Code.WRONG_TYPE, f"this is no HTML page ({kind or 'no type'})"[:120])
    if not body.strip():
        raise ParseError(Code.NO_TEXT, "the page is empty")
    text = _DECLARATION.sub("", _ILLEGAL.sub("", decode(body, content_type)), count=1)
    if len(text) > MAX_HTML:
        text = _HEAVY.sub("", text)[:MAX_HTML]
    parser = lxml.html.HTMLParser(
        remove_comments=True,  # a comment inside a paragraph would tear its text in two
        remove_pis=True,
        no_network=True,
        collect_ids=False,
        default_doctype=False,
    )
    try:
        tree = lxml.html.document_fromstring(text, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        raise ParseError(Code.NO_TEXT, "no HTML was found in the page") from None
    return tree


def decode(body: bytes, content_type: str) -> str:
    """A page's characters.

    Bytes that are valid UTF-8 are UTF-8, whatever is declared: no other text happens to be, but for
    one in 7 bits or in pairs of bytes. Else the byte order mark, the header and the page's own
    `meta` are believed, in this order. Where nothing is declared, it is UTF-8 if nearly all is.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = None
    if text is None or "\x1b" in text or "\0" in text:
        declared, other = html_to_unicode(
            content_type, body, default_encoding="cp1252", auto_detect_fun=_guess
        )
        if text is None or declared.startswith(_LOOKS_ASCII):
            return str(other)
    return text


def _guess(body: bytes) -> str | None:
    """UTF-8 for a text that is broken in few places: as Latin-1 it would be broken in all."""
    broken = body.decode("utf-8", "replace").count("\N{REPLACEMENT CHARACTER}")
    return "utf-8" if broken * 20 < sum(byte >= 0xC2 for byte in body) else None
