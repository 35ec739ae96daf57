"""A watch as somebody types it: fields in, a watch or mistakes out. Pure.

Nothing that was typed is lost: what is wrong stays in its field, and what is wrong with it stands
beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import ValidationError

from monitor import config
from monitor.config.models import WatchTable
from monitor.errors import QueryError
from monitor.match.language import rendered
from monitor.model import Watch

FIELDS: Final = ("of", "name", "kind", "text", "channel", "priority", "min_publishers")
"""What a form holds; `of` is the name of the watch that is edited, if one is."""

_DEFAULTS: Final = {"kind": "query", "priority": "normal", "min_publishers": "1"}
_KEYS: Final = {"terms": "text", "query": "text"}
_LONGEST: Final = 20_000  # characters of a query


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What was typed, and what it means."""

    fields: Mapping[str, str]
    mistakes: Mapping[str, str] = field(default_factory=dict)  # by field
    picture: str = ""  # of what is wrong in the query, as the terminal shows it
    watch: Watch | None = None  # what it looks for; None while that can't be told

    @property
    def name(self) -> str:
        """Of the watch."""
        return self.fields["of"] or self.fields["name"].strip()

    @property
    def is_empty(self) -> bool:
        """Whether nothing to look for was typed."""
        return not self.fields["text"].strip()

    @property
    def is_ready(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.watch is not None and not self.mistakes

    def table(self) -> Mapping[str, object]:
        """Its keys as they are to stand in the file."""
        return {"name": self.name, **_keys(self.fields)}

    def changes(self, known: Watch) -> Mapping[str, object]:
        """The keys by which the file's table is to differ; one that is None goes."""
        before = {"name": known.name, **_keys(fields_of(known))}
        after = self.table()
        return {
            key: after.get(key)
            for key in dict.fromkeys((*after, *before))
            if after.get(key) != before.get(key)
        }


def fields_of(watch: Watch) -> Mapping[str, str]:
    """A watch as a form would hold it."""
    return {
        "of": watch.name,
        "name": watch.name,
        "kind": "query" if watch.query is not None else "terms",
        "text": watch.query if watch.query is not None else "\n".join(watch.terms),
        "channel": watch.channel or "",
        "priority": watch.priority,
        "min_publishers": str(watch.min_publishers),
    }


def empty() -> Draft:
    """A form that nobody has typed into."""
    return Draft(fields={name: _DEFAULTS.get(name, "") for name in FIELDS})


def draft(
    typed: Mapping[str, str], known: Watch | None, taken: Collection[str], *, to_save: bool = False
) -> Draft:
    """What was typed: an edit of a `known` watch, or a new one.

    `taken`: names that watches have. Unless it is `to_save` it needs no name.
    """
    # a form's line ends are CR LF, whatever was typed
    fields = {
        name: typed.get(name, _DEFAULTS.get(name, "")).replace("\r\n", "\n") for name in FIELDS
    }
    fields["of"] = known.name if known else ""
    mistakes = dict(_mistakes(fields, known, taken, to_save=to_save))
    picture = ""
    watch: Watch | None = None
    text = fields["text"].strip()
    if text and "text" not in mistakes:
        try:
            watch = _watch(fields, known)
        except QueryError as error:
            mistakes["text"] = f"{_place(error)}{error.message}"
            picture = rendered(error).partition("\n")[2]  # its sentence stands beside it
    return Draft(fields=fields, mistakes=mistakes, picture=picture, watch=watch)


def _watch(fields: Mapping[str, str], known: Watch | None) -> Watch:
    keys = _keys(fields)
    base = known or Watch(name=fields["name"].strip() or "new")
    if fields["kind"] == "terms":
        lines = _lines(fields["text"])
        return replace(base, terms=tuple(lines), query=None)
    config.checked(fields["text"])
    query = keys["query"]
    assert isinstance(query, str)
    return replace(base, terms=(), query=query)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _keys(fields: Mapping[str, str]) -> dict[str, Any]:
    """The keys of a table but its name, without those that have their default."""
    keys: dict[str, Any] = {}
    if fields["kind"] == "terms":
        keys["terms"] = _lines(fields["text"])
    else:
        keys["query"] = fields["text"].strip()
    if channel := fields["channel"].strip():
        keys["channel"] = channel
    if (priority := fields["priority"]) != "normal":
        keys["priority"] = priority
    if (publishers := _number(fields["min_publishers"])) != 1:
        keys["min_publishers"] = publishers
    return keys


def _number(typed: str) -> object:
    """The number, if it is one."""
    digits = typed.strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 10 else digits


def _mistakes(
    fields: Mapping[str, str], known: Watch | None, taken: Collection[str], *, to_save: bool
) -> Iterator[tuple[str, str]]:
    """What is wrong, by field; what is wrong inside a query is not looked at."""
    name = fields["name"].strip()
    if known is None:
        if not name and to_save:
            yield "name", "is needed to save it"
        elif config.folded(name) in {config.folded(each) for each in taken}:
            yield "name", "is another watch's name already: choose one of its own"
    if len(fields["text"]) > _LONGEST:
        yield "text", f"must be at most {_LONGEST:,} characters"
        return
    keys = _keys(fields)
    if not _lines(fields["text"]):  # said by who needs it
        if to_save:
            yield "text", "is empty: say what to look for"
        keys = {key: value for key, value in keys.items() if key not in _KEYS} | {"terms": ["x"]}
    if "query" in keys:
        if not keys["query"].isprintable() and _control(keys["query"]):
            yield "text", "must not hold control characters"
        keys = {key: value for key, value in keys.items() if key != "query"} | {"terms": ["x"]}
    try:
        WatchTable.model_validate({"name": name or "x", **keys})
    except ValidationError as error:
        for each in error.errors(include_url=False, include_input=False):
            key = str(each["loc"][0])
            said = str(each.get("ctx", {}).get("error", each["msg"])).split("\n", 1)[0]
            if key == "terms" and len(each["loc"]) > 1:
                said = f"line {int(each['loc'][1]) + 1} {said}"
            yield _KEYS.get(key, key), said


def _control(text: str) -> bool:
    return any(ord(char) < 32 and char not in "\n\t" for char in text)


def _place(error: QueryError) -> str:
    """Where, in words: a caret can be seen, but not heard."""
    before = error.text[: error.start]
    row, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    several = "\n" in error.text.strip()
    return f"line {row}, column {column}: " if several else f"column {column}: "
