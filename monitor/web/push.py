"""Where hubs call (WebSub §5.3, §7): they ask whether we meant to subscribe, and push.

Each callback ends in a token of 256 bits that only its hub was told. Who doesn't know one gets
nothing: no page, no word, and no body of theirs is read. What is pushed is counted and hashed as it
comes and thrown away; if it is signed as it should be, the feed is polled soon.

A hub hears 2xx whether a push was right or wrong, so that nobody can try signatures out, and 410
once its subscription is gone. (One that is being left is still asked whether that was meant.)
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from monitor import telemetry, websub
from monitor.compose import Rules
from monitor.errors import MonitorError
from monitor.model import Job, Kind, Subscription, SubscriptionState
from monitor.ports import Clock, Store, Transaction
from monitor.web.hosts import path_of

BODY_SECONDS: Final = 20.0
"""A push whose body takes longer is given up."""

_AT_ONCE: Final = 32
_AT_ONCE_EACH: Final = 2
_LONGEST_CHALLENGE: Final = 4_096

log = telemetry.get_logger()


def is_callback(path: str) -> bool:
    """Whether a path may be that of a callback."""
    return path.startswith(websub.CALLBACKS) and websub.is_token(path[len(websub.CALLBACKS) :])


class Pushes:
    """What hubs may do: verify, deny, push."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        rules: Callable[[], Rules],
        *,
        seconds: float = BODY_SECONDS,
    ) -> None:
        """`rules`: those in force; `seconds`: how long a body may take."""
        self._store = store
        self._clock = clock
        self._rules = rules
        self._seconds = seconds
        self._reading: Counter[str] = Counter()  # bodies under way, by token

    def routes(self) -> list[Route]:
        """The callback's."""
        return [Route(f"{websub.CALLBACKS}{{token}}", self._answer, methods=["GET", "POST"])]

    async def _answer(self, request: Request) -> Response:
        token = request.path_params["token"]
        if not is_callback(path_of(request)) or request.method == "HEAD":
            return _NOT_FOUND
        try:
            if request.method == "POST":
                return await self._receive(request, token)
            return await self._verify(request, token)
        except MonitorError as error:  # the database is away: hubs come again
            log.warning("push.postponed", error=str(error))
            return PlainTextResponse("Not now.\n", 503, headers={"Retry-After": "60"})

    # -- what a hub asks

    async def _verify(self, request: Request, token: str) -> Response:
        said = request.query_params
        mode, topic = said.get("hub.mode", ""), said.get("hub.topic", "")
        challenge = said.get("hub.challenge", "")
        now = self._clock.now()

        def decide(tx: Transaction) -> tuple[str | None, bool]:
            found = tx.subscription_at(token)
            held = found and tx.subscription(found.id)
            if held is None:
                return None, False
            feed = tx.feed_name(held.feed)
            if not websub.same_topic(held.topic, topic):
                return feed, False
            leaves = held.state is SubscriptionState.LEAVING
            if mode == "denied" and not leaves:
                tx.save_subscription(websub.denied(held, said.get("hub.reason", ""), now))
            elif mode == "unsubscribe" and leaves:
                tx.drop_subscription(held.id)
            elif mode == "subscribe":
                confirmed = websub.confirmed(held, said.get("hub.lease_seconds"), now)
                if confirmed is None:
                    return feed, False
                tx.save_subscription(confirmed)
            else:
                return feed, False
            return feed, True

        if mode != "denied" and not 0 < len(challenge) <= _LONGEST_CHALLENGE:
            return _NOT_FOUND
        feed, agreed = await self._store.write(decide)
        if feed is not None:
            telemetry.HUB_CALLS.labels(
                mode if mode in _MODES else "unknown", "agreed" if agreed else "refused"
            ).inc()
            (log.info if agreed else log.warning)(
                "hub.called",
                feed=feed,
                mode=mode if mode in _MODES else "unknown",
                status="agreed" if agreed else "refused",
            )
        # plain text that no browser takes for a page: the challenge is somebody else's words
        return PlainTextResponse(challenge) if agreed else _NOT_FOUND

    # -- what a hub pushes

    async def _receive(self, request: Request, token: str) -> Response:
        found = await self._store.read(lambda tx: _look_up(tx, token))
        if found is None:
            telemetry.PUSHES.labels("unknown").inc()
            return _GONE
        held, feed = found
        with self._turn(token) as free:
            if not free:
                telemetry.PUSHES.labels("busy").inc()
                return PlainTextResponse("Not now.\n", 503, headers={"Retry-After": "60"})
            outcome = await self._judge(request, held)
        telemetry.PUSHES.labels(outcome).inc()
        if outcome == "verified":
            await self._store.write(lambda tx: self._note(tx, held))
            log.info("feed.pushed", feed=feed)
        else:
            log.warning("push.ignored", feed=feed, status=outcome)
        if outcome == "too_large":
            return PlainTextResponse("Too large.\n", 413, headers={"Connection": "close"})
        return Response(status_code=202)

    def _note(self, tx: Transaction, held: Subscription) -> None:
        bucket = tx.note_push(held.id, self._clock.now(), self._soonest)
        if bucket is not None:
            tx.submit(Job(Kind.POLL, str(bucket)))

    def _soonest(self, url: str) -> timedelta:
        rules = self._rules()
        return rules.cadence_of(url).fastest

    async def _judge(self, request: Request, held: Subscription) -> str:
        """Whether a push is its hub's: in a word."""
        proof = websub.Proof(held.secret, request.headers.get("x-hub-signature"))
        if not proof.is_claimed:
            return "unsigned"
        size, most = 0, self._rules().max_feed
        try:
            async with asyncio.timeout(self._seconds):
                async for piece in request.stream():
                    size += len(piece)
                    if size > most:
                        return "too_large"
                    proof.feed(piece)
        except (TimeoutError, ClientDisconnect):
            return "broken_off"
        return "verified" if proof.holds() else "forged"

    @contextmanager
    def _turn(self, token: str) -> Iterator[bool]:
        """A place to read a body in: there are few, and one hub gets fewer."""
        free = self._reading[token] < _AT_ONCE_EACH and self._reading.total() < _AT_ONCE
        if not free:
            yield False
            return
        self._reading[token] += 1
        try:
            yield True
        finally:
            self._reading[token] -= 1
            if not self._reading[token]:
                del self._reading[token]


def _look_up(tx: Transaction, token: str) -> tuple[Subscription, str] | None:
    """The subscription that is pushed to, and the name of its feed."""
    held = tx.subscription_at(token)
    if held is None or held.state is SubscriptionState.LEAVING:
        return None
    return held, tx.feed_name(held.feed)


_MODES: Final = frozenset({"subscribe", "unsubscribe", "denied"})
_NOT_FOUND: Final = PlainTextResponse("There is no such subscription.\n", 404)
_GONE: Final = PlainTextResponse("There is no such subscription any more.\n", 410)
