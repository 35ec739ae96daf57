"""What a story's page says, from values alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.compose import Rules
from monitor.match import compile_watches
from monitor.model import ArticleId, DeliveryState, Hit, StoryId
from monitor.ports import Coverage, DeliveryRow, Revision, StoryTrace, StoryView
from monitor.web import timeline
from tests.contracts.material import CEASEFIRE
from tests.pipeline.desk import CHANNEL, FREQUENCIES, HIT, text
from tests.web.samples import NOW, before, delivery_row

RULES = Rules(
    watches=(CEASEFIRE,),
    matcher=compile_watches(()),
    default_channel=CHANNEL,
    interval=timedelta(minutes=5),
)
ORPHAN = Hit(watch="Gone", spans=HIT.spans)
WAITS = delivery_row(1, "", DeliveryState.PENDING, channel=CHANNEL)
SHOWN = delivery_row(1, "", DeliveryState.SENT, channel=CHANNEL)
EDITED = replace(SHOWN, state=DeliveryState.RETRY)
SENDING = replace(WAITS, state=DeliveryState.SENDING)
DEAD = replace(WAITS, state=DeliveryState.DEAD)


def coverage(number: int, body: str = "", *, hits: tuple[Hit, ...] = (HIT,), **other) -> Coverage:
    """An article, one a minute."""
    values = {
        "url": f"https://news.example/{number}",
        "title": "Ceasefire",
        "publishers": (f"Publisher {number}",),
        "published_at": None,
        "first_seen_at": NOW + number * timedelta(minutes=1),
    }
    return Coverage(article=ArticleId(number), body=body, hits=hits, **(values | other))


def story(
    *articles: Coverage, number: int = 1, rows: tuple[DeliveryRow, ...] = (), **other
) -> StoryTrace:
    """A story of these articles."""
    values = {"follows": None, "chapter_after": None, "merged": (), "verdicts": ()} | other
    view = StoryView(story=StoryId(number), articles=articles)
    return StoryTrace(view=view, created_at=NOW, deliveries=rows, **values)


def test_each_report_is_measured_by_all_before_it():
    """What the third has of the second only, it has in common with the story."""
    own = [text(seed, 40) for seed in range(3)]
    reports = coverage(1, own[0]), coverage(2, own[1]), coverage(3, f"{own[1]} {own[2]}")
    shown = timeline.timeline(story(*reports), FREQUENCIES)
    first, second, third = shown.pieces
    assert (first.why, first.shared) == ("It opened the story.", ())
    assert second.why.startswith("Likeness 0.")
    assert set(third.shared) - {"Ceasefire"} <= set(own[1].split())
    assert len(third.shared) == 6


def test_words_in_common_are_whole_words_of_the_article():
    """Terms are words' beginnings, and a dateline may be one word of many."""
    body = "MUSCAT/ISLAMABAD: Envoys conferred in Qazigund-Leepa, Hattian."
    shown = timeline.timeline(story(coverage(1, body), coverage(2, body)), FREQUENCIES)
    words = {
        "Ceasefire",
        "MUSCAT",
        "ISLAMABAD",
        "Envoys",
        "conferred",
        "Qazigund",
        "Leepa",
        "Hattian",
    }
    assert shown.pieces[1].shared
    assert set(shown.pieces[1].shared) <= words


def test_a_likeness_of_copies_and_updates_is_not_measured():
    """They are here for another reason, and a thread leaves them out."""
    body = text(1)
    copy = coverage(2, body, copy_of=ArticleId(1), novelty=0.0)
    update = coverage(3, body, copy_of=ArticleId(1), novelty=0.5)
    pieces = timeline.timeline(story(coverage(1, body), copy, update), FREQUENCIES).pieces
    assert [each.kind for each in pieces] == ["report", "update"]
    assert [each.shared for each in (*pieces, *pieces[0].copies)] == [()] * 3


@pytest.mark.parametrize(
    ("copy", "kind", "why"),
    [
        ({"novelty": 0.07}, "copy", "93% of its text stands in that of Publisher 1."),
        ({"novelty": 0.25}, "copy", "75% of its text stands in that of Publisher 1."),
        (
            {"novelty": 0.38},
            "update",
            "38% of its text is new, the rest stands in that of Publisher 1.",
        ),
        ({"novelty": None}, "copy", "Its text is that of Publisher 1."),
        ({"novelty": 0.1, "copy_of": ArticleId(9)}, "copy", "90% of its text stands in another's."),
    ],
)
def test_a_copy_says_how_much_of_it_is_new(copy: dict[str, object], kind: str, why: str):
    """Beside whose text; from a quarter on it stands for itself."""
    other = coverage(2, "x", **({"copy_of": ArticleId(1)} | copy))
    pieces = timeline.timeline(story(coverage(1, "x"), other), FREQUENCIES).pieces
    folded = [each for piece in pieces for each in piece.copies]
    assert [(each.kind, each.why) for each in (*pieces[1:], *folded)] == [(kind, why)]


def test_the_earliest_stands_first_by_its_own_date():
    """A date is believed unless it is in the future."""
    late = coverage(1, published_at=before(hours=-5))
    dated = coverage(2, published_at=before(hours=5))
    shown = timeline.timeline(story(late, dated), FREQUENCIES)
    assert [(each.article, each.is_dated) for each in shown.pieces] == [(2, True), (1, False)]
    assert shown.since == before(hours=5)
    assert shown.pieces[1].why == "It opened the story."


def test_a_long_story_is_cut_and_says_so():
    """A hundred families, a hundred copies of each."""
    roots = [coverage(number, hits=()) for number in range(1, 104)]
    copies = [coverage(n, hits=(), copy_of=ArticleId(1), novelty=0.0) for n in range(200, 302)]
    shown = timeline.timeline(story(*roots, *copies), FREQUENCIES)
    assert (len(shown.pieces), shown.more) == (100, 3)
    assert (len(shown.pieces[0].copies), shown.pieces[0].more) == (100, 2)


@pytest.mark.parametrize(
    ("row", "staying", "said"),
    [
        (SHOWN, (HIT,), ["edited to tell of the others only"]),
        (EDITED, (HIT,), ["edited to tell of the others only"]),
        (SENDING, (HIT,), ["edited to tell of the others only"]),
        (WAITS, (HIT,), ["waits to be posted will tell of the others only"]),
        (SHOWN, (), ["stays as it stands: no watch found the others"]),
        (SHOWN, (ORPHAN,), ["stays as it stands: no watch found the others"]),
        (WAITS, (), ["waited to be posted is dropped"]),
        (DEAD, (HIT,), []),
    ],
)
def test_what_a_split_does_to_a_message(
    row: DeliveryRow, staying: tuple[Hit, ...], said: list[str]
):
    """By what is shown, and by what a watch found in what stays; what was given up stays so."""
    trace = story(coverage(1, hits=staying), coverage(2, hits=(ORPHAN,)), rows=(row,))
    plan = timeline.split(trace, ArticleId(2), RULES, can_edit=True)
    assert plan is not None
    assert [each.channel for each in plan.consequences] == [CHANNEL] * len(said)
    assert all(part in each.sentence for part, each in zip(said, plan.consequences, strict=True))


@pytest.mark.parametrize(
    ("rows", "others", "into", "said"),
    [
        ([WAITS], [WAITS], 1, ["One message will be posted for both."]),
        ([WAITS], [], 1, ["One message will be posted for both."]),
        ([WAITS], [SHOWN], 2, ["The message that is shown will be edited to tell of both."]),
        ([SHOWN], [SENDING], 1, ["and that of story 2 to say only where it is told now."]),
        ([DEAD], [SHOWN], 2, ["The message that is shown will be edited to tell of both."]),
        ([DEAD], [], 1, []),
        ([], [], 1, []),
    ],
)
def test_what_a_merge_does_to_messages(
    rows: list[DeliveryRow], others: list[DeliveryRow], into: int, said: list[str]
):
    """The one that is shown goes on, else the older, whichever was asked for first."""
    one = story(coverage(1), rows=tuple(rows))
    other = story(coverage(2), number=2, rows=tuple(others))
    for pair in ((one, other), (other, one)):
        plan = timeline.merge(*pair, can_edit=True)
        assert (plan.into.view.story, plan.gone.view.story) == (into, 3 - into)
        assert len(plan.consequences) == len(said)
        for part, each in zip(said, plan.consequences, strict=True):
            assert each.sentence.endswith(part)


def test_a_piece_tells_what_its_revisions_changed():
    """Of a report as of its copies, the newest first."""
    body = text(1, 40)
    revisions = {
        ArticleId(1): tuple(
            Revision(title=f"Ceasefire {number}", body=body, replaced_at=NOW) for number in range(7)
        ),
        ArticleId(2): (Revision(title="Ceasefire", body=f"{body} ends", replaced_at=NOW),),
    }
    copy = coverage(2, f"{body} begins", copy_of=ArticleId(1), novelty=0.0)
    trace = story(coverage(1, body), copy, revisions=revisions)
    [piece] = timeline.timeline(trace, FREQUENCIES).pieces
    assert [each.revision.title for each in piece.revised] == [
        f"Ceasefire {number}" for number in (6, 5, 4, 3, 2)
    ]
    [[passage]] = [each.passages for each in piece.copies[0].revised]
    assert [(edit.kind, edit.text.strip()) for edit in passage[1:]] == [
        ("gone", "ends"),
        ("new", "begins"),
    ]
