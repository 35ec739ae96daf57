"""The composition root and the life of the service: settings in, a running service out.

The only place that constructs anything with a side effect. Start: lock, migrate, connect, give back
leases of a crash, tick. Stop: no more ticks, what is at work ends or is given back, connections
close; ten seconds at most.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import IO

from alerts import Sink
from alerts.slack import SlackSink
from alerts.webhook import SlackWebhookSink
from monitor import __version__, config, gauges, telemetry
from monitor.clock import SystemClock
from monitor.compose import Rules
from monitor.config import Settings
from monitor.engine.local import Alone, LocalEngine
from monitor.engine.pool import ProcessPool
from monitor.errors import ConfigError, Mistake, StorageError
from monitor.fetch.client import HttpFetcher
from monitor.fetch.politeness import PoliteFetcher, answer_time
from monitor.fetch.robots import Robots, RobotsFetcher
from monitor.hands import Hands
from monitor.learning import MANY_WATCHES, Learning
from monitor.model import Health, Watch
from monitor.operators import Operators
from monitor.parts import Elsewhere, Pace, limits_of, rules_of, sink_of, socket_of
from monitor.pipeline import Context, Pipeline
from monitor.pipeline.backfill import want_backfill
from monitor.pipeline.budget import set_price
from monitor.pipeline.context import pages_at_once, parsers_of, polls_at_once
from monitor.pipeline.group import KEPT
from monitor.pipeline.mentions import count_mentions
from monitor.pipeline.ops import note_heartbeat
from monitor.pipeline.outage import knock
from monitor.pipeline.pace import plan_anew, plan_digests
from monitor.pipeline.retention import Retention
from monitor.pipeline.spikes import Spikes
from monitor.pipeline.updates import KEPT as WAITS
from monitor.pipeline.updates import review_all
from monitor.ports import (
    Clock,
    Engine,
    EngineState,
    Membership,
    Reports,
    Role,
    Store,
    Transaction,
)
from monitor.reload import edits
from monitor.scheduler import Relief, Scheduler, submit_due
from monitor.storage import SqlReports, SqlStore, exclusive, upgrade
from monitor.storage.address import read_address
from monitor.storage.faults import is_absent
from monitor.telling import ops
from monitor.web import (
    Decisions,
    Doors,
    Pushes,
    Scout,
    WebError,
    WebServer,
    create_app,
    create_probes,
)
from monitor.web.editor import Editor
from monitor.websub import callback_url

log = telemetry.get_logger()

GRACE = 8.0
"""Seconds that jobs at work have to end after a stop was asked for."""

ROUNDS = 4
"""Rounds that `once` makes beside others: what an article needs from its poll to its message."""

LEAP = timedelta(minutes=2)
"""By how much the clock may be set without a word."""

LOOK_AT_SINK = 5.0
"""Seconds between two looks at whether another process was refused by the sink."""

LOOK = 1.0
"""Seconds between two looks at whether something can be stored."""

STALE_TICK = 30.0
"""Seconds without a tick after which the service counts as hung."""

COLLECT = (10_000, 20, 20)
"""Objects that are made before the collector looks at the young ones; how often at the others."""


class Service:
    """A wired application: made by `assembled`, run by `run` or `once`."""

    reload_again: float = 5.0
    """Seconds until an edit that could not be stored is applied again."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        store: Store,
        reports: Reports,
        engine: Engine,
        pipeline: Pipeline,
        for_pages: RobotsFetcher,
        http: HttpFetcher,
        fetcher: PoliteFetcher,
        elsewhere: Elsewhere,
        pace: Pace,
        hands: Hands | None = None,
        member: Membership | None = None,
        role: Role = Role.ALL,
        storage_problem: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.store = store
        self.reports = reports
        self.engine = engine
        self.member = member or Alone()
        self.role = role
        self.pipeline = pipeline
        self.scheduler = Scheduler(
            store,
            clock,
            maintenance=self._maintain,
            relief=Relief(store, clock, engine, member) if member else None,
            tick=pace.tick,
            round_every=pace.maintenance,
        )
        self._http = http
        self._fetcher = fetcher
        self._elsewhere = elsewhere
        self._for_pages = for_pages
        self._pace = pace
        self._storage_problem = storage_problem
        self.operators = Operators(pipeline.context, lambda: self.member.is_leader)
        self.hands = hands
        self._spikes = Spikes(pipeline.context)
        self.retention = Retention(pipeline.context, limits_of(settings))
        self._rejected: tuple[Mistake, ...] = ()
        self._trouble: tuple[str, str] | None = None  # of the sink, as any process found it
        self._ready = False
        self._looking: set[asyncio.Task[None]] = set()
        self._learning = Learning(pipeline.context, reports, self.operators, lambda: self.settings)

    # -- what the page asks (monitor.web.Health)

    @property
    def version(self) -> str:
        """The version of the program."""
        return __version__

    def tick_age(self) -> float | None:
        """Seconds of the machine since the last tick that reached the database."""
        age = self.scheduler.tick_age()
        return None if age is None else age / self._pace.speed

    def stuck_for(self) -> float | None:
        """Seconds of the machine since a tick last began or ended, whatever the database said."""
        return self.scheduler.stuck_for()

    def ready(self) -> tuple[bool, str]:
        """Whether everything is up, and what is found out can be stored."""
        if not self._ready:
            return False, "The service is starting."
        if problem := self._storage_problem():
            return False, f"Nothing can be stored: {telemetry.redact(problem)}."
        return True, ""

    def config_error(self) -> str | None:
        """The mistakes of the last configuration, if it was rejected."""
        said = "\n".join(mistake.in_a_line for mistake in self._rejected)
        return telemetry.redact(said) or None

    def sink_problem(self) -> str | None:
        """Why no alert can be delivered at all, if so."""
        problem = self.pipeline.context.sink_problem
        said = (self.pipeline.context.sink.name, problem) if problem else self._trouble
        return telemetry.redact(": ".join(said)) if said else None

    async def engine_state(self) -> EngineState:
        """What this process is among all, and how their jobs stand. Raises `StorageError`."""
        return EngineState(
            role=self.role,
            is_leader=self.member.is_leader,
            workload=await self.engine.workload(),
        )

    # -- configuration

    async def apply(self, settings: Settings, rules: Rules) -> None:
        """Make these settings the ones in use, in the database and in memory."""
        now = self.clock.now()
        await self.store.write(lambda tx: tx.sync_feeds(settings.feeds, now))
        await self.store.write(lambda tx: _sync_watches(tx, settings, rules, now))
        await self._sync_subscriptions(settings, now)
        await self.store.write(lambda tx: tx.recall_deliveries(rules.channels, now))
        self.pipeline.context.rules = rules
        await self.store.write(lambda tx: review_all(tx, rules, now))
        if len(settings.watches) >= MANY_WATCHES or not gc.get_freeze_count():
            settle()
        self._http.configure(
            user_agent=settings.monitor.user_agent,
            timeout=settings.fetch.timeout.total_seconds(),
            allow=settings.fetch.allow,
            proxy=settings.fetch.proxy,
        )
        self._elsewhere.configure(settings)
        self.retention.limits = limits_of(settings)
        self._fetcher.spacing = settings.fetch.spacing
        self.pipeline.context.for_pages = self._for_pages if settings.fetch.robots else None
        await set_price(self.pipeline.context)
        self.settings = settings
        self._rejected = ()
        telemetry.CONFIG_OK.set(1)
        telemetry.CONFIG_AT.set(now.timestamp())

    async def _sync_subscriptions(self, settings: Settings, now: datetime) -> None:
        """Leave the hubs that are not wanted any more, and have the others call where we are."""
        public = settings.web.public_url if settings.web.enabled else None
        callbacks = None if public is None else callback_url(public, "")
        await self.store.write(lambda tx: tx.sync_subscriptions(callbacks, now))

    async def reload(self, path: Path, env: Mapping[str, str]) -> bool:
        """Read the configuration again; a bad one is reported and the old one stays."""
        try:
            settings = await asyncio.to_thread(config.load, path, env)
            context = self.pipeline.context
            rules = await asyncio.to_thread(
                rules_of, settings, self._pace, context.sink, context.rules.matcher
            )
            rules = replace(rules, frequencies=context.rules.frequencies)
        except ConfigError as error:
            if error.mistakes != self._rejected:
                for mistake in error.mistakes:
                    log.error("config.rejected", mistake=str(mistake))
                log.warning("config.kept", detail="the configuration before this edit stays in use")
                await self.operators.tell("config", ops.rejected(error.mistakes))
            self._rejected = error.mistakes
            telemetry.CONFIG_OK.set(0)
            return False
        changes = config.differences(self.settings, settings)
        if not changes and not self._rejected:
            log.debug("config.unchanged")
            return True
        before = self.settings
        await self.apply(settings, rules)
        self._learning.forget(
            {each.name for each in settings.watches if each not in before.watches}
        )
        self._look_back(but=before.watches)
        known = {warning.message for warning in before.warnings}
        for warning in settings.warnings:
            if warning.message not in known:
                log.warning("config.warning", detail=str(warning))
        log.info("config.applied", changes=list(changes) or ["the mistake is gone"])
        fresh = [str(each) for each in settings.warnings if each.message not in known]
        await self.operators.tell("config", ops.applied(changes, fresh), ends=True)
        asks = any(change.startswith(("+ watch", "~ watch", "~ slack")) for change in changes)
        if asks and self.role.does(Role.ALERTS):
            self.operators.greet()
        return True

    def _look_back(self, *, but: Sequence[Watch] = (), daily: bool = False) -> None:
        """Have the archive say what is too broad, and how common words are; beside the work.

        A new service has no archive yet: so it looks again every day.
        """
        self._beside(self._learning.learn(but, daily=daily))

    def _beside(self, work: Coroutine[None, None, None]) -> None:
        """Have something looked at beside the work, until the end of it."""
        self._looking.add(task := asyncio.create_task(work))
        task.add_done_callback(self._looked)

    def _looked(self, task: asyncio.Task[None]) -> None:
        self._looking.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("look.crashed", error=str(error), exc_info=error)

    async def _watch_storage(self) -> None:
        """Tell once when nothing can be stored, and once when it can again: in the log at once, to
        operators afterwards, for what they are told is stored, too.
        """
        known: tuple[str, datetime] | None = None
        while True:
            problem, now = self._storage_problem(), self.clock.now()
            if problem is not None and known is None:
                known = problem, now
                log.error("database.failed", error=problem)
                telemetry.DATABASE_FAILED.set(1)
                telemetry.DATABASE_FAILURES.inc()
            elif problem is None and known is not None:
                (problem, began), known = known, None
                telemetry.DATABASE_FAILED.set(0)
                seconds = round((now - began).total_seconds())
                log.warning("database.recovered", error=problem, seconds=seconds)
                card = ops.storage_failed(problem, began, now)
                await self.operators.tell("database", card, ends=True)
            await asyncio.sleep(LOOK)

    async def _watch_sink(self) -> None:
        """Know of the sink what the process found out that sends."""
        while True:
            await asyncio.sleep(LOOK_AT_SINK)
            with contextlib.suppress(StorageError):  # that is told elsewhere
                await self.read_trouble()

    async def read_trouble(self) -> None:
        """Read why nothing can be delivered at all, if so. Raises `StorageError`."""
        self._trouble = await self.store.read(lambda tx: tx.sink_trouble())
        context = self.pipeline.context
        if self._trouble is None or self._trouble[0] == context.sink.name:
            context.sink_problem = self._trouble[1] if self._trouble else None

    async def _watch_clock(self) -> None:
        """Notice that the clock was set, and plan anew what was planned by it as it was.

        Set back, it would leave feeds unasked until it comes by the same time again.
        """
        at, clock = monotonic(), self.clock.now()
        while True:
            await asyncio.sleep(LOOK)
            passed = timedelta(seconds=(monotonic() - at) * self._pace.speed)
            at, before, clock = monotonic(), clock, self.clock.now()
            leap = clock - before - passed
            if abs(leap) >= self._pace.patient(LEAP):
                log.warning("clock.set", seconds=round(leap.total_seconds()))
                if leap < timedelta(0):  # each of many: it may be this machine's clock alone
                    await self.plan_anew()

    async def plan_anew(self) -> None:
        """Have due what was planned by a clock that was ahead of this one."""
        context, now = self.pipeline.context, self.clock.now()
        lease = max(context.lease, context.delivery_lease)
        while True:
            try:
                rows = await self.store.write(
                    lambda tx: tx.bring_forward(now, lease) + plan_anew(tx, context.rules, now)
                )
            except StorageError:
                await asyncio.sleep(self.reload_again)
            else:
                break
        if rows:
            log.warning("clock.planned_anew", rows=rows, detail="the clock was ahead before")

    async def _end_looking(self) -> None:
        for task in tuple(self._looking):
            task.cancel()
        await asyncio.gather(*self._looking, return_exceptions=True)

    # -- life

    async def run(
        self,
        stop: asyncio.Event,
        *,
        path: Path | None = None,
        env: Mapping[str, str] | None = None,
        announce: Callable[[str], None] | None = None,
    ) -> None:
        """Serve until `stop`; edits of the file at `path` are applied as they are saved."""
        async with AsyncExitStack() as stack:
            url = None
            if self.settings.web.enabled and self.role.does(Role.WEB):
                editor = Editor(path, env or {}, lambda: self.settings) if path else None
                server = await stack.enter_async_context(self._web_server(editor))
                url = server.url
            elif self.settings.web.enabled:
                await self._serve_probes(stack)
            # beside the work: a Slack that hangs keeps neither the polls nor a stop waiting
            if self.role.does(Role.ALERTS):
                self.operators.greet()
            stack.push_async_callback(self.operators.close)
            if self.role.does(Role.SCHEDULER):
                await self.member.stand()  # not before: who is starting yet keeps no clock
            self.scheduler.start()
            work = self.engine.run(self.pipeline.run, stop) if self.role.kinds else stop.wait()
            working = asyncio.ensure_future(work)
            if self.hands is not None:
                stack.push_async_callback(self._listen(self.hands, stop))
            watching = asyncio.create_task(self._follow(path, env or {}, stop)) if path else None
            if self.role.does(Role.WORKER):
                self._look_back(daily=True)
            self._beside(self.plan_anew())
            self._beside(self._watch_storage())
            self._beside(self._watch_clock())
            if self.role.does(Role.WEB):
                self._beside(self._watch_sink())
            stack.push_async_callback(self._end_looking)
            self._ready = True
            log.info(
                "service.started",
                version=__version__,
                feeds=len(self.settings.feeds),
                watches=len(self.settings.watches),
                sink=self.pipeline.context.sink.name,
                **({"role": str(self.role)} if self.role is not Role.ALL else {}),
                **({"page": url} if url else {}),
            )
            if announce and url:
                announce(url)
            try:
                await asyncio.wait(
                    {working, *([watching] if watching else [])},
                    return_when=asyncio.FIRST_EXCEPTION,
                )
            finally:
                await self._wind_down(stop)
                for task in (working, watching):
                    if task and not task.done():
                        task.cancel()
            for task in (working, watching):
                if task and task.done() and not task.cancelled():
                    task.result()
        log.info("service.stopped")

    async def once(self) -> None:
        """Do everything that is due, and what comes of it, then return.

        Beside others something is always due: they do what comes of the last round.
        """
        stop, rounds = asyncio.Event(), 0
        working = asyncio.create_task(self.engine.run(self.pipeline.run, stop))
        await self.member.stand()
        try:
            while rounds < ROUNDS and await submit_due(self.store, self.clock.now()):
                among_others = (await self.engine.workload()).processes > 1
                await self.engine.settle(so_far=among_others)
                rounds += among_others
        finally:
            await self._wind_down(stop)
            await working

    async def _wind_down(self, stop: asyncio.Event) -> None:
        self._ready = False
        self.scheduler.stop()
        await self.member.resign()  # what is at work here need not be waited for
        self.pipeline.context.stopping = True
        stop.set()
        late = await self.engine.drain(GRACE)
        if late:
            log.warning("service.cut_short", jobs=late, detail="they go on after the next start")

    async def _follow(self, path: Path, env: Mapping[str, str], stop: asyncio.Event) -> None:
        changes = edits(path, stop)
        await self.reload_now(path, env, stop)  # an edit between the first reading and now
        async for _ in changes:
            await self.reload_now(path, env, stop)

    async def reload_now(self, path: Path, env: Mapping[str, str], stop: asyncio.Event) -> None:
        """Reload; again and again while the database is away, or no file can be opened."""
        while not stop.is_set():
            try:
                await self.reload(path, env)
            except (StorageError, OSError) as error:
                log.warning("config.postponed", error=str(error))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self.reload_again)
            else:
                return

    def _listen(self, hands: Hands, stop: asyncio.Event) -> Callable[[], Awaitable[None]]:
        """Begin to hear what people do in Slack; returns what waits for the end of that."""

        async def listen() -> None:
            try:
                await hands.run(stop)
            except Exception as error:
                log.exception("hands.broke", error=str(error))
            finally:
                await hands.close()

        listening = asyncio.create_task(listen())

        async def end() -> None:
            await asyncio.wait({listening})

        return end

    def _web_server(self, editor: Editor | None) -> WebServer:
        web = self.settings.web
        context = self.pipeline.context
        app = create_app(
            self.reports,
            self,
            self.clock,
            stale_after=STALE_TICK,
            hosts=(web.host, *web.hosts),
            doors=Doors(
                token=self.settings.web_token,
                read_token=self.settings.web_read_token,
                header=web.auth_header,
                proxies=web.trusted_proxies,
                public_url=web.public_url,
            ),
            decisions=Decisions(
                self.store, self.clock, lambda: context.rules, can_edit=context.sink.can_update
            ),
            pushes=Pushes(self.store, self.clock, lambda: context.rules),
            editor=editor,
            scout=Scout(
                store=self.store,
                fetcher=context.fetcher,
                offload=context.offload,
                settings=lambda: self.settings,
                pause=self._fetcher.pause,
            ),
        )
        return WebServer(app, self.settings.web.host, self.settings.web.port)

    async def _serve_probes(self, stack: AsyncExitStack) -> None:
        """Have a process without the page answer who asks whether it is well.

        Several on one machine can't have one port: then the others are asked in vain.
        """
        web = self.settings.web
        app = create_probes(self.reports, self, self.clock, stale_after=STALE_TICK, hosts=web.hosts)
        try:
            await stack.enter_async_context(WebServer(app, web.host, web.port))
        except WebError as error:
            log.warning("probes.unserved", error=str(error))

    async def _maintain(self) -> None:
        """Once a minute: what every process does for itself, and what one of many does for all."""
        now = self.clock.now()
        await set_price(self.pipeline.context)
        if self.hands is not None:
            await self.hands.remind()
        await self.read_trouble()
        if self.role.does(Role.ALERTS):
            self.operators.greet_again()
        gauges.set_jobs(await self.engine.workload(), is_leader=self.member.is_leader)
        if not self.member.is_leader:
            gauges.clear_counts()
            return
        await self.store.write(lambda tx: tx.forget(now - KEPT, now))
        await self.store.write(lambda tx: tx.forget_paragraphs(now))
        await self.store.write(lambda tx: tx.forget_told(now))
        await self.store.write(lambda tx: tx.forget_holds(now, WAITS))
        await self.store.write(lambda tx: tx.forget_turns(now))
        await self.store.write(lambda tx: tx.renew_index())
        await self.retention.look()
        await self.store.write(lambda tx: tx.forget_feed_history(now))
        await self.store.write(lambda tx: tx.count_places(now))
        await self.store.write(lambda tx: tx.tally_rows(now))
        await self._sync_subscriptions(self.settings, now)
        await count_mentions(self.store, now)
        await self._spikes.look()
        rules = self.pipeline.context.rules
        await self.store.write(lambda tx: note_heartbeat(tx, rules, now))
        await knock(self.pipeline.context, await self._counted())

    async def _counted(self) -> Mapping[Health, int]:
        """Tell how things stand; returns how many feeds there are of each health."""
        now = self.clock.now()
        counts = await self.reports.counts(now)
        gauges.set_counts(counts, now, is_stopped=self.sink_problem() is not None)
        path = read_address(self.settings.monitor.database).path
        if path is not None:
            telemetry.DISK_FREE.set((await asyncio.to_thread(shutil.disk_usage, path.parent)).free)
        return counts.feeds


def _sync_watches(tx: Transaction, settings: Settings, rules: Rules, now: datetime) -> None:
    """Store the watches; those that are new or look for something else are to look back."""
    changed = tx.sync_watches(settings.watches, now)
    want_backfill(tx, changed, settings.alerts.backfill, now)
    plan_digests(tx, rules, now)
    tx.reconsider_held(now)


def settle() -> None:
    """Have the collector pass over all that is there by now, for it is there to stay.

    Modules, statements, watches: two hundred thousand objects and more. To look through them stops the
    world, and with Python's thresholds it took a fifth of the CPU of a poll.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT)


@asynccontextmanager
async def assembled(
    settings: Settings,
    *,
    clock: Clock | None = None,
    sink: Sink | None = None,
    pace: Pace | None = None,
    alerts_to: IO[str] | None = None,
    role: Role = Role.ALL,
    patience: float = 0.0,
) -> AsyncIterator[Service]:
    """A service over real parts, ready to run; everything is closed at the end.

    On SQLite it is alone. On PostgreSQL it is one process among as many as there are, and does what
    its `role` says.

    A PostgreSQL that is not there yet is waited for, for `patience` seconds.

    Raises `ConfigError`, `StorageError` or another `MonitorError` with one sentence for people.
    """
    clock = clock or SystemClock()
    pace = pace or Pace()
    url = settings.monitor.database
    kind = "sqlite" if read_address(url).path else "postgresql"
    telemetry.BUILD.info({"version": __version__, "database": kind})
    async with AsyncExitStack() as stack:
        stack.enter_context(exclusive(url))
        path = read_address(url).path
        is_new = path is not None and not path.exists()
        await _upgraded(url, patience)
        if is_new:
            log.info("database.made", file=str(path))
        engine, member = await _engine_of(url, role, stack)
        store = await stack.enter_async_context(
            SqlStore(url, engine, holder=member.number if member else None)
        )
        if url.startswith("sqlite"):  # ours alone: what is leased was leased by a crash
            await store.write(lambda tx: tx.release_leases())
        http = await stack.enter_async_context(
            HttpFetcher(clock=clock, user_agent=settings.monitor.user_agent)  # the rest: `apply`
        )
        elsewhere = Elsewhere(settings)
        stack.push_async_callback(elsewhere.close)
        polite = PoliteFetcher(http, clock, spacing=settings.fetch.spacing)
        robots = Robots(polite, clock)
        polite.delay_of = robots.crawl_delay
        # others parse only what somebody has them try on the page: 45 MB that few of them ever need
        pool = await stack.enter_async_context(
            ProcessPool(workers=settings.monitor.workers, at_once=role.does(Role.WORKER))
        )
        sink = sink or sink_of(settings, alerts_to or sys.stdout)
        stack.push_async_callback(sink.close)
        context = Context(
            store=store,
            fetcher=polite,
            offload=pool,
            sink=sink,
            others=elsewhere.sinks,
            clock=clock,
            rules=rules_of(settings, pace, sink),
            jitter=lambda: random.uniform(-1, 1),  # noqa: S311 not a secret
            is_present=(lambda: member.is_present) if member else (lambda: True),
            begin_pause=polite.begin_pause,
            polls=polls_at_once(answer_time),
            pages=pages_at_once(answer_time),
            parsers=parsers_of(settings.monitor.workers),
        )
        if isinstance(sink, SlackSink | SlackWebhookSink):
            sink.may_post = context.is_present
        context.budget = pace.patient(context.budget)
        context.lease = pace.patient(context.lease)
        context.delivery_lease = pace.patient(context.delivery_lease)
        reports = SqlReports(store, lambda: context.rules.max_age)
        service = Service(
            settings,
            clock=clock,
            store=store,
            reports=reports,
            engine=engine,
            pipeline=Pipeline(context),
            http=http,
            fetcher=polite,
            for_pages=RobotsFetcher(polite, robots),
            elsewhere=elsewhere,
            pace=pace,
            hands=(
                hands_of(settings, context, reports, lambda: service.settings)
                if role.does(Role.ALERTS)
                else None
            ),
            member=member,
            role=role,
            storage_problem=lambda: store.problem,
        )
        await service.apply(settings, context.rules)
        yield service


async def _upgraded(url: str, patience: float) -> None:
    """Bring the database to this version, if need be when its server is there. Raises `StorageError`."""
    until, is_waiting = monotonic() + patience, False
    while True:
        try:
            await asyncio.to_thread(upgrade, url)
        except StorageError as error:
            if not is_absent(error) or monotonic() >= until:
                raise
            if not is_waiting:
                log.warning("database.awaited", error=str(error), seconds=round(patience))
            is_waiting = True
            await asyncio.sleep(LOOK)
        else:
            return


async def _engine_of(
    url: str, role: Role, stack: AsyncExitStack
) -> tuple[Engine, Membership | None]:
    """What does the jobs, and who we are among many; on SQLite nobody else is there."""
    address = read_address(url)
    if address.path is not None:
        if role is not Role.ALL:
            raise StorageError(
                f"--role {role} needs a PostgreSQL that all processes share; {address} is one "
                "process's alone: set MONITOR_DATABASE_URL, or leave --role out"
            )
        return LocalEngine(), None
    # procrastinate and psycopg are 11 MB, of no use on SQLite
    from monitor.engine.cluster import ClusterEngine  # noqa: PLC0415
    from monitor.engine.members import Member  # noqa: PLC0415

    conninfo = address.conninfo
    engine = ClusterEngine(conninfo, kinds=role.kinds)
    await engine.open()
    stack.push_async_callback(engine.close)
    member = Member(conninfo, leads=False)  # until it runs
    return engine, await stack.enter_async_context(member)


def hands_of(
    settings: Settings, context: Context, reports: Reports, current: Callable[[], Settings]
) -> Hands | None:
    """What people do in Slack; None where nobody listens."""
    socket = socket_of(settings)
    if socket is None or not isinstance(context.sink, SlackSink):
        return None
    return Hands(socket, context, reports, current)
