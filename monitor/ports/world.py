"""The clock, the network, the processes for hostile work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from monitor.model import (
    Validators,
)

T = TypeVar("T")


class Clock(Protocol):
    """The only one who knows the time."""

    def now(self) -> datetime:
        """The time, aware, in UTC."""

    async def sleep(self, seconds: float) -> None:
        """Wait this many seconds of this clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a server answered with status 200."""

    url: str  # where the answer came from, after redirects
    body: bytes
    content_type: str = ""  # the header as sent
    validators: Validators = Validators()
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    moved_to: str | None = None  # `url`, when every redirect that led there is permanent
    fresh_for: timedelta | None = None  # by Cache-Control or Expires; None: it does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModified:
    """304: what we hold is what there is."""

    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    moved_to: str | None = None
    fresh_for: timedelta | None = None
    validators: Validators = Validators()  # those that it sent anew; empty: the old ones stand


class Fetcher(Protocol):
    """Gets one URL at a time, safely: caps, a deadline, nothing inside the network."""

    async def get(
        self, url: str, *, accept: str, max_bytes: int, validators: Validators = Validators()
    ) -> Page | NotModified:
        """Follow redirects to an answer. Raises `Transient` or `Permanent`, nothing else."""

    async def post(self, url: str, fields: Mapping[str, str]) -> None:
        """Send a form; returns once it was taken. Raises `Transient` or `Permanent`, nothing else."""


class Offload(Protocol):
    """Runs a pure, picklable function where it can be killed."""

    async def ready(self) -> None:
        """Wait until a call would begin at once, or in vain: who runs it has started."""

    async def run(self, function: Callable[..., T], *args: Any, timeout: float) -> T:
        """The function's result, or what it raised.

        A call that runs out of time or memory, or takes its process down, raises `ParseError`
        with `Code.KILLED`; the next call is not affected.
        """
