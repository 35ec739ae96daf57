"""The normal form: what readers take for one word is one string, and offsets point at it."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.text import Link, Token, fold, is_cut, normal_form, sentence_ends, tokens


def norms(text: str) -> list[str]:
    return [token.norm for token in tokens(text)]


def pieces(text: str) -> list[str]:
    return [text[token.start : token.end] for token in tokens(text)]


SAME_WORDS = [
    ("case", "Ceasefire", "CEASEFIRE"),
    ("acute", "Sánchez", "Sanchez"),
    ("macron", "Bunyān un Marsoos", "bunyan un marsoos"),
    ("dotted and dotless i", "TÜRKİYE", "Turkiye"),
    ("dotless i", "Diyarbakır", "DIYARBAKIR"),
    ("sharp s", "Straße", "STRASSE"),
    ("ligature", "ceaseﬁre", "ceasefire"),
    ("stroked letters", "Łódź Ørsted", "lodz orsted"),
    ("full width", "ＣＥＡＳＥ－ＦＩＲＥ", "cease-fire"),
    ("mathematical letters", "𝐂𝐞𝐚𝐬𝐞𝐟𝐢𝐫𝐞", "ceasefire"),
    ("soft hyphen", "cease\u00adfire", "ceasefire"),
    ("zero-width space", "cease\u200bfire", "ceasefire"),
    ("word joiner and byte order mark", "cease\u2060fire\ufeff", "ceasefire"),
    ("no-break space", "Operation\u00a0Sindoor", "Operation Sindoor"),
    ("curly apostrophe", "don’t", "don't"),
    ("superscript", "ceasefire²", "ceasefire"),
    ("trade mark", "iPhone™", "iphone"),
    ("decomposed", unicodedata.normalize("NFD", "détente"), "détente"),
    ("Greek accents and final sigma", "Αθήνα ΠΌΛΕΜΟΣ", "αθηνα πολεμος"),
    ("Cyrillic yo", "ёлка", "елка"),
    ("Cyrillic stress", "переми\u0301рие", "перемирие"),
    ("Arabic kaf and yeh for Urdu", "كشمير", "کشمیر"),
    ("alef maksura", "على", "علي"),
    ("heh and teh marbuta", "هدنة", "ھدنہ".replace("ھ", "ه")),
    ("alef forms", "أحمد إسلام آزاد ٱلله", "احمد اسلام ازاد الله"),
    ("tashkeel", "الهُدْنَةُ", "الهدنة"),
    ("tatweel", "الهـــدنة", "الهدنة"),
    ("presentation forms", "ﻛﺸﻤﻴﺮ", "كشمير"),
    ("Hebrew points", "שָׁלוֹם", "שלום"),
    ("nukta", "क़ानून", "कानून"),
    ("nukta, precomposed", "\u0958ानून", "क\u093cानून"),
    ("homorganic nasal", "ऑपरेशन सिन्दूर", "ऑपरेशन सिंदूर"),
    ("candrabindu", "पाँच", "पांच"),
    ("joiner in Devanagari", "क्\u200dष", "क्ष"),
    ("non-joiner in Devanagari", "क्\u200cष", "क्ष"),
    ("Devanagari digits", "२०२५", "2025"),
    ("Urdu digits", "۲۰۲۵", "2025"),
    ("half-width Katakana", "ﾄﾗﾝﾌﾟ", "トランプ"),
    ("decomposed Hangul", unicodedata.normalize("NFD", "휴전"), "휴전"),
    ("decomposed kana", unicodedata.normalize("NFD", "ガザ"), "ガザ"),
    ("dotted acronym", "U.S. and U.N", "US and UN"),
    ("dotted acronym in Hindi", "भा.ज.पा. ने", "भाजपा ने"),
    ("thousands", "1,000 and 1,00,000", "1000 and 100000"),
    ("em dash without spaces", "(Reuters)—India", "Reuters India"),
    ("possessive", "Kashmir’s KASHMIR'S", "Kashmir Kashmir"),
]


@pytest.mark.parametrize(("_why", "one", "other"), SAME_WORDS, ids=[why for why, *_ in SAME_WORDS])
def test_spellings_of_one_word_have_one_norm(_why: str, one: str, other: str) -> None:
    """What readers take for the same word is the same string."""
    assert norms(one) == norms(other) != []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("и", "й"),
        ("у", "ў"),
        ("і", "ї"),
        ("he'll", "hell"),
        ("we're", "were"),
        ("को", "का"),
        ("کے", "کی"),
        ("میں", "مین"),
        ("য", "য়"),
        ("3.5", "35"),
        ("が", "か"),
        ("Kashmiri", "Kashmir"),
        ("Hamas", "Hama"),
    ],
)
def test_different_words_stay_different(one: str, other: str) -> None:
    """The normal form doesn't fold what readers tell apart."""
    assert norms(one) != norms(other)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("सेना ने दिल्ली में हमला किया।", ["सेना", "ने", "दिल्ली", "में", "हमला", "किया"]),
        ("جنگ بندی، کشمیر میں۔", ["جنگ", "بندی", "کشمیر", "میں"]),
        ("“Kashmir’s” future", ["Kashmir", "future"]),
        ("the U.S.-brokered, U.N.’s", ["the", "U.S.", "brokered", "U.N."]),
        ("J.D. Vance and J.D.Vance", ["J.D.", "Vance", "and", "J.D.", "Vance"]),
        ("l’Iran, d'Ivoire, O’Brien", ["l", "Iran", "d", "Ivoire", "O", "Brien"]),
        ("Türkiye’nin", ["Türkiye", "nin"]),
        ("don’t he'll they’ve", ["don’t", "he'll", "they’ve"]),
        ("AT&T, R&D, Procter&Gamble", ["AT&T", "R&D", "Procter", "Gamble"]),
        ("F-16s over Jammu–Kashmir", ["F", "16s", "over", "Jammu", "Kashmir"]),
        ("up 3.5% to 1,234.50 in 2021,2022", ["up", "3.5", "to", "1,234.50", "in", "2021", "2022"]),
        ("#OperationSindoor #G20Summit", ["Operation", "Sindoor", "G", "20", "Summit"]),
        ("#Operation_Sindoor2025 #UNSCVote", ["Operation", "Sindoor", "2025", "UNSC", "Vote"]),
        ("see https://a.example/ceasefire?x=1, a.b@c.org!", ["see"]),
        ("www.example.org/kashmir WWW.Example.org awww.no", ["awww", "no"]),
        ("停火協議", ["停", "火", "協", "議"]),
        ("ロードアイランド州", ["ロードアイランド", "州"]),
        ("ドナルド・トランプ", ["ドナルド", "トランプ"]),
        ("หยุดยิง น้ำ", ["ห", "ยุ", "ด", "ยิ", "ง", "น้ำ"]),
        ("휴전은 유지", ["휴전은", "유지"]),
        ("e\u0301tat \u0301alone", ["e\u0301tat", "alone"]),
        ("", []),
        (" \n—…!* 👍🏽", []),
    ],
)
def test_words_are_cut_where_readers_cut_them(text: str, words: list[str]) -> None:
    """Each token covers exactly the original characters of its word."""
    assert pieces(text) == words


def links(text: str) -> str:
    """The links after the first token, one letter each."""
    return "".join(token.link.value[0] for token in tokens(text)[1:])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cease-fire", "j"),
        ("cease - fire", "a"),
        ("cease-\n  fire", "j"),
        ("cease -\nfire", "a"),
        ("cease--fire", "a"),
        ("آتش\u200cبس", "j"),
        ("Delhi, India", "a"),
        ("Delhi. India", "b"),
        ("Delhi.” “India", "b"),
        ("Delhi! India", "b"),
        ("Yahoo! finance", "a"),
        ("Delhi\nIndia", "a"),
        ("Delhi\n \nIndia", "b"),
        ("Gen. Munir", "a"),
        ("Lt. Gen. Asim Munir", "aaa"),
        ("U.S. Secretary", "a"),
        ("Narendra D. Modi", "aa"),
        ("डॉ. सिंह", "a"),
        ("है। भारत", "b"),
        ("ہے۔بھارت", "b"),
        ("کیا؟ بھارت", "b"),
        ("Delhi https://x.example/ India", "b"),
        ("停火", "n"),
        ("停\n火", "n"),
        ("停，火", "b"),
        ("停。 火", "b"),
        ("「停」火", "b"),
        ("F-16戰", "jn"),
    ],
)
def test_tokens_say_how_they_stand_to_the_one_before(text: str, expected: str) -> None:
    """Compounds, neighbours in unspaced scripts and sentence ends are told apart."""
    assert links(text) == expected


def test_an_abbreviation_ends_no_sentence() -> None:
    """Full stops of titles, initials and acronyms are passed over."""
    text = "Gen. Munir met J. D. Vance of the U.S. Senate. They spoke. “Yes.” He left"
    ends = sentence_ends(text)
    assert [text[:end].rsplit(maxsplit=1)[-1] for end in ends] == ["Senate.", "spoke.", "“Yes.”"]


# --------------------------------------------------------------------------- laws

news = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from(
            "aAeEsStTi'’-–.,&#_ \n\u00ad\u200b\u200c\u200d1٢३سکیهےंनद्त。停ガหุİıßʼnéй/:@w"
        ),
    ),
    max_size=60,
)


@given(news)
@example("http://")
@example("a.b.c.dd.e'sʼn't-")
@example("\u1100\u1161\u11a8 \ud800")
def test_tokens_lie_in_the_text_in_order(text: str) -> None:
    """Offsets are inside the text, sorted and not overlapping; no token is empty."""
    last = 0
    for token in tokens(text):
        assert last <= token.start < token.end <= len(text)
        assert token.norm
        assert not token.norm.isspace()
        last = token.end


@given(news)
@example("ﷺ ŉ ΐ ᾳ ǰ ⅷ ㎏ 0ำ 0&00Þ")
def test_the_normal_form_is_its_own_normal_form(text: str) -> None:
    """Normalising twice changes nothing."""
    once = normal_form(text)
    assert normal_form(once) == once


def test_every_letter_folds_to_a_fixed_point() -> None:
    """No letter or digit has a norm that folds further."""
    for char in map(chr, range(0x110000)):
        if char.isalnum():
            folded = fold(char)
            assert fold(folded) == folded, hex(ord(char))


words = st.lists(
    st.text(alphabet=st.characters(categories=["L", "M"]), min_size=1, max_size=8)
    | st.sampled_from(["कानून", "کشمیر", "détente", "Straße", "İzmir", "ガザ", "휴전", "שָׁלוֹם"]),
    max_size=6,
).map(" ".join)


@given(words)
def test_composed_and_decomposed_text_have_the_same_norms(text: str) -> None:
    """NFC and NFD of a text are one text."""
    composed = unicodedata.normalize("NFC", text)
    decomposed = unicodedata.normalize("NFD", text)
    assert norms(composed) == norms(decomposed)


latin = st.text(alphabet="abcdefghijklmnopqrstuvwxyzéèüßøłıāçñ -'", max_size=40)


@given(latin)
def test_case_does_not_matter(text: str) -> None:
    """A text in capitals has the norms of the text."""
    assert norms(text.upper()) == norms(text) == norms(text.title().swapcase())


@given(st.text(alphabet="abcXYZ019-'& ", max_size=40))
def test_width_does_not_matter(text: str) -> None:
    """Full-width letters, digits and joiners are the plain ones."""
    wide = "".join(chr(ord(char) + 0xFEE0) if char != " " else "\u3000" for char in text)
    assert norms(wide) == norms(text)


@given(news)
def test_what_is_ignored_inside_words_is_ignored_everywhere(text: str) -> None:
    """Soft hyphens beside letters change no norm."""
    soft = "".join(char + "\u00ad" if char.isascii() and char.isalpha() else char for char in text)
    if "http" not in text and "www" not in text and "#" not in text:
        assert norms(soft) == norms(text)


@given(news)
def test_sentence_ends_ascend_within_the_text(text: str) -> None:
    """Ends are in order and inside the text."""
    ends = sentence_ends(text)
    assert ends == sorted(ends)
    assert all(0 < end <= len(text) for end in ends)


@pytest.mark.parametrize(
    "hostile",
    [
        "!" * 200_000,
        "12," * 70_000,
        "a" * 200_000 + "@",
        "a.b" * 70_000,
        "." + " " * 200_000 + ".",
        "e" + "\u0301" * 200_000,
        "\n " * 100_000,
        "(" * 200_000,
        "www." * 50_000,
        "'s" * 100_000,
        "停" * 200_000,
        "a-" * 100_000,
    ],
    ids=lambda text: repr(text[:4]),
)
def test_hostile_texts_cost_no_more_than_others(hostile: str) -> None:
    """Texts made to send regular expressions astray are read to their end."""
    assert len(tokens(hostile)) <= len(hostile)


@pytest.mark.parametrize(
    ("text", "cuts"),
    [
        ("ab", [0, 1, 2]),
        ("e\u0301a", [0, 2, 3]),
        ("नि", [0, 2]),
        ("👍🏽!", [0, 2, 3]),
        ("👩\u200d🚀", [0, 3]),
        ("🇮🇳🇵🇰", [0, 2, 4]),
        (unicodedata.normalize("NFD", "휴전"), [0, 2, 5]),
    ],
)
def test_a_text_is_cut_between_what_readers_see_as_characters(text: str, cuts: list[int]) -> None:
    """Marks, joiners, skin tones and flags are never cut off."""
    assert [at for at in range(len(text) + 1) if is_cut(text, at)] == cuts


def test_a_token_is_a_plain_value() -> None:
    """Tokens compare and unpack as tuples."""
    assert tokens("Kashmir's") == [Token("kashmir", 0, 7, Link.APART)]


def test_a_letter_under_a_mountain_of_marks_is_read_in_a_moment():
    """Normalizing sorts the marks of a letter in quadratic time, deaf to everything else."""
    began = time.process_time()
    [token] = tokens("е" + "\u0301\u0323" * 50_000)
    assert time.process_time() - began < 2  # 9 s, were they all sorted
    assert token.end == 100_001
    assert fold("z" + "\u0301\u0323" * 100) == "z"
