"""What a site repeats: told from what an article repeats, and from what is left without it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Seen
from monitor.stories.furniture import (
    MOST_HASHES,
    PARAGRAPH_BITS,
    furniture_of,
    host_range,
    paragraph_hash,
    paragraphs,
    read_paragraphs,
    without,
)

HOST = "news.example"
OWN = "The two sides agreed on Saturday to silence their guns along the whole of the line."
MORE = " ".join(f"word{number}" for number in range(50))
ALSO = "Also read: Kashmir, a history in pictures"


def read(*texts: str, title: str = "", feed: str = ""):
    return read_paragraphs(HOST, "\n\n".join(texts), title=title, feed_text=feed)


def left_out(texts, seen, *, title: str = "", feed: str = "") -> tuple[str, ...]:
    """What is furniture of a body, given by text where else each paragraph was seen."""
    found = read(*texts, title=title, feed=feed)
    known = {paragraph_hash(HOST, text): Seen(articles=a, fed=f) for text, (a, f) in seen.items()}
    body, out = without(found, furniture_of(found, known))
    assert paragraphs(body) == [text for text in texts if text not in out]
    return out


@pytest.mark.parametrize(
    ("articles", "is_furniture"), [(0, False), (1, False), (2, False), (3, True), (4, True)]
)
def test_three_other_articles_make_furniture(articles, is_furniture):
    """Not two: a report and its follow-up share a paragraph of background."""
    out = left_out([OWN, MORE, ALSO], {ALSO: (articles, 0)})
    assert out == ((ALSO,) if is_furniture else ())


@pytest.mark.parametrize(
    ("feed", "fed", "is_furniture"),
    [
        ("", 0, True),
        (OWN, 0, False),  # the site shows it as a teaser on other pages
        (f"Live: “{OWN.upper()}” (Reuters)", 0, False),
        (OWN[:70] + " …", 0, False),  # cut off in the feed
        (OWN[:30] + " …", 0, True),  # too little to tell
        (OWN, 3, True),  # the feed says it of every article
    ],
)
def test_the_feed_is_a_witness_unless_it_says_so_of_all(feed, fed, is_furniture):
    """What a feed says of an article is the article's own, but not if it says it of others."""
    out = left_out([OWN, MORE], {OWN: (4, fed)}, feed=feed)
    assert out == ((OWN,) if is_furniture else ())


def test_the_headline_is_the_articles_own():
    """Most-read boxes repeat it on all pages of a site."""
    title = "Guns fall silent in the valley"
    assert left_out([title, OWN, MORE], {title: (4, 0)}, title=title) == ()


@pytest.mark.parametrize(
    ("texts", "seen", "feed", "out"),
    [
        ([OWN, ALSO], [OWN, ALSO], "", ()),  # nothing would be left
        ([OWN, MORE], [MORE], "", ()),  # a few words of a long report
        ([OWN, MORE], [MORE], OWN, (MORE,)),  # but the feed says that they are the article
        ([OWN, ALSO], [ALSO], "", (ALSO,)),  # a flash: more than half is its own
        ([MORE, f"{MORE} {MORE} again"], [f"{MORE} {MORE} again"], "", (f"{MORE} {MORE} again",)),
    ],
)
def test_a_text_that_would_be_lost_is_kept_whole(texts, seen, feed, out):
    """A report printed again and again with little added is no furniture."""
    assert left_out(texts, dict.fromkeys(seen, (4, 0)), feed=feed) == out


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Also read: Kashmir", "ALSO  READ –\nKashmir!", True),
        ("Also read: Kashmir", "Also read: Delhi", False),
        ("यह भी पढ़ें: कश्मीर", "यह भी पढ़ें — कश्मीर", True),
        ("5 min read", "6 min read", False),
    ],
)
def test_a_paragraph_is_known_by_its_words(one, other, same):
    """Case, space and punctuation apart."""
    assert (paragraph_hash(HOST, one) == paragraph_hash(HOST, other)) is same


def test_hosts_have_memories_of_their_own():
    """Under any of a site's usual names, and each in one range."""
    one = paragraph_hash("www.news.example", ALSO)
    assert one == paragraph_hash("news.example", ALSO) == paragraph_hash("M.news.example", ALSO)
    other = paragraph_hash("other.example", ALSO)
    assert one != other
    first, behind = host_range("news.example")
    assert first <= one < behind
    assert not first <= other < behind
    assert behind - first == 1 << PARAGRAPH_BITS


def test_what_has_no_words_has_no_hash():
    """A row of asterisks stands in every article."""
    assert paragraph_hash(HOST, "* * *") is None
    assert left_out(["* * *", OWN], {}) == ()


def test_only_the_ends_of_a_long_text_are_looked_up():
    """Furniture stands there; a page of ten thousand lines costs no more than eighty."""
    found = read(*[f"line {number}" for number in range(1000)])
    assert sum(each.hash is not None for each in found) == MOST_HASHES
    assert found[0].hash is not None
    assert found[-1].hash is not None


def test_words_are_counted_in_every_script():
    """Without spaces each character is one: a Chinese paragraph is no single word."""
    [chinese, mixed] = read("两国星期六同意停火", "iPhone发布会 today")
    assert (chinese.words, mixed.words) == (9, 4)


@given(st.lists(st.text(), max_size=6), st.text(), st.text())
def test_any_text_is_taken_apart_and_put_together(texts, title, feed):
    """Nothing raises, hashes are 63 bits, and without furniture the paragraphs stand as they were."""
    body = "\n\n".join(texts)
    found = read_paragraphs(HOST, body, title=title, feed_text=feed)
    assert all(each.hash is None or 0 <= each.hash < 1 << 63 for each in found)
    whole, out = without(found, furniture_of(found, {}))
    assert (paragraphs(whole), out) == (paragraphs(body), ())
