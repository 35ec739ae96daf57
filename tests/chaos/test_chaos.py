"""A short run of the chaos, and that its checks see what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.checks import Outbox, Row, violations
from tests.chaos.newsroom import Plan, channel_of, made
from tests.chaos.run import Order, Run

SHORT = Order(seed=4, stories=12, channels=4, outlets=5, kills=2, speed=60.0, minutes=2.0, life=2.0)


@pytest.mark.timeout(300)
def test_killed_among_faults_everybody_is_told_once(tmp_path: Path) -> None:
    """Twelve stories, two kills, a third of Slack's calls fails: nothing is lost or doubled."""
    url = f"sqlite:///{tmp_path / 'chaos.db'}"
    outcome = asyncio.run(Run(SHORT, tmp_path, url).run())
    assert outcome.violations == []
    assert sum(outcome.kills.values()) == 2
    assert outcome.roots >= 12
    assert outcome.replies >= 3 * outcome.roots
    assert len(outcome.faults) > 3


PLAN = made(1, stories=4, channels=2, outlets=3, seconds=60)
Slack = dict[str, list[dict[str, Any]]]


def told(plan: Plan) -> tuple[Slack, Outbox]:
    """Slack and outbox as they should be in the end."""
    slack: Slack = {channel_of(number): [] for number in range(len(plan.desks))}
    rows: dict[str, dict[str, Row]] = {"story": {}, "remark": {}}
    for channel, story in plan.wanted():
        outlets = " ".join(plan.outlets[each] for each in sorted(story.outlets()))
        key = f"{channel} {story.number}"
        root = f"{len(rows['story']) + 1}.0"
        says = [(key, "story", None, f"{story.title(float('inf'))} {outlets}")]
        says += [
            (f"{number} {key}", "remark", f"remark:{number}:{key}", "remark")
            for number in (1, 2, 3)
        ]
        for number, (name, kind, subject, text) in enumerate(says):
            ts = f"{float(root) + number / 10}"
            message = {"ts": ts, "text": text}
            message["metadata"] = {"event_payload": {"delivery_id": name}}  # type: ignore[assignment]
            if subject:
                message["thread_ts"] = root
            slack[channel].append(message)
            rows[kind][name] = Row(
                id=name,
                channel=channel,
                state="sent",
                is_due=False,
                ref=ts,
                subject=subject,
                story=story.number,
            )
    return slack, Outbox(deliveries=rows["story"], notices=rows["remark"], leased={"feed": 0})


def first(plan: Plan) -> tuple[str, str]:
    """The first channel and story of a plan: the channel's name, and the row's."""
    channel, story = next(plan.wanted())
    return channel, f"{channel} {story.number}"


def test_what_is_right_is_no_violation() -> None:
    """Nothing to say."""
    slack, outbox = told(PLAN)
    assert list(violations(PLAN, slack, outbox)) == []


def twice(slack: Slack, outbox: Outbox) -> Outbox:
    channel, _ = first(PLAN)
    slack[channel].append(slack[channel][0] | {"ts": "99.0"})
    return outbox


def lost(slack: Slack, outbox: Outbox) -> Outbox:
    channel, _ = first(PLAN)
    del slack[channel][0]
    return outbox


def stale(slack: Slack, outbox: Outbox) -> Outbox:
    channel, _ = first(PLAN)
    slack[channel][0]["text"] = next(PLAN.wanted())[1].name
    return outbox


def elsewhere(slack: Slack, outbox: Outbox) -> Outbox:
    channel, _ = first(PLAN)
    other = next(name for name in slack if name != channel)
    slack[other].append(slack[channel].pop(0))
    return outbox


def nobodys(slack: Slack, outbox: Outbox) -> Outbox:
    metadata = {"event_payload": {"delivery_id": "x"}}
    slack[first(PLAN)[0]].append({"ts": "9.0", "text": "?", "metadata": metadata})
    return outbox


def swapped(slack: Slack, outbox: Outbox) -> Outbox:
    _, key = first(PLAN)
    one, two = outbox.notices[f"1 {key}"], outbox.notices[f"2 {key}"]
    messages = slack[first(PLAN)[0]]
    messages[1]["ts"], messages[2]["ts"] = messages[2]["ts"], messages[1]["ts"]
    changed = {one.id: replace(one, ref=two.ref), two.id: replace(two, ref=one.ref)}
    return replace(outbox, notices={**outbox.notices, **changed})


def in_channel(slack: Slack, outbox: Outbox) -> Outbox:
    del slack[first(PLAN)[0]][1]["thread_ts"]
    return outbox


def unmade(slack: Slack, outbox: Outbox) -> Outbox:
    _, key = first(PLAN)
    del slack[first(PLAN)[0]][3]
    return replace(outbox, notices={k: v for k, v in outbox.notices.items() if k != f"3 {key}"})


def stuck(slack: Slack, outbox: Outbox) -> Outbox:
    _, key = first(PLAN)
    row = replace(outbox.deliveries[key], state="sending", is_due=True)
    return replace(outbox, deliveries={**outbox.deliveries, key: row})


def leased(slack: Slack, outbox: Outbox) -> Outbox:
    return replace(outbox, leased={"feed": 2})


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (twice, "is shown 2 times"),
        (lost, "was never told of"),
        (stale, "does not say"),
        (elsewhere, "which has none of its words"),
        (nobodys, "the outbox knows nothing"),
        (swapped, "out of order"),
        (in_channel, "does not stand below its story"),
        (unmade, "were made 2 remarks"),
        (stuck, "is sending, due"),
        (leased, "2 rows of feed are leased"),
    ],
)
def test_what_is_wrong_is_seen(break_it: Callable[[Slack, Outbox], Outbox], says: str) -> None:
    """Each promise, broken once."""
    slack, outbox = told(PLAN)
    outbox = break_it(slack, outbox)
    found = list(violations(PLAN, slack, outbox))
    assert any(says in each for each in found), found
