"""The normal form of a word: spellings that readers take for the same are one string."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.text import fold, tokens
from monitor.text.folding import exact, exact_of, with_digraphs


def norms(text: str) -> list[str]:
    return [token.norm for token in tokens(text)]


SAME_WORDS = [
    ("case", "Ceasefire", "CEASEFIRE"),
    ("acute", "Sánchez", "Sanchez"),
    ("macron", "Bunyān un Marsoos", "bunyan un marsoos"),
    ("dotted and dotless i", "TÜRKİYE", "Turkiye"),
    ("dotless i", "Diyarbakır", "DIYARBAKIR"),
    ("sharp s", "Straße", "STRASSE"),
    ("capital sharp s", "STRAẞE", "strasse"),
    ("ligature", "ceaseﬁre", "ceasefire"),
    ("stroked letters", "Łódź Ørsted", "lodz orsted"),
    ("Vietnamese", "Đà Nẵng, Việt Nam", "Da Nang, Viet Nam"),
    ("full width", "ＣＥＡＳＥ－ＦＩＲＥ", "cease-fire"),
    ("mathematical letters", "𝐂𝐞𝐚𝐬𝐞𝐟𝐢𝐫𝐞", "ceasefire"),
    ("soft hyphen", "cease\u00adfire", "ceasefire"),
    ("zero-width space", "cease\u200bfire", "ceasefire"),
    ("word joiner and byte order mark", "cease\u2060fire\ufeff", "ceasefire"),
    ("direction marks", "\u2067هدنة\u2069 \u200fהפסקה", "هدنة הפסקה"),
    ("no-break space", "Operation\u00a0Sindoor", "Operation Sindoor"),
    ("narrow no-break space", "Operation\u202fSindoor", "Operation Sindoor"),
    ("curly apostrophe", "don’t", "don't"),
    ("superscript", "ceasefire²", "ceasefire"),
    ("trade mark", "iPhone™", "iphone"),
    ("decomposed", unicodedata.normalize("NFD", "détente"), "détente"),
    ("Greek accents and final sigma", "Αθήνα ΠΌΛΕΜΟΣ", "αθηνα πολεμος"),
    ("Cyrillic yo", "ёлка", "елка"),
    ("Cyrillic stress", "переми\u0301рие", "перемирие"),
    ("Arabic kaf and yeh for Urdu", "كشمير", "کشمیر"),
    ("alef maksura", "على", "علي"),
    ("heh and teh marbuta", "هدنة", "هدنه"),
    ("heh goal", "جموں و کشمیر ۔ لاہور", "جموں و کشمیر ۔ لاهور"),
    ("alef forms", "أحمد إسلام آزاد ٱلله", "احمد اسلام ازاد الله"),
    ("hamza above", "دائرۂ مسئلہ", "دايره مسيله"),
    ("tashkeel", "الهُدْنَةُ", "الهدنة"),
    ("tatweel", "الهـــدنة", "الهدنة"),
    ("presentation forms", "ﻛﺸﻤﻴﺮ", "كشمير"),
    ("Hebrew points", "שָׁלוֹם", "שלום"),
    ("Hebrew acronym", 'צה"ל צה״ל צה”ל', "צהל צהל צהל"),
    ("Hebrew sounds", "ג׳ורג' צ'ילי", "גורג צילי"),
    ("nukta", "क़ानून", "कानून"),
    ("nukta, precomposed", "\u0958ानून", "क\u093cानून"),
    ("Gurmukhi nukta", "ਫ਼ੌਜ", "ਫੌਜ"),
    ("homorganic nasal", "ऑपरेशन सिन्दूर", "ऑपरेशन सिंदूर"),
    ("candrabindu", "पाँच", "पांच"),
    ("joiner in Devanagari", "क्\u200dष", "क्ष"),
    ("non-joiner in Devanagari", "क्\u200cष", "क्ष"),
    ("Malayalam chillu", "അവൻ", "അവന്\u200d"),
    ("Bengali khanda ta", "ভারৎ", "ভারত্\u200d"),
    ("Devanagari digits", "२०२५", "2025"),
    ("Urdu digits", "۲۰۲۵", "2025"),
    ("Arabic thousands and decimals", "١٬٠٠٠ ٣٫٥", "1000 3.5"),
    ("Thai sara am in halves", "คํา น้ํา", "คำ น้ำ"),
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
        ("г", "ґ"),
        ("he'll", "hell"),
        ("we're", "were"),
        ("को", "का"),
        ("کے", "کی"),
        ("میں", "مین"),
        ("য", "য়"),
        ("ଡ", "ଡ଼"),
        ("3.5", "35"),
        ("が", "か"),
        ("ハ", "パ"),
        ("Kashmiri", "Kashmir"),
        ("Hamas", "Hama"),
    ],
)
def test_different_words_stay_different(one: str, other: str) -> None:
    """The normal form doesn't fold what readers tell apart."""
    assert norms(one) != norms(other)


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("US", "US"),
        ("Bunya\u0304n", "Bunyān"),
        ("cease\u00adFire", "ceaseFire"),
        ("ＷＨＯ", "WHO"),
        ("آتش\u200cبس", "آتشبس"),
    ],
)
def test_exact_characters_keep_capitals_and_accents(word: str, shown: str) -> None:
    """Width, composition and what nobody sees make no difference."""
    assert exact(word) == shown


@pytest.mark.parametrize(
    ("word", "shown"),
    [("U.S.", "US"), ("Ｕ．Ｓ．", "US"), ("3.5", "3.5"), ("AT＆T", "AT&T"), ("צה״ל", "צהל")],
)
def test_exact_acronyms_have_no_dots(word: str, shown: str) -> None:
    """U.S. is exactly US; a number keeps its point."""
    assert exact_of(word) == shown


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("Führer", "fuehrer"),
        ("Fu\u0308hrer", "fuehrer"),
        ("ÖSTERREICH", "oesterreich"),
        ("Ålesund", "aalesund"),
        ("Ørsted", "oersted"),
        ("Straße", None),
        ("Sánchez", None),
        ("Fuehrer", None),
    ],
)
def test_umlauts_are_written_out(word: str, other: str | None) -> None:
    """As they are typed where a keyboard has none."""
    assert with_digraphs(word) == other


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


def test_a_letter_under_a_mountain_of_marks_is_read_in_a_moment() -> None:
    """Normalizing sorts the marks of a letter in quadratic time, deaf to everything else."""
    began = time.process_time()
    [token] = tokens("е" + "\u0301\u0323" * 50_000)
    assert time.process_time() - began < 2  # 9 s, were they all sorted
    assert token.end == 100_001
    assert fold("z" + "\u0301\u0323" * 100) == "z"
