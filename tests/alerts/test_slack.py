"""SlackSink against a Slack that has bad days."""

from __future__ import annotations

import logging
import traceback
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts import (
    AlertError,
    Ambiguous,
    Card,
    Closed,
    Deferred,
    Image,
    Posted,
    Rejected,
    Stopped,
    line,
)
from alerts.slack import SCOPES, SlackSink
from alerts.slack_errors import refusal
from alerts.text import clean, shorten
from monitor.demo.slack import FAULTS, SlackDouble
from tests.alerts.examples import alert
from tests.alerts.test_cards import ISOLATES, hostile

PATIENCE = 0.2  # seconds of the impatient sink; a slow machine makes it give up more calls


class Time:
    """Seconds that pass when somebody sleeps."""

    def __init__(self) -> None:
        self.at = 100.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """The time."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Pass at once."""
        self.slept.append(round(seconds, 6))
        self.at += seconds


@pytest.fixture
async def slack() -> AsyncIterator[SlackDouble]:
    """A workspace with one channel."""
    async with SlackDouble() as double:
        double.add_channel("newsdesk")
        yield double


@pytest.fixture
def time() -> Time:
    """The sink's time."""
    return Time()


@pytest.fixture
async def sink(slack: SlackDouble, time: Time) -> AsyncIterator[SlackSink]:
    """A sink of that workspace."""
    sink = SlackSink(slack.token, base_url=slack.url, monotonic=time.monotonic, sleep=time.sleep)
    yield sink
    await sink.close()


@pytest.fixture
async def impatient(slack: SlackDouble, time: Time) -> AsyncIterator[SlackSink]:
    """A sink that gives up a silent Slack soon."""
    sink = SlackSink(
        slack.token,
        base_url=slack.url,
        timeout=PATIENCE,
        monotonic=time.monotonic,
        sleep=time.sleep,
    )
    yield sink
    await sink.close()


async def deliver(
    sink: SlackSink, time: Time, *, attempts: int = 50, thread: Posted | None = None
) -> Posted | None:
    """The rules of an outbox in small: ambiguous is looked up, deferred is repeated."""
    since = datetime.now(UTC)
    message = alert()
    ambiguous = False
    for _ in range(attempts):
        try:
            if ambiguous:
                found = await sink.find("#newsdesk", message.delivery_id, since, thread=thread)
                if found:
                    return found
                ambiguous = False
            return await sink.post("#newsdesk", message, thread=thread)
        except Ambiguous:
            ambiguous = True
        except Deferred as error:
            await time.sleep(error.retry_after or 1.0)
    return None


@pytest.mark.parametrize("fault", [*sorted(FAULTS.keys() - {"redirect"}), "429:7"])
async def test_every_fault_ends_in_exactly_one_message(
    slack: SlackDouble, impatient: SlackSink, time: Time, fault: str
) -> None:
    """Whatever goes wrong with a post, the channel shows the alert once in the end."""
    slack.script("chat.postMessage", fault)

    posted = await deliver(impatient, time)

    assert [row["ts"] for row in slack.messages("newsdesk")] == [posted.ref if posted else None]


@pytest.mark.parametrize("fault", [*sorted(FAULTS.keys() - {"redirect"}), "429:7"])
async def test_every_fault_ends_in_exactly_one_reply(
    slack: SlackDouble, impatient: SlackSink, time: Time, fault: str
) -> None:
    """The channel's history leaves replies out: they are looked for in their thread."""
    root = await impatient.post("#newsdesk", alert(delivery_id="root"))
    slack.script("chat.postMessage", fault)

    posted = await deliver(impatient, time, thread=root)

    first, *replies = slack.messages("newsdesk")
    assert first["ts"] == root.ref
    assert [row["ts"] for row in replies] == [posted.ref if posted else None]
    assert [row["thread_ts"] for row in replies] == [root.ref]


@pytest.mark.parametrize("broadcast", [True, False])
async def test_a_reply_is_broadcast_only_where_it_is_asked_for(
    slack: SlackDouble, sink: SlackSink, broadcast: bool
) -> None:
    """Else it is seen in the thread alone."""
    root = await sink.post("#newsdesk", alert())
    await sink.post("#newsdesk", alert(delivery_id="2"), thread=root, broadcast=broadcast)

    _, reply = slack.messages("newsdesk")
    assert reply["thread_ts"] == root.ref
    assert ("subtype" in reply) is broadcast


async def test_a_reply_to_what_was_deleted_is_refused_for_good(
    slack: SlackDouble, sink: SlackSink
) -> None:
    """There is no thread any more: neither to post in nor to look into."""
    root = await sink.post("#newsdesk", alert())
    slack.delete("newsdesk", root.ref)
    with pytest.raises(Rejected, match="thread_not_found"):
        await sink.post("#newsdesk", alert(delivery_id="2"), thread=root)
    with pytest.raises(Rejected, match="thread_not_found"):
        await sink.find("#newsdesk", "2", datetime.now(UTC), thread=root)


@pytest.mark.parametrize("first", ["drop_after", "slow_after", "500_stored", "fatal_error_stored"])
@pytest.mark.parametrize("look", ["drop_before", "500", "429:3", "slow_before", "garbage"])
async def test_a_look_that_fails_is_repeated_before_anything_is_posted_again(
    slack: SlackDouble, impatient: SlackSink, time: Time, first: str, look: str
) -> None:
    """Trouble with the history never leads to a second message."""
    slack.script("chat.postMessage", first)
    slack.script("conversations.history", look)

    assert await deliver(impatient, time) is not None
    assert len(slack.messages("newsdesk")) == 1


@pytest.mark.parametrize("fault", sorted(name for name, fault in FAULTS.items() if fault.done))
async def test_a_call_that_broke_off_is_ambiguous(
    slack: SlackDouble, impatient: SlackSink, fault: str
) -> None:
    """A post that may have arrived is neither taken for shown nor for lost."""
    slack.script("chat.postMessage", fault)

    with pytest.raises(Ambiguous):
        await impatient.post("#newsdesk", alert())
    assert len([call for call in slack.calls if call.method == "chat.postMessage"]) == 1


async def test_a_history_that_lags_is_looked_at_again(
    slack: SlackDouble, sink: SlackSink, time: Time
) -> None:
    """The first look misses the message, the second finds it, seconds later."""
    slack.history_lag = 1
    slack.script("chat.postMessage", "drop_after")

    assert await deliver(sink, time) is not None
    assert len(slack.messages("newsdesk")) == 1
    assert time.slept == [3.0]


async def test_a_message_that_was_never_stored_is_not_found(
    slack: SlackDouble, sink: SlackSink
) -> None:
    """Other messages, ours among them, are not taken for it."""
    since = datetime.now(UTC)
    await sink.post("#newsdesk", alert(delivery_id="another"))
    slack.say("newsdesk", "delivery_id 1")

    assert await sink.find("#newsdesk", "1", since) is None


async def test_a_message_is_found_pages_back(slack: SlackDouble, sink: SlackSink) -> None:
    """Talk after the post does not hide it."""
    since = datetime.now(UTC)
    posted = await sink.post("#newsdesk", alert())
    for number in range(450):
        slack.say("newsdesk", f"talk {number}")

    found = await sink.find("#newsdesk", alert().delivery_id, since)

    assert found == posted
    assert len([call for call in slack.calls if call.method == "conversations.history"]) == 3


async def test_the_look_goes_back_no_further_than_the_call(
    slack: SlackDouble, sink: SlackSink
) -> None:
    """A minute before the call is enough for clocks that differ."""
    await sink.post("#newsdesk", alert())

    later = datetime.now(UTC) + timedelta(minutes=2)

    assert await sink.find("#newsdesk", alert().delivery_id, later) is None


async def test_more_history_than_can_be_read_is_no_answer(
    slack: SlackDouble, sink: SlackSink
) -> None:
    """Not having seen everything is not the same as not there."""
    for number in range(5_001):
        slack.say("newsdesk", f"talk {number}")

    with pytest.raises(Deferred, match="history_too_long"):
        await sink.find("#newsdesk", "1", datetime.now(UTC))


async def test_a_post_carries_its_delivery_id_and_unfurls_nothing(
    slack: SlackDouble, sink: SlackSink
) -> None:
    """What reconciliation needs is in the message from the start."""
    posted = await sink.post("#newsdesk", alert())

    (stored,) = slack.messages("newsdesk")
    assert posted == Posted(channel="C00000001", ref=stored["ts"])
    assert stored["metadata"] == {
        "event_type": "monitor_alert",
        "event_payload": {"delivery_id": alert().delivery_id},
    }
    assert slack.calls[0].body["unfurl_links"] is False
    assert slack.calls[0].body["unfurl_media"] is False


async def test_an_update_shows_the_new_words_and_keeps_the_delivery_id(
    slack: SlackDouble, sink: SlackSink
) -> None:
    """One message stays alive; a look still finds it."""
    since = datetime.now(UTC)
    posted = await sink.post("#newsdesk", alert())

    await sink.update(posted, alert(also=("PTI", "Dawn")))

    (stored,) = slack.messages("newsdesk")
    assert (slack.calls[-1].body["parse"], slack.calls[-1].body["link_names"]) == ("none", False)
    assert "+2 outlets: PTI, Dawn" in stored["blocks"][1]["elements"][-1]["text"]
    assert await sink.find("#newsdesk", alert().delivery_id, since) == posted


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "500", "fatal_error"])
async def test_an_update_that_broke_off_may_simply_be_repeated(
    slack: SlackDouble, sink: SlackSink, fault: str
) -> None:
    """Nothing about an update is ambiguous: the second one gives the same message."""
    posted = await sink.post("#newsdesk", alert())
    slack.script("chat.update", fault)

    with pytest.raises(Deferred):
        await sink.update(posted, alert(also=("PTI",)))
    await sink.update(posted, alert(also=("PTI",)))

    assert len(slack.messages("newsdesk")) == 1


async def test_an_update_without_an_answer_may_simply_be_repeated(
    slack: SlackDouble, sink: SlackSink, impatient: SlackSink
) -> None:
    """The same for a silent Slack."""
    posted = await sink.post("#newsdesk", alert())
    slack.script("chat.update", "slow_after")

    with pytest.raises(Deferred, match="timeout"):
        await impatient.update(posted, alert(also=("PTI",)))


async def test_a_deleted_message_can_not_be_updated(slack: SlackDouble, sink: SlackSink) -> None:
    """Whether it is shown anew is the caller's decision."""
    posted = await sink.post("#newsdesk", alert())
    slack.delete("newsdesk", posted.ref)

    with pytest.raises(Rejected, match="message_not_found"):
        await sink.update(posted, alert())


@pytest.mark.parametrize("code", ["cant_update_message", "edit_window_closed"])
async def test_a_workspace_that_forbids_edits_rejects_updates(
    slack: SlackDouble, sink: SlackSink, code: str
) -> None:
    """The message stays as it was."""
    posted = await sink.post("#newsdesk", alert())
    slack.script("chat.update", f"error:{code}")

    with pytest.raises(Rejected, match=code):
        await sink.update(posted, alert())


@pytest.mark.parametrize("code", ["invalid_blocks", "msg_blocks_too_long", "msg_too_long"])
async def test_refused_blocks_become_plain_text_at_once(
    slack: SlackDouble, sink: SlackSink, code: str
) -> None:
    """People read a plain message rather than none; it can still be found."""
    slack.script("chat.postMessage", f"error:{code}")

    posted = await sink.post("#newsdesk", alert())

    (stored,) = slack.messages("newsdesk")
    assert stored["blocks"] == []
    assert stored["text"].startswith("<https://news.example.org/2025/05/10/ceasefire|India and")
    assert await sink.find("#newsdesk", alert().delivery_id, datetime.now(UTC)) == posted


async def test_plain_text_is_tried_once(slack: SlackDouble, sink: SlackSink) -> None:
    """A second refusal is final, and says what Slack said."""
    slack.script("chat.postMessage", "error:invalid_blocks", "error:invalid_blocks")

    with pytest.raises(Rejected, match="invalid_blocks"):
        await sink.post("#newsdesk", alert())
    assert slack.messages() == []


async def test_refused_metadata_is_left_out(slack: SlackDouble, sink: SlackSink) -> None:
    """An alert that can't be found again is better than none."""
    slack.script("chat.postMessage", "error:metadata_too_large")

    await sink.post("#newsdesk", alert())

    (stored,) = slack.messages("newsdesk")
    assert "metadata" not in stored
    assert stored["blocks"] != []


async def test_an_unknown_channel_is_closed(slack: SlackDouble, sink: SlackSink) -> None:
    """Its queue waits until somebody has corrected the name or invited the bot."""
    with pytest.raises(Closed, match="channel_not_found"):
        await sink.post("#nowhere", alert())


async def test_a_closed_channel_may_be_open_again_at_once(
    slack: SlackDouble, sink: SlackSink
) -> None:
    """Nobody asked for a pause; and what is wrong with it is said each time, not "rate limited"."""
    slack.change_channel("newsdesk", archived=True)
    for _ in range(2):
        with pytest.raises(Closed, match="is_archived"):
            await sink.post("#newsdesk", alert())

    slack.change_channel("newsdesk", archived=False)
    await sink.post("#newsdesk", alert())
    assert len(slack.messages("newsdesk")) == 1


async def test_an_archived_channel_is_closed(slack: SlackDouble, sink: SlackSink) -> None:
    """Its queue waits until somebody has opened it again, or named another."""
    slack.change_channel("newsdesk", archived=True)

    with pytest.raises(Closed, match="is_archived"):
        await sink.post("#newsdesk", alert())


async def test_a_bad_token_stops_the_sink(slack: SlackDouble, time: Time) -> None:
    """It is nobody's alert that is wrong, so none is thrown away."""
    sink = SlackSink("xoxb-wrong", base_url=slack.url, sleep=time.sleep)
    try:
        with pytest.raises(Stopped, match="invalid_auth"):
            await sink.post("#newsdesk", alert())
        with pytest.raises(Stopped, match="invalid_auth"):
            await sink.check()
    finally:
        await sink.close()


async def test_a_refused_connection_is_no_ambiguity(slack: SlackDouble, sink: SlackSink) -> None:
    """Nothing was sent: the alert can be sent again without a look."""
    await slack.stop()

    with pytest.raises(Deferred, match="connect"):
        await sink.post("#newsdesk", alert())


async def test_a_restarted_slack_is_used_again(slack: SlackDouble, sink: SlackSink) -> None:
    """An outage leaves nothing behind in the sink."""
    await slack.stop()
    with pytest.raises(Deferred):
        await sink.post("#newsdesk", alert())

    await slack.start()
    await sink.post("#newsdesk", alert())

    assert len(slack.messages("newsdesk")) == 1


async def test_retry_after_is_waited_out_for_that_channel_alone(
    slack: SlackDouble, sink: SlackSink, time: Time
) -> None:
    """While the pause runs no request is made for that channel; others are served."""
    slack.add_channel("ops")
    slack.script("chat.postMessage", "429:7")
    with pytest.raises(Deferred) as first:
        await sink.post("#newsdesk", alert())
    assert first.value.retry_after == 7

    await time.sleep(5)
    with pytest.raises(Deferred) as second:
        await sink.post("#newsdesk", alert())
    assert second.value.retry_after == pytest.approx(2, abs=0.1)
    await sink.post("#ops", alert())
    assert len(slack.calls) == 2

    await time.sleep(2)
    await sink.post("#newsdesk", alert())
    assert len(slack.messages("newsdesk")) == 1


async def test_posts_go_out_at_one_a_second_and_channel(
    slack: SlackDouble, sink: SlackSink, time: Time
) -> None:
    """Slack's own limit; another channel does not wait."""
    slack.add_channel("ops")

    for _ in range(3):
        await sink.post("#newsdesk", alert())
    await sink.post("#ops", alert())

    assert time.slept == [1.0, 1.0]


async def test_whether_a_message_is_still_ours_is_asked_right_before_it_is_posted(
    slack: SlackDouble, sink: SlackSink, time: Time
) -> None:
    """A message waits for its turn and its picture, and may be another process's meanwhile."""
    await sink.post("#newsdesk", alert())
    sink.may_post = lambda: not time.slept
    with pytest.raises(Deferred, match="away"):
        await sink.post("#newsdesk", alert(delivery_id="2"))
    assert time.slept == [1.0]
    assert [call.method for call in slack.calls].count("chat.postMessage") == 1


async def test_a_rate_limited_channel_takes_all_in_the_end(time: Time) -> None:
    """Paced as Slack asks, sixty alerts meet no refusal."""
    async with SlackDouble(rate_limited=True, monotonic=time.monotonic) as slack:
        slack.add_channel("newsdesk")
        sink = SlackSink(
            slack.token, base_url=slack.url, monotonic=time.monotonic, sleep=time.sleep
        )
        for number in range(60):
            await sink.post("#newsdesk", alert(delivery_id=str(number)))
        await sink.close()

    assert [call.error for call in slack.calls] == [""] * 60


async def test_a_private_channel_is_found_by_name_on_a_later_page(
    slack: SlackDouble, sink: SlackSink
) -> None:
    """After a restart nothing is cached: names are looked up, archived ones left out."""
    for number in range(1_100):
        slack.add_channel(f"room-{number}", archived=number % 50 == 0)
    place = slack.add_channel("south-asia", private=True)
    other = SlackSink(slack.token, base_url=slack.url, second_look=0)
    since = datetime.now(UTC)
    posted = await other.post("#south-asia", alert())
    await other.close()

    assert posted.channel == place
    assert await sink.find("#south-asia", alert().delivery_id, since) == posted
    assert len([call for call in slack.calls if call.method == "conversations.list"]) == 2


async def test_a_channel_that_nobody_knows_is_closed_to_find(sink: SlackSink) -> None:
    """The name is wrong, not the time."""
    with pytest.raises(Closed, match="channel_not_found"):
        await sink.find("#nowhere", "1", datetime.now(UTC))


async def test_find_says_that_it_can_not_look(time: Time) -> None:
    """A missing scope and a missing membership stop the queue instead of posting twice."""
    async with SlackDouble(scopes=("chat:write", "channels:read", "groups:read")) as slack:
        slack.add_channel("newsdesk")
        sink = SlackSink(slack.token, base_url=slack.url, sleep=time.sleep)
        with pytest.raises(Stopped, match="missing_scope: needed channels:history"):
            await sink.find("#newsdesk", "1", datetime.now(UTC))
        slack.scopes = SCOPES
        slack.change_channel("newsdesk", member=False)
        with pytest.raises(Stopped, match="not_in_channel: can't read #newsdesk: invite the bot"):
            await sink.find("#newsdesk", "1", datetime.now(UTC))
        await sink.close()


async def test_a_public_channel_needs_no_membership_to_be_written_to(
    slack: SlackDouble, sink: SlackSink
) -> None:
    """That is what chat:write.public is for."""
    slack.add_channel("world", member=False)

    await sink.post("#world", alert())

    assert len(slack.messages("world")) == 1


async def test_check_tells_who_we_are_and_what_is_missing(time: Time) -> None:
    """An operator learns of missing scopes at start-up, not at the first outage."""
    granted = ("chat:write", "channels:read", "groups:read")
    async with SlackDouble(scopes=granted) as slack:
        slack.add_channel("newsdesk")
        slack.add_channel("world", member=False)
        sink = SlackSink(slack.token, base_url=slack.url, sleep=time.sleep)
        identity = await sink.check("#newsdesk", "#world", "#nowhere")
        await sink.close()

    assert (identity.team, identity.user) == ("Double", "monitor")
    assert identity.scopes == set(granted)
    assert identity.missing == (
        "chat:write.public",
        "channels:history",
        "groups:history",
        "files:write",
    )
    assert identity.unknown == ("#nowhere",)
    assert identity.unreadable == ("#world",)


@pytest.mark.parametrize("lacking", ["channels:read", "groups:read"])
async def test_check_says_what_is_missing_where_no_channel_can_be_looked_at(lacking: str) -> None:
    """A missing scope is no trouble of the token's: the app is installed again with the others."""
    async with SlackDouble(scopes=tuple(each for each in SCOPES if each != lacking)) as slack:
        slack.add_channel("newsdesk", member=False)
        sink = SlackSink(slack.token, base_url=slack.url)
        identity = await sink.check("#newsdesk", "#nowhere")
        await sink.close()

    assert identity.missing == (lacking,)
    assert (identity.unknown, identity.unreadable) == ((), ())


async def test_nothing_that_is_raised_or_logged_holds_the_token(
    slack: SlackDouble, impatient: SlackSink, caplog: pytest.LogCaptureFixture
) -> None:
    """Errors end up in the database, on the page and in Slack itself."""
    caplog.set_level(logging.DEBUG)
    errors: list[AlertError] = []
    for fault in [*FAULTS, "error:invalid_auth", "error:channel_not_found"]:
        slack.script("chat.postMessage", fault)
        try:
            await impatient.post("#newsdesk", alert())
        except AlertError as error:
            errors.append(error)
    await slack.stop()
    with pytest.raises(Deferred) as refused:
        await impatient.post("#newsdesk", alert())
    errors.append(refused.value)

    assert len(errors) == len(FAULTS) + 3
    for error in errors:
        assert error.__cause__ is None
        assert error.__context__ is None
        assert slack.token not in "".join(traceback.format_exception(error))
    assert slack.token not in caplog.text


async def test_the_proxy_of_the_environment_is_not_used(
    slack: SlackDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK would take it and ignore NO_PROXY; the configuration alone decides."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    sink = SlackSink(slack.token, base_url=slack.url)

    await sink.post("#newsdesk", alert())
    await sink.close()

    assert len(slack.messages("newsdesk")) == 1


async def test_a_card_is_posted_like_an_alert(slack: SlackDouble, sink: SlackSink) -> None:
    """The ops channel uses the same path, delivery id included."""
    since = datetime.now(UTC)
    posted = await sink.post("#newsdesk", Card(delivery_id="n1", title="<Dawn> is silent"))

    (stored,) = slack.messages("newsdesk")
    assert stored["blocks"][0]["elements"][0]["elements"][0]["text"] == "<Dawn> is silent"
    assert stored["text"] == "&lt;Dawn&gt; is silent"
    assert await sink.find("#newsdesk", "n1", since) == posted


async def test_whatever_publishers_write_arrives_as_they_wrote_it(
    slack: SlackDouble, sink: SlackSink, corpus: Path
) -> None:
    """Real titles with Slack's characters, and the big list of naughty strings: none is refused,
    none is sent without its blocks, and all are words.
    """
    words = [word for word in hostile(corpus) if clean(word)]
    for number, word in enumerate(words):
        said = line(word, quote=True)
        await sink.post("#newsdesk", alert(delivery_id=f"a{number}", headline=word))
        await sink.post("#newsdesk", Card(delivery_id=f"c{number}", title=word, lines=(said,)))

    shown = [
        row["blocks"][0]["elements"][0]["elements"][0]["text"].translate(ISOLATES)
        for row in slack.messages("newsdesk")
    ]
    written = [shorten(clean(word), 300).translate(ISOLATES) for word in words for _ in range(2)]
    assert shown == written


CHART = Card(delivery_id="d", title="Digest", image=Image(png=b"\x89PNG...", alt="mentions a day"))


def kinds(message: dict[str, Any]) -> list[str]:
    """The blocks of a message."""
    return [block["type"] for block in message["blocks"]]


async def test_a_picture_is_uploaded_and_shown(slack: SlackDouble, sink: SlackSink) -> None:
    """As a file that only the message shows; an edit brings its own."""
    posted = await sink.post("#newsdesk", CHART)
    await sink.update(posted, CHART)

    (stored,) = slack.messages("newsdesk")
    assert kinds(stored) == ["rich_text", "image"]
    assert stored["blocks"][1] == {
        "type": "image",
        "slack_file": {"id": "F00000002"},
        "alt_text": "mentions a day",
    }
    assert [file["content"] for file in slack.files.values()] == [b"\x89PNG..."] * 2


@pytest.mark.parametrize("step", ["files.getUploadURLExternal", "files.completeUploadExternal"])
@pytest.mark.parametrize("fault", ["error:missing_scope", "500", "drop_after", "429:30"])
async def test_a_picture_is_never_worth_the_message(
    slack: SlackDouble, sink: SlackSink, step: str, fault: str
) -> None:
    """Whatever goes wrong with it, the words are shown."""
    slack.script(step, fault)
    await sink.post("#newsdesk", CHART)

    (stored,) = slack.messages("newsdesk")
    assert kinds(stored) == ["rich_text"]


@pytest.mark.parametrize(("lag", "shown"), [(1, True), (2, True), (3, False)])
async def test_a_picture_that_slack_does_not_know_yet_is_waited_for(
    slack: SlackDouble, sink: SlackSink, time: Time, lag: int, shown: bool
) -> None:
    """Some seconds, then the words go without it, in their form; never twice."""
    slack.file_lag, began = lag, time.at
    await sink.post("#newsdesk", CHART)

    (stored,) = slack.messages("newsdesk")
    assert kinds(stored) == ["rich_text", "image"][: 1 + shown]
    assert 1.0 <= time.at - began <= 10.0


async def test_blocks_that_slack_refuses_for_another_reason_go_without_a_picture(
    slack: SlackDouble, sink: SlackSink
) -> None:
    """The words keep their form."""
    slack.script("chat.postMessage", "error:invalid_blocks")
    await sink.post("#newsdesk", CHART)

    (stored,) = slack.messages("newsdesk")
    assert kinds(stored) == ["rich_text"]


@pytest.mark.parametrize(
    ("status", "data", "kind"),
    [
        (429, {}, Deferred),
        (200, {"error": "rate_limited"}, Deferred),
        (200, {"error": "message_limit_exceeded"}, Deferred),
        (503, {"error": "service_unavailable"}, Deferred),
        (200, {"error": "fatal_error"}, Ambiguous),
        (500, {"error": "internal_error"}, Ambiguous),
        (500, {"error": "something_new"}, Ambiguous),
        (503, "<html>", Ambiguous),
        (200, None, Ambiguous),
        (200, {}, Ambiguous),
        (200, {"error": "token_revoked"}, Stopped),
        (200, {"error": "ekm_access_denied"}, Stopped),
        (407, {}, Stopped),
        (200, {"error": "restricted_action_read_only_channel"}, Closed),
        (200, {"error": "restricted_action_thread_only_channel"}, Closed),
        (200, {"error": "messages_tab_disabled"}, Closed),
        (200, {"error": "something_new"}, Rejected),
    ],
)
def test_answers_are_classed_by_what_to_do(
    status: int, data: object, kind: type[AlertError]
) -> None:
    """The table of error codes as the outbox sees it."""
    assert type(refusal(status, data, None)) is kind


def test_a_refusal_says_what_slack_said() -> None:
    """Enough to act on: the scope that is missing, the block that is wrong."""
    data = {
        "error": "invalid_blocks",
        "response_metadata": {"messages": ["[ERROR] missing field [json-pointer:/blocks/0/text]"]},
    }
    assert str(refusal(200, data, None)).endswith("[json-pointer:/blocks/0/text]")


async def test_each_call_is_told_with_what_it_met(slack: SlackDouble, time: Time) -> None:
    """By method and code, for a metric; a pause that runs is no call."""
    heard: list[tuple[str, str]] = []
    sink = SlackSink(
        slack.token,
        base_url=slack.url,
        heard=lambda *each: heard.append(each),
        monotonic=time.monotonic,
        sleep=time.sleep,
    )
    slack.script("chat.postMessage", "429:30")
    with pytest.raises(Deferred):
        await sink.post("#newsdesk", alert())
    with pytest.raises(Deferred):
        await sink.post("#newsdesk", alert())
    await time.sleep(31)
    await sink.post("#newsdesk", alert())
    await sink.close()
    assert heard == [("chat.postMessage", "ratelimited"), ("chat.postMessage", "ok")]
