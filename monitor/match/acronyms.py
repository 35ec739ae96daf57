"""Words that are something else in small letters.

A watch for "US" means the country and not the pronoun, "WHO" not the question, "LeT" not the verb.
Such a word with two capitals or more is looked for in capitals, in a phrase ("WHO says") too. All
others are found in any case: "NATO" is also Nato, and "CEASEFIRE" was typed with caps lock.

Judged by hand: acronyms of news whose small letters are a word of English, or a frequent one of
German, Dutch, French, Spanish, Portuguese, Italian, Turkish or Indonesian, or part of many a name
(al, bin); months and weekdays cut to three letters are none.
"""

from __future__ import annotations

from typing import Final

_WORDS: Final = """
    ai als au bis ces cm da dei del dem ed er id lac mit pm roi sa sec sia ups var
    aan ab abs ada al ao aos app apps auf aus bei bin bu ce che chips cobra com con das de dig
    dos een esa ese eso fra gli ha hal hat het hum if il ile im ini ins ist itu ke ki las lax le lo
    lop los mal mas mi mod mu na nab nap ne nel ni non nos nur ob oleh om ont op ou para pas por que
    qui sans sap se seals sein ser ses si snap sofa sous sua sul sus te tra trips tu uit um uma una
    une uno ve ver vom von wie ya zu zum zur
    act add adds ago aid aids aim air ais all alp am amid an and any arc are area arm arms art as
    ask at bad ban bar base bat be bet bid big bit book bow box brief but by cab can cap car care
    case cat cent chip cod come cop cops core cost cut dam dare data day days deal den der des di
    die dip do doc dog doge don dot du dual due ear earn ease east eat eco el elf en end era es est
    eta et eu face fact fair fan far fast fat fed fee fees few fin fine fir fire fit five flag flip
    for four free fun gap gas gate get gift go god gold good grip gun guns had ham has he hear heat
    help her hip his hit home hot how ice idea ill in ire is it its jam jet job join just keep key
    kid kit la lab lady law lead leaf leap led leg les let lid lift light like link lion list lit
    lot love low mad made mail main man map mars mass mat may me men mess met mid mind mint miss
    mob mop more most mud must my near neat need net new nice nine no nor not now nut oak of off
    oil ok old on one open or oral our out own pa pace pack pact pad par part pass past path pay
    peace pen pep per pet pi pie pin pit plan play plus pop port post power prep press pro pub
    pulse pump quad race ram ran range rap rat raw read real red rest rice rip rise road rock role
    root rose rot rule run sad safe sage said sail sale salt sam same sat save saw say sea seal see
    set shape she ship short sin sip sir sit site six smart so some son soft soil sole sos spa
    space spin spot star start stem step stop store storm su such sum sun sur swat swift tab tag
    tan tank tap tar task tax team tell ten test than the then they this tic tie tip to toe ton
    too top tor toy trip try un und unit up us use van very via wage war warm was watch way we web
    well west wet what who why will win wish with wood work yes you zip zoom
"""

AMBIGUOUS: Final = frozenset(_WORDS.split())
"""In small letters, as `str.lower` gives them."""


def is_capitals_only(word: str) -> bool:
    """Whether a watch with this word means its capitals: US, U.S., WHO, LeT."""
    bare = word.replace(".", "")
    return (
        2 <= len(bare) <= 5
        and bare.isalpha()
        and sum(char.isupper() for char in bare) >= 2
        and bare.lower() in AMBIGUOUS
    )
