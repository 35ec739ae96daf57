"""What a printed word can also be looked up by: the forms that it is reached from.

One way only, from the text to the query: "ceasefires" is found by "ceasefire", and not the other
way round; والهدنة by هدنة. What is printed is never made shorter than a word that readers know in
it, and never derived: Kashmiri is not Kashmir.
"""

from __future__ import annotations

from monitor.text.folding import with_digraphs
from monitor.text.plurals import singulars


def forms(script: str, norm: str, word: str, *, plural: bool = True) -> tuple[str, ...]:
    """The keys of a word beside its norm; `script` is its kind, `word` its characters.

    `plural`: whether it can be one; a possessive is none.
    """
    if script != "L":
        return ()
    if norm.isascii():
        found = singulars(norm) if plural else ()
        other = with_digraphs(word)
        if other is not None and other != norm:
            found = (*found, other, *(singulars(other) if plural else ()))
        return found
    return ()


def joined_forms(
    script: str, before: str, last: str, word: str, *, plural: bool
) -> tuple[str, ...]:
    """As `forms`, of a word in parts, `last` being the norm of the last and `before` the rest."""
    if script != "L":
        return ()
    found: tuple[str, ...] = ()
    if plural and last.isascii():
        found = tuple(before + singular for singular in singulars(last))
    return found


def stems(word: str) -> tuple[tuple[str, int], ...]:
    """The word without a Korean particle, with how many of its characters that are."""
    return ()
