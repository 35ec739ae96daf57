"""A text's lines, each in its chunks: what stands between two white spaces.

The whole text passes here for every match, so plain text is cut by `str.split` alone. Nothing
looks at single characters but where a line ends in a hyphen.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Final, NamedTuple

from monitor.text.characters import HYPHENS, KINDS

_LINE_END_HYPHENS: Final = frozenset(HYPHENS) | {"\u00ad"}
_WORD: Final = frozenset("LADKHIM")


class Line(NamedTuple):
    """A line that holds something: more than one of the text's if a word is hyphenated over them."""

    start: int  # offset of its first character in the whole text
    raws: list[str]  # its chunks; one that goes on in the next line has the line's end inside
    text: str
    paragraph: bool  # a blank line stands before it

    def starts(self) -> list[int]:
        """Where each chunk begins in the whole text."""
        raws, text, start = self.raws, self.text, self.start
        ends = list(accumulate([len(raw) + 1 for raw in raws], initial=start))
        if ends.pop() == start + len(text) + 1:  # as short as can be: one blank between two chunks
            return ends
        found: list[int] = []
        at = 0
        for raw in raws:
            at = text.index(raw, at)
            found.append(start + at)
            at += len(raw)
        return found


def split(text: str) -> list[Line]:
    """The lines of a text that hold something, in order.

    A line whose last word is hyphenated at its end ("cease-", also with a soft hyphen) goes on
    with the next one, and the chunk there is the text from the one half to the other.
    """
    found: list[Line] = []
    lines = text.split("\n")
    start = 0
    number = 0
    paragraph = False
    while number < len(lines):
        line = lines[number]
        raws = line.split()
        if not raws:
            paragraph = bool(found)
        else:
            if raws[-1][-1] in _LINE_END_HYPHENS and _is_open(raws[-1]):
                number, line = _with_next_lines(text, lines, number, start, raws)
            found.append(Line(start, raws, line, paragraph))
            paragraph = False
        start += len(line) + 1
        number += 1
    return found


def _is_open(raw: str) -> bool:
    """Whether a chunk at the end of a line is hyphenated there."""
    return len(raw) > 1 and raw[-1] in _LINE_END_HYPHENS and KINDS[ord(raw[-2])] in _WORD


def _with_next_lines(
    text: str, lines: list[str], number: int, start: int, raws: list[str]
) -> tuple[int, str]:
    """Have a hyphenated line's chunks go on with those of the next: its number, all their text."""
    begin = start  # of the line as a whole
    chunk = start + len(lines[number].rstrip()) - len(raws[-1])
    end = 0  # of the chunk, once it is in more than one line
    while number + 1 < len(lines) and (end or _is_open(raws[-1])):
        following = lines[number + 1].split()
        if not following or KINDS[ord(following[0][0])] not in _WORD:
            break
        start += len(lines[number]) + 1
        number += 1
        line = lines[number]
        end = start + len(line) - len(line.lstrip()) + len(following[0])
        if len(following) > 1:
            raws[-1:] = [text[chunk:end], *following[1:]]
            chunk, end = start + len(line.rstrip()) - len(following[-1]), 0
        elif not _is_open(following[0]):
            break
    if end:
        raws[-1] = text[chunk:end]
    return number, text[begin : start + len(lines[number])]
