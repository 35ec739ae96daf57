"""Labelled sets of copies and stories, for `bench.stories`; and any other file of their kind.

A file of documents has a JSON object a line, as those of the corpus' `stories` folder. Looked at
are an id, `title`, `text` (without one: `lead`), `day` or `date`, `source`, `url` and `lang`;
whatever is missing is empty. A `day` is a number of days, since the year 1 where that many make
sense, else since 1970; it and `date` may be in any of the forms that the corpus has.
"""

from __future__ import annotations

import gzip
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

from lxml.html import fromstring

Pair = tuple[str, str]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)
_FROM_YEAR_1: Final = 500_000  # days: in 1370, and since 1970 in 3338
_REUTERS: Final = re.compile(r"(\d{1,2}-[A-Z]{3}-\d{4}) (\d{1,2}:\d{2}:\d{2})", re.IGNORECASE)
_ID: Final = ("id", "doc_id", "_id")
_EVENT: Final = 2.0  # SemEval: 1 and 2 are the same event, 3 and 4 are not


class BadFile(ValueError):
    """A file that holds no documents as they are wanted; says where and why, in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An article of a set. `at` None: nobody says when."""

    id: str
    title: str
    text: str
    at: datetime | None = None
    source: str = ""
    url: str = ""
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Stories:
    """Documents, and the event of each."""

    name: str
    documents: Sequence[Document]
    event: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Documents, and pairs of them that are the same (`True`) or are not.

    `wanted`: "pairs" for copies, "story" for reports of one event.
    """

    name: str
    documents: Sequence[Document]
    same: Mapping[Pair, bool]
    wanted: str


@dataclass(frozen=True, slots=True)
class Edits:
    """Articles, and what newsrooms might have made of them; nothing else is a copy.

    `others` are articles that stand there too and are not asked about.
    """

    name: str
    bases: Sequence[Document]
    others: Sequence[Document]
    edits: Sequence[Document]
    kind: Mapping[str, str]  # of each edit
    base: Mapping[str, str]


# --------------------------------------------------------------------------- files


def read_documents(path: Path) -> list[Document]:
    """The documents of a file (`.gz` or plain), as they stand there.

    Raises `BadFile` for what is none, `OSError` for what can't be read.
    """
    documents = [_document(path, number, row) for number, row in _rows(path)]
    if not documents:
        raise BadFile(f"{path}: no documents in it")
    twice = next((key for key, n in Counter(each.id for each in documents).items() if n > 1), None)
    if twice is not None:
        raise BadFile(f"{path}: two documents are called {twice!r}")
    return documents


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The file's objects and the numbers of their lines."""
    try:
        with (gzip.open if _is_packed(path) else open)(path, "rt", encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                except json.JSONDecodeError as error:
                    raise BadFile(
                        f"{path}, line {number}: not JSON ({error.msg}); wanted is one object a line"
                    ) from None
                if not isinstance(row, dict):
                    raise BadFile(f"{path}, line {number}: not a JSON object")
                yield number, row
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
        raise BadFile(f"{path}: neither text in UTF-8 nor packed by gzip ({error})") from None


def _is_packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _document(path: Path, number: int, row: Mapping[str, Any]) -> Document:
    where = f"{path}, line {number}"
    key = next((row[name] for name in _ID if row.get(name) not in (None, "")), None)
    if key is None and {"base", "edit"} <= row.keys():  # an edit is known by what it is made of
        key = f"{row['base']} {row['edit']}"
    if key is None:
        raise BadFile(f"{where}: a document without an id")
    for name in ("title", "text", "lead", "source", "url"):
        if not isinstance(row.get(name) or "", str):
            raise BadFile(f"{where}: its {name} is no text")
    return Document(
        id=str(key),
        title=row.get("title") or "",
        text=row.get("text") or row.get("lead") or "",
        at=_moment(where, row),
        source=row.get("source") or "",
        url=row.get("url") or "",
        language=row.get("lang") or row.get("language") or None,
    )


def _moment(where: str, row: Mapping[str, Any]) -> datetime | None:
    given = next((row[name] for name in ("day", "date") if row.get(name) not in (None, "")), None)
    try:
        if given is None:
            return None
        if isinstance(given, str):
            return _named(given)
        days = float(given)
        if not math.isfinite(days):
            raise ValueError  # noqa: TRY301 (one sentence for all)
        if days >= _FROM_YEAR_1:
            return _FIRST + timedelta(days=days - 1)
        return _EPOCH + timedelta(days=days)
    except (ValueError, TypeError, OverflowError):
        raise BadFile(f"{where}: {given!r} is no day") from None


def _named(text: str) -> datetime:
    """2013-10-09, 2013-10-09T11:46:05+02:00, 26-FEB-1987 15:01:01.79 with rubbish behind."""
    reuters = _REUTERS.match(text.strip())
    if reuters:
        read = datetime.strptime(" ".join(reuters.groups()), "%d-%b-%Y %H:%M:%S")  # noqa: DTZ007
        return read.replace(tzinfo=UTC)
    read = datetime.fromisoformat(text.strip())
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)


# --------------------------------------------------------------------------- the corpus


def stories(corpus: Path, limit: int | None) -> Iterator[Stories]:
    """Every set whose documents have an event each; of `limit` events only, if it is given."""
    for name, file in (
        ("AllSides", "story_allsides.jsonl.gz"),
        ("ECB+", "story_ecb.jsonl"),
        ("UCI, titles only", "story_uci_titles.jsonl"),
    ):
        path = corpus / "stories" / file
        events = {str(row["id"]): str(row["story"]) for _, row in _rows(path)}
        yield _some(Stories(name, read_documents(path), events), limit)
    rows = [row for _, row in _rows(corpus / "neardup" / "ecbplus_docs.jsonl")]
    documents = [
        Document(id=row["id"], title=row["text"].partition("\n")[0], text=row["text"])
        for row in rows
    ]
    events = {row["id"]: row["event"] for row in rows}
    yield _some(Stories("ECB+, topics 1-25", documents, events), limit)


def _some(given: Stories, limit: int | None) -> Stories:
    events = set(islice(dict.fromkeys(given.event.values()), limit))
    documents = [each for each in given.documents if given.event[each.id] in events]
    return Stories(given.name, documents, {each.id: given.event[each.id] for each in documents})


def pairs(corpus: Path, limit: int | None) -> Iterator[Pairs]:
    """Every set of which only pairs are judged; with `limit`, that many of each kind."""
    labelled = [row for _, row in _rows(corpus / "stories" / "copy_real_pairs.jsonl")]
    same = {
        (row["a"], row["b"]): bool(row["label"]) for row in labelled if row["label"] is not None
    }
    documents = read_documents(corpus / "stories" / "copy_real_docs.jsonl")
    yield _judged("copies, real pairs", documents, same, "pairs", limit)

    found: dict[str, Document] = {}
    same = {}
    for _, row in _rows(corpus / "neardup" / "tgcontest_pairs.jsonl"):
        for side in "12":
            one = Document(
                id=row["url" + side],
                title=row["title" + side],
                text=row["text" + side],
                url=row["url" + side],
                language=row["lang"],
            )
            found.setdefault(one.id, one)
        same[row["url1"], row["url2"]] = row["same_story"] is True or row["same_story"] == "True"
    yield _judged("tgcontest", list(found.values()), same, "story", limit)

    found = {}
    within: dict[Pair, bool] = {}
    across: dict[Pair, bool] = {}
    for _, row in _rows(corpus / "neardup" / "semeval2022t8_pairs.jsonl"):
        if row["augmented_suspect"]:  # translated by machine
            continue
        pair = tuple(row["pair_id"].split("_"))
        for side, key in zip("12", pair, strict=True):
            one = Document(id=key, title="", text=row["text" + side], language=row["lang" + side])
            found.setdefault(key, one)
        into = within if row["lang1"] == row["lang2"] else across
        into[pair[0], pair[1]] = float(row["overall"]) <= _EVENT
    every = list(found.values())
    yield _judged("SemEval 2022/8, one language", every, within, "story", limit)
    yield _judged("SemEval 2022/8, two languages", every, across, "story", limit)


def _judged(
    name: str,
    documents: Sequence[Document],
    same: Mapping[Pair, bool],
    wanted: str,
    limit: int | None,
) -> Pairs:
    kept = {
        pair: label
        for label in (True, False)
        for pair in islice((pair for pair, its in same.items() if its is label), limit)
    }
    asked = {key for pair in kept for key in pair}
    return Pairs(
        name, [each for each in documents if each.id in asked or limit is None], kept, wanted
    )


def edits(corpus: Path, limit: int | None) -> Edits:
    """The newsroom's edits of 120 articles, among other articles and pages."""
    bases = read_documents(corpus / "stories" / "copy_edit_bases.jsonl")[:limit]
    known = {each.id for each in bases}
    path = corpus / "stories" / "copy_edits.jsonl.gz"
    rows = [row for _, row in _rows(path) if row["base"] in known]
    made = [_document(path, number, row) for number, row in enumerate(rows, start=1)]
    return Edits(
        "copies, a newsroom's edits",
        bases,
        [
            Document(id=f"other {each.id}", title=each.title, text=each.text)
            for each in read_documents(corpus / "stories" / "copy_real_docs.jsonl")[:limit]
        ],
        made,
        {each.id: row["edit"] for each, row in zip(made, rows, strict=True)},
        {each.id: row["base"] for each, row in zip(made, rows, strict=True)},
    )


def pages(corpus: Path, limit: int | None) -> dict[str, list[Document]]:
    """Pages of which no two are the same: by what was extracted, and with all that is on them.

    An article that the corpus has twice, fetched on two days, is here once.
    """
    index = json.loads((corpus / "articles" / "index.json").read_bytes())[:limit]
    whole, body = [], []
    for each in {(each["publisher"], each["title"]): each for each in index}.values():
        shown = {"id": each["id"], "title": each["title"], "url": each["url"]}
        with gzip.open(corpus / "articles" / each["file"], "rb") as file:
            page = fromstring(file.read())
        for hidden in page.xpath("//script | //style | //noscript | //template"):
            hidden.drop_tree()
        whole.append(Document(text="\n".join(map(str, page.itertext())), **shown))
        body.append(Document(text=each["body"], **shown))
    return {"articles": body, "whole pages": whole}
