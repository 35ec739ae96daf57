"""What the composition root decides."""

from __future__ import annotations

import asyncio
import sys

import pytest
import structlog

from alerts import Card, Stopped
from alerts.memory import MemorySink
from monitor import telemetry, volume
from monitor.config import load
from monitor.engine.local import Alone
from monitor.errors import StorageError
from monitor.model import DeliveryState, Hit, Job, Kind, Span
from monitor.parts import Pace, rules_of, sink_of
from monitor.pipeline.ops import note_sink
from monitor.ports import Role
from monitor.service import assembled
from tests.contracts.material import LEASE, NOW, given_story
from tests.fakes import FakeClock

WEBHOOK = "https://hooks.slack.com/services/T0/B0/never-print-me"
WATCHES = """
[[watch]]
name = "Truce"
terms = ["ceasefire"]
channel = "#asia"
[[watch]]
name = "Talks"
terms = ["ceasefire"]
"""


@pytest.mark.parametrize(
    ("slack", "env", "channel"),
    [
        ("", {}, "terminal"),
        ('[slack]\nchannel = "#news"\n', {}, "terminal"),
        ("", {"SLACK_WEBHOOK_URL": WEBHOOK}, "webhook"),
        ('[slack]\nchannel = "#news"\n', {"SLACK_WEBHOOK_URL": WEBHOOK}, "#news"),
    ],
)
async def test_what_shows_all_in_one_place_shows_a_story_once(tmp_path, slack, env, channel):
    """Neither a terminal nor a webhook has channels: a watch's own is not used."""
    path = tmp_path / "feeds.toml"
    path.write_text(slack + WATCHES)
    settings = load(path, env)
    sink = sink_of(settings, sys.stdout)
    rules = rules_of(settings, Pace(), sink)
    assert {rules.channel_of("Truce"), rules.channel_of("Talks")} == {channel}
    await sink.close()


async def test_what_is_told_of_a_rejected_query_is_a_line_without_a_picture(tmp_path):
    """The page and Slack have no columns that a caret could stand below."""
    path = tmp_path / "feeds.toml"
    path.write_text(WATCHES)
    env = {"MONITOR_DATABASE_URL": f"sqlite:///{tmp_path / 'monitor.db'}"}
    async with assembled(load(path, env)) as service:
        broken = "[[watch]]\nname = 'Fire'\nquery = 'a hint: NEAR/ b'\n[[watch]]\nname = ''\n"
        path.write_text(broken + WATCHES)
        assert not await service.reload(path, env)
        told = (service.config_error() or "").splitlines()
    assert told[0].removeprefix(f"{path}:") == (
        '3:18: watch "Fire": query: NEAR needs a number after "/" (hint: write NEAR/5 for at most'
        " five words between; NEAR alone means NEAR/4)"
    )
    assert all(line.startswith(f"{path}:") for line in told)


async def test_an_edit_that_asks_for_less_has_what_waited_told(tmp_path):
    """Nobody has to wait for one more report."""
    path = tmp_path / "feeds.toml"
    env = {"MONITOR_DATABASE_URL": f"sqlite:///{tmp_path / 'monitor.db'}"}
    path.write_text(WATCHES + "min_publishers = 2\n")
    async with assembled(load(path, env)) as service:
        await given_story(service.store)
        await service.store.write(lambda tx: tx.sync_watches(service.settings.watches, NOW))
        spans = (Span(field="title", start=0, end=9, term="ceasefire"),)

        def wait(tx) -> None:
            tx.set_hits(1, [Hit(watch="Talks", spans=spans)], NOW)
            tx.hold(1, "Talks", "1 of 2 publishers", NOW)

        await service.store.write(wait)
        path.write_text(WATCHES + "# but why?\n")
        assert await service.reload(path, env)
        assert await service.store.read(lambda tx: tx.held_stories()) == []


async def test_what_goes_wrong_beside_the_work_is_logged(tmp_path, monkeypatch):
    """A look at the archive that breaks off is no secret, and stops nothing."""

    async def broken(*_, **__):
        raise RuntimeError("cannot start new thread")

    monkeypatch.setattr(volume, "too_broad", broken)
    path = tmp_path / "feeds.toml"
    path.write_text(f'[monitor]\ndatabase = "sqlite:///{tmp_path}/monitor.db"\n{WATCHES}')
    async with assembled(load(path, {})) as service:
        with structlog.testing.capture_logs() as logged:
            service._look_back()
            await asyncio.wait(service._looking)
            await asyncio.sleep(0)
    assert [line["error"] for line in logged if line["event"] == "look.crashed"] == [
        "cannot start new thread"
    ]
    assert not service._looking


async def test_operators_are_told_once_of_a_watch_that_is_too_broad(tmp_path, monkeypatch):
    """At the start, every day, and after an edit of it; not each time."""
    asked = []

    async def broad(settings, reports, now, *, but=()):
        asked.append(list(but))
        return {
            watch.name: settings.remark(watch.name, "is too broad")
            for watch in settings.watches
            if watch not in but and "said" in watch.terms
        }

    monkeypatch.setattr(volume, "too_broad", broad)
    path = tmp_path / "feeds.toml"
    path.write_text(WATCHES)
    env = {"MONITOR_DATABASE_URL": f"sqlite:///{tmp_path / 'monitor.db'}"}
    async with assembled(load(path, env)) as service:
        told = []

        async def tell(about, card, *, ends=False):
            if about == "watches":
                told.extend(part.text for each in card.lines for part in each.parts)

        monkeypatch.setattr(service.operators, "tell", tell)
        for terms in ('["said"]', '["said"]', '["said", "more"]'):
            path.write_text(f'{WATCHES}[[watch]]\nname = "All"\nterms = {terms}\n')
            assert await service.reload(path, env)
            service._look_back()
            await asyncio.wait(service._looking)
    assert len(told) == 2
    assert all(text.endswith('feeds.toml:9:1: watch "All": is too broad') for text in told), told
    assert [] in asked


async def test_each_minute_gauges_count_all_messages_and_what_is_over_goes(tmp_path):
    """Notices beside deliveries; a story that waited for a fortnight waits no more."""
    path = tmp_path / "feeds.toml"
    env = {"MONITOR_DATABASE_URL": f"sqlite:///{tmp_path / 'monitor.db'}"}
    path.write_text(WATCHES)
    clock = FakeClock()
    async with assembled(load(path, env), clock=clock) as service:
        story, now = await given_story(service.store), clock.now()
        await service.store.write(lambda tx: tx.sync_watches(service.settings.watches, now))

        def say(tx) -> None:
            tx.hold(story, "Talks", "1 of 2 publishers", now)
            tx.tell("#ops", "spike:old", Card(title="Spike"), now)
            tx.finish_notice(tx.claim_due("#ops", now, LEASE).id, DeliveryState.DEAD, now)

        await service.store.write(say)
        await service._maintain()
        assert telemetry.OUTBOX.labels("notice", "dead")._value.get() == 1
        assert telemetry.OUTBOX.labels("delivery", "dead")._value.get() == 0
        assert await service.store.read(lambda tx: tx.held_stories()) == [story]
        clock.advance(days=15)
        await service._maintain()
        assert await service.store.read(lambda tx: tx.held_stories()) == []
        assert await service.store.read(lambda tx: tx.told("#ops", "spike:old")) is not None
        clock.advance(days=80)
        await service._maintain()
        assert await service.store.read(lambda tx: tx.told("#ops", "spike:old")) is None


async def test_who_keeps_the_clock_no_more_counts_nothing(tmp_path):
    """What it counted last would hide what the next one counts."""
    path = tmp_path / "feeds.toml"
    env = {"MONITOR_DATABASE_URL": f"sqlite:///{tmp_path / 'monitor.db'}"}
    path.write_text(WATCHES)
    async with assembled(load(path, env)) as service:
        await service._maintain()
        assert telemetry.REGISTRY.get_sample_value("monitor_feeds", {"health": "live"}) == 0
        assert telemetry.REGISTRY.get_sample_value("monitor_leader") == 1
        service.member = Follower()
        await service._maintain()
        assert telemetry.REGISTRY.get_sample_value("monitor_feeds", {"health": "live"}) is None
        assert telemetry.REGISTRY.get_sample_value("monitor_leader") == 0


async def test_that_slack_refuses_us_is_known_whatever_a_process_does(tmp_path, postgres_url):
    """Who sends finds out; the page says so, and who keeps the clock tells Prometheus. And the end."""
    path = tmp_path / "feeds.toml"
    path.write_text(WATCHES)
    settings = load(path, {"MONITOR_DATABASE_URL": postgres_url})
    sink = MemorySink()
    async with (
        assembled(settings, role=Role.ALERTS, sink=sink) as alerts,
        assembled(settings, role=Role.WEB) as web,  # has no token: its own sink is another
        assembled(settings, role=Role.SCHEDULER) as scheduler,
    ):
        scheduler.member = Alone()
        now = alerts.clock.now()
        await alerts.store.write(lambda tx: tx.tell("#ops", "spike:x", Card(title="Spike"), now))
        sink.fail(Stopped("invalid_auth"))
        await alerts.pipeline.run(Job(Kind.DELIVER, "#ops"))
        assert web.sink_problem() is None
        for service in (web, scheduler):
            await service._maintain()
            assert service.sink_problem() == f"{sink.name}: invalid_auth"
        assert telemetry.REGISTRY.get_sample_value("monitor_sink_stopped") == 1
        await note_sink(alerts.pipeline.context, None)
        await web.read_trouble()
        await scheduler._maintain()
        assert web.sink_problem() is scheduler.sink_problem() is None
        assert telemetry.REGISTRY.get_sample_value("monitor_sink_stopped") == 0


async def test_the_page_hears_soon_of_what_who_sends_found_out(tmp_path, monkeypatch):
    """Not only once a minute; a database that is away for a moment ends nothing."""
    monkeypatch.setattr("monitor.service.LOOK_AT_SINK", 0.001)
    path = tmp_path / "feeds.toml"
    path.write_text(WATCHES)
    env = {"MONITOR_DATABASE_URL": f"sqlite:///{tmp_path / 'monitor.db'}"}
    async with assembled(load(path, env)) as service:
        reads = iter([StorageError("away")])
        was_read = asyncio.Event()

        async def read(work, *, real=service.store.read):
            for error in reads:
                raise error
            found = await real(work)
            was_read.set()
            return found

        service.store.read = read
        await service.store.write(lambda tx: tx.note_sink("slack", "invalid_auth", NOW))
        looking = asyncio.create_task(service._watch_sink())
        async with asyncio.timeout(10):
            await was_read.wait()
        looking.cancel()
        assert service.sink_problem() == "slack: invalid_auth"


class Follower(Alone):
    """One of many, of which another leads."""

    is_leader = False
