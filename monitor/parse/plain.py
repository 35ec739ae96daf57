"""Markup to plain text.

Feeds put anything into a title or a description: text, escaped HTML, HTML escaped twice. What comes
out here has no markup, no control characters, one space between words and a blank line between
paragraphs.
"""

from __future__ import annotations

import html
import re
import threading

from lxml import etree

_PARAGRAPH = "\x1e"
_BREAK = "\x1f"

_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dir", "div",
    "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4",
    "h5", "h6", "header", "hr", "html", "li", "main", "menu", "nav", "ol", "p", "pre", "section",
    "summary", "table", "tbody", "td", "tfoot", "th", "thead", "title", "tr", "ul",
})  # fmt: skip
_DROPPED = frozenset({
    "applet", "audio", "button", "canvas", "embed", "head", "iframe", "input", "map", "math",
    "noframes", "noscript", "object", "option", "script", "select", "style", "svg", "template",
    "textarea", "video",
})  # fmt: skip
_INLINE = (
    "a abbr acronym b bdi bdo big cite code del dfn em font i img ins kbd label mark q s samp small"
    " span strike strong sub sup time tt u var wbr br"
)
_TAG = re.compile(
    r"</?(?:{})(?:\s[^<>]*)?/?>".format("|".join(sorted({*_BLOCKS, *_DROPPED, *_INLINE.split()}))),
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_CONTROL_BUT_MARKS = re.compile(_CONTROL.pattern.replace(r"\x1f", r"\x1d"))
_LINES = re.compile(r"\r\n?")
_GAP = re.compile(r"\n[ \t]*\n\s*")
_BREAKS = re.compile(f"{_BREAK}\\s*{_BREAK}[\\s{_BREAK}]*")


def clean(text: str) -> str:
    """The text without control characters and lone surrogates; line ends are newlines."""
    return _CONTROL.sub("", _LINES.sub("\n", text))


def one_line(markup: str) -> str:
    """Markup as a single line of plain text: for titles and names.

    Only tags that HTML knows are taken for tags, and only references with their semicolon for
    references, so that "a < b" and "AT&T" stay what they are. Both are looked for twice.
    """
    text = clean(markup)
    for _ in range(2):
        if "<" in text:
            text = _TAG.sub(_gap_of_tag, _COMMENT.sub("", text))
        if "&" in text:
            text = clean(_unescaped(text))
    return " ".join(text.split())


def paragraphs(markup: str) -> str:
    """Markup as plain text with a blank line between paragraphs."""
    text = clean(markup)
    if not _TAG.search(text) and "<!--" not in text:
        unescaped = clean(_unescaped(text)) if "&" in text else text
        if not _TAG.search(unescaped):
            return _tidy(_GAP.sub(_PARAGRAPH, unescaped))
        text = unescaped
    once = _rendered(text)
    return _rendered(once) if _TAG.search(once) else once  # escaped twice: seen in the wild


def plain_paragraphs(text: str) -> str:
    """Text that is known to hold no markup, tidied in the same way."""
    return _tidy(_GAP.sub(_PARAGRAPH, clean(text)))


def _gap_of_tag(match: re.Match[str]) -> str:
    name = match[0].strip("</>").split()[0].rstrip("/").lower()
    return " " if name in _BLOCKS or name == "br" else ""


def _unescaped(text: str) -> str:
    return _REFERENCE.sub(lambda match: html.unescape(match[0]), text)


class _Mine(threading.local):
    """A parser for each thread: to make one takes as long as a short text."""

    def __init__(self) -> None:
        self.parser = etree.HTMLParser(
            remove_comments=True,
            remove_pis=True,
            no_network=True,
            huge_tree=True,  # 2,048 levels instead of 256: the sizes are limited elsewhere
        )


_mine = _Mine()


def _rendered(markup: str) -> str:
    try:
        root = etree.fromstring(f"<div>{markup}</div>", _mine.parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None:
        return _tidy(_TAG.sub(_PARAGRAPH, markup))
    pieces: list[str] = []
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, node in walk:
        block = _PARAGRAPH if node.tag in _BLOCKS else ""
        if event == "start":
            pieces.append(_BREAK if node.tag == "br" else block)
            if node.tag in _DROPPED:
                walk.skip_subtree()
            elif node.text:
                pieces.append(_GAP.sub(" ", node.text))
        else:
            pieces.append(block)
            if node.tail:
                pieces.append(_GAP.sub(" ", node.tail))
    return _tidy(_clean_around_marks("".join(pieces)))


def _clean_around_marks(text: str) -> str:
    """As `clean`, for text in which paragraphs and breaks are still marked."""
    return _CONTROL_BUT_MARKS.sub("", _LINES.sub("\n", text) if "\r" in text else text)


def _tidy(marked: str) -> str:
    """Paragraphs and lines without spare space; two breaks are a paragraph."""
    if _BREAK not in marked:
        return "\n\n".join([text for part in marked.split(_PARAGRAPH) if (text := _spaced(part))])
    marked = _BREAKS.sub(_PARAGRAPH, marked)
    found = []
    for paragraph in marked.split(_PARAGRAPH):
        lines = map(_spaced, paragraph.split(_BREAK))
        text = "\n".join(line for line in lines if line)
        if text:
            found.append(text)
    return "\n\n".join(found)


def _spaced(line: str) -> str:
    return " ".join(line.split())
