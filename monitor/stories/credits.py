"""Whose report an article is, if a news agency's: by its byline, its dateline or its last line.

"NEW DELHI, May 10 (PTI) —", "(Reuters) -", "By The Associated Press", 新华社北京4月24日电. Names are
credits only where credits stand. An agency that is quoted, that "contributed to this report" or
took the photo wrote something else; and (PTI) behind "Pakistan Tehreek-e-Insaf" is a party.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

UNNAMED: Final = "agencies"
"""The credit that names none: Agencies, एजेंसी, وكالات."""

# The short name that an agency goes by: what else it is credited as. Acronyms as they stand:
# "Ap" and "ani" are names of people.
_AGENCIES: Final = {
    "AAP": "Australian Associated Press",
    "AFP": "Agence France-Presse|Agence France Presse|एएफपी|এএফপি|أ ف ب|ا ف ب|أ.ف.ب|فرانس برس"
    "|اے ایف پی|法新社|法新",
    "ANI": "Asian News International|एएनआई|এএনআই",
    "ANSA": "Ansa",
    "AP": "The Associated Press|Associated Press|A.P.|एपी|এপি|أ ب|اے پی|美联社|美聯社|АП",
    "APA": "Austria Presse Agentur",
    "APP": "Associated Press of Pakistan|اے پی پی",
    "Anadolu": "Anadolu Agency|Anadolu Ajansı|AA|الأناضول",
    "Antara": "ANTARA",
    "BSS": "Bangladesh Sangbad Sangstha|বাসস",
    "Belga": "BELGA",
    "Bernama": "BERNAMA",
    "Bloomberg": "Bloomberg News",
    "CNA": "中央社",
    "CNS": "China News Service|中新社|中新网|中新網",
    "Canadian Press": "The Canadian Press|La Presse Canadienne",
    "EFE": "Agencia EFE|Efe",
    "Europa Press": "EUROPA PRESS",
    "IANS": "Indo-Asian News Service|Indo Asian News Service|आईएएनएस",
    "IRNA": "ایرنا|إرنا",
    "Interfax": "Интерфакс",
    "Jiji": "Jiji Press|時事通信|時事",
    "KUNA": "كونا",
    "Kyodo": "Kyodo News|KYODO|共同通信|共同社|共同",
    "Lusa": "LUSA",
    "NTB": "Norsk Telegrambyrå",
    "PA": "PA Media|Press Association|The Press Association",
    "PTI": "Press Trust of India|पीटीआई|पीटीआइ|भाषा|পিটিআই",
    "RIA Novosti": "РИА Новости|РИА «Новости»",
    "Reuters": "REUTERS|Thomson Reuters|रॉयटर्स|रायटर्स|रायटर|রয়টার্স|رويترز|روئٹرز|رائٹرز"
    "|路透社|路透|ロイター|로이터|Рейтер|Reuter",
    "Ritzau": "RITZAU",
    "SPA": "واس",
    "Tanjug": "TANJUG|Танјуг",
    "TASS": "ТАСС|ITAR-TASS|ИТАР-ТАСС",
    "UNB": "United News of Bangladesh|ইউএনবি",
    "UNI": "United News of India|वार्ता|यूनीवार्ता",
    "UNIAN": "УНИАН|УНІАН",
    "UPI": "United Press International",
    "Ukrinform": "Укринформ|Укрінформ",
    "WAM": "وام",
    "Xinhua": "XINHUA|Xinhua News Agency|新华社|新華社|सिन्हुआ|شينخوا",
    "Yonhap": "Yonhap News Agency|연합뉴스",
    "dpa": "DPA|Deutsche Presse-Agentur",
    "dpa-AFX": "DPA-AFX",
    UNNAMED: "Agencies|AGENCIES|News Agencies|Agencias|Agenzie|Agenturen|एजेंसी|एजेंसियां|এজেন্সি"
    "|وكالات|ایجنسیاں|ایجنسیز",
}
_SHORT: Final = {
    alias: name for name, aliases in _AGENCIES.items() for alias in (name, *aliases.split("|"))
}
NAMES: Final = "|".join(re.escape(alias) for alias in sorted(_SHORT, key=len, reverse=True))
"""A regular expression, without groups, for all that agencies are credited as."""

_HEAD: Final = 3  # lines of a text that may hold its credit: behind a caption, or a headline
_REACH: Final = 60  # characters; the longest seen: place, state, date and agency

# Between the authors of one byline.
_APART: Final = re.compile(r"\s*[,;/|()•·]\s*|\s+[-–—]\s+|\s+(?:and|with|et|und|e|y|via)\s+")
_BY: Final = re.compile(
    r"(?:by|from|von|par|por|di|source|quelle|fonte|fuente)\b:?\s+", re.IGNORECASE
)
# Behind a name: what leaves it an agency's. "AP Sharma" is somebody.
_DESK: Final = (
    r"(?:\s+(?:staff|newsroom|news|agency|wire|service|bureau|desk|report(?:er)?s?|writers?"
    r"|correspondents?|inputs|deutschland|in\s+[^\d.!?]{2,30}))*"
)
_CREDIT: Final = re.compile(rf"({NAMES})(?i:{_DESK})")
_PARENTHESES: Final = re.compile(
    rf"(?P<before>[^\n!?()]{{0,{_REACH}}})[(（]\s*(?P<name>{NAMES})\s*(?:[/,、][^()（）\n]{{1,20}})?[)）]"
    r"\s*(?P<dash>[-–—:]?)"
)
_OTHER_DATELINES: Final = re.compile(
    rf"""(?:
        【[^】\n]{{0,12}}?(?P<bracketed>{NAMES})[^】\n]{{0,4}}】            # 【ワシントン共同】
      | [(（]?[^\s=()（）]{{1,10}}=(?P<equals>{NAMES})                      # (서울=연합뉴스)
      | (?P<wired>{NAMES})[^\n。，,.]{{1,20}}[电電]                           # 新华社北京4月24日电
      | [^\n/]{{3,{_REACH}}}\s/(?P<slashed>{NAMES})/                          # МОСКВА, 2 января. /ТАСС/
      | [^\n]{{3,{_REACH}}}\s[-–—]\s(?P<dashed>{NAMES})\.(?:\s|$)           # … 2 янв — РИА Новости.
      | (?:[^\n,:।]{{1,30}},\s*)?(?P<colon>{_AGENCIES[UNNAMED]})\s*[,:।]                 # एजेंसी, नई दिल्ली
    )""",
    re.VERBOSE,
)
_COPYRIGHT: Final = re.compile(
    rf"\W*(?:copyright\b|©|\(c\))(?:\s*©)?(?:\s*(?:by\b|\d{{4}}))*,?\s*(?-i:({NAMES}))(?!\w)",
    re.IGNORECASE,
)
_LAST: Final = re.compile(
    rf"(?:^|.*?\s)(?:[(（\[]\s*(?P<held>{NAMES})\s*[)）\]]|[-–—]{{1,2}}\s*(?P<signed>{NAMES})(?:/\s?\w{{1,8}})*)"
)
_CODED: Final = re.compile(rf"({NAMES})(?:[ /]+[A-Za-z]{{2,4}}){{0,5}}")  # PTI KND DIV DV


def agency_of(authors: Iterable[str], body: str) -> str | None:
    """The news agency that an article is credited to, by the short name that it goes by.

    `UNNAMED` where the credit only says that it was one. None if it says nothing of the kind.
    """
    for author in authors:
        found = _in_byline(author)
        if found:
            return found
    lines = [line.strip() for line in body[:4000].split("\n", 8) if line.strip()][:_HEAD]
    for line in lines:
        found = _in_dateline(line) or _is_credit(line)
        if found:
            return found
    return _at_end(body[-400:].rstrip().rpartition("\n")[2].strip())


def _in_byline(byline: str) -> str | None:
    """The agency that is one of those whom a byline names."""
    for part in _APART.split(byline[:200]):
        found = _CREDIT.fullmatch(_BY.sub("", part.strip(), count=1))
        if found:
            return _SHORT[found[1]]
    return None


def _is_credit(line: str) -> str | None:
    """The agency, if a line of text is a byline; "Jane Doe/AFP" is that of a photo."""
    if len(line) > _REACH:
        return None
    if _BY.match(line):
        return _in_byline(line)
    found = _CREDIT.fullmatch(line)
    return _SHORT[found[1]] if found else None


def _in_dateline(line: str) -> str | None:
    found = _PARENTHESES.match(line)
    if found:
        before, name = found["before"], found["name"]
        if _is_dateline(before, dashed=bool(found["dash"])) and not _spells(before, name):
            return _SHORT[name]
        return None
    other = _OTHER_DATELINES.match(line)
    return _SHORT[next(filter(None, other.groups()))] if other else None


def _is_dateline(before: str, *, dashed: bool) -> bool:
    """Whether this is a place, a date, or nothing: "NEW DELHI, May 10" and the like."""
    dated = any(char.isdecimal() for char in before)
    if ":" in before or not (dashed or dated):
        return False
    small = sum(word[:1].islower() for word in before.split())
    return small <= (3 if dated else 1)


def _spells(before: str, name: str) -> bool:
    """Whether an acronym is that of the words before it: Aam Aadmi Party (AAP)."""
    capitals = "".join(word[0] for word in re.findall(r"\w+", before) if word[0].isupper())
    return name.isupper() and capitals.endswith(name)


def _at_end(line: str) -> str | None:
    """The agency that a text's last line is signed with."""
    copyrighted = _COPYRIGHT.match(line)
    if copyrighted:
        return _SHORT[copyrighted[1]]
    signed = _LAST.fullmatch(line)
    if signed:
        name = signed["held"] or signed["signed"]
        return None if _spells(line[: line.rindex(name)], name) else _SHORT[name]
    coded = _CODED.fullmatch(line)
    return _SHORT[coded[1]] if coded else _is_credit(line)
