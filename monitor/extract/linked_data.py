"""What a page says about itself in JSON-LD (schema.org)."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import lxml.html

MAX_NODES = 2_000

_INSIDE = ("@graph", "mainEntity", "mainEntityOfPage", "itemListElement", "item")
_WRAPPING = re.compile(r"\A\s*(?:<!--|//<!\[CDATA\[|/\*<!\[CDATA\[\*/)|(?:-->|//\]\]>)?\s*;?\s*\Z")
_TAG = re.compile(r"<[^<>]*>")

Node = Mapping[str, Any]


def articles(tree: lxml.html.HtmlElement) -> list[Node]:
    """The nodes that describe an article, in the page's order."""
    return [node for node in _nodes(tree) if any(_is_article(kind) for kind in _types(node))]


def text_of(nodes: list[Node], key: str) -> str:
    """The first string under a key, unescaped, on one line."""
    for node in nodes:
        value = node.get(key)
        if isinstance(value, list):
            value = next((item for item in value if isinstance(item, str)), None)
        if isinstance(value, str) and value.strip():
            return " ".join(_TAG.sub(" ", html.unescape(value)).split())
    return ""


def body_of(nodes: list[Node]) -> str:
    """The longest `articleBody`, as paragraphs where it has any."""
    bodies = [value for node in nodes if isinstance(value := node.get("articleBody"), str)]
    longest = html.unescape(max(bodies, key=len, default=""))
    lines = _TAG.sub("\n", longest).splitlines()
    return "\n\n".join(line for line in (" ".join(line.split()) for line in lines) if line)


def names_of(nodes: list[Node], key: str) -> list[str]:
    """The names of people or organisations under a key."""
    for node in nodes:
        if found := list(_names(node.get(key))):
            return found
    return []


def _nodes(tree: lxml.html.HtmlElement) -> Iterator[Node]:
    left = MAX_NODES
    for script in tree.iter("script"):
        if "ld+json" not in (script.get("type") or "").lower():
            continue
        try:
            waiting = [json.loads(_WRAPPING.sub("", script.text or ""), strict=False)]
        except (ValueError, RecursionError):
            continue
        while waiting and left:
            left -= 1
            item = waiting.pop(0)
            if isinstance(item, list):
                waiting[:0] = item
            elif isinstance(item, dict):
                yield item
                waiting += [item[key] for key in _INSIDE if isinstance(item.get(key), list | dict)]


def _types(node: Node) -> list[str]:
    kind = node.get("@type")
    kinds = kind if isinstance(kind, list) else [kind]
    return [kind for kind in kinds if isinstance(kind, str)]


def _is_article(kind: str) -> bool:
    return kind.endswith("Article") or kind in {"BlogPosting", "LiveBlogPosting", "Report"}


def _names(value: Any) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        name = _name(item) if isinstance(item, dict) else item
        for part in name if isinstance(name, list) else [name]:
            if isinstance(part, str) and part.strip():
                yield " ".join(html.unescape(part).split())


def _name(node: Node) -> Any:
    if node.get("name"):
        return node["name"]
    parts = (node.get("givenName"), node.get("familyName"))
    return " ".join(part for part in parts if isinstance(part, str))
