"""Cases with known answers, put to the matcher: ``python -m monitor.match.accept FILE.json``.

The file holds a list of cases::

    {"id": "D14", "query": "India NEAR/3 Pakistan", "title": "", "body": "India and its …",
     "meta": {"source": "Dawn"}, "lang": "en", "match": true,
     "spans": [{"field": "body", "start": 0, "end": 5, "text": "India"}], "why": "3 words between"}

Offsets are half-open and count characters. `terms` may stand for `query`. `meta` says what is
known of the article (`source`, `site`, `url`, `lang`, `tag`, `side`, `author`, in the plural too):
a string or a list of them. Without `spans` only the answer is compared; other keys are ignored.

Each failure is printed, what a query that the language refuses is told among them, and in the last
line one JSON object: ``{"cases": 25, "passed": 25}``. Exit status: 0 if all passed, 1 if not, 2 if
the file or a case in it can't be used; such a case gets a sentence on standard error and counts as
not passed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from monitor.errors import ConfigError, QueryError
from monitor.match import Document, compile_watches
from monitor.match.language import parse, rendered
from monitor.model import Watch

Place: TypeAlias = tuple[str, int, int]
"""Field, start and end of a span."""

_ABOUT: Final = {
    "source": "source",
    "sources": "source",
    "site": "site",
    "sites": "site",
    "url": "url",
    "lang": "lang",
    "tag": "tag",
    "tags": "tag",
    "side": "side",
    "sides": "side",
    "author": "author",
    "authors": "author",
}


class CaseError(ValueError):
    """A case can't be used: what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Case:
    """A watch, an article, and what is to be found in it."""

    id: str
    watch: Watch
    document: Document
    match: bool
    places: tuple[Place, ...] | None  # sorted, title first; None: any
    why: str

    @property
    def query(self) -> str | tuple[str, ...]:
        """What is looked for, as the case has it."""
        return self.watch.terms if self.watch.query is None else self.watch.query


@dataclass(frozen=True, slots=True)
class Answer:
    """What the matcher says to a case."""

    match: bool
    places: tuple[Place, ...] = ()
    refusal: str = ""  # why there is no answer: the query can't be read


def case_of(data: object) -> Case:
    """A case out of JSON. Raises `CaseError`."""
    if not isinstance(data, dict):
        raise CaseError("is no object")
    document = _document(data)
    match = data.get("match")
    if not isinstance(match, bool):
        raise CaseError('"match" is neither true nor false')
    places = _places(data.get("spans"), document)
    if places and not match:
        raise CaseError("has spans and is not to match")
    return Case(
        id=_name(data),
        watch=_watch(data),
        document=document,
        match=match,
        places=places,
        why=_string(data, "why"),
    )


def _name(data: Mapping[str, object]) -> str:
    value = data.get("id")
    return str(value) if isinstance(value, str | int) else "?"


def _string(data: Mapping[str, object], key: str) -> str:
    value = data.get(key)
    if value is not None and not isinstance(value, str):
        raise CaseError(f'"{key}" is no string')
    return value or ""


def _strings(value: object, key: str) -> tuple[str, ...]:
    """A string, or a list of them, or nothing."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(each, str) for each in values):
        raise CaseError(f'"{key}" is neither a string nor a list of strings')
    return tuple(values)


def _watch(data: Mapping[str, object]) -> Watch:
    query = data.get("query")
    if isinstance(query, str) and query:
        return Watch(name="case", query=query)
    terms = _strings(query or data.get("terms"), "terms")
    if not terms:
        raise CaseError('has neither a "query" nor "terms"')
    return Watch(name="case", terms=terms)


def _document(data: Mapping[str, object]) -> Document:
    meta = data.get("meta") or {}
    if not isinstance(meta, dict):
        raise CaseError('"meta" is no object')
    known: dict[str, tuple[str, ...]] = {}
    for key, value in meta.items():
        if about := _ABOUT.get(key):
            known[about] = known.get(about, ()) + _strings(value, f"meta.{key}")
    languages = (*_strings(data.get("lang"), "lang"), *known.get("lang", ()))
    return Document(
        title=_string(data, "title"),
        body=_string(data, "body"),
        language=next(iter(languages), None),
        sources=known.get("source", ()),
        sites=(*known.get("site", ()), *_hosts(known.get("url", ()))),
        tags=known.get("tag", ()),
        sides=known.get("side", ()),
        authors=known.get("author", ()),
    )


def _hosts(urls: Sequence[str]) -> Iterator[str]:
    for url in urls:
        try:
            host = urlsplit(url).hostname
        except ValueError:
            host = None
        if not host:
            raise CaseError(f'"meta.url" names no host: {url!r}')
        yield host


def _places(spans: object, document: Document) -> tuple[Place, ...] | None:
    if spans is None:
        return None
    if not isinstance(spans, list):
        raise CaseError('"spans" is no list')
    return _sorted(_place(span, document) for span in spans)


def _place(span: object, document: Document) -> Place:
    if not isinstance(span, dict):
        raise CaseError("a span is no object")
    field, start, end = span.get("field"), span.get("start"), span.get("end")
    if field not in ("title", "body"):
        raise CaseError(f"a span is in {field!r}, not in title or body")
    text = document.title if field == "title" else document.body
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
        raise CaseError(f"a span from {start!r} to {end!r} is not in the {field}")
    if span.get("text", text[start:end]) != text[start:end]:
        raise CaseError(
            f"the {field} from {start} to {end} is {text[start:end]!r}, not {span['text']!r}"
        )
    return field, start, end


def _sorted(places: Iterator[Place]) -> tuple[Place, ...]:
    """In reading order, title before body."""
    return tuple(sorted(places, key=lambda place: (place[0] != "title", place[1:])))


def answer(case: Case) -> Answer:
    """What the matcher finds, asked for this one watch and article."""
    try:
        if case.watch.query is not None:
            parse(case.watch.query)  # says in which column it goes wrong
        matcher = compile_watches([case.watch])
    except QueryError as error:
        return Answer(match=False, refusal=rendered(error))
    except ConfigError as error:
        return Answer(match=False, refusal=str(error))
    hits = matcher.match(case.document)
    spans = (span for hit in hits for span in hit.spans)
    return Answer(bool(hits), _sorted((span.field, span.start, span.end) for span in spans))


def passes(case: Case, given: Answer) -> bool:
    """Whether an answer is the one that is known to be right."""
    same_places = case.places is None or case.places == given.places
    return not given.refusal and case.match == given.match and same_places


def report(case: Case, given: Answer) -> str:
    """A failure, for who has to understand it."""
    if given.refusal:
        got = given.refusal.replace("\n", "\n            ")
    else:
        got = _shown(given.match, given.places, case.document)
    lines = [
        f"{case.id}  {case.query!r}",
        f"  title     {case.document.title!r}",
        f"  body      {case.document.body!r}",
        f"  expected  {_shown(case.match, case.places, case.document)}",
        f"  got       {got}",
        f"  why       {case.why}",
    ]
    return "\n".join(lines) + "\n"


def _shown(match: bool, places: Sequence[Place] | None, document: Document) -> str:
    if not match:
        return "no match"
    if not places:
        return "a match" if places is None else "a match without spans"
    texts = {"title": document.title, "body": document.body}
    return ", ".join(
        f"{field} {start}-{end} {texts[field][start:end]!r}" for field, start, end in places
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Put the cases of a file to the matcher; returns the exit status."""
    options = argparse.ArgumentParser(
        prog="python -m monitor.match.accept", description="Put cases with known answers to it."
    )
    options.add_argument("file", type=Path, help="JSON: a list of cases")
    file: Path = options.parse_args(arguments).file
    try:
        cases = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        sys.stderr.write(f"{file}: {getattr(error, 'strerror', None) or error}\n")
        return 2
    if not isinstance(cases, list):
        sys.stderr.write(f"{file}: is no list of cases\n")
        return 2
    passed = unusable = 0
    for number, data in enumerate(cases, 1):
        try:
            case = case_of(data)
        except CaseError as error:
            name = _name(data) if isinstance(data, dict) else "?"
            sys.stderr.write(f"{file}: case {number} ({name}): {error}\n")
            unusable += 1
            continue
        given = answer(case)
        if passes(case, given):
            passed += 1
        else:
            sys.stdout.write(report(case, given))
    sys.stdout.write(json.dumps({"cases": len(cases), "passed": passed}) + "\n")
    return 2 if unusable else int(passed < len(cases))


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(main())
