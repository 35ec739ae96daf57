"""One run: newsroom and Slack in this process, the service in another, which is killed again and
again; then it is let do its work, and what came of it is checked.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from monitor.demo.slack import SlackDouble
from monitor.ports import Role
from monitor.storage import tables as t
from monitor.storage.address import read_address
from tests.chaos.checks import Outbox, Row, doubled, unmet, violations
from tests.chaos.newsroom import OPS, Newsroom, Plan, channel_of, made
from tests.chaos.service import SharedClock
from tests.conftest import PROJECT

READY = 60.0  # seconds that the service has to start
PATIENCE = 3600.0  # seconds of the clock that it has in the end, without being killed
GREETINGS = {"auth.test", "conversations.info", "conversations.list"}
QUIET = 2.0  # seconds in which nothing may change any more
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
    life: float = 8.0  # seconds within which the service is killed, after it was started
    workers: int = 0  # 0: one process does all; else one for each other role, and so many of these
    others: int = 0  # articles that nobody watches
    feed_faults: float = 0.0  # of requests to outlets
    restarts: int = 0  # of PostgreSQL


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    seconds: float = 0.0
    kills: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    roots: int = 0
    replies: int = 0
    others: int = 0
    edited: int = 0
    articles: int = 0
    refused: int = 0  # requests to outlets that failed
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
        self, config: Path, log: Path, env: Mapping[str, str], role: Role = Role.ALL
    ) -> None:
        self.role = role
        self._config, self._log = config, log
        self._env = {**env, "CHAOS_ROLE": str(role)}
        self._process: asyncio.subprocess.Process | None = None
        self._is_ready = False

    @property
    def runs(self) -> bool:
        """Whether there is one."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it; it need not be ready."""
        self._is_ready = False
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                # not by -m: what is started so, multiprocessing imports in each worker once more
                "from tests.chaos.service import main; main()",
                str(self._config),
                cwd=PROJECT,
                env={"PATH": os.environ["PATH"], **self._env},
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )

    async def ready(self) -> None:
        """Wait until it serves."""
        assert self._process is not None
        assert self._process.stdout is not None
        if not self._is_ready:
            async with asyncio.timeout(READY):
                await self._process.stdout.readline()
            self._is_ready = True

    def kill(self) -> None:
        """At this very moment."""
        if self.runs and self._process is not None:
            os.kill(self._process.pid, signal.SIGKILL)

    async def gone(self, seconds: float | None = None) -> int | None:
        """Wait for its end; its status, or None if it still runs after so long."""
        assert self._process is not None
        try:
            return await asyncio.wait_for(self._process.wait(), seconds)
        except TimeoutError:
            return None

    async def stop(self) -> int | None:
        """As an operator does; its status, or None if it had to be killed."""
        assert self._process is not None
        if self.runs:
            self._process.send_signal(signal.SIGTERM)
        if (status := await self.gone(20)) is None:
            self.kill()
            await self.gone()
        return status


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

    def articles(self) -> tuple[int, int]:
        """How many there are, and how many by their URLs."""
        url = t.article.c.url
        with self._engine.connect() as connection:
            row = connection.execute(
                sa.select(sa.func.count(), sa.func.count(url.distinct()))
            ).one()
        return row[0], row[1]

    def jobs(self) -> int:
        """How many an engine of many processes has left."""
        with self._engine.connect() as connection:
            if not sa.inspect(connection).has_table("procrastinate_jobs"):
                return 0
            return connection.exec_driver_sql(
                "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'"
            ).scalar_one()

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
        restart: Callable[[], object] | None = None,
    ) -> None:
        """`restart`: of the PostgreSQL, if it is to be."""
        self.order, self.folder, self.url, self.say = order, folder, url, say
        self._restart = restart
        self.outcome = Outcome()
        self._dice = random.Random(f"kills {order.seed}")
        self._seen: Counter[str] = Counter()
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
            rate_limited=True, history_delay=2.0, now=clock.seconds, monotonic=clock.monotonic
        )
        for name in (OPS, *map(channel_of, range(order.channels))):
            slack.add_channel(name.removeprefix("#"))
        slack.witness = self._witness
        newsroom = Newsroom(
            plan, clock.now, faults=order.feed_faults, slow=0.02 if order.workers else 0.0
        )
        async with slack, newsroom:
            config = self.folder / "feeds.toml"
            newsroom.configure(config, flood=1000)
            env = {
                "CHAOS_CLOCK": str(clock),
                "MONITOR_DATABASE_URL": self.url,
                "SLACK_BOT_TOKEN": slack.token,
                "SLACK_API_URL": slack.url,
            }
            self._victims = [Victim(config, self.log, env, role) for role in _roles(order)]
            books = Books(self.url)
            try:
                for victim in self._victims:
                    await victim.start()
                    await victim.ready()
                until = time.monotonic() + READY
                while not books.has_polled_all():
                    if time.monotonic() > until or not all(each.runs for each in self._victims):
                        raise RuntimeError(self.log.read_text(encoding="utf-8")[-3000:])
                    await asyncio.sleep(0.1)
                slack.misbehave(random.Random(f"faults {order.seed}"), order.faults)
                newsroom.open()
                await self._kill_and_restart(newsroom, slack)
                await self._let_it_end(newsroom, slack, books)
                for victim in self._victims:
                    if (status := await victim.stop()) != 0:
                        self._wrong(f"the service ({victim.role}) ended with {status}")
                self.outcome.seconds = time.monotonic() - began
                self._judge(plan, slack, books)
                self.outcome.refused = newsroom.failed
                if newsroom.overlaps:
                    self._wrong(f"{newsroom.overlaps} requests came to a host that was busy")
            finally:
                for victim in self._victims:
                    victim.kill()
                    await victim.gone()
                books.close()
        return self.outcome

    # -- killing

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
        senders = [each for each in self._victims if each.role.does(Role.ALERTS)]
        restarts = {
            self.order.kills * each // (self.order.restarts + 1)
            for each in range(1, self.order.restarts + 1)
        }
        for number in range(1, self.order.kills + 1):
            if number in restarts and self._restart is not None:
                await asyncio.to_thread(self._restart)
                self.outcome.kills["PostgreSQL started again"] += 1
            self._victim = self._dice.choice(self._victims)
            until = self._dice.uniform(0.1, self.order.life)
            at_start = self._dice.random() < 0.2  # else it has time to begin
            posts_alone = self._dice.random() < 0.7
            call = self._dice.randint(1, 12 if posts_alone else 30)
            how = self._dice.choice(("clock", "before", "after"))
            if self._victim not in senders:
                how = "clock"
            if not at_start:
                await self._victim.ready()
            self._target = None if how == "clock" else (how, posts_alone, call)
            # around a call: as soon as there is one, which may take a while
            status = await self._victim.gone(until if how == "clock" else 2 * self.order.life)
            if status is None:
                self._target = None
                if self._victim.runs:  # else a call has just killed it
                    self.outcome.kills[f"at any time{self._whom()}"] += 1
                    self._victim.kill()
                status = await self._victim.gone()
            if status != -signal.SIGKILL:
                self._wrong(f"the service ended by itself, with {status}{self._whom()}")
            await self._victim.start()
            if number % 5 == 0:
                self._progress(f"{number} kills", newsroom, slack)

    def _whom(self) -> str:
        return "" if self._victim.role is Role.ALL else f", {self._victim.role}"

    async def _let_it_end(self, newsroom: Newsroom, slack: SlackDouble, books: Books) -> None:
        """Wait until everything is said, and nothing has changed for a while."""
        for victim in self._victims:
            await victim.ready()
        await asyncio.sleep(max(0.0, newsroom.plan.ends_at - newsroom.age()) / self.order.speed)
        since = tell_at = time.monotonic()
        state, same_since = "", since
        while (time.monotonic() - since) * self.order.speed < PATIENCE:
            await asyncio.sleep(0.5)
            for victim in self._victims:
                if not victim.runs:
                    self._wrong(f"the service ended by itself, with {await victim.gone()}")
                    return
            if time.monotonic() - tell_at > 10:
                tell_at = time.monotonic()
                self._progress("waiting", newsroom, slack)
            before, state = state, f"{len(slack.messages())} {books.outbox()}"
            if state != before:
                same_since = time.monotonic()
            held = self._held(slack)
            over = (
                books.outbox().is_done
                and not any(unmet(newsroom.plan, held))
                and books.articles()[0] >= newsroom.plan.printed()
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
        for line in self.log.read_text(encoding="utf-8").splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                if "resource_tracker" not in line:  # it picks up what the killed have left
                    self._wrong(f"the service wrote: {line[:200]}")
                continue
            outcome.log[event["event"]] += 1
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
        outcome.articles, urls = books.articles()
        if not outcome.articles == urls == plan.printed():
            self._wrong(f"{outcome.articles} articles of {urls} URLs, of {plan.printed()} printed")
        if jobs := books.jobs():
            self._wrong(f"{jobs} jobs are at work, and nobody is there")
        outcome.roots = len(outbox.deliveries)
        outcome.others = len(messages) - outcome.replies - outcome.roots
