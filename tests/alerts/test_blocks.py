"""What an alert looks like in Slack, and that nobody else decides about it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import Alert, Passage
from alerts.blocks import MAX_CHARACTERS, facts_of, to_blocks
from alerts.elements import Rendered, escape, link_target
from alerts.text import clean
from monitor.demo.slack import message_error, texts
from tests.alerts.examples import AT, alert

DATE = "<!date^1746878400^{date_short_pretty} {time}|2025-05-10 12:00 UTC>"
OWN = re.compile(
    r"(found )?(<!date\^\d+\^\{date_short_pretty\} \{time\}\|)?\d+-\d\d-\d\d \d\d:\d\d UTC>?"
)
ISOLATES = str.maketrans("", "", "\u2068\u2069\u200f")


def headline(rendered: Rendered) -> dict[str, Any]:
    """The element that shows the headline."""
    element: dict[str, Any] = rendered.blocks[0]["elements"][0]["elements"][0]
    return element


def mrkdwn(value: Any) -> list[str]:
    """All texts in which Slack looks for markup."""
    if isinstance(value, list):
        return [text for item in value for text in mrkdwn(item)]
    if isinstance(value, dict):
        own = [value["text"]] if value.get("type") in {"mrkdwn", "markdown"} else []
        return own + [text for item in value.values() for text in mrkdwn(item)]
    return []


def assert_fits(rendered: Rendered) -> None:
    """Slack takes it, as a post and as an update, and it is within our own bounds."""
    body = {"text": rendered.text, "blocks": rendered.blocks}
    assert message_error(body) is None
    assert message_error(body, update=True) is None
    assert len(rendered.blocks) <= 6
    assert sum(len(text) for text in texts(rendered.blocks)) <= MAX_CHARACTERS


def assert_inert(rendered: Rendered) -> None:
    """No markup of anybody else: a time is all that is mrkdwn, a link all that is in the text."""
    assert [bool(OWN.fullmatch(text)) for text in mrkdwn(rendered.blocks)] == [True]
    text = re.sub(r"\A<https?://[^<>|\s]+\|([^<>]*)>", r"\1", rendered.text)
    assert not set(text) & set("<>")
    assert not re.search(r"&(?!amp;|lt;|gt;)", text)


def test_an_alert_with_everything() -> None:
    """Headline as a link, the passage with its terms bold, one line of context."""
    rendered = to_blocks(alert(also=("PTI", "Dawn")))

    assert rendered == Rendered(
        text="<https://news.example.org/2025/05/10/ceasefire|India and Pakistan agree to a "
        "ceasefire> — Example Times · India–Pakistan ceasefire",
        blocks=[
            {
                "type": "rich_text",
                "elements": [
                    {
                        "type": "rich_text_section",
                        "elements": [
                            {
                                "type": "link",
                                "text": "India and Pakistan agree to a ceasefire",
                                "style": {"bold": True},
                                "url": "https://news.example.org/2025/05/10/ceasefire",
                            }
                        ],
                    },
                    {
                        "type": "rich_text_quote",
                        "elements": [
                            {"type": "text", "text": "Both sides said the "},
                            {"type": "text", "text": "ceasefire", "style": {"bold": True}},
                            {"type": "text", "text": " holds in "},
                            {"type": "text", "text": "Kashmir", "style": {"bold": True}},
                            {"type": "text", "text": "."},
                        ],
                    },
                ],
            },
            {
                "type": "context",
                "elements": [
                    {"type": "plain_text", "text": "Example Times", "emoji": False},
                    {"type": "mrkdwn", "text": DATE, "verbatim": True},
                    {
                        "type": "plain_text",
                        "text": "India–Pakistan ceasefire  ·  ceasefire, Kashmir  ·  "
                        "+2 outlets: PTI, Dawn",
                        "emoji": False,
                    },
                ],
            },
        ],
    )
    assert_fits(rendered)


def test_a_term_that_is_its_watchs_name_is_said_once() -> None:
    """Whatever its case; other terms are named beside the watch."""
    shown = facts_of(alert(watches=("Kashmir", "Truce"), terms=("kashmir", "ceasefire")))
    assert shown[1:3] == ["Kashmir, Truce", "ceasefire"]
    assert facts_of(alert(watches=("Kashmir",), terms=("Kashmir",)))[2] == ""


def test_an_alert_with_nothing() -> None:
    """Empty fields leave no holes that Slack would refuse."""
    rendered = to_blocks(
        alert(
            headline="",
            url=None,
            passage=None,
            publisher="",
            published_at=None,
            watches=(),
            terms=(),
        )
    )

    assert headline(rendered) == {"type": "text", "text": "(untitled)", "style": {"bold": True}}
    assert [element["text"] for element in rendered.blocks[1]["elements"]] == ["found " + DATE]
    assert rendered.text == "(untitled)"
    assert_fits(rendered)


def test_a_missing_headline_shows_the_address() -> None:
    """There is always something to click."""
    assert headline(to_blocks(alert(headline=" \u200b")))["text"] == alert().url


def test_an_empty_passage_is_no_quote() -> None:
    """A grey bar with nothing beside it tells nobody anything."""
    rendered = to_blocks(alert(passage=Passage(text=" \n ", marks=((0, 2),))))

    assert [element["type"] for element in rendered.blocks[0]["elements"]] == ["rich_text_section"]


def test_long_fields_are_shortened() -> None:
    """Everything at its longest still is one readable message."""
    words = tuple(f"{number} " + "word " * 50 for number in range(40))
    rendered = to_blocks(
        alert(
            headline="word " * 1000,
            passage=Passage(text="word " * 1000, marks=((4000, 4004),)),
            publisher="publisher " * 50,
            watches=words,
            terms=words,
            also=words,
        )
    )

    assert_fits(rendered)
    assert "+40 outlets: 0 word" in rendered.blocks[1]["elements"][-1]["text"]
    assert rendered.blocks[1]["elements"][-1]["text"].endswith(" and 35 more")


def test_one_outlet_is_one_outlet() -> None:
    """Grammar counts."""
    assert (
        to_blocks(alert(also=("PTI",))).blocks[1]["elements"][-1]["text"].endswith("+1 outlet: PTI")
    )


def test_an_urdu_alert_reads_right() -> None:
    """The headline and the quote turn their line; names in the context line are fenced."""
    title = "جنگ بندی: BBC کی رپورٹ"
    rendered = to_blocks(
        alert(
            headline=title,
            passage=Passage(text=title, marks=((0, 8),)),
            publisher="بی بی سی",
            terms=("جنگ بندی", "ceasefire"),
        )
    )

    assert headline(rendered)["text"] == f"\u200f\u2068{title}\u2069"
    quote = rendered.blocks[0]["elements"][1]["elements"]
    assert [element["text"] for element in quote] == [
        "\u200f\u2068" + title[:8],
        title[8:] + "\u2069",
    ]
    context = [element["text"] for element in rendered.blocks[1]["elements"]]
    assert context[0] == "\u2068بی بی سی\u2069"
    assert context[2].endswith("\u2068جنگ بندی\u2069, ceasefire")
    assert rendered.text.count("\u2068") == rendered.text.count("\u2069") == 2
    assert_fits(rendered)


def hostile(corpus: Path) -> list[str]:
    """Real titles with Slack's special characters, and the big list of naughty strings."""
    folder = corpus / "hostile"
    titles = json.loads((folder / "slack_special_titles.json").read_text())["cases"]
    naughty = json.loads((folder / "big_list_of_naughty_strings.json").read_text())
    return [case["title"] for case in titles] + naughty


def test_hostile_words_are_shown_as_themselves(corpus: Path) -> None:
    """In every field: what is shown is what was written, and none of it is markup."""
    words = hostile(corpus)
    assert len(words) == 111 + 485
    for word in words:
        rendered = to_blocks(
            alert(
                headline=word,
                passage=Passage(text=word, marks=((0, 1), (2, 4))),
                publisher=word,
                watches=(word,),
                terms=(word,),
                also=(word, word),
            )
        )
        assert_fits(rendered)
        assert_inert(rendered)
        shown = headline(rendered)["text"].translate(ISOLATES)
        expected = clean(word) or alert().url or ""
        assert shown == expected.translate(ISOLATES) or shown[:-1] == expected[: len(shown) - 1]


@given(st.data())
def test_any_alert_fits_and_is_inert(data: st.DataObject) -> None:
    """The law behind the examples."""
    words = st.text(max_size=400) | st.text("<>&|*_~`@#:!\u202e\u200b ا", max_size=400)
    names = st.lists(words, max_size=9).map(tuple)
    rendered = to_blocks(
        Alert(
            delivery_id="1",
            headline=data.draw(words),
            url=data.draw(st.none() | words | words.map("https://a.example/".__add__)),
            passage=Passage(text=data.draw(words), marks=((0, 3), (5, 9))),
            publisher=data.draw(words),
            published_at=data.draw(st.none() | st.datetimes(timezones=st.just(UTC))),
            found_at=AT,
            watches=data.draw(names),
            terms=data.draw(names),
            also=data.draw(names),
        )
    )

    assert_fits(rendered)
    assert_inert(rendered)


def test_a_channel_can_not_be_called_from_a_headline() -> None:
    """A forged mention stays what it is: words."""
    rendered = to_blocks(
        alert(headline="<!channel> & <@U123> <https://evil.example|BBC>", url=None)
    )

    assert rendered.text.startswith(
        "&lt;!channel&gt; &amp; &lt;@U123&gt; &lt;https://evil.example|BBC&gt;"
    )
    assert headline(rendered)["text"] == "<!channel> & <@U123> <https://evil.example|BBC>"


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://a.example/b?c=d&e=%20f#g", "https://a.example/b?c=d&e=%20f#g"),
        (" HTTPS://a.example/ ", "https://a.example/"),
        ("https://a.example/x|y<z> w\n\u202e", "https://a.example/x%7Cy%3Cz%3E%20w"),
        ("https://a.example/\u202ecod.exe", "https://a.example/%E2%80%AEcod.exe"),
        ("https://a.example/युद्ध", "https://a.example/युद्ध"),
        ("javascript:alert(1)", None),
        ("data:text/html,hi", None),
        ("//a.example/", None),
        ("https://", None),
        ("https://[", None),
        ("", None),
        (None, None),
        ("https://a.example/" + "x" * 3000, None),
    ],
)
def test_only_addresses_of_pages_become_links(url: str | None, target: str | None) -> None:
    """Web addresses, encoded where a character could end the link or hide in it."""
    if url and url.endswith("\n\u202e"):
        target = f"{target}%0A%E2%80%AE"
    assert link_target(url) == target


def test_an_address_too_long_for_the_fallback_is_left_to_the_blocks() -> None:
    """The notification keeps the words; the headline keeps the link."""
    rendered = to_blocks(alert(url="https://a.example/" + "x" * 2900, headline="&" * 300))

    assert rendered.text.startswith("&amp;&amp;")
    assert headline(rendered)["url"].startswith("https://a.example/x")
    assert_fits(rendered)


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (datetime(1960, 1, 1, tzinfo=UTC), "1960-01-01 00:00 UTC"),
        (AT, DATE),
    ],
)
def test_times_are_shown_in_the_readers_zone(at: datetime, shown: str) -> None:
    """UTC in words where Slack can't format it."""
    assert mrkdwn(to_blocks(alert(published_at=at)).blocks) == [shown]


def test_escaping_is_slacks_and_no_more() -> None:
    """Exactly three characters."""
    assert escape("&amp; <b> \"q\" 'a' *_~`") == "&amp;amp; &lt;b&gt; \"q\" 'a' *_~`"


@pytest.mark.parametrize(
    ("also", "independent", "words"),
    [
        (("PTI", "Dawn"), 1, "+2 outlets: PTI, Dawn  ·  1 independent report"),
        (("PTI", "Dawn"), 2, "+2 outlets: PTI, Dawn  ·  2 independent reports"),
        (("PTI", "Dawn"), 3, "+2 outlets: PTI, Dawn"),
        (("PTI", "Dawn"), None, "+2 outlets: PTI, Dawn"),
    ],
)
def test_copies_are_told_from_reports(also, independent, words):
    """Where all report themselves there is nothing to add."""
    rendered = to_blocks(alert(also=also, independent=independent))
    assert rendered.blocks[1]["elements"][-1]["text"].endswith(words)


@pytest.mark.parametrize(
    ("carriers", "words"),
    [(None, "PTI, Dawn"), (3, "PTI, Dawn"), (12, "PTI, Dawn  ·  carried by 12")],
)
def test_an_agency_counts_once_and_its_papers_are_counted(carriers, words):
    """Where everybody is named there is nothing to add."""
    rendered = to_blocks(alert(also=("PTI", "Dawn"), carriers=carriers))
    assert rendered.blocks[1]["elements"][-1]["text"].endswith(f"+2 outlets: {words}")


def test_a_pointer_says_where_its_story_went_and_nothing_else():
    """The headline of the other message, linked; no passage, no watch."""
    rendered = to_blocks(alert(pointer=True))
    [block] = rendered.blocks
    [section] = block["elements"]
    [shown] = section["elements"]
    assert shown["text"] == "Now part of: India and Pakistan agree to a ceasefire"
    assert shown["url"] == "https://news.example.org/2025/05/10/ceasefire"
    assert "Now part of: India" in rendered.text
