"""What programs read: health, readiness, status, metrics."""

from __future__ import annotations

import json

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from monitor import telemetry
from monitor.errors import StorageError
from monitor.web.health import alive, ready
from tests.web.browser import browsing
from tests.web.samples import FixedHealth, MemoryReports, lifelike


async def test_health_follows_the_tick():
    """Dead before the first tick, alive while it ticks, dead again when it stops, alive at once."""
    health = FixedHealth(age=None)
    async with browsing(health=health) as browser:
        seen = []
        for health.age in (None, 0.2, 3.0, 3.1, 600.0, 0.1):
            answer = await browser.get("/healthz")
            seen.append((answer.status, json.loads(answer.text)["ok"]))
    assert seen == [(503, False), (200, True), (200, True), (503, False), (503, False), (200, True)]


async def test_the_limit_of_the_tick_is_a_setting():
    """A slower clockwork gets a longer limit, and the reason names both."""
    async with browsing(health=FixedHealth(age=12.34), stale_after=10) as browser:
        answer = await browser.get("/healthz")
    assert answer.status == 503
    assert json.loads(answer.text) == {
        "ok": False,
        "reason": "The scheduler last ticked 12.3 s ago; 10 s is the limit.",
    }


async def test_health_asks_neither_the_database_nor_the_sink():
    """A broken database or token is no reason to start the process again."""
    reports = MemoryReports(error=StorageError("gone"))
    health = FixedHealth(problem="Slack: invalid_auth", up=(False, "no database"))
    async with browsing(reports, health) as browser:
        assert (await browser.get("/healthz")).status == 200
    assert reports.asked == []


@pytest.mark.parametrize(
    ("stuck", "status", "reason"),
    [
        (None, 200, "The process is alive."),
        (299.0, 200, "The process is alive."),
        (301.0, 503, "A tick has been stuck for 301 s; 300 s is the limit."),
    ],
)
async def test_who_only_waits_for_the_database_is_alive(
    stuck: float | None, status: int, reason: str
):
    """So long as ticks are tried, however long ago one reached it: a new start would not mend that."""
    health = FixedHealth(age=3600, up=(False, "Nothing can be stored"), stuck=stuck)
    async with browsing(health=health) as browser:
        answer = await browser.get("/livez")
        assert (await browser.get("/healthz")).status == 503
    assert (answer.status, json.loads(answer.text)["reason"]) == (status, reason)


@pytest.mark.parametrize(
    ("health", "status", "reason"),
    [
        (FixedHealth(), 200, "The scheduler ticked 0.4 s ago."),
        (FixedHealth(up=(False, "The service is starting.")), 503, "The service is starting."),
        (FixedHealth(up=(False, "")), 503, "The service is not up yet."),
        (FixedHealth(age=None), 503, "The scheduler has not ticked yet."),
    ],
)
async def test_readiness_needs_the_service_and_its_clockwork(
    health: FixedHealth, status: int, reason: str
):
    """Ready means up and ticking; otherwise the first thing missing is named."""
    async with browsing(health=health) as browser:
        answer = await browser.get("/readyz")
    assert answer.status == status
    assert json.loads(answer.text) == {"ok": status == 200, "reason": reason}


def test_ready_is_never_truer_than_alive():
    """A service that is not alive is not ready."""
    for age in (None, 0.0, 2.9, 3.1):
        health = FixedHealth(age=age)
        assert ready(health, 3).ok == alive(age, 3).ok


async def test_status_counts_and_names_what_is_wrong():
    """One JSON object holds the health, the counts, the age of the outbox and the broken feeds."""
    health = FixedHealth(mistakes="feeds.toml:1:1: no", problem="Slack: invalid_auth")
    async with browsing(lifelike(), health) as browser:
        answer = await browser.get("/status")
    said = json.loads(answer.text)
    assert answer.status == 200
    assert said["version"] == "0.1.0"
    assert said["now"] == "2025-05-10T12:00:00+00:00"
    assert said["health"]["ok"] is said["ready"]["ok"] is True
    assert said["config_error"] == "feeds.toml:1:1: no"
    assert said["sink_problem"] == "Slack: invalid_auth"
    assert said["counts"]["feeds"] == {
        "live": 4, "silent": 1, "failing": 1, "challenged": 1, "gone": 1, "new": 1,
    }  # fmt: skip
    assert said["counts"]["oldest_waiting_seconds"] == 14 * 60
    assert said["counts"]["last_poll_at"] == "2025-05-10T11:59:54+00:00"
    engine = said["engine"]
    assert (engine["role"], engine["is_leader"], engine["processes"]) == ("all", True, 1)
    assert engine["jobs"]["poll"] == {
        "queued": 0, "running": 0, "stalled": 0, "oldest_seconds": 0.0,
    }  # fmt: skip
    broken = said["feeds_in_trouble"]
    assert [feed["name"] for feed in broken] == [
        "Frontier Gazette",
        "Coastline Broadcasting",
        "Valley Radio (old address)",
        "Indus Mirror",
    ]
    assert (broken[0]["health"], broken[3]["health"]) == ("failing", "silent")
    assert broken[0]["error"] == "timeout: no answer within 30 s"


async def test_status_without_a_database_still_says_what_it_can():
    """With the database away, status is 503 and tells health and the reason, without secrets."""
    reports = MemoryReports(error=StorageError("no answer from postgresql://a:hunter2@db/x"))
    async with browsing(reports) as browser:
        answer = await browser.get("/status")
    said = json.loads(answer.text)
    assert answer.status == 503
    assert said["health"]["ok"] is True
    assert said["storage_problem"] == "no answer from postgresql://***@db/x"
    assert "counts" not in said


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    Counter("monitor_polls", "Polls", ["outcome"], registry=registry).labels("ok").inc(3)
    Gauge("monitor_depth", "Depth", registry=registry).set(2.5)
    return registry


async def test_metrics_are_prometheus_text():
    """Prometheus' own parser reads the answer, and finds what was counted."""
    async with browsing(registry=_registry()) as browser:
        answer = await browser.get("/metrics", Accept="*/*")
    samples = {s.name: s.value for family in parse_text(answer.text) for s in family.samples}
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert samples["monitor_polls_total"] == 3
    assert samples["monitor_depth"] == 2.5


async def test_metrics_are_openmetrics_when_asked_for():
    """A scraper that prefers OpenMetrics gets it, with its content type and end mark."""
    accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2"
    async with browsing(registry=_registry()) as browser:
        answer = await browser.get("/metrics", Accept=accept)
    names = {family.name for family in parse_openmetrics(answer.text)}
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert {"monitor_polls", "monitor_depth"} <= names
    assert answer.text.endswith("# EOF\n")


async def test_metrics_answer_without_the_database():
    """A scrape costs the database nothing and works when it is away."""
    reports = MemoryReports(error=StorageError("gone"))
    async with browsing(reports, registry=telemetry.REGISTRY) as browser:
        answer = await browser.get("/metrics", Accept="*/*")
    assert answer.status == 200
    assert reports.asked == []
    assert any(family.name == "monitor_feeds" for family in parse_text(answer.text))
