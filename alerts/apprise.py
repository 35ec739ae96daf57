"""Messages to everything else, through Apprise: e-mail, Teams, Telegram and a hundred more.

Needs the package of that name (`pip install monitor[apprise]`), which is imported when the first
message goes out. Its addresses (``mailto://user:password@…``) are secrets: they are in no error and
no log, for which Apprise's own logger is silenced. Apprise says of a call only that it failed, not
why, so it is tried again; a message that was taken and whose answer was lost is sent twice.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from alerts.errors import Closed, Deferred, Stopped
from alerts.message import Message
from alerts.plain import to_plain
from alerts.sink import Blind, Posted

PREFIX = "apprise:"
"""What the names of channels begin with that lead here; the name of a list of addresses follows."""

INSTALL = "is not installed: pip install 'monitor[apprise]'"
_TRY_AGAIN = 60.0  # seconds; somebody may have mended the configuration by then
_REMEMBERED = 1000  # messages that some of their addresses took


class AppriseSink(Blind):
    """Sends every message to all addresses of the list that its channel names (``apprise:desk``).

    What was sent stays as it was. Where some addresses of a list took a message and others did not,
    only those others are tried again, as long as this process runs.
    """

    name = "apprise"
    can_update = False

    def __init__(self, lists: Mapping[str, Sequence[str]], *, timeout: float = 60.0) -> None:
        """`timeout`: seconds for all addresses of a list together."""
        self.lists = lists  # may be replaced at any time
        self._timeout = timeout
        self._taken: OrderedDict[str, set[str]] = OrderedDict()

    async def post(
        self,
        channel: str,
        message: Message,
        *,
        thread: Posted | None = None,  # noqa: ARG002 - the seam asks for it
        broadcast: bool = False,  # noqa: ARG002 - the seam asks for it
    ) -> Posted:
        """Send a message. Raises Deferred, Closed or Stopped."""
        addresses = self.lists.get(channel.removeprefix(PREFIX))
        if addresses is None:
            raise Closed("no_such_list", channel, retry_after=_TRY_AGAIN)
        taken = self._taken.get(message.delivery_id, set())
        open_ = [each for each in addresses if each not in taken]
        plain = to_plain(message)
        try:
            async with asyncio.timeout(self._timeout):
                results = await asyncio.gather(
                    *(_notify(each, plain.title, plain.body) for each in open_)
                )
        except TimeoutError:
            raise Deferred("timeout", f"{len(open_)} addresses in {self._timeout:g} s") from None
        taken |= {each for each, done in zip(open_, results, strict=True) if done}
        missed = [each for each in addresses if each not in taken]
        if missed:
            self._remember(message.delivery_id, taken)
            raise Deferred("apprise_failed", f"{', '.join(map(scheme_of, missed))}: not taken")
        self._taken.pop(message.delivery_id, None)
        return Posted(channel=channel, ref="")

    async def update(self, posted: Posted, message: Message) -> None:  # noqa: ARG002 - the seam asks for it
        """Refuse: what was sent is gone."""
        raise Stopped("cant_update", "an apprise address can't change messages")

    async def close(self) -> None:
        """There is nothing to give back: each call connects for itself."""

    def _remember(self, delivery_id: str, taken: set[str]) -> None:
        self._taken[delivery_id] = taken
        self._taken.move_to_end(delivery_id)
        while len(self._taken) > _REMEMBERED:
            self._taken.popitem(last=False)


def scheme_of(address: str) -> str:
    """All of an address that may be shown: ``mailto``."""
    return address.partition("://")[0][:20]


def is_address(address: str) -> bool:
    """Whether Apprise knows what to do with an address. Raises ImportError without Apprise."""
    return bool(_target(address)[0])


async def _notify(address: str, title: str, body: str) -> bool:
    """Whether an address took it."""
    try:
        # in a thread: the first time all its plugins are imported, which takes a second
        target, text = await asyncio.to_thread(_target, address)
    except ImportError:
        raise Stopped("apprise", INSTALL) from None
    return bool(target) and bool(
        await target.async_notify(title=title, body=body, body_format=text, interpret_escapes=False)
    )


def _target(address: str) -> tuple[Any, Any]:
    """What sends to an address (false if Apprise does not know it), and its word for plain text."""
    apprise = _library()
    target = apprise.Apprise(asset=_asset(apprise))
    target.add(address)
    return target, apprise.NotifyFormat.TEXT


def _library() -> Any:
    library = importlib.import_module("apprise")
    # its lines hold addresses, and addresses hold passwords
    logging.getLogger("apprise").disabled = True
    return library


def _asset(apprise: Any) -> Any:
    """Who we are, where addresses leave it open; nothing is kept on disk, no plugin is looked for."""
    return apprise.AppriseAsset(
        app_id="monitor",
        app_desc="monitor",
        app_url="",
        secure_logging=True,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        plugin_paths=[],
    )
