"""Watches such as a newsroom writes, drawn with a seed from real news; and news they never saw.

The words come from English texts of the corpus with their real frequencies: a text is drawn, then
a place in it, and the word that stands there is taken if a desk would write it in that role. A
word alone has to be rare (`_ALONE` of the texts), because nobody watches for "president"; a
part of a conjunction may be ten times as frequent; a phrase is two or three words that stand side
by side in print. Half of the small words that do not begin with a capital are passed over:
watches are about names.

Of every twenty watches, in an order of their own, 12 are terms and phrases (a list of one to
four), 5 are boolean (two to five leaves), 2 proximity (NEAR and ONEAR, of words that stand
near each other somewhere, a third of them between groups), and 1 has a wildcard. The words of one
watch come from one text, so that conjunctions can come true; what NOT forbids comes from another.

A draw of 1,000 watches is the beginning of a draw of 10,000.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import zlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, islice, pairwise
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from monitor.model import Watch

LENGTH: Final = 5_000  # characters of an article's body
_SHORTEST: Final = 4_500
_HELD_OUT: Final = 3  # every third text that is long enough is an article to match

_WORD: Final = re.compile(r"\w+")
_RARE: Final = 2  # texts that have a word, or it is a misprint
_FEW: Final = 4  # texts that may have what is rare, however few there are in all
_ALONE: Final = 0.0008  # of all texts: more have it, and it is no term of its own
_STEM: Final = 0.0032
_TOGETHER: Final = 0.015
_FUNCTION: Final = 0.12  # more have it: the, said, would …
_REACH: Final = 8  # words within which those of a NEAR were drawn
_PATIENCE: Final = 1_000  # texts tried for one watch
_OPERATORS: Final = frozenset({"and", "or", "not", "near", "onear", "atleast"})

Kind: TypeAlias = Literal["terms", "boolean", "proximity", "wildcards"]
MIX: Final[tuple[Kind, ...]] = (
    *("terms",) * 12, *("boolean",) * 5, *("proximity",) * 2, "wildcards",
)  # fmt: skip


class News(NamedTuple):
    """A headline and what stands under it."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """Words that stand one after the other; with `wild`, the last one may go on."""

    words: tuple[str, ...]
    wild: bool = False

    def __str__(self) -> str:
        text = " ".join(self.words) + "*" * self.wild
        return text if len(self.words) == 1 else f'"{text}"'


@dataclass(frozen=True, slots=True)
class Every:
    """All of `wanted` and none of `unwanted`."""

    wanted: tuple[Node, ...]
    unwanted: tuple[Node, ...] = ()

    def __str__(self) -> str:
        wanted = " AND ".join(_bracketed(part) for part in self.wanted)
        return wanted + "".join(f" NOT {_bracketed(part)}" for part in self.unwanted)


@dataclass(frozen=True, slots=True)
class Some:
    """Any of them."""

    parts: tuple[Leaf, ...]

    def __str__(self) -> str:
        return " OR ".join(map(str, self.parts))


@dataclass(frozen=True, slots=True)
class Close:
    """One of `left` and one of `right` with at most `distance` words between them."""

    left: Some
    right: Some
    distance: int
    ordered: bool

    def __str__(self) -> str:
        operator = f"{'O' * self.ordered}NEAR/{self.distance}"
        return f"{_bracketed(self.left)} {operator} {_bracketed(self.right)}"


Node: TypeAlias = Leaf | Every | Some | Close


def _bracketed(node: Node) -> str:
    several = isinstance(node, Every | Close) or (isinstance(node, Some) and len(node.parts) > 1)
    return f"({node})" if several else str(node)


def leaves(node: Node) -> Iterator[Leaf]:
    """The words and phrases of a query, those that it forbids too."""
    match node:
        case Leaf():
            yield node
        case Some(parts):
            yield from parts
        case Every(wanted, unwanted):
            for part in (*wanted, *unwanted):
                yield from leaves(part)
        case Close(left, right):
            yield from (*left.parts, *right.parts)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A watch before it is put into anybody's language."""

    kind: Kind
    root: Node

    def watch(self, name: str) -> Watch:
        """The same in ours: a list of terms, or a query."""
        if self.kind == "terms" and isinstance(self.root, Some):
            return Watch(name=name, terms=tuple(" ".join(leaf.words) for leaf in self.root.parts))
        return Watch(name=name, query=str(self.root))


class _Text:
    """The words of a text, and which of them stand side by side with one space between."""

    def __init__(self, text: str) -> None:
        found = list(_WORD.finditer(text))
        self.words = [word[0] for word in found]
        self.keys = [word.lower() for word in self.words]
        self.beside = [text[word.end() : after.start()] == " " for word, after in pairwise(found)]


_Writer: TypeAlias = Callable[[random.Random, _Text], Node | None]


class Newsroom:
    """Writes watches about what stands in some texts; the same ones for the same seed."""

    def __init__(self, texts: Sequence[str], *, seed: int = 1) -> None:
        self._seed = seed
        self._texts = [text for text in map(_Text, texts) if text.words]
        self._texts_with: Counter[str] = Counter()
        spelled: dict[str, Counter[str]] = {}
        for text in self._texts:
            self._texts_with.update(set(text.keys))
            for key, word in zip(text.keys, text.words, strict=True):
                spelled.setdefault(key, Counter())[word] += 1
        self._spelling = {key: words.most_common(1)[0][0] for key, words in spelled.items()}
        self._sorted = sorted(self._texts_with)
        self._texts_with_pair: Counter[tuple[str, str]] = Counter()
        for text in self._texts:
            pairs = pairwise(text.keys)
            self._texts_with_pair.update(set(compress(pairs, text.beside)))

    def draw(self, number: int) -> list[Drawn]:
        """So many watches. A shorter draw is the beginning of a longer one."""
        return list(islice(self._drawn(), number))

    def _drawn(self) -> Iterator[Drawn]:
        dice = random.Random(self._seed)
        writers: dict[Kind, _Writer] = {
            "terms": self._terms,
            "boolean": self._boolean,
            "proximity": self._proximity,
            "wildcards": self._wildcards,
        }
        while True:
            for kind in dice.sample(MIX, len(MIX)):
                yield Drawn(kind, self._root(dice, writers[kind]))

    def _root(self, dice: random.Random, write: _Writer) -> Node:
        for _ in range(_PATIENCE):  # not every text has something to watch for
            root = write(dice, dice.choice(self._texts))
            if root is not None:
                return root
        raise ValueError("there is nothing to watch for in these texts")

    def _limit(self, share: float) -> float:
        """The number of texts that is this share of all."""
        return max(_FEW, share * len(self._texts))

    def _is_word(self, key: str, most: float) -> bool:
        return (
            len(key) > 2
            and key.isalpha()
            and key not in _OPERATORS
            and self._texts_with[key] >= _RARE
            and self._texts_with[key] <= self._limit(most)
        )

    def _place(self, dice: random.Random, text: _Text, most: float) -> int | None:
        """A place where a word stands that may be asked for; None if a few tries find none."""
        for _ in range(40):
            place = dice.randrange(len(text.words))
            key = text.keys[place]
            if self._is_word(key, most) and (
                self._spelling[key][0].isupper() or dice.random() < 0.5
            ):
                return place
        return None

    def _word(self, dice: random.Random, text: _Text, most: float) -> Leaf | None:
        place = self._place(dice, text, most)
        return None if place is None else self._leaf(text, place)

    def _leaf(self, text: _Text, place: int) -> Leaf:
        return Leaf((self._spelling[text.keys[place]],))

    def _phrase(self, dice: random.Random, text: _Text, length: int) -> Leaf | None:
        """Neighbours, the outer ones no function words: House of Lords, but not "of the"."""
        for _ in range(40):
            first = dice.randrange(len(text.words))
            last = first + length - 1
            keys = text.keys[first : last + 1]
            if (
                len(keys) == length
                and all(text.beside[first:last])
                and all(map(str.isalpha, keys))
                and self._is_word(keys[0], _FUNCTION)
                and self._is_word(keys[-1], _FUNCTION)
                and self._is_phrase(keys)
            ):
                return Leaf(tuple(text.words[first : last + 1]))
        return None

    def _is_phrase(self, keys: Sequence[str]) -> bool:
        """Whether this was printed more than once, but not everywhere."""
        times = [self._texts_with_pair[pair] for pair in pairwise(keys)]
        return _RARE <= min(times) <= self._limit(_ALONE)

    def _any_leaf(self, dice: random.Random, text: _Text, most: float) -> Leaf | None:
        if dice.random() < 0.5:
            return self._word(dice, text, most)
        return self._phrase(dice, text, 2 + (dice.random() < 0.25))

    def _terms(self, dice: random.Random, text: _Text) -> Node | None:
        number = dice.choices((1, 2, 3, 4), (45, 30, 15, 10))[0]
        parts = [self._any_leaf(dice, text, _ALONE) for _ in range(number)]
        chosen = tuple(dict.fromkeys(part for part in parts if part))
        return Some(chosen) if chosen else None

    def _boolean(self, dice: random.Random, text: _Text) -> Node | None:
        shape = dice.choice(("ab", "abc", "(a|b)c", "ab-x", "(a|b)(c|d)", "A|B|C", "(a|b)c-(x|y)"))
        alone = shape.isupper() or "|B" in shape
        wanted = [letter for letter in shape.lower() if letter in "abcd"]
        own = [
            self._word(dice, text, _ALONE if alone else _TOGETHER)
            if dice.random() < 0.75
            else self._phrase(dice, text, 2)
            for _ in wanted
        ]
        other = dice.choice(self._texts)
        foreign = [self._word(dice, other, _TOGETHER) for letter in shape if letter in "xy"]
        if None in own or None in foreign or len({*own, *foreign}) < len(own) + len(foreign):
            return None
        a, b, *more = [leaf for leaf in own if leaf]
        x = tuple(leaf for leaf in foreign if leaf)
        match shape:
            case "A|B|C":
                return Some((a, b, *more))
            case "(a|b)(c|d)":
                return Every((Some((a, b)), Some(tuple(more))))
            case "(a|b)c":
                return Every((Some((a, b)), more[0]))
            case "(a|b)c-(x|y)":
                return Every((Some((a, b)), more[0]), (Some(x),))
            case _:
                return Every((a, b, *more), x)

    def _proximity(self, dice: random.Random, text: _Text) -> Node | None:
        ends = []
        first = self._place(dice, text, _TOGETHER)
        if first is None:
            return None
        for _ in range(20):
            second = first + dice.randint(1, _REACH)
            if second < len(text.words) and self._is_word(text.keys[second], _TOGETHER):
                break
        else:
            return None
        grouped = dice.random() < 0.35
        for place in (first, second):
            others = [self._word(dice, text, _TOGETHER) if grouped else None]
            own = self._leaf(text, place)
            ends.append(Some(tuple(dict.fromkeys([own, *(leaf for leaf in others if leaf)]))))
        if {*ends[0].parts} & {*ends[1].parts}:
            return None
        distance = dice.choice((2, 3, 4, 5, 8, 10))
        if dice.random() < 0.35:
            return Close(ends[0], ends[1], distance, ordered=True)
        dice.shuffle(ends)
        return Close(ends[0], ends[1], distance, ordered=False)

    def _wildcards(self, dice: random.Random, text: _Text) -> Node | None:
        leaf = self._word(dice, text, _ALONE)
        if leaf is None or len(leaf.words[0]) < 6:
            return None
        stem = leaf.words[0][: max(5, len(leaf.words[0]) - dice.randint(1, 3))]
        if self._with_stem(stem.lower()) > self._limit(_STEM):
            return None
        wild = Leaf((stem,), wild=True)
        if dice.random() < 0.6:
            return wild
        other = self._word(dice, text, _TOGETHER)
        return Every((wild, other)) if other and other != leaf else None

    def _with_stem(self, stem: str) -> int:
        """At most so many texts have a word that begins like this."""
        first = bisect_left(self._sorted, stem)
        last = bisect_left(self._sorted, stem + "\U0010ffff")
        return sum(self._texts_with[key] for key in self._sorted[first:last])


# --------------------------------------------------------------------------- the corpus


def news(corpus: Path) -> tuple[list[News], list[str]]:
    """Articles to match, of about 5 KB each, and the texts that watches are drawn from.

    Articles are the English pages of the corpus, then every third of its news stories; nothing
    of them is among the texts, but other outlets' reports of the same events are.
    """
    index = json.loads((corpus / "articles" / "index.json").read_bytes())
    pages = [each for each in index if each["lang"] == "en"]
    held = [News(each["title"], _cut(each["body"])) for each in pages if _is_long(each["body"])]
    texts = [f"{each['title']}\n\n{each['body']}" for each in pages if not _is_long(each["body"])]
    for each in _lines(corpus / "stories" / "story_allsides.jsonl.gz"):
        if _is_long(each["text"]) and zlib.crc32(each["id"].encode()) % _HELD_OUT == 0:
            held.append(News(each["title"], _cut(each["text"])))
        else:
            texts.append(f"{each['title']}\n\n{each['text']}")
    news_in_brief = _lines(corpus / "neardup" / "lede_aug2026_articles.jsonl.gz")
    texts += [f"{each['title']}\n\n{each['summary']}" for each in news_in_brief]
    return held, texts


def _is_long(body: str) -> bool:
    return len(body) >= _SHORTEST


def _cut(body: str) -> str:
    """The first characters, to the end of a word."""
    return body if len(body) <= LENGTH else body[:LENGTH].rsplit(maxsplit=1)[0]


def _lines(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
