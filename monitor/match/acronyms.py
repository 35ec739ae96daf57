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
    aan ab abs act ada add adds ago ai aid aids aim air ais al all alp als am amid an any ao aos
    app apps arc are area arm arms art as ask at au auf aus bad ban bar base bat be bei bet bid
    big bin bis bit book bow box brief bu but by cab can cap car care case cat ce cent ces che
    chip chips cm cobra cod com come con cop cops core cost cut da dam dare das data day days de
    deal dei del dem den der des di die dig dip do doc dog doge don dos dot du dual due ear earn
    ease east eat eco ed een el elf en end er era es esa ese eso est et eta eu face fact fair
    fan far fast fat fed fee fees few fin fine fir fire fit five flag flip for four fra free fun
    gap gas gate get gift gli go god gold good grip gun guns ha had hal ham has hat he hear heat
    help her het hip his hit home hot how hum ice id idea if il ile ill im in ini ins ire is ist
    it its itu jam jet job join just ke keep key ki kid kit la lab lac lady las law lax le lead
    leaf leap led leg les let lid lift light like link lion list lit lo lop los lot love low mad
    made mail main mal man map mars mas mass mat may me men mess met mi mid mind mint miss mit
    mob mod mop more most mu mud must my na nab nap ne neat need nel net new ni nice nine no non
    nor nos now nur nut oak ob of off oil ok old oleh om on one ont op open oral ou our out own
    pa pace pack pact pad par para part pas pass past path pay peace pen pep per pet pi pie pin
    pit plan play plus pm pop por port post power prep press pro pub pulse pump quad que qui
    race ram ran range rap rat raw read real red rest rice rip rise road rock roi role root rose
    rot rule run sa sad safe sage said sail sale salt sam same sans sap sat save saw say se sea
    seal seals sec see sein ser ses set shape she ship short si sia sin sip sir sit site six
    smart snap so sofa soft soil sole some son sos sous spa space spin spot star start stem step
    stop store storm su sua such sul sum sun sur sus swat swift tab tag tan tank tap tar task
    tax te team tell ten test than the then they this tic tie tip to toe ton too top tor toy tra
    trip trips try tu uit um uma un una und une unit uno up ups us use van var ve ver very via
    vom von wage war warm was watch way we web well west wet what who why wie will win wish with
    wood work ya yes you zip zoom zu zum zur
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
