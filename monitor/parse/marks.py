"""By what a feed's items are known again: `ParsedFeed.blocks`, packed and unpacked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

MAX_MARKS: Final = 2_000
"""Items of a feed, from the first on, that are known again: 24 KB."""

NO_GUID: Final = bytes(4)
"""Of an item that makes no entry."""

_MARK = 8
_EACH = _MARK + len(NO_GUID)
_CUTS, _IS = b"c", b"i"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What is kept of a document: digests of it, and of each item its mark and its guid's hash."""

    inherited: bytes = b""  # digest of what all items inherit
    listing: bytes = b""  # digest of everything from the first item on
    cuts: bool = False  # items may be cut away by them
    each: bytes = b""

    @classmethod
    def unpacked(cls, blocks: bytes) -> Marks:
        """From a feed's row. What no version of ours has written is none at all."""
        inherited, listing, kind = blocks[:_MARK], blocks[_MARK : 2 * _MARK], blocks[16:17]
        each = blocks[2 * _MARK + 1 :]
        if kind not in {_CUTS, _IS} or len(each) % _EACH:
            return cls()
        return cls(inherited=inherited, listing=listing, cuts=kind == _CUTS, each=each)

    def packed(self) -> bytes:
        """For a feed's row."""
        return self.inherited + self.listing + (_CUTS if self.cuts else _IS) + self.each

    @property
    def count(self) -> int:
        """How many items have a mark."""
        return len(self.each) // _EACH

    def guids(self) -> dict[bytes, bytes]:
        """Marks of items, in their order, with the hashes of their guids."""
        each = self.each
        return {
            each[at : at + _MARK]: each[at + _MARK : at + _EACH]
            for at in range(0, len(each), _EACH)
        }


def joined(marks: Sequence[bytes], guids: Iterable[bytes]) -> bytes:
    """`Marks.each` of items' marks and, in the same order, their guids' hashes."""
    return b"".join(mark + guid for mark, guid in zip(marks[:MAX_MARKS], guids, strict=False))


def mark_of(*parts: bytes) -> bytes:
    """What bytes are known by: 8 of a hash. Of several parts, by where each ends, too."""
    if len(parts) == 1:
        return blake2b(parts[0], digest_size=_MARK).digest()
    return mark_of(b"".join(mark_of(part) for part in parts))


def guid_mark(guid: str) -> bytes:
    """What a guid is known by: 4 bytes. Two that share theirs cost no more than a whole parse."""
    return blake2b(guid.encode("utf-8", "replace"), digest_size=len(NO_GUID)).digest()
