"""Reading the file: bytes → data whose every value knows where it stands."""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monitor.config.positions import KeyPath, Places, Position, places
from monitor.config.values import without_secrets
from monitor.errors import ConfigError, Mistake, is_exhaustion

_NAMED = {"feed", "watch", "webhook"}  # arrays of tables whose items have a name
_LABEL_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file with the place of each of its values."""

    file: str
    data: dict[str, Any]
    places: Places = field(default_factory=Places)
    origins: Mapping[KeyPath, str] = field(default_factory=dict)
    """Values that came from the environment instead, with the variable's name."""

    def place(self, path: KeyPath) -> Position:
        """Where a value stands, or else the nearest table around it."""
        for length in range(len(path), 0, -1):
            if found := self.places.keys.get(path[:length]):
                return found
        return Position(0, 0)

    def places_of(self, kind: str) -> Mapping[str, Position]:
        """Where the tables of a kind begin, by their names."""
        return {
            table["name"].strip(): self.place((kind, index))
            for index, table in self.tables(kind)
            if isinstance(table.get("name"), str)
        }

    def tables(self, kind: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """The tables of a kind that are tables, with their numbers."""
        tables = self.data.get(kind)
        if isinstance(tables, list):
            yield from ((n, table) for n, table in enumerate(tables) if isinstance(table, dict))

    def mistake(
        self,
        path: KeyPath,
        message: str,
        label_path: KeyPath | None = None,
        *,
        offset: int | None = None,
    ) -> Mistake:
        """What is wrong with the value at `path`, said of what is at `label_path`.

        `offset`: it is this character of the text there, quotes not counted.
        """
        if variable := self.origins.get(path):
            return Mistake(without_secrets(f"{variable}: {message}"))
        inside = None if offset is None else self.places.inside(path, offset)
        where = inside or self.place(path)
        label = self._label(path if label_path is None else label_path)
        return Mistake(
            without_secrets(f"{label}: {message}" if label else message),
            self.file,
            where.line,
            where.column,
        )

    def _label(self, path: KeyPath) -> str:
        """`feed "BBC": url`, without the indexes of list items: the column tells those."""
        if len(path) >= 2 and path[0] in _NAMED and isinstance(path[1], int):
            head, rest = self.title(str(path[0]), path[1]), path[2:]
        else:
            head, rest = "", path
        names = [str(part) for part in rest if isinstance(part, str)]
        return ": ".join([head, *names] if head else names)

    def title(self, kind: str, index: int) -> str:
        """What an operator would call a feed, a watch or a webhook: its name, else its number."""
        table = self.data[kind][index]
        name = table.get("name") if isinstance(table, dict) else None
        if isinstance(name, str) and name.strip():
            return f"{kind} {quoted(name.strip())}"
        return f"{kind} {index + 1}"


def quoted(text: str) -> str:
    """The text in quotes, on one line and not too long."""
    line = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return f'"{line[: _LABEL_LENGTH - 1]}…"' if len(line) > _LABEL_LENGTH else f'"{line}"'


def read(path: Path) -> Document:
    """The document in a file. Raises `ConfigError` if there is none or it is not TOML."""
    return read_text(decoded(path, content_of(path)), path)


def read_text(text: str, path: Path) -> Document:
    """The document that a text would be at this path. Raises `ConfigError` if it is not TOML."""
    if not text.strip():
        # An editor, a full disk or a half-done copy leaves this behind; nobody means it.
        raise _error(path, "the file is empty; see the feeds.toml that ships with monitor")
    try:
        data = tomllib.loads(text)
        return Document(str(path), data, places(text))
    except RecursionError:
        raise _error(path, "lists or tables are nested too deeply") from None
    except ValueError as error:
        message, where = _syntax(text, str(error))
        raise _error(path, message, where) from None


def read_what_parses(path: Path) -> tuple[Document, Sequence[str]]:
    """The document in a file as far as it is TOML, and the lines that are not. Raises nothing.

    Each section is read by itself, without the lines at which its reading ends. Places are not
    known.
    """
    try:
        text = path.read_bytes().removeprefix(codecs.BOM_UTF8).decode(errors="replace")
    except OSError:
        return Document(str(path), {}), ()
    data: dict[str, Any] = {}
    lost: list[str] = []
    for section in _sections(text):
        for key, value in _parsed(section, lost).items():
            known = data.setdefault(key, value)
            if known is value:
                continue
            if isinstance(known, list) and isinstance(value, list):
                known.extend(value)
            elif isinstance(known, dict) and isinstance(value, dict):
                data[key] = {**value, **known}
    return Document(str(path), data), lost


_HEADER = re.compile(r"\s*\[\[?\s*[A-Za-z_][\w-]*\s*([]#]|$)")  # of no table below another
_MOST_LOST = 20  # lines of a section


def _sections(text: str) -> Iterator[list[str]]:
    section: list[str] = []
    for line in text.splitlines():
        if _HEADER.match(line):
            yield section
            section = []
        section.append(line)
    yield section


def _parsed(section: list[str], lost: list[str]) -> dict[str, Any]:
    """A section without the lines that can't be read, which go to `lost`."""
    left = list(section)
    for _ in range(_MOST_LOST):
        try:
            return tomllib.loads("\n".join(left))
        except RecursionError:
            break
        except ValueError as error:
            match = _AT.fullmatch(str(error))
            number = (
                int(match[2]) if match and match[2] else len("\n".join(left).rstrip().split("\n"))
            )
            at = min(number, len(left)) - 1
            if at == 0 or not left[at]:  # its header, or nothing to leave out
                break
            lost.append(left[at])
            left[at] = ""
    lost.extend(filter(None, left))
    return {}


def _error(path: Path, message: str, where: Position = Position(0, 0)) -> ConfigError:
    return ConfigError((Mistake(without_secrets(message), str(path), where.line, where.column),))


def content_of(path: Path) -> bytes:
    """The bytes of the configuration file. Raises `ConfigError` if it can't be read, `OSError` if nothing can."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise _error(
            path,
            "there is no such file; create it, or say where it is: --config, or MONITOR_CONFIG",
        ) from None
    except IsADirectoryError:
        raise _error(
            path, "is a folder, not a file; name the file itself: --config, or MONITOR_CONFIG"
        ) from None
    except OSError as error:
        if is_exhaustion(error):
            raise  # no mistake in it
        reason = error.strerror or type(error).__name__
        raise _error(path, f"the file can't be read: {reason}") from None


def decoded(path: Path, content: bytes) -> str:
    """The text of the file, without a byte order mark. Raises `ConfigError` if it is none."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _error(path, "the file is saved as UTF-16; save it as UTF-8")
    content = content.removeprefix(codecs.BOM_UTF8)  # some Windows editors write one
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        where = Position(before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise _error(path, "the file is not in UTF-8 from here on; save it as UTF-8", where) from (
            None
        )


# ------------------------------------------------------------------------------ syntax errors

_AT = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)

_PLAIN_WORDS = (
    # tomllib's words, and ours
    ("Invalid statement", "is neither a [section], nor a [[feed]], nor key = value"),
    ("Expected newline or end", "nothing may follow a value on its line but a # comment"),
    ("Expected '=' after", "expected = after the key"),
    ("Illegal character '\\n'", "a quote that was opened on this line is not closed"),
    ("Found invalid character '\\n'", "a quote that was opened on this line is not closed"),
    ("Invalid value", 'the value is missing, or is text without "quotes"'),
    ("Unclosed array", 'in a list, "," or its closing "]" was expected here'),
    ("Unclosed inline table", 'in a table, "," or its closing "}" was expected here'),
    ("Unescaped '\\'", "a backslash must be written twice, or the text be put in 'single quotes'"),
    ("Unterminated string", "a text in triple quotes is not closed"),
    ("Expected \"'''", "a text in triple quotes is not closed"),
    ("Expected \"'", "a quote that was opened on this line is not closed"),
    ("Invalid initial character", "is no name for a key: use letters, digits, _ and -"),
    ("Expected ']' at", 'the section\'s header lacks its closing "]"'),
    ("Expected ']]' at", 'the header lacks its closing "]]"'),
    ("Invalid date", "is no date; text must be in quotes"),
    ("Cannot mutate immutable", "this table is complete already and can't be added to"),
    ("Cannot redefine", "this table is made twice, in two ways"),
)

_TWICE = re.compile(r"Cannot declare (\(.*\)) twice")
_CURLY = "“”„‟″‘’‚‛′«»"


def _syntax(text: str, error: str) -> tuple[str, Position]:
    """What a syntax error means in plain words, and where it is."""
    match = _AT.fullmatch(error)
    if match is None:  # int()'s own error: thousands of digits
        return "is not valid TOML: a number has too many digits", Position(0, 0)
    lines = text.replace("\r\n", "\n").split("\n")
    if match[2]:
        where = Position(int(match[2]), int(match[3]))
    else:
        last = len(text.rstrip().split("\n"))
        where = Position(last, len(lines[last - 1]) + 1)
    line = lines[where.line - 1]
    if hint := _trap(match[1], line, line[where.column - 1 :]):
        return hint, where
    if twice := _TWICE.match(match[1]):
        section = ".".join(re.findall(r"'([^']*)'", twice[1]))
        return f"section [{section}] stands here a second time; put its keys together", Position(
            where.line, _indent(line)
        )
    if match[1] == "Cannot overwrite a value":
        return _set_twice(line), Position(where.line, _indent(line))
    for words, ours in _PLAIN_WORDS:
        if match[1].startswith(words):
            return ours, where
    return f"is not valid TOML: {match[1]}", where


def _trap(error: str, line: str, rest: str) -> str:
    """What people do who know other formats, or whose editor is too helpful."""
    if rest.startswith(tuple(_CURLY)):
        return "a curly quote; TOML wants straight ones: \"text\" or 'text'"
    if error.startswith("Expected '=' after"):
        if rest.startswith(":"):
            return "expected = after the key, not a colon"
        if rest[:1].isalpha():
            return 'a key that is not in "quotes" is one word of A-Z a-z 0-9 _ and -'
    if error == "Invalid value":
        if rest.startswith("#"):
            return 'a bare # begins a comment: put the value in "quotes"'
        if not rest and not line.partition("=")[2].strip().startswith("["):
            return "the value is missing"
        if not rest:
            return "a list is not closed"
    return ""


def _indent(line: str) -> int:
    """The column of the first character that is no space."""
    return len(line) - len(line.lstrip()) + 1


def _set_twice(line: str) -> str:
    """A key that exists: nearly always a feed without its own header."""
    if line.lstrip().startswith("["):
        return "this section's name is a key's already"
    key = line.partition("=")[0].strip()
    hint = " (is a [[feed]] or [[watch]] line missing above?)"
    return f"{quoted(key)} is set a second time in the same section" + (
        hint
        if key in {"name", "url", "terms", "query", "tags", "publisher", "side", "language"}
        else ""
    )
