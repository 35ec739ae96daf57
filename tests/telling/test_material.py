"""What is worth a reply: of an article that was changed, and of one that joined a story."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitor.model import ArticleId
from monitor.ports import Coverage
from monitor.telling.material import Kind, changed, gone, joined

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def article(title="", body="", *, number=1, by="Dawn", side=None, copy_of=None):
    """An article as updates are judged by."""
    return Coverage(
        article=ArticleId(number),
        url=f"https://{by.lower()}.example/{number}",
        title=title,
        body=body,
        publishers=(by,),
        published_at=NOON,
        first_seen_at=NOON,
        hits=(),
        copy_of=None if copy_of is None else ArticleId(copy_of),
        sides=(side,) if side else (),
    )


def told(updates):
    """Of each update what it is, what it is about, and what is shown."""
    return [(each.kind, each.subject, each.was, each.now) for each in updates]


BEFORE = "Eight martyred as India attacks five places"
AFTER = "Eleven martyred as India attacks five places"


@pytest.mark.parametrize(
    ("before", "after", "subject", "title", "was", "now"),
    [
        ((BEFORE, "Kotli."), (AFTER, "Kotli."), "killed:11", "Killed: 8 → 11", BEFORE, AFTER),
        (
            ("Blast in Kotli", "A blast hit Kotli. Eight people died, police said."),
            ("Blast in Kotli", "A blast hit Kotli. Eleven people died, police said."),
            "killed:11",
            "Killed: 8 → 11",
            "Eight people died, police said.",
            "Eleven people died, police said.",
        ),
        (
            ("Blast in Kotli", "A blast hit Kotli."),
            ("Blast in Kotli kills 3", "A blast hit Kotli."),
            "killed:3",
            "Killed: 3",
            "",
            "Blast in Kotli kills 3",
        ),
        (
            ("Fire in mall", "12 people were injured."),
            ("Fire in mall", "20 people were injured."),
            "injured:20",
            "Injured: 12 → 20",
            "12 people were injured.",
            "20 people were injured.",
        ),
        (
            ("आठ नागरिक मारे गए", None),
            ("11 नागरिक मारे गए", "…"),
            "killed:11",
            "Killed: 8 → 11",
            "आठ नागरिक मारे गए",
            "11 नागरिक मारे गए",
        ),
        (
            ("آٹھ شہری شہید", ""),
            ("گیارہ شہری شہید", ""),
            "killed:11",
            "Killed: 8 → 11",
            "آٹھ شہری شہید",
            "گیارہ شہری شہید",
        ),
    ],
)
def test_another_number_is_told_with_both_sentences(before, after, subject, title, was, now):
    """Whole sentences of before and now, in any of three scripts."""
    [update] = changed(before, article(*after))
    assert (update.kind, update.subject, update.title) == (Kind.FIGURE, subject, title)
    assert (update.was, update.now) == (was, now)
    assert update.publisher == "Dawn"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((BEFORE, "Kotli."), (BEFORE + ".", "Kotli, said the army.")),
        ((BEFORE, "In all, 8 were killed."), ("India attacks", "In all, 8 were killed.")),
        # what was further down comes to the top
        (
            ("Blast", "Nine died on Sunday. In 2014, 40 people were killed."),
            ("Blast", "In 2014, 40 people were killed. Nine died on Sunday."),
        ),
        (("Over 10 killed", ""), ("11 killed in Kotli", "")),
        (("8 killed", ""), ("Eight killed, 8 pm curfew", "")),
        # far down in the text
        (
            ("Blast", "x" * 700 + ". Eight were killed."),
            ("Blast", "x" * 700 + ". Nine were killed."),
        ),
        (("Shares gain 8%", ""), ("Shares gain 9%", "")),
        (("LIVE: India strikes Pakistan", ""), ("India strikes Pakistan", "")),
        (("India strikes Pakistan", ""), ("India hits Pakistan", "")),
    ],
)
def test_what_is_the_same_is_not_told(before, after):
    """Other words, other places in the text, other numbers."""
    assert changed(before, article(*after)) == ()


def test_a_headline_that_turned_is_told_once_with_both():
    """And not beside a figure that the same headline changed."""
    [update] = changed(("Ceasefire holds", "a"), article("Ceasefire violated", "a"))
    assert (update.kind, update.subject) == (Kind.HEADLINE, "headline:1:broken")
    assert (update.title, update.was, update.now) == (
        "Now broken off",
        "Ceasefire holds",
        "Ceasefire violated",
    )
    both = changed(("Truce holds; 8 dead", ""), article("Truce violated; 11 dead", ""))
    assert [each.kind for each in both] == [Kind.FIGURE]


@pytest.mark.parametrize(
    ("title", "body", "kind"),
    [
        ("Correction: Toll in Kotli is 10", "", Kind.CORRECTION),
        ("CORRECTED-Toll in Kotli is 10", "", Kind.CORRECTION),
        ("Toll in Kotli", "Correction (May 10): The toll is 10, not 11.", Kind.CORRECTION),
        ("Toll in Kotli", "The toll is 10.\n\nThis story has been corrected.", Kind.CORRECTION),
        ("Toll in Kotli", "Ten died.\n\nAn earlier version of this article said 11.", Kind.CORRECTION),
        ("सुधार: कोटली में मृतक 10", "", Kind.CORRECTION),
        ("भूल सुधार - कोटली में मृतक 10", "", Kind.CORRECTION),
        ("تصحیح: کوٹلی حملے میں شہدا کی تعداد دس ہے", "", Kind.CORRECTION),
        ("RETRACTED: Report of explosion at Pasni", "", Kind.RETRACTION),
        ("Explosion at Pasni", "We have withdrawn this report.", Kind.RETRACTION),
        ("Delhi paper retracts report of explosion at Pasni", "", Kind.RETRACTION),
        ("Explosion", "This story has been retracted because it was wrong.", Kind.RETRACTION),
    ],
)  # fmt: skip
def test_a_correction_is_told_whoever_makes_it(title, body, kind):
    """Of an article that is changed to be one, and of one that joins the story."""
    former = ("Toll in Kotli put at 11", "Eleven died.")
    assert [each.kind for each in changed(former, article(title, body))] == [kind]
    assert [each.kind for each in joined([article(*former)], article(title, body, number=2))] == [
        kind
    ]
    assert changed((title, body), article(title, body + " More.")) == ()


@pytest.mark.parametrize(
    "title",
    [
        "Market correction deepens",
        "Minister seeks clarification on treaty",
        "सुधार की राह पर अर्थव्यवस्था",
        "Troops withdrawn from Leepa",
        "Court corrects record of hearing",
        "Study retracted from journal list",
    ],
)
def test_such_words_alone_are_no_correction(title):
    """Markets, troops, reforms."""
    assert joined([article("News")], article(title, number=2)) == ()


def test_a_correction_shows_the_figure_that_it_corrects():
    """Old and new sentence, where there are two; what is said of it, where not."""
    [update] = changed(
        ("Toll in Kotli", "Eleven people died in Kotli."),
        article("Toll in Kotli", "Ten people died in Kotli.\n\nThis story has been corrected."),
    )
    assert (update.was, update.now) == ("Eleven people died in Kotli.", "Ten people died in Kotli.")
    [update] = changed(("Report", "It was so."), article("Report", "Correction: it was not so."))
    assert (update.was, update.now) == ("", "Correction: it was not so.")


def test_a_side_that_had_not_spoken_is_told_once_by_its_name():
    """Not the first one; not that of a third party; not again."""
    hindu = article("Strikes", by="The Hindu", side="india")
    dawn = article("Attack", number=2, side="pakistan")
    bbc = article("Strikes", number=3, by="BBC")
    assert told(joined([hindu], dawn)) == [(Kind.SIDE, "side:pakistan", "", "Attack")]
    assert joined([bbc], dawn) == ()
    assert joined([hindu, dawn], article("More", number=4, side="pakistan")) == ()
    assert joined([hindu], bbc) == ()


def test_another_number_of_dead_than_everybody_elses_is_told():
    """Who says which; a number that any of them has is no news; an update of the same text counts."""
    first = article(BEFORE, "Kotli.")
    [update] = joined([first], article("11 killed in Kotli", number=2, by="BBC"))
    assert (update.kind, update.subject) == (Kind.DIFFERENCE, "killed:11")
    assert update.title == "Killed: 8 (Dawn) → 11"
    assert (update.was, update.now) == (BEFORE, "11 killed in Kotli")
    [update] = joined([first], article(AFTER, number=2, by="BBC", copy_of=1))
    assert update.kind is Kind.FIGURE
    other = article("11 killed", number=3, by="PTI")
    assert joined([first, other], article("Eleven dead", number=4)) == ()
    assert joined([first], article("8 dead", number=4)) == ()
    assert joined([first], article("Over 8 dead", number=4)) == ()
    assert joined([article("Strikes")], article("Eleven dead", number=4)) == ()
    # of another event, further down
    assert (
        joined([first], article("Strikes", "Strikes.\n\nIn 2016, 19 were killed.", number=5)) == ()
    )


@pytest.mark.parametrize(
    "text",
    [
        "India struck five sites early today, five days after gunmen killed 14 rail workers.",
        "Strikes over the killing of guards; in 2016 raiders killed 14 soldiers.",
        "14 मजदूरों की हत्या और मौत के बाद भारत ने हमला किया",
        "14 افراد ہلاک ہونے کے بعد بھارت کا حملہ",
    ],
)
def test_what_went_before_is_no_number_of_this_event(text):
    """Neither where it is said first, nor where it is said next."""
    eight = article("Eight dead in strikes", number=2)
    assert joined([article("Strikes", text)], eight) == ()
    assert joined([eight], article("Strikes", text, number=3)) == ()
    assert joined([eight], article("Strikes", "11 killed after strikes.", number=4)) != ()


def test_numbers_that_change_together_are_one_reply():
    """The dead first, with the injured beside them."""
    [update] = changed(("8 killed, 35 hurt", ""), article("11 killed, 46 hurt", ""))
    assert (update.subject, update.title) == ("killed:11", "Killed: 8 → 11; Injured: 35 → 46")


def test_a_page_that_is_gone_is_told():
    """With what its server said."""
    update = gone(article("Blast"), "HTTP 410")
    assert (update.kind, update.subject, update.title) == (Kind.GONE, "gone:1", "HTTP 410")
    assert update.headline == "Blast"
