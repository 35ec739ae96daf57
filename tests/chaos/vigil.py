"""What must not last: seen by looks into the database while the service is being killed. Pure.

A process that was killed leaves leases and jobs behind. That is right; but others have to take them over
soon, without waiting for anybody. And who is alive ends what it has begun.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

PATIENCE = 30
"""Looks after which a lease or a job of the dead may be there no more, of those that found a leader.
They come every two seconds, or later where the machine is busy: several times what the service
promises, which is three seconds for leases and ten for jobs.
"""

HELD = 15
"""Looks after which who is alive has given a row back. A job begins nothing new after five seconds; what it
has begun then waits for its host, a parser and the database.
"""

QUEUED = 150
"""Looks after which a job that is due must have been begun, and a row that is due must have been done, or
put off. It waits for those before it, and for processors.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was found, at one moment."""

    articles: int = 0
    urls: int = 0  # of articles
    hits: int = 0
    found: int = 0  # pairs of an article and a watch, of hits
    locks: Mapping[str, int] = field(default_factory=dict)  # of jobs at work: held more than once
    hosts: Mapping[str, int] = field(default_factory=dict)  # leased by more than one process
    leases: frozenset[str] = frozenset()  # of nobody who is alive, or of who knows whom
    held: frozenset[str] = frozenset()  # leases of processes that are alive
    orphans: frozenset[str] = frozenset()  # jobs at work, of processes that give no sign of life
    waiting: frozenset[str] = frozenset()  # jobs in the queue
    due: frozenset[str] = frozenset()  # rows, and since when
    is_led: bool = True  # somebody gives back what the dead held


class Vigil:
    """Remembers since when what was seen has lasted."""

    def __init__(self) -> None:
        self._lasted: Counter[str] = Counter()  # looks
        self.looks = 0
        self.unled = 0
        self.longest = dict.fromkeys(_NAMES, 0)

    def see(self, look: Look) -> Iterator[str]:
        """What is wrong by now."""
        self.looks += 1
        self.unled += not look.is_led
        if look.articles != look.urls:
            yield f"{look.articles} articles are stored, of {look.urls} URLs"
        if look.hits != look.found:
            yield f"{look.hits} hits are stored, of {look.found} finds"
        for lock, times in look.locks.items():
            yield f"{times} jobs hold {lock} at a time"
        for host, holders in look.hosts.items():
            yield f"{holders} processes hold leases of {host} at a time"
        lasting = {
            f"{kind} {each}": kind
            for kind, those in (
                ("lease", look.leases),
                ("held", look.held),
                ("orphan", look.orphans),
                ("queued", look.waiting),
                ("due", look.due),
            )
            for each in those
        }
        self._lasted = Counter({each: self._lasted[each] + look.is_led for each in lasting})
        for each, kind in lasting.items():
            name, patience = _NAMES[kind]
            self.longest[kind] = max(self.longest[kind], self._lasted[each])
            if self._lasted[each] > patience:
                yield f"{patience} looks and more have found {name}: {each}"


_NAMES = {
    "lease": ("a lease of nobody", PATIENCE),
    "held": ("a lease that who is alive does not end", HELD),
    "orphan": ("a job at work whose process is dead", PATIENCE),
    "queued": ("a job that nobody began", QUEUED),
    "due": ("a row that is due and not done", QUEUED),
}
