"""How many were killed, injured or are missing, as a sentence says it.

"Eight killed", "kills 8", "death toll rises to eight", आठ नागरिक मारे गए, मृतकों की संख्या 8,
آٹھ شہری شہید, شہدا کی تعداد آٹھ: a number and a word that says what became of so many, near each
other in one clause. Which of them may stand between the two is listed; the rest is left alone, for
most numbers of a report are dates, ages, distances, money and scores. Words are compared in the normal
form (`monitor.text`), so that 8, ८ and ۸ are one number, and 1,000 is 1000.

A rule-based reader on purpose: a figure that is told to people must be there in so many words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple

from monitor.text import Link, Token, fold, sentence_ends, tokens


class Fate(StrEnum):
    """What became of those who are counted."""

    KILLED = "killed"
    INJURED = "injured"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number of people and what became of them; where it stands in the text."""

    fate: Fate
    number: int
    is_rough: bool  # "nearly 20", "over 20"
    start: int
    end: int

    def agrees(self, other: Figure) -> bool:
        """Whether both can be meant: the same number, or one that is rough and near the other."""
        if self.number == other.number:
            return True
        most = max(self.number, other.number)
        return (self.is_rough or other.is_rough) and abs(self.number - other.number) <= most / 5


def figures(text: str) -> tuple[Figure, ...]:
    """What a text counts, in its order. Linear in its length."""
    found: list[Figure] = []
    for clause in _clauses(text):
        found += _read(clause, text)
    return tuple(found)


# --------------------------------------------------------------------------- words


def _folded(words: str) -> frozenset[str]:
    return frozenset(fold(word) for word in words.split())


# The number stands before these: "8 dead". Hindi and Urdu put nearly all of theirs so.
_BEFORE: Final = {
    Fate.KILLED: _folded(
        "killed dead die dies died martyred slain perish perished perishes deaths fatalities lives"
        " bodies lynched drown drowned massacred gunned neutralised neutralized"
        " मारे मरे मौत मौतें मौतों मृत शहीद हलाक ढेर जान जानें शव"
        " ہلاک شہید جاں ہلاکتیں اموات لاشیں لاشیں قتل جانیں"
    ),
    Fate.INJURED: _folded(
        "injured wounded hurt injuries घायल ज़ख़्मी जख्मी आहत زخمی مجروح hospitalised hospitalized"
    ),
    Fate.MISSING: _folded("missing unaccounted लापता لاپتا لاپتہ"),
}
# And behind these: "kills 8".
_BEHIND: Final = {
    Fate.KILLED: _folded("kill kills killed killing slays slaying claims claimed claiming"),
    Fate.INJURED: _folded(
        "injure injures injured injuring wound wounds wounded wounding hurts hurting"
    ),
}
_TOLL: Final = _folded("toll")
_NO_TOLL: Final = _folded("plaza tax booth road highway expressway free hike fee motorists")
# "The number of the dead is 8": who is counted, before the word for number.
_NUMBER_OF: Final = _folded("number संख्या तादाद आंकड़ा تعداد")
_COUNTED: Final = {
    Fate.KILLED: _folded(
        "dead deaths killed fatalities मृतक मृतकों मरने मारे मौत मौतों शहीदों शहीद"
        " شہدا شہداء ہلاک ہلاکتوں اموات جاں مرنے"
    ),
    Fate.INJURED: _folded("injured wounded घायलों घायल زخمیوں زخمی"),
    Fate.MISSING: _folded("missing लापता لاپتا لاپتہ"),
}
_REACH_OF: Final = 5  # tokens between who is counted and the word for number

# What may stand between a number and "killed".
_PEOPLE: Final = _folded(
    "people persons person civilians civilian soldiers soldier troops jawans jawan policemen police"
    " cops personnel men women woman man children child kids girls boys students pilgrims tourists"
    " passengers workers villagers residents militants terrorists rebels insurgents fighters guards"
    " officers others more members family victims migrants protesters journalists labourers laborers"
    " devotees farmers fishermen doctors nurses patients prisoners hostages crew pilots refugees"
    " लोग लोगों नागरिक नागरिकों व्यक्ति व्यक्तियों जवान जवानों सैनिक सैनिकों पुलिसकर्मी महिला महिलाओं"
    " बच्चे बच्चों यात्री यात्रियों आतंकी आतंकियों आतंकवादी मजदूर मजदूरों श्रद्धालु श्रद्धालुओं छात्र पर्यटक पर्यटकों"
    " افراد شہری شہریوں لوگ لوگوں اہلکار فوجی جوان خواتین بچے بچوں مسافر مزدور دہشت گرد دہشتگرد زائرین سیاح"
)
_BETWEEN: Final = _PEOPLE | _folded(
    "were was are is have has had been being be and or of them including among who reported reportedly"
    " confirmed feared shot found left at least others also now the so far security army"
    " की के को का कि में से अन्य समेत सहित और तथा हो गई गए गया कम"
    " کی کے کو کا میں سے دیگر سمیت اور ہو"
)
_STRANGERS: Final = 2  # words between them that are not listed: "8 off-duty Rangers killed"
_SPAN: Final = 8

_PARTS: Final = _folded("including among includes समेत सहित سمیت جن")  # "8, including 3 children"
_OPENS: Final = _folded(
    "to at is was of reaches reached hits crosses tops passes now stands nears climbs rises jumps"
    " toll least than over nearly around about almost some least हुई बढ़कर है पहुंची ہو بڑھ کر"
)
_ROUGH_BEFORE: Final = _folded(
    "over about around nearly almost some roughly approximately than estimated करीब लगभग क़रीब تقریبا قریب"
)
_ROUGH_BEHIND: Final = (
    ("से", _folded("अधिक ज्यादा ज़्यादा")),
    ("سے", _folded("زائد زیادہ")),
)
# "10 km", "12 years", "5 camps": numbers of something else. Also what opens another clause.
_UNITS: Final = _folded(
    "percent per cent pc km kms kilometres kilometers miles metres meters kg tonnes tons litres acres"
    " year years month months week weeks day days hour hours minute minutes seconds am pm ist gmt pkt"
    " crore lakh million billion trillion crores lakhs rupees dollars euros pounds"
    " places sites camps cities towns districts villages states countries houses homes shops vehicles"
    " buildings schools hospitals attacks strikes missiles drones rockets jets planes aircraft times"
    " rounds overs runs wickets points goals seats votes cases charges phases blasts explosions trains"
    " bases airfields locations spots targets"
    " साल वर्ष वर्षीय महीने दिन घंटे मिनट बजे किमी किलोमीटर करोड़ लाख रुपये प्रतिशत फीसदी जगह ठिकानों ठिकाने"
    " सال سال ماہ دن گھنٹے منٹ بجے کلومیٹر کروڑ لاکھ روپے فیصد مقامات مقام ٹھکانوں"
    " जनवरी फरवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर अक्टूबर नवंबर दिसंबर"
    " جنوری فروری مارچ اپریل مئی جون جولائی اگست ستمبر اکتوبر نومبر دسمبر"
    " january february march april june july august september october november december"
    " jan feb mar apr jun jul aug sept oct nov dec"
)
_MONTHS_BEFORE: Final = _folded(
    "january february march april may june july august september october november december jan feb mar"
    " apr jun jul aug sep sept oct nov dec aged age no article section rule chapter page day phase"
)
_STOPS: Final = _folded(
    "after as when while where but dozens several many scores hundreds thousands few none no nobody"
    " arrested detained hit hits attack attacked in into near from by with for against during before"
    " since say says said until if could may might would will who'd did not"
    " hundreds दर्जनों कई सैकड़ों अनेक درجنوں کئی متعدد سینکڑوں"
)
_MONEY: Final = "$£€₹¥"

_DIGITS: Final = re.compile(r"[0-9]{1,6}\Z")
_YEARS: Final = range(1900, 2100)


def _numbered(*rows: tuple[int, str]) -> dict[str, int]:
    return {fold(word): number for number, words in rows for word in words.split()}


_WORDS: Final = _numbered(
    *enumerate(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"],
        1,
    ),
    *enumerate(
        ["एक", "दो", "तीन", "चार", "पांच", "छह", "सात", "आठ", "नौ", "दस", "ग्यारह", "बारह", "तेरह", "चौदह", "पंद्रह", "सोलह", "सत्रह", "अठारह", "उन्नीस", "बीस", "इक्कीस", "बाईस", "तेईस", "चौबीस", "पच्चीस", "छब्बीस", "सत्ताईस", "अट्ठाईस", "उनतीस", "तीस"],
        1,
    ),
    *enumerate(
        ["ایک", "دو", "تین", "چار", "پانچ", "چھ", "سات", "آٹھ", "نو", "دس", "گیارہ", "بارہ", "تیرہ", "چودہ", "پندرہ", "سولہ", "سترہ", "اٹھارہ", "انیس", "بیس", "اکیس", "بائیس", "تیئیس", "چوبیس", "پچیس", "چھبیس", "ستائیس", "اٹھائیس", "انتیس", "تیس"],
        1,
    ),
    *((10 * n, word) for n, word in enumerate(["thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 3)),
    (5, "पाँच"),
    (6, "छः छे چھے"),
    (40, "चालीस چالیس"),
    (50, "पचास پچاس"),
    (60, "साठ ساٹھ"),
    (100, "सौ سو"),
)  # fmt: skip
_TENS: Final = frozenset({20, 30, 40, 50, 60, 70, 80, 90})
_TIMES: Final = {
    fold(word): times for word, times in (("hundred", 100), ("thousand", 1000), ("dozen", 12))
}


# --------------------------------------------------------------------------- reading


class _Word(NamedTuple):
    """A token, or the tokens of one number."""

    norm: str
    start: int
    end: int
    number: int | None = None
    is_part: bool = False  # of those counted before: "including three children"
    is_rough: bool = False


def _clauses(text: str) -> Iterator[Sequence[Token]]:
    """The tokens between ends of sentences, semicolons and dashes."""
    ends = {*sentence_ends(text)}
    clause: list[Token] = []
    previous = 0
    for token in tokens(text):
        gap = text[previous : token.start]
        if clause and (
            any(end in ends for end in range(previous, token.start + 1))
            or any(mark in gap for mark in ";|—")
            or " - " in gap
            or " – " in gap
        ):
            yield clause
            clause = []
        clause.append(token)
        previous = token.end
    if clause:
        yield clause


def _read(clause: Sequence[Token], text: str) -> Iterable[Figure]:
    words = _with_numbers(clause, text)
    if not any(word.number is not None for word in words):
        return []
    claims = sorted(_claims(words, text))
    found: dict[int, Figure] = {}
    used: set[int] = set()
    for _, number, by, fate in claims:  # the nearest first: each word counts once
        if number in found or by in used:
            continue
        used.add(by)
        word = words[number]
        assert word.number is not None
        found[number] = Figure(
            fate=fate,
            number=word.number,
            is_rough=word.is_rough,
            start=word.start,
            end=word.end,
        )
    return [found[at] for at in sorted(found)]


def _claims(words: Sequence[_Word], text: str) -> Iterator[tuple[int, int, int, Fate]]:
    """(distance, which number, which word, what of it) for all that may belong together."""
    for at, word in enumerate(words):
        if word.number is None or word.is_part:
            continue
        yield from _forward(words, at, text)
        for by in range(at - 1, max(-1, at - 4), -1):
            between = words[by + 1 : at]
            if any(each.number is not None for each in between):
                break
            for fate, norms in _BEHIND.items():
                if words[by].norm in norms and all(each.norm in _LOOSE for each in between):
                    yield 2 * (at - by), at, by, fate
        yield from _toll(words, at)


_LOOSE: Final = _folded(
    "at least over more than about around nearly almost some as many up to another the lives of"
)


def _forward(words: Sequence[_Word], at: int, text: str) -> Iterator[tuple[int, int, int, Fate]]:
    strangers = 0
    for by in range(at + 1, min(at + 1 + _SPAN, len(words))):
        word = words[by]
        for fate, norms in _BEFORE.items():
            if word.norm in norms and not _counts_others(words, by) and words[by - 1].norm != "the":
                comma = 2 * ("," in text[words[at].end : words[at + 1].start])
                yield 2 * (by - at) - 1 + comma, at, by, fate
                return
        if word.norm in _STOPS or word.norm in _UNITS:
            return
        if word.number is not None and not word.is_part:
            return
        if word.norm not in _BETWEEN and not word.is_part:
            strangers += 1
            if strangers > _STRANGERS:
                return


def _counts_others(words: Sequence[_Word], by: int) -> bool:
    """Of "जान" and جاں, which are lives and much else: whether nothing says that they were lost."""
    norm = words[by].norm
    if norm not in _LIFE:
        return False
    following = {word.norm for word in words[by + 1 : by + 4]}
    return not following & _LOST


_LIFE: Final = _folded("जान जानें جاں جانیں lives")
_LOST: Final = _folded("गई गईं गंवाई गंवा गवाई ली चली بحق lost claimed بحق گئیں گئی ضائع taken")


def _toll(words: Sequence[_Word], at: int) -> Iterator[tuple[int, int, int, Fate]]:
    """Of a toll that rises to 11, of "the number of the dead … 11"."""
    norms = [word.norm for word in words]
    opening = norms[at - 1] if at else ""
    for by in range(at - 1, max(-1, at - 10), -1):
        if words[by].number is not None and not words[by].is_part:
            return
        if norms[by] in _TOLL:
            if opening in _OPENS and not _NO_TOLL & {*norms}:
                yield 2 * (at - by), at, by, Fate.KILLED
            return
        if norms[by] in _NUMBER_OF:
            near = norms[max(0, by - _REACH_OF) : by] if norms[by] != "number" else norms[by:at]
            for fate, counted in _COUNTED.items():
                if counted & {*near}:
                    yield 1, at, by, fate
                    return
            return


def _with_numbers(clause: Sequence[Token], text: str) -> list[_Word]:
    """The clause's words; those of a number as one, if it may count people."""
    words: list[_Word] = []
    at = 0
    while at < len(clause):
        token = clause[at]
        number, after, rough = _number(clause, at)
        if number is None:
            words.append(_Word(token.norm, token.start, token.end))
            at += 1
            continue
        end = clause[after - 1].end
        if not _counts(clause, at, after, number, text):
            words.append(_Word("", token.start, end))
        else:
            before = {word.norm for word in words[-3:]}
            behind = [each.norm for each in clause[after : after + 2]]
            rough = (
                rough
                or bool({word.norm for word in words[-1:]} & _ROUGH_BEFORE)
                or any(
                    behind[:1] == [fold(of)] and {*behind[1:]} & more for of, more in _ROUGH_BEHIND
                )
            )
            words.append(_Word(token.norm, token.start, end, number, bool(before & _PARTS), rough))
        at = after
    return words


def _number(clause: Sequence[Token], at: int) -> tuple[int | None, int, bool]:
    """The number that begins with a token, where it ends, and whether it is rough by its word."""
    norm = clause[at].norm
    following = clause[at + 1].norm if at + 1 < len(clause) else ""
    if _DIGITS.match(norm):
        return int(norm), at + 1, False
    if norm == "a" and following == "dozen":
        return 12, at + 2, True
    number = _WORDS.get(norm)
    if number is None:
        return None, at + 1, False
    after, rough = at + 1, False
    unit = _WORDS.get(following)
    if number in _TENS and unit is not None and unit < 10 and norm.isascii():
        number, after = number + unit, after + 1
    if after < len(clause) and (times := _TIMES.get(clause[after].norm)):
        number, after, rough = number * times, after + 1, times == 12
    return number, after, rough


def _counts(clause: Sequence[Token], at: int, after: int, number: int, text: str) -> bool:
    """Whether a number may be one of people: no date, age, time, sum, score or name."""
    first, last = clause[at], clause[after - 1]
    if at and first.link is Link.JOINED:
        return False  # F-16
    if after < len(clause) and clause[after].link is Link.JOINED:
        return False  # 12-year-old, 3-2
    before, behind = text[max(0, first.start - 2) : first.start], text[last.end : last.end + 2]
    if any(mark in before for mark in _MONEY) or before[-1:] in {"/", ":", ".", "#"}:
        return False
    if behind[:1] == "%" or (behind[:1] in {"/", ":"} and behind[1:].strip()):
        return False
    if before.strip() in {",", "،"} and behind[:1] in {",", "،"}:
        return False  # "the boy, 12, was"
    previous = clause[at - 1].norm if at else ""
    following = clause[after].norm if after < len(clause) else ""
    if previous in _MONTHS_BEFORE or previous in {"rs", "inr", "usd", "pkr"} or following in _UNITS:
        return False
    is_year = number in _YEARS and first.norm.isdigit() and "," not in text[first.start : last.end]
    return not is_year or following in _PEOPLE


def sentence_at(text: str, start: int) -> str:
    """The whole sentence, or headline, that has this character."""
    edges = [0, *sentence_ends(text), len(text)]
    for begin, end in pairwise(edges):
        if begin <= start < end or end == len(text):
            return text[begin:end].strip()
    return text.strip()
