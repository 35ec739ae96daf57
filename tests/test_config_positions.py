"""Every key of a TOML document, and every character of its texts, is found at its exact place."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from monitor.config.positions import KeyPath, Places, Position, places

BARE = st.sampled_from(["a", "key-1", "1979", "true", "x_y"])
QUOTED = st.sampled_from(['"q k"', "'lit.eral'", '"जंग"', '"\\u00e9"', "'#'", '""', '"a]"'])
SCALARS = st.sampled_from(
    [
        "1",
        "-0.5e3",
        "true",
        "1979-05-27T07:32:00Z",
        "07:32:00",
        '"# no ] comment }"',
        "'lit \" # ['",
        '"é 戦争 \\" 😀"',
        '"""\n[not.a.table]\nk = 1 \\""" é\n"""',
        "'''\n[[no]]\n'''",
        '""',
    ]
)
ONE_LINE = SCALARS.filter(lambda text: "\n" not in text)


class Writer:
    """Writes a document and notes where everything stands, independently of any parser."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.text = ""
        self.expected: dict[KeyPath, Position] = {}

    def here(self) -> Position:
        """Where the next character will stand."""
        return Position(self.text.count("\n") + 1, len(self.text) - self.text.rfind("\n"))

    def put(self, text: str) -> None:
        """Write."""
        self.text += text

    def key(self, base: KeyPath, used: set[str]) -> KeyPath | None:
        """Write a key, perhaps a dotted one, that is new below `base`."""
        first = self.draw(BARE | QUOTED)
        name = name_of(first)
        if name in used:
            return None
        used.add(name)
        parts = [first, *self.draw(st.lists(BARE | QUOTED, max_size=2))]
        path = base
        for index, part in enumerate(parts):
            if index:
                self.put(self.draw(st.sampled_from([".", " . "])))
            path = (*path, name_of(part))
            self.expected[path] = self.here()
            self.put(part)
        self.put(self.draw(st.sampled_from([" = ", "=", "\t=  "])))
        return path

    def pairs(self, base: KeyPath) -> None:
        """Write some lines of a table."""
        used: set[str] = set()
        for _ in range(self.draw(st.integers(0, 3))):
            self.put(self.draw(st.sampled_from(["", "  ", "# é [x]\n", "\n"])))
            path = self.key(base, used)
            if path is not None:
                self.value(path, 2, SCALARS)
                self.put(self.draw(st.sampled_from(["", "  # é = ]"])))
            self.put("\n")

    def value(self, path: KeyPath, depth: int, scalars: st.SearchStrategy[str]) -> None:
        """Write a value of any kind."""
        kind = self.draw(st.sampled_from(["scalar", "array", "inline"] if depth else ["scalar"]))
        if kind == "scalar":
            self.put(self.draw(scalars))
        elif kind == "array":
            several = scalars is SCALARS  # lines may break, unless an inline table is around
            gap = st.sampled_from(["", " ", "\n  ", " # c ]\n"] if several else ["", " "])
            self.put("[")
            for index in range(self.draw(st.integers(0, 3))):
                self.put((", " if index else "") + self.draw(gap))
                self.expected[*path, index] = self.here()
                self.value((*path, index), depth - 1, scalars)
                self.put(self.draw(gap))
            self.put("]")
        else:
            used: set[str] = set()
            self.put("{")
            for index in range(self.draw(st.integers(0, 3))):
                start = self.text
                self.put(", " if index and used else " ")
                inner = self.key(path, used)
                if inner is None:
                    self.text = start
                else:
                    self.value(inner, depth - 1, ONE_LINE)
            self.put("}")


def name_of(key: str) -> str:
    """What a key as written is called in the data."""
    return next(iter(tomllib.loads(f"{key} = 1")))


@st.composite
def documents(draw: Any) -> tuple[str, dict[KeyPath, Position]]:
    """A valid document and where its keys are."""
    out = Writer(draw)
    out.pairs(())
    index = {"list": -1, "sub": -1}
    for number in range(draw(st.integers(0, 6))):
        kinds = ["table", "list", *(["sub", "below"] if index["list"] >= 0 else [])]
        kind = draw(st.sampled_from(kinds))
        path: KeyPath = ()
        at = out.here()
        if kind == "table":
            path = (f"t {number}", "é", "x")
            out.put(f'[ "t {number}" . "é".x ]')
            out.expected |= {path[:1]: at, path[:2]: at}
        elif kind == "list":
            index |= {"list": index["list"] + 1, "sub": -1}
            path = ("list", index["list"])
            out.put("[[list]]")
            out.expected.setdefault(path[:1], at)
        elif kind == "sub":
            index["sub"] += 1
            path = ("list", index["list"], "sub", index["sub"])
            out.put("[[ list.'sub' ]]")
            out.expected.setdefault(path[:3], at)
        else:
            path = ("list", index["list"], f"below{number}")
            out.put(f"[list.below{number}]")
        out.expected[path] = at
        out.put(draw(st.sampled_from(["\n", "  # c\n"])))
        out.pairs(path)
    return out.text, out.expected


def paths(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """The key paths of parsed data."""
    if path:
        yield path
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from paths(item, (*path, key))


@given(documents())
def test_every_key_path_has_its_exact_place(document):
    """Tables, arrays of them, inline ones, dotted and quoted keys, list items, any script."""
    text, expected = document
    found = places(text).keys
    assert set(paths(tomllib.loads(text))) == set(found)
    assert found == expected


@given(documents())
def test_windows_line_ends_move_nothing(document):
    """The places are those of the same document with plain ones."""
    text, expected = document
    assert places(text.replace("\n", "\r\n")).keys == expected


PLAIN = ["a", "é", "戦", "😀", "\t", " ", "#"]
ESCAPED = [r"\n", r"\t", r"\\", r"\"", r"\u00e9", r"\U0001F600"]
ONE_LINE_QUOTES = {"'": [*PLAIN, '"', "\\"], '"': [*PLAIN, "'", *ESCAPED]}
SEVERAL_LINES = {
    "'''": [*PLAIN, "\n", '"', "x'x", "x''x", "\\"],
    '"""': [*PLAIN, "\n", "'", 'x"x', 'x""x', "\\\n", "\\ \n \n\t ", *ESCAPED],
}


@st.composite
def texts(draw: Any) -> str:
    """A text as it may be written, of any of the four kinds."""
    quote, pieces = draw(st.sampled_from([*ONE_LINE_QUOTES.items(), *SEVERAL_LINES.items()]))
    first = draw(st.sampled_from(["", "\n"])) if len(quote) == 3 else ""
    written = f"{quote}{first}{''.join(draw(st.lists(st.sampled_from(pieces))))}{quote}"
    return written.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


def at(text: str, place: Position) -> int:
    """The offset of a place."""
    lines = text.split("\n")
    return sum(len(line) + 1 for line in lines[: place.line - 1]) + place.column - 1


def cut_at(document: str, found: Places, offset: int) -> str:
    """The text as tomllib reads it when it is closed where the character at `offset` stands."""
    place = found.inside(("x", 0, "key"), offset)
    assert place is not None
    start = found.texts["x", 0, "key"].start
    written = document[at(document, start) : at(document, place)]
    quote = written[:3] if written[:3] in SEVERAL_LINES else written[:1]
    value = tomllib.loads(f"key = {written}{quote}")["key"]
    assert isinstance(value, str)
    return value


@given(written=texts(), before=st.sampled_from(["", "# é\n", "n = 'é'\r\n", "é".join("''")]))
def test_every_character_of_a_text_has_its_exact_place(written, before):
    """Whatever the quotes, escapes and line ends: what stands before it is the value up to it."""
    if before == "'é'":
        document = f"x = [{{ k = {before}, key = {written} }}]\n"
        if "\n" in written:
            return  # not in an inline table
    else:
        document = f"[[x]]\n{before}key = {written} # c\n"
    value = tomllib.loads(document)["x"][0]["key"]
    found = places(document)
    for offset in range(len(value) + 1):
        assert cut_at(document, found, offset) == value[:offset]
        if offset < len(value) and value[offset] not in '\n\t\\"é😀':
            place = found.inside(("x", 0, "key"), offset)
            assert place is not None
            assert document[at(document, place)] == value[offset]


def test_what_is_no_text_has_no_place_inside():
    """A number, a table, nothing at all."""
    found = places("a = 1\n[b]\nc = ['x']\n")
    assert found.inside(("a",), 0) is None
    assert found.inside(("b",), 0) is None
    assert found.inside(("z",), 0) is None
    assert found.inside(("b", "c", 0), 1) == Position(3, 8)
