"""The callback as an attacker finds it: who doesn't know its token and secret gets nothing done."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator

import aiohttp
import pytest

from monitor import telemetry
from monitor.errors import StorageError
from monitor.model import Kind, SubscriptionState
from monitor.web import Pushes
from tests.fakes import FakeClock
from tests.pipeline.press import Press, press
from tests.web.browser import browsing

__all__ = ["press"]

TOKEN = "t" * 43
TOPIC = "https://news.example/feed"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind is enough for what has nothing to do with it."""
    return sqlite_url


def counted(outcome: str) -> float:
    return telemetry.PUSHES.labels(outcome)._value.get()


@contextlib.asynccontextmanager
async def counting(outcome: str, times: int = 1) -> AsyncIterator[None]:
    """Exactly so many pushes end so."""
    before = counted(outcome)
    yield
    assert counted(outcome) - before == times


async def subscribed(press: Press) -> tuple[str, str, str]:
    """Topic, callback and secret of a subscription that works, some time after the last poll."""
    await press.begin("One")
    press.clock.advance(minutes=3)
    press.list("Two", "One")
    [((topic, callback), secret)] = press.hub.subscribers.items()
    return topic, callback, secret


async def polled_for_it(press: Press) -> bool:
    await press.work(Kind.POLL)
    return await press.entries() == 2


# --------------------------------------------------------------------------- pushes


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
async def test_a_push_that_is_signed_is_followed(press: Press, method: str) -> None:
    """By any method of the standard; a second one, word for word, changes nothing more."""
    topic, callback, secret = await subscribed(press)
    press.hub.method = method
    signature = press.hub.sign(secret, b"<rss/>")
    async with counting("verified", 2):
        assert await press.hub.publish(topic) == [202]
        assert await polled_for_it(press)
        polls = press.polls
        assert await press.hub.push(callback, b"<rss/>", signature) == 202
        await press.work(Kind.POLL)
    assert press.polls == polls  # replayed: not before the feed may be asked again


@pytest.mark.parametrize(
    ("body", "signature", "outcome"),
    [
        (b"<rss/>", None, "unsigned"),
        (b"<rss/>", "", "unsigned"),
        (b"<rss/>", "sha256=zz", "unsigned"),
        (b"<rss/>", "md5=00", "unsigned"),
        (b"<rss/>", "sha256=" + 64 * "0", "forged"),
        (b"<rss>other</rss>", "right", "forged"),
        (b"", "right", "forged"),
    ],
)
async def test_a_push_that_is_not_signed_so_is_ignored(
    press: Press, body: bytes, signature: str | None, outcome: str
) -> None:
    """With the same answer as a good one, so that nobody can try signatures out."""
    _, callback, secret = await subscribed(press)
    if signature == "right":
        signature = press.hub.sign(secret, b"<rss/>")
    async with counting(outcome), counting("verified", 0):
        assert await press.hub.push(callback, body, signature) == 202
    assert not await polled_for_it(press)


async def test_what_is_pushed_is_never_read(press: Press) -> None:
    """Only the publisher's own server says what there is."""
    topic, _, _ = await subscribed(press)
    news = b"<rss><channel><item><guid>lie</guid><title>Lie</title></item></channel></rss>"
    assert await press.hub.publish(topic, news) == [202]
    assert await polled_for_it(press)


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_push_larger_than_any_feed_is_not_read_to_its_end(
    press: Press, chunked: bool
) -> None:
    """Whether it says so first or not; nothing of it is kept meanwhile."""
    press.newsroom.rules(max_feed=100_000)
    _, callback, secret = await subscribed(press)
    body = bytes(2_000_000)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(2000):
            yield bytes(1000)

    async with counting("too_large"):
        try:
            status = await press.hub.push(
                callback, pieces() if chunked else io.BytesIO(body), press.hub.sign(secret, body)
            )
        except aiohttp.ClientError:
            status = 413  # it was cut off while it was still sending
    assert status == 413
    assert not await polled_for_it(press)


async def test_a_push_that_drips_is_given_up(press: Press) -> None:
    """And holds nobody else up: others are pushed and the page is shown meanwhile."""
    topic, callback, secret = await subscribed(press)
    over = asyncio.Event()

    async def drips() -> AsyncIterator[bytes]:
        yield b"<"
        await over.wait()
        yield b"rss/>"

    async with counting("broken_off"):
        slow = asyncio.create_task(
            press.hub.push(callback, drips(), press.hub.sign(secret, b"<rss/>"))
        )
        await asyncio.sleep(0.1)
        assert await press.hub.publish(topic) == [202]
        with contextlib.suppress(aiohttp.ClientError):
            assert await slow == 202
        over.set()


async def test_a_hub_has_few_bodies_under_way(press: Press) -> None:
    """The third of one hub at once is told to come again; when they end there is room."""
    topic, callback, secret = await subscribed(press)
    over = asyncio.Event()

    async def drips() -> AsyncIterator[bytes]:
        yield b"<"
        await over.wait()
        yield b"rss/>"

    signature = press.hub.sign(secret, b"<rss/>")
    slow = [asyncio.create_task(press.hub.push(callback, drips(), signature)) for _ in range(2)]
    await asyncio.sleep(0.2)
    async with counting("busy"):
        assert await press.hub.publish(topic) == [503]
    over.set()
    assert await asyncio.gather(*slow) == [202, 202]
    assert await press.hub.publish(topic) == [202]


async def test_who_knows_no_token_is_told_nothing(press: Press) -> None:
    """Nor is anything of theirs read: the answer comes before the body does."""
    await subscribed(press)
    base = "http://desk.example/websub/"
    assert await press.hub.push(base + TOKEN, b"<rss/>", "sha256=" + 64 * "0") == 410
    question = {"hub.mode": "subscribe", "hub.topic": press.topic, "hub.challenge": "x"}
    heard = await press.hub.ask(base + TOKEN, question)
    assert (heard.status, "x" in heard.text.split()) == (404, False)

    async def never() -> AsyncIterator[bytes]:
        yield b"<"
        await asyncio.sleep(60)

    async with asyncio.timeout(20):
        with contextlib.suppress(aiohttp.ClientError):
            assert await press.hub.push(base + TOKEN, never(), "sha256=" + 64 * "0") == 410


# --------------------------------------------------------------------------- questions


async def asked(press: Press, callback: str, **said: str):
    """A question with these words, in place of the right ones; those that are empty left out."""
    right = {"mode": "subscribe", "topic": press.topic, "challenge": "abc", "lease_seconds": "60"}
    words = {f"hub.{key}": value for key, value in (right | said).items() if value}
    return await press.hub.ask(callback, words)


@pytest.mark.parametrize(
    "said",
    [
        {"topic": "https://evil.example/feed"},
        {"topic": ""},
        {"mode": "unsubscribe"},  # nobody wished that
        {"mode": "publish"},
        {"mode": ""},
        {"challenge": ""},
        {"challenge": "c" * 5000},
        {"mode": "denied", "topic": "https://evil.example/feed"},
    ],
)
async def test_what_was_not_meant_is_not_confirmed(press: Press, said: dict[str, str]) -> None:
    """A wrong topic, a farewell that is not ours, half a question: 404, and all stays as it was."""
    _, callback, _ = await subscribed(press)
    before = await press.held()
    heard = await asked(press, callback, **said)
    assert heard.status == 404
    assert "abc" not in heard.text
    assert await press.held() == before


async def test_a_hub_that_asks_about_another_topic_is_not_believed(press: Press) -> None:
    """Nobody can have us subscribed to what we did not ask for."""
    press.hub.topic = "https://evil.example/feed"
    held = await press.begin()
    assert held is not None
    assert held.state is SubscriptionState.ASKED
    assert press.hub.subscribers == {}


async def test_a_challenge_is_no_page(press: Press) -> None:
    """It is echoed as it came, and nobody's browser takes it for HTML."""
    _, callback, _ = await subscribed(press)
    evil = "<html><script>alert(1)</script>\N{SNOWMAN}&amp;"
    heard = await asked(press, callback, challenge=evil)
    assert (heard.status, heard.text) == (200, evil)
    assert heard.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert heard.headers["X-Content-Type-Options"] == "nosniff"
    assert heard.headers["Content-Security-Policy"].startswith("default-src 'none'")


async def test_a_question_twice_is_answered_twice(press: Press) -> None:
    """A hub that did not hear us asks again; the lease stays what it was."""
    _, callback, _ = await subscribed(press)
    before = await press.held()
    assert (await asked(press, callback, lease_seconds="999999999")).status == 200
    assert await press.held() == before


async def test_other_methods_do_nothing(press: Press) -> None:
    """HEAD would confirm without an echo; the rest is not WebSub."""
    press.hub.verifies = "never"
    await press.begin()
    [form] = press.hub.asked
    question = {"hub.mode": "subscribe", "hub.topic": press.topic, "hub.challenge": "x"}
    for method in ("HEAD", "PUT", "DELETE", "OPTIONS"):
        async with press.hub.session.request(
            method, form["hub.callback"], params=question
        ) as answer:
            assert answer.status in {404, 405}
    held = await press.held()
    assert held is not None
    assert held.state is SubscriptionState.ASKED


# --------------------------------------------------------------------------- the page beside it


async def test_the_public_name_leads_to_callbacks_alone(press: Press) -> None:
    """Not to the page, its forms or its probes, however the path is written."""
    for path in (
        "/", "/status", "/metrics", "/healthz", "/stories/1", "/websub", "/websub/", "/websub/x",
        f"/websub/{TOKEN}/", f"/websub/{TOKEN}/../../status", f"/websub/{TOKEN}%2F..%2F..%2Fstatus",
        f"/websub/{'é' * 43}", f"//websub/{TOKEN}", f"/WEBSUB/{TOKEN}",
    ):  # fmt: skip
        async with press.hub.session.get(
            f"http://desk.example{path}", allow_redirects=False
        ) as answer:
            assert answer.status in {421, 404}, path
            assert "text/html" not in answer.headers["Content-Type"]
            assert "monitor" not in (await answer.text()).lower().replace("`host`", ""), path


async def test_without_pushes_there_is_no_callback() -> None:
    """A page that nobody subscribed for has none."""
    async with browsing() as browser:
        assert (await browser.get(f"/websub/{TOKEN}", Host="desk.example")).status == 404


async def test_a_database_that_is_away_has_hubs_come_again() -> None:
    """503: they try again, and nothing is lost; no bug, no page."""

    class Away:
        async def read(self, _work):
            raise StorageError("database: it is locked")

        write = read

    pushes = Pushes(Away(), FakeClock(), lambda: None)  # type: ignore[arg-type, return-value]
    async with browsing(pushes=pushes) as browser:
        asking = f"?hub.mode=subscribe&hub.topic={TOPIC}&hub.challenge=x"
        answer = await browser.get(f"/websub/{TOKEN}{asking}", Host="desk.example")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
        answer = await browser.post(f"/websub/{TOKEN}", b"<rss/>", Host="desk.example")
        assert answer.status == 503
