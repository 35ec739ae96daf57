"""Copies are known through what editors do to them; what only resembles them is taken for none.

All texts are invented.
"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.stories.copies import (
    SHORTEST,
    WINDOW,
    Fingerprint,
    Kinship,
    fingerprint,
    kinship,
    likeness,
    packed,
    unpacked,
)

HOUR = timedelta(hours=1)
TITLE = "Ferry operator fined after harbour collision"
REPORT = """\
A maritime court in Valdoria on Tuesday fined the operator of a passenger ferry 4.2 million crowns \
over a collision that injured 37 people in the harbour of Port Sellen last winter.

Judge Imre Halvorsen said Northline Ferries had ignored two written warnings about the steering \
gear of the Aurelia, which struck a concrete pier at a speed of 11 knots on 9 January.

"The company knew what was wrong and chose to keep its timetable," Halvorsen told a crowded \
courtroom. "Passengers paid for that choice with broken bones."

The prosecution had asked for 6 million crowns and a ban on night crossings. The judge refused the \
ban, saying that the regulator, not a court, should decide who may sail after dark.

Northline's chief executive, Marta Quill, apologised to the injured as she left the building. She \
said the company had replaced the steering gear on all five of its ships and trained 140 members \
of staff since the accident.

A lawyer for 22 of the passengers, Desmond Okafor, called the fine disappointing and said that his \
clients would press on with their claims for damages in the spring. The trade union of seafarers \
welcomed the verdict, but asked why no manager had been charged.

The ferry carries about 900,000 people a year between Port Sellen and the island of Maur. It was \
back in service by March, after repairs that cost more than the fine.

The regulator opened an inquiry of its own in February. Its report is expected before the summer, \
and could still cost Northline the licence for its most profitable route."""
PARAGRAPHS = REPORT.split("\n\n")

OTHER = """\
Passengers hurt when the ferry Aurelia hit a pier in Port Sellen gathered outside the court on \
Tuesday with photographs of the wreckage, and were told that their wait was not over.

Many of them still walk with sticks. Ines Ravn, a teacher, spent eleven weeks in hospital and has \
not been able to return to her classroom. She had hoped to hear that somebody would go to prison.

Instead there was a fine, which the company said it could pay from reserves. Its shares rose by 3 \
percent. Inside, Judge Imre Halvorsen spoke for an hour about steering gear, letters that nobody \
answered and a timetable that left no time for repairs.

The victims will be back in spring, when their own claims are heard. Until then the ferry goes on \
sailing to Maur twelve times a day, past a pier with a new wall."""

CAPTIONS = "\n\n".join(
    f"Hide Caption {number} of 14: {text}"
    for number, text in enumerate(
        (
            "Dagny Oster as a student at the University of Maur in the autumn of 1961.",
            "Oster argues her first case before the Supreme Court of Valdoria in 1974.",
            "President Lindqvist introduces his nominee to reporters in the Winter Garden.",
            "Oster and her husband, the painter Piet Oster, at the opera in 1988.",
            "The court of 1993, with Oster in the second row, between Bell and Amundsen.",
            "Students wait in the snow to hear Oster speak about the rights of prisoners.",
            "Oster receives the Order of the Crown from Queen Ingeborg in 2004.",
            "A mural of Oster on the wall of a school that was named for her in Port Sellen.",
            "Oster visits the flooded villages of the Lower Tarn with her granddaughter.",
            "Oster leaves hospital after an operation, and returns to court the next day.",
            "Flowers and letters on the steps of the court on the evening of her death.",
            "The coffin of Oster is carried through the streets of the old town by clerks.",
        ),
        start=1,
    )
)

FORECAST = """\
The harbour office of Port Sellen expects a maximum of {} degrees in the afternoon and a minimum of \
{} degrees in the early hours of the morning. Small vessels are advised to stay in port after \
sunset, and all others to keep clear of the breakwater. The next bulletin will be published at the \
usual time; until then skippers may call the office or listen to the coastal radio, which repeats \
this bulletin every hour. Harbour dues are to be paid in advance. Boats without lights are not \
allowed to leave, and those that carry passengers need the permission of the harbour master."""


def kin(this: str, other: str, *, titles: tuple[str, str] = (TITLE, TITLE)) -> Kinship | None:
    """The kinship of two bodies, an hour apart; what is a copy also has a key in common."""
    one, two = fingerprint(titles[0], this), fingerprint(titles[1], other)
    found = kinship(one, two, HOUR)
    if found:
        assert set(one.keys) & set(two.keys)
    return found


def nth_word_changed(text: str, step: int) -> str:
    words = text.split(" ")
    words[step // 2 :: step] = ["edited" for _ in words[step // 2 :: step]]
    return " ".join(words)


# --------------------------------------------------------------------------- the same words

STATEMENT = (
    "India’s army said the cease-fire along the Line of Control was holding on Sunday, a day "
    "after both sides agreed to stop firing. “We remain on alert,” a spokesman said – adding that "
    "no violations had been seen since midnight.\n\n"
    "Pakistan's foreign ministry said it would honour the truce and asked for talks on all "
    "issues, Kashmir among them."
)


@pytest.mark.parametrize(
    "copy",
    [
        STATEMENT.replace("’", "'").replace("“", '"').replace("”", '"'),
        STATEMENT.replace("cease-fire", "ceasefire"),
        STATEMENT.replace("cease-fire", "cease\u2011fire").replace(" – ", " - "),
        STATEMENT.replace(" – ", "—"),
        STATEMENT.replace("\n\n", "\n"),
        STATEMENT.replace(" ", "\u00a0", 3).replace(" ", "  "),
        STATEMENT.upper(),
        f"NEW DELHI, May 11 (Reuters) - {STATEMENT}",
        f"NEW DELHI – {STATEMENT}",
        f"New Delhi, May 11 (PTI) {STATEMENT}",
        f"ISLAMABAD/NEW DELHI: {STATEMENT}",
        f"WASHINGTON—{STATEMENT}",
        f"WASHINGTON, D.C. (AP/Reuters) — {STATEMENT}",
        f"नई दिल्ली, 11 मई (भाषा) {STATEMENT}",
        f"A headline of this outlet\n\n{STATEMENT}",
        f"A HEADLINE OF THIS OUTLET.\n\nNEW DELHI (AP) — {STATEMENT}",
    ],
)
def test_a_wire_copy_has_the_hash_of_its_report(copy: str) -> None:
    """Typography, white space, dateline and a repeated headline make no difference."""
    exact = fingerprint("A headline of this outlet", copy).exact
    assert exact is not None
    assert exact == fingerprint("Another one", STATEMENT).exact


@pytest.mark.parametrize(
    "other",
    [
        STATEMENT.replace("Sunday", "Monday"),
        STATEMENT.replace("no violations", "two violations"),
        f"{STATEMENT} More to follow.",
        STATEMENT.partition("\n")[0] + " It said so again." * 5,
    ],
)
def test_other_words_have_another_hash(other: str) -> None:
    """A correction or an added sentence is no exact copy."""
    assert fingerprint("", other).exact != fingerprint("", STATEMENT).exact


def test_a_short_text_proves_nothing() -> None:
    """Below forty words there is no hash; from there on there is one."""
    assert fingerprint("", "word " * (SHORTEST - 1)).exact is None
    assert fingerprint("", "word " * SHORTEST).exact is not None
    assert fingerprint("", "停" * (SHORTEST - 1)).exact is None
    assert fingerprint("", "停" * SHORTEST).exact is not None
    assert fingerprint("", "").exact is None


# --------------------------------------------------------------------------- what editors do


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda: REPORT, id="nothing"),
        pytest.param(lambda: "\n\n".join(PARAGRAPHS[:5]), id="cut to six tenths"),
        pytest.param(lambda: "\n\n".join(PARAGRAPHS[:3]), id="cut to a third"),
        pytest.param(lambda: "\n\n".join(PARAGRAPHS[:2]), id="cut to a quarter"),
        pytest.param(lambda: "\n\n".join(PARAGRAPHS[::-1]), id="paragraphs in another order"),
        pytest.param(lambda: f"{TITLE}\n\nPORT SELLEN (Reuters) — {REPORT}", id="its own head"),
        pytest.param(lambda: f"A ferry at sea. Photo: Harbour Trust\n\n{REPORT}", id="a caption"),
        pytest.param(
            lambda: f"{REPORT}\n\nSign up for our newsletter. Follow us for more news.",
            id="furniture",
        ),
        pytest.param(lambda: REPORT.replace(" ", "\u00a0").replace('"', "”"), id="typography"),
        pytest.param(lambda: REPORT.replace("ferry", "fer\u00adry"), id="soft hyphens"),
        pytest.param(REPORT.upper, id="capitals"),
        pytest.param(lambda: REPORT.replace("37", "38").replace("140", "150"), id="corrections"),
        pytest.param(lambda: nth_word_changed(REPORT, 25), id="edited lightly"),
    ],
)
@pytest.mark.parametrize("title", [TITLE, "Company must pay for injuries on the Aurelia", ""])
def test_a_copy_is_known_through_its_edits(edit: Callable[[], str], title: str) -> None:
    """Under another headline too, and whichever of the two came first."""
    assert kin(edit(), REPORT, titles=(title, TITLE)) is Kinship.COPY
    assert kin(REPORT, edit(), titles=(TITLE, title)) is not None


def test_a_copy_edited_in_every_sentence_is_known_by_what_it_tells_of() -> None:
    """Every seventh word is another: two fifths of the runs of three words are gone."""
    edited = nth_word_changed(REPORT, 7)
    assert likeness(fingerprint("", edited), fingerprint("", REPORT)).jaccard < 0.43
    assert kin(edited, REPORT) is not None
    of_others = re.sub(
        r"Halvorsen|Northline|Aurelia|Sellen|Quill|Okafor|Maur",
        lambda name: name[0][::-1].title(),
        edited,
    )
    assert kin(of_others, REPORT) is None


def test_a_copy_with_much_of_its_own_is_an_update() -> None:
    """Seen from the text that has more; the shorter one has nothing new."""
    longer = f"{REPORT}\n\n{OTHER}"
    assert kin(longer, REPORT) is Kinship.UPDATE
    assert kin(REPORT, longer) is Kinship.COPY
    like = likeness(fingerprint("", longer), fingerprint("", REPORT))
    assert like.containment == pytest.approx(1, abs=0.01)
    assert like.new == pytest.approx(1 - len(REPORT) / len(longer), abs=0.06)


SCRIPTS = {
    "hindi": (
        "भारतीय सेना ने रविवार को कहा कि नियंत्रण रेखा पर संघर्ष विराम कायम है और आधी रात के बाद से "
        "किसी उल्लंघन की सूचना नहीं मिली है। प्रवक्ता ने बताया कि जवान सतर्क हैं। उधर विदेश मंत्रालय "
        "ने कहा कि दोनों देशों के अधिकारी 12 मई को फिर बात करेंगे। सीमावर्ती गाँवों में लोग अपने घरों "
        "को लौटने लगे हैं और स्कूल सोमवार से खुलेंगे।"
    ),
    "urdu": (
        "پاکستان کے دفتر خارجہ نے اتوار کو کہا کہ جنگ بندی پر عمل جاری ہے اور آدھی رات کے بعد سے کسی "
        "خلاف ورزی کی اطلاع نہیں ملی۔ ترجمان نے بتایا کہ دونوں ملکوں کے حکام 12 مئی کو دوبارہ بات چیت "
        "کریں گے۔ سرحدی دیہات میں لوگ اپنے گھروں کو لوٹنے لگے ہیں اور اسکول پیر سے کھل جائیں گے۔ "
        "وزیر اعظم نے امن کی امید ظاہر کی ہے۔"
    ),
    "chinese": (
        "双方军队周日表示，停火协议正在生效，午夜以来没有发现任何违反协议的行为。发言人说，部队仍然"
        "保持警惕。外交部称，两国官员将于5月12日再次会谈。边境村庄的居民开始返回家园，学校将从周一"
        "起重新开放。"
    ),
    "japanese": (
        "ギリシャの裁判所は火曜日、昨年の冬に港で起きた衝突事故をめぐり、フェリーの運航会社に罰金の"
        "支払いを命じた。裁判長は、会社が警告を二度も無視したと述べた。けが人は37人に上り、船は3月に"
        "運航を再開した。"
    ),
    "thai": (
        "ศาลเมืองท่าสั่งปรับบริษัทเรือโดยสารเมื่อวันอังคาร หลังเรือชนท่าเทียบเรือเมื่อฤดูหนาวปีที่แล้ว มีผู้บาดเจ็บ 37 คน "
        "ผู้พิพากษากล่าวว่าบริษัทรู้ปัญหาแต่ไม่ซ่อมแซม เรือกลับมาให้บริการอีกครั้งในเดือนมีนาคม"
    ),
}


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_copies_are_known_in_every_script(text: str) -> None:
    """Cut to two thirds, or behind an opening of the outlet's own; and nothing else is one."""
    assert fingerprint("", text).words > SHORTEST
    cut = text[: len(text) * 2 // 3]
    assert kin(cut, text) is Kinship.COPY
    assert kin(text, cut) is not None
    assert kin(f"{text[-20:]} {text}", text) is Kinship.COPY
    assert kin(text, REPORT) is None


def test_nukta_zwnj_and_keyboards_make_no_difference() -> None:
    """Urdu by an Arabic keyboard, Hindi with and without marks: the normal form's business."""
    urdu = "یہ کہانی اردو میں ہے اور ہر لفظ الگ ہے " * 6
    arabic = urdu.replace("ی", "ي").replace("ک", "ك")
    assert fingerprint("", urdu) == fingerprint("", arabic)


# --------------------------------------------------------------------------- what is no copy


@pytest.mark.parametrize(
    ("this", "other"),
    [
        pytest.param(REPORT, OTHER, id="two reports of one event"),
        pytest.param(
            f"Justice Dagny Oster died at her home on Sunday, the court said. "
            f"{OTHER[:330]}\n\n{CAPTIONS}",
            "Who follows Oster? Three names are heard in the lobbies, and none of them pleases "
            "the upper house. The president says that he is in no hurry; his party is. By the "
            "end of the month there will be hearings, and by summer there will be an election "
            "to think of. Senators who praised the dead judge on Sunday were on the telephone "
            f"by Monday morning, counting votes that they may not have.\n\n{CAPTIONS}\n\n"
            "Meanwhile lower courts wait for rulings on water, land and prisons, and nobody can "
            "say whether four judges to four will hand down any. Lawyers advise their clients "
            "to settle. The clerk of the court has postponed the spring term, for the first "
            "time since the war, and asks for patience.\n\n" + "\n\n".join(PARAGRAPHS[4:]),
            id="one gallery below two articles",
        ),
        pytest.param(
            "First Bank of Maur has raised its prime lending rate to 7.75 percent from 7.50 "
            "percent, effective today, following similar moves by other large lenders.",
            "Sellen Savings Trust has raised its prime lending rate to 7.75 percent from 7.50 "
            "percent, effective today, following similar moves by other large lenders.",
            id="two banks, one rate",
        ),
        pytest.param(
            "Tarn Optical Works is issuing a 60 million crown bond with warrants, due March "
            "1992, with an indicated coupon of 2.25 percent, lead manager Oster Brothers said. "
            "Each bond has a warrant to buy shares of the company from 28 April. The price is "
            "fixed on 9 April, with the usual fees of 1.5 percent. The bonds are sold in lots "
            "of 5,000 crowns and will be listed in Port Sellen.",
            "Lower Maur Real Estate is issuing a 35 million crown bond with warrants, due March "
            "1992, with an indicated coupon of 2.75 percent, lead manager Lindqvist Securities "
            "said. Each bond has a warrant to buy shares of the company from 20 April. The price "
            "is fixed on 10 April, with the usual fees of 1.5 percent. The bonds are sold in "
            "lots of 5,000 crowns and will be listed in Port Sellen.",
            id="two bonds of one form",
        ),
        pytest.param(
            FORECAST.format(17, 9),
            FORECAST.format(21, 12),
            id="two forecasts, word for word but for the numbers",
        ),
        pytest.param("", "", id="no text at all"),
        pytest.param("More to follow.", "More to follow.", id="a few words"),
        pytest.param("停火", "停火", id="two characters"),
        pytest.param(REPORT, "edited " * 300, id="one word again and again"),
    ],
)
def test_what_only_resembles_a_copy_is_none(this: str, other: str) -> None:
    """Neither way round."""
    titles = ("One headline", "Something else")
    assert kin(this, other, titles=titles) is None
    assert kin(other, this, titles=titles) is None


def test_a_series_is_told_by_its_headlines() -> None:
    """The same words every week under a headline that differs in its number: no copy."""
    quiz = "How well did you follow the news? Answer ten questions and compare. " * 5
    week = "Harbour Herald News Quiz: August {}, 2026"
    assert kin(quiz, quiz, titles=(week.format(14), week.format(21))) is None
    assert kin(quiz, quiz, titles=(week.format(14), week.format(14))) is Kinship.COPY
    assert kin(quiz, quiz, titles=(week.format(14), "The quiz of 21 August")) is Kinship.COPY
    assert kin(quiz, quiz, titles=(week.format(14), week[:-6].format(14))) is Kinship.COPY


def test_a_short_series_is_told_by_its_names() -> None:
    """Under one headline too: what two banks announced, or one bank corrected."""
    said = "{} has raised its prime lending rate to 7.75 percent from 7.50 percent, effective {}."
    titles = ("Bank raises prime rate", "Bank raises prime rate")
    first = said.format("First Bank of Maur", "today, its treasurer said")
    assert kin(said.format("The Sellen Trust", "today, it says"), first, titles=titles) is None
    corrected = said.format("First Bank of Maur", "tomorrow")
    assert kin(corrected, first, titles=titles) is not None


def test_a_translation_is_no_copy() -> None:
    """Its words are others."""
    german = (
        "Ein Seegericht in Valdoria hat am Dienstag den Betreiber einer Fähre zu einer Strafe von "
        "4.2 Millionen Kronen verurteilt. Bei dem Unfall im Hafen von Port Sellen waren 37 Menschen "
        "verletzt worden. Richter Imre Halvorsen sagte, Northline Ferries habe zwei schriftliche "
        "Warnungen vor der Ruderanlage der Aurelia missachtet."
    )
    assert kin(german, REPORT) is None


def test_what_is_printed_again_days_later_is_no_copy() -> None:
    """72 hours before or after, and no longer."""
    report = fingerprint(TITLE, REPORT)
    for apart in (WINDOW, -WINDOW):
        assert kinship(report, report, apart) is Kinship.COPY
    for apart in (WINDOW + HOUR, -WINDOW - HOUR):
        assert kinship(report, report, apart) is None


SUMMARY = PARAGRAPHS[0]


@pytest.mark.parametrize(
    ("this", "title", "expected"),
    [
        (SUMMARY, "Ferry firm to pay millions", Kinship.COPY),
        (SUMMARY.replace("injured", "hurt"), TITLE, Kinship.COPY),
        (SUMMARY.replace("37", "41"), "Ferry firm to pay millions", None),
        (SUMMARY[:60], TITLE, None),
        # It stands in the middle of the report, and nothing says that the rest is meant as well.
        (PARAGRAPHS[6].partition(" It was")[0], "The island of Maur", None),
        (PARAGRAPHS[6].partition(" It was")[0], TITLE, Kinship.COPY),
    ],
    ids=["summary", "reworded", "another number", "too short", "a quotation", "by its headline"],
)
def test_of_a_short_text_nearly_every_word_is_the_same(
    this: str, title: str, expected: Kinship | None
) -> None:
    """A feed's summary is a copy of its article; below fifteen words nothing is."""
    assert fingerprint("", this).words < SHORTEST
    assert kinship(fingerprint(title, this), fingerprint(TITLE, REPORT), HOUR) is expected


def test_an_excerpt_of_a_very_long_article_is_judged_by_its_opening() -> None:
    """Hardly one of its shingles is in the sample of the long one, and those few prove nothing."""
    filler = " ".join(f"word{number}" for number in range(10_000))
    sentence = PARAGRAPHS[5].partition(". ")[0]
    summary, quotation = fingerprint("", sentence), fingerprint("", "\n\n".join(PARAGRAPHS[:2]))
    article = fingerprint("", f"{sentence}\n\n{filler}")
    assert likeness(summary, article).compared == 0
    assert kinship(summary, article, HOUR) is Kinship.COPY
    quoting = fingerprint("", f"{filler[:1000]}\n\n{REPORT}\n\n{filler}")
    like = likeness(quotation, quoting)
    assert 0 < like.compared < 8
    assert like.containment == 1
    assert kinship(quotation, quoting, HOUR) is None


# --------------------------------------------------------------------------- fingerprints


def test_names_are_capitals_that_no_sentence_begins_with() -> None:
    """Nor is one what is written small elsewhere in the text; numbers are apart."""

    def words(*names: str) -> set[int]:
        return {each for name in names for each in fingerprint("", f"x {name}").names}

    text = "Judge Halvorsen spoke. The ferry of Maur, he said, had hit The Pier at 11 knots."
    found = fingerprint("", text)
    assert set(found.names) == words("Halvorsen", "Maur", "Pier", "The")
    assert len(found.numbers) == 1
    assert words("The") & set(fingerprint("", f"{text} Near the pier.").names) == set()


def test_a_fingerprint_is_the_same_in_every_process_and_version() -> None:
    """What the database holds stays comparable. If this fails, `packed` needs a new version."""
    known = fingerprint(TITLE, REPORT)
    digest = hashlib.sha256(packed(known) + repr(known.keys).encode()).hexdigest()
    assert (known.words, known.shingles, len(known.keys)) == (265, 262, 25)
    assert digest == "25268ea1d226b146b7880be0fe08801c70471c47bdc3946330c9c29fbeccff3e"


@pytest.mark.parametrize(
    "body",
    [
        "a " * 200_000,
        "x" * 2_000_000,
        "停火" * 70_000,
        "\n" * 2_000_000,
        " ".join(map(str, range(50_000))),
        "e\u0301" * 100_000,
        "\ud800 \x00 \u202e" * 100,
    ],
    ids=["words", "one word", "chinese", "lines", "numbers", "marks", "surrogates"],
)
def test_hostile_texts_are_read_as_far_as_is_sensible(body: str) -> None:
    """Bounded work and bounded size, whatever comes; and it is a copy of itself or too short."""
    found = fingerprint(body, body)
    assert found.words <= 1 << 17
    assert len(found.keys) <= 30
    assert len(packed(found)) < 2000
    assert kinship(found, found, HOUR) in {Kinship.COPY, None}


def test_a_headline_that_the_body_begins_with_is_no_part_of_it() -> None:
    """Also where it is cut off from a longer sentence; but a body is never used up by it."""
    assert fingerprint(TITLE, f"{TITLE}: {REPORT}") == fingerprint(TITLE, REPORT)
    assert fingerprint(TITLE, TITLE).words == 0


texts = st.text(max_size=300) | st.lists(
    st.sampled_from([*REPORT.split(), "停火", "सेना", "۱۲", "\n\n"]), max_size=400
).map(" ".join)


@given(texts, texts)
def test_any_text_has_a_fingerprint_that_survives_the_database(title: str, body: str) -> None:
    """Nothing raises; what was packed is what is unpacked, but for keys and the exact hash."""
    found = fingerprint(title, body)
    assert unpacked(packed(found)) == dataclasses.replace(found, keys=(), exact=None)
    for sample in (found.sketch, found.opening, found.numbers, found.names, found.keys):
        assert list(sample) == sorted(set(sample))
    assert all(-(1 << 31) <= key < 1 << 31 for key in found.keys)
    assert len(found.keys) <= 30
    assert found.shingles >= len(found.sketch)


@given(texts, texts)
def test_likeness_is_the_same_from_both_sides(one: str, two: str) -> None:
    """But for what is new; every share lies between nothing and all."""
    here, there = fingerprint("", one), fingerprint("", two)
    like, back = likeness(here, there), likeness(there, here)
    assert dataclasses.replace(like, new=0) == dataclasses.replace(back, new=0)
    shares = (like.jaccard, like.containment, like.opening, like.numbers, like.particulars)
    assert all(0 <= share <= 1 for share in (*shares, like.title, like.new))
    assert like.jaccard <= like.containment
    assert (kinship(here, there, HOUR) is None) == (kinship(there, here, HOUR) is None)


@given(texts)
def test_a_text_is_a_copy_of_itself_if_it_is_long_enough(body: str) -> None:
    """Fifteen words are enough, if it holds a shingle's worth of different ones."""
    found = fingerprint("Headline", body)
    same = likeness(found, found)
    assert same.new == 0
    assert (kinship(found, found, HOUR) is Kinship.COPY) == (found.words >= 15)


@given(st.integers(0, 1 << 32), st.integers(300, 900))
def test_shares_are_estimated_well(seed: int, cut: int) -> None:
    """Of 256 shingles: within four standard errors of what all shingles say."""
    chance = random.Random(seed)
    words = [f"w{chance.randrange(400)}" for _ in range(1000)]

    def shingles(part: list[str]) -> set[tuple[str, ...]]:
        return set(zip(part, part[1:], part[2:], strict=False))

    some, all_of = shingles(words[:cut]), shingles(words)
    like = likeness(
        fingerprint("", " ".join(words[:cut])),
        fingerprint("", " ".join(words)),
    )
    assert like.containment == pytest.approx(1, abs=0.02)
    assert like.jaccard == pytest.approx(len(some & all_of) / len(all_of), abs=0.125)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x07",
        packed(fingerprint("", REPORT))[:-1],
        packed(fingerprint("", REPORT))[:20],
        b"\x02" + packed(fingerprint("", REPORT))[1:],
    ],
    ids=["nothing", "a byte", "cut", "cut short", "another version"],
)
def test_what_is_no_fingerprint_says_so(data: bytes) -> None:
    """In a sentence, not by garbage."""
    with pytest.raises(ValueError, match="fingerprint"):
        unpacked(data)


def test_a_fingerprint_is_small() -> None:
    """It is kept of every article."""
    words = " ".join(f"word{number % 700}" for number in range(750))
    assert len(packed(fingerprint("", words))) < 700


# --------------------------------------------------------------------------- real articles


def lines(path: Path) -> Iterator[Any]:
    """The values of a file of JSON lines."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return map(json.loads, data.splitlines())


def found(one: Fingerprint, two: Fingerprint, apart: timedelta) -> bool:
    """Whether two articles are found to be copies: they share a key, and are judged to be."""
    return bool(set(one.keys) & set(two.keys)) and kinship(one, two, apart) is not None


def test_different_articles_of_the_corpus_are_no_copies(corpus: Path) -> None:
    """But for two versions of one page, under one headline."""
    articles = json.loads((corpus / "articles" / "index.json").read_bytes())
    bodies = {article["body"]: article["title"].strip("\u200b") for article in articles}
    prints = [(title, fingerprint(title, body)) for body, title in bodies.items()]
    known = [each.exact for _, each in prints if each.exact is not None]
    assert len(known) > 130
    assert len(set(known)) == len(known)
    pairs = {
        (one, two)
        for at, (one, this) in enumerate(prints)
        for two, other in prints[:at]
        if found(this, other, HOUR)
    }
    assert all(one == two for one, two in pairs)


def test_real_copies_are_told_from_what_resembles_them(corpus: Path) -> None:
    """Pairs of news articles that a reader judged, without site furniture being taken out."""
    documents = {each["id"]: each for each in lines(corpus / "stories" / "copy_real_docs.jsonl")}
    prints = {name: fingerprint(each["title"], each["text"]) for name, each in documents.items()}
    counts: Counter[tuple[bool, bool]] = Counter()
    for pair in lines(corpus / "stories" / "copy_real_pairs.jsonl"):
        if pair["label"] is not None:
            one, two = (_time(documents[pair[side]].get("date")) for side in "ab")
            apart = one - two if one and two else timedelta()
            says = found(prints[pair["a"]], prints[pair["b"]], apart)
            counts[bool(pair["label"]), says] += 1
    right = counts[True, True]
    assert right / (right + counts[False, True]) >= 0.95
    assert right / (right + counts[True, False]) >= 0.93


def _time(text: str | None) -> datetime | None:
    if not text or not text.strip():
        return None
    if re.match(r"\d{4}-", text):
        return datetime.fromisoformat(text[:10]).replace(tzinfo=UTC)
    wire = text.strip().partition(".")[0].title()
    return datetime.strptime(wire, "%d-%b-%Y %H:%M:%S").replace(tzinfo=UTC)


def test_copies_of_real_articles_are_known_through_their_edits(corpus: Path) -> None:
    """Each kind of edit by itself; heavy ones, and several at once, are the events' business."""
    stories = corpus / "stories"
    bases = {
        each["id"]: fingerprint(each["title"], each["text"])
        for each in lines(stories / "copy_edit_bases.jsonl")
    }
    counts: Counter[tuple[str, bool]] = Counter()
    for each in lines(stories / "copy_edits.jsonl.gz"):
        kind = each["edit"].partition("_")[0]
        if each["src"] != "reuters" and kind not in {"e10", "e11"}:
            edited = fingerprint(each["title"], each["text"])
            counts[kind, found(edited, bases[each["base"]], HOUR)] += 1
    shares = {
        kind: counts[kind, True] / (counts[kind, True] + counts[kind, False]) for kind, _ in counts
    }
    assert len(shares) == 14
    hard = {"e6b", "e12"}
    assert all(share >= (0.93 if kind in hard else 0.99) for kind, share in shares.items()), shares
