"""From the characters of a query to its lexemes: words, phrases, operators, brackets."""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple, NoReturn, TypeAlias

from monitor.errors import QueryError
from monitor.match.language.names import (
    ABOUT_FIELDS,
    EXACT,
    TEXT_FIELDS,
    WORDS,
    close_field,
    close_operator,
    shortened,
    unknown_field,
)
from monitor.match.language.showing import line_and_column
from monitor.match.query import Note

NEAR_BY_DEFAULT: Final = 4  # words between, as in Meltwater
FARTHEST: Final = 100  # words between

Kind: TypeAlias = Literal[
    "word",  # text: without signs, fields and punctuation around it
    "phrase",  # text: what stands between the quotes
    "and",
    "or",
    "not",
    "near",  # number: words between; ordered
    "within",  # number: words between; before a phrase (GDELT)
    "slop",  # number: words between; behind a phrase
    "atleast",  # number; before what is counted
    "count",  # number; behind what is counted
    "field",  # text: its name; loose: white space behind the colon
    "about",  # text: its name; loose
    "exact",
    "open",
    "close",
    "end",
]


class Lexeme(NamedTuple):
    """A piece of a query: `start` and `end` are offsets into its text."""

    kind: Kind
    start: int
    end: int
    text: str = ""
    number: int = 0
    ordered: bool = False
    loose: bool = False
    inner: int = 0  # where the text of a phrase begins


# Quotation marks of all kinds open and close alike. A mark between two Hebrew letters is none,
# but part of an acronym (צה"ל).
_QUOTES: Final = '"“”„‟«»＂″〝〞〟「」『』❝❞'
_HEBREW: Final = "א-ת"
_GERSHAYIM: Final = f'(?<=[{_HEBREW}])["“”](?=[{_HEBREW}])'
QUOTE: Final = re.compile(f"(?!{_GERSHAYIM})[{_QUOTES}]")
_SINGLE: Final = "'‘’‚‛`´‹›＇"
_SEPARATORS: Final = ",;，；、،؛"
_BEHIND: Final = _SINGLE + _SEPARATORS + ":：。؟"  # what may stand behind a word and is not of it
_AROUND: Final = _BEHIND + "/"
_MINUS: Final = "-–−‐‑﹣－"
_DASHES: Final = frozenset(f"{_MINUS}—")
_SIGNS: Final = _MINUS + "!+=＋＝！"
_TAGS: Final = "#＃"

# Control characters, and those that turn the direction of writing, come with what is pasted.
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)

_LEXEME: Final = re.compile(
    rf"""
    \s* (?:
        (?P<comment> [{_TAGS}] (?=\s|\Z) [^\n]* | //[^\n]* | /\*.*?\*/ | <<<.*?>>> )
      | (?P<word> (?: [^\s()（）|｜&{_QUOTES}]+ | &(?!&) | {_GERSHAYIM} )+ )
      | (?P<phrase> [{_QUOTES}] (?: [^{_QUOTES}]++ | {_GERSHAYIM} )*+ [{_QUOTES}] )
      | (?P<open> [(（] )
      | (?P<close> [)）] )
      | (?P<or> \|\|? | ｜ )
      | (?P<and> && )
      | (?P<quote> [{_QUOTES}] )
      | (?P<end> \Z )
    )
    """,
    re.VERBOSE | re.DOTALL,
)
# A run that is a word and nothing else, unless it is one of `names.WORDS`: no sign in front, no
# field, no number behind an operator, no punctuation at its end.
_PLAIN: Final = re.compile(
    rf"""
    (?! (?:o?near-?|atl(?:east)?|adj)\d | (?:and|but)[-_]not )
    [^\W_] (?: [^:：/\[\]{{}}<>~^\\]* [^:：/\[\]{{}}<>~^\\{_BEHIND}] )?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_FIELD: Final = re.compile(r"([A-Za-z][\w.]*)[:：]")
_COLON: Final = re.compile(r"[ \t]*[:：]")
_DISTANCE: Final = re.compile(
    r"\s*/\s*(?P<slash>\d*)(?P<forward>[fF]?)(?!\w)|\(\s*(?P<round>\d+)\s*\)"
)
_NUMBER: Final = re.compile(r"\s*/?\s*(\d+)(?!\w)")
_NEAR: Final = re.compile(
    r"""
      (?P<name> O?NEAR ) (?: / (?P<slash> [^f]* ) | (?P<digits> \d+ ) ) (?P<forward> f? )
    | (?P<foreign> W|PRE|AROUND ) / (?P<number> \d+ )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ATLEAST: Final = re.compile(r"ATLEAST/?(?P<number>.*)", re.IGNORECASE)
_ATL: Final = re.compile(r"ATL/?(\d{1,3})", re.IGNORECASE)  # LexisNexis, Westlaw
_SLASH: Final = re.compile(r"/(?:(?P<number>\d{1,3})|[sp])(?=[\s(]|\Z)", re.IGNORECASE)
_AND_NOT: Final = re.compile(r"(?:AND|BUT)[-_/]NOT", re.IGNORECASE)
_MISSPELT: Final = re.compile(r"([A-Za-z]{3,9})[/\\:=~-](\d{1,3})f?")
_WITHIN: Final = re.compile(r"(near|repeat)(\d+)", re.IGNORECASE)
_COUNT: Final = re.compile(r"\{(\d*),?\}\Z")
_BEHIND_PHRASE: Final = re.compile(
    rf"~(?P<slop>[^\s()|{{^~*{_QUOTES}]*) | \{{(?P<count>[^\s()|{{}}]*)\}} | [\^*][\d.]*",
    re.VERBOSE,
)
_SINGLY_QUOTED: Final = re.compile(
    rf"[{_SINGLE}](?P<words>\w[^{_SINGLE}{_QUOTES}\n]*\s[^{_SINGLE}{_QUOTES}\n]*)[{_SINGLE}](?!\w)"
)
_BRACKETS: Final = re.compile(r"[\[\]{}]")
_COMPARED: Final = re.compile(r"[A-Za-z]+[<>]=?-?\d")
_REGEX: Final = re.compile(r"/(?![\s/*])[^\n]{0,200}?/[a-z]*(?=[\s)^]|\Z)")
_RANGE: Final = re.compile(r"[\[{][^\]}\n]{0,100}\bTO\b[^\]}\n]{0,100}[\]}]")
_OPENING: Final = frozenset(f"{_QUOTES}(（")
_NUMBERS: Final = 9  # digits; more are no number of words
_OPERATORS: Final[dict[str, Literal["and", "or", "not"]]] = {
    "and": "and",
    "or": "or",
    "not": "not",
    "andnot": "not",
}


def seen(text: str) -> str:
    """The text with a space for each character that nobody sees and that is no white space."""
    return text if text.isprintable() else _UNSEEN.sub(" ", text)


def lexemes(text: str, notes: list[Note]) -> list[Lexeme]:
    """The lexemes of a query, the last one being its end.

    What is right but may surprise is added to `notes`. Raises `QueryError`.
    """
    return _Lexer(text, notes).read()


class _Lexer:
    """The state of one reading of a query."""

    def __init__(self, text: str, notes: list[Note]) -> None:
        self._query = text
        self._text = seen(text)
        self._notes = notes
        self._found: list[Lexeme] = []
        self._at = 0

    def read(self) -> list[Lexeme]:
        text, found = self._text, self._found
        while True:
            match = _LEXEME.match(text, self._at)
            assert match is not None  # every character is in one of the alternatives
            kind = match.lastgroup
            start, end = match.span(kind or 0)
            self._at = end
            if kind == "word":
                self._word(start, end)
            elif kind == "phrase":
                found.append(
                    Lexeme("phrase", start, end, text[start + 1 : end - 1], inner=start + 1)
                )
                self._behind(end)
            elif kind == "open":
                found.append(Lexeme("open", start, end))
            elif kind == "close":
                found.append(Lexeme("close", start, end))
                self._behind(end)
            elif kind == "or":
                found.append(Lexeme("or", start, end))
            elif kind == "and":
                found.append(Lexeme("and", start, end))
            elif kind == "quote":
                self._never_closed(start)
            elif kind == "end":
                found.append(Lexeme("end", len(text), len(text)))
                return found

    # ------------------------------------------------------------------ words

    def _word(self, start: int, end: int) -> None:
        """A run of characters without white space, brackets and quotation marks."""
        word = self._text[start:end]
        if not word.isalpha():
            if _PLAIN.fullmatch(word):
                self._found.append(Lexeme("word", start, end, word))
            else:
                self._signed(start, end)
        elif (meaning := WORDS.get(word.lower())) is None or not self._meant(word, meaning, start):
            self._found.append(Lexeme("word", start, end, word))

    def _meant(self, word: str, meaning: str, start: int) -> bool:
        """Whether a word that may mean something else stands so that it does; it is then added."""
        end = start + len(word)
        if meaning == "operator":
            if not word.isupper():
                self._note(
                    f'"{word}" was read as {word.upper()}; in quotes it is a word', start, end
                )
            self._found.append(Lexeme(_OPERATORS[word.lower()], start, end))
            return True
        if meaning in ("near", "around"):
            return self._near(word, start, end)
        if meaning == "atleast":
            return self._atleast(word, start, end)
        if meaning == "field":
            colon = _COLON.match(self._text, end)
            if colon is None and self._text[end : end + 1] == "(" and word.lower() != EXACT:
                self._fail(
                    f"{word} needs a colon before the bracket",
                    start,
                    end,
                    f"write {word.lower()}:(…); to look for the word, put a space behind it",
                )
            return colon is not None and self._field(word, start, colon.end())
        if word.isupper():  # a near miss
            self._note(
                f'"{word}" is looked for as a word; did you mean {close_operator(word)}?',
                start,
                end,
            )
        return False

    def _signed(self, start: int, end: int) -> None:
        """A run that is not letters alone: signs and fields in front, then a word."""
        text, found = self._text, self._found
        before = len(found)
        if text[start] in _SINGLE and (match := _SINGLY_QUOTED.match(text, start)):
            self._note(
                f'single quotes mean nothing here; write "{match["words"]}" for a phrase',
                *match.span(),
            )
        at = start
        while at < end:
            char = text[at]
            if char in _SIGNS:
                if at + 1 == end and not self._opens(end):
                    break
                self._sign(char, at)
                at += 1
            elif char == "/" and (match := _REGEX.match(text, at)):
                self._fail(
                    "regular expressions are not understood",
                    at,
                    match.end(),
                    "write the words with OR between them, or the beginning with a * behind it",
                )
            elif char == "/" and at == start and (match := _SLASH.match(text, at)):
                self._slashed(match)
            elif (match := _FIELD.match(text, at, end)) and self._field(
                match[1], at, match.end(), end
            ):
                at = match.end()
                if found[-1].kind == "about":
                    self._value(at, end)
                    return
            elif char in _AROUND and not text.startswith("/*", at):
                at += 1
            else:
                break
        has_word = any(map(str.isalnum, text[at:end]))
        if at < end:
            self._refuse(at, end, has_word=has_word)
        if has_word:
            self._bare(at, end, quoted=any(char in _SINGLE for char in text[start:at]))
            return
        if at == end and self._opens(end):
            return  # what they belong to comes directly behind them
        if len(found) > before and not self._ends_in_sign():
            return  # a field, whose word comes behind a space
        if "*" in text[at:end]:
            self._fail(
                '"*" alone would find everything',
                at,
                end,
                "write the beginning of a word before it: Kashmir*",
            )
        while len(found) > before and self._ends_in_sign():
            found.pop()
        ignored = shortened(text[start:end])
        if all(char in _SEPARATORS for char in ignored):
            message = "a comma means nothing here; write OR between alternatives"
        elif ignored in _DASHES:
            message = (
                f'"{ignored}" alone means nothing; to exclude a word write -word, without a space'
            )
        else:
            message = f'"{ignored}" is ignored: it holds no letter or digit'
        self._note(message, start, end)

    def _ends_in_sign(self) -> bool:
        """Whether the last lexeme is a sign, which needs something directly behind it."""
        return self._found[-1].kind in ("not", "exact") and not self._found[-1].text

    def _opens(self, at: int) -> bool:
        """Whether a phrase or a group begins here."""
        return self._text[at : at + 1] in _OPENING

    def _sign(self, char: str, at: int) -> None:
        """A sign before a word, a phrase or a group."""
        if char in "+＋":
            self._note('"+" is not needed: words side by side must all be found', at, at + 1)
        elif char in "=＝":
            self._found.append(Lexeme("exact", at, at + 1))
        else:
            if char in "!！":
                self._note('"!" was read as NOT; for capitals as they stand write =', at, at + 1)
            elif char != "-":
                self._note(f'"{char}" was read as "-", that is NOT', at, at + 1)
            self._found.append(Lexeme("not", at, at + 1))

    def _bare(self, start: int, end: int, *, quoted: bool) -> None:
        """A word without what stands in front of it, or an operator that has a number."""
        text = self._text
        stop = self._stripped(start, end)
        count = _COUNT.search(text, start, stop) if text[stop - 1] == "}" else None
        if count is not None:
            stop = self._stripped(start, count.start())
        word = text[start:stop]
        quoted = quoted or any(char in _SINGLE for char in text[stop:end])
        if any(char in _SEPARATORS for char in text[stop:end]):
            self._note("a comma means nothing here; write OR between alternatives", stop, end)
        meaning = WORDS.get(word.lower()) if word.isalpha() else None
        if (meaning is not None and (quoted or count is not None)) or (
            count is not None and not _PLAIN.fullmatch(word)
        ):
            self._found.append(Lexeme("phrase", start, stop, word, inner=start))
        elif not (
            self._meant(word, meaning, start)
            if meaning is not None
            else count is None and self._numbered(word, start, stop)
        ):
            self._found.append(Lexeme("word", start, stop, word))
        if count is not None:
            self._count(count[1], count.start(), count.end())

    def _stripped(self, start: int, end: int) -> int:
        """The end without the punctuation before it."""
        while end > start + 1 and self._text[end - 1] in _BEHIND:
            end -= 1
        return end

    # ------------------------------------------------------------------ operators with numbers

    def _near(self, word: str, start: int, end: int) -> bool:
        """`NEAR` and `ONEAR`, alone or with a distance behind a space; `AROUND(5)`."""
        distance = _DISTANCE.match(self._text, end)
        if distance is not None:
            self._at = distance.end()
            digits = distance["slash"] or distance["round"] or ""
            self._distance(word, digits, start, self._at, forward=bool(distance["forward"]))
            return True
        if word.upper() == "AROUND":
            return False
        if not word.isupper():
            self._note(
                f'"{word}" is looked for as a word; write {word.upper()} for the operator',
                start,
                end,
            )
            return False
        if self._text[end : end + 1] == "(" and self._lacks_left():
            self._fail(
                f"{word} stands between what it joins",
                start,
                end,
                f'write "one phrase" {word}/10 (one OR other)',
            )
        self._add_near(start, end, NEAR_BY_DEFAULT, word.upper() == "ONEAR")
        return True

    def _lacks_left(self) -> bool:
        """Whether an operator would have nothing on its left here."""
        return not self._found or self._found[-1].kind in ("open", "and", "or", "not", "near")

    def _distance(self, name: str, digits: str, start: int, end: int, *, forward: bool) -> None:
        """An operator of distance with what is written as its number."""
        operator = "ONEAR" if forward or name.upper() in ("ONEAR", "PRE") else "NEAR"
        if not (digits.isascii() and digits.isdigit()):
            self._fail(
                f'{name} needs a number after "/"',
                start,
                end,
                f"write {operator}/5 for at most five words between; {operator} alone means"
                f" {operator}/{NEAR_BY_DEFAULT}",
            )
        self._add_near(start, end, self._words(digits, start, end), operator == "ONEAR")

    def _add_near(self, start: int, end: int, number: int, ordered: bool) -> None:
        self._found.append(Lexeme("near", start, end, number=number, ordered=ordered))

    def _words(self, digits: str, start: int, end: int) -> int:
        """A number of words between."""
        if len(digits) > _NUMBERS or int(digits) > FARTHEST:
            self._fail(
                f"at most {FARTHEST} words can be between",
                start,
                end,
                f"write a number from 0 to {FARTHEST}, or AND for any distance",
            )
        return int(digits)

    def _atleast(self, word: str, start: int, end: int) -> bool:
        """`ATLEAST` with a number behind a space."""
        number = _NUMBER.match(self._text, end)
        if number is not None:
            self._at = number.end()
            self._found.append(self._counted("atleast", number[1], start, self._at))
            return True
        if word.isupper():
            self._no_number(word, start, end)
        return False

    def _no_number(self, word: str, start: int, end: int) -> NoReturn:
        self._fail(
            f'{word} needs a number after "/"',
            start,
            end,
            "write ATLEAST/3 ceasefire for three finds or more",
        )

    def _slashed(self, match: re.Match[str]) -> NoReturn:
        """`/5`, `/s` and `/p` of LexisNexis and Westlaw."""
        if match["number"] is None:
            self._no_sentences(match[0], *match.span())
        hint = f"write NEAR/{match['number']}"
        self._fail(f'unknown operator "{match[0]}"', *match.span(), hint)

    def _no_sentences(self, word: str, start: int, end: int) -> NoReturn:
        self._fail(
            f"sentences and paragraphs can't be asked for with {word}",
            start,
            end,
            "write NEAR/15 for about a sentence, NEAR/50 for a paragraph",
        )

    def _numbered(self, word: str, start: int, end: int) -> bool:
        """Whether a word is an operator with a number; it is then added."""
        if near := _NEAR.fullmatch(word):
            digits = near["number"] or near["digits"] or near["slash"] or ""
            name = near["name"] or near["foreign"]
            self._distance(name, digits, start, end, forward=bool(near["forward"]))
            return True
        if atleast := _ATLEAST.fullmatch(word):
            digits = atleast["number"]
            if digits.isascii() and digits.isdigit():
                self._found.append(self._counted("atleast", digits, start, end))
                return True
            if "/" in word:
                self._no_number(word.partition("/")[0], start, end)
            return False
        if word.upper() in ("W/S", "W/P"):
            self._no_sentences(word, start, end)
        if atl := _ATL.fullmatch(word):
            self._fail(f'unknown operator "{word}"', start, end, f"write ATLEAST/{atl[1]}")
        if _AND_NOT.fullmatch(word):
            self._fail(f'unknown operator "{word}"', start, end, "write AND NOT")
        if word.upper().startswith("ADJ") and word[3:].lstrip("/").isdigit():
            number = word[3:].lstrip("/")
            self._fail(f'unknown operator "{word}"', start, end, f"write ONEAR/{number}")
        self._misspelt(word, start, end)
        return False

    def _misspelt(self, word: str, start: int, end: int) -> None:
        """Fails for what was probably meant as an operator with a number."""
        misspelt = _MISSPELT.fullmatch(word)
        if misspelt and (close := close_operator(misspelt[1], numbered=True)):
            self._fail(
                f'unknown operator "{word}" – did you mean "{close}/{misspelt[2]}"?',
                start,
                end,
                f'write {close}/{misspelt[2]}, or put it in quotes to look for it: "{word}"',
            )

    def _counted(
        self, kind: Literal["atleast", "count"], digits: str, start: int, end: int
    ) -> Lexeme:
        if len(digits) > _NUMBERS or not 1 <= int(digits) <= 1000:
            self._fail(
                f"{digits[:12]} times can't be asked for",
                start,
                end,
                "write a number from 1 to 1000: ATLEAST/3 ceasefire",
            )
        return Lexeme(kind, start, end, number=int(digits))

    def _count(self, digits: str, start: int, end: int) -> None:
        """`{3}` behind a word, a phrase or a group."""
        if not (digits.isascii() and digits.isdigit()):
            self._no_count(start, end)
        self._found.append(self._counted("count", digits, start, end))

    def _no_count(self, start: int, end: int) -> NoReturn:
        self._fail(
            "braces hold the number of finds",
            start,
            end,
            "write ceasefire{3} for three finds or more",
        )

    # ------------------------------------------------------------------ fields

    def _field(self, name: str, start: int, colon: int, end: int | None = None) -> bool:
        """A name with a colon behind it, at `colon`; `end` of the run in which it stands, if any.

        Whether it is a field, which is then added.
        """
        text = self._text
        known = name.lower()
        loose = text[colon : colon + 1].isspace()
        if known in TEXT_FIELDS:
            self._found.append(Lexeme("field", start, colon, TEXT_FIELDS[known], loose=loose))
        elif known in ABOUT_FIELDS:
            self._found.append(Lexeme("about", start, colon, ABOUT_FIELDS[known], loose=loose))
        elif known == EXACT:
            self._found.append(Lexeme("exact", start, colon, EXACT))
        elif gdelt := _WITHIN.fullmatch(name):
            if known.startswith("near"):
                number = self._words(gdelt[2], start, colon)
                self._found.append(Lexeme("within", start, colon, number=number))
            else:
                self._found.append(self._counted("atleast", gdelt[2], start, colon))
        elif text.startswith("//", colon):
            return False  # an address: it is refused as a word
        else:
            self._no_field(name, start, colon, len(text) if end is None else end)
            return False
        self._at = max(self._at, colon)
        return True

    def _no_field(self, name: str, start: int, colon: int, end: int) -> None:
        """A name with a colon that is no field: fails if it looks like one."""
        is_bare = colon == end and not self._opens(end)  # "BBC:" is a word, "titel: x" is not
        if is_bare and (len(name) < 4 or close_field(name, cutoff=0.75) is None):
            typed = shortened(name)
            self._note(f'"{typed}:" is no field, so "{typed}" is a word', start, colon)
            return
        if self._found and self._found[-1].kind == "exact" and self._found[-1].end == start:
            return
        typed = self._text[start:end]
        self._misspelt(typed, start, end)
        message, hint = unknown_field(name, typed)
        self._fail(message, start, colon, hint)

    def _value(self, start: int, end: int) -> None:
        """What stands behind `source:` and its like is taken as it is."""
        if start == end:
            return  # a phrase, a group, or something behind a space
        stop = self._stripped(start, end)
        self._found.append(Lexeme("word", start, stop, self._text[start:stop]))

    # ------------------------------------------------------------------ what stands behind

    def _behind(self, at: int) -> None:
        """What is written directly behind a phrase or a group: "a b"~5, (a OR b){3}."""
        text = self._text
        kind = self._found[-1].kind
        while match := _BEHIND_PHRASE.match(text, at):
            start, at = match.span()
            sign = match[0][0]
            if sign == "{":
                self._count(match["count"].rstrip(","), start, at)
            elif sign == "^":
                self._boosted(start, at)
            elif sign == "*":
                inside = (
                    'word inside the quotes: "Operation Sin*"'
                    if kind == "phrase"
                    else "word: Kashmir*"
                )
                self._fail('"*" stands behind a word', start, at, f"put it behind the {inside}")
            elif kind == "close":
                self._fail(
                    '"~" stands behind a phrase, not behind a group',
                    start,
                    at,
                    "write (a OR b) NEAR/5 (c OR d)",
                )
            else:
                self._slop(match["slop"] or "", start, at)
            self._at = at

    def _slop(self, digits: str, start: int, end: int) -> None:
        if not (digits.isascii() and digits.isdigit()):
            self._fail(
                'a phrase needs a number after "~"',
                start,
                end,
                'write "India Pakistan"~5 for both in any order with at most five words between',
            )
        number = self._words(digits, start, end)
        self._found.append(Lexeme("slop", start, end, number=number))

    # ------------------------------------------------------------------ what is refused

    def _refuse(self, start: int, end: int, *, has_word: bool) -> None:
        """Fails for what other dialects have and this one has not."""
        text = self._text
        first = text[start]
        if text.startswith("/*", start):
            self._fail(
                "this comment is never closed", start, start + 2, "put */ where the comment ends"
            )
        if first in "[{" and (match := _RANGE.match(text, start)):
            self._fail(
                "ranges can't be asked for",
                start,
                match.end(),
                "write the values with OR between them: (2024 OR 2025)",
            )
        if match := _BRACKETS.search(text, start, self._uncounted(start, end)):
            if match[0] in "{}" and match.start() > start:
                self._no_count(match.start(), end)
            self._fail(
                f'"{match[0]}" means nothing here',
                *match.span(),
                "groups are written with ( and )",
            )
        if first in "<>" or _COMPARED.match(text, start, end):
            self._fail(
                '"<" and ">" mean nothing here',
                start,
                end,
                "words can't be compared; leave it out, or put it in quotes to look for it",
            )
        if first == "—" and has_word:
            self._fail(
                'a long dash before a word could mean "not"',
                start,
                start + 1,
                "write -word to exclude it, or put a space behind the dash",
            )
        if first == "~":
            self._fail(
                '"~" stands directly behind a phrase',
                start,
                end,
                'write "India Pakistan"~5, without a space before the ~',
            )
        if has_word and (place := text.find("\\", start, end)) >= 0:
            self._fail(
                'a "\\" means nothing here',
                place,
                place + 1,
                "leave it out; in quotes, signs are just signs",
            )
        if (place := text.find("^", start, end)) >= 0:
            self._boosted(place, end)
        if (place := text.find("~", start, end)) >= 0:
            self._fail(
                "words are not looked for by likeness",
                place,
                end,
                "leave the ~ out and write the spellings with OR between them, or word*",
            )

    def _uncounted(self, start: int, end: int) -> int:
        """The end of a run without a number of finds in braces: ceasefire{3}."""
        match = _COUNT.search(self._text, start, self._stripped(start, end))
        return match.start() if match else end

    def _boosted(self, start: int, end: int) -> NoReturn:
        self._fail(
            "an article matches or not: nothing can be given more weight",
            start,
            end,
            f"leave {shortened(self._text[start:end])} out",
        )

    def _never_closed(self, start: int) -> NoReturn:
        hint = 'put " behind the last word of the phrase'
        for lexeme in self._found:
            if lexeme.kind == "phrase" and re.search(r"\b(AND|OR|NOT|NEAR)\b|[()]", lexeme.text):
                hint += f", or of the one that begins {self._place(lexeme.start)}"
                break
        self._fail("this quotation mark is never closed", start, start + 1, hint)

    def _place(self, offset: int) -> str:
        line, column = line_and_column(self._text, offset)
        return f"in column {column}" if line == 1 else f"in line {line}, column {column}"

    def _note(self, message: str, start: int, end: int) -> None:
        self._notes.append(Note(message, start, end))

    def _fail(self, message: str, start: int, end: int, hint: str) -> NoReturn:
        raise QueryError(message, self._query, start, end, hint)
