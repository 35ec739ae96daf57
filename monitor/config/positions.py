"""Where each key of a TOML document stands, and each character of a text in it.

`tomllib` gives values without positions, so the text is read a second time by tree-sitter, which
gives positions without values; the two are joined by key path. A key path is what leads to a value
in the parsed data: names for tables, indexes for arrays, e.g. ``("feed", 2, "tags", 0)``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

KeyPath: TypeAlias = tuple[str | int, ...]

_TOML = Language(tree_sitter_toml.language())


class Position(NamedTuple):
    """A place in a text: both count from 1, columns in characters (code points)."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Places:
    """The places of a document."""

    keys: Mapping[KeyPath, Position] = field(default_factory=dict)
    """Of every table, key and list item.

    A key's place is where its name begins; a table's is its header (of an array of tables, each
    item has its own); a list item's is the item.
    """
    texts: Mapping[KeyPath, Literal] = field(default_factory=dict)
    """Of every value that is text: as it is written, quotes included."""

    def inside(self, path: KeyPath, offset: int) -> Position | None:
        """Where the character of a text value stands; its end is the closing quote.

        None if there is no text at `path`.
        """
        literal = self.texts.get(path)
        return None if literal is None else literal.place(offset)


class Literal(NamedTuple):
    """A text as it is written."""

    written: str
    start: Position  # of the opening quote

    def place(self, offset: int) -> Position:
        """Where the character of the value stands that is written here."""
        before = self.written[: _written_offset(self.written, offset)]
        lines = before.count("\n")
        if not lines:
            return Position(self.start.line, self.start.column + len(before))
        return Position(self.start.line + lines, len(before) - before.rfind("\n"))


_PIECE = re.compile(
    r"\\[ \t]*\r?\n[ \t\r\n]*"  # a line continued on the next: stands for nothing
    r"|\\(?:u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2}|.)"
    r"|\r\n"  # tomllib reads it as one character
    r"|.",
    re.DOTALL,
)


def _written_offset(written: str, offset: int) -> int:
    """Where in a text with its quotes the character of its value at `offset` is written."""
    quote = written[:3] if written[:3] in {"'''", '"""'} else written[:1]
    at = len(quote)
    if len(quote) == 3:  # a line end right behind the quotes is not part of the value
        at += next((len(end) for end in ("\r\n", "\n") if written.startswith(end, at)), 0)
    last = len(written) - len(quote)
    while at < last:
        piece = _PIECE.match(written, at)
        assert piece is not None
        size = len(piece[0])
        if piece[0].startswith("\\"):
            if quote[0] == "'":
                size = 1  # a backslash like any other character
            elif piece[0][1] in " \t\r\n":
                at += size
                continue
        if not offset:
            break
        offset -= 1
        at += size
    return at


def places(text: str) -> Places:
    """The places of a valid TOML document."""
    source = text.encode()
    walk = _Walk(source.split(b"\n"))
    base: KeyPath = ()
    for node in Parser(_TOML).parse(source).root_node.named_children:
        if node.type == "pair":  # before the first header
            walk.pair(base, node)
        elif node.type in {"table", "table_array_element"}:
            walk.table(node)
    return Places(walk.found, walk.texts)


class Extent(NamedTuple):
    """The lines of an item of an array of tables, from its header to its last key."""

    first: int  # line of its header, from 0
    end: int  # the line behind its last


def extents(text: str, kind: str) -> tuple[Extent, ...]:
    """The extents of all ``[[kind]]`` of a valid TOML document, with the tables below them.

    An item whose tables below stand elsewhere, behind other tables, ends before those.
    """
    found: list[Extent] = []
    is_open = False
    for node in Parser(_TOML).parse(text.encode()).root_node.named_children:
        if node.type not in {"table", "table_array_element"}:
            continue
        header, *rest = node.named_children
        names = [name for name, _ in _names(header)]
        lines = [child for child in (header, *rest) if child.type != "comment"]
        end = lines[-1].end_point[0] + 1
        if names == [kind] and node.type == "table_array_element":
            found.append(Extent(node.start_point[0], end))
            is_open = True
        elif names[0] == kind and is_open:
            found[-1] = found[-1]._replace(end=end)
        else:
            is_open = False
    return tuple(found)


@dataclass(slots=True)
class _Walk:
    """The state of one reading of a syntax tree."""

    lines: list[bytes]
    found: dict[KeyPath, Position] = field(default_factory=dict)
    texts: dict[KeyPath, Literal] = field(default_factory=dict)
    last: dict[KeyPath, int] = field(default_factory=dict)  # array of tables → index of its last

    def at(self, node: Node) -> Position:
        """A node's place; tree-sitter counts columns in bytes from 0."""
        row, column = node.start_point
        return Position(row + 1, len(self.lines[row][:column].decode(errors="replace")) + 1)

    def table(self, node: Node) -> None:
        """A header and the pairs below it."""
        header, *pairs = node.named_children
        parts = [name for name, _ in _names(header)]
        path = (*self.current(parts[:-1]), parts[-1])
        if node.type == "table_array_element":
            self.found.setdefault(path, self.at(node))
            self.last[path] = self.last.get(path, -1) + 1
            path = (*path, self.last[path])
        elif path in self.last:
            path = (*path, self.last[path])
        for depth in range(1, len(path)):
            self.found.setdefault(path[:depth], self.at(node))
        self.found[path] = self.at(node)
        for pair in pairs:
            if pair.type == "pair":
                self.pair(path, pair)

    def current(self, parts: list[str]) -> KeyPath:
        """The path of a header's leading names: arrays of tables mean their last table."""
        path: KeyPath = ()
        for part in parts:
            path = (*path, part)
            if path in self.last:
                path = (*path, self.last[path])
        return path

    def pair(self, base: KeyPath, node: Node) -> None:
        """``key = value`` or ``dotted.key = value``."""
        key, *rest = node.named_children
        path = base
        for name, leaf in _names(key):
            path = (*path, name)
            self.found.setdefault(path, self.at(leaf))
        for value in rest:
            self.value(path, value)

    def value(self, path: KeyPath, node: Node) -> None:
        """A text, and what stands inside lists and inline tables."""
        if node.type == "string":
            self.texts[path] = Literal((node.text or b"").decode(), self.at(node))
        elif node.type == "inline_table":
            for pair in node.named_children:
                if pair.type == "pair":
                    self.pair(path, pair)
        elif node.type == "array":
            items = (child for child in node.named_children if child.type != "comment")
            for index, item in enumerate(items):
                self.found[*path, index] = self.at(item)
                self.value((*path, index), item)


def _names(key: Node) -> list[tuple[str, Node]]:
    """The names that a key is made of, each with its node."""
    if key.type == "dotted_key":
        return [pair for part in key.named_children for pair in _names(part)]
    text = (key.text or b"").decode()
    if key.type == "quoted_key":
        name: str = tomllib.loads(f"key = {text}")["key"]
        return [(name, key)]
    return [(text, key)]
