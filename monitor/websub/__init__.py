"""WebSub (W3C Recommendation of 23 January 2018), the subscriber's side. Pure: no I/O, no clock.

A feed may name a *hub* that calls us when the feed has changed, so that it need not be asked to
find out. `discovery` finds the hub, `protocol` knows what is said to it and what it says,
`lifecycle` what becomes of a subscription with each event and what pushes mean for polling.

What a push brings is never read: it says "poll now", and the publisher's own server is asked. So a
hub can make us do nothing but what we do anyway, a little sooner.
"""

from __future__ import annotations

from monitor.websub.discovery import Offer, offer_of
from monitor.websub.lifecycle import (
    accepted,
    asking,
    backup_due,
    confirmed,
    denied,
    is_active,
    is_left,
    is_miss,
    refused,
    soonest_poll,
)
from monitor.websub.protocol import CALLBACKS, Proof, callback_url, form, is_token, same_topic

__all__ = [
    "CALLBACKS",
    "Offer",
    "Proof",
    "accepted",
    "asking",
    "backup_due",
    "callback_url",
    "confirmed",
    "denied",
    "form",
    "is_active",
    "is_left",
    "is_miss",
    "is_token",
    "offer_of",
    "refused",
    "same_topic",
    "soonest_poll",
]
