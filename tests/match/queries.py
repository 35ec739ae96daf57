"""Random articles in many scripts, and random watches whose words occur in them."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from monitor.errors import QueryError
from monitor.match import Document
from monitor.match.language import parse, parse_term
from monitor.match.query import Near, Term, Within
from monitor.model import Watch

_SPACED = {
    "en": """
        India Pakistan Kashmir ceasefire cease-fire cease fire ceasefires truce US U.S. us WHO who
        the of and a said talks’ talks talk Pakistan’s India's Hamas Iran Iranian air strike
        airstrikes air-strikes F-16 F16 F 16s AT&T #ceasefire #OperationSindoor Operation Sindoor
        #operation_sindoor Indo-Pak India-Pakistan al-Qaeda-linked don’t it's IT troops army armies
        “truce” (army) women woman 1,000 2024 5G https://example.org/a-ceasefire a@example.org
        J.D. J. D. Vance prime minister Prime Minister’s office crisis crises café résumé Bunyān
        cease\u00adfire NATO Nato line of control Line-of-Control peace
    """,
    "mix": """
        l’Iran d'Ivoire État cessez-le-feu cœur Führer Straße Müller Mueller „Waffenruhe“ Grünen
        TÜRKİYE’nin Türkiye İstanbul'da ISTANBUL ateşkes São Łódź España Đà Nẵng ngừng bắn
        перемирие ПЕРЕМИРИЕ Королёв Королев Нью-Йорк Крым Крыма Київ п’ять ΕΚΕΧΕΙΡΙΑ εκεχειρία
        Μητσοτάκης the truce in Gaza
    """,
    "ar": """
        هدنة الهدنة والهدنة للهدنة بالهدنة وَالهُدْنَةُ غزة بغزة وقف إطلاق اطلاق النار إيران ايران
        كشمير لبنان ولبنان هـــدنة ٢٠٢٤ #هدنة_غزة «هدنة»، في بين الأمم المتحدة
    """,
    "fa": """
        آتش\u200cبس آتش بس آتشبس ایران ايران موشک\u200cها هسته\u200cای جنگ بندی جنگ\u200cبندی کشمیر
        پاکستان۔ پاکستان، فوج بھارت بھارت-پاک کا میں و ۱۴۰۳
    """,
    "he": "הפסקת אש האש ובהפסקת עזה בעזה לעזה תל־אביב תל אביב צה״ל איראן ואיראן של את",
    "hi": """
        सेना सेनाओं युद्धविराम युद्ध विराम युद्ध-विराम दिल्ली हिंदी हिन्दी क़ानून कानून कश्मीर
        कश्मीरी भारत-पाक भारत पाकिस्तान। ऑपरेशन सिंदूर #ऑपरेशनसिंदूर भा.ज.पा. में और ने २०२५
        যুদ্ধবিরতি ঢাকা বাংলাদেশ
    """,
    "ko": "휴전 휴전은 휴전을 휴전협정 북한 북한에서는 북한이 이란 이란의 이란성 정전 협정 협정을 정전협정을 서울",
}
_RUNS = {
    "zh": "停火 停火协议 协议 停 火 加沙 习近平 美国 US NATO 5G网络 2024年 ， 。 、 “停火” 的 与 会谈 ！ 特朗普",
    "ja": "停戦 イラン ロードアイランド ｲﾗﾝ トランプ ドナルド・トランプ の が を 。 、 合意 コロナ コロナウイルス US 10月",
    "th": "หยุดยิง กาซา ไทย ข้อตกลง ม้า มา ใน และ ประเทศ หยุด ยิง ค\u0e4d\u0e32 คำ ๒๕๖๗ US",
}
_SEPARATORS = (" ",) * 16 + (
    ", ",
    ". ",
    "; ",
    "—",
    "\u00a0",
    "  ",
    "\n",
    "/",
    "-",
    "? ",
    "! ",
    ": ",
    "’ ",
)
_LANGUAGES = ("en", "en-GB", "fr", "ar", "fa", "ur", "hi", "zh", "ja", "th", "fil", None)
_SOURCES = ("Dawn", "The Hindu", "Times of India", "Reuters")
_HOSTS = ("dawn.com", "www.dawn.com", "bbc.co.uk", "news.bbc.co.uk", "notbbc.co.uk")
_TAGS = ("wire", "opinion", "world")
_SIDES = ("india", "pakistan", "world")
_AUTHORS = ("Asma Khan", "R. Iyer")
_PUNCTUATION = re.compile(r"[^\w\s&#\u200c.’-]")
_ADDRESS = re.compile(r"\S*(?:://|@)\S*")
_BOUND = re.compile(r"^[\W_]+|[\W_]+$")  # what stands around a word


def snippets(corpus: Path, count: int, chance: random.Random) -> list[tuple[str, str]]:
    """Titles and up to 600 characters of real articles, in all their languages."""
    articles = json.loads((corpus / "articles" / "index.json").read_bytes())
    found: list[tuple[str, str]] = []
    for _ in range(count):
        article = chance.choice(articles)
        body = article["body"]
        start = chance.randrange(max(1, len(body) - 600))
        found.append((article["title"], body[start : start + chance.randrange(100, 600)]))
    return found


def _sentence(chance: random.Random, length: int) -> str:
    kind = chance.choice([*_SPACED, "en", "en", *_RUNS])
    if kind in _RUNS:
        words = _RUNS[kind].split()
        pieces = [chance.choice(words) for _ in range(length)]
        return "".join(piece + chance.choice(("",) * 9 + (" ", "\n", "\u200b")) for piece in pieces)
    words = _SPACED[kind].split()
    pieces = []
    for _ in range(length):
        at = chance.randrange(len(words))
        pieces += words[at : at + chance.choice((1, 1, 1, 2, 3))]  # neighbours stay together
    text = "".join(piece + chance.choice(_SEPARATORS) for piece in pieces)
    return text.upper() if chance.random() < 0.06 else text


def _some(chance: random.Random, values: Sequence[str]) -> tuple[str, ...]:
    return tuple(value for value in values if chance.random() < 0.4)


def documents(
    chance: random.Random, count: int, real: Sequence[tuple[str, str]] = ()
) -> list[Document]:
    """So many articles: the real texts, and for the rest made-up ones of some hundred characters."""
    found: list[Document] = []
    for number in range(count):
        if number < len(real):
            title, body = real[number]
        else:
            title = _sentence(chance, chance.randrange(9)).strip()
            sentences = [_sentence(chance, chance.randrange(1, 14)) for _ in range(3)]
            body = chance.choice((" ", "\n", "\n\n", "\n\n")).join(sentences)[:600]
        furniture: tuple[tuple[int, int], ...] = ()
        if chance.random() < 0.1 and len(body) > 20:
            start = chance.randrange(len(body) // 2)
            furniture = ((start, chance.randrange(start, len(body))),)
        found.append(
            Document(
                title=title,
                body=body,
                language=chance.choice(_LANGUAGES),
                sources=_some(chance, _SOURCES),
                sites=_some(chance, _HOSTS),
                tags=_some(chance, _TAGS),
                sides=_some(chance, _SIDES),
                authors=_some(chance, _AUTHORS),
                furniture=furniture,
            )
        )
    return found


class Queries:
    """Random watches, in the watch language, about what some texts say."""

    def __init__(self, chance: random.Random, texts: Sequence[str]) -> None:
        self._chance = chance
        words = (_ADDRESS.sub(" ", text).split() for text in texts)
        self._chunks = [chunks for chunks in words if len(chunks) > 1]
        self.refused = 0  # words that the language can't take: they were thrown away

    # -- words

    def _readable(self, made: Callable[[], str], *kinds: type) -> str:
        """Something made that the language reads as what it was meant to be."""
        while True:
            text = made()
            try:
                if isinstance(parse(text).root, kinds or Term):
                    return text
            except QueryError:
                pass
            self.refused += 1

    def _chunk(self) -> str:
        return _BOUND.sub("", self._chance.choice(self._chance.choice(self._chunks)))

    def _word(self) -> str:
        """A word of a text, perhaps in another spelling."""
        chance = self._chance
        word = self._chunk()
        if not word.isascii() and len(word) > 6 and word[0] >= "\u0e00":
            start = chance.randrange(len(word))
            word = word[start : start + chance.randrange(1, 5)]
        match chance.randrange(9):
            case 0:
                return word.lower()
            case 1:
                return word.upper()
            case 2:
                return word.replace("-", "").replace("\u200c", "")
            case 3:
                return re.split(r"[-’'\u200c]", word)[-1]
            case _:
                return word

    def _phrase(self) -> str:
        chance = self._chance
        chunks = chance.choice(self._chunks)
        start = chance.randrange(len(chunks))
        words = " ".join(chunks[start : start + chance.choice((2, 2, 2, 3, 4))])
        return f'"{_PUNCTUATION.sub("", words)}"'

    def _wild(self) -> str:
        chance = self._chance
        word = self._word()
        if chance.random() < 0.3 and len(word) > 2:
            at = chance.randrange(2, len(word))
            return f"{word[:at]}?{word[at + 1 :]}"
        return f"{word[: chance.randrange(3, 7)]}*"

    def term(self) -> str:
        """A word, a phrase, a wildcard, an exact word or a hashtag."""
        kinds: tuple[Callable[[], str], ...] = (
            self._word,
            self._word,
            self._word,
            self._phrase,
            self._phrase,
            self._wild,
            lambda: f"={self._word()}",
            lambda: f"={self._phrase()}",
            lambda: f"#{self._word()}",
            lambda: f'"{self._word()}* {self._word()}"',
            lambda: f'"{self._word()} {self._word()[:4]}*"',
        )
        return self._readable(self._chance.choice(kinds))

    def entry(self) -> str:
        """What may stand in a watch's list of terms."""
        kinds = (
            self._word,
            self._word,
            lambda: self._phrase().strip('"'),
            lambda: f"={self._word()}",
        )
        while True:
            text = self._chance.choice(kinds)()
            try:
                parse_term(text)
            except QueryError:
                self.refused += 1
            else:
                return text

    # -- trees

    def _scoped(self, text: str) -> str:
        field = self._chance.choice(("", "", "", "", "", "title:", "body:", "lead:"))
        return field + text

    def _meta(self) -> str:
        chance = self._chance
        return chance.choice(
            (
                f'source:"{chance.choice(("Dawn", "hindu", "times of india", "Reuters", "AP"))}"',
                f"lang:{chance.choice(('en', 'fr', 'hi', 'zh', 'en-gb', 'fi'))}",
                f"site:{chance.choice(('dawn.com', 'bbc.co.uk', 'cnn.com'))}",
                f"tag:{chance.choice(_TAGS)}",
                f"side:{chance.choice(_SIDES)}",
                f'author:"{chance.choice(("asma khan", "Iyer", "Nobody"))}"',
            )
        )

    def _within(self) -> str:
        words = [
            self.term().strip('"=#').partition(" ")[0]
            for _ in range(2 + (self._chance.random() < 0.2))
        ]
        return f'"{" ".join(words)}"~{self._chance.randrange(6)}'

    def _placed(self, depth: int) -> str:
        """What NEAR and ATLEAST take: a term, alternatives, NEAR, a window."""
        chance = self._chance
        kind = chance.random() if depth else 0.0
        if kind < 0.55:
            return self.term()
        if kind < 0.8:
            parts = [self._placed(depth - 1) for _ in range(chance.choice((2, 2, 3)))]
            return f"({' OR '.join(parts)})"
        if kind < 0.9:
            return self._near(depth)
        return self._readable(self._within, Within)

    def _near(self, depth: int) -> str:
        chance = self._chance
        operator = chance.choice(("NEAR", "NEAR", "ONEAR"))
        distance = chance.choice((0, 1, 2, 3, 5, 10, 40))
        left, right = self._placed(depth - 1), self._placed(depth - 1)
        return f"({left} {operator}/{distance} {right})"

    def _node(self, depth: int) -> str:
        chance = self._chance
        if not depth:
            return self._scoped(self.term())
        match chance.choice("ttaaaooonnwclm"):
            case "t":
                return self._scoped(self.term())
            case "a":
                parts = [self._node(depth - 1) for _ in range(chance.choice((1, 2, 2, 3)))]
                if len(parts) == 1 or chance.random() < 0.3:
                    parts.append(f"NOT {self._node(depth - 1)}")
                return f"({' AND '.join(parts)})"
            case "o":
                parts = [self._node(depth - 1) for _ in range(chance.choice((2, 2, 3, 4)))]
                return f"({' OR '.join(parts)})"
            case "n":
                return self._scoped(self._near(depth))
            case "w":
                return self._scoped(self._readable(self._within, Within))
            case "c":
                return (
                    f"ATLEAST/{chance.choice((1, 2, 2, 3))} {self._scoped(self._placed(depth - 1))}"
                )
            case "l":
                return self._scoped(f"({self.term()} OR {self.term()})")
            case _:
                return f"({self._meta()} AND {self._node(depth - 1)})"

    def query(self) -> str:
        """A query of any shape, four levels deep at most."""
        if self._chance.random() < 0.02:
            return self._meta()
        return self._node(self._chance.choice((0, 1, 2, 2, 3, 3, 4)))

    def watch(self, number: int) -> Watch:
        """A watch with a query or terms, some with spellings of their own."""
        chance = self._chance
        name = f"w{number}"
        if chance.random() < 0.1:
            terms = tuple(self.entry() for _ in range(chance.choice((1, 2, 4))))
            spelled = (self.entry(), self.entry())
            variants = ((terms[0], spelled),) if chance.random() < 0.4 else ()
            return Watch(name=name, terms=terms, variants=variants)
        return Watch(name=name, query=self.query())


def shape_of(query: str) -> set[str]:
    """The kinds of nodes a query is made of: to see that none is forgotten."""
    found: set[str] = set()

    def visit(node: object) -> None:
        found.add(type(node).__name__)
        if isinstance(node, Near):
            found.add("Onear" if node.ordered else "Near")
        if isinstance(node, Term) and node.field:
            found.add(node.field)
        for name in ("parts", "part", "left", "right"):
            below = getattr(node, name, ())
            for each in below if isinstance(below, tuple) else (below,):
                visit(each)

    visit(parse(query).root)
    return found
