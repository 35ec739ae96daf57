"""Manners: one request at a time to a host, with a pause between two."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta

import pytest

from monitor.errors import Code, Transient
from monitor.fetch import politeness
from monitor.fetch.politeness import PoliteFetcher
from monitor.ports import NotModified


class Wire:
    """A fetcher that writes down when each request begins and how many are under way a host."""

    def __init__(self, clock, *, error: Exception | None = None) -> None:
        self.clock = clock
        self.error = error
        self.begun: list[tuple[str, float]] = []
        self.under_way = 0
        self.most = 0

    async def get(self, url, **_):
        self.begun.append((url, self.clock.now().timestamp()))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        if self.error:
            raise self.error
        return NotModified()


def fetch(polite, url):
    return polite.get(url, accept="*/*", max_bytes=1)


async def test_requests_to_one_host_keep_their_distance(clock):
    """The next request to a host begins a spacing after the one before has ended."""
    wire = Wire(clock)
    polite = PoliteFetcher(wire, clock, spacing=timedelta(seconds=2))
    await asyncio.gather(*(fetch(polite, f"http://Example.test/{n}") for n in range(3)))
    times = [when for _, when in wire.begun]
    assert [round(b - a) for a, b in itertools.pairwise(times)] == [2, 2]
    assert wire.most == 1


async def test_how_long_servers_took_counts_no_pause_of_ours(clock, monkeypatch):
    """Each request takes a second here, by a clock that looks on twice: 60 s of pause are no part."""
    monkeypatch.setattr(politeness, "monotonic", itertools.count().__next__)
    polite = PoliteFetcher(Wire(clock), clock, spacing=timedelta(seconds=60))
    before = politeness.answer_time()
    for _ in range(3):
        await fetch(polite, "http://example.test/")
    assert clock.slept == [60, 60]
    assert politeness.answer_time() - before == 3


async def test_other_hosts_do_not_wait(clock):
    """Only a host's own requests are held back."""
    wire = Wire(clock)
    polite = PoliteFetcher(wire, clock, spacing=timedelta(seconds=60))
    await asyncio.gather(*(fetch(polite, f"http://host{n}.test/") for n in range(5)))
    assert clock.slept == []
    assert wire.most > 1


async def test_a_failed_request_counts_too(clock):
    """A server in trouble is not asked again at once."""
    polite = PoliteFetcher(
        Wire(clock, error=Transient(Code.TIMEOUT, "")), clock, spacing=timedelta(seconds=3)
    )
    for _ in range(2):
        with pytest.raises(Transient):
            await fetch(polite, "http://example.test/")
    assert clock.slept == [3.0]


async def test_a_site_may_ask_for_a_longer_pause(clock):
    """Its own wish lengthens the operator's spacing for its host, never shortens it."""
    wire = Wire(clock)
    wishes = {"slow.test": timedelta(seconds=10), "quick.test": timedelta(seconds=1)}
    polite = PoliteFetcher(
        wire,
        clock,
        spacing=timedelta(seconds=2),
        delay_of=lambda url: wishes[url.split("/")[2]],
    )
    for url in ("http://slow.test/", "http://quick.test/") * 2:
        await fetch(polite, url)
    assert clock.slept == [10.0]
    await fetch(polite, "http://quick.test/")
    assert clock.slept == [10.0, 2.0]


async def test_what_is_heard_of_the_wish_meanwhile_counts(clock):
    """robots.txt itself is the first that is asked for: what it says holds from then on."""
    wire = Wire(clock)
    polite = PoliteFetcher(wire, clock, spacing=timedelta(seconds=1))

    async def get(url, **_):
        polite.delay_of = lambda _: timedelta(seconds=5)
        return NotModified()

    wire.get = get
    for _ in range(2):
        await fetch(polite, "http://example.test/")
    assert clock.slept == [5.0]


async def test_a_clock_set_back_holds_nobody_up(clock):
    """An hour that comes twice is not waited out."""
    polite = PoliteFetcher(Wire(clock), clock, spacing=timedelta(seconds=2))
    await fetch(polite, "http://example.test/")
    clock.advance(hours=-1)
    await fetch(polite, "http://example.test/")
    assert clock.slept == [2.0]


async def test_hosts_are_forgotten_once_they_are_free(clock, monkeypatch):
    """The memory is bounded, and who must still wait is not forgotten."""
    monkeypatch.setattr(politeness, "FORGET_ABOVE", 10)
    polite = PoliteFetcher(Wire(clock), clock, spacing=timedelta(seconds=2))
    for number in range(100):
        await fetch(polite, f"http://host{number}.test/")
        clock.advance(seconds=0.5)
    assert len(polite._free_at) <= 10
    assert len(polite._turns) == 0
    await fetch(polite, "http://host99.test/")
    assert clock.slept == [1.5]
    for number in range(20):  # all at once: none is free
        await fetch(polite, f"http://other{number}.test/")
    await fetch(polite, "http://other0.test/")
    assert clock.slept == [1.5, 2.0]


async def test_a_host_that_another_process_asked_has_its_pause_first(clock):
    """As if it had been asked here; a longer pause that runs is not cut short."""
    wire = Wire(clock)
    polite = PoliteFetcher(wire, clock, spacing=timedelta(seconds=2))
    polite.begin_pause("example.test")
    await fetch(polite, "http://example.test/")
    assert clock.slept == [2]
    polite.spacing = timedelta(seconds=1)
    polite.begin_pause("example.test")
    await fetch(polite, "http://example.test/")
    await fetch(polite, "http://other.test/")
    assert clock.slept == [2, 1]


async def test_a_pause_that_is_begun_is_no_shorter_than_the_one_that_runs(clock):
    """And no longer, if it would end later anyway."""
    wire = Wire(clock)
    polite = PoliteFetcher(wire, clock, spacing=timedelta(seconds=10))
    await fetch(polite, "http://[::1]/")
    clock.advance(seconds=4)
    polite.begin_pause("::1")
    await fetch(polite, "http://[::1]/")
    assert clock.slept == [10]
