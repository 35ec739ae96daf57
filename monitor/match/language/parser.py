"""From lexemes to the tree: NOT binds tighter than AND, AND tighter than OR, NEAR tightest."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final, NoReturn

from monitor.errors import QueryError
from monitor.match.about import LANGUAGES
from monitor.match.language import terms
from monitor.match.language.lexemes import Kind, Lexeme, lexemes
from monitor.match.language.names import (
    ABOUT_FIELDS,
    FOREIGN_OPERATORS,
    TEXT_FIELDS,
    WORDS,
    shortened,
)
from monitor.match.query import (
    About,
    And,
    AtLeast,
    Field,
    Meta,
    Near,
    Node,
    Not,
    Note,
    Or,
    Query,
    Term,
    Within,
    bracketed,
)

LONGEST: Final = 20_000
"""Characters of a query."""

DEEPEST: Final = 50
"""Brackets in brackets."""

_MOST_IN_CHAIN: Final = 20  # NEAR in NEAR
_LONGEST_SHOWN: Final = 120  # characters of a query in a note or a hint

_SIGNS: Final = "+#%$€£"
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*\*?")
_LISTED: Final = re.compile(r"\w[/,;+，、；،؛]\w")
_EQUATED: Final = re.compile(r"[A-Za-z]\w*=\w")  # Factiva, ProQuest: hd=truce
_IN_CAPITALS: Final = re.compile(r"(?<!\S)(?:AND|OR|NOT|O?NEAR(?:/\d+)?)(?!\S)")
_PLAIN_PHRASE: Final = re.compile(r"[A-Za-z0-9]+(?: [A-Za-z0-9]+)*")
_OPERANDS: Final = frozenset[Kind](
    {"word", "phrase", "field", "about", "exact", "open", "atleast", "within"}
)
_OPERATORS: Final = frozenset[Kind]({"and", "or", "not", "near"})
_BINARY: Final = frozenset[Kind]({"and", "or", "near"})
_VALUES: Final = frozenset[Kind]({"word", "phrase"})


def parse(text: str) -> Query:
    """The query that a text means.

    Raises nothing but `QueryError`, whose place is inside the text and whose hint says what to
    write instead.
    """
    if text.isascii() and text.isalpha() and text.lower() not in WORDS and len(text) <= LONGEST:
        return Query(text, Term(text, 0, len(text)))
    _check_length(text)
    return _Parser(text).query()


def parse_term(text: str) -> Term:
    """A term of a list: a word or a phrase, without any operators.

    `=` in front takes it as it stands, `#` makes a single word a hashtag, and `*` behind three
    letters or more, like `?` between letters, stands for others. Raises nothing but `QueryError`.
    """
    _check_length(text)
    inner = text.strip()
    exact = inner[:1] == "="
    bare = " ".join(terms.literal(inner.removeprefix("=")))
    place = terms.Place(text, 0, len(text))
    if " " in bare or not _reads_bare(bare):
        if not bare:
            place.fail("there is no word to look for", "write at least one letter or digit")
        for piece in bare.split():
            start = max(text.find(piece), 0)
            found = terms.Piece(piece, start, min(start + len(piece), len(text)))
            terms.check_wildcards(found, place, exact=exact)
        if not terms.has_word(bare):
            place.fail("there is no word to look for", "write at least one letter or digit")
        terms.check_length(bare, place)
        return Term(bare, 0, len(text), phrase=True, exact=exact)
    start = text.find(bare)
    terms.check_word(bare, terms.Place(text, start, start + len(bare)), exact=exact)
    return Term(bare, 0, len(text), exact=exact)


def _check_length(text: str) -> None:
    if len(text) > LONGEST:
        raise QueryError(
            f"a query has at most {LONGEST:,} characters, not {len(text):,}",
            text,
            LONGEST,
            len(text),
            "write several watches with the same channel",
        )


def _reads_bare(word: str) -> bool:
    """Whether a word means itself in a query without quotes."""
    notes: list[Note] = []
    try:
        found = lexemes(word, notes)
    except QueryError:
        return False
    return len(found) == 2 and found[0].kind == "word" and found[0].text == word


class _Parser:
    """The state of one parse."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._notes: list[Note] = []
        self._lexemes = lexemes(text, self._notes)
        self._at = 0
        self._depth = 0
        self._is_joined = False  # the last conjunction had several parts
        self._field: Field | None = None
        self._exact = False

    def query(self) -> Query:
        """The whole text."""
        lexeme = self._lexemes[0]
        if lexeme.kind == "end":
            empty = not self._text.strip()
            self._fail(
                "the query is empty" if empty else "there is no word in the query",
                0,
                len(self._text),
                "write what to look for: ceasefire",
            )
        root = self._alternatives()
        lexeme = self._lexemes[self._at]
        if lexeme.kind != "end":
            self._fail(
                "this bracket closes nothing",
                lexeme.start,
                lexeme.end,
                "leave it out, or put ( where the group begins",
            )
        if _only_excludes(root):
            self._fail(
                "the query only says what must not be found",
                0,
                len(self._text),
                "add what must be found: ceasefire -cricket",
            )
        return Query(self._text, root, _without_repetition(self._notes))

    # ------------------------------------------------------------------ operators

    def _alternatives(self) -> Node:
        """`a OR b OR c`."""
        start = self._lexemes[self._at].start
        first = self._conjunction()
        if self._lexemes[self._at].kind != "or":
            return first
        parts: list[Node] = []
        is_mixed = self._is_joined
        self._add_alternative(parts, first, start)
        while self._lexemes[self._at].kind == "or":
            self._at += 1
            place = self._lexemes[self._at].start
            node = self._conjunction()
            is_mixed = is_mixed or self._is_joined
            self._add_alternative(parts, node, place)
        node = Or(tuple(parts))
        if is_mixed:
            read = bracketed(node)
            shown = f": {read}" if len(read) <= _LONGEST_SHOWN else ""
            end = self._lexemes[self._at - 1].end
            self._note(f"AND was read before OR{shown}", start, end)
        return node

    def _add_alternative(self, parts: list[Node], node: Node, start: int) -> None:
        if _only_excludes(node):
            self._fail(
                "an alternative that only excludes would find nearly everything",
                start,
                self._lexemes[self._at - 1].end,
                "write what must be found before it: a OR (b -c)",
            )
        if isinstance(node, Or):
            parts += node.parts
        else:
            parts.append(node)

    def _conjunction(self) -> Node:
        """`a b AND c -d`."""
        first = self._negation()
        kind = self._lexemes[self._at].kind
        if kind in ("or", "end", "close"):
            self._is_joined = False
            return first
        parts: list[Node] = list(first.parts) if isinstance(first, And) else [first]
        last = first
        while True:
            kind = self._lexemes[self._at].kind
            if kind == "and":
                self._at += 1
            elif kind in ("or", "end", "close"):
                break
            elif kind not in _OPERANDS and kind != "not":
                self._expected()
            there = self._at
            node = self._negation()
            self._note_torn_name(last, node, there)
            if isinstance(node, And):
                parts += node.parts
            else:
                parts.append(node)
            last = node
        self._is_joined = True
        return And(tuple(parts))

    def _note_torn_name(self, left: Node, right: Node, there: int) -> None:
        """A note for `Operation Sindoor NEAR/5 army`, where NEAR is about one of the two words."""
        first, second = self._lexemes[there - 1 : there + 1]
        if first.kind != "word" or second.kind != "word":
            return
        if (isinstance(left, Term) and isinstance(right, Near)) or (
            isinstance(left, Near) and isinstance(right, Term)
        ):
            word = shortened(second.text if isinstance(right, Near) else first.text)
            both = shortened(f"{first.text} {second.text}")
            self._note(
                f'NEAR is about "{word}" alone; write "{both}" if that is one name, and AND between'
                " them if not",
                first.start,
                second.end,
            )

    def _negation(self) -> Node:
        """`NOT a`, `-a`, or something that is not negated."""
        lexeme = self._lexemes[self._at]
        if lexeme.kind != "not":
            return self._proximity()
        start = lexeme.start
        negated = False
        while self._lexemes[self._at].kind == "not":
            negated = not negated
            self._at += 1
        lexeme = self._lexemes[self._at]
        node = self._proximity()
        if not negated:
            self._note("what is excluded twice is looked for", start, lexeme.start)
            return node
        if isinstance(node, Not):
            return node.part
        if _only_excludes(node):
            self._fail(
                "this excludes a group that only excludes",
                start,
                self._lexemes[self._at - 1].end,
                "write what must be found instead: -(-a -b) is (a OR b)",
            )
        return Not(node, start, self._lexemes[self._at - 1].end)

    def _proximity(self) -> Node:
        """`a NEAR/5 b ONEAR/3 c`, from left to right."""
        start = self._lexemes[self._at].start
        left = self._operand()
        while (lexeme := self._lexemes[self._at]).kind == "near":
            self._at += 1
            place = self._lexemes[self._at].start
            right = self._operand()
            end = self._lexemes[self._at - 1].end
            for node, other in ((left, right), (right, left)):
                if (wrong := _misplaced(node)) is not None:
                    first, last = (start, lexeme.start) if node is left else (place, end)
                    last = first + len(self._text[first:last].rstrip())
                    near = _near_operator(lexeme)
                    hint = _instead_of_near(node, other, near, swapped=node is left)
                    self._fail(f"{_NAMES[type(wrong)]} can't stand inside NEAR", first, last, hint)
            joined = Near(left, right, lexeme.number, lexeme.ordered, start, end)
            if _height(joined) > _MOST_IN_CHAIN:
                self._fail(
                    f"more than {_MOST_IN_CHAIN} NEAR in a chain",
                    lexeme.start,
                    lexeme.end,
                    'write "a b c"~20 for many words in any order',
                )
            if {"title"} in (fields := (_fields(left), _fields(right))) and {"body"} in fields:
                self._fail(
                    "title and body are never near each other",
                    start,
                    end,
                    f"write AND, or one field before a group: title:(a {_near_operator(lexeme)} b)",
                )
            left = joined
        return left

    # ------------------------------------------------------------------ operands

    def _operand(self) -> Node:
        """A word, a phrase, a field's value or a group, with what is written behind it."""
        lexeme = self._lexemes[self._at]
        kind = lexeme.kind
        if kind == "word":
            self._at += 1
            node: Node = self._word(lexeme)
        elif kind == "phrase":
            self._at += 1
            node = self._phrase(lexeme)
        elif kind == "open":
            node = self._group()
        elif kind in ("field", "exact"):
            return self._scoped()
        elif kind == "about":
            node = self._about(lexeme)
        elif kind == "atleast":
            return self._at_least(lexeme)
        elif kind == "within":
            self._at += 1
            node = self._within(lexeme)
        else:
            self._expected()
        while (count := self._lexemes[self._at]).kind == "count":
            self._at += 1
            node = self._counted(count.number, node, lexeme.start, count.end)
        return node

    def _group(self) -> Node:
        """`( … )`."""
        opening = self._lexemes[self._at]
        self._at += 1
        self._depth += 1
        if self._depth > DEEPEST:
            self._fail(
                f"more than {DEEPEST} brackets in brackets",
                opening.start,
                opening.end,
                "leave out the brackets that change nothing, or write several watches",
            )
        closing = self._lexemes[self._at]
        if closing.kind == "close":
            self._fail(
                "there is nothing between these brackets",
                opening.start,
                closing.end,
                "leave them out, or write (ceasefire OR truce)",
            )
        if closing.kind == "end":
            self._never_closed(opening)
        node = self._alternatives()
        closing = self._lexemes[self._at]
        if closing.kind != "close":
            self._never_closed(opening)
        self._at += 1
        self._depth -= 1
        return node

    def _never_closed(self, opening: Lexeme) -> NoReturn:
        self._fail(
            "this bracket is never closed",
            opening.start,
            opening.end,
            "put ) where the group ends",
        )

    def _scoped(self) -> Node:
        """`title:…`, `=…`, or both."""
        first = self._lexemes[self._at]
        outer = self._field, self._exact
        own: Lexeme | None = None
        while (lexeme := self._lexemes[self._at]).kind in ("field", "exact"):
            self._at += 1
            if lexeme.kind == "exact":
                self._exact = True
            elif own is not None:
                self._fail(
                    f"{own.text}: stands before another field",
                    own.start,
                    lexeme.end,
                    f"write {own.text}:word AND {lexeme.text}:word",
                )
            else:
                own = lexeme
                self._field = TEXT_FIELDS[lexeme.text]
        if own is not None and outer[0] not in (None, self._field):
            self._note(f"{own.text}: counts here, not {outer[0]}:", own.start, own.end)
        self._check_scoped(first, own)
        node = self._operand()
        self._field, self._exact = outer
        return node

    def _check_scoped(self, first: Lexeme, own: Lexeme | None) -> None:
        """Fails if what stands behind a field or `=` can't."""
        lexeme = self._lexemes[self._at]
        name = f"{own.text}:" if own else self._text[first.start : first.end]
        if lexeme.kind == "not":
            self._fail(
                f"{name} stands before what it is about",
                first.start,
                lexeme.end,
                f"put the minus first: -{name}cricket",
            )
        if lexeme.kind == "about" or (own is None and lexeme.kind in ("atleast", "within")):
            self._fail(
                f"{name} stands before a word, a phrase or a group",
                first.start,
                lexeme.end,
                f"write {name}ceasefire" + (" AND source:Dawn" if lexeme.kind == "about" else ""),
            )
        if lexeme.kind not in _OPERANDS:
            self._fail(
                f"{name} needs a word behind it",
                first.start,
                self._lexemes[self._at - 1].end,
                f'write {name}ceasefire, {name}"cease fire" or {name}(ceasefire OR truce)',
            )
        if own is not None:
            self._note_short_reach(own)

    def _note_short_reach(self, lexeme: Lexeme) -> None:
        """A note for `title: India Pakistan`, where the field is about the first word alone."""
        word, behind = self._lexemes[self._at : self._at + 2]
        if lexeme.loose and word.kind == behind.kind == "word":
            text = shortened(f"{word.text} {behind.text}")
            about = lexeme.kind == "about"
            group = f'{lexeme.text}:"{text}"' if about else f"{lexeme.text}:({text})"
            self._note(
                f'{lexeme.text}: is about "{shortened(word.text)}" alone; write {group} for both',
                lexeme.start,
                behind.end,
            )

    def _at_least(self, lexeme: Lexeme) -> Node:
        """`ATLEAST/3 …`."""
        self._at += 1
        behind = self._lexemes[self._at]
        if behind.kind not in _OPERANDS or behind.kind == "atleast":
            self._fail(
                "ATLEAST needs a word, a phrase or a group behind it",
                lexeme.start,
                lexeme.end,
                "write ATLEAST/3 ceasefire or ATLEAST/3 (ceasefire OR truce)",
            )
        node = self._operand()
        end = self._lexemes[self._at - 1].end
        return self._counted(lexeme.number, node, lexeme.start, end)

    def _counted(self, count: int, node: Node, start: int, end: int) -> AtLeast:
        wrong = _misplaced(node)
        if wrong is not None:
            hint = "what is counted is a word, a phrase, (a OR b) or a NEAR b"
            if isinstance(node, And) and not any(isinstance(part, Not) for part in node.parts):
                each = " AND ".join(f"ATLEAST/{count} {_grouped(part)}" for part in node.parts)
                hint = f"write {each}" if len(each) <= _LONGEST_SHOWN else hint
            self._fail(f"{_NAMES[type(wrong)]} can't be counted", start, end, hint)
        return AtLeast(count, node, start, end)

    # ------------------------------------------------------------------ words and values

    def _word(self, lexeme: Lexeme) -> Term:
        """A word that was typed without quotes."""
        text = lexeme.text
        if not (text.isascii() and text.isalnum()) or text in FOREIGN_OPERATORS:
            terms.check_word(text, self._place(lexeme), exact=self._exact)
            if not text.isalpha():
                self._note_word(text, lexeme)
            if meant := FOREIGN_OPERATORS.get(text):
                self._note(
                    f'"{text}" is looked for as a word; did you mean {meant}?',
                    lexeme.start,
                    lexeme.end,
                )
        return Term(text, lexeme.start, lexeme.end, exact=self._exact, field=self._field)

    def _note_word(self, text: str, lexeme: Lexeme) -> None:
        if text[-1] == "?":
            self._note('"?" stands for exactly one letter', lexeme.end - 1, lexeme.end)
        elif text[-1] == "!":
            bare = shortened(text.rstrip("!"))
            self._note(
                f'"{shortened(text)}" finds "{bare}"; write {bare}* for all that begin so',
                lexeme.start,
                lexeme.end,
            )
        elif _EQUATED.match(text):
            self._note(
                f'"{shortened(text)}" was read as a phrase; a field has a colon: title:truce',
                lexeme.start,
                lexeme.end,
            )
        elif text[-1] in _SIGNS:
            bare = text.rstrip(_SIGNS)
            self._note(
                f'"{shortened(text)}" finds "{shortened(bare)}": signs are not looked for',
                lexeme.start,
                lexeme.end,
            )
        elif _LISTED.search(text) and terms.words_in(text) > 1:
            self._note(
                f'"{shortened(text)}" was read as a phrase; write OR between alternatives',
                lexeme.start,
                lexeme.end,
            )

    def _note_quoted_operator(self, lexeme: Lexeme, operator: re.Match[str]) -> None:
        """A note for `"ceasefire OR truce"`, and for a query whose quotes are one too many."""
        if lexeme.text.isupper() and operator[0] != lexeme.text.strip():
            return  # TRUTH OR DARE
        start = lexeme.inner + operator.start()
        self._note(
            f'in quotes "{operator[0]}" is a word of the phrase; where it joins, end the quotes'
            " before it",
            start,
            start + len(operator[0]),
        )

    def _phrase(self, lexeme: Lexeme) -> Node:
        """Words in quotes, `"a b"~5` among them."""
        inner = lexeme.text
        if (operator := _IN_CAPITALS.search(inner)) and operator[0] != inner:
            self._note_quoted_operator(lexeme, operator)
        behind = self._lexemes[self._at]
        if behind.kind == "slop":
            self._at += 1
            return self._within(behind, lexeme)
        if not _PLAIN_PHRASE.fullmatch(inner):
            inner = " ".join(piece.text for piece in self._pieces(lexeme))
            if terms.is_hashtag(inner):
                terms.check_word(inner, self._place(lexeme), exact=self._exact)
                return Term(inner, lexeme.start, lexeme.end, field=self._field)
        terms.check_length(inner, self._place(lexeme))
        return Term(inner, lexeme.start, lexeme.end, True, self._exact, self._field)

    def _pieces(self, lexeme: Lexeme) -> list[terms.Piece]:
        if not lexeme.text.strip():
            self._fail(
                "there is nothing between these quotation marks",
                lexeme.start,
                lexeme.end,
                'leave them out, or write "cease fire"',
            )
        return terms.pieces(lexeme.text, lexeme.inner, self._place(lexeme), exact=self._exact)

    def _within(self, lexeme: Lexeme, phrase: Lexeme | None = None) -> Node:
        """`"a b"~5`, or `near5:"a b"`, of which only the beginning was read."""
        if phrase is None:
            phrase = self._lexemes[self._at]
            if phrase.kind != "phrase":
                self._fail(
                    "near is about the words of a phrase",
                    lexeme.start,
                    lexeme.end,
                    'write "India Pakistan"~5 or India NEAR/5 Pakistan',
                )
            self._at += 1
        parts = tuple(
            Term(piece.text, piece.start, piece.end, exact=self._exact, field=self._field)
            for piece in self._pieces(phrase)
            if terms.has_word(piece.text)
        )
        terms.check_length(" ".join(part.text for part in parts), self._place(phrase))
        start, end = min(phrase.start, lexeme.start), max(phrase.end, lexeme.end)
        if len(parts) == 1:
            self._note("there is only one word, with nothing to be near to", start, end)
            return Term(parts[0].text, start, end, True, self._exact, self._field)
        return Within(parts, lexeme.number, start, end)

    def _about(self, lexeme: Lexeme) -> Node:
        """`source:Dawn`, `source:"The Hindu"`, `source:(Dawn OR "The Hindu")`."""
        self._at += 1
        about = ABOUT_FIELDS[lexeme.text]
        behind = self._lexemes[self._at]
        if behind.kind in _VALUES:
            self._note_short_reach(lexeme)
            self._at += 1
            return self._value(about, behind, lexeme.start)
        if behind.kind != "open":
            minus = behind.kind == "not"
            self._fail(
                f"{about}: needs a value behind it",
                lexeme.start,
                lexeme.end,
                f"put the minus first: -{about}:…" if minus else f"write {_EXAMPLES[about]}",
            )
        self._at += 1
        values: list[Node] = []
        while True:
            value = self._lexemes[self._at]
            if value.kind not in _VALUES:
                self._no_value(about, value)
            self._at += 1
            values.append(self._value(about, value, value.start))
            following = self._lexemes[self._at]
            self._at += 1
            if following.kind == "close":
                return values[0] if len(values) == 1 else Or(tuple(values))
            if following.kind == "end":
                self._never_closed(behind)
            if following.kind != "or":
                self._no_value(about, following)

    def _no_value(self, about: About, lexeme: Lexeme) -> NoReturn:
        if lexeme.kind == "end":
            self._fail(
                "this bracket is never closed",
                lexeme.start,
                lexeme.end,
                "put ) where the values end",
            )
        self._fail(
            f"behind {about}: stand values with OR between them",
            lexeme.start,
            lexeme.end,
            f'write {about}:(one OR "two words"), and what else there is outside its brackets',
        )

    def _value(self, about: About, lexeme: Lexeme, start: int) -> Meta:
        value = " ".join(lexeme.text.split())
        if about == "tag":
            value = value.lstrip("#＃")
        elif about == "site":  # *.gov.in, .gov.in: what is below it is meant anyway
            value = value.removeprefix("*.").lstrip(".")
        end = lexeme.end
        star = value.find("*")
        if not any(map(str.isalnum, value)):
            self._fail(f"{about}: needs a value behind it", start, end, f"write {_EXAMPLES[about]}")
        if 0 <= star < len(value) - 1:
            self._fail(
                '"*" stands at the end of a value',
                start,
                end,
                f"write how it begins: {about}:{shortened(value[:star] or value.strip('*'))}*",
            )
        if about == "site" and "/" in (path := value.partition("://")[2] or value).rstrip("/"):
            host = shortened(path.partition("/")[0])
            self._note(f"only the site counts: site:{host}", start, end)
        if about == "lang" and not _is_language(value):
            self._fail(
                f'no language "{shortened(value)}" is known',
                lexeme.start,
                end,
                "write its code, or its English name: lang:de, lang:urdu",
            )
        return Meta(about, value, start, end)

    # ------------------------------------------------------------------ what is wrong

    def _expected(self) -> NoReturn:
        """Fails because an operand was expected where none is."""
        lexeme = self._lexemes[self._at]
        before = self._lexemes[self._at - 1] if self._at else None
        if before is not None and before.kind in _OPERATORS:
            self._lacks_right(before, lexeme)
        if lexeme.kind in _BINARY:
            shown = self._shown(lexeme)
            self._fail(
                f"{shown} needs a word on its left",
                lexeme.start,
                lexeme.end,
                f"write a {shown} b{_as_word(shown)}",
            )
        if lexeme.kind == "close":
            self._fail(
                "this bracket closes nothing",
                lexeme.start,
                lexeme.end,
                "leave it out, or put ( where the group begins",
            )
        self._fail(
            f"{self._shown(lexeme)} has no phrase before it",
            lexeme.start,
            lexeme.end,
            'write "India Pakistan"~5 or ceasefire{3}',
        )

    def _lacks_right(self, operator: Lexeme, behind: Lexeme) -> NoReturn:
        shown = self._shown(operator)
        start, end = operator.start, operator.end
        if operator.kind == "not":
            if behind.kind == "near":
                near = self._shown(behind)
                self._fail(
                    "NOT can't stand before NEAR",
                    start,
                    behind.end,
                    f"write a -(a {near} b) for articles in which they are nowhere near",
                )
            self._fail(
                f"{shown} needs a word on its right", start, end, "write -cricket or NOT cricket"
            )
        if operator.kind == "near" and behind.kind == "not":
            self._fail(
                f"{shown} can't be followed by NOT",
                start,
                behind.end,
                f"write a -(a {shown} b) for articles in which they are nowhere near",
            )
        if behind.kind in _BINARY:
            other = self._shown(behind)
            self._fail(
                f"{shown} is followed by {other}",
                start,
                behind.end,
                f"leave one of them out{_as_word(other)}",
            )
        self._fail(
            f"{shown} needs a word on its right",
            start,
            end,
            f"write a {shown} b{_as_word(shown)}",
        )

    def _place(self, lexeme: Lexeme) -> terms.Place:
        return terms.Place(self._text, lexeme.start, lexeme.end)

    def _shown(self, lexeme: Lexeme) -> str:
        return shortened(" ".join(self._text[lexeme.start : lexeme.end].split()))

    def _note(self, message: str, start: int, end: int) -> None:
        self._notes.append(Note(message, start, end))

    def _fail(self, message: str, start: int, end: int, hint: str) -> NoReturn:
        raise QueryError(message, self._text, start, end, hint)


_NAMES: Final = {And: "AND", Not: "NOT", Meta: "what is no word of the text", AtLeast: "ATLEAST"}
_EXAMPLES: Final[dict[About, str]] = {
    "source": 'source:Dawn or source:"The Hindu"',
    "site": "site:dawn.com",
    "lang": "lang:en",
    "tag": "tag:agency",
    "side": "side:India",
    "author": 'author:"Asim Munir"',
}


def _without_repetition(notes: Iterable[Note]) -> tuple[Note, ...]:
    """In order, each message once, where it is first true: a pasted query may have fifty "or"."""
    by_message: dict[str, list[Note]] = {}
    for note in sorted(notes, key=lambda note: note.start):
        by_message.setdefault(note.message, []).append(note)
    return tuple(
        first if not more else replace(first, message=f"{message} ({len(more) + 1} times)")
        for message, (first, *more) in by_message.items()
    )


def _is_language(value: str) -> bool:
    return _LANGUAGE.fullmatch(value) is not None or value.lower() in LANGUAGES


def _as_word(operator: str) -> str:
    """How to look for what was read as an operator."""
    return f'; in quotes it is a word: "{operator}"' if operator.isalpha() else ""


def _grouped(node: Node) -> str:
    """A node as an operand."""
    return f"({bracketed(node)})" if isinstance(node, And | Or | Near) else bracketed(node)


def _only_excludes(node: Node) -> bool:
    """Whether a node only says what must not be found."""
    if isinstance(node, And):
        return all(isinstance(part, Not) for part in node.parts)
    return isinstance(node, Not)


def _misplaced(node: Node) -> Node | None:
    """What can't be near something or counted, in a node that is to be."""
    if isinstance(node, Term | Near | Within):  # a Near was checked when it was made
        return None
    if isinstance(node, Or):
        for part in node.parts:
            if (wrong := _misplaced(part)) is not None:
                return wrong
        return None
    return node


def _height(node: Node) -> int:
    """How many NEAR stand in each other."""
    if isinstance(node, Near):
        return 1 + max(_height(node.left), _height(node.right))
    if isinstance(node, Or):
        return max(map(_height, node.parts))
    return 0


def _fields(node: Node) -> set[Field | None]:
    """The fields of all terms of an operand of NEAR."""
    if isinstance(node, Term):
        return {node.field}
    if isinstance(node, Near):
        return _fields(node.left) | _fields(node.right)
    if isinstance(node, Or | Within):
        return set().union(*map(_fields, node.parts))
    return set()


def _near_operator(lexeme: Lexeme) -> str:
    return f"{'ONEAR' if lexeme.ordered else 'NEAR'}/{lexeme.number}"


def _instead_of_near(node: Node, other: Node, near: str, *, swapped: bool) -> str:
    """How to write what was probably meant by something that can't be near."""

    def beside(part: Node) -> str:
        pair = (part, other) if swapped else (other, part)
        return f"{_grouped(pair[0])} {near} {_grouped(pair[1])}"

    written = ""
    if _misplaced(other) is None:
        match node:
            case And():
                wanted = [part for part in node.parts if _misplaced(part) is None]
                rest = [part for part in node.parts if _misplaced(part) is not None]
                grouped = [*(f"({beside(part)})" for part in wanted), *map(_grouped, rest)]
                written = " AND ".join(grouped)
                words = [part.text for part in wanted if isinstance(part, Term)]
                if len(words) == len(node.parts):
                    written += f', or "{" ".join(words)}" if that is one name'
            case AtLeast():
                written = f"ATLEAST/{node.count} ({beside(node.part)})"
            case Meta():
                written = f"{_grouped(other)} AND {bracketed(node)}"
            case Not():
                written = f"{_grouped(other)} AND NOT ({beside(node.part)})"
            case _:
                pass
    if written and len(written) <= _LONGEST_SHOWN:
        return f"write {written}"
    return f"{near} joins words, phrases, (a OR b), and what is itself joined by NEAR"
