"""Chunks: how they are cut into tokens, and what each can be looked up by."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.text import (
    Chunk,
    Link,
    Reading,
    Token,
    chunk_of,
    fold,
    link_across,
    norms_of,
    tokens,
)
from monitor.text.chunks import _cut, _Cutter, plain_keys


def pieces(text: str) -> list[str]:
    return [text[token.start : token.end] for token in tokens(text)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("सेना ने दिल्ली में हमला किया।", ["सेना", "ने", "दिल्ली", "में", "हमला", "किया"]),
        ("جنگ بندی، کشمیر میں۔", ["جنگ", "بندی", "کشمیر", "میں"]),
        ("“Kashmir’s” future", ["Kashmir", "future"]),
        ("the U.S.-brokered, U.N.’s", ["the", "U.S.", "brokered", "U.N."]),
        ("J.D. Vance and J.D.Vance", ["J.D.", "Vance", "and", "J.D.", "Vance"]),
        ("भा.ज.पा. ने", ["भा.ज.पा.", "ने"]),
        ("l’Iran, d'Ivoire, O’Brien", ["l", "Iran", "d", "Ivoire", "O", "Brien"]),
        ("Türkiye’nin", ["Türkiye", "nin"]),
        ("don’t he'll they’ve DON'T", ["don’t", "he'll", "they’ve", "DON'T"]),
        ("rock'n'roll Qur’an", ["rock", "n", "roll", "Qur", "an"]),
        ("AT&T, R&D, Procter&Gamble", ["AT&T", "R&D", "Procter", "Gamble"]),
        ("S&P's S&P’s (AT&T-owned)", ["S&P", "S&P", "AT&T", "owned"]),
        ("F-16s over Jammu–Kashmir", ["F", "16s", "over", "Jammu", "Kashmir"]),
        ("up 3.5% to 1,234.50 in 2021,2022", ["up", "3.5", "to", "1,234.50", "in", "2021", "2022"]),
        ("#OperationSindoor #G20Summit", ["Operation", "Sindoor", "G", "20", "Summit"]),
        ("#Operation_Sindoor2025 #UNSCVote", ["Operation", "Sindoor", "2025", "UNSC", "Vote"]),
        ("iPhone MiG OperationSindoor", ["iPhone", "MiG", "OperationSindoor"]),
        ("see https://a.example/ceasefire?x=1, a.b@c.org!", ["see"]),
        ("ftp://a.example pic.example.com/AbC (a.example/b?c=d).", []),
        ("Amazon.com U.S./Israel and/or", ["Amazon", "com", "U.S.", "Israel", "and", "or"]),
        ("[truce](https://a.example/b)", ["truce"]),
        ("www.example.org/kashmir WWW.Example.org awww.no", ["awww", "no"]),
        ("停火協議", ["停", "火", "協", "議"]),
        ("ロードアイランド州", ["ロードアイランド", "州"]),
        ("ドナルド・トランプ", ["ドナルド", "トランプ"]),
        ("ﾄﾞﾅﾙﾄﾞ･ﾄﾗﾝﾌﾟ", ["ﾄﾞﾅﾙﾄﾞ", "ﾄﾗﾝﾌﾟ"]),
        ("หยุดยิง น้ำ", ["ห", "ยุ", "ด", "ยิ", "ง", "น้ำ"]),
        ("အပစ်အခတ် ឈប់បាញ់", ["အ", "ပ", "စ်", "အ", "ခ", "တ်", "ឈ", "ប់", "បា", "ញ់"]),
        ("휴전은 유지", ["휴전은", "유지"]),
        ("F-16전투기 iPhone手机", ["F", "16", "전투기", "iPhone", "手", "机"]),
        ("e\u0301tat \u0301alone", ["e\u0301tat", "alone"]),
        ("\ufeffcease\u00adfire\u200b,", ["cease\u00adfire"]),
        ("\u200cक्\u200cष\u200c", ["क्\u200cष"]),
        ("", []),
        (" \n—…!* 👍🏽", []),
    ],
)
def test_words_are_cut_where_readers_cut_them(text: str, words: list[str]) -> None:
    """Each token covers exactly the original characters of its word."""
    assert pieces(text) == words


def keys(raw: str) -> dict[str, set[str]]:
    """By what each stretch of a chunk's characters is looked up."""
    found: dict[str, set[str]] = {}
    for reading in chunk_of(raw).readings:
        found.setdefault(raw[reading.start : reading.end], set()).update(reading.keys)
    return found


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("ceasefire,", {"ceasefire": {"ceasefire", "=ceasefire"}}),
        ("“U.S.”", {"U.S.": {"us", "=US"}}),
        ("don’t", {"don’t": {"don't", "=don't"}}),
        (
            "cease-fires",
            {
                "cease": {"cease", "=cease"},
                "fires": {"fires", "=fires", "fire"},
                "cease-fires": {"ceasefires", "=cease-fires", "ceasefire"},
            },
        ),
        (
            "F-16s",
            {
                "F": {"f", "=F"},
                "16s": {"16s", "=16s"},
                "F-16s": {"f16s", "=F-16s", "f16"},
            },
        ),
        ("F16s", {"F16s": {"f16s", "=F16s", "f16"}}),
        ("1990s", {"1990s": {"1990s", "=1990s"}}),
        (
            "MiG–29’s",
            {
                "MiG": {"mig", "=MiG"},
                "29": {"29", "=29"},
                "29’s": {"29's", "29s"},
                "MiG–29": {"mig29", "=MiG-29"},
            },
        ),
        ("soldiers’", {"soldiers": {"soldiers", "=soldiers", "soldier"}}),
        (
            "Clintons's",
            {
                "Clintons": {"clintons", "=Clintons"},
                "Clintons's": {"clintons's", "clintonss"},
            },
        ),
        ("Hama's", {"Hama": {"hama", "=Hama"}, "Hama's": {"hama's"}}),
        (
            "women’s",
            {"women": {"women", "=women", "woman"}, "women’s": {"women's", "womens"}},
        ),
        ("cafés", {"cafés": {"cafes", "=cafés", "cafe"}}),
        ("Maraş", {"Maraş": {"maras", "=Maraş"}}),
        ("MPs", {"MPs": {"mps", "=MPs", "mp"}}),
        ("M.P.s", {"M.P.s": {"mps", "=MPs", "mp"}}),
        ("AIDS", {"AIDS": {"aids", "=AIDS"}}),
        (
            "Führer’s",
            {
                "Führer": {"fuhrer", "=Führer", "fuehrer"},
                "Führer’s": {"fuhrer's", "fuhrers"},
            },
        ),
        (
            "l’Iran",
            {"l": {"l", "=l"}, "Iran": {"iran", "=Iran"}, "l’Iran": {"liran", "=l'Iran"}},
        ),
        (
            "آتش\u200cبس",
            {
                "آتش": {"اتش", "=آتش"},
                "بس": {"بس", "=بس"},
                "آتش\u200cبس": {"اتشبس", "=آتشبس"},
            },
        ),
        (
            "ドナルド・トランプ",
            {
                "ドナルド": {"ドナルド", "=ドナルド"},
                "トランプ": {"トランプ", "=トランプ"},
                "ドナルド・トランプ": {"ドナルドトランプ", "=ドナルド_トランプ"},
            },
        ),
        ("cease\u00ad\nfire", {"cease\u00ad\nfire": {"ceasefire", "=ceasefire"}}),
        ("停", {"停": {"停", "=停"}}),
        ("https://a.example/ceasefire", {}),
    ],
)
def test_a_chunk_is_looked_up_by_what_it_can_be_read_as(
    raw: str, expected: dict[str, set[str]]
) -> None:
    """Words, parts and their joined spelling; exact characters; what a word is reached from."""
    assert keys(raw) == expected


@pytest.mark.parametrize(
    ("raw", "tag", "key"),
    [
        ("#OperationSindoor", "#OperationSindoor", "#operationsindoor"),
        ("(#operationsindoor).", "#operationsindoor", "#operationsindoor"),
        ("#Operation_Sindoor2025!", "#Operation_Sindoor2025", "#operationsindoor2025"),
        ("＃停火", "＃停火", "#停火"),
        ("今天#停火#", "#停火", "#停火"),
        ("#युद्धविराम", "#युद्धविराम", "#युद्धविराम"),
        ("#آتش\u200cبس", "#آتش\u200cبس", "#اتشبس"),
        ("#휴전", "#휴전", "#휴전"),
        ("#G20", "#G20", "#g20"),
        ("#2025elections", "#2025elections", "#2025elections"),
        ("#cease-fire", "#cease", "#cease"),
        ("#Kashmir's", "#Kashmir", "#kashmir"),
    ],
)
def test_a_hashtag_is_also_looked_up_as_a_whole(raw: str, tag: str, key: str) -> None:
    """With its sign, and its words in a row."""
    whole = [found for found in chunk_of(raw).readings if found.keys[0].startswith("#")]
    assert [raw[found.start : found.end] for found in whole] == [tag]
    assert whole[0].keys == (
        key,
        f"={key[0]}{unicodedata.normalize('NFKC', tag)[1:]}".replace("\u200c", ""),
    )


@pytest.mark.parametrize(
    "raw", ["#1", "C#", "#", "a#b", "page.html#part", "&#8217;s", "&#x2019;s", "#-a", "№1"]
)
def test_not_every_sign_is_a_hashtags(raw: str) -> None:
    """Numbers, languages, fragments of addresses."""
    assert not any(key.startswith("#") for found in chunk_of(raw).readings for key in found.keys)


def test_words_of_a_hashtag_have_no_sign() -> None:
    """Its parts and their joined spelling are words like others."""
    found = keys("#OperationSindoor")
    assert set(found) == {"Operation", "Sindoor", "OperationSindoor", "#OperationSindoor"}
    assert "operationsindoor" in found["OperationSindoor"]


@pytest.mark.parametrize(
    ("raw", "joined"),
    [
        ("al-Qaeda-linked", ["alqaeda", "alqaedalinked", "qaedalinked"]),
        ("a-b-c-d-e-f", ["ab", "abc", "abcd", "abcde", "bc", "bcd", "bcde", "bcdef", "cd", "cde",
                         "cdef", "de", "def", "ef"]),
        ("cease--fire", []),
        ("cease/fire", []),
        ("F-戰", []),
        ("停-火", []),
        ("한-미", ["한미"]),
        ("ガザ-휴전", []),
        ("إف-16", []),
    ],
)  # fmt: skip
def test_parts_of_a_word_are_also_one(raw: str, joined: list[str]) -> None:
    """Two to five neighbours of one script that a hyphen or its like holds together."""
    found = [found.keys[0] for found in chunk_of(raw).readings if found.after - found.first > 1]
    assert sorted(found) == sorted(joined)


def test_an_endless_chain_of_parts_is_read_as_its_parts_alone() -> None:
    """What is no word costs no more than its characters; a word beside it is read as ever."""
    assert len(chunk_of("a-" * 1000).readings) == 1000
    long = chunk_of("戰" * 500 + "F-16" + "戰" * 500)
    assert any("f16" in found.keys for found in long.readings)


@pytest.mark.parametrize(
    ("raw", "words", "count"),
    [
        ("ceasefire", (0,), 1),
        ("cease-fire", (0, 0), 1),
        ("Delhi/India", (0, 1), 2),
        ("停火", (0, 1), 2),
        ("F-16전투기", (0, 0, 1), 2),
        ("停·火", (0, 1), 2),
        ("https://a.example/b", (0,), 1),
        ("a,https://a.example/b", (0, 1), 2),
        ("—", (), 0),
    ],
)
def test_a_chunk_has_words(raw: str, words: tuple[int, ...], count: int) -> None:
    """Parts share their word's number; an address is one word; characters are words."""
    chunk = chunk_of(raw)
    assert (chunk.words, chunk.count) == (words, count)


@pytest.mark.parametrize(
    ("raw", "edges"),
    [
        ("fire", (True, True, False, False)),
        ("(fire)", (False, False, False, False)),
        ("fire.", (True, False, False, True)),
        ("“fire!”", (False, False, False, True)),
        ("fire’s", (True, False, False, False)),
        ("U.S.", (True, True, False, False)),
        ("#fire", (False, True, False, False)),
        ("\u200bfire\ufeff", (True, True, False, False)),
        ("。火", (False, True, True, False)),
        ("火。」", (True, False, False, True)),
        ("。", (False, False, True, True)),
        ("—", (False, False, False, False)),
        ("\u200b", (True, True, False, False)),
    ],
)
def test_a_chunk_says_what_stands_around_its_words(
    raw: str, edges: tuple[bool, bool, bool, bool]
) -> None:
    """Whether it is clean at either side, and whether a sentence ends there."""
    chunk = chunk_of(raw)
    assert (chunk.clean_start, chunk.clean_end, chunk.stop_start, chunk.stop_end) == edges


@pytest.mark.parametrize(
    ("before", "after", "beside", "blank", "link"),
    [
        ("停", "年", True, None, Link.NEXT),
        ("2025", "年", True, False, Link.NEXT),
        ("cease", "fire", True, False, Link.SPACED),
        ("cease,", "fire", True, False, Link.APART),
        ("cease", "(fire", True, False, Link.APART),
        ("cease.", "Fire", True, False, Link.APART),
        ("cease", "fire", False, False, Link.APART),
        ("cease", "fire", True, True, Link.APART),
        ("停", "火", True, False, Link.APART),
        ("停", "fire", True, False, Link.NEXT),
        ("หยุด", "ยิง", True, False, Link.APART),
        ("หยุด", "ยิง", True, None, Link.NEXT),
        ("停，", "火", True, False, Link.APART),
        ("停。", "火", True, False, Link.BREAK),
        ("停!", "fire", True, False, Link.BREAK),
        ("停", "火", True, True, Link.BREAK),
        ("停", "火", False, False, Link.APART),
        ("ガザ", "停", True, False, Link.NEXT),
        ("ガザ", "イラン", True, False, Link.SPACED),
        ("ガザ。", "イラン", True, False, Link.BREAK),
        ("휴전은", "유지", True, False, Link.SPACED),
        ("휴전.", "유지", True, True, Link.APART),
    ],
)
def test_chunks_stand_to_each_other(
    before: str, after: str, *, beside: bool, blank: bool | None, link: Link
) -> None:
    """Breaks are for scripts without spaces; elsewhere a phrase runs on. None: a line's end."""
    one, other = chunk_of(before), chunk_of(after)
    wrapped = blank is None
    assert link_across(one, other, beside=beside, blank=bool(blank), wrapped=wrapped) is link


def test_a_plain_word_is_a_plain_value() -> None:
    """Everything about the commonest chunk there is."""
    assert chunk_of("Kashmir's") == Chunk(
        tokens=(Token("kashmir", 0, 7, Link.SPACED),),
        words=(0,),
        count=1,
        readings=(
            Reading(0, 1, ("kashmir", "=Kashmir"), 0, 7),
            Reading(0, 1, ("kashmir's", "kashmirs"), 0, 9),
        ),
        clean_start=True,
        clean_end=False,
        stop_start=False,
        stop_end=False,
        unspaced=False,
        opening="L",
        closing="L",
    )


# --------------------------------------------------------------------------- laws

raws = st.text(
    alphabet=st.one_of(
        st.characters(exclude_categories=["Zs", "Zl", "Zp", "Cc"]),
        st.sampled_from("aAsSbB1'’-.,&#_!\"()\u00ad\u200c\u0301кйسکهےंनद्त।停火。ガ・ห휴은אשה״ü@:/"),
    ),
    min_size=1,
    max_size=24,
).filter(lambda raw: not any(char.isspace() for char in raw))


@given(st.text(alphabet="abAB12'’\"“”().,;:!?…[]sS--#&$€%—", min_size=1, max_size=12))
@example("a's")
@example("['S's")
@example("$3-b-men%—")
@example("a-b-c-d-e-f")
def test_the_short_ways_for_plain_words_lead_where_the_long_one_does(raw: str) -> None:
    """A chunk is the same, however it was cut; so are its keys if it is not cut at all."""
    chunk = _Cutter(raw).chunk()
    assert _cut(raw) == chunk
    keys = plain_keys(raw)
    if keys is not None:
        assert [reading.keys for reading in chunk.readings] == [keys]


@pytest.mark.parametrize(
    ("raw", "keys"),
    [
        ("“Houthis,", ("houthis", "=Houthis", "houthi")),
        ("($325bn)", ("325bn", "=325bn")),
        ("India's", None),
        ("cease-fire", None),
        ("Führer", None),
        ("—", None),
    ],
)
def test_the_keys_of_a_plain_word_are_known_without_cutting_it(
    raw: str, keys: tuple[str, ...] | None
) -> None:
    assert plain_keys(raw) == keys


@given(raws)
@example("“Houthis.”")
@example("S&P's")
@example("http://a.example/b?!")
@example("新华社2024年!")
def test_norms_alone_are_those_of_the_chunk(raw: str) -> None:
    """What copies are known by is what everybody else reads."""
    norms, stop = norms_of(raw)
    chunk = chunk_of(raw)
    assert [*norms] == [(token.norm, token.start) for token in chunk.tokens]
    assert stop is chunk.stop_end


@given(raws)
def test_readings_lie_in_their_chunk(raw: str) -> None:
    """Offsets and indexes are in order and inside; no key is empty; the norm comes first."""
    chunk = chunk_of(raw)
    assert len(chunk.words) == len(chunk.tokens)
    assert chunk.count == len(set(chunk.words))
    last = 0
    for token in chunk.tokens:
        assert last <= token.start < token.end <= len(raw)
        last = token.end
    assert [found.first for found in chunk.readings] == sorted(
        found.first for found in chunk.readings
    )
    plain = set()
    for first, after, found, start, end in chunk.readings:
        assert 0 <= first < after <= len(chunk.tokens)
        assert 0 <= start < end <= chunk.tokens[after - 1].end
        assert start == chunk.tokens[first].start or found[0][0] == "#"
        assert all(found)
        assert found[1].startswith("=")
        if after == first + 1 and found[0] == chunk.tokens[first].norm:
            plain.add(first)
            assert (start, end) == chunk.tokens[first][1:3]
    assert plain == {at for at, token in enumerate(chunk.tokens) if token.norm}


@given(raws)
def test_norms_are_normal(raw: str) -> None:
    """A key that is a norm folds to itself."""
    for found in chunk_of(raw).readings:
        assert fold(found.keys[0].lstrip("#")) == found.keys[0].lstrip("#")


letters = st.text(
    alphabet=st.characters(categories=["L", "M"]) | st.sampled_from("aeéüñйकख\u093cガ휴은שׁﻛ"),
    min_size=1,
    max_size=8,
)


@given(letters)
def test_all_ways_to_encode_a_word_have_the_same_keys(word: str) -> None:
    """NFC, NFD and NFKC are one word."""
    forms = [unicodedata.normalize(form, word) for form in ("NFC", "NFD")]
    one, other = ([found.keys for found in chunk_of(form).readings] for form in forms)
    assert one == other


@pytest.mark.parametrize("word", ["Führers", "کشمیر", "ﻛﺸﻤﻴﺮ", "क़ानून", "휴전은", "ﾄﾗﾝﾌﾟ", "ＷＨＯ"])
def test_compatibility_spellings_have_the_same_keys(word: str) -> None:
    """NFKC and NFKD too: widths and presentation forms."""
    found = {
        tuple(found.keys for found in chunk_of(unicodedata.normalize(form, word)).readings)
        for form in ("NFC", "NFD", "NFKC", "NFKD")
    }
    assert len(found) == 1
