"""What a printed word can also be looked up by: the forms that it is reached from.

One way only, from the text to the query: "ceasefires" is found by "ceasefire", and not the other
way round; والهدنة by هدنة. Inflection and what is written together, never derivation: Kashmiri is
not Kashmir.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from monitor.text.clitics import bare_arabic, bare_hebrew
from monitor.text.folding import with_digraphs
from monitor.text.plurals import irregular, singulars
from monitor.text.words_in_s import NO_PLURALS

_ACRONYMS: Final = 3  # letters of the shortest plural of one
_NOT_IN_CAPITALS: Final = frozenset({"AIDS"})  # in capitals something else than the plural


def forms(script: str, norm: str, word: str, *, plural: bool = True) -> tuple[str, ...]:
    """The keys of a word beside its norm; `script` is its kind, `word` its exact characters.

    `plural`: whether it can be one; a possessive is none.
    """
    if script == "A":
        return bare_arabic(norm, word)
    if script != "L":
        return ()
    if not norm.isascii():
        return bare_hebrew(norm)
    if not word.isascii():
        plural = plural and _is_plain_at_its_end(word)
        return (*(singulars(norm) if plural else ()), *_written_out(norm, word, plural=plural))
    if not plural:
        return irregular(norm)  # women's
    if len(word) == _ACRONYMS and word[-1] == "s" and word[:-1].isupper():
        return (norm[:-1],)  # MPs
    return () if word in _NOT_IN_CAPITALS else singulars(norm)


def possessives(norm: str) -> tuple[str, ...]:
    """The keys of a word with its 's: McDonald's is also found by who types McDonalds.

    But Hama's is not Hamas.
    """
    other = f"{norm}s"
    return (f"{norm}'s",) if other in NO_PLURALS else (f"{norm}'s", other)


def joined_forms(
    script: str, norms: Sequence[str], word: str, *, plural: bool = True
) -> tuple[str, ...]:
    """As `forms`, of a word in parts with these norms."""
    if script != "L":
        return ()
    norm = "".join(norms)
    if not norm.isascii():
        return bare_hebrew(norm, most=len(norms[0]) - 1)  # of ו-איראן the second part is found
    found: tuple[str, ...] = ()
    plural = plural and _is_plain_at_its_end(word)
    if plural:
        before = norm[: -len(norms[-1])]
        found = tuple(before + singular for singular in singulars(norms[-1]))
        if not found and norms[-1][0].isdecimal():
            found = singulars(norm)  # F-16s
    return (*found, *_written_out(norm, word, plural=plural))


def _is_plain_at_its_end(word: str) -> bool:
    """Whether its last letter is English: Kahramanmaraş is nobody's plural."""
    return word[-1:].isascii()


def _written_out(norm: str, word: str, *, plural: bool) -> tuple[str, ...]:
    """The word with ae for ä, if it has one, and what that is the plural of."""
    other = with_digraphs(word)
    if other is None or other == norm:
        return ()
    return (other, *(singulars(other) if plural else ()))
