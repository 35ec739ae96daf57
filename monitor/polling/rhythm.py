"""How a feed posts: what is learned of it, and what is to be expected. Pure.

A rhythm is a rate and a profile. The rate is a Gamma-Poisson estimate that forgets: items and
the time in which they came, both halved each week, with half an item at the fleet's rate before
them. The profile says how the rate is spread over the day, by its 288 slots of five minutes: each
hour is shrunk towards the day's mean, each slot towards its hour, by a few items. Newsrooms post by
the clock (a paper's edition at midnight, a wire's list at the full hour), and no hour is as sharp.

A poll that found nothing changes nothing: how long it has been quiet follows from the time of the
last learning. So a rhythm is written only with news. All times are UTC: a change to summer time is
learned anew.

What was tried, replayed as `bench/polling.py` does, share of a fixed interval's mean delay (twelve
feeds; 56 outlets; ±.01 from run to run; 48 polls a day):

==================================  ====  ====
no profile                          .869  .659
hours                               .801  .629
quarters of hours                   .779  .652
slots of five minutes               .741  .633
hours times minutes of the hour     .804  .640
with a factor for each weekday      .771  .628
without                             .761  .623
the hour's own bursts (Hawkes)      .762  .629
half-life of 4, of 8 days           .771  .628, .751  .619
==================================  ====  ====

Lists of old items that a first poll brings were no help either: what is listed for long is not
what was posted lately. So neither weekdays, bursts nor backlog are learned.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

PRIOR: Final = 10 / 86400
"""Items a second of a feed, as long as nothing is known of any."""

SLOTS: Final = 288
SLOT: Final = 300
"""Seconds of a slot."""

_DAY: Final = 86400.0
_PER_HOUR: Final = 12
_RATE_LIFE: Final = 7 * _DAY
_PROFILE_LIFE: Final = 28 * _DAY
_MEMORY: Final = _RATE_LIFE / math.log(2)  # seconds that a feed watched for ever was watched for
_BEFORE: Final = 0.5  # items at the fleet's rate that stand before the feed's own
_PER_HOUR_BEFORE: Final = 4.0  # items at the day's mean, for each hour
_PER_SLOT_BEFORE: Final = 1.5  # items at the hour's mean, for each slot

_UNIT: Final = 4
"""What an item counts in a slot, doubled each `_PROFILE_LIFE` until all are halved: so that whole
numbers decay without a rounding at every poll."""
_MOST: Final = 0xFFFF
_LONGEST_JSON: Final = 4096

_SHAPE: Final = 2.0
"""Posts come in crowds. With the marginal of a Gamma of at most this shape the probabilities of
21,656 gaps between posts (68 feeds, each by what was learned before it) are what they say: .07 %
of them are below .001, 1.4 % below .05; with a shape of 5 it is .4 % and 4 %, with 1 none and .3 %.
"""
_ENDS: Final = 1e-3
"""As probable as a silence must be for it to be even odds whether the feed has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """What is learned of one feed, as of its last news; without anything: unlearned."""

    items: float = 0.0  # found, decayed
    exposure: float = 0.0  # seconds in which they came, decayed
    at: float | None = None  # when it was learned last: seconds since 1970
    counts: tuple[int, ...] = field(default=(0,) * SLOTS, repr=False)  # by slot of the day
    epoch: float = 0.0  # when an item counts `_UNIT`; seconds since 1970
    quiet: float = 0.0  # the longest that it was seen to be silent between news: seconds, decayed

    @classmethod
    def from_json(cls, text: str | None) -> Rhythm:
        """What `to_json` wrote. Nothing, or anything else: an unlearned rhythm."""
        if not text or len(text) > _LONGEST_JSON:
            return cls()
        try:
            given = json.loads(text)
            packed = zlib.decompressobj().decompress(
                base64.b64decode(given["counts"], validate=True), 2 * SLOTS
            )
            items, exposure, at, epoch, quiet = (
                float(given[name]) for name in ("items", "exposure", "at", "epoch", "quiet")
            )
            counts = struct.unpack(f"<{SLOTS}H", packed)
        except (
            ValueError,
            TypeError,
            KeyError,
            OverflowError,
            RecursionError,
            zlib.error,
            binascii.Error,
            struct.error,
        ):
            return cls()
        numbers = (items, exposure, at, epoch, quiet)
        if (
            not all(0 <= number < 1e11 for number in numbers)
            or not 0 <= at - epoch <= _PROFILE_LIFE
        ):
            return cls()
        return cls(items=items, exposure=exposure, at=at, counts=counts, epoch=epoch, quiet=quiet)

    def to_json(self) -> str:
        """At most a kilobyte."""
        packed = zlib.compress(struct.pack(f"<{SLOTS}H", *self.counts), 9)
        return json.dumps(
            {
                "items": round(self.items, 4),
                "exposure": round(self.exposure, 1),
                "at": round(self.at or 0.0, 1),
                "epoch": round(self.epoch, 1),
                "quiet": round(self.quiet, 1),
                "counts": base64.b64encode(packed).decode(),
            },
            separators=(",", ":"),
        )


# --------------------------------------------------------------------------- learning


def learn(
    rhythm: Rhythm,
    polled_at: datetime,
    before: datetime | None,
    found: Sequence[datetime | None],
    *,
    unseen: bool = False,
) -> Rhythm:
    """What is known after a good poll that found new items, by their times of publication.

    `before` is the good poll before it; None: there was none, so that what was found is backlog
    and only begins the watch. A publication that is not between the two (undated, dated in
    advance, listed late) can't be when the item came to be seen; such items count as spread evenly
    over the interval. A poll that found nothing leaves the rhythm as it is.

    `unseen`: nobody looked when it was time to, so that items may have come and gone. Then only what
    is still listed is known: the feed was watched from its oldest item's publication on, and the
    items after that one count. What bears no date to be believed is backlog.
    """
    now = polled_at.timestamp()
    if before is None or rhythm.at is None:
        begun = Rhythm(at=now, epoch=now)
        if before is None or not found:
            return begun
        rhythm = Rhythm(at=before.timestamp(), epoch=before.timestamp())
    assert rhythm.at is not None
    if not found or now <= rhythm.at:
        return rhythm
    items, exposure = _decayed(rhythm, now)
    start = min(before.timestamp(), now)
    if unseen:
        times = sorted(at for at in _times(found) if start < at <= now)
        seen_from = times[0] if times else now
        exposure = max(0.0, exposure - _MEMORY * (_kept(now - seen_from) - _kept(now - start)))
        times = times[1:]
    else:
        times = [
            at if start < at <= now else start + (now - start) * (place + 0.5) / len(found)
            for place, at in enumerate(_times(found))
        ]
    counts, epoch = _aged(rhythm, now)
    weight = _weight(now, epoch)
    for at in times:
        slot = int(at % _DAY) // SLOT
        counts[slot] = min(_MOST, counts[slot] + weight)
    # up to the poll before: how long it was silent after that, and whether, nobody saw
    quiet = max(start - rhythm.at, rhythm.quiet * 0.5 ** ((now - rhythm.at) / _PROFILE_LIFE))
    return Rhythm(
        items=items + len(times),
        exposure=exposure,
        at=now,
        counts=tuple(counts),
        epoch=epoch,
        quiet=quiet,
    )


def _times(found: Sequence[datetime | None]) -> Sequence[float]:
    return [published.timestamp() if published else -1.0 for published in found]


def _kept(seconds: float) -> float:
    """What is left of a rate's memory after so long."""
    return float(0.5 ** (max(0.0, seconds) / _RATE_LIFE))


def mean_rate(rhythms: Iterable[Rhythm], now: datetime) -> float:
    """The fleet's mean rate, items a second: what feeds of which little is known are taken for."""
    items = feeds = 0.0
    for rhythm in rhythms:
        if rhythm.at is not None and rhythm.exposure > 0:
            known, exposure = _decayed(rhythm, now.timestamp())
            items += known / exposure
            feeds += 1
    return (items + PRIOR) / (feeds + 1)


def _decayed(rhythm: Rhythm, at: float) -> tuple[float, float]:
    """Items and exposure as they count at a later moment, nothing found in between."""
    assert rhythm.at is not None
    kept = _kept(at - rhythm.at)
    return rhythm.items * kept, rhythm.exposure * kept + (1 - kept) * _MEMORY


def _weight(now: float, epoch: float) -> int:
    return round(_UNIT * 2 ** ((now - epoch) / _PROFILE_LIFE))


def _aged(rhythm: Rhythm, now: float) -> tuple[list[int], float]:
    """The counts, halved for every half-life that is over."""
    halvings = int((now - rhythm.epoch) // _PROFILE_LIFE)
    if halvings < 1:
        return list(rhythm.counts), rhythm.epoch
    return (
        [count >> min(halvings, 16) for count in rhythm.counts],
        rhythm.epoch + halvings * _PROFILE_LIFE,
    )


# --------------------------------------------------------------------------- expecting


@dataclass(frozen=True, slots=True)
class Expectation:
    """A rhythm, seen from a moment: what is to be expected from then on."""

    rate: float  # items a second, on the average of the day
    profile: Sequence[float]  # by slot of the day: times the rate; 1 on the average
    known: float  # items that this is known by, decayed; a feed that seems to have ended has none

    def at(self, seconds: float) -> float:
        """Items a second at a time, in seconds since 1970."""
        return self.rate * self.profile[int(seconds % _DAY) // SLOT]

    @property
    def pace(self) -> float:
        """The steady rate, items a second, that would be worth as many polls.

        Polls go with the root of the rate: it is the square of the root's mean over the day.
        """
        return self.rate * (sum(map(math.sqrt, self.profile)) / SLOTS) ** 2


def expectation(rhythm: Rhythm, now: datetime, prior: float) -> Expectation:
    """What is to be expected of a feed; `prior` is the fleet's rate, items a second.

    A feed that has been quiet for improbably long may have ended: its rate is that it had, times
    the odds that it has not.
    """
    if rhythm.at is None:
        return Expectation(prior, _FLAT, 0.0)
    at = now.timestamp()
    profile = _profile(rhythm)
    items, exposure = _decayed(rhythm, at)
    rate = (items + _BEFORE) / (exposure + _BEFORE / prior)
    missed = _mean_rate_at_last(rhythm, prior) * _span(profile, rhythm.at, at)
    shape = min(_SHAPE, rhythm.items + _BEFORE)
    probable = (shape / (shape + missed)) ** shape
    alive = probable / (probable + _ENDS) * (1 + _ENDS)
    return Expectation(rate * alive, profile, items * alive)


def rate(rhythm: Rhythm, at: datetime, prior: float) -> float:
    """Items a second that are to be expected of a feed at a moment."""
    return expectation(rhythm, at, prior).at(at.timestamp())


def expected(rhythm: Rhythm, start: datetime, end: datetime, prior: float) -> float:
    """How many items are to be expected between two moments, by what is known at the first."""
    seen = expectation(rhythm, start, prior)
    return seen.rate * _span(seen.profile, start.timestamp(), end.timestamp())


def silence(rhythm: Rhythm, last_new_at: datetime, now: datetime, prior: float) -> float:
    """The probability that a feed that goes on as it did finds nothing for so long.

    By the rate that it had when it was learned last, so that the silence itself is not held in its
    favour, and the marginal over what that rate may be (a negative binomial's zero). As posts come
    in crowds, a day of any number of items tells no more of it than two items would: of a feed that
    is known by little no silence is improbable.
    """
    if rhythm.at is None:
        return 1.0
    profile = _profile(rhythm)
    span = _span(profile, last_new_at.timestamp(), now.timestamp())
    missed = _mean_rate_at_last(rhythm, prior) * span
    shape = min(rhythm.items, 2 * rhythm.exposure / _DAY) + _BEFORE
    return float((shape / (shape + missed)) ** shape)


def _mean_rate_at_last(rhythm: Rhythm, prior: float) -> float:
    return (rhythm.items + _BEFORE) / (rhythm.exposure + _BEFORE / prior)


_FLAT: Final = (1.0,) * SLOTS


def _profile(rhythm: Rhythm) -> Sequence[float]:
    """How many times the mean the rate is in each slot; the mean of all is 1."""
    assert rhythm.at is not None
    one = _UNIT * 2 ** ((rhythm.at - rhythm.epoch) / _PROFILE_LIFE)
    counts = rhythm.counts
    total = sum(counts) / one
    if not total:
        return _FLAT
    per_hour, per_slot = total / 24 + _PER_HOUR_BEFORE, total / SLOTS + _PER_SLOT_BEFORE
    profile: list[float] = []
    for first in range(0, SLOTS, _PER_HOUR):
        hour = counts[first : first + _PER_HOUR]
        shrunk = _PER_SLOT_BEFORE * (sum(hour) / one + _PER_HOUR_BEFORE) / per_hour
        profile += [(count / one + shrunk) / per_slot for count in hour]
    return profile


def _span(profile: Sequence[float], start: float, end: float) -> float:
    """Seconds between two moments, each counted as much as the profile says."""
    if end <= start:
        return 0.0
    days, rest = divmod(end - start, _DAY)
    at = start % _DAY
    until = at + rest
    first, last = int(at) // SLOT, int(until) // SLOT
    twice = (*profile, *profile, profile[0])  # it may end a day later
    if first == last:
        return days * _DAY + profile[first] * rest
    begun = profile[first] * ((first + 1) * SLOT - at)
    ended = twice[last] * (until - last * SLOT)
    return days * _DAY + begun + SLOT * sum(twice[first + 1 : last]) + ended
