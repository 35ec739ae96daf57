"""Why an article did or did not alert for a watch, stage by stage."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.match import Document
from monitor.model import (
    ArticleState,
    DeliveryState,
    Watch,
)
from monitor.ports import ArticleTrace, Hold, Outcome
from monitor.web.trace import Answer, answer
from tests.web.samples import NOW, article_trace, before, delivery_row

WATCH = Watch(name="Truce", query='ceasefire NOT "price war"', channel="#newsdesk")
TRACE = article_trace()
[SEEN] = TRACE.sightings
SENT = delivery_row(1, "Ceasefire holds", DeliveryState.SENT, subject=None)
UNSENT = {"sent_at": None, "due_at": NOW + timedelta(minutes=1)}


def asked(trace: ArticleTrace = TRACE, watch: Watch = WATCH, rows=(SENT,), outcomes=()) -> Answer:
    document = Document(title=trace.title, body=trace.body, language=trace.language)
    return answer(
        trace,
        watch,
        document,
        why_here="It opened the story.",
        channel="#newsdesk",
        rows=rows,
        outcomes={row.id: outcomes for row in rows},
        max_age=timedelta(days=1),
        now=NOW,
    )


def stages(found: Answer) -> dict[str, tuple[str, str]]:
    """Each stage by its name: its sign, and what it says first."""
    return {each.name: (each.sign, each.said[0]) for each in found.stages}


def test_what_alerted_went_through_every_stage():
    """Each says what it did."""
    found = asked(outcomes=(Outcome(at=before(minutes=1), what="sent", error=None),))
    assert (found.verdict, found.tone) == ("It is told in #newsdesk, since 11:59:03.", "good")
    assert stages(found) == {
        "Fetched": ("✓", "Listed by Dawn, seen 11:57:00, 2 min after its publication."),
        "Extracted": ("✓", "3 words from the page, in English."),
        "Grouped": ("✓", "Story 7. It opened the story."),
        "Matched": ("✓", "Found: ceasefire."),
        "News": ("✓", "It was news when it was seen."),
        "Confirmed": ("·", "The watch asks for no confirmation."),
        "Paced": ("✓", "It was to be told at once."),
        "Delivered": ("✓", "#newsdesk: sent at 11:59:03."),
    }
    assert [each.said for each in found.stages[-1].messages[0].became] == ["shown"]


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Grocers end price war in ceasefire", 'NOT "price war": "price war" is there.'),
        ("It rains", "ceasefire is not there."),
    ],
)
def test_what_did_not_match_says_what_killed_it(title: str, said: str):
    """The NOT, or what is missing; and the query stands below, part by part."""
    found = asked(replace(TRACE, title=title, body="", hits=()), rows=())
    assert (found.verdict, found.tone) == (f"It did not alert: {said}", "bad")
    matched = found.stages[3]
    assert (matched.sign, matched.said) == ("✗", (said,))
    assert matched.parts is not None
    assert matched.parts.operator == "AND"
    assert stages(found)["Delivered"][0] == "·"


@pytest.mark.parametrize(
    ("trace", "watch", "rows", "verdict", "stage"),
    [
        (
            replace(TRACE, held=(Hold(watch="Truce", lacks="1 of 2 publishers", since=NOW),)),
            replace(WATCH, min_publishers=2),
            (),
            "It is held: 1 of 2 publishers.",
            ("Confirmed", "…"),
        ),
        (
            replace(TRACE, published_at=before(days=3)),
            WATCH,
            (),
            "It did not alert: it was older than [alerts] max_age when it was first seen.",
            ("News", "✗"),
        ),
        (
            replace(TRACE, sightings=(replace(SEEN, backlog=True),)),
            WATCH,
            (),
            "It did not alert: its feed held it already",
            ("News", "✗"),
        ),
        (
            TRACE,
            WATCH,
            (replace(SENT, state=DeliveryState.HELD, **UNSENT),),
            "Not yet: it is held for later.",
            ("Paced", "…"),
        ),
        (
            TRACE,
            WATCH,
            (replace(SENT, state=DeliveryState.FOLDED, **UNSENT),),
            "It was told in #newsdesk, in one message with others.",
            ("Delivered", "✓"),
        ),
        (
            TRACE,
            WATCH,
            (replace(SENT, state=DeliveryState.DEAD, error="no_channel", **UNSENT),),
            "It did not alert: #newsdesk: failed: no_channel.",
            ("Delivered", "✗"),
        ),
        (
            TRACE,
            WATCH,
            (replace(SENT, state=DeliveryState.RETRY, error="timeout", **UNSENT),),
            "Not yet: #newsdesk: retrying: timeout.",
            ("Delivered", "…"),
        ),
        (
            TRACE,
            WATCH,
            (replace(SENT, channel="#other"),),
            "It did not alert: no message of its story in #newsdesk.",
            ("Delivered", "✗"),
        ),
        (
            replace(TRACE, state=ArticleState.NEW, story=None, hits=(), body="", due_at=NOW),
            WATCH,
            (),
            "Not yet: the article is still to be read.",
            ("Extracted", "…"),
        ),
    ],
    ids=["held", "old", "backlog", "quiet", "folded", "dead", "retry", "elsewhere", "unread"],
)
def test_the_first_stage_that_stops_an_article_is_the_answer(
    trace: ArticleTrace, watch: Watch, rows, verdict: str, stage: tuple[str, str]
):
    """It carries the sign, and the sentence on top says the same."""
    found = asked(trace, watch, rows)
    assert found.verdict.startswith(verdict)
    assert stages(found)[stage[0]][0] == stage[1]


def test_what_was_held_and_told_with_others_is_told_with_its_time():
    """Quiet hours, floods: from what became of the message."""
    outcomes = (
        Outcome(at=before(minutes=9), what="held", error="held for quiet hours, 22:00-07:00"),
        Outcome(at=before(minutes=1), what="folded", error=None),
    )
    found = asked(rows=(replace(SENT, state=DeliveryState.FOLDED, **UNSENT),), outcomes=outcomes)
    assert found.stages[6].said == (
        "11:51:00: held for quiet hours, 22:00-07:00.",
        "11:59:00: alerted with others, in one message.",
    )


def test_a_watch_that_was_edited_since_is_said_to_be():
    """What was found stands; and what would be found now is said, too."""
    found = asked(watch=replace(WATCH, query="truce"))
    assert "it would not match any more" in found.stages[3].said[1]
    none = asked(replace(TRACE, hits=()), rows=())
    assert none.stages[3].said == (
        "It did not match when it was read; the watch as it is now would.",
    )
