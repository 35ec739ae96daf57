"""The article of a page: trafilatura finds the text, the page's own statements check it."""

from __future__ import annotations

import dataclasses
import logging
import re

import lxml.html
from lxml import etree
from trafilatura import bare_extraction

from monitor.errors import Code, ParseError
from monitor.extract.linked_data import articles, body_of
from monitor.extract.metadata import (
    authors_of,
    canonical_of,
    language_of,
    metas,
    published_of,
    title_of,
)
from monitor.extract.source import parse_page
from monitor.model import Extraction

MAX_BODY = 200_000
SHORTEST = 40
"""Letters and digits that make a text. Less is a caption, or a wall that says to log in."""

TRUSTED = 400
"""Characters of a page's own `articleBody` that make it worth believing: shorter is a teaser."""

# How a form to leave a comment in begins. WordPress' words, as its translations have them.
_REPLY = re.compile(
    r"(?:leave|post|write|add|submit) (?:a|your) (?:reply|comment|response)\b.{0,60}"
    r"|(?:join|start) the (?:discussion|conversation)\W{0,3}",
    re.IGNORECASE,
)
_REPLY_NOTE = re.compile(
    r"your e-?mail address will not be published"
    r"|deine e-mail-adresse wird nicht veröffentlicht"
    r"|votre adresse (?:e-mail|de messagerie) ne sera pas publiée"
    r"|tu dirección de correo electrónico no será publicada"
    r"|o seu endereço de e-mail não será publicado"
    r"|आपका ईमेल पता प्रकाशित नहीं किया जाएगा"
    r"|آپ کا ای ?میل ایڈریس شائع نہیں کیا جائے گا"
    r"|لن يتم نشر عنوان بريدك الإلكتروني",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_WORD = re.compile(r"\w+")

logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
logging.getLogger("htmldate").setLevel(logging.CRITICAL)


def extract_page(body: bytes, *, url: str, content_type: str) -> Extraction:
    """What a page says about its article.

    `url` is where the page came from, `content_type` the header as sent. Raises `ParseError` and
    nothing else: `WRONG_TYPE` when this is no page, `NO_TEXT` when it has no article.
    """
    tree = parse_page(body, content_type)
    nodes = articles(tree)
    meta = metas(tree)
    about = Extraction(
        title=_clean(title_of(tree, nodes, meta)),
        body="",
        authors=tuple(_clean(name) for name in authors_of(tree, nodes, meta)),
        published_at=published_of(tree, nodes, meta, url=url),
        language=language_of(tree, nodes, meta),
        canonical_url=canonical_of(tree, url=url),
    )
    text = _text(tree, url, body_of(nodes), about.title)
    if sum(map(len, _WORD.findall(text))) < SHORTEST:
        raise ParseError(Code.NO_TEXT, "no article was found in the page")
    return dataclasses.replace(about, body=text[:MAX_BODY])


def _text(tree: lxml.html.HtmlElement, url: str, stated: str, title: str) -> str:
    """The article's paragraphs."""
    found = _without_reply_form(_paragraphs(_extracted(tree, url)))
    if found and found[0] == title:
        del found[0]
    if len(stated) >= TRUSTED:
        found = _checked(found, [_clean(part) for part in stated.split("\n\n")])
    return "\n\n".join(found)


def _extracted(tree: lxml.html.HtmlElement, url: str) -> str:
    try:
        document = bare_extraction(tree, url=url, include_comments=False)
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError, etree.LxmlError):
        return ""  # trafilatura stumbles over trees that nobody has written by hand
    text = getattr(document, "text", None)
    return text if isinstance(text, str) else ""


def _without_reply_form(found: list[str]) -> list[str]:
    """The paragraphs before the place where readers are asked for a comment.

    trafilatura drops such forms where a theme marks them, and keeps them where it does not.
    """
    before = 0
    for number, text in enumerate(found):
        asked = _REPLY.fullmatch(text) or (len(text) < 300 and _REPLY_NOTE.search(text))
        if asked and before >= sum(map(len, found[number:])):
            return found[:number]
        before += len(text)
    return found


def _checked(found: list[str], stated: list[str]) -> list[str]:
    """What was found, held against the text that the page states for search engines.

    Where most of what was found is in a much longer statement, the statement is the article (it is
    drawn by a script, or torn apart by adverts). Where the two say the same, the one with more
    paragraphs is taken. Where all of the statement was found, what stands before its first and
    behind its last paragraph is not part of it.
    """
    there = _shingles(" ".join(stated))
    here = _shingles(" ".join(found))
    if not there:
        return found
    longer = sum(map(len, stated)) > 2.5 * sum(map(len, found))
    if longer and len(here & there) >= 0.5 * len(here):
        return stated
    if len(here & there) < 0.85 * len(there):
        return found
    if len(stated) > len(found) and len(here & there) >= 0.95 * len(here):
        return stated
    inside = [n for n, text in enumerate(found) if _mostly_in(text, there)]
    return found[inside[0] : inside[-1] + 1] if inside else found


def _mostly_in(text: str, there: set[tuple[str, ...]]) -> bool:
    shingles = _shingles(text)
    return bool(shingles) and 2 * len(shingles & there) > len(shingles)


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = _WORD.findall(text)
    return {tuple(words[start : start + 4]) for start in range(len(words) - 3)}


def _paragraphs(text: str) -> list[str]:
    lines = (" ".join(_clean(line).split()) for line in text.split("\n"))
    return [line for line in lines if line]


def _clean(text: str) -> str:
    return _CONTROL.sub("", text)
