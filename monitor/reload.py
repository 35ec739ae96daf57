"""When the configuration file was edited.

The folder is watched, not the file: editors and Kubernetes put a new file in the old one's place,
and a watch on the old one would never speak again. What counts is the content, so a burst of
events is one edit, and a touch is none. As not every file system sends events (network mounts, a
single file mounted into a container, a link into another folder), the content is also compared
every few seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import structlog
from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

_LOOK_EVERY = 5.0  # seconds: how late an edit without an event is seen
_QUIET = 100  # milliseconds without an event that end a burst, so that no half-written file is read
_BURST = 1600  # milliseconds after which a burst is over in any case

_log = structlog.get_logger(__name__)


def edits(
    path: Path, stop: asyncio.Event, *, look_every: float = _LOOK_EVERY
) -> AsyncIterator[None]:
    """Yields once whenever the file has another content, also when it goes and when it comes back.

    Compared with the content at the time of this call: call it before the file is loaded, and no
    edit is lost between the two. Ends soon after `stop` is set. `look_every` is in seconds.
    """
    return _edits(path, stop, _content(path), look_every)


async def _edits(
    path: Path, stop: asyncio.Event, known: bytes | None, look_every: float
) -> AsyncIterator[None]:
    folder = _Folder(path.parent, stop, look_every)
    try:
        while not stop.is_set():
            folder.arm()  # before looking: what comes after the look is an event
            content = await asyncio.to_thread(_content, path)
            if content != known:
                known = content
                yield
            else:
                await folder.wait()
    finally:
        folder.disarm()


def _content(path: Path) -> bytes | None:
    """A digest of the file; None if it can't be read."""
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return None


@dataclass(slots=True)
class _Folder:
    """A watch on a folder that survives the folder's being replaced."""

    path: Path
    stop: asyncio.Event
    look_every: float
    watcher: RustNotify | None = None
    identity: tuple[int, int] | None = None  # of the folder that is watched
    warned: bool = False

    def arm(self) -> None:
        """See to it that the folder which now has this path is the one that is watched."""
        try:
            found = self.path.stat()
            if self.watcher is not None and self.identity == (found.st_dev, found.st_ino):
                return
            self.disarm()
            self.watcher = RustNotify([str(self.path)], False, False, 0, False, False)
            self.identity = (found.st_dev, found.st_ino)
        except (OSError, WatchfilesRustInternalError) as error:
            # The folder is not there, or the machine has no watches left: looking must do.
            self.disarm()
            if not self.warned:
                _log.warning("config.unwatched", folder=str(self.path), error=str(error))
                self.warned = True

    def disarm(self) -> None:
        """End the watch."""
        if self.watcher is not None:
            self.watcher.close()
            self.watcher = None

    async def wait(self) -> None:
        """Until a burst of events has ended, or it is time to look anyway, or `stop` is set."""
        if self.watcher is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stop.wait(), self.look_every)
            return
        ended = _Either(self.stop)
        call = asyncio.ensure_future(
            asyncio.to_thread(
                self.watcher.watch, _BURST, _QUIET, max(1, int(self.look_every * 1000)), ended
            )
        )
        try:
            await asyncio.shield(call)
        finally:
            ended.now = True  # a cancelled wait must not leave its thread behind
            await asyncio.wait([call])


@dataclass(slots=True)
class _Either:
    """What tells the watching thread to end: the service's stop, or our own."""

    stop: asyncio.Event
    now: bool = False

    def is_set(self) -> bool:
        return self.now or self.stop.is_set()
