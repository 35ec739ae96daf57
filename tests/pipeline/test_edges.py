"""Where a story could be merged away, told twice, lost or overtaken, and is not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from inspect import signature

import pytest
import sqlalchemy as sa

from alerts import Deferred
from alerts.slack import SlackSink
from monitor.model import ArticleState, DeliveryState, Kind
from monitor.pipeline.context import Lane, claimed, work_by_host
from monitor.ports import StoryView
from tests.pipeline.conftest import CHANNEL, PARAGRAPHS, TRUCE, page, report_from
from tests.webserver import Reply, redirect

NORTH = "Hollin and Varsk sign ceasefire over river Teign"
SOUTH = "Ostrava miners offer Kettlewell mill owners a ceasefire"
QUIET = tuple(text.replace("ceasefire", "lull") for text in PARAGRAPHS)
PAYWALL = (
    (
        "Subscribe to continue reading this story. Our journalism is made possible by our readers, "
        "and for a small amount each month you get unlimited access to everything that we publish."
    ),
    (
        "Already a subscriber? Sign in with your account to go on. You may cancel at any time, and "
        "offers are for new subscribers only; terms and conditions apply, see the help pages."
    ),
)
ELSEWHERE = "#night-desk"


def headlines(newsroom, channel=CHANNEL):
    """What a channel shows, oldest first."""
    return [alert.headline for alert in newsroom.sink.messages(channel)]


async def tell(newsroom, **pages):
    """A feed of these headlines and pages, worked through to the end."""
    newsroom.feed("courier", *[(headline, f"/{path}") for path, (headline, _) in pages.items()])
    for path, (_, reply) in pages.items():
        newsroom.server.route(f"/{path}", reply)
    await newsroom.declare("courier")
    await newsroom.settle()


async def hold_an_alert(newsroom):
    """An alert that waits in the outbox, as when nobody has had time to deliver it."""
    newsroom.feed("courier", (NORTH, "/a"))
    newsroom.server.route("/a", page(NORTH))
    await newsroom.declare("courier")
    await newsroom.work(Kind.POLL)
    await newsroom.work(Kind.INGEST)


async def the_delivery(newsroom):
    """The only row of the outbox."""
    [row] = await newsroom.reports.deliveries(10)
    return row


# -- what looks alike and is not


@pytest.mark.parametrize("text", [PAYWALL, ("",)], ids=["with a text", "without"])
@pytest.mark.parametrize("target", ["/", "/subscribe"])
async def test_articles_sent_to_one_page_stay_themselves(newsroom, target, text):
    """Who may not read is redirected to the front page or the offers: each headline is told."""
    newsroom.server.route(target, page("News", *text))
    await tell(newsroom, a=(NORTH, redirect(target)), b=(SOUTH, redirect(target)))
    assert headlines(newsroom) == [NORTH, SOUTH]


async def test_articles_sent_to_a_front_page_keep_their_urls_across_publishers(newsroom):
    """The front page is nobody's article, not even for feeds that never list both."""
    newsroom.feed("courier", (NORTH, "/a"))
    newsroom.feed("ledger", (SOUTH, "/b"))
    newsroom.server.route("/", page("News", ""))
    for path in ("/a", "/b"):
        newsroom.server.route(path, redirect("/"))
    await newsroom.declare("courier", "ledger")
    await newsroom.settle()
    assert sorted(headlines(newsroom)) == [NORTH, SOUTH]


async def test_articles_whose_canonical_is_a_section_stay_themselves(newsroom):
    """A template that names the section as canonical of everything in it merges nothing."""
    section = newsroom.server.url("/world/")
    texts = {path: report_from(path) for path in "ab"}
    await tell(
        newsroom,
        a=(NORTH, page(NORTH, texts["a"], canonical=section)),
        b=(SOUTH, page(SOUTH, texts["b"], canonical=section)),
    )
    assert headlines(newsroom) == [NORTH, SOUTH]


async def test_articles_behind_the_same_paywall_stay_themselves(newsroom):
    """Two pages of which only the offer can be read are not copies of each other."""
    await tell(newsroom, a=(NORTH, page(NORTH, *PAYWALL)), b=(SOUTH, page(SOUTH, *PAYWALL)))
    assert headlines(newsroom) == [NORTH, SOUTH]


async def test_who_lists_what_others_publish_tells_a_report_once(newsroom):
    """Two outlets print it under headlines of their own; one feed lists both."""
    links = newsroom.server.url("/a"), newsroom.server.url("/b").replace("127.0.0.1", "localhost")
    await list_links(newsroom, {NORTH: links[0], f"{NORTH}: the text": links[1]})
    for path in ("/a", "/b"):
        newsroom.server.route(path, page(NORTH, *PARAGRAPHS))
    await newsroom.settle()
    assert headlines(newsroom) == [NORTH]


async def test_short_links_to_one_wall_stay_themselves(newsroom):
    """The first was taken for the page that it led to; that page is no report of the second."""
    short = [newsroom.server.url(path).replace("127.0.0.1", "localhost") for path in ("/a", "/b")]
    await list_links(newsroom, {NORTH: short[0], SOUTH: short[1]})
    newsroom.server.route("/subscribe", page("News", *PAYWALL))
    for path in ("/a", "/b"):
        newsroom.server.route(path, redirect(newsroom.server.url("/subscribe")))
    await newsroom.settle()
    assert headlines(newsroom) == [NORTH, SOUTH]


async def list_links(newsroom, links):
    """One feed of these headlines and links."""
    rows = "".join(
        f"<item><guid>{link}</guid><title>{headline}</title><link>{link}</link></item>"
        for headline, link in links.items()
    )
    newsroom.server.route("/courier.xml", Reply(f"<rss><channel>{rows}</channel></rss>"))
    newsroom.rules(max_age=None)
    await newsroom.declare("courier")


async def test_one_headline_under_two_links_of_a_feed_is_one_article(newsroom):
    """A feed that lists an item again under a short link tells it once."""
    rows = "".join(
        f"<item><guid>{path}</guid><title>{NORTH}</title><link>{newsroom.server.url(path)}</link></item>"
        for path in ("/a", "/short")
    )
    newsroom.server.route("/courier.xml", Reply(f"<rss><channel>{rows}</channel></rss>"))
    newsroom.server.route("/a", page(NORTH))
    newsroom.server.route("/short", redirect("/a"))
    newsroom.rules(max_age=None)
    await newsroom.declare("courier")
    await newsroom.settle()
    assert headlines(newsroom) == [NORTH]


# -- pages that come late


@pytest.mark.parametrize("status", [410, 404])
async def test_a_merge_keeps_the_better_text(newsroom, status):
    """An article given up without its page gets the text that a second link to it leads to."""
    newsroom.feed("courier", ("Talks end", "/a"), text="Talks have ended.")
    newsroom.server.route("/a", Reply(status=status))
    await newsroom.declare("courier")
    for _ in range(8):
        await newsroom.settle(hours=3)
    before = await newsroom.reports.trace(newsroom.server.url("/a"))
    assert (before.source, before.due_at, headlines(newsroom)) == ("feed", None, [])

    newsroom.server.route("/a", page("Talks end"))
    newsroom.server.route("/short", redirect("/a"))
    newsroom.feed("ledger", ("Talks", "/short"))
    await newsroom.declare("courier", "ledger")
    await newsroom.settle()
    trace = await newsroom.reports.trace(newsroom.server.url("/short"))
    assert (trace.article, trace.state, trace.source) == (
        before.article,
        ArticleState.DONE,
        "page",
    )
    assert len(headlines(newsroom)) == 1
    assert newsroom.sink.posts == 1


@pytest.mark.parametrize("how", ["the same text", "the same page"])
async def test_a_page_that_comes_late_joins_the_story_that_was_told(newsroom, how):
    """Read at last, it turns out to be what another publisher has told: no second message."""
    newsroom.feed("courier", ("Talks end", "/a"), text="Talks have ended.")
    newsroom.server.route("/a", Reply(status=404))
    await newsroom.declare("courier")
    await newsroom.settle()
    newsroom.feed("ledger", ("Talks end well", "/b"))
    newsroom.server.route("/b", page("Talks end well"))
    await newsroom.declare("courier", "ledger")
    await newsroom.settle(seconds=1)
    assert headlines(newsroom) == ["Talks end well"]

    late = redirect("/b") if how == "the same page" else page("Talks end")
    newsroom.server.route("/a", late)
    await newsroom.settle(minutes=10)
    await newsroom.settle(minutes=10)
    assert newsroom.sink.posts == 1
    [alert] = newsroom.shown()
    assert {alert.publisher, *alert.also} == {"Courier", "Ledger"}


async def test_an_alert_that_came_to_nothing_does_not_silence_the_story(newsroom):
    """The page takes the hit back before anything is shown; a copy that hits is told."""
    newsroom.feed("courier", ("Talks end", "/a"), text="A ceasefire is near.")
    newsroom.server.route("/a", Reply(status=404))
    await newsroom.declare("courier")
    await newsroom.work(Kind.POLL)
    await newsroom.work(Kind.INGEST)  # of the feed's text; its alert waits
    newsroom.server.route("/a", page("Talks end", *QUIET))
    await newsroom.work(Kind.INGEST, minutes=2)
    await newsroom.settle()
    assert newsroom.sink.posts == 0

    newsroom.feed("ledger", (NORTH, "/b"))
    newsroom.server.route("/b", page(NORTH, *QUIET))
    await newsroom.declare("courier", "ledger")
    await newsroom.settle(minutes=1)
    assert headlines(newsroom) == [NORTH]


# -- channels that change


@pytest.mark.parametrize("how", ["the default", "the watch's own"])
async def test_alerts_that_wait_move_with_their_channel(newsroom, how):
    """An edit of the channel while an alert waits: it is shown in the new one, and only there."""
    await hold_an_alert(newsroom)
    if how == "the default":
        newsroom.rules(default_channel=ELSEWHERE)
    else:
        newsroom.rules(watches=(replace(TRUCE, channel=ELSEWHERE),))
    await newsroom.settle()
    assert headlines(newsroom) == []
    assert headlines(newsroom, ELSEWHERE) == [NORTH]
    row = await the_delivery(newsroom)
    assert (row.channel, row.state) == (ELSEWHERE, DeliveryState.SENT)


class Meanwhile:
    """A store in which, right after the first look at a story, something else happens."""

    def __init__(self, store, see, happen) -> None:
        self._store, self._see, self._happen = store, see, happen
        self._done = False

    async def read(self, work):
        seen = await self._store.read(work)
        if self._done or not isinstance(seen, StoryView):
            return seen
        self._done = True
        await self._store.write(self._happen)
        return self._see(seen)

    async def write(self, work):
        return await self._store.write(work)


async def test_a_hit_that_comes_while_an_alert_is_let_go_is_told(newsroom):
    """What is wanted anew between the look at the story and the end of it is not dropped."""
    await hold_an_alert(newsroom)

    def before_the_hit(view: StoryView) -> StoryView:
        return replace(view, articles=tuple(replace(each, hits=()) for each in view.articles))

    def want(tx):
        [story] = tx.connection.execute(sa.text("SELECT story_id FROM delivery")).scalars()
        tx.want_delivery(story, CHANNEL, newsroom.clock.now())

    newsroom.context.store = Meanwhile(newsroom.store, before_the_hit, want)
    await newsroom.settle()
    assert headlines(newsroom) == [NORTH]


async def test_a_message_that_is_shown_stays_sent_when_its_channel_changes(newsroom):
    """A story that grows after the edit leaves the old message as it stands: no dead letter."""
    await hold_an_alert(newsroom)
    await newsroom.settle()
    newsroom.rules(default_channel=ELSEWHERE)
    newsroom.feed("ledger", (NORTH, "/a"))
    await newsroom.declare("courier", "ledger")
    await newsroom.settle()
    await newsroom.settle(minutes=1)
    assert headlines(newsroom) == [NORTH]
    row = await the_delivery(newsroom)
    assert (row.channel, row.state, row.error) == (CHANNEL, DeliveryState.SENT, None)


# -- what counts as new, and in which order it is told


async def test_backlog_is_what_the_first_poll_that_succeeds_finds(newsroom):
    """A feed that could not be had at first is still new to us: its undated old items stay quiet."""
    newsroom.rules(max_age=timedelta(hours=24))
    newsroom.server.route("/courier.xml", Reply(status=503))
    await newsroom.declare("courier")
    await newsroom.settle()
    old = [(f"Ceasefire of old, part {n}", f"/old/{n}") for n in range(3)]
    newsroom.feed("courier", *old, date=False)
    await newsroom.settle(hours=1)
    assert len(await newsroom.reports.catalogue.hits(10)) == 3
    assert headlines(newsroom) == []
    newsroom.feed("courier", (NORTH, "/new"), *old, date=False)
    await newsroom.settle(hours=1)
    assert headlines(newsroom) == [NORTH]


async def test_alerts_stay_in_order_when_the_channel_is_not_to_be_had(newsroom):
    """What comes later waits behind what Slack put off, and behind what waited already."""
    for path in ("/a", "/b", "/c"):
        newsroom.server.route(path, page(path, report_from(path)))
    newsroom.feed("courier", (NORTH, "/a"), (SOUTH, "/b"))
    await newsroom.declare("courier")
    await newsroom.work(Kind.POLL)
    await newsroom.work(Kind.INGEST)
    newsroom.sink.fail(Deferred("connect"))
    await newsroom.settle()
    assert headlines(newsroom) == []
    newsroom.feed("ledger", ("Ceasefire everywhere", "/c"))
    await newsroom.declare("courier", "ledger")
    for _ in range(20):
        await newsroom.settle(seconds=1)
    assert headlines(newsroom) == [NORTH, SOUTH, "Ceasefire everywhere"]


async def test_a_deliverys_lease_outlasts_a_slow_slack(newsroom):
    """Two look-ups and two posts, each once more in plain text, at the sink's own limits."""
    limits = signature(SlackSink).parameters
    call, second_look = limits["timeout"].default, limits["second_look"].default
    slowest = 2 * (2 * call + second_look) + 2 * (2 * call)
    assert newsroom.context.delivery_lease > timedelta(seconds=slowest)


async def test_a_feed_without_a_slot_does_not_hold_up_others_on_a_host(newsroom) -> None:
    """A row whose feed has all its slots in use is passed over; another feed's row is not."""
    lane = Lane(slots=5, per_source=1, patience=0.05)
    done: list[str] = []
    given_back: list[str] = []

    async def do(row: str) -> None:
        done.append(row)

    async def give_back(rows: Sequence[str]) -> None:
        given_back.extend(rows)

    async with lane.slot("flood"):
        await work_by_host(
            newsroom.context,
            ["flood 1", "flood 2", "own 1"],
            lane=lane,
            host=lambda _: "news.example",
            source=lambda row: row.split()[0],
            do=do,
            give_back=give_back,
        )

    assert done == ["own 1"]
    assert given_back == ["flood 1", "flood 2"]


async def test_who_is_held_for_dead_asks_no_more_hosts(newsroom) -> None:
    """Somebody else may be asking them; neither is anything claimed until it is back."""
    done: list[str] = []
    given_back: list[str] = []

    async def do(row: str) -> None:
        done.append(row)
        newsroom.context.is_present = lambda: False

    async def give_back(rows: Sequence[str]) -> None:
        given_back.extend(rows)

    await work_by_host(
        newsroom.context,
        ["one", "two", "three"],
        lane=Lane(slots=5, per_source=5),
        host=lambda _: "news.example",
        source=lambda _: "feed",
        do=do,
        give_back=give_back,
    )
    assert done == ["one"]
    assert given_back == ["two", "three"]
    assert await claimed(newsroom.context, lambda _: ["four"], str) == ()
    newsroom.context.is_present = lambda: True
    assert await claimed(newsroom.context, lambda _: ["four"], str) == ["four"]


async def test_no_more_is_claimed_than_can_be_begun(newsroom) -> None:
    """While hosts wait for a slot other buckets wait to claim, each of them once."""
    lane, done = Lane(slots=1, per_source=1), list[str]()

    async def job(bucket: int, *rows: str) -> bool:
        async with lane.turn(bucket) as may:
            if may:
                await work_by_host(
                    newsroom.context,
                    rows,
                    lane=lane,
                    host=lambda row: row,
                    source=lambda row: row,
                    do=note,
                    give_back=give_back,
                )
            return may

    async def note(row: str) -> None:
        done.append(row)

    async def give_back(rows: Sequence[str]) -> None:
        raise AssertionError(rows)

    async with lane.slot("at work"):
        first = asyncio.create_task(job(1, "a"))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not lane.turn_is_free()
        second = asyncio.create_task(job(2, "b"))
        await asyncio.sleep(0)
        assert await job(2, "b again") is False
        assert not second.done()
        assert done == []
    assert await asyncio.gather(first, second) == [True, True]
    assert done == ["a", "b"]
    assert lane.turn_is_free()


async def test_who_is_slow_is_told_by_the_lanes_own_clock() -> None:
    """By how long servers were waited for: no pause of ours, and no queue, makes one slow."""
    seconds = [0.0]
    lane = Lane(slots=3, per_source=1, slow=1.0, timer=lambda: seconds[0])
    async with lane.slot("quick"), lane.slot("drip"):
        pass
    assert not lane.is_slow("drip")
    async with lane.slot("drip"):
        seconds[0] += 1
    assert lane.is_slow("drip")
    assert not lane.is_slow("quick")


async def test_what_was_slow_shares_a_part_of_the_slots() -> None:
    """Many slow sources hold up each other, and nobody who was quick; who is quick again is free."""
    slow, stay = Lane(slots=3, for_slow=1, per_source=1, slow=0, patience=0.01), 100.0
    for source in ("drip", "stall"):
        async with slow.slot(source) as is_free:
            assert is_free
    async with slow.slot("drip") as drip, slow.slot("stall") as stall, slow.slot("good") as good:
        assert (drip, stall, good) == (True, False, True)

    quick = Lane(slots=3, for_slow=1, per_source=1, slow=stay, patience=0.01)
    for _ in range(2):
        async with quick.slot("a") as a, quick.slot("b") as b, quick.slot("c") as c:
            assert (a, b, c) == (True, True, True)
