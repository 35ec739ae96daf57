"""What a text counts, and what it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.telling.figures import Fate, figures, sentence_at

K, H, M = Fate.KILLED, Fate.INJURED, Fate.MISSING


def read(text):
    """What is counted, in order."""
    return [(each.fate, each.number) for each in figures(text)]


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("Eight martyred as India attacks five places; Pakistan reserves right", [(K, 8)]),
        ("Eleven martyred in Indian attack; NSC authorises 'befitting' response", [(K, 11)]),
        ("Toll in Kotli attack put at 10; one name was counted twice", [(K, 10)]),
        ("Death toll rises to 1,011 in quake", [(K, 1011)]),
        ("India hits five camps, killing 8 and injuring 20", [(K, 8), (H, 20)]),
        (
            "Eight civilians, including three children, were killed and 20 others wounded",
            [(K, 8), (H, 20)],
        ),
        ("At least 12 soldiers killed, 30 hurt as bus falls", [(K, 12), (H, 30)]),
        ("Attack claims nine lives", [(K, 9)]),
        ("Twenty-one dead in blast", [(K, 21)]),
        ("two hundred people missing", [(M, 200)]),
        ("The number of dead has risen to 14", [(K, 14)]),
        ("11 bodies recovered, 4 still missing", [(K, 11), (M, 4)]),
        ("Blast kills at least 7 near Quetta", [(K, 7)]),
        ("seven people have been killed so far", [(K, 7)]),
        ("हमले में आठ नागरिक मारे गए, १२ घायल", [(K, 8), (H, 12)]),
        ("कोटली हमले में 11 लोगों की मौत", [(K, 11)]),
        ("मृतकों की संख्या बढ़कर 11 हुई", [(K, 11)]),
        ("भारत का पांच ठिकानों पर हमला, आठ की मौत", [(K, 8)]),
        ("بھارت کا پانچ مقامات پر میزائل حملہ، آٹھ شہری شہید", [(K, 8)]),
        ("حملے میں شہدا کی تعداد گیارہ ہو گئی", [(K, 11)]),
        ("تصحیح: کوٹلی حملے میں شہدا کی تعداد دس ہے", [(K, 10)]),
        ("کم از کم ۸ افراد ہلاک، ۲۰ زخمی", [(K, 8), (H, 20)]),
        ("دھماکے میں 9 افراد جاں بحق", [(K, 9)]),
    ],
)
def test_people_are_counted_in_three_languages(text, counted):
    """Numbers in words and in anybody's digits, before and behind what became of those counted."""
    assert read(text) == counted


@pytest.mark.parametrize(
    "text",
    [
        "12-year-old boy killed in firing",
        "A man aged 45 died",
        "Boy, 12, hurt by ball at match",
        "Five arrested after woman killed",
        "Rs 50 lakh for kin of killed",
        "$40 million for injured",
        "India beat Pakistan by 8 wickets",
        "Toll on highway hiked to 50",
        "No one was killed in 24 hours of calm",
        "In 2019 killed militants were buried here",
        "On May 10 killed soldiers were honoured",
        "F-16 downed, pilot missing",
        "Section 302 killed the case",
        "Match ends 3-2, keeper hurt",
        "Killed at 10:30",
        "भारत ने पांच ठिकानों पर हमला किया",
        "10 मई को मारे गए जवानों को श्रद्धांजलि",
        "5 اگست کو ہلاک",
        "",
    ],
)  # fmt: skip
def test_other_numbers_are_no_casualties(text):
    """Ages, dates, times, sums, scores, units, sections of the law, other people's arrests."""
    assert read(text) == []


def test_rough_numbers_agree_with_what_is_near():
    """Over 20 may be 22, and is not 40; 8 is not 9."""
    over, exact, far, other = (
        figures(text)[0]
        for text in ("over 20 killed", "22 killed", "40 killed", "23 people killed")
    )
    assert over.is_rough
    assert not exact.is_rough
    assert over.agrees(exact)
    assert exact.agrees(over)
    assert not over.agrees(far)
    assert not exact.agrees(other)
    for text in ("nearly 30 injured", "10 से अधिक लोग मारे गए", "10 سے زائد افراد ہلاک"):
        assert figures(text)[0].is_rough, text


def test_a_figure_is_shown_in_its_whole_sentence():
    """From one end of a sentence to the next."""
    text = "Fire in Karachi. Eight people were killed, Gen. Rao said. More soon."
    [eight] = figures(text)
    assert text[eight.start : eight.end] == "Eight"
    assert sentence_at(text, eight.start) == "Eight people were killed, Gen. Rao said."
    assert sentence_at("8 killed", 0) == "8 killed"
    assert sentence_at(text, len(text) - 1) == "More soon."


@given(st.lists(st.sampled_from([*["8", "८", "۸", "eight", "killed", "kills", "dead", "toll", "to", "at", "of", "the", "—", ";", ".", ",", "-", "%", "$", "1,000", "2025", "आठ", "मारे", "شہید", "تعداد", "including", "more", "than"], "\n"]), max_size=30))  # fmt: skip
def test_any_text_is_read(words):
    """Never an error; every figure stands where it says, in order, each number once."""
    text = " ".join(words)
    found = figures(text)
    assert [each.start for each in found] == sorted({each.start for each in found})
    assert all(0 <= each.start < each.end <= len(text) for each in found)
