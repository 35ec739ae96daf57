"""An article that a page holds only as data for its own script to draw."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import lxml.html
from lxml import etree

from monitor.extract.lines import paragraphs_of

MAX_SCRIPT = 2 << 20
"""Characters of scripts that are looked at, together."""

MAX_NODES = 50_000

SHORTEST_MARKUP = 200
"""Characters of a string that may be an article's markup."""

# A string as JSON and JavaScript write it. Possessive, so that one that never ends costs one pass.
_STRING = re.compile(r'"(?:[^"\\\n]++|\\.)*+"')
_PLACE = re.compile(r"\$\$\w+\$\$|\{\{\w+\}\}|\[\[\w+\]\]|%%\w+%%")  # for an advert
_DATA = re.compile(r"\A\s*(?:[\w.\[\]\"']+\s*=\s*)?(?=[\[{])")
_MARKUP = re.compile(r"<(?:p|br)\b", re.IGNORECASE)
_TEXT_KINDS = frozenset({"text", "paragraph", "p", "html", "raw_html", "header", "heading"})
_TEXT_KEYS = ("content", "text", "value", "html", "body")


def drawn_by_script(tree: lxml.html.HtmlElement) -> list[str]:
    """The paragraphs of the longest text that any of a page's scripts carries.

    It is looked for in two shapes: one string of markup (Next.js, Nuxt and their like), and a list
    of pieces, each with its kind and its text (Arc, most block editors).
    """
    left = MAX_SCRIPT
    longest: list[str] = []
    for script in tree.iter("script"):
        source = (script.text or "")[:left]
        left -= len(source)
        for found in (*_marked_up(source), *_pieces(source)):
            if sum(map(len, found)) > sum(map(len, longest)):
                longest = found
    return longest


def _marked_up(source: str) -> Iterator[list[str]]:
    if "<p" not in source and "u003cp" not in source.lower():
        return
    for string in _STRING.findall(source):
        if len(string) < SHORTEST_MARKUP:
            continue
        try:
            markup = json.loads(string, strict=False)
        except ValueError:
            continue
        if len(_MARKUP.findall(markup)) >= 2:
            yield _text_of(markup)


def _pieces(source: str) -> Iterator[list[str]]:
    start = _DATA.match(source)
    if start is None:
        return
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(source, start.end())
    except (ValueError, RecursionError):
        return
    waiting, left = [value], MAX_NODES
    while waiting and left:
        left -= 1
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += [each for each in item.values() if isinstance(each, dict | list)]
        elif isinstance(item, list):
            waiting += [each for each in item if isinstance(each, dict | list)]
            found = [line for piece in item if (text := _piece(piece)) for line in _text_of(text)]
            if len(found) > 1:
                yield found


def _piece(item: Any) -> str:
    if not isinstance(item, dict) or item.get("type") not in _TEXT_KINDS:
        return ""
    return next((text for key in _TEXT_KEYS if isinstance(text := item.get(key), str)), "")


def _text_of(markup: str) -> list[str]:
    """The paragraphs of a piece of markup, without pictures and what is written under them."""
    try:
        tree = lxml.html.fragment_fromstring(markup, create_parent="div")
    except (etree.LxmlError, ValueError):
        return []
    for each in list(tree.iter("figure", "figcaption", "script", "style", "iframe", "table")):
        each.drop_tree()
    for each in tree.xpath(".//*[contains(@class, 'caption')]"):
        each.drop_tree()
    for each in tree.iter("p", "div", "br", "li", "h2", "h3", "h4", "blockquote"):
        each.tail = f"\n{each.tail or ''}"
        each.text = f"\n{each.text or ''}" if each.tag != "br" else each.text
    return paragraphs_of(_PLACE.sub("", tree.text_content()))
