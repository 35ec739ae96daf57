"""English plurals, one way: from the printed word to the singulars that it may be of."""

from __future__ import annotations


def singulars(norm: str) -> tuple[str, ...]:
    """The singulars of a word that may be a plural; none if it can't be one."""
    if norm[-1:] != "s" or len(norm) < 4:
        return ()
    return (norm[:-1],)
