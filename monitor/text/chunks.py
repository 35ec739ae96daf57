"""A chunk: what stands between two white spaces, cut into tokens, and how these can be read.

News repeats its words, so what is done here is done once for nearly every chunk of a day.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Final

from monitor.text.characters import KINDS, OPAQUE, STOPPED, UNSPACED
from monitor.text.folding import LONGEST_CACHED, exact, exact_of, fold, norm_of
from monitor.text.forms import forms, joined_forms, possessives
from monitor.text.particles import stems
from monitor.text.values import Chunk, Link, Reading, Token

# Over the kinds of a chunk's characters, not over the characters.
_WORDS: Final = re.compile(
    r"""
      (?<![LADM.]) [LA][MX]* (?:\.[LA][MX]*)+ (?![LADMX]) \.?          # U.S.
    | (?<![LADM]) (?:[LD][MX]*){1,3} & (?:[LD][MX]*){1,3} (?![LDMX&])  # AT&T
    | (?<![LADM]) D{1,3} (?:,D{2,3}){0,5} ,D{3} (?!D) (?:\.D+)? [LDMX]*    # 1,000  1,00,000.5
    | (?<![LADM]) D+ (?:\.D+)+ [LDMX]*                                 # 3.5
    | [LD] [LDMXZG]*
    | A [ADMX]*
    | K [KMX]*
    | H [HMX]*
    | I [MX]*
    | S (?:[MX] | VX*S?)*
    | U+
    """,
    re.VERBOSE,
)
_URL: Final = re.compile(
    r"""(?:(?<!\w) [a-z][a-z0-9+.-]{1,15}:// | (?<!\w) www\.) [^\s<>"“”‘’\u3000-\u9fff\uff00-\uffef]+
      | (?-i:(?<![\w.@/-]) (?:[a-z0-9][a-z0-9-]*\.)+ [a-z]{2,16}/)     # pic.example.com/AbC
        [^\s<>"“”‘’\u3000-\u9fff\uff00-\uffef]*
      | (?<![\w.+-]) [\w.+-]+ @ [\w-]+ (?:\.[\w-]+)+""",
    re.IGNORECASE | re.VERBOSE,
)
# ASCII words and numbers with the punctuation around them: nearly all of English.
_OPENING: Final = "(\"'[“‘—$£€"
_CLOSING: Final = ".,;:!?…)\"']”’—%"
_PLAIN: Final = re.compile(
    rf"""[{re.escape(_OPENING)}]* ([A-Za-z0-9]+ (?: -[A-Za-z0-9]+ ){{0,4}}) (['’][sS])?
         ([{re.escape(_CLOSING)}]*)""",
    re.VERBOSE,
)
_PLAIN_STOPS: Final = frozenset(".!?…")
_HEBREW_SIGN: Final = re.compile("(?<=[\u0590-\u05ea])[\"'׳״’”](?=[א-ת])")
# By these names a member is read five times as fast as by `Link.NEXT`.
_APART, _SPACED, _JOINED, _NEXT, _BREAK = Link
_ENCLITICS: Final = frozenset({"re", "ve", "ll", "d", "m"})
_PRONOUNS: Final = "i you he she it we they who what that this there here where how when why"
_CONTRACTED: Final = frozenset(_PRONOUNS.split())
_JOINERS: Final = frozenset("'-_&Z")  # kinds that hold the parts of one word together
_LONGEST_JOIN: Final = 5  # parts that may be read as one word
_MOST_JOINED: Final = 64  # parts of a word, above which a-a-a-… is read as nothing but its parts


def chunk_of(raw: str) -> Chunk:
    """The tokens and readings of what stands between two white spaces; never raises.

    Linear in its length. What is asked for again and again is remembered.
    """
    return _seen(raw) if len(raw) <= LONGEST_CACHED else _cut(raw)


def norms_of(raw: str) -> tuple[Sequence[tuple[str, int]], bool]:
    """The norms of a chunk's tokens with their places, and whether a sentence ends behind them.

    What `chunk_of` tells, without its readings: a tenth of the work for an English word. Nothing
    is remembered.
    """
    word = raw.lstrip(_OPENING)
    start = len(raw) - len(word)
    word = word.rstrip(_CLOSING)
    if word.isalnum() and word.isascii():
        return ((word.lower(), start),), not _PLAIN_STOPS.isdisjoint(raw[start + len(word) :])
    return _Cutter(raw).norms()


def plain_keys(raw: str) -> tuple[str, ...] | None:
    """The keys of a chunk that is one ASCII word in punctuation; None for any other.

    Its only reading has these: for a fraction of what it costs to cut it.
    """
    word = raw.lstrip(_OPENING).rstrip(_CLOSING)
    if not (word.isalnum() and word.isascii()):
        return None
    norm = word.lower()
    return (norm, f"={word}", *forms("L", norm, word))


def _cut(raw: str) -> Chunk:
    plain = _PLAIN.fullmatch(raw)
    if plain is None:
        return _Cutter(raw).chunk()
    start, end = plain.span(1)
    word, possessive, tail = plain.groups()
    link = _APART if start else _SPACED
    tokens: tuple[Token, ...]
    readings: tuple[Reading, ...]
    if "-" in word:
        if possessive:
            return _Cutter(raw).chunk()
        tokens, readings = _in_parts(word.split("-"), start, link)
    else:
        norm = word.lower()
        keys = (norm, f"={word}", *forms("L", norm, word, plural=not possessive))
        tokens = (Token(norm, start, end, link),)
        readings = (Reading(0, 1, keys, start, end),)
        if possessive:
            readings += (Reading(0, 1, possessives(norm), start, end + len(possessive)),)
    return Chunk(
        tokens,
        (0,) * len(tokens),
        1,
        readings,
        clean_start=not start,
        clean_end=end == len(raw),
        stop_start=False,
        stop_end=bool(tail) and not _PLAIN_STOPS.isdisjoint(tail),
        unspaced=False,
        opening="L",
        closing="L",
    )


def _in_parts(
    parts: Sequence[str], start: int, link: Link
) -> tuple[tuple[Token, ...], tuple[Reading, ...]]:
    """The tokens and readings of an ASCII word in a few parts, from `start` on, hyphens between."""
    tokens: list[Token] = []
    for part in parts:
        tokens.append(Token(part.lower(), start, start + len(part), link))
        start += len(part) + 1
        link = _JOINED
    readings: list[Reading] = []
    for first, (norm, start, end, _) in enumerate(tokens):
        word = shown = parts[first]
        keys = (norm, f"={word}", *forms("L", norm, word))
        readings.append(Reading(first, first + 1, keys, start, end))
        norms = [norm]
        for last in range(first + 1, len(parts)):
            norms.append(tokens[last].norm)
            word += parts[last]
            shown += f"-{parts[last]}"
            keys = ("".join(norms), f"={shown}", *joined_forms("L", norms, word))
            readings.append(Reading(first, last + 1, keys, start, tokens[last].end))
    return tuple(tokens), tuple(readings)


_seen = lru_cache(maxsize=1 << 15)(_cut)


def link_across(before: Chunk, after: Chunk, *, beside: bool, blank: bool, wrapped: bool) -> Link:
    """How the first token of a chunk stands to the last token of one before it.

    Both have tokens. `beside`: no other chunk stands between; `blank`: an empty line does;
    `wrapped`: the end of a line does. Where words are not spaced a space sets them apart, but a
    line's end does not, nor does the space that some set between Latin and Chinese.
    """
    clean = beside and not blank and before.clean_end and after.clean_start
    if not (before.unspaced or after.unspaced):
        return _SPACED if clean else _APART
    stopped = before.closing in STOPPED or after.opening in STOPPED
    if stopped and (blank or before.stop_end or after.stop_start):
        return _BREAK
    if not clean:
        return _APART
    unspaced = (before.closing in UNSPACED) + (after.opening in UNSPACED)
    if unspaced == 2 and not wrapped:
        return _APART
    return _NEXT if unspaced else _SPACED


class _Cutter:
    """The work on one chunk."""

    def __init__(self, raw: str) -> None:
        if ("." in raw and ("@" in raw or "/" in raw or "www." in raw.lower())) or "://" in raw:
            raw = _URL.sub(lambda match: OPAQUE * len(match[0]), raw)
        if not raw.isascii():
            raw = _HEBREW_SIGN.sub("״", raw)
        self._raw = raw
        self._kinds = raw.translate(KINDS)
        if "\n" in raw:  # a word hyphenated at the end of a line
            self._kinds = "".join(
                "X" if char.isspace() else kind for char, kind in zip(raw, self._kinds, strict=True)
            )
        self._tokens: list[Token] = []
        self._shown: list[str] = []  # of each: its characters, for exact keys
        self._scripts: list[str] = []  # the kind of each, digits being letters
        self._ties: list[str] = []  # what joins each to the one before
        self._words: list[int] = []
        self._possessive: dict[int, int] = {}  # token → where its dropped 's ends
        self._tags: list[tuple[int, int, int]] = []  # first token, token behind, place of the sign
        self._end = 0  # of the last token or dropped possessive

    def norms(self) -> tuple[Sequence[tuple[str, int]], bool]:
        """The norms of the chunk's tokens with their places, and whether it stops behind them."""
        self._find_tokens()
        tokens = self._tokens
        tail = self._kinds[tokens[-1].end if tokens else 0 :]
        return [(token.norm, token.start) for token in tokens], "!" in tail or "." in tail

    def chunk(self) -> Chunk:
        """The chunk, cut."""
        self._find_tokens()
        tokens, kinds, scripts = self._tokens, self._kinds, self._scripts
        lead = kinds[: tokens[0].start].strip("XZ") if tokens else kinds.strip("XZ")
        tail = kinds[tokens[-1].end :].strip("XZ") if tokens else lead
        readings = list(self._readings())
        if self._tags:
            readings.sort(key=itemgetter(0))  # by first token: phrases are looked up in that order
        return Chunk(
            tuple(tokens),
            tuple(self._words),
            self._words[-1] + 1 if tokens else 0,
            tuple(readings),
            clean_start=not lead,
            clean_end=not tail,
            stop_start="!" in lead or "." in lead,
            stop_end="!" in tail or "." in tail,
            unspaced=not STOPPED.isdisjoint(scripts),
            opening=scripts[0] if tokens else "",
            closing=scripts[-1] if tokens else "",
        )

    def _find_tokens(self) -> None:
        raw, kinds = self._raw, self._kinds
        tag = -1  # the first token of a hashtag that is open
        sign = 0
        for match in _WORDS.finditer(kinds):
            start = match.start()
            stop = start + len(match[0].rstrip("XZG"))
            kind = kinds[start]
            gap = kinds[self._end : start]
            if gap:
                gap = gap.replace("X", "")
            if tag >= 0 and gap.strip("_Z"):
                self._close_tag(tag, sign)
                tag = -1
            if gap.endswith("#") and _opens_tag(kinds, at := kinds.rindex("#", 0, start)):
                tag, sign = len(self._tokens), at
            self._add(raw[start:stop], start, stop, "L" if kind == "D" else kind, gap, tag >= 0)
        if tag >= 0:
            self._close_tag(tag, sign)

    def _close_tag(self, first: int, sign: int) -> None:
        after = len(self._tokens)
        if any(not token.norm.isdecimal() for token in self._tokens[first:after]):  # no #1
            self._tags.append((first, after, sign))

    def _add(self, word: str, start: int, stop: int, script: str, gap: str, tagged: bool) -> None:
        if "\n" in word:
            word = "".join(word.split())
        found = self._tokens
        if script in UNSPACED:
            self._put(fold(word), word, start, stop, self._link(gap, script), script, "")
            return
        if script == "U":
            self._put("", "", start, stop, _APART, script, "")
            return
        link = self._link(gap, script)
        if gap == "/" and found and found[-1].norm.isdecimal() and word.isdecimal():
            link = _JOINED  # 9/11, 24/7, 2024/25
        if link is _JOINED and gap == "'" and script == "L" and stop - start <= 3:
            clitic = fold(word)
            if clitic == "s":
                self._possessive[len(found) - 1] = stop
                self._end = stop
                return
            if _is_contraction(found[-1].norm, clitic):
                whole = found[-1]
                found[-1] = whole._replace(norm=f"{whole.norm}'{clitic}", end=stop)
                self._shown[-1] += f"'{exact(word)}"
                self._end = stop
                return
        tie = "" if gap == "Z" or link is not _JOINED else gap
        if script == "L" and tagged and (cuts := _humps(word)):
            for here, there in itertools.pairwise([0, *cuts, len(word)]):
                part = word[here:there]
                self._put(norm_of(part), part, start + here, start + there, link, script, tie)
                link, tie = _JOINED, ""
            return
        self._put(norm_of(word), word, start, stop, link, script, tie)

    def _put(
        self, norm: str, word: str, start: int, end: int, link: Link, script: str, tie: str
    ) -> None:
        if not norm and script != "U":
            return  # nothing but marks: whatever stands beside it stands apart
        words = self._words
        if not words:
            words.append(0)
        elif link is _JOINED and script not in UNSPACED and self._scripts[-1] not in UNSPACED:
            words.append(words[-1])
        else:
            words.append(words[-1] + 1)
        self._tokens.append(Token(norm, start, end, link))
        self._shown.append("" if script in UNSPACED else exact_of(word))
        self._scripts.append(script)
        self._ties.append(tie)
        self._end = end

    def _link(self, gap: str, script: str) -> Link:
        """How a token stands to the one before it in the chunk, by what is between the two."""
        if not self._tokens:
            gap = gap.replace("Z", "")
            return _at_start(script, clean=not gap, stop="!" in gap or "." in gap)
        before = self._scripts[-1]
        if "Z" in gap:
            gap = "Z" if before == script == "A" and not gap.strip("Z") else gap.replace("Z", "")
        if "U" in (before, script):
            return _APART
        if not gap:
            return _NEXT
        if gap in _JOINERS:
            return _JOINED
        if (script in STOPPED or before in STOPPED) and ("!" in gap or "." in gap):
            return _BREAK
        return _APART

    def _readings(self) -> Iterator[Reading]:
        raw, tokens = self._raw, self._tokens
        sizes = Counter(self._words)  # parts of each word
        for at, (_, start, end, _) in enumerate(tokens):
            script = self._scripts[at]
            if script in UNSPACED:
                yield Reading(at, at + 1, _unspaced_keys(raw[start:end]), start, end)
            elif script != "U":
                yield from self._single(at)
                if 1 < sizes[self._words[at]] <= _MOST_JOINED:
                    yield from self._joined(at)
        for first, after, sign in self._tags:
            end = tokens[after - 1].end
            norms = "".join([token.norm for token in tokens[first:after]])
            yield Reading(first, after, (f"#{norms}", f"=#{exact(raw[sign + 1 : end])}"), sign, end)

    def _single(self, at: int) -> Iterator[Reading]:
        norm, start, end, _ = self._tokens[at]
        script, shown = self._scripts[at], self._shown[at]
        more = forms(script, norm, shown, plural=at not in self._possessive)
        yield Reading(at, at + 1, (norm, f"={shown}", *more), start, end)
        if at in self._possessive:
            stop = self._possessive[at]
            yield Reading(at, at + 1, possessives(norm), start, stop)
        if script == "H":
            for stem, length in stems(self._raw[start:end]):
                yield Reading(at, at + 1, (fold(stem), f"={stem}"), start, start + length)

    def _joined(self, first: int) -> Iterator[Reading]:
        """The readings of a token and the parts that follow it as one word."""
        tokens = self._tokens
        script, start = self._scripts[first], tokens[first].start
        norms = [tokens[first].norm]
        word = shown = self._shown[first]  # without and with what ties the parts
        for last in range(first + 1, min(len(tokens), first + _LONGEST_JOIN)):
            norm, begin, end, link = tokens[last]
            if link is not _JOINED or self._scripts[last] != script or self._ties[last] == "/":
                return  # 9/11 is not 911
            if script == "H":
                before, tied = "".join(norms), shown + self._ties[last]
                for stem, length in stems(self._raw[begin:end]):
                    keys = (before + fold(stem), f"={tied}{stem}")
                    yield Reading(first, last + 1, keys, start, begin + length)
            norms.append(norm)
            word += self._shown[last]
            shown += self._ties[last] + self._shown[last]
            more = joined_forms(script, norms, word, plural=last not in self._possessive)
            yield Reading(first, last + 1, ("".join(norms), f"={shown}", *more), start, end)


def _at_start(script: str, *, clean: bool, stop: bool) -> Link:
    """How the first token stands to whatever is before its chunk, as far as the chunk can tell."""
    if clean:
        return _NEXT if script in UNSPACED else _SPACED
    return _BREAK if stop and script in STOPPED else _APART


def _opens_tag(kinds: str, at: int) -> bool:
    """Whether the sign here is a hashtag's: C#, a page's #part and &#8217; are none."""
    return at == 0 or kinds[at - 1] not in "LDAHM&"


def _is_contraction(word: str, clitic: str) -> bool:
    if clitic == "t":
        return word.endswith("n")
    return clitic in _ENCLITICS and word in _CONTRACTED


def _unspaced_keys(word: str) -> tuple[str, str]:
    return _seen_unspaced(word) if len(word) <= LONGEST_CACHED else _cut_unspaced(word)


def _cut_unspaced(word: str) -> tuple[str, str]:
    return fold(word), f"={exact(word)}"


_seen_unspaced = lru_cache(maxsize=1 << 14)(_cut_unspaced)


def _humps(word: str) -> list[int]:
    """Where a hashtag is to be cut: OperationSindoor2025, G20Summit, UNSCVote."""
    return [
        at
        for at in range(1, len(word))
        if _is_hump(word[at - 1], word[at], word[at + 1 : at + 2])
        and KINDS[ord(word[at])] not in "MX"
    ]


def _is_hump(before: str, here: str, after: str) -> bool:
    if before.isdecimal() or here.isdecimal():
        return before.isdecimal() != here.isdecimal()
    return here.isupper() and (before.islower() or (before.isupper() and after.islower()))
