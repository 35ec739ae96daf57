"""Several sinks as one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alerts import Posted, Stopped
from alerts.apprise import AppriseSink
from alerts.memory import MemorySink
from alerts.router import Router
from tests.alerts.examples import alert

NOW = datetime(2025, 5, 10, 12, 0, tzinfo=UTC)


async def test_a_channel_says_whose_it_is():
    """By what its name begins with; every other name is the main sink's, whatever it looks like."""
    main, events = MemorySink(), MemorySink()
    router = Router(main, {"webhook:": events})
    for channel in ("#news", "webhook:desk", "C0123456789", "webhookdesk", "apprise:desk"):
        await router.post(channel, alert())
    assert list(events.shown) == ["webhook:desk"]
    assert list(main.shown) == ["#news", "C0123456789", "webhookdesk", "apprise:desk"]
    assert router.of("webhook:x") is events
    assert router.of("#news") is main


async def test_edits_and_looks_go_where_the_message_is():
    """By the channel that the post was answered with."""
    main, events = MemorySink(), MemorySink()
    router = Router(main, {"webhook:": events})
    posted = await router.post("webhook:desk", alert())
    await router.update(posted, alert(headline="More"))
    assert events.messages("webhook:desk") == [alert(headline="More")]
    assert await router.find("webhook:desk", alert().delivery_id, NOW) == posted
    assert await router.find("#news", alert().delivery_id, NOW) is None
    await router.close()
    assert main.closed
    assert events.closed


async def test_what_a_sink_can_not_do_is_left_out():
    """Its messages stay as they were; whether one arrived, nobody can say."""
    router = Router(MemorySink(), {"apprise:": AppriseSink({"desk": ()})})
    root = Posted(channel="apprise:desk", ref="")
    posted = await router.post("apprise:desk", alert(), thread=root, broadcast=True)
    await router.update(posted, alert())
    with pytest.raises(Stopped, match="cant_find"):
        await router.find("apprise:desk", "d1", NOW)
