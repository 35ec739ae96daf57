"""Everything a sink may raise, classed by what the outbox should do.

::

    AlertError
      Deferred     nothing was shown; try again (after ``retry_after`` seconds, if known)
        Closed     … because this channel takes nothing until somebody acts: keep its queue
      Rejected     nothing was shown and never will be: dead-letter this delivery
      Stopped      the sink itself can't work (bad token, missing scope): keep the queue, tell people
      Ambiguous    it may have been shown: look before repeating
"""

from __future__ import annotations


class AlertError(Exception):
    """Base of everything a sink raises on purpose."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class Deferred(AlertError):
    """Nothing was shown; the same call may succeed later."""

    def __init__(self, code: str, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(code, detail)
        self.retry_after = retry_after  # seconds, as the service asked


class Closed(Deferred):
    """The channel takes nothing until somebody acts: it is misspelt, archived, or not ours to use."""


class Rejected(AlertError):
    """The service refuses this message for good."""


class Stopped(AlertError):
    """The service refuses us altogether: every message waits until an operator acts."""


class Ambiguous(AlertError):
    """The call broke off: the message may or may not have been shown."""
