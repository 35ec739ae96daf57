"""What a watch finds, worked out slowly and plainly: the measure of the engine.

Each text is read as its lattice: tokens, and the readings between them. A term is found wherever
some readings in a row spell it; `monitor.match.spellings` says what spells it, and is tested by
tables of its own. Everything else is loops over those finds: no index, no anchors, no memo, nothing
remembered but what a text is and where a term stands in it.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal, NamedTuple

from monitor.match import Document
from monitor.match.language import parse, parse_term
from monitor.match.query import And, AtLeast, Meta, Near, Node, Not, Or, Term, Within
from monitor.match.spellings import Element, Expansion, Spelling, expand
from monitor.model import Hit, Span, Watch
from monitor.text import Lattice, Reading, lattice, normal_form, split


class Find(NamedTuple):
    """Readings in a row that spell a term."""

    in_body: bool
    start: int  # its characters
    end: int
    first: int  # its tokens
    after: int

    def overlaps(self, other: Find) -> bool:
        """Whether a token is part of both."""
        return (
            self.in_body == other.in_body and self.first < other.after and other.first < self.after
        )


class Named(NamedTuple):
    """A find, and which term of the query it is of: its place among them, and its spelling."""

    find: Find
    number: int
    term: str


class Place(NamedTuple):
    """Finds that stand together for something that NEAR and ATLEAST can count."""

    in_body: bool
    first_word: int
    last_word: int
    first: int  # tokens
    after: int
    parts: tuple[Named, ...]

    @property
    def width(self) -> int:
        """Words from its first to its last."""
        return self.last_word - self.first_word + 1


class Text:
    """A title or a body."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lattice: Lattice = lattice(text)
        self.by_key: dict[str, list[Reading]] = {}
        self.by_first: dict[int, list[Reading]] = {}
        for reading in self.lattice.readings:
            self.by_first.setdefault(reading.first, []).append(reading)
            for key in reading.keys:
                self.by_key.setdefault(key, []).append(reading)
        self.keys = sorted(self.by_key)

    def spelled(self, spelling: Spelling, keys: Keys) -> Iterator[tuple[Reading, Reading]]:
        """The first and the last reading of every way in which the text spells this."""
        for key in keys.of(spelling[0], self):
            for reading in self.by_key[key]:
                for last in self._behind(reading, spelling[1:], keys):
                    yield reading, last

    def _behind(self, reading: Reading, rest: Spelling, keys: Keys) -> Iterator[Reading]:
        if not rest:
            yield reading
            return
        at = reading.after
        if at == len(self.lattice.tokens) or not rest[0].gap.allows(self.lattice.tokens[at].link):
            return
        for following in self.by_first.get(at, ()):
            if keys.fit(rest[0], following):
                yield from self._behind(following, rest[1:], keys)

    def shouts(self, at: int) -> bool:
        """Whether the words around a character are all in capitals: its line, or a run of four.

        A run ends with a word that is not in capitals and at a comma; single letters don't count.
        """
        start = self.text.rfind("\n", 0, at) + 1
        line = self.text[start:].partition("\n")[0]
        chunks = [(match.start() + start, match[0]) for match in re.finditer(r"\S+", line)]
        words = [raw for _, raw in chunks if any(map(str.isalpha, raw))]
        if len(words) >= 3 and not any(_is_quiet(raw) for raw in words):
            return True
        here = max(number for number, (begin, _) in enumerate(chunks) if begin <= at)
        first = last = here
        while first and _is_loud(chunks[first - 1][1]):
            first -= 1
        while last + 1 < len(chunks) and _is_loud(chunks[last + 1][1]):
            if chunks[here][1].endswith(","):
                break
            last += 1
        run = [raw for number, (_, raw) in enumerate(chunks) if first <= number <= last]
        return sum(len(raw) > 1 for raw in run) - (len(chunks[here][1]) > 1) >= 3


def _is_loud(raw: str) -> bool:
    return raw.isupper() and not _is_quiet(raw) and not raw.endswith(",")


def _is_quiet(raw: str) -> bool:
    return any(char.isalpha() and not char.isupper() for char in raw)


class Keys:
    """Which keys a wildcard stands for; all the others stand for themselves."""

    def __init__(self) -> None:
        self._known: dict[tuple[re.Pattern[str], str], bool] = {}

    def _is_meant(self, wild: re.Pattern[str], key: str) -> bool:
        known = self._known.get((wild, key))
        if known is None:
            known = key[0] not in "=#" and wild.fullmatch(key) is not None
            self._known[wild, key] = known
        return known

    def of(self, element: Element, text: Text) -> Sequence[str]:
        """Those of a text's keys that an element may be."""
        if element.wild is None:
            return [element.key] if element.key in text.by_key else []
        alike = itertools.takewhile(
            lambda key: key.startswith(element.key),
            itertools.islice(text.keys, bisect_left(text.keys, element.key), None),
        )
        return [key for key in alike if self._is_meant(element.wild, key)]

    def fit(self, element: Element, reading: Reading) -> bool:
        """Whether a reading may be this element."""
        if element.wild is None:
            return element.key in reading.keys
        return any(self._is_meant(element.wild, key) for key in reading.keys)


@dataclass(frozen=True)
class Article:
    """A document with its lattices."""

    document: Document

    @cached_property
    def texts(self) -> tuple[Text, Text]:
        """Title and body; what is not the article's own is an empty line."""
        body = self.document.body
        for start, end in self.document.furniture:
            body = body[:start] + "\n" * (end - start) + body[end:]
        return Text(self.document.title), Text(body)

    def is_dotted(self, find: Find) -> bool:
        """Whether it is printed with full stops: U.S. is an acronym wherever it stands."""
        return "." in self.texts[find.in_body].text[find.start : find.end - 1]

    @cached_property
    def lead_end(self) -> int:
        """Where the body's second paragraph ends: at an empty line, or else at a line's end."""
        body = self.texts[True].text
        blank = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")
        if blank.search(body.strip()):
            ends = [
                match.start() for match in blank.finditer(body) if body[: match.start()].strip()
            ]
        else:
            ends = [line.start + len(line.text) for line in split(body)]
        return ends[1] if len(ends) > 1 else len(body)


class Oracle:
    """The truth about one article."""

    def __init__(self, document: Document, keys: Keys) -> None:
        self.article = Article(document)
        self._keys = keys
        self._found: dict[Spelled, tuple[Find, ...]] = {}

    # -- terms

    def found(self, spelled: Spelled) -> tuple[Find, ...]:
        """Every find of a term, in any field."""
        known = self._found.get(spelled)
        if known is None:
            known = self._found[spelled] = tuple(
                sorted(
                    {
                        Find(in_body, first.start, last.end, first.first, last.after)
                        for in_body, text in zip((False, True), self.article.texts, strict=True)
                        for spelling in spelled.expansion.spellings
                        for first, last in text.spelled(spelling, self._keys)
                    }
                )
            )
        return known

    def finds(self, term: Term, spelled: Spelled) -> list[Find]:
        """The finds that count: in the term's field, of several from one start the shortest."""
        found = self.found(spelled)
        if not found:
            return []
        shortest: dict[tuple[bool, int], Find] = {}
        for find in found:
            if self._is_in(find, term.field) and not (
                spelled.expansion.capitals
                and not self.article.is_dotted(find)
                and self.article.texts[find.in_body].shouts(find.start)
            ):
                shortest.setdefault(find[:2], find)  # sorted: the shortest comes first
        return list(shortest.values())

    def _is_in(self, find: Find, field: Literal["title", "body", "lead"] | None) -> bool:
        match field:
            case "title":
                return not find.in_body
            case "body":
                return find.in_body
            case "lead":
                return not find.in_body or find.start < self.article.lead_end
            case None:
                return True

    # -- the tree

    def holds(self, node: Prepared) -> bool:
        """Whether the article is as the query wants it."""
        match node.node:
            case Term():
                return bool(self.places(node))
            case Meta() as meta:
                return is_so(meta, self.article.document)
            case And():
                return all(map(self.holds, node.parts))
            case Or():
                return any(map(self.holds, node.parts))
            case Not():
                return not self.holds(node.parts[0])
            case AtLeast(count=count):
                starts = {(one.in_body, one.first) for one in self.places(node.parts[0])}
                return len(starts) >= count
            case _:
                return bool(self.places(node))

    def places(self, node: Prepared) -> list[Place]:
        """Everywhere it is."""
        match node.node:
            case Term() as term:
                return [
                    self._place([Named(find, node.number, node.term)])
                    for find in self.finds(term, node.spelled)
                ]
            case Or():
                return [place for part in node.parts for place in self.places(part)]
            case Near() as near:
                return [
                    self._together(one, other)
                    for one, other in itertools.product(*map(self.places, node.parts))
                    if _are_near(one, other, near.distance, ordered=near.ordered)
                ]
            case Within(distance=distance):
                return [
                    whole
                    for group in itertools.product(*map(self.places, node.parts))
                    if len({one.in_body for one in group}) == 1
                    and all(_are_apart(*pair) for pair in itertools.combinations(group, 2))
                    for whole in [self._together(*group)]
                    if whole.width - sum(one.width for one in group) <= distance
                ]
            case _:
                raise AssertionError(node)

    def _place(self, parts: list[Named]) -> Place:
        finds = [part.find for part in parts]
        words = self.article.texts[finds[0].in_body].lattice.words
        return Place(
            finds[0].in_body,
            min(words[find.first] for find in finds),
            max(words[find.after - 1] for find in finds),
            min(find.first for find in finds),
            max(find.after for find in finds),
            tuple(parts),
        )

    def _together(self, *places: Place) -> Place:
        return self._place([part for place in places for part in place.parts])

    # -- what a reader is shown

    def marked(self, node: Prepared) -> Iterator[Named]:
        """The finds that make it match, if it does."""
        match node.node:
            case And():
                for part in node.parts:
                    yield from self.marked(part)
            case Or():
                for part in node.parts:
                    if self.holds(part):
                        yield from self.marked(part)
            case AtLeast():
                yield from self.marked(node.parts[0])
            case Term() | Near() | Within():
                for place in self.places(node):
                    yield from place.parts

    def hit(self, watch: Prepared, name: str) -> Hit | None:
        """The hit of a watch; None if it does not match."""
        if not self.holds(watch):
            return None
        names: dict[tuple[bool, int, int], Named] = {}
        for named in self.marked(watch):
            key = named.find[:3]
            if key not in names or named.number < names[key].number:
                names[key] = named
        spans = [
            Span(field="body" if in_body else "title", start=start, end=end, term=named.term)
            for (in_body, start, end), named in sorted(names.items())
            if not any(
                other != (in_body, start, end)
                and other[0] == in_body
                and other[1] <= start
                and end <= other[2]
                for other in names
            )
        ]
        return Hit(watch=name, spans=tuple(spans))


def _are_near(one: Place, other: Place, distance: int, *, ordered: bool) -> bool:
    if one.in_body != other.in_body:
        return False
    between = max(other.first_word - one.last_word, one.first_word - other.last_word) - 1
    if between > distance:
        return False
    return one.after <= other.first if ordered else _are_apart(one, other)


def _are_apart(one: Place, other: Place) -> bool:
    return not any(
        first.find.overlaps(second.find) for first in one.parts for second in other.parts
    )


# ------------------------------------------------------------------------- a watch


@dataclass(frozen=True, eq=False)
class Spelled:
    """What a term is looked for by; the same only as itself, which is quick to compare."""

    expansion: Expansion


NOTHING = Spelled(Expansion(()))


@cache
def spelled_of(text: str, *, phrase: bool, exact: bool) -> Spelled:
    """One for each term."""
    return Spelled(expand(Term(text, 0, 0, phrase=phrase, exact=exact)))


@dataclass(frozen=True)
class Prepared:
    """A node of a query with what is needed of its terms."""

    node: Node
    parts: tuple[Prepared, ...] = ()
    number: int = 0  # of a term among the query's
    term: str = ""
    spelled: Spelled = NOTHING


def prepared(watch: Watch) -> Prepared:
    """A watch, read; what is another spelling of a term counts as that term."""
    numbers = itertools.count()
    variants = {normal_form(term): spelled for term, spelled in watch.variants}

    def made(node: Node) -> Prepared:
        match node:
            case Term():
                number = next(numbers)
                others = map(parse_term, variants.get(normal_form(node.text), ()))
                terms = [
                    Prepared(
                        Term(each.text, 0, 0, field=node.field),
                        number=number,
                        term=node.text,
                        spelled=spelled_of(each.text, phrase=each.phrase, exact=each.exact),
                    )
                    for each in (node, *others)
                ]
                return terms[0] if len(terms) == 1 else Prepared(Or(()), parts=tuple(terms))
            case And(parts=parts) | Or(parts=parts) | Within(parts=parts):
                return Prepared(node, tuple(map(made, parts)))
            case Not(part=part) | AtLeast(part=part):
                return Prepared(node, (made(part),))
            case Near(left=left, right=right):
                return Prepared(node, (made(left), made(right)))
            case Meta():
                return Prepared(node)

    if watch.query is not None:
        return made(parse(watch.query).root)
    terms = tuple(map(parse_term, watch.terms))
    return made(terms[0] if len(terms) == 1 else Or(terms))


def is_so(meta: Meta, document: Document) -> bool:
    """Whether an article is as `source:Dawn` wants it."""
    value = meta.value.casefold()
    match meta.about:
        case "lang":
            language = (document.language or "").casefold()
            return language == value or language.startswith(f"{value}-")
        case "site":
            return any(f".{host}".endswith(f".{value}") for host in document.sites)
        case "source" | "author":
            names = document.sources if meta.about == "source" else document.authors
            return any(f" {value} " in f" {name.casefold()} " for name in names)
        case "tag" | "side":
            values = document.tags if meta.about == "tag" else document.sides
            return value in map(str.casefold, values)
