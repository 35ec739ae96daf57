"""OPML 2.0: the lists of feeds that readers give each other. Pure: bytes in, values out, and back.

An outline with an ``xmlUrl`` is a feed; those around it are folders, whose names are its tags, as
are the words of its ``category`` (http://opml.org/spec2.opml). What a feed is to us beside that
stands in attributes of a namespace of our own, so that a list that we wrote means the same again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Final

from lxml import etree

from monitor.errors import Refused
from monitor.model import FeedSpec

NAMESPACE: Final = "urn:monitor:feed"
"""Of the attributes ``publisher``, ``side`` and ``tier``."""

LARGEST: Final = 1 << 20
"""Bytes of a list: some five thousand feeds."""

_DEEPEST: Final = 20
_USUAL_TIER: Final = 2
_ENCODINGS: Final = ("ascii", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_ENTITIES: Final = "the list declares entities of its own: it is not read"
_LONGEST: Final = 2000  # characters of an attribute
_CONTROLS: Final = dict.fromkeys((*range(32), 127), " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A feed of a list, as it is written there: nothing of it is judged."""

    url: str
    title: str
    line: int
    tags: tuple[str, ...] = ()
    language: str | None = None
    site: str | None = None  # the web page that it belongs to
    publisher: str | None = None
    side: str | None = None
    tier: str | None = None


def read(document: bytes) -> tuple[Outline, ...]:
    """The feeds of a list, in its order. Raises `Refused` with one sentence if it is none.

    Sloppy XML is read as far as it goes, as most lists come from programs that don't escape an
    ampersand. No entity of a document's own is expanded, and nothing is fetched.
    """
    if len(document) > LARGEST:
        raise Refused(f"the list is too large: {LARGEST >> 20} MB is the most that is read")
    if any("<!ENTITY".encode(code) in document for code in _ENCODINGS):
        raise Refused(_ENTITIES)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        recover=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(document.lstrip(), parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    try:
        if root is None or _name(root) != "opml":
            raise Refused("this is no OPML: it should begin with <opml> and hold <outline>s")
        declared = root.getroottree().docinfo.internalDTD
        if declared is not None and any(True for _ in declared.iterentities()):
            raise Refused(_ENTITIES)  # in an encoding that nobody writes
        return tuple(_feeds(root))
    except UnicodeDecodeError:  # what libxml2 makes of &#xD800;, once it may recover
        raise Refused("the list has characters in it that there are not") from None


def _feeds(root: etree._Element) -> Iterator[Outline]:
    waiting: list[tuple[etree._Element, tuple[str, ...], int]] = [(root, (), 0)]
    while waiting:
        element, folders, depth = waiting.pop()
        inside = folders
        if _name(element) == "outline":
            if url := _attribute(element, "xmlUrl"):
                yield _outline(element, url, folders)
            elif title := _title(element):
                inside = (*folders, title)
        if depth < _DEEPEST:
            waiting += [(child, inside, depth + 1) for child in reversed(element)]


def _outline(element: etree._Element, url: str, folders: Sequence[str]) -> Outline:
    categories = _attribute(element, "category").replace("/", ",").split(",")
    own = {name: _attribute(element, f"{{{NAMESPACE}}}{name}") for name in _OWN}
    return Outline(
        url=url,
        title=_title(element),
        line=int(element.sourceline or 0),
        tags=tuple(dict.fromkeys(tag for each in (*folders, *categories) if (tag := each.strip()))),
        language=_attribute(element, "language") or None,
        site=_attribute(element, "htmlUrl") or None,
        publisher=own["publisher"] or None,
        side=own["side"] or None,
        tier=own["tier"] or None,
    )


_OWN: Final = ("publisher", "side", "tier")


def _title(element: etree._Element) -> str:
    return _attribute(element, "title") or _attribute(element, "text")


def _attribute(element: etree._Element, name: str) -> str:
    """In any case: half of all programs write ``xmlurl``."""
    value = element.get(name)
    if value is None:
        wanted = name.lower()
        value = next((v for k, v in element.attrib.items() if str(k).lower() == wanted), "")
    return " ".join(str(value).translate(_CONTROLS).split())[:_LONGEST]


def _name(element: etree._Element) -> str:
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def write(feeds: Iterable[FeedSpec], *, title: str, now: datetime) -> bytes:
    """A list of these feeds: each in a folder of its first tag, all of them in its ``category``."""
    root = etree.Element("opml", {"version": "2.0"}, nsmap={"monitor": NAMESPACE})
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = title
    etree.SubElement(head, "dateCreated").text = format_datetime(now, usegmt=True)
    body = etree.SubElement(root, "body")
    folders: dict[str, etree._Element] = {}
    for feed in feeds:
        parent = body
        if feed.tags:
            name = _written(feed.tags[0])
            if name not in folders:
                folders[name] = etree.SubElement(body, "outline", {"text": name, "title": name})
            parent = folders[name]
        etree.SubElement(parent, "outline", _attributes(feed))
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return written


def _attributes(feed: FeedSpec) -> dict[str, str]:
    said = {
        "text": feed.name,
        "title": feed.name,
        "type": "rss",
        "xmlUrl": feed.url,
        "language": feed.language or "",
        # a comma and a slash part categories from each other
        "category": ",".join(tag.replace(",", " ").replace("/", " ") for tag in feed.tags),
        f"{{{NAMESPACE}}}publisher": feed.publisher if feed.publisher != feed.name else "",
        f"{{{NAMESPACE}}}side": feed.side or "",
        f"{{{NAMESPACE}}}tier": str(feed.tier) if feed.tier != _USUAL_TIER else "",
    }
    return {key: _written(value) for key, value in said.items() if value}


def _written(text: str) -> str:
    """What XML can hold."""
    return "".join(each for each in text.translate(_CONTROLS) if _is_in_xml(ord(each)))


def _is_in_xml(code: int) -> bool:
    return not (0xD800 <= code <= 0xDFFF or code in {0xFFFE, 0xFFFF})
