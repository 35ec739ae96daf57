"""The words of the newsroom: whole, in order, in their own scripts, and with the hits they state."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

import pytest

from monitor.demo.config import WATCHES
from monitor.demo.expected import expected
from monitor.demo.newsroom import HOURS
from monitor.demo.script import Item, load, paragraphs_of, quoted, words_of

SCRIPT = load()
ITEMS = list(SCRIPT.items.values())
SAID = {
    "Ceasefire": r"cease[- ]?fire|युद्धविराम|संघर्षविराम|جنگ بندی",
    "Kashmir": r"kashmir|कश्मीर|کشمیر",
    "Operation Trishakti": r"operation ?trishakti|ऑपरेशन त्रिशक्ति|آپریشن تریشکتی",
    "Bunyad-e-Azm": r"bunyad-e-azm|बुनियाद-ए-अज़्म|بنیاد عزم",
}


def plain(text: str) -> str:
    """Lower case, no marks but Devanagari's, Urdu's letters for Arabic ones."""
    folded = unicodedata.normalize("NFKD", text.casefold()).translate(str.maketrans("كيى", "کیی"))
    return "".join(
        char for char in folded if not unicodedata.combining(char) or "\u0900" <= char <= "\u097f"
    )


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.id)
def test_every_version_hits_what_its_file_states(item: Item):
    """A regular expression over folded text, nothing of the product, finds the stated hits."""
    for version in item.versions:
        text = plain(f"{version.headline}\n{version.body}")
        found = {
            watch
            for watch, pattern in SAID.items()
            if re.search(rf"(?<!\w)(?:{plain(pattern)})(?!\w)", text)
        }
        assert found == set(version.hits), f"at minute {version.minute}"


def test_the_patterns_of_this_test_are_of_the_watches_that_the_demo_has():
    """No watch is left unchecked."""
    assert set(SAID) == set(WATCHES)


def test_there_are_a_dozen_feeds_and_some_eighty_articles_in_three_languages():
    """The size that was promised."""
    assert 12 <= len(SCRIPT.feeds) <= 14
    assert 80 <= len(ITEMS) <= 100
    assert {item.outlet.language for item in ITEMS} == {"en", "hi", "ur"}
    assert {outlet.side for outlet in SCRIPT.outlets} == {"india", "pakistan", "world"}


@pytest.mark.parametrize(
    ("language", "block"), [("hi", r"[\u0900-\u097f]"), ("ur", r"[\u0600-\u06ff]")]
)
def test_hindi_and_urdu_articles_are_in_their_own_script(language: str, block: str):
    """At least 95 of 100 letters and marks, in headline and body alike."""
    for item in ITEMS:
        if item.outlet.language == language:
            for version in item.versions:
                for text in (version.headline, version.body):
                    letters = [char for char in text if unicodedata.category(char)[0] in "LM"]
                    own = sum(bool(re.match(block, char)) for char in letters)
                    assert own >= 0.95 * len(letters), item.id


def test_time_runs_forward_and_ends_with_the_last_hour():
    """Changes follow what they change, and no article comes after its feed has died."""
    dead = {feed.name: feed.dies_at for feed in expected().feeds if feed.dies_at is not None}
    assert dead
    for item in ITEMS:
        minutes = [version.minute for version in item.versions]
        assert minutes == sorted(set(minutes)), item.id
        assert minutes[-1] < HOURS * 60, item.id
        assert item.published <= item.draft.at, item.id
        for outlet, feed in SCRIPT.feeds:
            if outlet == item.outlet and feed.name in dead:
                assert item.draft.at < min(fault.start for fault in feed.faults)


def test_copies_come_after_their_originals_and_share_most_of_their_words():
    """What a desk changed is less than what it took; at most half is cut."""
    copies = [item for item in ITEMS if item.draft.copy_of is not None]
    for item in copies:
        original = SCRIPT.items[item.draft.copy_of or ""]
        assert original.draft.copy_of is None
        assert original.draft.at < item.draft.at
        own = Counter(words_of(item.versions[0].body))
        shared = own & Counter(words_of(original.version(item.draft.at).body))
        assert shared.total() >= 0.7 * own.total(), item.id
        assert shared.total() >= 0.5 * len(words_of(original.versions[0].body)), item.id


def test_two_wire_reports_are_under_six_and_ten_outlets():
    """The strikes by one agency, the ceasefire by the other."""
    carried = Counter(item.draft.copy_of for item in ITEMS if item.draft.copy_of)
    assert carried["spa/trishakti-strikes"] == 5
    assert carried["continental/india-pakistan-agree-ceasefire"] == 9


def test_a_dozen_outlets_announce_the_ceasefire_within_ten_minutes():
    """The burst: a new article, or a live page that says so."""
    burst = {
        item.outlet.slug
        for item in ITEMS
        for version in item.versions
        if 205 <= version.minute < 215 and "Ceasefire" in version.hits
    }
    assert len(burst) >= 12


def test_names_and_numbers_are_unique():
    """No two articles of an outlet share a number, and none share a headline with another outlet."""
    numbers = Counter((item.outlet.slug, item.number) for item in ITEMS)
    headlines = Counter(item.versions[0].headline for item in ITEMS)
    assert numbers.most_common(1)[0][1] == 1
    assert headlines.most_common(1)[0][1] == 1


def test_feeds_are_never_longer_than_their_window():
    """Nothing falls off the end of a feed before it can have been seen."""
    for outlet, feed in SCRIPT.feeds:
        assert 15 <= feed.window <= 20
        assert len(SCRIPT.of(outlet)) <= feed.window


@pytest.mark.parametrize(
    ("style", "set_text"),
    [
        ("straight", "\"It's 'so',\" he said."),
        ("curly", "“It’s ‘so’,” he said."),
        ("single", "‘It’s ‘so’,’ he said."),
    ],
)
def test_quotes_are_set_in_the_style_of_the_house(style, set_text: str):
    """Opening after a space, closing elsewhere, apostrophes left alone in sense."""
    assert quoted("\"It's 'so',\" he said.", style) == set_text


def test_paragraphs_are_parted_by_blank_lines_and_not_by_line_breaks():
    """A file may break its lines where it likes."""
    assert paragraphs_of("one\ntwo\n\n  three \n \nfour") == ("one two", "three", "four")


def test_a_version_is_the_last_that_is_out():
    """Before its time, an article is what it will first be."""
    item = SCRIPT.items["spa/poonch-shelling"]
    assert [item.version(minute).minute for minute in (0, 6, 29.9, 30, 74, 999)] == [
        6,
        6,
        6,
        30,
        74,
        74,
    ]
