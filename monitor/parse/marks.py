"""By what a feed's items are known again: `ParsedFeed.blocks`, packed and unpacked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

MAX_MARKS: Final = 2_000
"""Items of a feed, from the first on, that are known again: 24 KB."""

NO_GUID: Final = bytes(4)
"""Of an item that makes no entry."""

_MARK = 8
_EACH = _MARK + len(NO_GUID)
_CUTS, _IS = b"c", b"d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What is kept of a document: a hash of it, and of each item its mark and its guid's hash."""

    digest: bytes = b""
    cuts: bool = (
        False  # items may be cut away by them; else only the whole document is known by them
    )
    guids: dict[bytes, bytes] = field(default_factory=dict)  # mark → hash of the guid

    @classmethod
    def unpacked(cls, packed: bytes) -> Marks:
        """From a feed's row. What no version of ours has written is none at all."""
        head, rest = packed[:_MARK], packed[_MARK:]
        if len(head) < _MARK or head[-1:] not in {_CUTS, _IS} or len(rest) % _EACH:
            return cls()
        each = (rest[n : n + _EACH] for n in range(0, len(rest), _EACH))
        guids = {both[:_MARK]: both[_MARK:] for both in each}
        return cls(digest=head[:-1], cuts=head[-1:] == _CUTS, guids=guids)


def packed(digest: bytes, marks: Sequence[bytes], guids: Iterable[bytes], *, cuts: bool) -> bytes:
    """For a feed's row: the marks of its items and, in the same order, their guids' hashes."""
    pairs = zip(marks[:MAX_MARKS], guids, strict=False)
    return b"".join([digest, _CUTS if cuts else _IS, *(mark + guid for mark, guid in pairs)])


def mark_of(item: bytes) -> bytes:
    """What the bytes of an item are known by: 8 bytes."""
    return blake2b(item, digest_size=_MARK).digest()


def digest_of(*parts: bytes) -> bytes:
    """What a document, or a part of it, is known by: 7 bytes."""
    hashed = blake2b(digest_size=_MARK - 1)
    for part in parts:
        hashed.update(part)
        hashed.update(b"\0")
    return hashed.digest()


def guid_mark(guid: str) -> bytes:
    """What a guid is known by: 4 bytes. Two that share theirs cost no more than a whole parse."""
    return blake2b(guid.encode("utf-8", "replace"), digest_size=len(NO_GUID)).digest()
