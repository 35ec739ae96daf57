"""What is said under a story, when one that waits is told, when it is said aloud; on either database.

Everything comes through feeds: entries without links, whose own text serves.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

import pytest
import sqlalchemy as sa

from alerts import Alert, Card
from monitor.fetch import HttpFetcher
from monitor.match import compile_watches
from monitor.model import Escalation, FeedSpec, Watch
from monitor.pipeline.group import Role
from monitor.pipeline.updates import MOST_AN_HOUR, Growth, follow_up, review_all
from tests.fakes import FakeClock
from tests.pipeline.conftest import CHANNEL, Newsroom
from tests.pipeline.conftest import report_from as words_from
from tests.webserver import Reply, WebServer

TRUCE = Watch(name="Truce", terms=("ceasefire",))
SIGNED = "Hollin and Varsk sign a ceasefire over the river Teign after mediation by Quendale"
HOLDS = "Ceasefire between Hollin and Varsk takes hold along the Teign, Quendale mediators say"
SILENT = "Guns silent on the Teign as Varsk and Hollin honour the Quendale ceasefire"
SIDES = {"courier": "hollin", "ledger": "hollin", "mirror": "varsk", "wire": None, "blog": "varsk"}


def report_from(place: str, words: int = 60) -> str:
    """A sentence of its own for each place."""
    return words_from(place, words).capitalize()


class _Here:
    """Parses beside the event loop: a worker process would be most of the time of these tests."""

    async def ready(self):
        """At any time."""

    async def run(self, function, *args, timeout: float):
        return await asyncio.to_thread(function, *args)


class Desk(Newsroom):
    """Outlets that list items by name, and change them."""

    def __init__(self, store, server, fetcher) -> None:
        super().__init__(store, server, _Here(), fetcher)
        self.items: dict[str, dict[str, tuple[str, str]]] = {}
        self.dates: dict[str, str] = {}

    async def watch(self, watch: Watch) -> None:
        """Watch for this, with all outlets declared; feeds hold nothing yet."""
        self.rules(watches=(watch,), matcher=compile_watches((watch,)), max_age=timedelta(hours=24))
        specs = [
            FeedSpec(
                url=self.server.url(f"/{name}.xml"),
                name=name,
                publisher=name.title(),
                side=side,
                tier=3 if name == "blog" else 2,
            )
            for name, side in SIDES.items()
        ]
        now = self.clock.now()
        await self.store.write(lambda tx: tx.sync_feeds(specs, now))
        await self.store.write(lambda tx: tx.sync_watches([watch], now))
        for name in SIDES:
            self.publish(name)
        await self.settle()

    def publish(self, outlet: str, guid: str = "", title: str = "", text: str = "") -> None:
        """Have an outlet list an item, or another version of it, beside what it lists."""
        items = self.items.setdefault(outlet, {})
        if guid:
            items[guid] = (title, text)
            self.dates.setdefault(guid, format_datetime(self.clock.now()))
        rows = "".join(
            f"<item><guid isPermaLink='false'>{guid}</guid><title>{title}</title>"
            f"<pubDate>{self.dates[guid]}</pubDate><description>{text}</description></item>"
            for guid, (title, text) in items.items()
        )
        body = f'<rss version="2.0"><channel><title>{outlet}</title>{rows}</channel></rss>'
        self.server.route(
            f"/{outlet}.xml", Reply(body, headers={"Content-Type": "application/rss+xml"})
        )

    async def tell(self, outlet: str, guid: str, title: str, text: str = "") -> None:
        """The same, and the time until it was found, read and shown."""
        self.publish(outlet, guid, title, text)
        await self.settle(minutes=6)
        await self.settle(minutes=11)  # what was known is read again after ten minutes

    def alerts(self) -> list[Alert]:
        return [each for each in self.shown() if isinstance(each, Alert)]

    def cards(self) -> list[Card]:
        return [each for each in self.shown() if isinstance(each, Card)]

    def titles(self) -> list[str]:
        return [each.title for each in self.cards()]

    def aloud(self) -> list[str]:
        """Replies that the channel shows, too."""
        shown = self.sink.shown.get(CHANNEL, {})
        return [shown[ref].title for ref in shown if ref in self.sink.broadcast]


@pytest.fixture
async def desk(store) -> AsyncIterator[Desk]:
    """On each kind of database."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(WebServer())
        fetcher = await stack.enter_async_context(
            HttpFetcher(
                clock=FakeClock(), user_agent="monitor/test", timeout=5, allow=("127.0.0.1",)
            )
        )
        yield Desk(store, server, fetcher)


def words(card: Card) -> list[str]:
    """A card's lines."""
    return ["".join(part.text for part in each.parts) for each in card.lines]


# --------------------------------------------------------------------------- replies


async def test_a_figure_that_changes_is_a_reply_with_both_sentences(desk):
    """In the thread of the story; read again, in another outlet's copy too, it is said once."""
    await desk.watch(TRUCE)
    body = report_from("a", 80)
    before = f"Eight people were killed before the ceasefire. {body}"
    after = f"Eleven people were killed before the ceasefire. {body}"
    await desk.tell("courier", "c1", "Ceasefire on the Teign", before)
    assert (len(desk.alerts()), desk.titles()) == (1, [])
    await desk.tell("courier", "c1", "Ceasefire on the Teign", after)
    [card] = desk.cards()
    assert card.title == "Killed: 8 → 11"
    assert words(card) == [
        "Eight people were killed before the ceasefire.",
        "Eleven people were killed before the ceasefire.",
    ]
    [root] = [ref for ref, each in desk.sink.shown[CHANNEL].items() if isinstance(each, Alert)]
    assert desk.sink.thread(CHANNEL, root) == [card]
    assert desk.aloud() == []
    await desk.tell("ledger", "l1", "Ceasefire on the Teign", after)  # the same report
    await desk.tell("courier", "c1", "Ceasefire on the Teign", after + " More.")
    assert (len(desk.alerts()), desk.titles()) == (1, ["Killed: 8 → 11"])


async def test_a_headline_that_turns_and_a_correction_are_replies(desk):
    """Whole headlines of before and now; what is merely reworded is none."""
    await desk.watch(TRUCE)
    body = report_from("a", 80)
    await desk.tell("courier", "c1", "Ceasefire holds on the Teign", body)
    await desk.tell("courier", "c1", "LIVE: Ceasefire holds on the Teign", body)
    assert desk.titles() == []
    await desk.tell("courier", "c1", "Ceasefire violated on the Teign", body)
    await desk.tell("courier", "c1", "Correction: Ceasefire on the Teign was not violated", body)
    turned, corrected = desk.cards()
    assert (turned.title, corrected.title) == ("Now broken off", "Corrected")
    assert words(turned) == [
        "LIVE: Ceasefire holds on the Teign",
        "Ceasefire violated on the Teign",
    ]
    assert words(corrected)[-1] == "Correction: Ceasefire on the Teign was not violated"
    [alert] = desk.alerts()
    assert alert.headline == "Correction: Ceasefire on the Teign was not violated"


async def test_a_correction_of_a_story_told_in_a_list_reaches_people(desk):
    """In the thread of its own message, which it gets then; a new toll leaves it in its list."""
    await desk.watch(TRUCE)
    desk.rules(flood=1)
    items = {
        "courier": ("Ceasefire on the Teign", f"Eight were killed. {report_from('c', 80)}"),
        "ledger": (
            "Ceasefire in the hills of Ondria",
            f"Eight were killed. {report_from('l', 80)}",
        ),
    }
    for outlet, (title, text) in items.items():
        desk.publish(outlet, outlet, title, text)
    await desk.settle(minutes=6)
    [alert], [listed] = desk.alerts(), desk.titles()
    assert listed == "Many stories at once: 1 story more"
    [outlet] = [each for each, (title, _) in items.items() if title != alert.headline]
    title, text = items[outlet]
    await desk.tell(outlet, outlet, title, text.replace("Eight", "Eleven"))
    assert (len(desk.alerts()), desk.titles()) == (1, [listed])
    await desk.tell(outlet, outlet, f"Correction: no {title}", text.replace("Eight", "Eleven"))
    assert (len(desk.alerts()), desk.titles()) == (2, [listed, "Corrected"])
    root = [*desk.sink.shown[CHANNEL]][2]
    assert [card.title for card in desk.sink.thread(CHANNEL, root)] == ["Corrected"]


async def test_an_article_that_nobody_was_told_of_has_no_replies(desk):
    """It never matched; of its story, nothing is shown."""
    await desk.watch(TRUCE)
    body = report_from("a", 80)
    await desk.tell("courier", "c1", "Eight killed on the Teign", body)
    await desk.tell("courier", "c1", "Eleven killed on the Teign", body)
    assert desk.shown() == []


async def test_a_copy_in_which_nothing_was_found_has_no_replies(desk):
    """People were told of its story, and not of it."""
    await desk.watch(TRUCE)
    body = report_from("a", 80)
    await desk.tell("courier", "c1", "Ceasefire on the Teign", body)
    await desk.tell("mirror", "m1", "Eight killed on the Teign", body)  # of the other side
    await desk.tell("mirror", "m1", "Eleven killed on the Teign", body)
    assert (len(desk.alerts()), desk.titles()) == (1, [])
    assert len((await desk.store.read(lambda tx: tx.story_view(1))).articles) == 2


async def test_the_other_side_and_another_number_are_replies(desk):
    """A report of the side that had not spoken; an independent one with another number of dead."""
    await desk.watch(TRUCE)
    await desk.tell(
        "courier", "c1", SIGNED, f"{SIGNED}. Eight people were killed. {report_from('c')}"
    )
    await desk.tell("ledger", "l1", HOLDS, f"{HOLDS}. {report_from('l')}")
    assert (len(desk.alerts()), desk.titles()) == (1, [])
    await desk.tell("mirror", "m1", SILENT, f"{SILENT}. 11 people were killed. {report_from('m')}")
    assert len(desk.alerts()) == 1
    side, figure = desk.cards()
    assert (side.title, words(side)) == ("Now from Varsk, too", [SILENT])
    assert figure.title == "Reports differ. Killed: 8 (Courier) → 11"
    assert words(figure) == ["Eight people were killed.", "11 people were killed."]


async def test_what_goes_on_and_on_is_listed_in_the_last_reply(desk):
    """Six an hour: the sixth lists the rest, and is edited; the same again adds nothing."""
    await desk.watch(TRUCE)
    await desk.tell("courier", "c1", "Ceasefire on the Teign", report_from("a", 80))
    for number in range(1, 10):
        await retitle(desk, f"Ceasefire on the Teign: {number * 10} killed")
    await desk.settle()
    assert len(desk.cards()) == MOST_AN_HOUR
    *single, last = desk.cards()
    assert [each.title for each in single][-1] == "Killed: 40 → 50"
    assert last.title == "4 more updates"
    assert [each.split(" · ")[0] for each in words(last)] == [
        f"Killed: {number}0 → {number + 1}0" for number in range(5, 9)
    ]
    posts = desk.sink.posts + desk.sink.updates
    await retitle(desk, "Ceasefire on the Teign: 90 killed", before="Ceasefire: 80 killed")
    await desk.settle()
    await retitle(desk, "Ceasefire on the Teign: 20 killed", before="Ceasefire: 80 killed")
    await desk.settle()
    assert desk.sink.posts + desk.sink.updates == posts
    await desk.settle(minutes=61)
    await retitle(desk, "Ceasefire on the Teign: 90 killed", before="Ceasefire: 90 killed")
    await retitle(desk, "Ceasefire on the Teign: 100 killed")
    await desk.settle()
    assert desk.titles()[-1] == "Killed: 90 → 100"


async def retitle(desk: Desk, title: str, *, before: str = "") -> None:
    """The only article has another headline from now on."""
    now, rules = desk.clock.now(), desk.context.rules

    def change(tx) -> None:
        [article] = tx.story_view(1).articles
        tx.connection.execute(sa.text("UPDATE article SET title = :title"), {"title": title})
        former = (before or article.title, article.body)
        growth = Growth(
            article=article.article, role=Role.SETTLED, body=article.body, former=former
        )
        follow_up(tx, 1, growth, rules, now)

    await desk.store.write(change)


# --------------------------------------------------------------------------- corroboration


async def test_a_story_waits_for_a_second_publisher(desk):
    """Visibly; the copy of the first is none, the second report has it told, at once."""
    await desk.watch(replace(TRUCE, min_publishers=2))
    text = f"{SIGNED}. {report_from('c')}"
    await desk.tell("courier", "c1", SIGNED, text)
    await desk.tell("ledger", "l1", SIGNED, text)  # prints the same
    assert desk.shown() == []
    [hold] = (await desk.store.read(lambda tx: tx.holds(1))).values()
    assert (hold.watch, hold.lacks) == ("Truce", "1 of 2 publishers")
    await desk.tell("mirror", "m1", HOLDS, f"{HOLDS}. {report_from('m')}")
    [alert] = desk.alerts()
    assert alert.headline == SIGNED
    assert await desk.store.read(lambda tx: tx.holds(1)) == {}
    assert desk.titles() == []  # the message says it all already
    assert {*alert.also} == {"Ledger", "Mirror"}


async def test_a_story_waits_for_the_other_side(desk):
    """Two of one side are one; a blog of tier 3 confirms nothing; then the other side speaks."""
    await desk.watch(replace(TRUCE, min_sides=2))
    await desk.tell("courier", "c1", SIGNED, f"{SIGNED}. {report_from('c')}")
    await desk.tell("ledger", "l1", HOLDS, f"{HOLDS}. {report_from('l')}")
    await desk.tell("blog", "b1", SILENT, f"{SILENT}. {report_from('b')}")
    assert desk.shown() == []
    [hold] = (await desk.store.read(lambda tx: tx.holds(1))).values()
    assert hold.lacks == "1 of 2 sides"
    await desk.tell("mirror", "m1", SILENT, f"{SILENT}. {report_from('m')}")
    assert len(desk.alerts()) == 1


async def test_two_watches_of_one_channel_are_one_message(desk):
    """What the one does not wait for is told; the other is named beside it."""
    eager = Watch(name="Teign", terms=("Teign",))
    careful = replace(TRUCE, min_publishers=3)
    await desk.watch(careful)
    desk.rules(watches=(careful, eager), matcher=compile_watches((careful, eager)))
    now = desk.clock.now()
    await desk.store.write(lambda tx: tx.sync_watches([careful, eager], now))
    await desk.tell("courier", "c1", SIGNED, f"{SIGNED}. {report_from('c')}")
    [alert] = desk.alerts()
    assert {*alert.watches} == {"Truce", "Teign"}
    assert await desk.store.read(lambda tx: tx.holds(1)) == {}  # it does not wait: it is told
    eager = replace(eager, terms=("Quendale",))
    desk.rules(watches=(careful, eager), matcher=compile_watches((careful, eager)))
    other = "Ostrava miners and Kettlewell mill owners agree a ceasefire in their pay dispute"
    await desk.tell("mirror", "m1", other, f"{other}. {report_from('m')}")
    assert await desk.store.read(lambda tx: tx.held_stories()) == [2]
    later = f"{other}, says Quendale"
    await desk.tell("mirror", "m2", later, f"{later}. {report_from('n')}")
    assert await desk.store.read(lambda tx: tx.held_stories()) == []
    assert len(desk.alerts()) == 2


async def test_what_was_confirmed_too_late_is_not_news(desk):
    """By an old article that a feed lists now; a fresh one has it told all the same."""
    await desk.watch(replace(TRUCE, min_publishers=2))
    await desk.tell("courier", "c1", SIGNED, f"{SIGNED}. {report_from('c')}")
    desk.dates["m1"] = format_datetime(desk.clock.now())
    await desk.settle(hours=30)
    await desk.tell("mirror", "m1", HOLDS, f"{HOLDS}. {report_from('m')}")
    assert desk.shown() == []
    assert await desk.store.read(lambda tx: tx.holds(1)) == {}


async def test_a_rule_that_asks_for_less_has_it_told(desk):
    """When the configuration is read again; a watch that is gone waits for nothing."""
    careful = replace(TRUCE, min_publishers=2)
    await desk.watch(careful)
    await desk.tell("courier", "c1", SIGNED, f"{SIGNED}. {report_from('c')}")
    now = desk.clock.now()

    async def review() -> None:
        rules = desk.context.rules
        await desk.store.write(lambda tx: review_all(tx, rules, now))
        await desk.settle()

    await review()
    assert desk.shown() == []
    desk.rules(watches=(TRUCE,))
    await review()
    assert len(desk.alerts()) == 1
    assert await desk.store.read(lambda tx: tx.held_stories()) == []


async def test_stories_that_are_merged_wait_together(desk):
    """And a story that lost its only article waits for nothing."""
    await desk.watch(replace(TRUCE, min_publishers=2))
    other = "Ostrava miners and Kettlewell mill owners agree a ceasefire in their pay dispute"
    await desk.tell("courier", "c1", SIGNED, f"{SIGNED}. {report_from('c')}")
    await desk.tell("mirror", "m1", other, f"{other}. {report_from('m')}")
    assert await desk.store.read(lambda tx: tx.held_stories()) == [1, 2]
    now, rules = desk.clock.now(), desk.context.rules

    def merge(tx) -> None:
        tx.merge_stories(2, 1, now=now)
        review_all(tx, rules, now)

    await desk.store.write(merge)
    await desk.settle()
    assert len(desk.alerts()) == 1
    assert await desk.store.read(lambda tx: tx.held_stories()) == []


# --------------------------------------------------------------------------- escalation


async def test_a_story_that_grows_is_said_aloud_once(desk):
    """With who is to be named; further growth only edits."""
    await desk.watch(replace(TRUCE, escalate=Escalation(publishers=2), notify=("U123", "S456")))
    await desk.tell("courier", "c1", SIGNED, f"{SIGNED}. {report_from('c')}")
    assert desk.aloud() == []
    await desk.tell("ledger", "l1", HOLDS, f"{HOLDS}. {report_from('l')}")
    assert desk.aloud() == ["Truce: 2 publishers report it now"]
    [card] = desk.cards()
    assert card.notify == ("U123", "S456")
    assert words(card) == [HOLDS, "Courier, Ledger"]
    await desk.tell("wire", "w1", SILENT, f"{SILENT}. {report_from('w')}")
    assert len(desk.aloud()) == 1
    assert len(desk.alerts()) == 1


async def test_a_story_escalates_by_its_sides(desk):
    """Both conditions, where there are two."""
    await desk.watch(replace(TRUCE, escalate=Escalation(publishers=2, sides=2)))
    await desk.tell("courier", "c1", SIGNED, f"{SIGNED}. {report_from('c')}")
    await desk.tell("ledger", "l1", HOLDS, f"{HOLDS}. {report_from('l')}")
    assert desk.aloud() == []
    await desk.tell("mirror", "m1", SILENT, f"{SILENT}. {report_from('m')}")
    assert desk.aloud() == ["Truce: 3 publishers report it now, of 2 sides"]


async def test_a_transaction_that_is_run_again_says_nothing_twice(desk):
    """The database asks for it after a deadlock; a crash before the commit leaves nothing."""
    await desk.watch(replace(TRUCE, escalate=Escalation(publishers=2)))
    await desk.tell("courier", "c1", SIGNED, f"{SIGNED}. {report_from('c')}")
    write = desk.store.write
    failed = []

    async def twice(work):
        def run(tx):
            result = work(tx)
            if not failed and tx.told(CHANNEL, "reply:1:escalate:Truce"):
                failed.append(True)
                raise RuntimeError("the process dies before the commit")
            return result

        return await write(run)

    desk.store.write = twice
    try:
        with pytest.raises(RuntimeError):
            await desk.tell("ledger", "l1", HOLDS, f"{HOLDS}. {report_from('l')}")
    finally:
        desk.store.write = write
    assert failed
    assert await desk.store.read(lambda tx: tx.told(CHANNEL, "reply:1:escalate:Truce")) is None
    await desk.settle(minutes=30)
    assert len(desk.aloud()) == 1
    assert len(desk.alerts()) == 1
