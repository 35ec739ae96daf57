"""The ordinary days before the demo's crisis."""

from __future__ import annotations

import itertools
from datetime import timedelta

from monitor import config
from monitor.demo.archive import (
    DAYS,
    PLAIN,
    RACERS,
    RACES,
    RARE,
    WATCHED,
    bulletins,
    plant,
    plant_races,
    races,
)
from monitor.demo.config import BULLETINS, demo_config
from monitor.match import compile_watches
from monitor.match.document import Document
from monitor.pipeline.spikes import Memory
from monitor.service import assembled
from tests.fakes import FakeClock


async def demo(tmp_path, url):
    """The demo's settings."""
    path = tmp_path / "feeds.toml"
    path.write_text(demo_config("http://127.0.0.1:8808"), encoding="utf-8")
    return config.load(path, {"MONITOR_DATABASE_URL": url})


def test_there_is_one_an_hour_and_it_is_always_the_same():
    """Up to the full hour before the start."""
    start = FakeClock().now()
    said = list(bulletins(start))
    assert said == list(bulletins(start))
    assert len(said) == DAYS * 24
    assert timedelta(0) <= start - said[-1].at < timedelta(hours=1)
    assert {b.at - a.at for a, b in itertools.pairwise(said)} == {timedelta(hours=1)}


async def test_what_is_said_hits_what_it_should(tmp_path, sqlite_url):
    """By the watches that the demo has."""
    matcher = compile_watches((await demo(tmp_path, sqlite_url)).watches)
    for rows, expected in ((PLAIN, set()), (WATCHED, {"Kashmir"}), (RARE, {"Ceasefire"})):
        for title, body in rows:
            found = {hit.watch for hit in matcher.match(Document(title=title, body=body))}
            assert found == expected, title


async def test_a_spike_can_be_judged_by_it(tmp_path, sqlite_url):
    """The days are history enough, though the watch was declared only now."""
    clock = FakeClock()
    async with assembled(await demo(tmp_path, sqlite_url), clock=clock) as service:
        matcher = service.pipeline.context.rules.matcher
        await plant(service.store, sqlite_url, matcher, BULLETINS, clock.now())
        usual = await Memory(service.store).usual("Ceasefire", clock.now())
        counts = await service.reports.counts(clock.now())
        newest = await service.reports.catalogue.hits(1)
    assert usual.is_enough
    assert sum(counts.articles.values()) == counts.stories == counts.entries == DAYS * 24
    assert newest[0].title.startswith("Bulletin at ")


def test_races_are_run_by_several_and_are_always_the_same():
    """Each by two outlets or more, each once, and all of them over a day before the start."""
    start = FakeClock().now()
    run = list(races(start))
    assert run == list(races(start))
    assert len(run) == RACES * (DAYS - 1)
    for race in run:
        assert 2 <= len({each.feed for each in race}) == len(race)
        assert min(each.at for each in race) < start - timedelta(days=1)


async def test_who_is_first_is_known_by_races(tmp_path, sqlite_url):
    """Agencies before papers; no watch finds anything in them."""
    clock = FakeClock()
    async with assembled(await demo(tmp_path, sqlite_url), clock=clock) as service:
        await plant_races(service.store, sqlite_url, clock.now())
        runners = await service.reports.fleet.firsts(clock.now())
        counts = await service.reports.counts(clock.now())
    assert len(runners) == len(RACERS)
    assert runners[0].publisher in {"SPA", "Continental Wire"}
    assert counts.hits == 0
