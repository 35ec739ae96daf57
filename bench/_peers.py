"""Other ways to find watches in an article, for `bench.match`.

Each peer is built once from the same watches and reads one article at a time. What a peer is
spared is said at its class: a comparison has to err in its favour or not at all.
"""

from __future__ import annotations

import importlib.util
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from bench._watches import Close, Drawn, Every, Leaf, News, Node, Some, leaves
from monitor.match import Document

Spans = list[tuple[int, int]]

_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Article:
    """An article as the different peers want it; made outside the clock."""

    document: Document
    text: str  # headline and body
    normal: str  # its words in normal form, one space before, between and behind them

    @classmethod
    def of(cls, news: News) -> Article:
        text = f"{news.title}\n\n{news.body}"
        return cls(Document(news.title, news.body), text, normal(text))


def normal(text: str) -> str:
    """Its words without capitals. Not by `monitor.text`, which remembers what it has read."""
    return f" {' '.join(_WORD.findall(text.casefold()))} "


class Peer(ABC):
    """Another matcher. `read` is what is timed; what it returns is thrown away."""

    name: ClassVar[str]
    module: ClassVar[str]  # what has to be installed
    whole: ClassVar[bool]  # finds watches of every kind; else leaves only
    most: ClassVar[int | None] = None  # with more watches a round would last minutes
    few: ClassVar[int | None] = None  # articles a round, for the same reason

    @abstractmethod
    def __init__(self, watches: Sequence[Drawn]) -> None: ...

    @abstractmethod
    def read(self, article: Article) -> object: ...

    @abstractmethod
    def found(self, article: Article) -> set[int]:
        """The places of the watches it finds; of the kind "terms" only unless `whole`."""

    @classmethod
    def here(cls) -> bool:
        """Whether its package is installed."""
        return importlib.util.find_spec(cls.module) is not None


def _spelled(leaf: Leaf) -> str:
    return r"\s+".join(map(re.escape, leaf.words)) + r"\w*" * leaf.wild


def _union(parts: Iterable[Leaf]) -> str:
    longest_first = sorted({_spelled(leaf) for leaf in parts}, key=len, reverse=True)
    return rf"\b(?:{'|'.join(longest_first)})\b"


def _by_leaf(watches: Sequence[Drawn], key: Callable[[Leaf], str]) -> dict[str, list[int]]:
    """Which watches that are lists of terms have a leaf."""
    places: dict[str, list[int]] = {}
    for place, watch in enumerate(watches):
        if watch.kind == "terms":
            for leaf in leaves(watch.root):
                places.setdefault(key(leaf), []).append(place)
    return places


class UnionRe(Peer):
    """All leaves of all watches as one pattern of `re`: what a first version does.

    It finds places of leaves, of overlapping ones the first; it is spared AND, OR, NOT and NEAR,
    and knows neither plurals nor accents.
    """

    name = "re, one union"
    module = "re"
    whole = False
    most = 1_000
    few = 3

    def __init__(self, watches: Sequence[Drawn]) -> None:
        every = {leaf for watch in watches for leaf in leaves(watch.root)}
        self._pattern = re.compile(_union(every), re.IGNORECASE)
        self._places = _by_leaf(watches, lambda leaf: " ".join(leaf.words).lower())

    def read(self, article: Article) -> Spans:
        return [match.span() for match in self._pattern.finditer(article.text)]

    def found(self, article: Article) -> set[int]:
        said = (match[0] for match in self._pattern.finditer(article.text))
        keys = {" ".join(text.split()).lower() for text in said}
        return {place for key in keys for place in self._places.get(key, ())}


class EachRe(Peer):
    """Each watch as its own patterns of `re`, tried one after the other, with all spans."""

    name = "re, each watch"
    module = "re"
    whole = True
    most = 1_000
    few = 3

    def __init__(self, watches: Sequence[Drawn]) -> None:
        self._tests = [self._test(watch.root) for watch in watches]

    def _test(self, node: Node) -> Callable[[str], Spans]:
        match node:
            case Leaf():
                return self._finder(_union([node]))
            case Some(parts):
                return self._finder(_union(parts))
            case Close(left, right, distance, ordered):
                one, other = _union(left.parts), _union(right.parts)
                between = rf"(?:\W+\w+){{0,{distance}}}?\W+"
                both = one + between + other
                return self._finder(both if ordered else f"{both}|{other}{between}{one}")
            case Every(wanted, unwanted):
                all_of = [self._test(part) for part in wanted]
                none_of = [self._test(part) for part in unwanted]
                return lambda text: self._every(text, all_of, none_of)

    def _finder(self, pattern: str) -> Callable[[str], Spans]:
        find = re.compile(pattern, re.IGNORECASE).finditer
        return lambda text: [match.span() for match in find(text)]

    def _every(
        self,
        text: str,
        wanted: Sequence[Callable[[str], Spans]],
        unwanted: Sequence[Callable[[str], Spans]],
    ) -> Spans:
        spans: Spans = []
        for test in wanted:
            found = test(text)
            if not found:
                return []
            spans += found
        return [] if any(test(text) for test in unwanted) else spans

    def read(self, article: Article) -> list[tuple[int, Spans]]:
        text = article.text
        return [(place, spans) for place, test in enumerate(self._tests) if (spans := test(text))]

    def found(self, article: Article) -> set[int]:
        return {place for place, _ in self.read(article)}


class Tantivy(Peer):
    """A full-text index of one document in memory, made for each article; all watches run on it.

    Its queries are built outside the clock and give yes or no, no spans. NEAR is a phrase with
    slop, in both orders unless ordered; a wildcard is a regular expression over the few terms.
    """

    name = "tantivy"
    module = "tantivy"
    whole = True
    most = 10_000
    few = 3

    def __init__(self, watches: Sequence[Drawn]) -> None:
        import tantivy  # noqa: PLC0415 (not everybody has it)

        self._tantivy: Any = tantivy
        self._schema = tantivy.SchemaBuilder().add_text_field("text").build()
        self._queries = [self._query(watch.root) for watch in watches]

    def _query(self, node: Node) -> Any:
        query, occur = self._tantivy.Query, self._tantivy.Occur
        match node:
            case Leaf((word,), wild=True):
                return query.regex_query(self._schema, "text", f"{word.lower()}.*")
            case Leaf((word,)):
                return query.term_query(self._schema, "text", word.lower(), "basic")
            case Leaf(words):
                lower = [word.lower() for word in words]
                return query.phrase_query(self._schema, "text", lower)
            case Some((only,)):
                return self._query(only)
            case Some(parts):
                return query.boolean_query([(occur.Should, self._query(part)) for part in parts])
            case Every(wanted, unwanted):
                must = [(occur.Must, self._query(part)) for part in wanted]
                never = [(occur.MustNot, self._query(part)) for part in unwanted]
                return query.boolean_query(must + never)
            case Close(left, right, distance, ordered):
                pairs = [(*a.words, *b.words) for a in left.parts for b in right.parts]
                pairs += [] if ordered else [pair[::-1] for pair in pairs]
                ways = [
                    query.phrase_query(
                        self._schema, "text", [word.lower() for word in pair], slop=distance
                    )
                    for pair in pairs
                ]
                return query.boolean_query([(occur.Should, way) for way in ways])

    def read(self, article: Article) -> list[int]:
        index = self._tantivy.Index(self._schema)
        writer = index.writer(heap_size=15_000_000, num_threads=1)
        document = self._tantivy.Document()
        document.add_text("text", article.text)
        writer.add_document(document)
        writer.commit()
        index.reload()
        search = index.searcher().search
        return [
            place for place, query in enumerate(self._queries) if search(query, 1, count=False).hits
        ]

    def found(self, article: Article) -> set[int]:
        return set(self.read(article))


class _Pass(Peer):
    """One pass of an Aho-Corasick automaton of all leaves over a text in normal form: the floor.

    Text and leaves come in normal form for nothing. All finds are returned, overlapping ones too,
    each with its leaf and its place in the *normal* text: no watches, no conditions, no places in
    the article.

    Leaves are found as whole words only, as anybody would want them: "iran" is not in "tirana".
    The quickest way to that is to give every leaf a space at either end, and every word of the
    text one before and behind it. That favours the pass twice: what stands beside a find need not
    be looked at, and the automaton gives up at the first letter of most words.
    """

    whole = False

    def __init__(self, watches: Sequence[Drawn]) -> None:
        every = {self._key(leaf): None for watch in watches for leaf in leaves(watch.root)}
        self._leaves = list(every)
        self._places = _by_leaf(watches, self._key)

    def _key(self, leaf: Leaf) -> str:
        text = normal(" ".join(leaf.words))
        return text.rstrip() if leaf.wild else text

    @abstractmethod
    def _leaves_in(self, article: Article) -> Iterable[str]: ...

    def found(self, article: Article) -> set[int]:
        keys = set(self._leaves_in(article))
        return {place for key in keys for place in self._places.get(key, ())}


class PyAhoCorasick(_Pass):
    __doc__ = _Pass.__doc__
    name = "pyahocorasick, bare pass"
    module = "ahocorasick"

    def __init__(self, watches: Sequence[Drawn]) -> None:
        super().__init__(watches)
        import ahocorasick  # type: ignore[import-not-found]  # noqa: PLC0415 (not everybody has it)

        self._automaton = ahocorasick.Automaton()
        for place, leaf in enumerate(self._leaves):
            self._automaton.add_word(leaf, place)
        self._automaton.make_automaton()

    def read(self, article: Article) -> list[tuple[int, int]]:
        return list(self._automaton.iter(article.normal))

    def _leaves_in(self, article: Article) -> Iterable[str]:
        return (self._leaves[leaf] for _, leaf in self.read(article))


class AhoCorasickRs(_Pass):
    __doc__ = _Pass.__doc__
    name = "ahocorasick-rs, bare pass"
    module = "ahocorasick_rs"

    def __init__(self, watches: Sequence[Drawn]) -> None:
        super().__init__(watches)
        import ahocorasick_rs  # noqa: PLC0415 (not everybody has it)

        self._automaton = ahocorasick_rs.AhoCorasick(self._leaves)

    def read(self, article: Article) -> list[tuple[int, int, int]]:
        return self._automaton.find_matches_as_indexes(article.normal, overlapping=True)

    def _leaves_in(self, article: Article) -> Iterable[str]:
        return (self._leaves[leaf] for leaf, _, _ in self.read(article))


class AhoCorasickChecked(AhoCorasickRs):
    """The same pass in the usual way: leaves as they are, then what stands beside each find."""

    name = "ahocorasick-rs, checked"

    def _key(self, leaf: Leaf) -> str:
        return super()._key(leaf).strip()

    def __init__(self, watches: Sequence[Drawn]) -> None:
        super().__init__(watches)
        wild = {self._key(leaf) for each in watches for leaf in leaves(each.root) if leaf.wild}
        self._wild = [leaf in wild for leaf in self._leaves]

    def read(self, article: Article) -> list[tuple[int, int, int]]:
        text, wild = article.normal, self._wild
        return [
            find
            for find in self._automaton.find_matches_as_indexes(text, overlapping=True)
            if text[find[1] - 1] == " " and (text[find[2]] == " " or wild[find[0]])
        ]


PEERS: Final[tuple[type[Peer], ...]] = (
    UnionRe,
    EachRe,
    Tantivy,
    PyAhoCorasick,
    AhoCorasickRs,
    AhoCorasickChecked,
)
