"""Run the double by itself: ``python -m monitor.demo.slack --port 8900 --channel newsdesk``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib

from monitor.demo.slack import SlackDouble


async def serve(port: int, channels: list[str], *, rate_limited: bool) -> None:
    """Serve until interrupted."""
    double = SlackDouble(rate_limited=rate_limited)
    for name in channels:
        double.add_channel(name)
    await double.start(port)
    print(f"base_url {double.url}  token {double.token}")  # noqa: T201
    print(f"its page {double.page_url}  all messages {double.page_url}messages")  # noqa: T201
    try:
        await asyncio.Event().wait()
    finally:
        await double.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--channel", action="append", default=[], help="a channel's name")
    parser.add_argument("--rate-limited", action="store_true", help="25 at once, then 1/s")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(
            serve(options.port, options.channel or ["newsdesk"], rate_limited=options.rate_limited)
        )
