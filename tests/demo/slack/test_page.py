"""The page of the demo's Slack, over real HTTP."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from importlib import resources

import aiohttp
import pytest

from alerts import Card, Image
from alerts.blocks import to_blocks
from alerts.message import Button
from alerts.slack import INTERACTIVE_SCOPES, SCOPES, SlackSink
from monitor.demo.slack import SlackDouble
from monitor.demo.slack.page import STATIC, YOU
from tests.alerts.examples import alert


@asynccontextmanager
async def looking():
    """A workspace with two channels, somebody who looks at it, and the bot's sink."""
    slack = SlackDouble(scopes=(*SCOPES, *INTERACTIVE_SCOPES))
    for name in ("newsdesk", "ops"):
        slack.add_channel(name)
    slack.add_user(YOU, "You")
    async with slack, aiohttp.ClientSession(base_url=slack.page_url) as browser:
        sink = SlackSink(slack.token, base_url=slack.url)
        try:
            yield slack, browser, sink
        finally:
            await sink.close()


async def page(browser, path="/") -> str:
    """What stands on a page, and that it may do nothing but what it says."""
    async with browser.get(path) as answer:
        assert answer.status == 200
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        return await answer.text()


async def test_an_empty_channel():
    """Says so."""
    async with looking() as (_, browser, _):
        text = await page(browser)
    assert "Nothing has been said here yet." in text
    assert re.findall(r'href="/archives/(\w+)"', text) == ["newsdesk", "ops"]


async def test_a_message_its_thread_and_what_is_said_in_the_channel_too():
    """Replies are counted below their message, and stand in its thread; one of them in both."""
    async with looking() as (_, browser, sink):
        root = await sink.post("#newsdesk", alert(headline="Root <b>"))
        for number, broadcast in enumerate((False, True)):
            card = Card(title=f"reply {number}", delivery_id=f"r{number}")
            await sink.post("#newsdesk", card, thread=root, broadcast=broadcast)
        await sink.update(root, alert(headline="Root <c>"))
        channel = await page(browser)
        thread = await page(browser, f"/archives/newsdesk/{root.ref}")
        async with browser.get("/archives/newsdesk/1.2") as answer:
            assert answer.status == 404

    assert channel.count("Root &lt;c&gt;") == 2  # itself, and what the broadcast replied to
    assert "Root &lt;b&gt;" not in channel
    assert "(edited)" in channel
    assert "<b>2 replies</b>" in channel
    assert "reply 0" not in channel
    assert "replied to a thread:" in channel
    aside = thread.partition("<aside")[2]
    assert [*re.findall(r"reply \d", aside)] == ["reply 0", "reply 1"]
    assert "Also sent to the channel" in aside
    assert "2 replies" in aside


async def test_a_press_goes_through_the_socket():
    """As an envelope of Slack's, by who looks; where the button is gone nothing is said."""
    async with looking() as (slack, browser, sink):
        posted = await sink.post(
            "#newsdesk", alert(buttons=(Button(action="see", label="Acknowledge", first=True),))
        )
        form = {"channel": posted.channel, "ts": posted.ref, "action": "see"}
        origin = {"Origin": slack.page_url.rstrip("/")}
        opened = f"/link/?ticket={slack.sockets.ticket()}"
        async with browser.ws_connect(opened) as socket:
            await socket.receive_json()
            async with browser.post(
                "/press", data=form, headers=origin, allow_redirects=False
            ) as answer:
                assert answer.status == 303
                assert answer.headers["Location"] == f"/archives/newsdesk#m{posted.ref}"
            envelope = await socket.receive_json()
        for odd, status in (({"action": "nothing"}, 409), ({"channel": "C9"}, 404)):
            async with browser.post("/press", data=form | odd, headers=origin) as answer:
                assert answer.status == status
    assert envelope["type"] == "interactive"
    assert envelope["payload"]["user"]["id"] == YOU
    assert envelope["payload"]["actions"][0]["action_id"] == "see"


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null"])
async def test_only_its_own_forms_are_taken(origin: str | None):
    """Another site in the same browser can't press."""
    async with looking() as (slack, browser, _):
        headers = {"Origin": origin} if origin else {}
        words = {"channel": "newsdesk", "words": "hello"}
        async with browser.post("/say", data=words, headers=headers) as answer:
            assert answer.status == 403
        assert slack.messages() == []


async def test_only_its_own_names_are_answered():
    """A name that somebody points at this machine leads nowhere."""
    async with looking() as (_, browser, _), browser.get("/", headers={"Host": "a.example"}) as no:
        assert no.status == 421


async def test_what_is_typed_is_said_or_asked():
    """Words are words; a command is answered to its author alone."""
    async with looking() as (slack, browser, _):
        origin = {"Origin": slack.page_url.rstrip("/")}
        opened = f"/link/?ticket={slack.sockets.ticket()}"
        async with browser.ws_connect(opened) as socket:
            await socket.receive_json()
            for words in ("<b> & so on", "/monitor why <x>"):
                form = {"channel": "newsdesk", "words": words}
                async with browser.post("/say", data=form, headers=origin) as answer:
                    assert answer.status == 200
            asked = (await socket.receive_json())["payload"]
        rendered = to_blocks(Card(title="Because"))
        body = {"text": rendered.text, "blocks": rendered.blocks}
        async with browser.post(asked["response_url"], json=body) as answer:
            assert answer.status == 200
        text = await page(browser)
        assert "Only visible to you" not in await page(browser, "/archives/ops")
    assert asked["text"] == "why &lt;x&gt;"
    assert "&lt;b&gt; &amp; so on" in text
    assert text.index("Only visible to you") < text.index("Because")


async def test_a_picture_is_shown():
    """As it was uploaded."""
    async with looking() as (_, browser, sink):
        await sink.post("#newsdesk", Card(title="x", image=Image(png=b"\x89PNG", alt="bars")))
        [path] = re.findall(r'src="(/files/\w+)"', await page(browser))
        async with browser.get(path) as answer:
            assert answer.content_type == "image/png"
            assert await answer.read() == b"\x89PNG"
        async with browser.get("/files/F9") as answer:
            assert answer.status == 404


async def test_news_is_streamed():
    """A line when something has happened, and the end when the workspace closes."""
    async with looking() as (slack, browser, sink), browser.get("/events") as stream:
        assert stream.content_type == "text/event-stream"
        first = asyncio.create_task(stream.content.readline())
        await asyncio.sleep(0)
        await sink.post("#newsdesk", alert())
        assert await first == b"data: changed\n"
        await slack.stop()
        assert (await stream.content.read()).replace(b"data: changed\n\n", b"").strip() == b""


async def test_style_and_script_are_served():
    """They and nothing else."""
    async with looking() as (_, browser, _):
        for name, kind in STATIC.items():
            async with browser.get(f"/static/{name}") as answer:
                assert answer.content_type == kind
        async with browser.get("/static/../server.py") as answer:
            assert answer.status == 404


def luminance(colour: str) -> float:
    """Of a colour such as #1d1c1d or #fff (WCAG 2.2)."""
    digits = colour.removeprefix("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "papers", "least"),
    [
        ("ink", ("paper", "over", "private", "chip"), 4.5),
        ("soft", ("paper", "over", "private", "chip"), 4.5),
        ("link", ("paper", "over", "private", "mention"), 4.5),
        ("rail-ink", ("rail",), 4.5),
        ("rail-soft", ("rail",), 4.5),
        ("#fff", ("here", "go"), 4.5),
        ("edge", ("paper",), 3),
    ],
)
def test_everybody_can_read_it(scheme: str, ink: str, papers: tuple[str, ...], least: float):
    """Contrast as WCAG 2.2 asks for it (AA), by day and by night."""
    css = (resources.files("monitor.demo.slack") / "static" / "slack.css").read_text("utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#\w+);", light))
    if scheme == "dark":
        colours |= dict(re.findall(r"--([\w-]+): (#\w+);", dark))
    for paper in papers:
        a, b = (luminance(colours.get(name, name)) for name in (ink, paper))
        contrast = (max(a, b) + 0.05) / (min(a, b) + 0.05)
        assert contrast >= least, f"{ink} on {paper}: {contrast:.2f}"
