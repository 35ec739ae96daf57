"""From a document that was cut to the entries in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, cast

from monitor.errors import Code, ParseError
from monitor.model import Entry, ParsedFeed
from monitor.parse.build import MAX_ENTRIES, build_entry, first_of_each, language_tag, web_link
from monitor.parse.cut import Cut, cut
from monitor.parse.dates import when
from monitor.parse.discover import not_a_feed
from monitor.parse.jsonfeed import parse_json_feed
from monitor.parse.marks import NO_GUID, Marks, guid_mark, joined
from monitor.parse.plain import one_line

if TYPE_CHECKING:
    from monitor.parse.reader import Document


def parse_feed(body: bytes, *, url: str, content_type: str, blocks: bytes = b"") -> ParsedFeed:
    """The entries that a feed's bytes list, in their order, without those read before.

    `url` is where they came from: relative links are resolved against it. `content_type` is the
    header as sent, `blocks` what the last `ParsedFeed` left of itself. Raises `ParseError` and
    nothing else: `NOT_A_FEED` says what was found instead, `PARSE` that a feed is broken beyond
    reading.

    All at once what `cut` and `parse_rest` do one after the other, where only the second one needs
    a process that can be killed.
    """
    found = cut(body, url=url, content_type=content_type, blocks=blocks)
    parsed = found.unchanged or parse_rest(found)
    if parsed is None:
        parsed = parse_rest(cut(body, url=url, content_type=content_type))
    assert parsed is not None, "the whole can be trusted to stand for itself"
    return parsed


@dataclass(frozen=True, slots=True)
class Unread:
    """A `ParseError` as one result among others."""

    code: Code
    detail: str
    status: int | None

    @classmethod
    def of(cls, error: ParseError) -> Self:
        """What it says."""
        return cls(error.code, error.detail, error.status)


def parse_rests(found: Sequence[Cut]) -> Sequence[ParsedFeed | Unread | None]:
    """`parse_rest` of each, none of which another one's mistake costs anything."""
    return [_read_or_not(each) for each in found]


def _read_or_not(found: Cut) -> ParsedFeed | Unread | None:
    try:
        return parse_rest(found)
    except ParseError as error:
        return Unread.of(error)


def parse_rest(found: Cut) -> ParsedFeed | None:
    """The entries of what a cut has left. Raises as `parse_feed` does.

    None: what is left can't be trusted to say what the whole does, which has to be parsed instead
    (a cut without marks). Never None of a cut that is whole.
    """
    if found.json:
        return parse_json_feed(found.rest, url=found.url, kept=found.kept)
    from monitor.parse.reader import read_document  # noqa: PLC0415 only workers need feedparser

    document = read_document(found.rest, found.url)
    agreed = document.fault is None and len(document.entries) == len(found.fresh)
    exact = found.kept.cuts and agreed
    if not document.entries and found.whole:
        _check_emptiness(document, found)
    elif not exact and not found.whole:
        return None
    language = _language(document.feed)
    built = [_entry(entry, found.url, language) for entry in document.entries[:MAX_ENTRIES]]
    guids = [guid_mark(entry.guid) if entry else NO_GUID for entry in built]
    if not found.whole and not (set(found.guids.values()) - {NO_GUID}).isdisjoint(guids):
        return None
    return ParsedFeed(
        title=one_line(_text(document.feed, "title")),
        language=language,
        entries=first_of_each(built),
        hints=found.hints,
        hub=found.links.hub,
        topic=found.links.topic,
        listed=found.listed if exact else len(document.entries),
        known=found.known,
        blocks=_marks(found, guids, exact=exact).packed(),
    )


def _marks(found: Cut, guids: Sequence[bytes], *, exact: bool) -> Marks:
    read = dict(zip(found.fresh, guids, strict=True)) if exact else {}
    every = (read.get(n) or found.guids.get(m, NO_GUID) for n, m in enumerate(found.marks))
    return replace(found.kept, cuts=exact, each=joined(found.marks, every))


def _check_emptiness(document: Document, found: Cut) -> None:
    """Tell an empty feed, which is fine, from what is none and from what is broken."""
    if not document.version:
        raise not_a_feed(found.rest, found.url, page=b"<html" in found.rest[:4096].lower())
    if document.fault:
        raise ParseError(Code.PARSE, f"the XML is broken at {document.fault}"[:200])


def _entry(entry: Mapping[str, Any], base: str, language: str | None) -> Entry | None:
    texts = [_text(part, "value") for part in entry.get("content") or () if _is_text(part)]
    texts.append(_text(entry, "summary"))
    return build_entry(
        guid=_text(entry, "id"),
        link=web_link(base, _own(entry, "feedburner_origlink"))
        or web_link(base, _own(entry, "link")),
        title=_text(entry, "title"),
        texts=texts,
        authors=_authors(entry),
        published_at=_published_at(entry),
        language=_language(entry) or language,
    )


def _published_at(entry: Mapping[str, Any]) -> datetime | None:
    from monitor.parse.reader import parsed_date  # noqa: PLC0415 as above

    for name in ("published", "updated", "created"):
        if isinstance(text := _own(entry, name), str):
            moment = when(text) or when(None, parsed_date(text))
            if moment is not None:
                return moment
    return None


def _authors(entry: Mapping[str, Any]) -> Iterator[str]:
    listed = entry.get("authors") or ()
    for author in listed:
        if name := _text(author, "name"):
            yield name
    if not any(_text(author, "name") for author in listed):
        yield _text(entry, "author")


def _language(holder: Mapping[str, Any]) -> str | None:
    """What the element says, else the xml:lang that its parts stand under."""
    if tag := language_tag(_own(holder, "language")):
        return tag
    details = [_own(holder, name) for name in ("title_detail", "summary_detail")]
    details += holder.get("content") or ()
    for detail in details:
        if isinstance(detail, Mapping) and (tag := language_tag(detail.get("language"))):
            return tag
    return None


def _is_text(part: Mapping[str, Any]) -> bool:
    """Whether a content element holds words, and not a picture in base64."""
    kind = _text(part, "type").lower()
    return not kind or kind.startswith("text/") or "html" in kind or "xml" in kind


def _own(holder: Mapping[str, Any], key: str) -> Any:
    """A value of feedparser's dictionary itself, without its aliases for keys of old."""
    return dict.get(cast("dict[str, Any]", holder), key)


def _text(holder: Mapping[str, Any], key: str) -> str:
    value = holder.get(key)
    return value if isinstance(value, str) else ""
