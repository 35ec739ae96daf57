"""What analysts type or paste is read as they mean it, or refused with what to type instead."""

from __future__ import annotations

import dataclasses
import sys
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.errors import QueryError
from monitor.match.language import (
    DEEPEST,
    LONGEST,
    line_and_column,
    parse,
    parse_term,
    rendered,
)
from monitor.match.query import (
    And,
    AtLeast,
    Meta,
    Near,
    Node,
    Not,
    Or,
    Term,
    Within,
    bracketed,
)

READ = [
    # words and phrases
    ("ceasefire", "ceasefire"),
    ("  ceasefire\n", "ceasefire"),
    ("cease-fire", "cease-fire"),
    ("Jammu–Kashmir", "Jammu–Kashmir"),
    ("don't l’Iran Qur'an", "don't AND l’Iran AND Qur'an"),
    ("U.S. AT&T F-16", "U.S. AND AT&T AND F-16"),
    ("2025 3.5 10,000 3:30", "2025 AND 3.5 AND 10,000 AND 3:30"),
    ("युद्धविराम हिंद هدنة 停火 휴전", "युद्धविराम AND हिंद AND هدنة AND 停火 AND 휴전"),
    ('"Operation Sindoor"', '"Operation Sindoor"'),
    ('" Operation\n  Sindoor "', '"Operation Sindoor"'),
    ("“Operation Sindoor”", '"Operation Sindoor"'),
    ("„Operation Sindoor“", '"Operation Sindoor"'),
    ("« Operation Sindoor »", '"Operation Sindoor"'),
    ("「停火協議」『停戦』", '"停火協議" AND "停戦"'),
    ('＂a b＂"c d”', '"a b" AND "c d"'),
    ('"AND" "or" "title:x" "(a)"', '"AND" AND "or" AND "title:x" AND "(a)"'),
    ('צה"ל', 'צה"ל'),
    ('"צה"ל תקף" OR צה”ל', '"צה"ל תקף" OR צה”ל'),
    ("'Sindoor'", "Sindoor"),
    ("'AND' 'or b not'", '"AND" AND "or" AND b AND "not"'),
    ("(停火 OR 휴전）", "停火 OR 휴전"),
    (r"\"a b\" c", '"a b\\" AND c'),
    ("ceasefire\u200f AND\u200e truce", "ceasefire AND truce"),
    ("BBC: news", "BBC AND news"),
    ("@handle", "@handle"),
    # AND, OR, NOT
    ("a b", "a AND b"),
    ("a AND b c && d", "a AND b AND c AND d"),
    ("a OR b | c || d ｜ e", "a OR b OR c OR d OR e"),
    ("a -b", "a AND NOT b"),
    ("-b a", "NOT b AND a"),
    ("a NOT b", "a AND NOT b"),
    ("a AND NOT b", "a AND NOT b"),
    ("a ANDNOT b", "a AND NOT b"),
    ('a -"b c" -(d OR e)', 'a AND NOT "b c" AND NOT (d OR e)'),
    ("a !b", "a AND NOT b"),
    ("a –b −c", "a AND NOT b AND NOT c"),
    ("+a +b", "a AND b"),
    ("a and b Or c", "(a AND b) OR c"),
    ("a b OR c", "(a AND b) OR c"),
    ("a OR b AND c", "a OR (b AND c)"),
    ("a OR b -c", "a OR (b AND NOT c)"),
    ("(a OR b) c", "(a OR b) AND c"),
    ("((a)) (b AND (c AND d))", "a AND b AND c AND d"),
    ("a OR (b OR (c))", "a OR b OR c"),
    ("a(b|c)d", "a AND (b OR c) AND d"),
    ("NOT NOT a", "a"),
    ("a -(-b)", "a AND b"),
    ("a (-b -c)", "a AND NOT b AND NOT c"),
    ("a --b", "a AND b"),
    ("a - b & c — d", "a AND b AND c AND d"),
    ("a, b; c", "a AND b AND c"),
    # proximity
    ("a NEAR/5 b", "a NEAR/5 b"),
    ("India / Pakistan /side", "India AND Pakistan AND side"),
    ("headline (a)", "headline AND a"),
    ("a NEAR b", "a NEAR/4 b"),
    ("a ONEAR b", "a ONEAR/4 b"),
    ("a ONEAR/0 b", "a ONEAR/0 b"),
    ("a near/5 b", "a NEAR/5 b"),
    ("a NEAR / 5 b", "a NEAR/5 b"),
    ("a NEAR5 b", "a NEAR/5 b"),
    ("a NEAR/5f b", "a ONEAR/5 b"),
    ("a AROUND(5) b", "a NEAR/5 b"),
    ("a w/5 b PRE/3 c", "(a NEAR/5 b) ONEAR/3 c"),
    ("a near b", "a AND near AND b"),
    ("look around at atleast two", "look AND around AND at AND atleast AND two"),
    ("a NEAR/3 b NEAR/5 c", "(a NEAR/3 b) NEAR/5 c"),
    ("a NEAR/3 (b ONEAR/5 c)", "a NEAR/3 (b ONEAR/5 c)"),
    (
        '(a OR "b c") NEAR/5 (d* OR eee*)'.replace("d*", "ddd*"),
        '(a OR "b c") NEAR/5 (ddd* OR eee*)',
    ),
    ("a b NEAR/3 c OR d", "(a AND (b NEAR/3 c)) OR d"),
    ("-a NEAR/3 b c", "NOT (a NEAR/3 b) AND c"),
    ("title:(a NEAR/5 b)", "title:a NEAR/5 title:b"),
    ('"India Pakistan"~5', '"India Pakistan"~5'),
    ('"India and Pakistan"~0', '"India and Pakistan"~0'),
    ('near10:"a b"', '"a b"~10'),
    ('"a b"~5 NEAR/3 c', '"a b"~5 NEAR/3 c'),
    ('"ceasefire"~5', '"ceasefire"'),
    # wildcards
    ("Kashmir* wom?n colo?r*", "Kashmir* AND wom?n AND colo?r*"),
    ("Kashmir? ab?", "Kashmir? AND ab?"),
    ("atleast3x near5x", "atleast3x AND near5x"),
    ('"Kashmir* valley"', '"Kashmir* valley"'),
    ('"wom?n of Kashmir*"', '"wom?n of Kashmir*"'),
    ('"Who did it?" "Pourquoi ?"', '"Who did it" AND "Pourquoi"'),
    ('"Kashmir*, valley"', '"Kashmir*, valley"'),
    ("停火* हिंद* 한국*", "停火* AND हिंद* AND 한국*"),
    # as it stands, hashtags, counts
    ('=US ="Operation Sindoor"', '=US AND ="Operation Sindoor"'),
    ('raw:Google+ raw:"A b" raw: C++', '=Google+ AND ="A b" AND =C++'),
    ("=(LoC OR PoK)", "=LoC OR =PoK"),
    ("title:=US =title:WHO", "title:=US AND title:=WHO"),
    ("=re:invent", "=re:invent"),
    ("#OperationSindoor -#IPL", "#OperationSindoor AND NOT #IPL"),
    ("＃停火 #युद्धविराम", "＃停火 AND #युद्धविराम"),
    ('title:#IPL "#IPL"', "title:#IPL AND #IPL"),
    ("ATLEAST/3 a", "ATLEAST/3 a"),
    ("ATLEAST3(a OR b)", "ATLEAST/3 (a OR b)"),
    ("atleast/2 (a NEAR/3 b)", "ATLEAST/2 (a NEAR/3 b)"),
    ("ATLEAST 2 a", "ATLEAST/2 a"),
    ('a{3} "b c"{2} (d OR e){4}', 'ATLEAST/3 a AND ATLEAST/2 "b c" AND ATLEAST/4 (d OR e)'),
    ("repeat3:a", "ATLEAST/3 a"),
    ("title:a{2}", "ATLEAST/2 title:a"),
    # fields
    ("title:a headline:b intitle:c", "title:a AND title:b AND title:c"),
    ("body:a text:b lead:c ingress:d", "body:a AND body:b AND lead:c AND lead:d"),
    ('TITLE:"a b"', 'title:"a b"'),
    ("title:(a OR b -c)", "title:a OR (title:b AND NOT title:c)"),
    ("title: a", "title:a"),
    ("title : a", "title:a"),
    ("title：a", "title:a"),
    ("-title:a b", "NOT title:a AND b"),
    ("title:(a OR body:b)", "title:a OR body:b"),
    ("title:(a source:Dawn) b", "title:a AND source:Dawn AND b"),
    ('source:Dawn publisher:"The Hindu"', 'source:Dawn AND source:"The Hindu"'),
    ('source:(Dawn OR "The Hindu")', 'source:Dawn OR source:"The Hindu"'),
    ("source:Daw*", "source:Daw*"),
    ("site:dawn.com domain:*.gov.in", "site:dawn.com AND site:gov.in"),
    ("site:(a.com | b.co.uk)", "site:a.com OR site:b.co.uk"),
    ("lang:en language:urdu sourcelang:zh-Hant", "lang:en AND lang:urdu AND lang:zh-Hant"),
    ("tag:#agency side:India", "tag:agency AND side:India"),
    ("author:O'Neil", 'author:"O\'Neil"'),
    # comments
    ("a # b\nc", "a AND c"),
    ("# all of it\na", "a"),
    ("a #", "a"),
    ("a // b\n/* c\nd */ e", "a AND e"),
    ("a <<<b>>> c", "a AND c"),
]


@pytest.mark.parametrize(("query", "read"), READ, ids=[query for query, _ in READ])
def test_a_query_is_read_as_it_is_meant(query: str, read: str) -> None:
    """Operators of this and of other dialects, with all brackets put in."""
    assert bracketed(parse(query).root) == read


NOTES = [
    ("a or b", ['"or" was read as OR; in quotes it is a word']),
    ("a b OR c", ["AND was read before OR: (a AND b) OR c"]),
    ("(a b) OR c", []),
    ("(a b OR c) d", ["AND was read before OR: (a AND b) OR c"]),
    ("a OR b", []),
    ("a -b", []),
    ("a near b", ['"near" is looked for as a word; write NEAR for the operator']),
    ("a around b", []),
    ("a ADN b", ['"ADN" is looked for as a word; did you mean AND?']),
    ("a !b", ['"!" was read as NOT; for capitals as they stand write =']),
    ("a –b", ['"–" was read as "-", that is NOT']),
    ("+a", ['"+" is not needed: words side by side must all be found']),
    ("BBC: news", ['"BBC:" is no field, so "BBC" is a word']),
    ("a - b", ['"-" alone means nothing; to exclude a word write -word, without a space']),
    ("a & b", ['"&" is ignored: it holds no letter or digit']),
    ("a, b", ["a comma means nothing here; write OR between alternatives"]),
    (
        "C++ =Google+",
        [
            '"C++" finds "C": signs are not looked for',
            '"Google+" finds "Google": signs are not looked for',
        ],
    ),
    ("India/Pakistan", ['"India/Pakistan" was read as a phrase; write OR between alternatives']),
    ("停火，和平", ['"停火，和平" was read as a phrase; write OR between alternatives']),
    ("violat!", ['"violat!" finds "violat"; write violat* for all that begin so']),
    ('"Yahoo!"', []),
    ("hd=truce", ['"hd=truce" was read as a phrase; a field has a colon: title:truce']),
    ("भारत या चीन", ['"या" is looked for as a word; did you mean OR?']),
    ("a UND b", ['"UND" is looked for as a word; did you mean AND?']),
    ("a und b", []),
    ("a SENTENCE b", ['"SENTENCE" is looked for as a word; did you mean NEAR/15?']),
    (
        '"truce OR ceasefire"',
        ['in quotes "OR" is a word of the phrase; where it joins, end the quotes before it'],
    ),
    (
        'a" NEAR/5 "b',
        ['in quotes "NEAR/5" is a word of the phrase; where it joins, end the quotes before it'],
    ),
    ('a "OR" "truth or dare" "TRUTH OR DARE" "ORs"', []),
    ("cease-fire", []),
    ("NOT NOT a", ["what is excluded twice is looked for"]),
    ("'a b' c", ['single quotes mean nothing here; write "a b" for a phrase']),
    ("'a' don't", []),
    ("Kashmir?", ['"?" stands for exactly one letter']),
    ("wom?n", []),
    (
        "Operation Sindoor NEAR/5 army",
        [
            (
                'NEAR is about "Sindoor" alone; write "Operation Sindoor" if that is one name,'
                " and AND between them if not"
            )
        ],
    ),
    (
        "army NEAR/5 Operation Sindoor",
        [
            (
                'NEAR is about "Operation" alone; write "Operation Sindoor" if that is one name,'
                " and AND between them if not"
            )
        ],
    ),
    ("Operation AND Sindoor NEAR/5 army", []),
    ("Operation (Sindoor NEAR/5 army)", []),
    (
        "title: India Pakistan",
        ['title: is about "India" alone; write title:(India Pakistan) for both'],
    ),
    ("source: The Hindu", ['source: is about "The" alone; write source:"The Hindu" for both']),
    ("title:India Pakistan", []),
    ("lan: x", ['"lan:" is no field, so "lan" is a word']),
    ('"a", "b"', ["a comma means nothing here; write OR between alternatives"]),
    ("a or b or c", ['"or" was read as OR; in quotes it is a word (2 times)']),
    ("title:(body:a)", ["body: counts here, not title:"]),
    ("site:bbc.com/news", ["only the site counts: site:bbc.com"]),
    ('"a"~5', ["there is only one word, with nothing to be near to"]),
]


@pytest.mark.parametrize(("query", "messages"), NOTES, ids=[query for query, _ in NOTES])
def test_what_may_surprise_is_said(query: str, messages: list[str]) -> None:
    """And what is written plainly passes without a word."""
    notes = parse(query).notes
    assert [note.message for note in notes] == messages
    assert all(query[note.start : note.end].strip() for note in notes)


def test_notes_know_their_place_and_stand_in_order() -> None:
    """An operator is noted by itself, a mixture from its first to its last word."""
    query = parse("x -(a or b AND c)")
    assert [query.text[note.start : note.end] for note in query.notes] == ["a or b AND c", "or"]


def test_a_long_mixture_is_not_repeated() -> None:
    """Its note would be longer than what it explains."""
    query = parse("a b OR " + " OR ".join(f"word{n}" for n in range(30)))
    assert [note.message for note in query.notes] == ["AND was read before OR"]


WRONG = [
    # nothing to look for
    ("", "^", "the query is empty", "write what to look for: ceasefire"),
    ("# none", "^^^^^^", "there is no word in the query", "write what to look for: ceasefire"),
    ("a OR —", "  ^^", "OR needs a word on its right", 'write a OR b; in quotes it is a word: "OR"'),
    ('""', "^^", "there is nothing between these quotation marks", 'leave them out, or write "cease fire"'),
    ('"—"', "^^^", "there is no word to look for", "write at least one letter or digit"),
    ("a ()", "  ^^", "there is nothing between these brackets", "leave them out, or write (ceasefire OR truce)"),
    ("=", "^", "there is no word in the query", "write what to look for: ceasefire"),
    # only excluding
    ("-a", "^^", "the query only says what must not be found", "add what must be found: ceasefire -cricket"),
    ("NOT (a OR b)", "^^^^^^^^^^^^", "the query only says what must not be found", "add what must be found: ceasefire -cricket"),
    ("a OR -b", "     ^^", "an alternative that only excludes would find nearly everything", "write what must be found before it: a OR (b -c)"),
    ("a (b OR NOT c)", "        ^^^^^", "an alternative that only excludes would find nearly everything", "write what must be found before it: a OR (b -c)"),
    ("a -(-b -c)", "  ^^^^^^^^", "this excludes a group that only excludes", "write what must be found instead: -(-a -b) is (a OR b)"),
    # quotes and brackets
    ('a "b c', "  ^", "this quotation mark is never closed", 'put " behind the last word of the phrase'),
    ('"a AND "b c"', "           ^", "this quotation mark is never closed", 'put " behind the last word of the phrase, or of the one that begins in column 1'),
    ('"a b" "c', "      ^", "this quotation mark is never closed", 'put " behind the last word of the phrase'),
    ("(a OR (b)", "^", "this bracket is never closed", "put ) where the group ends"),
    ("source:(a OR b", "       ^", "this bracket is never closed", "put ) where the group ends"),
    ("a) b", " ^", "this bracket closes nothing", "leave it out, or put ( where the group begins"),
    (") a", "^", "this bracket closes nothing", "leave it out, or put ( where the group begins"),
    ('"a b"~1~2', "       ^^", "~2 has no phrase before it", 'write "India Pakistan"~5 or ceasefire{3}'),
    ("a /* b", "  ^^", "this comment is never closed", "put */ where the comment ends"),
    # operators without operands
    ("a AND", "  ^^^", "AND needs a word on its right", 'write a AND b; in quotes it is a word: "AND"'),
    ("(a or)", "   ^^", "or needs a word on its right", 'write a or b; in quotes it is a word: "or"'),
    ("OR a", "^^", "OR needs a word on its left", 'write a OR b; in quotes it is a word: "OR"'),
    ("a AND OR b", "  ^^^^^^", "AND is followed by OR", 'leave one of them out; in quotes it is a word: "OR"'),
    ("NOT", "^^^", "NOT needs a word on its right", "write -cricket or NOT cricket"),
    ("a NEAR/5", "  ^^^^^^", "NEAR/5 needs a word on its right", "write a NEAR/5 b"),
    ("NEAR/5 b", "^^^^^^", "NEAR/5 needs a word on its left", "write a NEAR/5 b"),
    ("ATLEAST/3", "^^^^^^^^^", "ATLEAST needs a word, a phrase or a group behind it", "write ATLEAST/3 ceasefire or ATLEAST/3 (ceasefire OR truce)"),
    ("title:", "^^^^^^", "title: needs a word behind it", 'write title:ceasefire, title:"cease fire" or title:(ceasefire OR truce)'),
    ("title: AND b", "^^^^^^", "title: needs a word behind it", 'write title:ceasefire, title:"cease fire" or title:(ceasefire OR truce)'),
    ("source: OR b", "^^^^^^^", "source: needs a value behind it", 'write source:Dawn or source:"The Hindu"'),
    # numbers of operators
    ("a NEAR/ b", "  ^^^^^", 'NEAR needs a number after "/"', "write NEAR/5 for at most five words between; NEAR alone means NEAR/4"),
    ("a NEAR / b", "  ^^^^^^", 'NEAR needs a number after "/"', "write NEAR/5 for at most five words between; NEAR alone means NEAR/4"),
    ("a ONEAR/x b", "  ^^^^^^^", 'ONEAR needs a number after "/"', "write ONEAR/5 for at most five words between; ONEAR alone means ONEAR/4"),
    ("a NEAR/-3 b", "  ^^^^^^^", 'NEAR needs a number after "/"', "write NEAR/5 for at most five words between; NEAR alone means NEAR/4"),
    ("a NEAR  /  5", "  ^^^^^^^^^^", "NEAR / 5 needs a word on its right", "write a NEAR / 5 b"),
    ("a NEAR/101 b", "  ^^^^^^^^", "at most 100 words can be between", "write a number from 0 to 100, or AND for any distance"),
    ("a NEAR/99999999999999999999 b", "  ^^^^^^^^^^^^^^^^^^^^^^^^^", "at most 100 words can be between", "write a number from 0 to 100, or AND for any distance"),
    ('"a b"~', "     ^", 'a phrase needs a number after "~"', 'write "India Pakistan"~5 for both in any order with at most five words between'),
    ('"a b"~x', "     ^^", 'a phrase needs a number after "~"', 'write "India Pakistan"~5 for both in any order with at most five words between'),
    ('"a b"~300', "     ^^^^", "at most 100 words can be between", "write a number from 0 to 100, or AND for any distance"),
    ("ATLEAST a", "^^^^^^^", 'ATLEAST needs a number after "/"', "write ATLEAST/3 ceasefire for three finds or more"),
    ("ATLEAST/ a", "^^^^^^^^", 'ATLEAST needs a number after "/"', "write ATLEAST/3 ceasefire for three finds or more"),
    ("a{0}", " ^^^", "0 times can't be asked for", "write a number from 1 to 1000: ATLEAST/3 ceasefire"),
    ("a{x}", " ^^^", "braces hold the number of finds", "write ceasefire{3} for three finds or more"),
    ('"a b"{}', "     ^^", "braces hold the number of finds", "write ceasefire{3} for three finds or more"),
    # operators that others have
    ("a /5 b", "  ^^", 'unknown operator "/5"', "write NEAR/5"),
    ("a /s b", "  ^^", "sentences and paragraphs can't be asked for with /s", "write NEAR/15 for about a sentence, NEAR/50 for a paragraph"),
    ("a /P(b)", "  ^^", "sentences and paragraphs can't be asked for with /P", "write NEAR/15 for about a sentence, NEAR/50 for a paragraph"),
    ("atl5(a)", "^^^^", 'unknown operator "atl5"', "write ATLEAST/5"),
    ("a AND-NOT b", "  ^^^^^^^", 'unknown operator "AND-NOT"', "write AND NOT"),
    ("a NEAR-5 b", "  ^^^^^^", 'unknown operator "NEAR-5" – did you mean "NEAR/5"?', 'write NEAR/5, or put it in quotes to look for it: "NEAR-5"'),
    ("HEADLINE(a) b", "^^^^^^^^", "HEADLINE needs a colon before the bracket", "write headline:(…); to look for the word, put a space behind it"),
    # misspelt
    ("a NAER/5 b", "  ^^^^^^", 'unknown operator "NAER/5" – did you mean "NEAR/5"?', 'write NEAR/5, or put it in quotes to look for it: "NAER/5"'),
    ("ATLEST/3 a", "^^^^^^^^", 'unknown operator "ATLEST/3" – did you mean "ATLEAST/3"?', 'write ATLEAST/3, or put it in quotes to look for it: "ATLEST/3"'),
    ("a NEAR:5 b", "  ^^^^^^", 'unknown operator "NEAR:5" – did you mean "NEAR/5"?', 'write NEAR/5, or put it in quotes to look for it: "NEAR:5"'),
    ("tilte:a", "^^^^^^", 'unknown field "tilte:" – did you mean "title:"?', 'write title:…; to look for these characters themselves, quote them: "tilte:a"'),
    ("titel: a", "^^^^^^", 'unknown field "titel:" – did you mean "title:"?', 'write title:…; to look for these characters themselves, quote them: "titel:"'),
    ("re:invent", "^^^", 'unknown field "re:"', 'there are title, body, lead, source, site, lang, tag, side and author; to look for these characters themselves, quote them: "re:invent"'),
    # fields that others have
    ("url:dawn.com", "^^^^", 'unknown field "url:"', "an article is known by its site: write site:dawn.com"),
    ("a country:IN", "  ^^^^^^^^", 'unknown field "country:"', "where a publisher is at home is known by tags or sides only: write tag:… or side:…"),
    ("a sourcegeo:IN", "  ^^^^^^^^^^", 'unknown field "sourcegeo:"', "where a publisher is at home is known by tags or sides only: write tag:… or side:…"),
    ("-sourcetype:BLOG a", " ^^^^^^^^^^^", 'unknown field "sourcetype:"', "what kind of source or article it is is known by tags only: write tag:…"),
    ("sentiment:positive a", "^^^^^^^^^^", 'unknown field "sentiment:"', "nothing of the kind is known of an article, so leave it out"),
    ("when:1h", "^^^^^", 'unknown field "when:"', "a watch looks at what is new, so leave the time out"),
    ("allintitle:a b", "^^^^^^^^^^^", 'unknown field "allintitle:"', "write title:(a b) for words that must all stand in the title"),
    # fields that stand wrong
    ("title:-a b", "^^^^^^^", "title: stands before what it is about", "put the minus first: -title:cricket"),
    ("source: -a", "^^^^^^^", "source: needs a value behind it", "put the minus first: -source:…"),
    ("title:body:a", "^^^^^^^^^^^", "title: stands before another field", "write title:word AND body:word"),
    ("title:source:a", "^^^^^^^^^^^^^", "title: stands before a word, a phrase or a group", "write title:ceasefire AND source:Dawn"),
    ("source:(a b)", "          ^", "behind source: stand values with OR between them", 'write source:(one OR "two words"), and what else there is outside its brackets'),
    ("source:—", "^^^^^^^^", "source: needs a value behind it", 'write source:Dawn or source:"The Hindu"'),
    ("source:*awn", "^^^^^^^^^^^", '"*" stands at the end of a value', "write how it begins: source:awn*"),
    ("site:a*b.org", "^^^^^^^^^^^^", '"*" stands at the end of a value', "write how it begins: site:a*"),
    ("lang:klingon", "     ^^^^^^^", 'no language "klingon" is known', "write its code, or its English name: lang:de, lang:urdu"),
    # NEAR about what has no place
    ("a NEAR/3 (b AND c)", "         ^^^^^^^^^", "AND can't stand inside NEAR", 'write (a NEAR/3 b) AND (a NEAR/3 c), or "b c" if that is one name'),
    ("(b -c) ONEAR/3 a", "^^^^^^", "AND can't stand inside NEAR", "write (b ONEAR/3 a) AND NOT c"),
    ("(-b) NEAR/3 a", "^^^^", "NOT can't stand inside NEAR", "write a AND NOT (b NEAR/3 a)"),
    ("a NEAR/3 source:Dawn", "         ^^^^^^^^^^^", "what is no word of the text can't stand inside NEAR", "write a AND source:Dawn"),
    ("a{2} NEAR/3 b", "^^^^", "ATLEAST can't stand inside NEAR", "write ATLEAST/2 (a NEAR/3 b)"),
    ("a NEAR/3 (b OR (c d))", "         ^^^^^^^^^^^^", "AND can't stand inside NEAR", "NEAR/3 joins words, phrases, (a OR b), and what is itself joined by NEAR"),
    ("a NEAR/5 NOT b", "  ^^^^^^^^^^", "NEAR/5 can't be followed by NOT", "write a -(a NEAR/5 b) for articles in which they are nowhere near"),
    ("a NOT NEAR/5 b", "  ^^^^^^^^^^", "NOT can't stand before NEAR", "write a -(a NEAR/5 b) for articles in which they are nowhere near"),
    ("title:a NEAR/5 body:b", "^^^^^^^^^^^^^^^^^^^^^", "title and body are never near each other", "write AND, or one field before a group: title:(a NEAR/5 b)"),
    ('NEAR("a","b",10)', "^^^^", "NEAR stands between what it joins", 'write "one phrase" NEAR/10 (one OR other)'),
    ("near5:a", "^^^^^^", "near is about the words of a phrase", 'write "India Pakistan"~5 or India NEAR/5 Pakistan'),
    ("ATLEAST/3 (a AND b)", "^^^^^^^^^^^^^^^^^^^", "AND can't be counted", "write ATLEAST/3 a AND ATLEAST/3 b"),
    ("ATLEAST/3 source:a", "^^^^^^^^^^^^^^^^^^", "what is no word of the text can't be counted", "what is counted is a word, a phrase, (a OR b) or a NEAR b"),
    ("(a){2}{3}", "^^^^^^^^^", "ATLEAST can't be counted", "what is counted is a word, a phrase, (a OR b) or a NEAR b"),
    ("a{2}{3}", " ^^^^^^", "braces hold the number of finds", "write ceasefire{3} for three finds or more"),
    # wildcards
    ("*", "^", '"*" alone would find everything', "write the beginning of a word before it: Kashmir*"),
    ("*mir", "^", 'a word can\'t begin with "*"', "write how it begins, as in Kashmir*, or all its forms with OR between them"),
    ("?mir", "^", 'a word can\'t begin with "?"', "write how it begins, as in Kashmir*, or all its forms with OR between them"),
    ("Kas*mir", "   ^", '"*" stands at the end of a word', 'write how the word begins, as in Kashmir*; "?" in a word is exactly one letter'),
    ("Kash**", "    ^", '"*" stands at the end of a word', 'write how the word begins, as in Kashmir*; "?" in a word is exactly one letter'),
    ("Jammu-*", "      ^", '"*" stands directly behind a letter', "leave out what is between them: Jammu*"),
    ("ab*", "  ^", '"*" needs at least 3 letters before it', "write more of the word, or its forms with OR between them"),
    ("火*", "  ^", '"*" needs at least 3 letters before it', "write more of the word, or its forms with OR between them"),
    ("a?", " ^", 'a word with "?" has at least 2 letters', "write all its forms with OR between them"),
    ('"cease * India"', "       ^", '"*" stands for letters of a word, not for whole words', 'write "India Pakistan"~1 or India ONEAR/1 Pakistan for one word between'),
    ('"cease fi*"', "         ^", '"*" needs at least 3 letters before it', "write more of the word, or its forms with OR between them"),
    ('"a b"*', "     ^", '"*" stands behind a word', 'put it behind the word inside the quotes: "Operation Sin*"'),
    ("(a OR b)*", "        ^", '"*" stands behind a word', "put it behind the word: Kashmir*"),
    ("=Kashmir*", "        ^", '"=" takes every character as it stands, and "*" none', 'leave out the "=" or the "*"'),
    ("=#IPL", " ^^^^", "a hashtag has no capitals of its own", "leave the = out: #IPL"),
    ("#Kash*", "     ^", 'a hashtag can\'t hold "*"', "leave the # out: words are found in hashtags too"),
    ("#AT&T", "   ^", 'a hashtag ends before "&"', "put a space before it, or write #AT"),
    # what others have
    ("^a", "^^", "an article matches or not: nothing can be given more weight", "leave ^a out"),
    ("a^2", " ^^", "an article matches or not: nothing can be given more weight", "leave ^2 out"),
    ('"a b"^2.5', "     ^^^^", "an article matches or not: nothing can be given more weight", "leave ^2.5 out"),
    ("ceasefire~", "         ^", "words are not looked for by likeness", "leave the ~ out and write the spellings with OR between them, or word*"),
    ('"a b" ~5', "      ^^", '"~" stands directly behind a phrase', 'write "India Pakistan"~5, without a space before the ~'),
    ("(a OR b)~5", "        ^^", '"~" stands behind a phrase, not behind a group', "write (a OR b) NEAR/5 (c OR d)"),
    ("/cease.?fire/", "^^^^^^^^^^^^^", "regular expressions are not understood", "write the words with OR between them, or the beginning with a * behind it"),
    ("title:/(a)|(b)/", "      ^^^^^^^^^", "regular expressions are not understood", "write the words with OR between them, or the beginning with a * behind it"),
    ("[2024 TO 2025]", "^^^^^^^^^^^^^^", "ranges can't be asked for", "write the values with OR between them: (2024 OR 2025)"),
    ("[a b]", "^", '"[" means nothing here', "groups are written with ( and )"),
    ("a b]", "   ^", '"]" means nothing here', "groups are written with ( and )"),
    ("a { b", "  ^", '"{" means nothing here', "groups are written with ( and )"),
    ("[ 2024 TO 2025 ]", "^^^^^^^^^^^^^^^^", "ranges can't be asked for", "write the values with OR between them: (2024 OR 2025)"),
    ("a < b", "  ^", '"<" and ">" mean nothing here', "words can't be compared; leave it out, or put it in quotes to look for it"),
    (">5", "^^", '"<" and ">" mean nothing here', "words can't be compared; leave it out, or put it in quotes to look for it"),
    ("tone<-5", "^^^^^^^", '"<" and ">" mean nothing here', "words can't be compared; leave it out, or put it in quotes to look for it"),
    (r"AC\/DC", "  ^", r'a "\" means nothing here', "leave it out; in quotes, signs are just signs"),
    ("a —b", "  ^", 'a long dash before a word could mean "not"', "write -word to exclude it, or put a space behind the dash"),
    ("a w/s b", "  ^^^", "sentences and paragraphs can't be asked for with w/s", "write NEAR/15 for about a sentence, NEAR/50 for a paragraph"),
    ("a ADJ5 b", "  ^^^^", 'unknown operator "ADJ5"', "write ONEAR/5"),
    ("https://dawn.com/x", "^^^^^^^^^^^^^^^^^^", "addresses in an article's text are not looked for", "write site:dawn.com for articles of that site"),
    ("www.dawn.com", "^^^^^^^^^^^^", "addresses in an article's text are not looked for", "write site:dawn.com for articles of that site"),
    ("x@dawn.com", "^^^^^^^^^^", "e-mail addresses in an article's text are not looked for", 'write the name in front of the @ as a phrase, as in "asim munir"'),
]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "carets", "message", "hint"), WRONG, ids=[query or "nothing" for query, *_ in WRONG]
)
def test_a_mistake_is_named_and_shown_with_what_to_write(
    query: str, carets: str, message: str, hint: str
) -> None:
    """Every message has its place and a hint."""
    with pytest.raises(QueryError) as caught:
        parse(query)
    error = caught.value
    shown = rendered(error).split("\n")
    assert (error.message, shown[2].removeprefix("  "), error.hint) == (message, carets, hint)
    assert error.start < error.end or error.start == len(query)
    assert shown[0] == f"column {error.start + 1}: {message}"
    assert shown[1].removeprefix("  ") == query
    assert shown[3] == f"hint: {hint}"


# ------------------------------------------------------------------------- the picture


def picture(text: str, start: int, end: int) -> list[str]:
    """The lines below the message."""
    return rendered(QueryError("wrong", text, start, end)).split("\n")[1:]


@pytest.mark.parametrize(
    ("text", "wrong", "shown"),
    [
        ("a b c", "b", ["  a b c", "    ^"]),
        ("停火 tilte:x", "tilte:", ["  停火 tilte:x", "       ^^^^^^"]),
        ("युद्धविराम x", "x", ["  युद्धविराम x", "         ^"]),
        ("cafe\u0301 x", "x", ["  cafe\u0301 x", "       ^"]),
        ("آتش\u200cبس x", "x", ["  آتش\u200cبس x", "        ^"]),
        ("a\tb", "b", ["  a b", "    ^"]),
        ("a\x1b[31m\u202eb", "b", ["  a [31mb", "        ^"]),
        ("停火", "停", ["  停火", "  ^^"]),
        ("one\n  two x\nthree", "x", ["    two x", "        ^"]),
        ("one two\nthree", "two\nthree", ["  one two", "      ^^^"]),
        ("\r\na\r\nb", "b", ["  b", "  ^"]),
    ],
)
def test_the_caret_stands_below_what_is_wrong(text: str, wrong: str, shown: list[str]) -> None:
    """Whatever the width of what stands before it."""
    start = text.index(wrong)
    assert picture(text, start, start + len(wrong)) == shown


def test_the_end_of_a_query_can_be_what_is_wrong() -> None:
    """There is one caret at least."""
    assert picture("a OR", 4, 4) == ["  a OR", "      ^"]
    assert picture("", 0, 0) == ["", "  ^"]


@pytest.mark.parametrize("at", [0, 40, 70, 100, 199])
def test_of_a_long_line_only_the_part_around_is_shown(at: int) -> None:
    """It fits a terminal, and the caret stands right."""
    text = "".join(chr(ord("a") + n % 26) for n in range(200))
    shown, carets = picture(text, at, at + 1)
    assert len(shown) <= 80
    assert shown[carets.index("^")] == text[at]
    assert carets.strip() == "^"


@pytest.mark.parametrize("pattern", ["停", "a停", "停a", "停停a", "कि"])
def test_a_long_line_is_cut_by_columns(pattern: str) -> None:
    """Of which a letter may take two, or none."""
    text = pattern * 100 + "x" + pattern * 100
    at = text.index("x")
    shown, carets = picture(text, at, at + 1)
    assert shown.startswith("  …")
    assert shown.endswith("…")
    assert columns(shown[: shown.index("x")]) == carets.index("^")
    assert 77 <= columns(shown) <= 80


def columns(text: str) -> int:
    """How wide a terminal shows it."""
    marks = sum(unicodedata.category(char) in ("Mn", "Mc") for char in text)
    return len(text) - marks + sum(unicodedata.east_asian_width(char) == "W" for char in text)


def test_a_query_of_several_lines_names_the_line() -> None:
    """And shows only that one."""
    with pytest.raises(QueryError) as caught:
        parse("(India OR Pakistan)\nAND tilte:ceasefire\n-cricket")
    assert rendered(caught.value) == (
        'line 2, column 5: unknown field "tilte:" – did you mean "title:"?\n'
        "  AND tilte:ceasefire\n"
        "      ^^^^^^\n"
        "hint: write title:…; to look for these characters themselves, quote them:"
        ' "tilte:ceasefire"'
    )


@pytest.mark.parametrize(
    ("text", "offset", "place"),
    [
        ("", 0, (1, 1)),
        ("ab", 0, (1, 1)),
        ("ab", 2, (1, 3)),
        ("a\nb", 1, (1, 2)),
        ("a\nb", 2, (2, 1)),
        ("停火\n\n火x", 5, (3, 2)),
    ],
)
def test_lines_and_columns_count_from_one(text: str, offset: int, place: tuple[int, int]) -> None:
    """In characters."""
    assert line_and_column(text, offset) == place


# ------------------------------------------------------------------------- terms of a list


@pytest.mark.parametrize(
    ("typed", "term"),
    [
        ("ceasefire", "ceasefire"),
        (" Operation  Sindoor ", '"Operation Sindoor"'),
        ("=US", "=US"),
        ("=Operation Sindoor", '="Operation Sindoor"'),
        ('="Operation Sindoor"', '="Operation Sindoor"'),
        ("#OperationSindoor", "#OperationSindoor"),
        ("Kashmir*", "Kashmir*"),
        ("wom?n of Kashmir*", '"wom?n of Kashmir*"'),
        ("AND", '"AND"'),
        ("war and peace", '"war and peace"'),
        ("title:x", '"title:x"'),
        ("a (b) -c", '"a (b) -c"'),
        ("-5", '"-5"'),
        ("who?", "who"),
        ("What? Who?", '"What Who"'),
        ('"Operation Sindoor"', '"Operation Sindoor"'),
        ('5" gun', '"5 gun"'),
        ('צה"ל', 'צה"ל'),
        ("AT&T", "AT&T"),
        ("آتش‌بس", "آتش‌بس"),
        ("停火協議", "停火協議"),
        ("# 1", '"# 1"'),
    ],
)
def test_a_term_of_a_list_is_literal_but_for_a_few_signs(typed: str, term: str) -> None:
    """It has no operators, fields or brackets."""
    assert bracketed(parse_term(typed)) == term


@pytest.mark.parametrize(
    ("typed", "wrong", "message"),
    [
        ("", "", "there is no word to look for"),
        ("—", "—", "there is no word to look for"),
        ("=", "=", "there is no word to look for"),
        ("https://dawn.com/x", "https://dawn.com/x", "addresses in an article's text are not looked for"),
        ("the *mir", "*", 'a word can\'t begin with "*"'),
        ("M*A*S*H", "*", '"*" stands at the end of a word'),
        ("ab*", "*", '"*" needs at least 3 letters before it'),
        ("=Kashmir*", "*", '"=" takes every character as it stands, and "*" none'),
    ],
)  # fmt: skip
def test_a_term_that_could_not_be_found_is_refused(typed: str, wrong: str, message: str) -> None:
    """With a place and a hint as in a query."""
    with pytest.raises(QueryError) as caught:
        parse_term(typed)
    error = caught.value
    assert (error.message, typed[error.start : error.end]) == (message, wrong)
    assert error.hint


# ------------------------------------------------------------------------- the tree


def test_offsets_are_those_of_what_was_typed() -> None:
    """Of a phrase with its quotes, of a word without what stands around it."""
    query = parse('title:(truce, OR "cease fire") NEAR/5 =US -(x AND y{2}) source:Dawn ATLEAST/2 z')
    places = [
        (type(node).__name__, query.text[node.start : node.end])
        for node in walk(query.root)
        if not isinstance(node, And | Or)
    ]
    assert places == [
        ("Near", 'title:(truce, OR "cease fire") NEAR/5 =US'),
        ("Term", "truce"),
        ("Term", '"cease fire"'),
        ("Term", "US"),
        ("Not", "-(x AND y{2})"),
        ("Term", "x"),
        ("AtLeast", "y{2}"),
        ("Term", "y"),
        ("Meta", "source:Dawn"),
        ("AtLeast", "ATLEAST/2 z"),
        ("Term", "z"),
    ]


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    yield node
    for part in parts_of(node):
        yield from walk(part)


def parts_of(node: Node) -> tuple[Node, ...]:
    match node:
        case And() | Or() | Within():
            return node.parts
        case Near():
            return (node.left, node.right)
        case Not() | AtLeast():
            return (node.part,)
        case _:
            return ()


def placeless(node: Any) -> Any:
    """A node without its offsets."""
    if isinstance(node, tuple):
        return tuple(map(placeless, node))
    if not dataclasses.is_dataclass(node):
        return node
    names = [field.name for field in dataclasses.fields(node)]
    values = (getattr(node, name) for name in names if name not in ("start", "end"))
    return (type(node), *map(placeless, values))


def check_tree(root: Node) -> None:
    """What `monitor.match.query` promises of a tree."""
    assert not isinstance(root, Not)
    for node in walk(root):
        parts = parts_of(node)
        match node:
            case And():
                assert len(parts) >= 2
                assert not any(isinstance(part, And) for part in parts)
                assert not all(isinstance(part, Not) for part in parts)
            case Or():
                assert len(parts) >= 2
                assert not any(isinstance(part, Or | Not) for part in parts)
            case Not():
                assert not isinstance(node.part, Not)
            case Near() | AtLeast():
                inner = [deep for part in parts for deep in walk(part)]
                assert all(isinstance(deep, Term | Or | Near | Within) for deep in inner)
            case Within():
                assert len(parts) >= 2
                assert len({(part.field, part.exact) for part in node.parts}) == 1
            case Term():
                assert node.text.split() == node.text.split(" ")
                assert node.phrase or " " not in node.text
            case Meta():
                assert any(map(str.isalnum, node.value))


_TYPED = """
    a b ceasefire 5 U.S. AT&T don't Kashmir* wom?n 停火 ไทย هدنة कश्मीर צה"ל 한국 İ ² \u0301 \u3164
    AND OR NOT and or not NEAR ONEAR/3 NEAR/5f near/2 NEAR/ w/5 pre/2 AROUND(3) ATLEAST/2 ATLEAST3
    ATLEAST title: title body: lead: source: site: lang: en tag: author: raw: foo: near5: repeat2:
    http://x.org x@y.org ( ) （ | || && & - – — ! + = # * ? ~ ~5 ^2 {3} { } [ ] \\ / // /* */ <<<
    >>> " " " ' “ « 「 」 , . : ; @ _ TO \u200f \u200c \x00
"""
PIECES = _TYPED.split()


def outcome(read: Callable[[str], Any], text: str) -> Any:
    """What a text is read as, or why it is not."""
    try:
        return read(text)
    except QueryError as error:
        return error


@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(st.sampled_from([*PIECES, " ", "\n"]), max_size=12).map("".join),
        st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join),
    )
)
@example("=\u3164")
@example("NEAR/5{3}")
@example("a -/ b")
@example("title:-, b")
def test_anything_is_read_or_refused_with_a_place_and_a_hint(text: str) -> None:
    """Nothing but `QueryError`; what was read is a sound tree, and reads the same written out."""
    for read in (parse, parse_term):
        found = outcome(read, text)
        if isinstance(found, QueryError):
            assert found.text == text
            assert 0 <= found.start <= found.end <= len(text)
            assert found.hint
            assert "\n" not in found.message + found.hint
            assert rendered(found)
            continue
        root = found if isinstance(found, Term) else found.root
        check_tree(root)
        for node in walk(root):
            if not isinstance(node, And | Or):
                assert 0 <= node.start <= node.end <= len(text)
        for note in () if isinstance(found, Term) else found.notes:
            assert 0 <= note.start < note.end <= len(text)
        assert placeless(parse(bracketed(root)).root) == placeless(root)


# ------------------------------------------------------------------------- trees are written out

_WORDS = st.sampled_from(
    [
        *("ceasefire", "cease-fire", "Kashmir*", "wom?n", "U.S.", "AT&T", "don't", "F-16", "2025"),
        *("युद्धविराम", "هدنة", "停火", "หยุดยิง", 'צה"ל', "near", "C++", "10,000", "l’Iran"),
    ]
)
_PHRASES = st.sampled_from(
    [
        *("Operation Sindoor", "AND", "NEAR/5", "title:x", "(a)", "a, b", "Kashmir* valley"),
        *("停火 協議", 'צה"ל תקף', "# 1", "ceasefire", "// x", "a -b"),
    ]
)


def _term(text: str, *, phrase: bool, exact: bool, field: Any) -> Term:
    exact = exact and not set("*?") & set(text)
    return Term(text, 0, 0, phrase=phrase, exact=exact, field=field)


_FIELDS = st.sampled_from([None, None, None, "title", "lead"])
_TERMS = st.one_of(
    st.builds(_term, _WORDS, phrase=st.just(False), exact=st.booleans(), field=_FIELDS),
    st.builds(_term, _PHRASES, phrase=st.just(True), exact=st.booleans(), field=_FIELDS),
    st.builds(_term, st.just("#IPL"), phrase=st.just(False), exact=st.just(False), field=_FIELDS),
)
_METAS = st.one_of(
    st.builds(
        Meta,
        st.sampled_from(["source", "tag", "side", "author"]),
        st.sampled_from(["Dawn", "The Hindu", "Daw*", "बीबीसी", "or", "O'Neil", "a/b"]),
        st.just(0),
        st.just(0),
    ),
    st.just(Meta("site", "bbc.co.uk", 0, 0)),
    st.just(Meta("lang", "zh-Hant", 0, 0)),
)


@st.composite
def _withins(draw: st.DrawFn) -> Within:
    field, distance = draw(_FIELDS), draw(st.integers(0, 100))
    words = draw(st.lists(_WORDS, min_size=2, max_size=3))
    exact = draw(st.booleans()) and not set("*?") & set("".join(words))
    return Within(tuple(Term(word, 0, 0, False, exact, field) for word in words), distance, 0, 0)


def _either(parts: list[Node]) -> Node:
    flat = [deep for part in parts for deep in (part.parts if isinstance(part, Or) else [part])]
    return Or(tuple(flat))


def _both(parts: list[Node], excluded: list[Node]) -> Node:
    flat = [deep for part in parts for deep in (part.parts if isinstance(part, And) else [part])]
    return And((*flat, *(Not(part, 0, 0) for part in excluded)))


_PLACED: st.SearchStrategy[Node] = st.recursive(
    st.one_of(_TERMS, _withins()),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(_either),
        st.builds(Near, inner, inner, st.integers(0, 100), st.booleans(), st.just(0), st.just(0)),
    ),
    max_leaves=5,
)
_TREES: st.SearchStrategy[Node] = st.recursive(
    st.one_of(
        _PLACED,
        _METAS,
        st.builds(AtLeast, st.integers(1, 1000), _PLACED, st.just(0), st.just(0)),
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(_either),
        st.builds(
            _both,
            st.lists(inner, min_size=2, max_size=3),
            st.lists(inner, max_size=2),
        ),
    ),
    max_leaves=8,
)


@given(_TREES)
def test_a_tree_written_out_with_its_brackets_is_read_as_itself(tree: Node) -> None:
    """Whatever stands in it, and without a note: nothing in it can surprise."""
    written = bracketed(tree)
    query = parse(written)
    assert placeless(query.root) == placeless(tree)
    assert hash(query) == hash(parse(written))
    assert bracketed(query.root) == written
    check_tree(query.root)


# ------------------------------------------------------------------------- limits


def test_brackets_in_brackets_have_an_end() -> None:
    """Far from the interpreter's own."""
    deep = parse("(" * DEEPEST + "a" + ")" * DEEPEST)
    assert bracketed(deep.root) == "a"
    text = "(" * (DEEPEST + 1) + "a" + ")" * (DEEPEST + 1)
    with pytest.raises(QueryError, match="more than 50 brackets in brackets") as caught:
        parse(text)
    assert caught.value.start == DEEPEST


def test_a_query_has_an_end() -> None:
    """What is refused is what is too much of it."""
    assert parse("a" * LONGEST).root
    with pytest.raises(QueryError, match="at most 20,000 characters, not 20,001") as caught:
        parse("a" * (LONGEST + 1))
    assert (caught.value.start, caught.value.end) == (LONGEST, LONGEST + 1)


def test_a_chain_of_near_has_an_end() -> None:
    """The tree would be as deep as the chain is long."""
    assert parse(" NEAR/3 ".join("abcdefghijklmnopqrstu"))
    with pytest.raises(QueryError, match="more than 20 NEAR in a chain"):
        parse(" NEAR/3 ".join("abcdefghijklmnopqrstuv"))
    with pytest.raises(QueryError, match="more than 20 NEAR in a chain"):
        parse("(" * 22 + "a" + " NEAR/3 b OR c)" * 22)


@pytest.mark.parametrize(
    "many",
    [
        '"' + "alpha beta " * 101 + '"',
        '"' + "alpha beta " * 101 + '"~5',
        "alpha-" * 201 + "b",
        "停" * 201,
        f'"{"停" * 201}"',
    ],
)
def test_a_phrase_has_an_end(many: str) -> None:
    """It is looked for word by word, each from the one before."""
    with pytest.raises(QueryError, match="more than 200 words in a row"):
        parse(many)
    with pytest.raises(QueryError, match="more than 200 words in a row"):
        parse_term(many.strip('"~5'))
    assert parse(many.replace("alpha beta ", "", 1).replace("alpha-" * 2, "").replace("停停", ""))


@pytest.mark.parametrize(
    "piece",
    [
        *("(", ")", "a (", "-", "NOT ", "- ", "title:", "title: ", "title:(", "=", "=(", "raw:"),
        *("a NEAR ", "a NEAR/3 (", "ATLEAST/2 ", "ATLEAST/2 (", "a AND ", "a OR (b AND ", "a OR "),
        *('"', '"a', "'a ", '" "', "“„", 'צ"', "/", "/1 ", "/a ", "/*", "//", "<<<", "#", "# ", "#a"),
        *("a?", "a* ", "*", "?", '"a? ', "{", "a{2}", "{2}", "[a TO ", "~", "^", "\\", "&", "&&", "|"),
        *("source:(a OR ", "near5:", 'near5:"a b" ', "a:", "a: ", ",", "a,", "-a OR ", "a b OR "),
        *("\u0301", "a\u0301", "火", "\u200f", "\x00", "😀", "w/", "a.b@", "x@y.zz ", "http://a.b "),
    ],
)  # fmt: skip
def test_a_hostile_query_is_no_burden(piece: str) -> None:
    """No recursion without end, and no time that grows with the square of the length."""
    text = (piece * 5_000)[:5_000]
    steps = 0

    def count(frame: Any, event: str, arg: Any) -> None:
        nonlocal steps
        steps += 1

    sys.setprofile(count)
    found = outcome(parse, text)
    sys.setprofile(None)
    assert steps < 100 * len(text)
    if isinstance(found, QueryError):
        assert len(found.message) + len(found.hint) < 400
