"""Where in a query something is wrong, as a picture."""

from __future__ import annotations

import unicodedata
from typing import Final

from monitor.errors import QueryError

_WIDEST: Final = 76
"""Columns of a query's line that are shown: with the margin it fits a terminal of 80."""

_BEFORE: Final = 30  # columns shown before the place, where a line is cut
_CUT: Final = "…"
_MARGIN: Final = "  "
_TURNS: Final = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """The place of a character: both count from 1, columns in characters."""
    before = text[: max(offset, 0)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def rendered(error: QueryError) -> str:
    """The error as several lines: what and where, the query's line, a caret under it, a hint.

    In a terminal the caret stands below the characters that are wrong, also where letters are
    two columns wide or have marks. A long line is cut. The place is in words too, since where
    Arabic and Hebrew run from the right a caret can only count.
    """
    row, column = line_and_column(error.text, error.start)
    several = "\n" in error.text.strip()
    place = f"line {row}, column {column}" if several else f"column {column}"
    start = error.start - column + 1
    line = error.text[start:].partition("\n")[0]
    first, last = error.start - start, min(error.end - start, len(line))
    lines = [f"{place}: {error.message}", *_picture(line, first, last)]
    if error.hint:
        lines.append(f"hint: {error.hint}")
    return "\n".join(lines)


def _picture(line: str, first: int, last: int) -> tuple[str, str]:
    """A line and the carets below its characters from `first` to before `last`."""
    cells = [_cell(char) for char in line]
    widths = [_width(cell) for cell in cells]
    begin, end = 0, len(cells)
    if sum(widths) > _WIDEST:
        begin, room = first, _BEFORE
        while begin > 0 and room >= widths[begin - 1]:
            begin -= 1
            room -= widths[begin]
        end, room = begin, _WIDEST
        while end < len(cells) and room >= widths[end]:
            room -= widths[end]
            end += 1
    head = _CUT if begin > 0 else ""
    tail = _CUT if end < len(cells) else ""
    shown = f"{_MARGIN}{head}{''.join(cells[begin:end])}{tail}"
    space = len(_MARGIN) + len(head) + sum(widths[begin:first])
    carets = max(sum(widths[first : min(last, end)]), 1)
    return shown.rstrip(), " " * space + "^" * carets


def _cell(char: str) -> str:
    """A character as it may stand in the picture: control characters would move the rest."""
    if unicodedata.bidirectional(char) in _TURNS:
        return ""
    return " " if unicodedata.category(char) == "Cc" else char


def _width(char: str) -> int:
    """How many columns of a terminal a character takes (UAX 11; marks and format characters 0)."""
    if not char or unicodedata.category(char) in ("Mn", "Mc", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
