"""Feed bytes to entries. Pure; runs in a worker process, for the bytes are anybody's."""

from __future__ import annotations

from monitor.parse.feeds import parse_feed

__all__ = ["parse_feed"]
