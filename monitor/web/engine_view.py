"""How the engine stands, in words and for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from monitor.ports import EngineState, Workload
from monitor.web import words

LATE: Final = timedelta(minutes=1)
"""For how long a job may wait before that is told: so long is none that anybody can do."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is said, and whether it is a trouble."""

    text: str
    tone: str  # calm | bad


def said(state: EngineState) -> Sequence[Sentence]:
    """What the page says; nothing where one process does all and nothing is wrong."""
    load = state.workload
    found = [*sentences(load)]
    is_alone = load.processes == 1 and load.workers == 1
    return [] if is_alone and all(each.tone == "calm" for each in found) else found


def sentences(load: Workload) -> Iterator[Sentence]:
    """How many processes and jobs there are, then what is wrong."""
    jobs = load.kinds.values()
    queued, running = sum(each.queued for each in jobs), sum(each.running for each in jobs)
    yield Sentence(
        f"{words.some(load.processes, 'process', 'processes')}, {load.workers} of them doing jobs;"
        f" {words.some(running, 'job')} at work, {words.number(queued)} queued.",
        "calm",
    )
    if not load.is_led:
        yield Sentence(
            "No process keeps the clock, so that nothing new is begun: `monitor run --role scheduler`"
            " does.",
            "bad",
        )
    if load.stalled:
        yield Sentence(
            f"{words.some(load.stalled, 'job is', 'jobs are')} at work in processes that give no sign"
            " of life.",
            "bad",
        )
    for kind, each in load.kinds.items():
        waits = timedelta(seconds=each.oldest)
        if each.queued and waits >= LATE:
            yield Sentence(
                f"Nobody does what is queued of {kind}: the oldest waits for {words.span(waits)}.",
                "bad",
            )


def as_json(state: EngineState) -> dict[str, Any]:
    """For programs: what the process that answers is, and how the jobs of all stand."""
    return {
        "role": str(state.role),
        "is_leader": state.is_leader,
        **workload_json(state.workload),
    }


def workload_json(load: Workload) -> dict[str, Any]:
    """Processes, and jobs by kind; ages in seconds."""
    return {
        "is_led": load.is_led,
        "processes": load.processes,
        "workers": load.workers,
        "stalled": load.stalled,
        "jobs": {
            str(kind): {
                "queued": each.queued,
                "running": each.running,
                "stalled": each.stalled,
                "oldest_seconds": round(each.oldest, 1),
            }
            for kind, each in load.kinds.items()
        },
    }
