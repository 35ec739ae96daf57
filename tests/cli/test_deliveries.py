"""`monitor deliveries` and `monitor audit` as they are typed."""

from __future__ import annotations

import json

import pytest

from alerts import Card
from monitor.model import DeliveryState, Sent, StoryId
from monitor.ports import Transaction
from tests.cli.test_stories import told  # noqa: F401 a fixture
from tests.cli.test_watches import NOW, Desk, desk  # noqa: F401 a fixture
from tests.contracts.material import LEASE


@pytest.fixture
def broken(told: Desk) -> Desk:  # noqa: F811
    """A story that was refused, a notice too, a reply that is shown, and one that is uncertain."""

    def work(tx: Transaction) -> None:
        def end(state: DeliveryState, error: str | None, sent: Sent | None = None) -> None:
            row = tx.claim_due("#newsdesk", NOW, LEASE)
            assert row is not None
            finish = tx.finish_notice if hasattr(row, "card") else tx.finish_delivery
            finish(row.id, state, NOW, error=error, sent=sent)

        end(DeliveryState.DEAD, "msg_too_long")
        tx.tell("#newsdesk", "heartbeat:1", Card(title="monitor is running"), NOW)
        end(DeliveryState.DEAD, "no_text")
        tx.tell("#newsdesk", "spike:1", Card(title="Spike: Ceasefire"), NOW)
        end(DeliveryState.SENT, None, Sent(channel="C1", ref="1"))
        tx.tell("#newsdesk", "spike:2", Card(title="Spike: Kashmir"), NOW)
        end(DeliveryState.SENDING, "timeout")

    told.run(work)
    return told


def rows_of(desk: Desk, *options: str) -> dict[str, dict[str, object]]:  # noqa: F811
    """What is listed, by its headline."""
    rows = json.loads(desk.monitor("deliveries", "list", "--json", *options))
    return {row["headline"]: row for row in rows}


def test_messages_are_listed_with_what_is_wrong(broken: Desk):
    """Stories' own and all others; `--dead` only what was refused."""
    text = broken.monitor("deliveries", "list")
    assert "msg_too_long" in text
    assert "Ceasefire holds" in text
    assert "uncertain" in text
    rows = rows_of(broken)
    assert {name: row["state"] for name, row in rows.items()} == {
        "Ceasefire holds": "dead",
        "monitor is running": "dead",
        "Spike: Ceasefire": "sent",
        "Spike: Kashmir": "sending",
    }
    assert rows["Spike: Kashmir"]["uncertain"] is True
    assert [rows[name]["kind"] for name in ("Ceasefire holds", "Spike: Ceasefire")] == [
        "story",
        "notice",
    ]
    assert set(rows_of(broken, "--dead")) == {"Ceasefire holds", "monitor is running"}


@pytest.mark.parametrize("name", ["Ceasefire holds", "monitor is running"])
def test_what_was_refused_is_sent_again_or_dropped(broken: Desk, name: str):
    """By the end of its id; what is dropped counts no more, and may be taken back."""
    message = str(rows_of(broken)[name]["id"])[-8:]
    assert broken.monitor("deliveries", "drop", message) == (
        "It is dropped: #newsdesk will not show it.\n"
    )
    assert rows_of(broken)[name]["state"] == "dropped"
    assert name not in rows_of(broken, "--dead")
    assert broken.monitor("deliveries", "retry", message.upper()) == "It is due in #newsdesk now.\n"
    row = rows_of(broken)[name]
    assert (row["state"], row["attempts"], row["error"]) == ("pending", 0, None)
    assert row["due_at"] is not None

    deeds = json.loads(broken.monitor("audit", "--json"))
    assert [(deed["action"], deed["headline"]) for deed in deeds] == [
        ("retry", name),
        ("drop", name),
    ]
    assert name in broken.monitor("audit")


@pytest.mark.parametrize(
    ("deed", "name", "said"),
    [
        ("retry", "Spike: Ceasefire", "is shown: there is nothing to send again"),
        ("drop", "Spike: Ceasefire", "is shown: there is nothing to drop"),
        ("drop", "Spike: Kashmir", "nobody knows yet whether it is shown"),
        ("retry", "Spike: Kashmir", "nobody knows yet whether it is shown"),
        ("retry", "%", "there is no message %"),
        ("retry", "ffffffffff", "there is no message ffffffffff: see `monitor deliveries list`"),
    ],
)
def test_what_can_not_be_done_is_said(broken: Desk, deed: str, name: str, said: str):
    """In a sentence, and nothing is changed."""
    before = rows_of(broken)
    message = str(before[name]["id"])[-8:] if name in before else name
    assert said in broken.monitor("deliveries", deed, message, code=1)
    assert rows_of(broken) == before
    assert broken.monitor("audit") == "Nobody has done anything about a message yet.\n"


def test_a_dropped_story_stays_dropped_when_it_grows(broken: Desk):
    """Whoever dropped it has seen it."""
    message = str(rows_of(broken)["Ceasefire holds"]["id"])
    broken.monitor("deliveries", "drop", message)
    broken.run(lambda tx: tx.want_delivery(StoryId(1), "#newsdesk", NOW))
    assert rows_of(broken)["Ceasefire holds"]["state"] == "dropped"
