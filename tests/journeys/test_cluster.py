"""Many processes on one PostgreSQL: what each does, and what becomes of it when some are killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest
import sqlalchemy as sa

from alerts.webhook import SlackWebhookSink
from bench._usage import family
from monitor.config import load
from monitor.demo.slack import SlackDouble
from monitor.engine.members import Member
from monitor.errors import Code, Transient
from monitor.fetch.politeness import PoliteFetcher
from monitor.model import Job, Kind, bucket_of
from monitor.ports import Page
from monitor.service import ROUNDS, assembled
from monitor.storage import SqlStore, tables
from monitor.storage.address import read_address
from tests.conftest import PROJECT
from tests.contracts.material import BUCKET, found, polled, spec
from tests.fakes import FakeClock
from tests.journeys.newsroom import Newsroom, feeds_toml, newsroom
from tests.journeys.test_life import Running, free_port
from tests.pipeline import conftest as desk
from tests.webserver import Reply, Request, WebServer

pytestmark = pytest.mark.timeout(120)

RSS = '<rss version="2.0"><channel><title>Courier</title></channel></rss>'

LEASED = "SELECT count(*) FROM {table} WHERE lease_until IS NOT NULL AND due_at IS NOT NULL"


class Turns:
    """How many requests the newsroom's one host had at once."""

    def __init__(self, room: Newsroom, server: WebServer) -> None:
        self.now = self.most = 0
        for path in room.articles:
            answer = server.route_of(path)
            assert isinstance(answer, Reply)
            server.route(path, self._slowly(answer))

    def _slowly(self, answer: Reply):
        async def reply(_request: Request) -> Reply:
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(0.05)
            self.now -= 1
            return answer

        return reply


class Cluster:
    """A folder with a feeds.toml, a PostgreSQL, and processes that share them."""

    def __init__(self, folder: Path, url: str, slack: SlackDouble) -> None:
        self.folder = folder
        self.url = url
        self._slack = slack
        self.ports: dict[Running, int] = {}

    @asynccontextmanager
    async def process(self, role: str) -> AsyncIterator[Running]:
        """`monitor run --role …`, once it has started; killed in the end."""
        port = free_port()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "monitor", "run", "--role", role),
            *("--config", str(self.folder / "feeds.toml")),
            cwd=PROJECT,
            env={
                "PATH": os.environ["PATH"],
                "MONITOR_LOG": "json",
                "MONITOR_DATABASE_URL": self.url,
                "MONITOR_WEB_PORT": str(port),
                "SLACK_BOT_TOKEN": self._slack.token,
                "SLACK_API_URL": self._slack.url,
            },
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        running = Running(process)
        self.ports[running] = port
        try:
            await running.event("service.started")
            yield running
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    def ask(self, question: str) -> int:
        """A number out of the database."""
        engine = sa.create_engine(read_address(self.url).url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return connection.exec_driver_sql(question).scalar_one()


async def first_at_work(workers: Sequence[Running]) -> Running:
    """The worker that has taken an article in; one host is one bucket, so one may do it all."""
    waits = {asyncio.create_task(each.event("article.ingested")): each for each in workers}
    done, others = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for other in others:
        other.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    first = done.pop()
    await first  # or why not
    return waits[first]


async def test_kills_lose_nothing_and_tell_nothing_twice(corpus, tmp_path, postgres_url):
    """A clock, two workers, a sender, a page. A worker and the sender are killed; others go on."""
    room = newsroom(corpus).only("americas-atom", "africa-jsonfeed")
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(WebServer())
        slack = await stack.enter_async_context(SlackDouble())
        slack.add_channel("newsdesk")
        room.serve(server)
        turns = Turns(room, server)
        config = feeds_toml(room, server).replace("enabled = false", "enabled = true")
        (tmp_path / "feeds.toml").write_text(config, encoding="utf-8")
        cluster = Cluster(tmp_path, postgres_url, slack)
        start = lambda role: stack.enter_async_context(cluster.process(role))  # noqa: E731
        clockwork = await start("scheduler")
        web, sender, *workers = await asyncio.gather(
            start("web"), start("alerts"), start("worker"), start("worker")
        )
        # only who parses holds processes for it
        assert [len(family(each.process.pid)) for each in (clockwork, web, sender)] == [1, 1, 1]
        assert all(len(family(each.process.pid)) > 1 for each in workers)
        victim = await first_at_work(workers)
        [survivor] = [each for each in workers if each is not victim]
        victim.process.send_signal(signal.SIGKILL)
        await slack.wait_for(1, "newsdesk")
        sender.process.send_signal(signal.SIGKILL)
        await start("alerts")
        async with asyncio.timeout(60):
            await slack.wait_for(len(room.hits()), "newsdesk")
        async with aiohttp.ClientSession() as session:
            for who, path, status in (
                (web, "/", 200), (web, "/healthz", 200), (clockwork, "/healthz", 200),
                (survivor, "/readyz", 200), (survivor, "/", 404),
            ):  # fmt: skip
                async with session.get(f"http://127.0.0.1:{cluster.ports[who]}{path}") as answer:
                    assert answer.status == status, path
            url = f"http://127.0.0.1:{cluster.ports[clockwork]}/metrics"
            async with session.get(url) as answer:
                assert "monitor_leader 1.0" in await answer.text()
        assert await web.stop() == 0

    shown = [row["metadata"]["event_payload"]["delivery_id"] for row in slack.messages("newsdesk")]
    assert len(shown) == len(set(shown)) == len(room.hits())
    assert cluster.ask("SELECT count(*) FROM article") == len(room.articles)
    assert cluster.ask("SELECT count(*) FROM article WHERE state = 'done'") == len(room.articles)
    assert turns.most == 1  # one host: nobody asks it while another does


class Asked:
    """In place of the network: when was asked, and by whom."""

    def __init__(self, clock: FakeClock, book: list[tuple[datetime, int]], worker: int) -> None:
        self._clock, self._book, self._worker = clock, book, worker

    async def get(self, *_: object, **__: object) -> Page:
        self._book.append((self._clock.now(), self._worker))
        raise Transient(Code.SERVER_ERROR, "503")


async def test_a_host_that_goes_from_one_worker_to_another_has_its_pause(postgres_url):
    """Feeds and pages of one host, by two processes in turns: never within a pause of each other."""
    clock, book = FakeClock(), []
    pause = timedelta(seconds=3)
    async with AsyncExitStack() as stack:
        workers = []
        for number in (7, 8):
            store = await stack.enter_async_context(SqlStore(postgres_url, holder=number))
            polite = PoliteFetcher(Asked(clock, book, number), clock, spacing=pause)
            room = desk.Newsroom(store, None, None, polite)
            room.clock = room.context.clock = clock
            room.context.begin_pause = polite.begin_pause
            workers.append(room)
        await store.write(lambda tx: tx.sync_feeds([spec(n) for n in range(9)], clock.now()))
        [feed, *rest] = await store.write(
            lambda tx: tx.claim_feeds(BUCKET, clock.now(), timedelta(minutes=5), 50)
        )
        entries = [found(f"page{number}") for number in range(3)]
        await store.write(lambda tx: tx.add_entries(feed, entries, clock.now()))
        for number, each in enumerate([feed, *rest]):  # due one after the other
            due = polled(clock.now() + timedelta(seconds=number / 2))
            await store.write(lambda tx, each=each, due=due: tx.save_feeds({each.id: due}))
        for turn in range(40):
            await workers[turn % 2].work(seconds=0.25)
    assert {worker for _, worker in book} == {7, 8}
    assert len(book) >= 12
    assert all(then - now >= pause for (now, _), (then, _) in pairwise(book))


STUCK = """
WITH dead AS (
    INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')
    RETURNING id)
INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args, status, worker_id)
SELECT 'net', 'monitor', %(lock)s, jsonb_build_object('kind', 'poll', 'key', %(key)s::text),
    'doing', id
FROM dead
"""


@pytest.mark.parametrize("others", [0, 1])
async def test_what_is_done_once_ends(tmp_path, postgres_url, others):
    """Whatever the dead have left, and however much there is to do beside others."""
    job = Job(Kind.POLL, str(bucket_of("127.0.0.1")))
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(WebServer())
        server.route("/robots.txt", Reply(status=404))
        server.route("/feed", Reply(RSS, headers={"Content-Type": "application/rss+xml"}))
        path = tmp_path / "feeds.toml"
        path.write_text(
            '[fetch]\nallow = ["127.0.0.1"]\nspacing = "0s"\n[web]\nenabled = false\n'
            f'[[feed]]\nname = "Courier"\nurl = "http://127.0.0.1:{server.port}/feed"\n'
        )
        settings = load(path, {"MONITOR_DATABASE_URL": postgres_url})
        sink = SlackWebhookSink("https://hooks.slack.com/services/T0/B0/x")
        service = await stack.enter_async_context(assembled(settings, sink=sink))
        for _ in range(others):
            await stack.enter_async_context(Member(read_address(postgres_url).conninfo))
        is_due = sa.update(tables.feed).values(due_at=datetime(2025, 1, 1, tzinfo=UTC))

        def stick(tx):
            values = {"lock": job.lock, "key": job.key}
            tx.connection.exec_driver_sql(STUCK, values)

        await service.store.write(stick)
        if others:  # the feed is due again and again
            poll = service.pipeline.run

            async def again(job):
                await poll(job)
                await service.store.write(lambda tx: tx.connection.execute(is_due).rowcount)

            service.pipeline.run = again
        async with asyncio.timeout(40):
            await service.once()
        polls = [request for request in server.requests if request.path == "/feed"]
        assert len(polls) == 1 if not others else 1 <= len(polls) <= ROUNDS + 1
        assert sink.may_post is service.pipeline.context.is_present


async def test_roles_need_a_database_that_can_be_shared(tmp_path):
    """On SQLite there is one process, which does all."""
    (tmp_path / "feeds.toml").write_text("[monitor]\n")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "monitor", "run", "--role", "worker"),
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 3
    assert said.decode().splitlines()[-1].startswith("monitor: --role worker needs a PostgreSQL")
