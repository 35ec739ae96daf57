"""The sink that only remembers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alerts import Ambiguous, Deferred, Posted, Rejected
from alerts.memory import MemorySink
from tests.alerts.examples import alert


async def test_it_shows_updates_and_finds() -> None:
    """The whole seam, in memory."""
    sink = MemorySink()
    posted = await sink.post("#a", alert())
    await sink.update(posted, alert(also=("PTI",)))

    assert sink.messages("#a") == [alert(also=("PTI",))]
    assert sink.messages("#b") == []
    assert await sink.find("#a", alert().delivery_id, datetime.now(UTC)) == posted
    assert await sink.find("#b", alert().delivery_id, datetime.now(UTC)) is None
    assert (sink.posts, sink.updates) == (1, 1)
    await sink.close()
    assert sink.closed


async def test_it_fails_as_told() -> None:
    """Before and after the message is shown, in order, then no more."""
    sink = MemorySink()
    sink.fail(Deferred("a"))
    sink.fail(Ambiguous("b"), shown=True)

    with pytest.raises(Deferred):
        await sink.post("#a", alert())
    assert sink.messages("#a") == []
    with pytest.raises(Ambiguous):
        await sink.post("#a", alert())
    assert sink.messages("#a") == [alert()]
    await sink.post("#b", alert())
    with pytest.raises(Rejected, match="message_not_found"):
        await sink.update(Posted(channel="#b", ref="9"), alert())
