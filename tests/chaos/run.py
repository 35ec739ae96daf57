"""One run: newsroom and Slack in this process, the service in another, which is killed again and
again; then it is let do its work, and what came of it is checked.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from monitor.demo.slack import SlackDouble
from monitor.engine.members import LEADER, MEMBERS
from monitor.ports import Role
from monitor.storage import tables as t
from monitor.storage.address import read_address
from monitor.storage.work import OF_HOSTS
from tests.chaos.checks import Article, Outbox, Row, doubled, leaked, unmet, unread, violations
from tests.chaos.newsroom import (
    OPS,
    PASSWORD,
    TOKEN,
    Newsroom,
    Plan,
    channel_of,
    made,
    outlet_of,
)
from tests.chaos.nursery import Child, Nursery
from tests.chaos.service import NO_DATABASE, SharedClock
from tests.chaos.vigil import Look, Vigil

READY = 60.0  # seconds that the service has to start
PATIENCE = 180.0  # seconds in which something has to be done, in the end, without being killed
GREETINGS = {"auth.test", "conversations.info", "conversations.list"}
QUIET = 2.0  # seconds in which nothing may change any more
STOPPED = 8.0, 12.0  # seconds that a process hangs: others hold it for dead after five
LOOK = 2.0  # seconds between two looks into the database, while it runs
SILENT = 10.0  # seconds without a sign of life of a process whose jobs are its no more
AWAY = 60.0  # seconds since PostgreSQL was stopped in which it may be missed
SLOW = 0.05  # seconds that an outlet takes at most to answer
BOT_TOKEN, DATABASE_PASSWORD = "xoxb-7-planted-bot-token", "planted-password-of-the-database"
LEASED = [table for table in t.metadata.sorted_tables if "lease_until" in table.c]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How bad it is to be."""

    seed: int = 1
    stories: int = 300
    channels: int = 20
    outlets: int = 10
    kills: int = 50
    faults: float = 0.3
    speed: float = 20.0  # of the clock
    minutes: float = 60.0  # of the clock's, in which news comes
    calls: int = 12  # a kill around a post is around one of so many
    life: float = 8.0  # seconds within which the service is killed, after it was started
    workers: int = 0  # 0: one process does all; else one for each other role, and so many of these
    others: int = 0  # articles that nobody watches
    feed_faults: float = 0.0  # of requests to outlets
    interval: float = 30.0  # seconds of the clock between two polls of a feed
    restarts: int = 0  # of PostgreSQL: by turns stopped in order, and broken off
    stops: float = 0.1  # of the kills of a cluster: who is hit is stopped for a while instead


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """One of the script."""

    victim: int  # which process
    when: str  # by the clock, or before or after a call of Slack is done
    seconds: float  # until then; around a call it may take longer
    call: int  # which of the calls from now on
    posts_alone: bool
    at_start: bool  # else it has time to begin
    stopped: float | None = None  # seconds that it hangs (SIGSTOP), and goes on; None: killed (-9)


def script(order: Order) -> list[Kill]:
    """All kills of a run, by its seed alone."""
    dice, stops = random.Random(f"kills {order.seed}"), random.Random(f"stops {order.seed}")
    roles = _roles(order)
    kills = []
    for _ in range(order.kills):
        victim = dice.randrange(len(roles))
        seconds, at_start = dice.uniform(0.1, order.life), dice.random() < 0.2
        posts_alone = dice.random() < 0.7
        call = dice.randint(1, order.calls if posts_alone else order.calls * 5 // 2)
        when = dice.choice(("clock", "before", "after"))
        stopped = stops.uniform(*STOPPED) if stops.random() < order.stops else None
        kills.append(
            Kill(
                victim=victim,
                when=when if roles[victim].does(Role.ALERTS) else "clock",
                seconds=seconds,
                call=call,
                posts_alone=posts_alone,
                at_start=at_start,
                stopped=stopped
                if order.workers
                else None,  # one process alone has nobody beside it
            )
        )
    return kills


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    seconds: float = 0.0
    kills: Counter[str] = field(default_factory=Counter)
    stops: Counter[str] = field(default_factory=Counter)
    restarts: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    roots: int = 0
    replies: int = 0
    others: int = 0
    edited: int = 0
    articles: int = 0
    hits: int = 0
    started: int = 0  # processes
    requests: int = 0  # to outlets
    refused: int = 0  # of these
    looks: int = 0  # into the database, while it ran
    unled: int = 0  # of these found no leader
    longest: dict[str, int] = field(default_factory=dict)  # looks that found the same left lying
    violations: list[str] = field(default_factory=list)
    log: Counter[str] = field(default_factory=Counter)


def _roles(order: Order) -> list[Role]:
    """A process each."""
    if not order.workers:
        return [Role.ALL]
    return [Role.SCHEDULER, *[Role.WORKER] * order.workers, Role.ALERTS]


class Victim:
    """A process of the service."""

    def __init__(
        self,
        nursery: Nursery,
        config: Path,
        log: Path,
        env: Mapping[str, str],
        role: Role = Role.ALL,
    ) -> None:
        self.role = role
        self._nursery, self._config, self._log = nursery, config, log
        self._env = {**env, "CHAOS_ROLE": str(role)}
        self._child: Child | None = None
        self._is_killed = False
        self.hung_at_start = False

    @property
    def runs(self) -> bool:
        """Whether there is one."""
        child = self._child
        return child is not None and not self._is_killed and not child.ended.is_set()

    async def start(self) -> None:
        """Start it; it need not be ready."""
        self._child = await self._nursery.start(self._config, self._log, self._env)
        self._is_killed = self.hung_at_start = False

    async def ready(self) -> None:
        """Wait until it serves, or has ended."""
        assert self._child is not None
        waits = [
            asyncio.create_task(each.wait()) for each in (self._child.ready, self._child.ended)
        ]
        try:
            async with asyncio.timeout(READY):
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    def kill(self) -> None:
        """At this very moment."""
        if self.runs and self._child is not None:
            os.kill(self._child.pid, signal.SIGKILL)
            self._is_killed = True

    async def hang(self, seconds: float) -> None:
        """Stop it, as a machine that swaps or is suspended does; it goes on if it was not killed."""
        child = self._child
        if child is None or not self.runs:
            return
        self.hung_at_start |= not child.ready.is_set()
        os.kill(child.pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            if self.runs and child is self._child:
                os.kill(child.pid, signal.SIGCONT)

    async def gone(self, seconds: float | None = None) -> int | None:
        """Wait for its end; its status, or None if it still runs after so long."""
        if self._child is None:
            return None
        with suppress(TimeoutError):
            await asyncio.wait_for(self._child.ended.wait(), seconds)
        return self._child.status

    async def stop(self) -> int | None:
        """As an operator does; its status, or None if it had to be killed."""
        assert self._child is not None
        if self.runs:
            os.kill(self._child.pid, signal.SIGTERM)
        if (status := await self.gone(READY)) is None:
            self.kill()
            await self.gone()
        return status


def _printed(url: str) -> tuple[int, int]:
    """Which outlet's address that is, and which story's."""
    at = urlsplit(url)
    return outlet_of(at.netloc), int(at.path.rpartition("/")[2])


class Books:
    """Looks into the service's database, without a lock."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(read_address(url).url, poolclass=sa.NullPool)

    def close(self) -> None:
        """End it."""
        self._engine.dispose()

    def outbox(self) -> Outbox:
        """As it is."""
        with self._engine.connect() as connection:
            deliveries, notices = (
                {
                    row.id: Row(
                        id=row.id,
                        channel=row.channel,
                        state=str(row.state),
                        is_due=row.due_at is not None,
                        ref=row.sent_ref,
                        subject=getattr(row, "subject", None),
                        story=row.story_id,
                    )
                    for row in connection.execute(sa.select(table))
                }
                for table in (t.delivery, t.notice)
            )
            leased = {
                table.name: connection.execute(
                    sa.select(sa.func.count())
                    .select_from(table)
                    .where(table.c.lease_until.is_not(None))
                ).scalar_one()
                for table in LEASED
            }
        return Outbox(deliveries=deliveries, notices=notices, leased=leased)

    def articles(self) -> list[Article]:
        """All."""
        of = t.article.c
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(of.url, of.state, of.source)).all()
        return [
            Article(outlet=outlet, story=story, state=str(state), source=source)
            for url, state, source in rows
            for outlet, story in [_printed(url)]
        ]

    def _articles(self, connection: sa.Connection) -> tuple[int, int]:
        """How many there are, and how many by their URLs."""
        url = t.article.c.url
        row = connection.execute(sa.select(sa.func.count(), sa.func.count(url.distinct()))).one()
        return row[0], row[1]

    def finished(self) -> int:
        """How many articles need not be read any more."""
        with self._engine.connect() as connection:
            return connection.execute(
                sa.select(sa.func.count()).where(t.article.c.due_at.is_(None))
            ).scalar_one()

    def hits(self) -> Counter[tuple[str, int, int]]:
        """As the plan has them, and how often each is stored."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                sa.select(t.watch.c.name, t.article.c.url).select_from(
                    t.hit.join(t.watch).join(t.article, t.hit.c.article_id == t.article.c.id)
                )
            ).all()
        found: Counter[tuple[str, int, int]] = Counter()
        for name, url in rows:
            found[name, *_printed(url)] += 1
        return found

    def jobs(self) -> int:
        """How many an engine of many processes has at work."""
        with self._engine.connect() as connection:
            return len(self._jobs(connection))

    def _jobs(self, connection: sa.Connection) -> Sequence[sa.Row[Any]]:
        if not sa.inspect(connection).has_table("procrastinate_jobs"):
            return ()
        return connection.exec_driver_sql(
            "SELECT job.id, lock, queueing_lock, coalesce(last_heartbeat < now() - make_interval(secs => "
            f"{SILENT}), true) AS silent FROM procrastinate_jobs AS job LEFT JOIN "
            "procrastinate_workers AS worker ON worker.id = job.worker_id WHERE status = 'doing'"
        ).all()

    def look(self, now: datetime) -> Look | None:
        """What stands there at this moment; None if nobody is there to tell. `now`: the clock's."""
        try:
            with self._engine.connect() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execution_options(isolation_level="REPEATABLE READ")
                return self._look(connection, now)
        except sa.exc.DBAPIError:  # it is just being started again
            return None

    def _look(self, connection: sa.Connection, now: datetime) -> Look:
        # each in one statement: on SQLite two would see two moments
        articles, different = self._articles(connection)
        pairs = sa.select(t.hit.c.article_id, t.hit.c.watch_id).distinct().subquery()
        hits, found = connection.execute(
            sa.select(
                sa.select(sa.func.count(t.hit.c.id)).scalar_subquery(),
                sa.select(sa.func.count()).select_from(pairs).scalar_subquery(),
            )
        ).one()
        jobs = self._jobs(connection)
        locks = Counter(job.lock for job in jobs if job.lock is not None)
        waiting: frozenset[str] = frozenset()
        alive: frozenset[int] = frozenset()
        is_led = True
        if connection.dialect.name == "postgresql":
            held = connection.exec_driver_sql(
                "SELECT classid::bigint, objid::bigint FROM pg_locks "
                "WHERE locktype = 'advisory' AND granted AND objsubid = 2"
            ).all()
            alive = frozenset(number for kind, number in held if kind == MEMBERS)
            is_led = any(kind == LEADER for kind, _ in held)
            waiting = frozenset(
                connection.exec_driver_sql(
                    # by what is to be done: what was given up comes again under another id
                    "SELECT coalesce(queueing_lock, id::text) FROM procrastinate_jobs WHERE status = 'todo'"
                ).scalars()
            )
        leased = [
            (table.name, row)
            for table in LEASED
            for row in connection.execute(
                sa.select(table.c.id, table.c.lease_by, table.c.lease_until).where(
                    table.c.lease_until > now
                )
            )
        ]
        due = frozenset(
            f"{table.name} {row.id}, since {row.due_at}"
            for table in LEASED
            for row in connection.execute(
                sa.select(table.c.id, table.c.due_at).where(table.c.due_at <= now)
            )
        )
        of_hosts = sa.union_all(
            *(
                sa.select(table.c.host, table.c.lease_by).where(table.c.lease_until > now)
                for table in OF_HOSTS
            )
        ).subquery()
        holders = sa.func.count(of_hosts.c.lease_by.distinct())
        hosts = connection.execute(
            sa.select(of_hosts.c.host, holders).group_by(of_hosts.c.host).having(holders > 1)
        ).all()
        return Look(
            articles=articles,
            urls=different,
            hits=hits,
            found=found,
            locks={lock: times for lock, times in locks.items() if times > 1},
            hosts=dict(map(tuple, hosts)),
            leases=frozenset(
                f"{name} {row.id} of {row.lease_by}, until {row.lease_until}"
                for name, row in leased
                if row.lease_by not in alive
            ),
            # whenever it was claimed: who is alive and claims it again and again does not end it, either
            held=frozenset(
                f"{name} {row.id} of {row.lease_by}"
                for name, row in leased
                if row.lease_by in alive
            ),
            orphans=frozenset(job.queueing_lock or str(job.id) for job in jobs if job.silent),
            waiting=waiting,
            due=due,
            is_led=is_led,
        )

    def has_polled_all(self) -> bool:
        """Whether every feed has been read once: what it lists from then on is news."""
        try:
            with self._engine.connect() as connection:
                polled = [row.polled_at for row in connection.execute(sa.select(t.feed))]
        except sa.exc.DBAPIError:
            return False
        return bool(polled) and None not in polled


class Run:
    """See the module."""

    def __init__(
        self,
        order: Order,
        folder: Path,
        url: str,
        say: Callable[[str], object] = print,
        restart: Callable[[bool], object] | None = None,
    ) -> None:
        """`restart`: of the PostgreSQL, if it is to be; in order, or after it was broken off."""
        self.order, self.folder, self.url, self.say = order, folder, url, say
        self._restart = restart
        self.outcome = Outcome()
        self._vigil = Vigil()
        self._hanging: set[asyncio.Task[None]] = set()
        self._away: list[float] = []  # since when PostgreSQL was, by time.time()
        self._target: tuple[str, bool, int] | None = None  # when, at posts alone, how many from now
        self.log = folder / "service.log"

    async def run(self) -> Outcome:
        """Do it."""
        began, order = time.monotonic(), self.order
        clock = SharedClock(time.monotonic(), time.time(), order.speed)
        plan = made(
            order.seed,
            stories=order.stories,
            channels=order.channels,
            outlets=order.outlets,
            others=order.others,
            seconds=order.minutes * 60,
        )
        slack = SlackDouble(
            token=BOT_TOKEN,
            rate_limited=True,
            history_delay=2.0,
            now=clock.seconds,
            monotonic=clock.monotonic,
        )
        for name in (OPS, *map(channel_of, range(order.channels))):
            slack.add_channel(name.removeprefix("#"))
        slack.witness = self._witness
        newsroom = Newsroom(
            plan,
            clock.now,
            seed=order.seed,
            faults=order.feed_faults,
            slow=SLOW,
            interval=order.interval,
        )
        async with slack, newsroom, Nursery() as nursery:
            config = self.folder / "feeds.toml"
            newsroom.configure(config, flood=1000)
            env = {
                "CHAOS_CLOCK": str(clock),
                "MONITOR_DATABASE_URL": self.url,
                "SLACK_BOT_TOKEN": slack.token,
                "SLACK_API_URL": slack.url,
            }
            self._victims = [Victim(nursery, config, self.log, env, role) for role in _roles(order)]
            books = Books(self.url)
            watching: asyncio.Task[None] | None = None
            try:
                for victim in self._victims:
                    await self._begin(victim)
                    await victim.ready()
                until = time.monotonic() + READY
                while not books.has_polled_all():
                    if time.monotonic() > until or not all(each.runs for each in self._victims):
                        raise RuntimeError(self.log.read_text(encoding="utf-8")[-3000:])
                    await asyncio.sleep(0.1)
                slack.misbehave(random.Random(f"faults {order.seed}"), order.faults)
                newsroom.open()
                watching = asyncio.create_task(self._watch(clock, newsroom, slack, books))
                await self._kill_and_restart(newsroom, slack)
                await self._let_it_end(newsroom, slack, books)
                watching.cancel()
                await asyncio.wait({watching})
                if not watching.cancelled():
                    watching.result()
                for victim in reversed(self._victims):  # who tidies up, last
                    if victim.role is Role.SCHEDULER:
                        await self._tidied(books)
                    if (status := await victim.stop()) != 0:
                        self._wrong(f"the service ({victim.role}) ended with {status}")
                self.outcome.seconds = time.monotonic() - began
                self._judge(plan, slack, books)
                self.outcome.requests, self.outcome.refused = newsroom.asked, newsroom.failed
                for overlap in newsroom.overlaps:
                    self._wrong(f"a host was busy when it was asked: {overlap}")
            finally:
                if watching is not None:
                    watching.cancel()
                for hanging in self._hanging:
                    hanging.cancel()
                for victim in self._victims:
                    victim.kill()
                    await victim.gone()
                books.close()
        return self.outcome

    async def _tidied(self, books: Books) -> None:
        """Wait until who leads has given up what those that were stopped had just taken."""
        until = time.monotonic() + PATIENCE
        while await asyncio.to_thread(books.jobs) and time.monotonic() < until:  # noqa: ASYNC110 SQL
            await asyncio.sleep(LOOK)

    async def _watch(
        self, clock: SharedClock, newsroom: Newsroom, slack: SlackDouble, books: Books
    ) -> None:
        """Look at what must hold all the time."""
        while True:
            await asyncio.sleep(LOOK)
            if (look := await asyncio.to_thread(books.look, clock.now())) is not None:
                for wrong in self._vigil.see(look):
                    self._wrong(wrong)
            for wrong in doubled(slack.messages()):
                self._wrong(wrong)
            for overlap in newsroom.overlaps:
                self._wrong(f"a host was busy when it was asked: {overlap}")

    # -- killing

    async def _start_again(self) -> None:
        """Whoever ended by itself, as whatever runs services does."""
        for victim in self._victims:
            if not victim.runs:
                self._ended(victim, await victim.gone())
                await self._begin(victim)

    def _ended(self, victim: Victim, status: int | None) -> None:
        """By itself. That is right only at a start, when there is no PostgreSQL, or none any more."""
        if status == NO_DATABASE and self._misses_postgres(time.time()):
            self.outcome.restarts["a process, for want of PostgreSQL"] += 1
        elif status == NO_DATABASE and victim.hung_at_start:  # PostgreSQL has given it up
            self.outcome.restarts["a process that hung at its start"] += 1
        else:
            self._wrong(f"the service ({victim.role}) ended by itself, with {status}")

    def _misses_postgres(self, at: float) -> bool:
        return any(0 <= at - since <= AWAY for since in self._away)

    async def _begin(self, victim: Victim) -> None:
        self.outcome.started += 1
        await victim.start()

    def _witness(self, method: str, when: str) -> None:
        """Kills the service at the moment that was drawn, of what it asks of Slack."""
        if self._target is None or when != self._target[0] or method in GREETINGS:
            return
        _, posts_alone, left = self._target
        if posts_alone and method != "chat.postMessage":
            return
        left -= 1
        self._target = (when, posts_alone, left)
        if left == 0:
            self._target = None
            self._victim.kill()  # whoever calls
            self.outcome.kills[f"{method}, {when}"] += 1

    async def _kill_and_restart(self, newsroom: Newsroom, slack: SlackDouble) -> None:
        """By the clock or around a call of Slack: before it is done, or after and unanswered."""
        restarts = {
            self.order.kills * each // (self.order.restarts + 1): each % 2 == 0
            for each in range(1, self.order.restarts + 1)
        }
        for number, kill in enumerate(script(self.order), start=1):
            if number in restarts and self._restart is not None:
                self._away.append(time.time())
                await asyncio.to_thread(self._restart, restarts[number])
                how = "broken off" if restarts[number] else "stopped"
                self.outcome.restarts[f"PostgreSQL, {how}"] += 1
            self._victim = self._victims[kill.victim]
            if not kill.at_start:
                await self._victim.ready()
            if kill.stopped is None:
                await self._hit(kill)
            elif await self._victim.gone(kill.seconds) is None:
                # beside it others are hit, and the next may be itself
                self.outcome.stops[f"for a while{self._whom()}"] += 1
                self._hanging.add(asyncio.create_task(self._victim.hang(kill.stopped)))
            await self._start_again()
            if number % 10 == 0:
                self._progress(f"{number} kills", newsroom, slack)

    async def _hit(self, kill: Kill) -> None:
        """Kill it, and start it again."""
        by_clock = kill.when == "clock"
        self._target = None if by_clock else (kill.when, kill.posts_alone, kill.call)
        # around a call: as soon as there is one, which may take a while
        status = await self._victim.gone(kill.seconds if by_clock else 2 * self.order.life)
        if status is None:
            self._target = None
            if self._victim.runs:  # else a call has just killed it
                self.outcome.kills[f"at any time{self._whom()}"] += 1
                self._victim.kill()
            status = await self._victim.gone()
        if status != -signal.SIGKILL:
            self._ended(self._victim, status)
        await self._begin(self._victim)

    def _whom(self) -> str:
        return "" if self._victim.role is Role.ALL else f", {self._victim.role}"

    async def _let_it_end(self, newsroom: Newsroom, slack: SlackDouble, books: Books) -> None:
        """Wait until everything is said, and nothing has changed for a while."""
        await asyncio.gather(*self._hanging)
        await self._start_again()
        for victim in self._victims:
            await victim.ready()
        await asyncio.sleep(max(0.0, newsroom.plan.ends_at - newsroom.age()) / self.order.speed)
        same_since = tell_at = time.monotonic()
        state = ""
        while time.monotonic() - same_since < PATIENCE:
            await asyncio.sleep(0.5)
            for victim in self._victims:
                if not victim.runs:
                    self._wrong(f"the service ended by itself, with {await victim.gone()}")
                    return
            if time.monotonic() - tell_at > 10:
                tell_at = time.monotonic()
                self._progress("waiting", newsroom, slack)
            before, state = state, f"{len(slack.messages())} {books.outbox()} {books.finished()}"
            if state != before:
                same_since = time.monotonic()
            held = self._held(slack)
            over = (
                books.outbox().is_done
                and not any(unmet(newsroom.plan, held))
                and not any(unread(newsroom.plan, books.articles()))
                and books.hits().keys() >= set(newsroom.plan.hits())
            )
            if over and time.monotonic() - same_since > QUIET:
                return

    # -- judging

    def _held(self, slack: SlackDouble) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        names = (OPS, *map(channel_of, range(self.order.channels)))
        return {name: slack.messages(name) for name in names}

    def _wrong(self, what: str) -> None:
        if what not in self.outcome.violations:
            self.outcome.violations.append(what)
            self.say(f"  VIOLATION: {what}")

    def _progress(self, what: str, newsroom: Newsroom, slack: SlackDouble) -> None:
        for wrong in doubled(slack.messages()):
            self._wrong(wrong)
        told = sum("thread_ts" not in message for message in slack.messages())
        faults = sum(bool(call.fault) for call in slack.calls)
        self.say(
            f"  {newsroom.age() / 60:4.0f} min of news  {what}, {told} messages and "
            f"{len(slack.messages()) - told} replies shown, {faults} of {len(slack.calls)} calls "
            f"failed, {len(self.outcome.violations)} violations"
        )

    def _judge(self, plan: Plan, slack: SlackDouble, books: Books) -> None:
        outbox, held, outcome = books.outbox(), self._held(slack), self.outcome
        for wrong in violations(plan, held, outbox):
            self._wrong(wrong)
        log = self.log.read_text(encoding="utf-8")
        secrets = (BOT_TOKEN, DATABASE_PASSWORD, PASSWORD, TOKEN)
        for secret in leaked(log, secrets):
            self._wrong(f"the log tells a secret: {secret}")
        for secret in leaked("".join(map(str, slack.messages())), secrets):
            self._wrong(f"a message tells a secret: {secret}")
        for line in log.splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                if "resource_tracker" not in line:  # it picks up what the killed have left
                    self._wrong(f"the service wrote: {line[:200]}")
                continue
            outcome.log[event["event"]] += 1
            if event["event"] == "database.failed" and self._misses_postgres(
                datetime.fromisoformat(event["time"]).timestamp()
            ):
                continue
            if event["level"] in {"error", "critical"}:
                self._wrong(f"the log says: {line[-1000:]}")
        for call in slack.calls:
            outcome.calls[call.method] += 1
            if call.fault:
                outcome.faults[call.fault] += 1
            elif call.error:
                outcome.errors[call.error] += 1
        messages = slack.messages()
        outcome.edited = sum("edited" in message for message in messages)
        outcome.replies = sum("thread_ts" in message for message in messages)
        articles = books.articles()
        outcome.articles = len(articles)
        for wrong in unread(plan, articles):
            self._wrong(wrong)
        found, planned = books.hits(), set(plan.hits())
        outcome.hits = found.total()
        for hit, times in found.items():
            if times > 1 or hit not in planned:
                self._wrong(
                    f"stored {times} times, {'' if hit in planned else 'not '}wanted: {hit}"
                )
        for hit in planned - found.keys():
            self._wrong(f"not found: {hit}")
        outcome.looks, outcome.longest = self._vigil.looks, self._vigil.longest
        outcome.unled = self._vigil.unled
        if jobs := books.jobs():
            self._wrong(f"{jobs} jobs are at work, and nobody is there")
        outcome.roots = len(outbox.deliveries)
        outcome.others = len(messages) - outcome.replies - outcome.roots
