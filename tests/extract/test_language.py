"""The language of a text: its words, and what is declared."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.extract.language import base_of, language_of, tag_of

TEXTS = {
    "en": "Boats crossed the river again on Saturday, a day after both banks agreed to a truce.",
    "de": "Am Samstag fuhren wieder Boote über den Fluss, einen Tag nach der Einigung beider Ufer.",
    "fr": "Les bateaux ont de nouveau traversé la rivière samedi, au lendemain de la trêve.",
    "es": "Los barcos volvieron a cruzar el río el sábado, un día después de la tregua acordada.",
    "it": "Le barche hanno attraversato di nuovo il fiume sabato, un giorno dopo la tregua.",
    "pt": "Os barcos voltaram a atravessar o rio no sábado, um dia depois de acordada a trégua.",
    "pl": "Łodzie znów przepływały rzekę w sobotę, dzień po tym, jak oba brzegi zawarły rozejm.",
    "tr": "Cumartesi günü tekneler, iki yakanın ateşkes üzerinde anlaşmasından sonra yine geçti.",
    "ru": "В субботу лодки снова пересекли реку, на следующий день после перемирия берегов.",
    "uk": "У суботу човни знову перетнули річку, наступного дня після перемир'я між берегами.",
    "hi": "शनिवार को नावें फिर नदी पार करने लगीं, एक दिन पहले दोनों किनारों ने संघर्ष विराम पर सहमति जताई थी।",
    "mr": "शनिवारी नावा पुन्हा नदी ओलांडू लागल्या, आदल्या दिवशी दोन्ही काठांनी युद्धविरामास मान्यता दिली होती.",
    "ne": "शनिबार डुङ्गाहरूले फेरि नदी पार गरे, अघिल्लो दिन दुवै किनाराले युद्धविराममा सहमति जनाएका थिए।",
    "ur": "ہفتے کو کشتیاں پھر دریا پار کرنے لگیں، ایک دن پہلے دونوں کناروں نے جنگ بندی پر اتفاق کیا تھا۔",
    "ar": "عبرت القوارب النهر مجددا يوم السبت، بعد يوم من اتفاق الضفتين على هدنة لم يتوقعها أحد.",
    "fa": "قایق‌ها روز شنبه دوباره از رودخانه گذشتند، یک روز پس از آنکه دو کرانه بر آتش‌بس توافق کردند.",
    "bn": "শনিবার নৌকাগুলো আবার নদী পার হয়েছে, আগের দিন দুই তীর যুদ্ধবিরতিতে সম্মত হয়েছিল।",
    "zh": "周六，船只再次渡河，此前一天，两岸达成了停火协议，一周前没有人认为这是可能的。",
    "ja": "土曜日、両岸が停戦に合意した翌日、船は再び川を渡った。一週間前には誰も考えなかった。",
    "ko": "토요일, 양쪽 강변이 휴전에 합의한 다음 날 배들이 다시 강을 건넜다.",
    "el": "Τα πλοία διέσχισαν ξανά τον ποταμό το Σάββατο, μια μέρα μετά την ανακωχή.",
    "he": "סירות חצו שוב את הנהר בשבת, יום לאחר ששתי הגדות הסכימו להפסקת אש.",
    "ta": "சனிக்கிழமை படகுகள் மீண்டும் ஆற்றைக் கடந்தன, முந்தைய நாள் போர்நிறுத்தம் ஏற்பட்டது.",
}


@pytest.mark.parametrize("language", TEXTS)
def test_a_sentence_tells_its_language(language: str) -> None:
    """Without any declaration, and with the right one, which adds the variety."""
    assert language_of(TEXTS[language]) == language
    assert language_of(TEXTS[language], [f"{language}_XX"]) == f"{language}-XX"


@pytest.mark.parametrize("language", [each for each in TEXTS if each != "en"])
def test_a_template_that_says_english_is_not_believed(language: str) -> None:
    """Against enough words in another language."""
    assert language_of(TEXTS[language] * 3, ["en-US"]) == language


@pytest.mark.parametrize(
    ("text", "declared", "language"),
    [
        ("", (), None),
        ("", ("de",), "de"),
        ("12:30", ("de",), "de"),
        ("Truce", (), None),
        ("Truce", ("en-GB",), "en-GB"),
        ("Truce holds", ("x", "", None, "und", "en"), "en"),
        ("جنگ بندی", ("en",), "ur"),
        ("پاکستان میں", (), "ur"),
        ("هدنة", (), "ar"),
        ("هدنة", ("fa",), "fa"),
        ("ஓய்வு", ("en",), "ta"),
        ("停火", (), "zh"),
        ("停火", ("zh-TW",), "zh-TW"),
        ("Ceasefire at last", ("ur",), None),
        ("Ceasefire agreed at last by both of the banks", ("hi-IN",), "en"),
    ],
)
def test_a_few_words(text: str, declared: tuple[str, ...], language: str | None) -> None:
    """Declarations decide, as far as the letters allow; without any it is better not known."""
    assert language_of(text, declared) == language


@pytest.mark.parametrize(
    ("language", "declared"),
    [
        ("nb", "Båtene krysset elva igjen på lørdag, en dag etter at begge bredder ble enige. "),
        (
            "id",
            "Kapal-kapal kembali menyeberangi sungai pada hari Sabtu, sehari setelah gencatan. ",
        ),
        (
            "ms",
            "Kapal-kapal kembali menyeberangi sungai pada hari Sabtu, sehari setelah gencatan. ",
        ),
    ],
)
def test_between_near_kin_the_declaration_decides(language: str, declared: str) -> None:
    """A detector can't tell Bokmål from Danish, nor Malay from Indonesian, in a paragraph."""
    assert language_of(declared * 4, [language]) == language


@pytest.mark.parametrize("char", ["\x00", "\x07", "\x85", "\ud800", "\ufdd0", "\uffff"])
def test_characters_that_the_detector_refuses_are_passed_over(char: str) -> None:
    """One of them would cost the whole answer."""
    assert language_of(TEXTS["de"].replace(" ", f" {char}", 3)) == "de"


def test_the_page_comes_before_the_feed() -> None:
    """The first declaration that fits is the variety."""
    assert language_of(TEXTS["en"], ["fr", "en-IN", "en-GB"]) == "en-IN"


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("en_IN", "en-IN"),
        (" zh-Hant-TW ", "zh-Hant-TW"),
        ("english language", None),
        ("und", None),
        ("x" * 40, None),
        ("", None),
        ("e", None),
        ("en-", None),
    ],
)
def test_tags(text: str, tag: str | None) -> None:
    assert tag_of(text) == tag


def test_old_codes_are_todays() -> None:
    assert [base_of(tag) for tag in ("iw-IL", "in", "mo", "EN-us")] == ["he", "id", "ro", "en"]


@given(st.text(max_size=300), st.lists(st.text(max_size=8), max_size=3))
def test_anything_has_a_tag_or_none(text: str, declared: list[str]) -> None:
    """No characters raise: CLD2 refuses some of them."""
    found = language_of(text, declared)
    assert found is None or tag_of(found) == found


def test_articles_are_in_the_language_that_a_person_would_name(corpus: Path) -> None:
    """By their words alone; what the index says of some pages is their country's language."""
    right = asked = 0
    for gold in json.loads((corpus / "articles" / "index.json").read_text()):
        said = base_of(gold["lang"] or "")
        if said and not said.startswith("en"):
            asked += 1
            right += language_of(unicodedata.normalize("NFC", gold["body"])) == said
    assert right >= 0.97 * asked > 50


def test_texts_of_eight_languages(corpus: Path) -> None:
    """Three hundred characters of real news, without any declaration."""
    right = asked = 0
    with (corpus / "neardup" / "semeval2022t8_pairs.jsonl").open(encoding="utf-8") as rows:
        for row in map(json.loads, rows):
            if not row["augmented_suspect"] and len(row["text1"]) > 300:
                asked += 1
                right += language_of(row["text1"][:300]) == row["lang1"]
    assert right >= 0.985 * asked > 500
