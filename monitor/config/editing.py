"""Edits of `feeds.toml` by a program: text in, text out.

::

    text = with_watch(text, {"name": "Floods", "terms": ["flood", "बाढ़"]})
    text = changed_watch(text, "Floods", {"priority": "critical", "channel": None})
    text = without_feed(text, "https://example.org/rss.xml")

The file belongs to people. So an edit touches the lines of its own table and leaves every other
byte as it is: comments, order, blank lines, line ends. What is new is written as its neighbours
are: how they quote, indent and align. In the lines of a table, tomlkit changes the keys.

Each edit is read again before it is handed out, and says what was asked for, or `Refused` is raised.
Whether the whole makes sense as a configuration is not judged here: see `writing`.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, TypeAlias

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array, Item, SingleKey
from tomlkit.items import Table as EditableTable

from monitor.config.addresses import http_url, same_url
from monitor.config.document import quoted
from monitor.config.positions import Extent, extents
from monitor.config.values import did_you_mean
from monitor.errors import Refused

Table: TypeAlias = Mapping[str, object]
"""The keys of a table, in the order in which they are to be written."""

_BY_HAND: Final = "edit the file by hand"


# ------------------------------------------------------------------------------ watches and feeds


def with_watch(text: str, watch: Table) -> str:
    """The file with another ``[[watch]]``, behind those it has. Raises `Refused`."""
    return with_table(text, "watch", watch)


def changed_watch(text: str, name: str, changes: Table) -> str:
    """The file with other values of a watch's keys; one that is None goes. Raises `Refused`."""
    return changed_table(text, "watch", _watch(text, name), changes)


def without_watch(text: str, name: str) -> str:
    """The file without a watch. Raises `Refused` if it has none of that name."""
    return without_table(text, "watch", _watch(text, name))


def with_feed(text: str, feed: Table) -> str:
    """The file with another ``[[feed]]``, behind those it has. Raises `Refused`."""
    return with_table(text, "feed", feed)


def with_feeds(text: str, feeds: Sequence[Table]) -> str:
    """The file with more ``[[feed]]``, behind those it has. Raises `Refused`."""
    return with_tables(text, "feed", feeds)


def changed_feed(text: str, name_or_url: str, changes: Table) -> str:
    """The file with other values of a feed's keys; one that is None goes. Raises `Refused`."""
    return changed_table(text, "feed", _feed(text, name_or_url), changes)


def without_feed(text: str, name_or_url: str) -> str:
    """The file without a feed. Raises `Refused` if there is none that goes by that."""
    return without_table(text, "feed", _feed(text, name_or_url))


def _watch(text: str, name: str) -> int:
    return _number(text, "watch", name, {"name": str.strip})


def _feed(text: str, name_or_url: str) -> int:
    return _number(text, "feed", name_or_url, {"url": _url, "name": str.strip})


def _url(text: str) -> str:
    """What URLs that mean the same have in common; other text has only itself."""
    try:
        return same_url(http_url(text))
    except ValueError:
        return text.strip()


def _number(text: str, kind: str, wanted: str, by: Mapping[str, Callable[[str], str]]) -> int:
    """Which of the tables of a kind is meant, by the first of these keys that tells.

    Raises `Refused` if none is, or several are.
    """
    tables = _tables(_parsed(text), kind)
    for key, same in by.items():
        found = [
            number
            for number, table in enumerate(tables)
            if isinstance(table.get(key), str) and same(table[key]) == same(wanted)
        ]
        if len(found) > 1:
            raise Refused(f"the file has more than one {kind} {quoted(wanted)}; {_BY_HAND}")
        if found:
            return found[0]
    names = [table["name"] for table in tables if isinstance(table.get("name"), str)]
    hint = did_you_mean(wanted, names)
    raise Refused(f"the file has no {kind} {quoted(wanted)}{hint}")


# ------------------------------------------------------------------------------ tables


def with_table(text: str, kind: str, table: Table) -> str:
    """The file with another table of a kind, behind those it has, in their style."""
    return with_tables(text, kind, (table,))


def with_tables(text: str, kind: str, tables: Sequence[Table]) -> str:
    """The file with more tables of a kind, behind those it has, in their style."""
    if not tables:
        return text
    data = _parsed(text)
    data[kind] = [*_tables(data, kind), *map(_plain, tables)]
    source = _Source.of(text)
    blocks = source.extents(kind)
    style = _Style.of(source, kind)
    at = source.with_comments_below(blocks[-1]) if blocks else source.end
    before, after = source.lines[:at], source.lines[at:]
    gap = style.blank_lines if blocks else 1
    lines: list[str] = []
    for table in tables:
        is_first = not (before or lines)
        lines += [""] * (0 if is_first else gap)
        lines += style.written(kind, table)
    return source.checked(
        (
            *before,
            *source.made(lines),
            *source.made([""] * (gap if after and after[0].strip() else 0)),
            *after,
        ),
        data,
    )


def changed_table(text: str, kind: str, number: int, changes: Table) -> str:
    """The file with other values in the table of a kind with that number, from 0."""
    data = _parsed(text)
    table = _tables(data, kind)[number]
    source = _Source.of(text)
    extent = source.extent(kind, number)
    block = "".join(source.lines[extent.first : extent.end]).replace("\r\n", "\n")
    try:
        document = tomlkit.parse(block)
        editable = document[kind][0]
        assert isinstance(editable, EditableTable)
        _change(editable, table, changes, _Style.of(source, kind), block)
        new = document.as_string().rstrip("\n").split("\n")
    except (TOMLKitError, LookupError, AssertionError, ValueError):
        raise Refused(f"this {kind} is written in a way of its own; {_BY_HAND}") from None
    for key, value in changes.items():
        table.pop(key, None)
        if value is not None:
            table[key] = _plain_value(value)
    lines = (*source.lines[: extent.first], *source.made(new), *source.lines[extent.end :])
    return source.checked(lines, data)


def without_table(text: str, kind: str, number: int) -> str:
    """The file without the table of a kind with that number, from 0.

    A comment right above its header goes with it, as it says what the table is for; that of the
    first table stays, as it often says what all of them are for.
    """
    data = _parsed(text)
    del _tables(data, kind)[number]
    if not data[kind]:
        del data[kind]
    source = _Source.of(text)
    extent = source.extent(kind, number)
    first, end = extent.first, source.with_comments_below(extent)
    while number and source.is_comment(first - 1):
        first -= 1
    if first == 0 or source.is_blank(first - 1):  # the blank lines behind it go with it
        while source.is_blank(end):
            end += 1
    if end == len(source.lines):
        while source.is_blank(first - 1):
            first -= 1
    return source.checked((*source.lines[:first], *source.lines[end:]), data)


def written(kind: str, table: Table, like: str = "") -> str:
    """The lines of a table by themselves, in the style of a file, to be pasted into it."""
    style = _Style.of(_Source.of(like), kind)
    return "\n".join(style.written(kind, table)) + "\n"


def _parsed(text: str) -> dict[str, Any]:
    """The file's data. Raises `Refused` if it is not TOML: nothing can be edited in such a file."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        raise Refused(
            "the file is not valid TOML at present (`monitor check` says where): mend it first"
        ) from None


def _tables(data: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    tables = data.get(kind, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise Refused(f"the file's {kind} is no list of tables; {_BY_HAND}")
    return tables


def _plain(table: Table) -> dict[str, Any]:
    return {key: _plain_value(value) for key, value in table.items() if value is not None}


def _plain_value(value: object) -> Any:
    if isinstance(value, Mapping):
        return _plain(value)
    if isinstance(value, (list, tuple)):
        return [_plain_value(each) for each in value]
    return value


# ------------------------------------------------------------------------------ the text


@dataclass(frozen=True, slots=True)
class _Source:
    """A file's text as lines with their ends."""

    lines: Sequence[str]
    newline: str  # that most of them have

    @classmethod
    def of(cls, text: str) -> _Source:
        newline = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
        return cls(re.findall(r"[^\n]*\n|[^\n]+", text), newline)

    @property
    def end(self) -> int:
        """The line behind the last that is not blank."""
        full = [number for number, line in enumerate(self.lines) if line.strip()]
        return full[-1] + 1 if full else 0

    def made(self, lines: Iterable[str]) -> Iterator[str]:
        """Lines of our own, with the ends that this file's have."""
        return (f"{line}{self.newline}" for line in lines)

    def extents(self, kind: str) -> tuple[Extent, ...]:
        return extents("".join(self.lines), kind)

    def extent(self, kind: str, number: int) -> Extent:
        blocks = self.extents(kind)
        if number >= len(blocks):
            raise Refused(f"the file lists what it has of {kind} in a way of its own; {_BY_HAND}")
        return blocks[number]

    def is_comment(self, number: int) -> bool:
        """Whether there is such a line, and it is nothing else."""
        return 0 <= number < len(self.lines) and self.lines[number].lstrip().startswith("#")

    def is_blank(self, number: int) -> bool:
        """Whether there is such a line, and nothing is in it."""
        return 0 <= number < len(self.lines) and not self.lines[number].strip()

    def with_comments_below(self, extent: Extent) -> int:
        """The line behind an extent, and behind the comments that belong to it.

        Those stand right below its last key; but what touches the next header is that one's.
        """
        end = extent.end
        while self.is_comment(end):
            end += 1
        touches = end < len(self.lines) and self.lines[end].lstrip().startswith("[")
        return extent.end if touches else end

    def checked(self, lines: Iterable[str], data: dict[str, Any]) -> str:
        """The text of these lines, if it says this."""
        text = "".join(line if line.endswith("\n") else f"{line}{self.newline}" for line in lines)
        try:
            is_right = _stripped(tomllib.loads(text)) == _stripped(data)
        except (ValueError, RecursionError):  # dotted keys go deeper than any walk through them
            is_right = False
        if not is_right:
            raise Refused(f"this file is written in a way of its own; {_BY_HAND}")
        return text


def _stripped(value: Any) -> Any:
    """The data without blanks around its texts: a query's own lines begin and end with some."""
    match value:
        case str():
            return value.strip()
        case dict():
            return {key: _stripped(each) for key, each in value.items()}
        case list():
            return [_stripped(each) for each in value]
        case _:
            return value


# ------------------------------------------------------------------------------ style

_PAIR: Final = re.compile(r"([ \t]*)([\w-]+)([ \t]*)=([ \t]*)(\S?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Style:
    """How a file writes its tables, as far as its last ones tell."""

    indent: str = ""
    before: str = " "  # what stands on either side of =
    after: str = " "
    aligned: bool = False  # whether all = stand in one column
    quote: str = '"'
    blank_lines: int = 1  # between two tables

    @classmethod
    def of(cls, source: _Source, kind: str) -> _Style:
        blocks = source.extents(kind)
        tables = [
            [pair for line in source.lines[first:end] if (pair := _PAIR.match(line))]
            for first, end in blocks[-_LOOKED_AT:]
        ]
        pairs = [pair for table in tables for pair in table]
        if not pairs:
            return cls() if kind == "feed" else _Style.of(source, "feed")
        uneven = [table for table in tables if len({len(pair[2]) for pair in table}) > 1]
        aligned = bool(uneven) and all(
            len({pair.start(4) for pair in table}) == 1 for table in uneven
        )
        gaps = [
            sum(source.is_blank(line) for line in range(one.end, other.first))
            for one, other in pairwise(blocks)
        ]
        quotes = Counter(pair[5] for pair in pairs if pair[5] in {'"', "'"})
        return cls(
            indent=pairs[0][1],
            before=" " if aligned else Counter(pair[3] for pair in pairs).most_common(1)[0][0],
            after=Counter(pair[4] for pair in pairs).most_common(1)[0][0],
            aligned=aligned,
            quote="'" if quotes["'"] > quotes['"'] else '"',
            blank_lines=min(gaps[-_LOOKED_AT:], default=1),
        )

    def separator(self, key: str, width: int) -> str:
        """What stands between a key and its value; `width` is that of the longest key."""
        before = self.before + " " * (width - len(key)) if self.aligned else self.before
        return f"{before}={self.after}"

    def written(self, kind: str, table: Table) -> list[str]:
        """The lines of a table."""
        pairs = [(key, value) for key, value in table.items() if value is not None]
        width = max((len(key) for key, value in pairs if not _is_dotted(value)), default=0)
        lines = [f"[[{kind}]]"]
        for key, value in pairs:
            if not _is_dotted(value):
                lines.append(f"{self.indent}{key}{self.separator(key, width)}{self.value(value)}")
                continue
            assert isinstance(value, Mapping)
            for part, spellings in value.items():
                name = f"{key}.{tomlkit.key(part).as_string()}"
                lines.append(f"{self.indent}{name} = {self.value(spellings)}")
        return "\n".join(lines).split("\n")

    def value(self, value: object) -> str:
        """A value as it is written."""
        match value:
            case str():
                return self.text(value)
            case list() | tuple():
                line = ", ".join(self.value(each) for each in value)
                if len(line) <= _LONG_LIST:
                    return f"[{line}]"
                return "\n".join(("[", *(f"  {self.value(each)}," for each in value), "]"))
            case Mapping():
                inside = ", ".join(
                    f"{tomlkit.key(key).as_string()} = {self.value(each)}"
                    for key, each in value.items()
                )
                return f"{{ {inside} }}"
            case _:
                return tomlkit.item(value).as_string()

    def text(self, text: str) -> str:
        """A text in the quotes that suit it."""
        if "\n" in text:
            return _in_lines(text)
        if '"' not in text and "\\" not in text and (self.quote == '"' or "'" in text):
            return tomlkit.string(text).as_string()
        for multiline in (False, True):
            try:
                return tomlkit.string(text, literal=True, multiline=multiline).as_string()
            except TOMLKitError:
                continue
        return tomlkit.string(text).as_string()


_LOOKED_AT: Final = 50  # tables
_LONG_LIST: Final = 100  # characters of one that gets a line for each of its items


def _is_dotted(value: object) -> bool:
    """Whether a value is written as keys of its own: ``variants.ceasefire = […]``."""
    return isinstance(value, Mapping) and any(
        isinstance(each, (list, tuple)) for each in value.values()
    )


def _in_lines(text: str, indent: str = "") -> str:
    """A text of one line or several, between quotes on lines of their own."""
    inside = f"{indent}{text.strip()}\n"
    try:
        quoted_text = tomlkit.string(inside, literal=True, multiline=True).as_string()
    except TOMLKitError:  # it holds three quotes
        quoted_text = tomlkit.string(inside, multiline=True).as_string()
    return f"{quoted_text[:3]}\n{quoted_text[3:]}"


def _change(
    editable: EditableTable, table: Mapping[str, Any], changes: Table, style: _Style, block: str
) -> None:
    """Give a table's keys other values."""
    pairs = [pair for line in block.split("\n")[1:] if (pair := _PAIR.match(line))]
    for key, value in changes.items():
        if value is None:
            editable.pop(key, None)
        elif key not in table:
            separator = style.separator(key, len(key))
            if pairs and style.aligned:
                separator = (
                    f"{' ' * max(1, pairs[0].start(4) - 1 - len(pairs[0][1] + key))}={style.after}"
                )
            item = tomlkit.value(style.value(value))
            item.trivia.indent = pairs[0][1] if pairs else style.indent
            editable.append(SingleKey(key, sep=separator), item)
        elif _stripped(_plain_value(value)) != _stripped(table[key]):
            old = editable[key]
            if isinstance(old, EditableTable) and isinstance(value, Mapping):
                _change_below(old, table[key], value, style)
            elif not (isinstance(old, Array) and _edit_list(old, table[key], value, style)):
                editable[key] = _replacement(table[key], value, style)


def _change_below(old: EditableTable, was: Table, value: Table, style: _Style) -> None:
    """Give the keys below a key, ``variants.ceasefire = […]``, other values."""
    for key in was:
        if key not in value:
            del old[key]
    for key, each in value.items():
        if key not in was or _plain_value(each) != was[key]:
            old[key] = tomlkit.value(style.value(each))


def _replacement(was: object, value: object, style: _Style) -> Item:
    """A value in place of another: a text that stood on lines of its own goes on doing so."""
    if isinstance(value, str) and isinstance(was, str) and was.endswith("\n"):
        first = next((line for line in was.split("\n") if line.strip()), "")
        return tomlkit.value(_in_lines(value, first[: len(first) - len(first.lstrip())]))
    return tomlkit.value(style.value(value))


def _edit_list(old: Array, was: object, value: object, style: _Style) -> bool:
    """Take out of a list what is gone, and add what is new; False if that isn't all."""
    assert isinstance(was, list)
    if not isinstance(value, (list, tuple)) or len(set(map(repr, was))) < len(was):
        return False
    kept = [each for each in was if each in value]
    if not kept or list(value[: len(kept)]) != kept:
        return False
    for each in [each for each in was if each not in value]:
        old.remove(each)
    for each in value[len(kept) :]:
        old.append(tomlkit.value(style.value(each)))
    return True
