"""English plurals, one way: from the printed word to the singulars that it may be of.

Rules, because news invents words daily, and three tables for what the rules can't know: words in
-s that are no plurals (`words_in_s`), plurals in -is and -us, and irregular ones. A singular that
is no word ("movy" of "movies") costs nothing: nobody looks for it. One that is another word does,
so there is no rule that turns one everyday word into another.
"""

from __future__ import annotations

import re
from typing import Final

from monitor.text.words_in_s import NO_PLURALS

# Of words in -is and -us only these are plurals: Kashmiris, not Paris; Hindus, not Cyprus.
_IN_IS: Final = """
    adivasis afghanis alibis azeris balochis baluchis bangladeshis bengalis biharis bikinis chillis
    corgis emiratis emojis gujaratis houthis iraqis israelis jihadis kashmiris khakis kiwis kuwaitis
    maoris
    marathis nazis neonazis nepalis omanis parsis profis punjabis qataris rabbis safaris salafis
    saudis semis sindhis skis somalis sufis sunnis takfiris taxis tsunamis tutsis wahabis wahhabis
    yazidis yemenis yetis yogis
"""
_IN_US: Final = """
    babus bayous bureaus caribous chateaus emus flus gnus gurus haikus hindus hutus kudus menus
    milieus plateaus sadhus snafus sudokus tableaus telugus tofus tutus zebus zulus
"""
_IRREGULAR: Final = {
    plural: tuple(singulars)
    for plural, *singulars in (
        line.split()
        for line in """
        children child
        grandchildren grandchild
        schoolchildren schoolchild
        stepchildren stepchild
        feet foot
        teeth tooth
        mice mouse
        geese goose
        oxen ox
        peoples people
        crises crisis
        analyses analysis analyse
        diagnoses diagnosis diagnose
        prognoses prognosis
        theses thesis
        hypotheses hypothesis
        syntheses synthesis
        parentheses parenthesis
        emphases emphasis
        metastases metastasis
        bases base basis
        oases oasis
        axes axe axis ax
        criteria criterion
        phenomena phenomenon
        bacteria bacterium
        referenda referendum
        memoranda memorandum
        curricula curriculum
        alumni alumnus
        nuclei nucleus
        stimuli stimulus
        syllabi syllabus
        fungi fungus
        cacti cactus
        radii radius
        indices index
        matrices matrix
        vertices vertex
        appendices appendix
        quizzes quiz
        lives life live
        wives wife
        housewives housewife
        midwives midwife
        knives knife
        leaves leaf leave
        loaves loaf
        halves half halve
        calves calf calve
        elves elf
        shelves shelf shelve
        wolves wolf
        werewolves werewolf
        thieves thief
        scarves scarf
        hooves hoof
        dwarves dwarf
        wharves wharf
        sheaves sheaf
        selves self
        uses use
        buses bus
        minibuses minibus
        gases gas
        lenses lens
        canvases canvas
        biases bias
        atlases atlas
        pancreases pancreas
        christmases christmas
        aliases alias
        """.strip().splitlines()
    )
}
_PLURALS_IN_IS: Final = frozenset(_IN_IS.split())
_PLURALS_IN_US: Final = frozenset(_IN_US.split())
# Of women, gunmen, policemen; but these are not of anybody whose name or word is the other.
_NO_MEN: Final = frozenset({"amen", "omen", "ramen", "abdomen", "yemen", "lumen", "carmen"})
_DESIGNATION: Final = re.compile(r"[a-z]{1,5}\d{1,4}[a-z]{0,3}s")  # F16s, Su30s, T72s, B52s
_SHORTEST: Final = 3  # letters of a singular: "his" is nobody's


def irregular(norm: str) -> tuple[str, ...]:
    """The singulars of a plural that does not end in s: women, children."""
    if norm[-1:] == "s":
        return ()
    known = _IRREGULAR.get(norm)
    if known is not None:
        return known
    if norm[-3:] == "men" and len(norm) != 4 and norm not in _NO_MEN:
        return (f"{norm[:-2]}an",)
    return ()


def singulars(norm: str) -> tuple[str, ...]:
    """The singulars of a normal form that may be an English plural; none if it can't be one."""
    if norm[-1:] != "s":
        return irregular(norm)
    known = _IRREGULAR.get(norm)
    if known is not None:
        return known
    stem = norm[:-1]
    if not stem.isalpha():
        return (stem,) if _DESIGNATION.fullmatch(norm) else ()
    if len(stem) < _SHORTEST or norm in NO_PLURALS:
        return ()
    last = stem[-1]
    if last == "s":
        return ()
    if last == "i":
        return (stem,) if norm in _PLURALS_IN_IS or norm[-6:] == "stanis" else ()
    if last == "u":
        return (stem,) if norm in _PLURALS_IN_US else ()
    if last == "e":
        return _in_es(stem)
    return (stem,)


def _in_es(stem: str) -> tuple[str, ...]:
    """The singulars of a word in -es; `stem` is the word without its s."""
    root = stem[:-1]
    if len(root) < _SHORTEST:
        return (stem,)  # ties, axes
    if root[-1] == "i":
        return f"{root[:-1]}y", stem  # cities, movies
    if root[-2:] in ("ch", "sh", "ss", "zz") or root[-1] in "xo":
        return root, stem  # churches, avalanches; heroes, shoes
    if root[-1] == "z" or (root[-1] == "s" and (root in NO_PLURALS or root[-2:] == "us")):
        return root, stem  # waltzes, sizes; viruses, causes; the Joneses
    return (stem,)
