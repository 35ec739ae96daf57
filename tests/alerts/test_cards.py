"""What a card looks like in Slack, that it always fits, and that nobody is called by its words."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import Card, Image, Line, Part, line
from alerts.cards import card_to_blocks
from alerts.elements import Rendered
from alerts.message import card_from_json, card_to_json
from alerts.text import clean
from monitor.demo.slack import message_error, texts
from tests.alerts.examples import AT

ISOLATES = str.maketrans("", "", "\u2068\u2069\u200f")
MENTIONED = re.compile(r" <@[UW][A-Z0-9]+>| <!subteam\^S[A-Z0-9]+>")


def parts(rendered: Rendered) -> list[dict[str, Any]]:
    """The elements of all blocks of rich text."""
    blocks = [block for block in rendered.blocks if block["type"] == "rich_text"]
    return [element for block in blocks for element in block["elements"]]


def assert_fits(rendered: Rendered) -> None:
    """Slack takes it, as a post and as an update, with room to spare."""
    body = {"text": rendered.text, "blocks": rendered.blocks}
    assert message_error(body) is None
    assert message_error(body, update=True) is None
    assert len(rendered.blocks) <= 50
    assert sum(map(len, texts(rendered.blocks))) <= 10_000


def assert_inert(rendered: Rendered, *notify: str) -> None:
    """Nobody is called but those who are meant to be; the fallback holds no markup else."""
    called = re.findall(r"'(?:user|usergroup)_id': '([^']*)'", str(rendered.blocks))
    assert called == list(notify)
    text = MENTIONED.sub("", rendered.text)
    assert not set(text) & set("<>")
    assert not re.search(r"&(?!amp;|lt;|gt;)", text)
    mrkdwn = [
        element["text"]
        for block in rendered.blocks
        if block["type"] == "context"
        for element in block["elements"]
        if element["type"] == "mrkdwn"
    ]
    assert all(re.fullmatch(r"<!date\^\d+\^[^<>]*>|[\d: -]+UTC", words) for words in mrkdwn)


def test_a_card_with_everything() -> None:
    """Title and mentions, lines by their kind, a picture, a note."""
    rendered = card_to_blocks(
        Card(
            title="Ceasefire: 31 stories",
            lines=(
                line("Since ", Part(text="", at=AT), ":"),
                line(Part(text="Truce holds", url="https://a.example/1"), " — Dawn", bullet=True),
                line(Part(text="Shelling", bold=True), bullet=True),
                line("It said four.", quote=True),
                line("It says six.", quote=True),
                line("  terms = 5", code=True),
                line("          ^", code=True),
            ),
            note=(Part(text="41 of 44 feeds live · "), Part(text="", at=AT)),
            notify=("U0A", "S0B"),
            image=Image(png=b"png", alt="mentions a day"),
        ),
        "F1",
    )

    def words(text: str, **style: bool) -> dict[str, Any]:
        return {"type": "text", "text": text} | ({"style": style} if style else {})

    moment = {
        "type": "date",
        "timestamp": 1746878400,
        "format": "{date_short_pretty} {time}",
        "fallback": "2025-05-10 12:00 UTC",
    }
    assert rendered.blocks == [
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [
                        words("Ceasefire: 31 stories", bold=True),
                        words(" "),
                        {"type": "user", "user_id": "U0A"},
                        words(" "),
                        {"type": "usergroup", "usergroup_id": "S0B"},
                    ],
                },
                {"type": "rich_text_section", "elements": [words("Since "), moment, words(":")]},
                {
                    "type": "rich_text_list",
                    "style": "bullet",
                    "elements": [
                        {
                            "type": "rich_text_section",
                            "elements": [
                                {
                                    "type": "link",
                                    "text": "Truce holds",
                                    "url": "https://a.example/1",
                                },
                                words(" — Dawn"),
                            ],
                        },
                        {"type": "rich_text_section", "elements": [words("Shelling", bold=True)]},
                    ],
                },
                {
                    "type": "rich_text_quote",
                    "elements": [words("It said four."), words("\n"), words("It says six.")],
                },
                {
                    "type": "rich_text_preformatted",
                    "elements": [words("  terms = 5"), words("\n"), words("          ^")],
                },
            ],
        },
        {"type": "image", "slack_file": {"id": "F1"}, "alt_text": "mentions a day"},
        {
            "type": "context",
            "elements": [
                {"type": "plain_text", "text": "41 of 44 feeds live ·", "emoji": False},
                {
                    "type": "mrkdwn",
                    "text": "<!date^1746878400^{date_short_pretty} {time}|2025-05-10 12:00 UTC>",
                    "verbatim": True,
                },
            ],
        },
    ]
    assert rendered.text.splitlines()[:3] == [
        "Ceasefire: 31 stories <@U0A> <!subteam^S0B>",
        "Since 2025-05-10 12:00 UTC:",
        "• Truce holds — Dawn",
    ]
    assert_fits(rendered)


def test_a_card_with_nothing() -> None:
    """Empty fields leave no holes that Slack would refuse."""
    empty = Card(title=" \u200b", lines=(line(), line("", " \u200b")), note=(Part(text=" "),))
    rendered = card_to_blocks(empty, "F1")

    assert rendered.text == "(untitled)"
    assert len(rendered.blocks) == 1
    assert_fits(rendered)


@pytest.mark.parametrize(
    ("lines", "most"),
    [
        (tuple(line(f"{number} " + "word " * 400) for number in range(60)), 10),
        (tuple(line(f"{number}", bullet=True) for number in range(400)), 101),
        (tuple(line("اردو " * 300) for _ in range(60)), 10),
    ],
)
def test_lines_that_do_not_fit_are_counted(lines: tuple[Line, ...], most: int) -> None:
    """The first ones are shown, cut where they are long, and how many more there are."""
    rendered = card_to_blocks(Card(title="Digest", lines=lines, note=(Part(text="n " * 900),)))

    assert_fits(rendered)
    counted = re.fullmatch(r"and (\d+) more", parts(rendered)[-1]["elements"][0]["text"])
    assert counted
    assert 0 < len(lines) - int(counted[1]) < most
    assert all(
        sum(map(len, texts(block))) <= 3000 for block in rendered.blocks if "elements" in block
    )


def test_only_ids_are_called() -> None:
    """Whatever a configuration says; each once."""
    names = ("U1", "channel", "!here", "S2", "u3", "<@U4>", "U1", "")
    rendered = card_to_blocks(Card(title="t", notify=names))

    assert_inert(rendered, "U1", "S2")
    assert rendered.text == "t <@U1> <!subteam^S2>"


def test_an_urdu_line_reads_right() -> None:
    """The line is turned by its first letter; names of either script are fenced in it."""
    said = line("جنگ بندی", " — BBC ", bullet=True)
    rendered = card_to_blocks(Card(title="جنگ بندی: BBC", lines=(said, line("BBC: ", "جنگ"))))

    title, urdu, latin = parts(rendered)
    assert title["elements"][0]["text"] == "\u200f\u2068جنگ بندی: BBC\u2069"
    assert [each["text"] for each in urdu["elements"][0]["elements"]] == [
        "\u200f",
        "\u2068جنگ بندی\u2069",
        " — BBC ",
    ]
    assert [each["text"] for each in latin["elements"]] == ["BBC: ", "\u2068جنگ\u2069"]


def hostile(corpus: Path) -> list[str]:
    """Real titles with Slack's special characters, and the big list of naughty strings."""
    folder = corpus / "hostile"
    titles = json.loads((folder / "slack_special_titles.json").read_text())["cases"]
    naughty = json.loads((folder / "big_list_of_naughty_strings.json").read_text())
    return [case["title"] for case in titles] + naughty


def test_hostile_words_are_shown_as_themselves(corpus: Path) -> None:
    """In every field: what is shown is what was written, and nobody is called by it."""
    for word in hostile(corpus):
        linked = Part(text=word, url="https://a.example/", bold=True)
        rendered = card_to_blocks(
            Card(
                title=word,
                lines=(line(word), line(linked, bullet=True), line(word, quote=True)),
                note=(Part(text=word),),
                notify=(word,),
                image=Image(png=b"x", alt=word),
            ),
            "F1",
        )
        assert_fits(rendered)
        assert_inert(rendered)
        if not clean(word):
            continue
        title, first, bullets, quote = parts(rendered)
        for element in (title, first, bullets["elements"][0], quote):
            said = "".join(each["text"] for each in element["elements"])
            shown = said.translate(ISOLATES).strip()
            expected = clean(word).translate(ISOLATES)
            assert shown == expected or shown[:-1] == expected[: len(shown) - 1]


WORDS = st.text(max_size=300) | st.text("<>&|*_~`@#:!\u202e\u200b ا\n", max_size=300)
PARTS = st.builds(
    Part,
    text=WORDS,
    url=st.none() | WORDS | st.just("https://a.example/"),
    bold=st.booleans(),
    at=st.none() | st.datetimes(timezones=st.just(UTC)),
)
LINES = st.builds(
    Line,
    parts=st.lists(PARTS, max_size=5).map(tuple),
    bullet=st.booleans(),
    quote=st.booleans(),
    code=st.booleans(),
)
CARDS = st.builds(
    Card,
    title=WORDS,
    lines=st.lists(LINES, max_size=60).map(tuple),
    note=st.lists(PARTS, max_size=20).map(tuple),
    notify=st.lists(WORDS, max_size=3).map(tuple),
    image=st.none() | st.builds(Image, png=st.binary(min_size=1, max_size=9), alt=WORDS),
)


@given(CARDS)
def test_any_card_fits_and_is_inert(card: Card) -> None:
    """The law behind the examples."""
    rendered = card_to_blocks(card, "F1")
    assert_fits(rendered)
    assert_inert(rendered, *dict.fromkeys(re.findall(r"@([UW]\w+)>", rendered.text)))


# ------------------------------------------------------------------------------ as JSON


@given(CARDS)
def test_a_card_comes_back_from_json(card: Card) -> None:
    """As it was, its id apart, which is the outbox's."""
    assert card_from_json(card_to_json(card)) == card


@pytest.mark.parametrize(
    ("kept", "card"),
    [
        ("", Card(title="")),
        ("[1]", Card(title="")),
        ('{"title": "t", "mood": "new"}', Card(title="t")),
        ('{"title": 7, "lines": "x", "note": null, "notify": {}}', Card(title="")),
        ('{"title": "t", "lines": [{"parts": [{"text": "a", "emoji": 1}], "fold": true}, 3]}',
         Card(title="t", lines=(line("a"),))),
        ('{"title": "t", "lines": [{"parts": [{"text": "a", "at": "soon"}]}]}',
         Card(title="t", lines=(line("a"),))),
        ('{"title": "t", "lines": [{"parts": [{"text": "a", "at": "2025-05-10T12:00:00"}]}]}',
         Card(title="t", lines=(line("a"),))),
        ('{"title": "t", "image": {"png": "?", "alt": "a"}, "notify": ["U1", 2]}',
         Card(title="t", notify=("U1",))),
    ],
)  # fmt: skip
def test_what_another_version_wrote_is_read_as_far_as_it_goes(kept: str, card: Card) -> None:
    """A message that waits through an upgrade, or a downgrade, is shown."""
    assert card_from_json(kept) == card


def test_times_come_back_in_utc() -> None:
    """Whatever zone they were given in."""
    at = datetime.fromisoformat("2025-05-10T17:30:00+05:30")
    [[part]] = [each.parts for each in card_from_json(card_to_json(
        Card(title="t", lines=(line(Part(text="", at=at)),))
    )).lines]  # fmt: skip
    assert part.at == AT
    assert part.at is not None
    assert part.at.tzinfo is UTC
