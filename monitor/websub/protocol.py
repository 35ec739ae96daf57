"""What is said to a hub, and how it is known that it is the hub that speaks (WebSub §5, §7)."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import unquote

from monitor.model import Subscription, SubscriptionState

CALLBACKS: Final = "/websub/"
"""Where hubs call, below the public URL; a token follows."""

ASKED_LEASE = timedelta(days=10)
"""For how long a subscription is asked: what the reference hub gives. The hub's word counts."""

_LONGEST_LEASE = timedelta(days=365)
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)  # 256 bits
_SIGNATURE: Final = re.compile(
    r"\s*(sha1|sha256|sha384|sha512)\s*=\s*([0-9a-f]{40,128})\s*", re.ASCII | re.IGNORECASE
)
_LEASE: Final = re.compile(r"\d{1,12}", re.ASCII)


def is_token(text: str) -> bool:
    """Whether this may be the token of a callback."""
    return _TOKEN.fullmatch(text) is not None


def callback_url(public_url: str, token: str) -> str:
    """Where a hub calls for one subscription: a URL that only it knows."""
    return f"{public_url.rstrip('/')}{CALLBACKS}{token}"


def form(subscription: Subscription) -> Mapping[str, str]:
    """The fields of a request to a hub: subscribe, or unsubscribe where it is `leaving`.

    The secret goes to a hub without TLS, too, although the specification advises against it: who
    reads it there could have us poll, and without a secret everybody could. The callback stays the
    same when a subscription is renewed, as a new one would be a second subscription until the old
    one ends. `hub.verify` is what hubs of before 2013 want; others pass it over.
    """
    fields = {
        "hub.callback": subscription.callback,
        "hub.topic": subscription.topic,
        "hub.verify": "async",
    }
    if subscription.state is SubscriptionState.LEAVING:
        return fields | {"hub.mode": "unsubscribe"}
    return fields | {
        "hub.mode": "subscribe",
        "hub.lease_seconds": str(int(ASKED_LEASE.total_seconds())),
        "hub.secret": subscription.secret,
    }


def lease_of(text: str | None) -> timedelta:
    """For how long a hub says it pushes; what was asked, if it doesn't say."""
    if text is None or not _LEASE.fullmatch(text) or not int(text):
        return ASKED_LEASE
    return min(timedelta(seconds=int(text)), _LONGEST_LEASE)


def same_topic(one: str, other: str) -> bool:
    """Whether two spellings name one topic: hubs decode what need not be encoded (WebSub §5.1.1)."""
    return unquote(one) == unquote(other)


class Proof:
    """Whether a push is signed with a subscription's secret (WebSub §7.1).

    It is fed the raw body piece by piece, and keeps none of it.
    """

    def __init__(self, secret: str, signature: str | None) -> None:
        """`signature`: the header X-Hub-Signature as sent, e.g. ``sha256=0f3c…``."""
        said = _SIGNATURE.fullmatch(signature or "")
        self._claimed = said[2].lower() if said else None
        self._digest = hmac.new(secret.encode(), digestmod=said[1].lower() if said else "sha256")

    @property
    def is_claimed(self) -> bool:
        """Whether there is a signature at all, by a method that is known."""
        return self._claimed is not None

    def feed(self, piece: bytes) -> None:
        """The next bytes of the body."""
        self._digest.update(piece)

    def holds(self) -> bool:
        """Whether the bytes so far are what was signed."""
        return self._claimed is not None and hmac.compare_digest(
            self._digest.hexdigest(), self._claimed
        )
