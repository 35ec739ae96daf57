"""Changes to bytes: what transfers, sloppy programs and attackers make of them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

NUMBERS = (
    b"0", b"-1", b"1", b"256", b"65536", b"2147483648", b"9223372036854775808", b"1e999", b"NaN",
    b"9" * 400, b"0x7f000001", b"99999-99-99", b"0001-01-01T00:00:00+14:00",
)  # fmt: skip
SIGNS = (
    b"\0", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xe2\x80\xae", b"\xe2\x80\xa8", b"\xcc\x81" * 40,
    b"\xf0\x9f\x8f\xb3\xef\xb8\x8f", b"\r\n", b"\x1b[2J", b"%00", b"&#0;", b"&#xd800;", b"\\ud800", b"\\u0000",
    b"\xc4\xb0", b"\xef\xac\x81", b"\xd9\x80", b"\xe0\xa5\x8d", b"<!channel>", b"']]>", b"{{", b"'\"",
)  # fmt: skip
_PAIRS = (
    (b"<div>", b"</div>"), (b"[", b"]"), (b"(", b")"), (b'{"a":', b"}"), (b'"', b'"'),
    (b"<![CDATA[", b"]]>"), (b"<!--", b"-->"), (b"<item>", b"</item>"), (b"'''", b"'''"),
    (b"<outline>", b"</outline>"),
)  # fmt: skip
_NUMBER = re.compile(rb"\d+")
_WORD = re.compile(rb"[\w-]+")


def mutated(data: bytes, chance: random.Random, others: Sequence[bytes], most: int) -> bytes:
    """The bytes with one to four changes, `most` bytes of it; `others` lend parts of themselves."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        data = chance.choice(_CHANGES)(data, chance, others)[:most]
    return data


def _span(data: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(len(data) + 1)
    length = chance.choice((1, 4, 16, 64, 256, 4096))
    return start, min(len(data), start + chance.randrange(length + 1))


def _flip(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 2, 8))):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    start, end = _span(data, chance)
    return data[:start] + data[end:]


def _end(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _again(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    start, end = _span(data, chance)
    return data[:end] + data[start:end] * chance.choice((1, 2, 50, 2000)) + data[end:]


def _splice(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    other = chance.choice(others) if others else data
    start, end = _span(other, chance)
    at, behind = _span(data, chance)
    return data[:at] + other[start:end] + data[chance.choice((at, behind)) :]


def _sign(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(SIGNS) + data[at:]


def _number(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    found = [*_NUMBER.finditer(data[:100_000])]
    if not found:
        return data
    match = chance.choice(found)
    return data[: match.start()] + chance.choice(NUMBERS) + data[match.end() :]


def _word(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """One word in another one's place."""
    found = [*_WORD.finditer(data[:100_000])]
    theirs = _WORD.findall((chance.choice(others) if others else data)[:100_000])
    if not found or not theirs:
        return data
    match = chance.choice(found)
    return data[: match.start()] + chance.choice(theirs) + data[match.end() :]


def _nest(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    start, end = _span(data, chance)
    before, behind = chance.choice(_PAIRS)
    deep = chance.choice((1, 3, 100, 3000))
    return data[:start] + before * deep + data[start:end] + behind * deep + data[end:]


def _swap(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    one, two = sorted((_span(data, chance), _span(data, chance)))
    if one[1] > two[0]:
        return data
    return (
        data[: one[0]]
        + data[two[0] : two[1]]
        + data[one[1] : two[0]]
        + data[slice(*one)]
        + data[two[1] :]
    )


def _encode(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    code = chance.choice(("utf-16", "utf-16-be", "utf-32-le", "latin-1", "utf-7"))
    return data[:1] + data[1:].decode("utf-8", "replace").encode(code, "replace")


_CHANGES: Sequence[Callable[[bytes, random.Random, Sequence[bytes]], bytes]] = (
    _flip, _flip, _cut, _cut, _end, _again, _splice, _splice, _sign, _sign, _number, _word, _word, _nest, _swap,
    _encode,
)  # fmt: skip
