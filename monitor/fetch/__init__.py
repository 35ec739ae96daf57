"""The way out: one URL at a time, with caps and a deadline, and nothing inside the network."""

from __future__ import annotations

from monitor.fetch.client import HttpFetcher
from monitor.fetch.guard import Guard, is_public

__all__ = ["Guard", "HttpFetcher", "is_public"]
