"""Every key of a TOML document is found at its exact place."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from monitor.config.positions import KeyPath, Position, positions

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
    found = positions(text)
    assert set(paths(tomllib.loads(text))) == set(found)
    assert found == expected


@given(documents())
def test_windows_line_ends_move_nothing(document):
    """The places are those of the same document with plain ones."""
    text, expected = document
    assert positions(text.replace("\n", "\r\n")) == expected
