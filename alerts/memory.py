"""Messages kept in memory: for tests, and for pages that show what would have been posted."""

from __future__ import annotations

from collections import deque
from datetime import datetime

from alerts.errors import AlertError, Rejected
from alerts.message import Message
from alerts.sink import Posted


class MemorySink:
    """Shows messages to whoever reads `shown`.

    `fail` makes the next calls raise; with ``shown=True`` the message is shown all the same, as
    when an answer is lost.
    """

    name = "memory"
    can_update = True
    can_find = True
    can_thread = True

    def __init__(self) -> None:
        self.shown: dict[str, dict[str, Message]] = {}  # by channel, by ref, oldest first
        self.replies: dict[str, str] = {}  # by ref, the ref of what it answers
        self.broadcast: set[str] = set()  # refs of replies that the channel shows, too
        self.posts = 0  # calls of `post`
        self.updates = 0
        self.closed = False
        self._failures: deque[tuple[AlertError, bool]] = deque()
        self._next = 1

    def fail(self, *errors: AlertError, shown: bool = False) -> None:
        """Have the next calls of `post` and `update` raise these, one each."""
        self._failures.extend((error, shown) for error in errors)

    def thread(self, channel: str, ref: str) -> list[Message]:
        """What was answered to a message, oldest first."""
        shown = self.shown.get(channel, {})
        return [message for key, message in shown.items() if self.replies.get(key) == ref]

    def messages(self, channel: str) -> list[Message]:
        """What a channel shows, oldest first."""
        return list(self.shown.get(channel, {}).values())

    async def post(
        self,
        channel: str,
        message: Message,
        *,
        thread: Posted | None = None,
        broadcast: bool = False,
    ) -> Posted:
        """Show a message, or fail as told."""
        self.posts += 1
        failure = self._failures.popleft() if self._failures else None
        if failure and not failure[1]:
            raise failure[0]
        posted = Posted(channel=channel, ref=str(self._next))
        self._next += 1
        self.shown.setdefault(channel, {})[posted.ref] = message
        if thread is not None:
            self.replies[posted.ref] = thread.ref
        if broadcast:
            self.broadcast.add(posted.ref)
        if failure:
            raise failure[0]
        return posted

    async def update(self, posted: Posted, message: Message) -> None:
        """Replace a shown message, or fail as told."""
        self.updates += 1
        if self._failures:
            raise self._failures.popleft()[0]
        if posted.ref not in self.shown.get(posted.channel, {}):
            raise Rejected("message_not_found")
        self.shown[posted.channel][posted.ref] = message

    async def find(
        self,
        channel: str,
        delivery_id: str,
        since: datetime,  # noqa: ARG002 - the seam asks for it
        *,
        thread: Posted | None = None,  # noqa: ARG002 - the seam asks for it
    ) -> Posted | None:
        """Look through what the channel shows."""
        for ref, message in self.shown.get(channel, {}).items():
            if message.delivery_id == delivery_id:
                return Posted(channel=channel, ref=ref)
        return None

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True
