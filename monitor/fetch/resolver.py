"""Names to addresses, on threads of our own.

`getaddrinfo` blocks, and a name server that does not answer holds its thread for half a minute. In
asyncio's default executor (six threads on two cores) twenty such hosts delayed healthy ones to
nine seconds. These threads are daemons: unlike an executor's, they never hold up the exit.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class ThreadResolver(AbstractResolver):
    """Resolves each name on a thread, with at most `limit` look-ups at once.

    A look-up that is given up keeps its place until the system's resolver lets go of it, so that
    hanging names can't pile up threads. There are more places than requests at work at once (the
    pipeline's lanes: a hundred), as one that is given up after twenty seconds may hang for twenty
    more. `look_up` is `getaddrinfo`, or a test's own.
    """

    def __init__(
        self, limit: int = 256, look_up: Callable[..., list[Any]] = socket.getaddrinfo
    ) -> None:
        self._places = asyncio.Semaphore(limit)
        self._getaddrinfo = look_up

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """All addresses of a host; `OSError` when there are none."""
        await self._places.acquire()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        thread = threading.Thread(
            target=self._look_up,
            args=(loop, answer, host, port, family),
            name="dns",
            daemon=True,
        )
        try:
            thread.start()
        except RuntimeError as error:  # no more threads to be had
            self._places.release()
            raise OSError(str(error)) from error
        infos = await answer
        return [
            ResolveResult(
                hostname=host,
                host=address[0],
                port=address[1],
                family=found,
                proto=protocol,
                flags=_NUMERIC,
            )
            for found, _, protocol, _, address in infos
        ]

    async def close(self) -> None:
        """Nothing to close: threads end with their look-up, or with the process."""

    def _look_up(
        self,
        loop: asyncio.AbstractEventLoop,
        answer: asyncio.Future[Any],
        host: str,
        port: int,
        family: int,
    ) -> None:
        result: Any
        try:
            result = self._getaddrinfo(
                host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
            )
        except OSError as error:
            result = error
        except UnicodeError:  # a label that IDNA has no form for
            result = socket.gaierror(socket.EAI_NONAME, "not a host name")
        try:
            loop.call_soon_threadsafe(self._settle, answer, result)
        except RuntimeError:
            return  # the loop was closed meanwhile: nobody waits

    def _settle(self, answer: asyncio.Future[Any], result: Any) -> None:
        self._places.release()
        if answer.done():
            return
        if isinstance(result, OSError):
            answer.set_exception(result)
        else:
            answer.set_result(result)
