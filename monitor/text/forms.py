"""What a printed word can also be looked up by: the forms that it is reached from.

One way only, from the text to the query: "ceasefires" is found by "ceasefire", and not the other
way round; والهدنة by هدنة. Inflection and what is written together, never derivation: Kashmiri is
not Kashmir.
"""

from __future__ import annotations

from typing import Final

from monitor.text.clitics import bare_arabic, bare_hebrew
from monitor.text.folding import with_digraphs
from monitor.text.plurals import singulars

_ACRONYMS: Final = 3  # letters of the shortest plural of one
_NOT_IN_CAPITALS: Final = frozenset({"AIDS"})  # in capitals something else than the plural


def forms(script: str, norm: str, word: str, *, plural: bool = True) -> tuple[str, ...]:
    """The keys of a word beside its norm; `script` is its kind, `word` its characters.

    `plural`: whether it can be one; a possessive is none.
    """
    if script == "L":
        return _alphabetic("", norm, word, plural=plural)
    if script == "A":
        return bare_arabic(norm, word)
    return ()


def joined_forms(
    script: str, before: str, last: str, word: str, *, plural: bool
) -> tuple[str, ...]:
    """As `forms`, of a word in parts, `last` being the norm of the last and `before` the rest."""
    return _alphabetic(before, last, word, plural=plural) if script == "L" else ()


def _alphabetic(before: str, last: str, word: str, *, plural: bool) -> tuple[str, ...]:
    norm = before + last
    if not norm.isascii():
        return bare_hebrew(norm)
    found = _singulars(before, last, word) if plural else ()
    if not word.isascii():
        other = with_digraphs(word)
        if other is not None and other != norm:
            found = (*found, other, *(singulars(other) if plural else ()))
    return found


def _singulars(before: str, last: str, word: str) -> tuple[str, ...]:
    if before:
        singular = singulars(last)
        if singular:
            return tuple(before + one for one in singular)
        return singulars(before + last) if last[:1].isdecimal() else ()  # F-16s
    if len(word) == _ACRONYMS and word[-1] == "s" and word[:-1].isupper():
        return (last[:-1],)  # MPs
    return () if word in _NOT_IN_CAPITALS else singulars(last)
