"""Feeds that are pushed: from the hub that is found to the farewell, over real HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.model import Cadence, Kind, SubscriptionState
from tests.pipeline.press import PUBLIC, Press, press
from tests.webserver import Reply, redirect

__all__ = ["press"]

State = SubscriptionState
DAY = timedelta(days=1)


async def test_from_a_feed_that_offers_a_hub_to_news_that_is_pushed(press: Press) -> None:
    """Found, asked, verified; then a push brings what the next poll would have brought later."""
    held = await press.begin("One")
    assert held is not None
    assert (held.state, held.hub, held.topic) == (State.ACTIVE, press.hub.url, press.topic)
    assert held.expires_at == press.clock.now() + 10 * DAY
    [form] = press.hub.asked
    assert form["hub.callback"].startswith(f"{PUBLIC}/websub/")
    assert len(form["hub.secret"]) < 200
    assert await press.wait() > 2
    press.clock.advance(minutes=2.5)
    press.list("Two", "One")
    assert await press.hub.publish(press.topic) == [202]
    await press.work(Kind.POLL)
    assert await press.entries() == 2


async def test_a_hub_that_can_be_relied_on_makes_polls_a_backup(press: Press) -> None:
    """They become rare, and never end; a miss makes them what they were."""
    await press.begin("One")
    usual = await press.wait()
    press.clock.advance(minutes=3)
    press.list("Two", "One")
    await press.hub.publish(press.topic)
    await press.work(Kind.POLL)
    rare = await press.wait()
    assert rare == pytest.approx(6 * usual, rel=0.5)
    await press.work(Kind.POLL, minutes=rare)  # nothing new: rare still
    assert await press.wait() > 3 * usual
    press.list("Three", "Two", "One")  # and nobody pushes it
    await press.work(Kind.POLL, minutes=await press.wait())
    assert await press.entries() == 3
    assert await press.wait() < 2 * usual
    held = await press.held()
    assert held is not None
    assert held.missed_at == press.clock.now()


async def test_an_interval_of_the_operators_own_is_kept(press: Press) -> None:
    """Who says "always this" means it."""
    cadences = {press.topic: Cadence(interval=timedelta(minutes=4))}
    press.newsroom.rules(cadences=cadences)
    await press.begin("One")
    press.clock.advance(minutes=3.5)
    press.list("Two", "One")
    await press.hub.publish(press.topic)
    await press.work(Kind.POLL)
    assert await press.entries() == 2
    assert await press.wait() == pytest.approx(4, rel=0.15)


@pytest.mark.parametrize(
    ("link", "head", "topic"),
    [
        ("", "<atom:link rel='hub' href='{hub}'/><atom:link rel='self' href='{topic}'/>", "{topic}"),
        ("<{hub}>; rel=hub", "", "{topic}"),  # no self: known by where it was found
        ("<{hub}>; rel=hub", "<atom:link rel='self' href='http://a.example/f'/>", "http://a.example/f"),
    ],
)  # fmt: skip
async def test_hub_and_self_may_stand_in_the_document(
    press: Press, link: str, head: str, topic: str
) -> None:
    """In either place, or one in each."""
    words = {"hub": press.hub.url, "topic": press.topic}
    held = await press.begin(
        hub=None, link=link.format(**words), head=head.format(**words)
    )  # fmt: skip
    assert held is not None
    assert (held.state, held.topic) == (State.ACTIVE, topic.format(**words))


async def test_a_feed_without_a_hub_is_polled_as_ever(press: Press) -> None:
    """And nobody is asked for anything; nor where there is no public URL."""
    assert await press.begin(hub=None) is None
    press.newsroom.rules(public_url=None)
    press.list("Two")
    await press.work(minutes=await press.wait())
    assert await press.held() is None
    assert press.hub.asked == []


async def test_a_hub_may_verify_before_it_answers(press: Press) -> None:
    """Its question finds the request written down."""
    press.hub.verifies = "first"
    held = await press.begin()
    assert held is not None
    assert held.state is State.ACTIVE
    assert held.due_at == press.clock.now() + 8 * DAY


async def test_a_lease_is_renewed_before_it_ends(press: Press) -> None:
    """By the hub's own number, at the same callback, with the same secret."""
    press.hub.lease = 3600
    await press.begin()
    await press.work(Kind.SUBSCRIBE, minutes=47)
    assert len(press.hub.asked) == 1
    await press.work(Kind.SUBSCRIBE, minutes=2)
    assert len(press.hub.asked) == 2
    assert press.hub.asked[0] == press.hub.asked[1]
    held = await press.held()
    assert held is not None
    assert held.expires_at == press.clock.now() + timedelta(hours=1)


async def test_a_hub_that_moves_is_followed(press: Press) -> None:
    """As the standard has it: the same request where the answer points to."""
    press.newsroom.server.route("/old-hub", redirect(press.hub.url, 308))
    held = await press.begin(hub=press.newsroom.server.url("/old-hub"))
    assert held is not None
    assert held.state is State.ACTIVE


@pytest.mark.parametrize(
    ("reply", "hours"), [(Reply(status=503), 5 / 60), (Reply(status=404), 24), (Reply(status=400), 24)]
)  # fmt: skip
async def test_a_hub_that_is_dead_costs_nothing(press: Press, reply: Reply, hours: float) -> None:
    """Its feed is polled as ever, and it is asked again later; once it lives, it pushes."""
    press.hub.answer = reply
    held = await press.begin()
    assert held is not None
    assert held.state is State.FAILED
    assert held.error
    assert held.due_at == press.clock.now() + timedelta(hours=hours)
    assert await press.wait() < 10
    press.hub.answer = Reply(status=202)
    await press.work(Kind.SUBSCRIBE, hours=hours)
    held = await press.held()
    assert held is not None
    assert (held.state, held.error) == (State.ACTIVE, None)


async def test_a_hub_that_never_verifies_is_asked_again(press: Press) -> None:
    """After an hour; people are told what may be wrong."""
    press.hub.verifies = "never"
    held = await press.begin()
    assert held is not None
    assert held.state is State.ASKED
    await press.work(Kind.SUBSCRIBE, minutes=59)
    assert len(press.hub.asked) == 1
    await press.work(Kind.SUBSCRIBE, minutes=1)
    held = await press.held()
    assert held is not None
    assert len(press.hub.asked) == 2
    assert held.error is not None
    assert "can it reach [web] public_url?" in held.error


async def test_a_hub_that_says_no_is_left_in_peace_for_a_day(press: Press) -> None:
    """Even in the middle of a lease."""
    await press.begin()
    [(topic, callback)] = press.hub.subscribers
    said = {"hub.mode": "denied", "hub.topic": topic, "hub.reason": "no <b>more</b>"}
    assert (await press.hub.ask(callback, said)).status == 200
    held = await press.held()
    assert held is not None
    assert (held.state, held.error) == (State.DENIED, "denied by its hub: no <b>more</b>")
    await press.work(Kind.SUBSCRIBE, hours=23)
    assert len(press.hub.asked) == 1
    await press.work(Kind.SUBSCRIBE, hours=1)
    assert len(press.hub.asked) == 2


async def test_a_hub_inside_our_network_is_never_asked(press: Press) -> None:
    """A feed can name any address; the guard is that of every request."""
    held = await press.begin(hub="http://169.254.169.254/latest/meta-data")
    assert held is not None
    assert held.state is State.FAILED
    assert held.error is not None
    assert held.error.startswith("blocked: ")


async def test_a_feed_that_is_not_declared_any_more_is_not_pushed_any_more(press: Press) -> None:
    """The hub is told, asks whether that was meant, and pushes no more; then nothing is left."""
    await press.begin()
    [(topic, callback)] = press.hub.subscribers
    await press.newsroom.declare()
    await press.sync()
    assert await press.hub.push(callback, b"<rss/>") == 410
    await press.work(Kind.SUBSCRIBE)
    assert press.hub.asked[-1]["hub.mode"] == "unsubscribe"
    assert press.hub.subscribers == {}
    await press.work(Kind.SUBSCRIBE, days=2)
    assert len(press.hub.asked) == 2
    assert await press.hub.push(callback, b"<rss/>") == 410
    question = {"hub.mode": "unsubscribe", "hub.topic": topic, "hub.challenge": "x"}
    assert (await press.hub.ask(callback, question)).status == 404


async def test_without_a_public_url_hubs_are_left(press: Press) -> None:
    """As well as can be: a dead one is told three times."""
    await press.begin()
    press.newsroom.rules(public_url=None)
    press.hub.answer = Reply(status=500)
    await press.sync(None)
    for _ in range(6):
        await press.work(Kind.SUBSCRIBE, days=1)
    assert [form["hub.mode"] for form in press.hub.asked] == ["subscribe", *["unsubscribe"] * 3]


async def test_another_hub_takes_the_place_of_the_first(press: Press) -> None:
    """Once a day: a feed that names a new one each time has us call two a day and no more."""
    await press.begin("One")
    press.newsroom.server.route("/third", Reply(status=202))
    other = press.newsroom.server.url("/third")
    press.list("Two", "One", hub=other)
    await press.work(minutes=await press.wait())
    held = await press.held()
    assert held is not None
    assert held.hub == press.hub.url
    press.list("Three", "Two", "One", hub=other)
    await press.work(days=1)
    await press.work(Kind.SUBSCRIBE)
    held = await press.held()
    assert held is not None
    assert (held.hub, held.state) == (other, State.ASKED)
    assert press.hub.subscribers == {}  # told to stop


async def test_a_feed_that_offers_no_hub_any_more_lets_a_dead_one_go(press: Press) -> None:
    """One that still pushes is kept."""
    await press.begin("One")
    press.list("Two", "One", hub=None)
    await press.work(Kind.POLL, minutes=await press.wait())
    held = await press.held()
    assert held is not None
    assert held.state is State.ACTIVE
    [(topic, callback)] = press.hub.subscribers
    await press.hub.ask(callback, {"hub.mode": "denied", "hub.topic": topic})
    press.list("Three", "Two", "One", hub=None)
    await press.work(Kind.POLL, minutes=await press.wait())
    assert await press.held() is None


async def test_a_storm_of_pushes_is_no_storm_for_the_publisher(press: Press) -> None:
    """However often and from however many the hub calls: one poll in two minutes."""
    await press.begin("One")
    before = press.polls
    for number in range(60):
        await press.hub.publish(press.topic)
        press.list(*map(str, range(number)))
        await press.work(Kind.POLL, seconds=4)
    assert press.polls - before <= 3


async def test_what_was_asked_when_we_died_is_asked_again(press: Press) -> None:
    """The request is written down before it is made, so the hub's late question finds it."""
    press.list("One")
    await press.newsroom.declare("courier")
    await press.work(Kind.POLL)
    post = press.newsroom.context.fetcher.post

    class Dies:
        async def post(self, url, fields):
            await post(url, fields)
            raise ZeroDivisionError

    fetcher, press.newsroom.context.fetcher = press.newsroom.context.fetcher, Dies()
    press.hub.verifies = "never"
    with pytest.raises(ZeroDivisionError):
        await press.work(Kind.SUBSCRIBE)
    press.newsroom.context.fetcher = fetcher
    await press.hub.verify(press.hub.asked[0])
    held = await press.held()
    assert held is not None
    assert held.state is State.ACTIVE
    await press.work(Kind.SUBSCRIBE, minutes=6)
    assert len(press.hub.asked) == 1


async def test_a_new_public_url_is_told_to_hubs(press: Press) -> None:
    """They are asked again, to call there."""
    await press.begin()
    press.newsroom.rules(public_url="http://new.example")
    await press.sync("http://new.example")
    await press.work(Kind.SUBSCRIBE)
    assert press.hub.asked[-1]["hub.callback"].startswith("http://new.example/websub/")
    held = await press.held()
    assert held is not None
    assert held.state is State.ACTIVE


async def test_a_job_that_is_stopped_gives_back_what_it_did_not_ask(press: Press) -> None:
    """It is due at once after the next start."""
    press.list("One")
    await press.newsroom.declare("courier")
    await press.work(Kind.POLL)
    press.newsroom.context.stopping = True
    await press.work(Kind.SUBSCRIBE)
    assert press.hub.asked == []
    press.newsroom.context = replace(press.newsroom.context, stopping=False)
    press.newsroom.pipeline.context.stopping = False
    await press.work(Kind.SUBSCRIBE)
    assert len(press.hub.asked) == 1
