"""A second opinion: SQLite's FTS5 on plain boolean queries, over real headlines.

FTS5 knows nothing of the engine and cuts words where letters end. So the two must agree on AND, OR,
NOT and phrases without exception, and on the words themselves but for what our rules say otherwise:
each difference is laid at the door of one rule, and none may be left over.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from monitor.match import Document, compile_watches
from monitor.match.compounds import OPEN_FORMS
from monitor.model import Watch
from monitor.text import fold

HEADLINES = 4_000
QUERIES = 1_500
SEED = 61


class Query(NamedTuple):
    """A boolean query as a tree: ("and", parts), or ("leaf", words)."""

    kind: str
    parts: tuple[Query, ...] = ()
    words: str = ""

    def ours(self) -> str:
        """In the watch language."""
        if self.kind == "leaf":
            return f'"{self.words}"'
        if self.kind == "not":
            return f"({self.parts[0].ours()} NOT {self.parts[1].ours()})"
        return f"({f' {self.kind.upper()} '.join(part.ours() for part in self.parts)})"

    def theirs(self) -> str:
        """In that of FTS5."""
        if self.kind == "leaf":
            return f'"{self.words}"'
        return f"({f' {self.kind.upper()} '.join(part.theirs() for part in self.parts)})"

    def leaves(self) -> Iterator[str]:
        """Its words and phrases."""
        if self.kind == "leaf":
            yield self.words
        for part in self.parts:
            yield from part.leaves()

    def value(self, leaves: Mapping[str, set[int]]) -> set[int]:
        """Where it is so, if that is where its leaves are."""
        if self.kind == "leaf":
            return leaves[self.words]
        first, *others = (part.value(leaves) for part in self.parts)
        if self.kind == "not":
            return first - others[0]
        return first.intersection(*others) if self.kind == "and" else first.union(*others)


def headlines_of(corpus: Path, chance: random.Random) -> list[str]:
    """Real ones, each once."""
    found: dict[str, None] = {}
    with gzip.open(corpus / "neardup" / "lede_aug2026_articles.jsonl.gz", "rt", "utf-8") as lines:
        found.update(dict.fromkeys(json.loads(line)["title"] for line in lines))
    with (corpus / "stories" / "story_uci_titles.jsonl").open(encoding="utf-8") as lines:
        found.update(dict.fromkeys(json.loads(line)["title"] for line in lines))
    return chance.sample(sorted(found), HEADLINES)


def random_query(chance: random.Random, headlines: Sequence[str], depth: int) -> Query:
    """Of words that stand in headlines, and phrases of neighbours."""
    kind = chance.choice(("and", "or", "not", "leaf")) if depth else "leaf"
    if kind != "leaf":
        count = 2 if kind == "not" else chance.choice((2, 2, 3))
        parts = (random_query(chance, headlines, depth - 1) for _ in range(count))
        return Query(kind, tuple(parts))
    while True:
        words = re.findall(r"(?<!\S)[a-z]{3,}(?!\S)", chance.choice(headlines).lower())
        if words:
            start = chance.randrange(len(words))
            taken = words[start : start + chance.choice((1, 1, 1, 2, 3))]
            return Query("leaf", words=" ".join(taken))


# ------------------------------------------------------------------------- the rules

_WORDS: Final = re.compile(r"[^\W_]+")
_HYPHENS: Final = "-‐‑–"
_ADDRESS: Final = re.compile(r"\S*(?:www\.|://|@\w)\S*")


def plain_words(text: str) -> list[str]:
    """As FTS5 cuts them."""
    return [fold(word) for word in _WORDS.findall(text)]


def _without_possessive(text: str) -> str:
    return re.sub(r"(?<=\w)['’`]s\b", "", text, flags=re.IGNORECASE)


def _contractions_whole(text: str) -> str:
    return re.sub(r"(?<=\w)['’`](?=\w)", "", text)


def _hyphens_joined(text: str) -> str:
    return re.sub(rf"(?<=\w)[{_HYPHENS}'’](?=\w)", "", text)


def _acronyms_joined(text: str) -> str:
    return re.sub(r"\b(?:[A-Za-z]\.){2,}", lambda match: match[0].replace(".", "") + " ", text)


def _compounds_joined(text: str) -> str:
    words = " ".join(plain_words(text))
    for joined, halves in OPEN_FORMS.items():
        words = re.sub(rf"\b{' '.join(halves)}\b", joined, words)
    return words


def _compounds_opened(text: str) -> str:
    return " ".join(" ".join(OPEN_FORMS.get(word, (word,))) for word in plain_words(text))


def _without_addresses(text: str) -> str:
    return _ADDRESS.sub(" , ", text)


_IRREGULAR: Final = {"men": "man", "women": "woman", "children": "child", "people": "person"}


def _singulars(word: str) -> set[str]:
    """What a word may be the plural of, by and large: the engine's own tables are stricter."""
    found = {word, _IRREGULAR.get(word, word)}
    if word.endswith("men"):
        found.add(word[:-2] + "an")
    if word.endswith("s"):
        found.add(word[:-1])
    if word.endswith("es"):
        found |= {word[:-2], word[:-2] + "is"}
    if word.endswith("ies"):
        found.add(word[:-3] + "y")
    if word.endswith("ves"):
        found |= {word[:-3] + "f", word[:-3] + "fe"}
    return found


PLURAL: Final = "a plural is found by its singular"
SEVERAL: Final = "several rules together"
RULES: Final[dict[str, Callable[[str], str]]] = {
    "a possessive is passed over": _without_possessive,
    "a contraction is one word": _contractions_whole,
    "the parts of a hyphenated word are one word too": _hyphens_joined,
    "an acronym's dots are nothing": _acronyms_joined,
    "a compound is printed open": _compounds_joined,
    "a compound is printed closed": _compounds_opened,
    "an address has no words": _without_addresses,
}


def stands_in(words: list[str], text: Sequence[str], *, plurals: bool = False) -> bool:
    """Whether these words stand in a row."""

    def same(word: str, other: str) -> bool:
        return word == other or (plurals and word in _singulars(other))

    return any(
        all(same(word, text[at + offset]) for offset, word in enumerate(words))
        for at in range(len(text) - len(words) + 1)
    )


def reason(leaf: str, headline: str, *, ours: bool) -> str:
    """The rule by which the engine says otherwise than FTS5; none: nobody knows."""
    words = leaf.split()
    if ours and stands_in(words, plain_words(headline), plurals=True):
        return PLURAL
    for rule, change in RULES.items():
        if stands_in(words, plain_words(change(headline))) is ours:
            return rule
    everything = headline
    for change in RULES.values():
        if stands_in(words, plain_words(change(everything)), plurals=True) is ours:
            return SEVERAL
    return ""


# ------------------------------------------------------------------------- the comparison


def _ours(queries: dict[str, str], headlines: Sequence[str]) -> dict[str, set[int]]:
    matcher = compile_watches([Watch(name=name, query=text) for name, text in queries.items()])
    found: dict[str, set[int]] = {name: set() for name in queries}
    for number, headline in enumerate(headlines):
        for hit in matcher.match(Document(title=headline, body="")):
            found[hit.watch].add(number)
    return found


def _theirs(queries: dict[str, str], headlines: Sequence[str]) -> dict[str, set[int]]:
    with sqlite3.connect(":memory:") as base:
        base.execute(
            "CREATE VIRTUAL TABLE h USING fts5(t, tokenize='unicode61 remove_diacritics 2')"
        )
        base.executemany("INSERT INTO h (rowid, t) VALUES (?, ?)", enumerate(headlines))
        return {
            name: {row[0] for row in base.execute("SELECT rowid FROM h WHERE h MATCH ?", (text,))}
            for name, text in queries.items()
        }


@pytest.fixture(scope="module")
def headlines(corpus: Path) -> list[str]:
    return headlines_of(corpus, random.Random(SEED))


def test_sqlite_agrees_but_for_what_our_rules_say(
    headlines: list[str], record_property: Callable[[str, object], None]
) -> None:
    """Word for word with a reason, query for query without exception."""
    chance = random.Random(SEED)
    queries = [
        random_query(chance, headlines, chance.choice((0, 1, 2, 2, 3))) for _ in range(QUERIES)
    ]
    leaves = sorted({leaf for query in queries for leaf in query.leaves()})
    words = {leaf: Query("leaf", words=leaf) for leaf in leaves}
    ours = _ours({leaf: query.ours() for leaf, query in words.items()}, headlines)
    theirs = _theirs({leaf: query.theirs() for leaf, query in words.items()}, headlines)

    reasons: Counter[str] = Counter()
    unexplained: list[tuple[str, str, bool]] = []
    for leaf in leaves:
        for number in ours[leaf] ^ theirs[leaf]:
            why = reason(leaf, headlines[number], ours=number in ours[leaf])
            reasons[why] += 1
            if not why:
                unexplained.append((leaf, headlines[number], number in ours[leaf]))
    assert unexplained == []
    for why, count in reasons.most_common():
        record_property(why, count)
    agreed = sum(len(ours[leaf] & theirs[leaf]) for leaf in leaves)
    assert agreed > 10_000  # they speak of the same thing
    assert 0 < reasons.total() - reasons[PLURAL] < agreed / 100, reasons
    assert reasons[SEVERAL] < 10, reasons

    for find, leaf, write in ((_ours, ours, Query.ours), (_theirs, theirs, Query.theirs)):
        found = find({str(number): write(query) for number, query in enumerate(queries)}, headlines)
        for number, query in enumerate(queries):
            assert found[str(number)] == query.value(leaf), query.ours()
