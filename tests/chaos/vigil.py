"""What must not last: seen by looks into the database while the service is being killed. Pure.

A process that was killed leaves leases and jobs behind. That is right; but others have to take them over
soon, without waiting for anybody.
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

QUEUED = 150
"""Looks after which a job that is due must have been begun. It waits for those before it, and for
processors.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was found, at one moment."""

    articles: int = 0
    urls: int = 0  # of articles
    hits: int = 0
    found: int = 0  # pairs of an article and a watch, of hits
    locks: Mapping[str, int] = field(default_factory=dict)  # of jobs at work: held more than once
    leases: frozenset[str] = frozenset()  # of nobody who is alive, or of who knows whom
    orphans: frozenset[str] = frozenset()  # jobs at work, of processes that give no sign of life
    waiting: frozenset[str] = frozenset()  # jobs in the queue
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
        lasting = {
            f"{kind} {each}": kind
            for kind, those in (
                ("lease", look.leases),
                ("orphan", look.orphans),
                ("queued", look.waiting),
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
    "orphan": ("a job at work whose process is dead", PATIENCE),
    "queued": ("a job that nobody began", QUEUED),
}
