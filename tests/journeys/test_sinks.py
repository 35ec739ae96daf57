"""Stories that go to programs and to mailboxes instead of Slack."""

from __future__ import annotations

import io
import json
from email.utils import format_datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from monitor.config import load
from monitor.service import assembled
from tests.fakes import FakeClock
from tests.webserver import Reply, WebServer

SECRET = "whsec_" + "A" * 32
# of Apprise's own plugins, as they are imported
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def feed(clock: FakeClock, base: str) -> Reply:
    """One story, just published."""
    return Reply(
        '<rss version="2.0"><channel><title>Courier</title><item><guid>1</guid>'
        f"<title>Ceasefire announced</title><link>{base}/a</link>"
        f"<pubDate>{format_datetime(clock.now())}</pubDate>"
        "<description>Both sides agreed to a ceasefire.</description></item></channel></rss>",
        headers={"Content-Type": "application/rss+xml"},
    )


async def test_a_story_goes_where_each_watch_leads(tmp_path: Path, clock: FakeClock):
    """One outbox for all: what one place refuses for now, another has had; a restart goes on."""
    async with WebServer() as server:
        base = f"http://127.0.0.1:{server.port}"
        server.route("/rss", feed(clock, base))
        server.route("/a", Reply(status=404))
        server.route("/robots.txt", Reply(status=404))
        server.route("/hook", [Reply(status=503), Reply(status=204)])
        server.route("/mail", Reply(status=200))
        path = tmp_path / "feeds.toml"
        path.write_text(
            f'[monitor]\ndatabase = "sqlite:///{tmp_path}/monitor.db"\n'
            '[fetch]\nallow = ["127.0.0.1"]\nspacing = "0"\n[web]\nenabled = false\n[alerts]\nmax_age = "off"\n'
            f'[[webhook]]\nname = "desk"\nurl = "{base}/hook"\n'
            '[[watch]]\nname = "Truce"\nterms = ["ceasefire"]\nchannel = "webhook:desk"\n'
            '[[watch]]\nname = "By mail"\nterms = ["ceasefire"]\nchannel = "apprise:mail"\n'
            '[[watch]]\nname = "Here"\nterms = ["ceasefire"]\n'
            f'[[feed]]\nname = "Courier"\nurl = "{base}/rss"\n'
        )
        env = {
            "MONITOR_WEBHOOK_DESK_SECRET": SECRET,
            "MONITOR_APPRISE_MAIL": f"json://127.0.0.1:{server.port}/mail",
        }
        screen = io.StringIO()
        async with assembled(load(path, env), clock=clock, alerts_to=screen) as service:
            await service.once()
        [mail] = server.to("/mail")
        [refused] = server.to("/hook")
        clock.advance(hours=1)
        async with assembled(load(path, env), clock=clock, alerts_to=screen) as service:
            await service.once()
            deliveries = await service.reports.deliveries(10)
        refused_again, taken = server.to("/hook")[0], server.to("/hook")[1]
    assert json.loads(mail.body)["title"] == "Ceasefire announced"
    assert "Ceasefire announced" in screen.getvalue()
    assert refused == refused_again
    event = json.loads(taken.body)
    # the clock of the test is not that of the signature
    assert Webhook(SECRET).verify(taken.body, taken.headers) == event
    assert event["id"] == json.loads(refused.body)["id"]
    assert event["data"]["headline"] == "Ceasefire announced"
    assert event["data"]["watches"] == ["Truce"]
    assert len(server.to("/mail")) == 1
    assert sorted((row.channel, str(row.state)) for row in deliveries) == [
        ("apprise:mail", "sent"),
        ("terminal", "sent"),
        ("webhook:desk", "sent"),
    ]
