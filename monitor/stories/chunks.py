"""What is remembered of chunks: by it copies are found, and reports of one event.

News repeats its words, and what costs is to fetch from memory what is known of each. So there is
one object for a chunk, which both readings of an article come by.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from monitor.match.memo import Memo
from monitor.text import norms_of

BITS: Final = 21  # of a hash that is kept: of a thousand shingles one in 2,000 is another's
LANE: Final = 24  # bytes: a hash of eight, room for a factor and for what carries

_LOW: Final = (1 << BITS) - 1


@dataclass(slots=True, eq=False)
class Words:
    """The tokens of a chunk, hashed."""

    norms: str  # run together
    lanes: bytes  # the hashes, in `LANE` bytes each; odd is what begins with a digit
    numbers: tuple[int, ...]  # `BITS` of each; and those of words by how they are written
    capitals: tuple[int, ...]
    plain: tuple[int, ...]
    stop: bool  # a sentence ends behind them
    weighed: tuple[Any, Any] = field(default=(None, None))
    """What it was to the last who weighed it (`monitor.stories.terms.Weigher`), behind their name:
    one value, because they are many threads."""


def _read(raw: str) -> Words:
    tokens, stop = norms_of(raw)
    norms: list[str] = []
    hashes: list[int] = []
    numbers: list[int] = []
    capitals: list[int] = []
    plain: list[int] = []
    for norm, start in tokens:
        if norm:
            value = _hash(norm)
            norms.append(norm)
            hashes.append(value)
            kind = numbers if value & 1 else capitals if raw[start].isupper() else plain
            kind.append(value & _LOW)
    return Words(
        norms="".join(norms),
        lanes=b"".join([value.to_bytes(LANE, "little") for value in hashes]),
        numbers=tuple(numbers),
        capitals=tuple(capitals),
        plain=tuple(plain),
        stop=stop,
    )


remembered: Final = Memo(_read, most=1 << 16)
"""The chunks of late; asked for another one, it is read."""


@lru_cache(maxsize=1 << 14)
def _hash(norm: str) -> int:
    digest = hashlib.blake2b(norm.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") & ~1 | norm[0].isdecimal()
