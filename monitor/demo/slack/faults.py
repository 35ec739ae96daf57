"""What can go wrong with one call, by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How one call fails: whether Slack did what was asked, and what the caller hears of it."""

    done: bool  # the method ran, a message is stored
    end: Literal["drop", "hang", "answer", "late"]  # hang: no answer until the double is closed
    seconds: float = 0.0  # of the machine's, until a late answer, which is the right one
    status: int = 200
    body: str = ""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def _says(error: str, *, done: bool = False, status: int = 200) -> Fault:
    return Fault(done=done, end="answer", status=status, body=f'{{"ok":false,"error":"{error}"}}')


_HTML = "<html><body>Something went wrong.</body></html>"

FAULTS = {
    "drop_before": Fault(done=False, end="drop"),
    "drop_after": Fault(done=True, end="drop"),
    "slow_before": Fault(done=False, end="hang"),
    "slow_after": Fault(done=True, end="hang"),
    "500": Fault(done=False, end="answer", status=500, body=_HTML, content_type="text/html"),
    "500_stored": Fault(done=True, end="answer", status=500, body=_HTML, content_type="text/html"),
    "503": Fault(done=False, end="answer", status=503, body=_HTML, content_type="text/html"),
    "502_stored": Fault(done=True, end="answer", status=502, body="", content_type="text/plain"),
    "fatal_error": _says("fatal_error"),
    "fatal_error_stored": _says("fatal_error", done=True),
    "internal_error_stored": _says("internal_error", done=True, status=500),
    "ratelimited": _says("ratelimited"),
    "redirect": Fault(done=False, end="answer", status=307, headers={"Location": "/elsewhere"}),
    "garbage": Fault(done=False, end="answer", body="welcome", content_type="text/plain"),
    "garbage_stored": Fault(done=True, end="answer", body="welcome", content_type="text/plain"),
    "not_json_stored": Fault(done=True, end="answer", body='{"ok": tr'),
    "list_stored": Fault(done=True, end="answer", body="[1, 2]"),
    "html_stored": Fault(done=True, end="answer", body=_HTML, content_type="text/html"),
}


CHAOS = {
    "drop_before": 4,
    "drop_after": 4,
    "500": 2,
    "503": 2,
    "500_stored": 2,
    "slow_before": 1,
    "slow_after": 1,
    "late:0.3": 3,
    "429:1": 2,
    "429:5": 1,
    "fatal_error": 1,
    "fatal_error_stored": 3,
    "internal_error_stored": 2,
    "not_json_stored": 1,
    "html_stored": 1,
}
"""A bad day: how often each of these is met, relative to the others."""


def named(name: str) -> Fault | None:
    """The fault of that name; ``429:7`` asks for seven seconds, ``error:x`` says x, ``late:0.5``
    does what it should, half a second later; ok is none.
    """
    if name == "ok":
        return None
    kind, _, value = name.partition(":")
    if kind == "late":
        return Fault(done=True, end="late", seconds=float(value))
    if kind == "429":
        answer = _says("ratelimited", status=429)
        return Fault(
            done=False, end="answer", status=429, body=answer.body, headers={"Retry-After": value}
        )
    return _says(value) if kind == "error" else FAULTS[name]
