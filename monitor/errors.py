"""Every error that monitor raises on purpose, classed by what the caller should do.

::

    MonitorError
      ConfigError              tell the operator: a list of mistakes with file:line:column   exit 2
      QueryError               a watch's query can't be read: what, in which column, what to do
      StorageError             the database can't be used: tell the operator                 exit 3
      Transient                the same call may succeed later (``retry_after``, if known)
      Permanent                the same call will fail again: give up and say why
      ParseError               these bytes are not what they should be
      Refused                  what somebody asked for makes no sense: tell them why
      Superseded               somebody else has done this work meanwhile: drop it

``Transient``, ``Permanent`` and ``ParseError`` carry a ``code``: one word from `Code` that is
the database column, the metric label and the word on the page, so that the three agree.

Not modified, duplicate and no match are results, not errors. Anything that is not in this tree
is a bug: it is caught once, at the edge of a job, and logged whole.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Code(StrEnum):
    """Why a fetch or a parse failed. Bounded, so that it can label a metric."""

    TIMEOUT = "timeout"
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    PROTOCOL = "protocol"  # the server broke off or spoke something that is not HTTP
    REDIRECT = "redirect"  # a loop, too many hops, or a target that is not http(s)
    BLOCKED = "blocked"  # the address is not public
    DISALLOWED = "disallowed"  # robots.txt asks us not to read it
    BAD_URL = "bad_url"
    OPAQUE_LINK = "opaque_link"  # a redirector's link that says to nobody but it where it leads
    TOO_LARGE = "too_large"
    WRONG_TYPE = "wrong_type"  # an image, a PDF, ... where text was expected
    UNAUTHORIZED = "unauthorized"  # 401, 403
    NOT_FOUND = "not_found"  # 404
    GONE = "gone"  # 410
    RATE_LIMITED = "rate_limited"  # 429
    CHALLENGED = "challenged"  # a bot check stands where the content should be
    CONSENT = "consent"  # a page that asks about cookies stands where the article should be
    PAYWALL = "paywall"  # only the article's beginning is shown, or nothing
    CLIENT_ERROR = "client_error"  # any other 4xx
    SERVER_ERROR = "server_error"  # 5xx
    NOT_A_FEED = "not_a_feed"
    NO_TEXT = "no_text"  # a page without an article's text
    PARSE = "parse"
    KILLED = "killed"  # the worker process ran out of time or memory, or crashed


class MonitorError(Exception):
    """Base of everything raised on purpose."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong in the configuration: what, where, and what to do."""

    message: str
    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return f"{self.file}: {self.message}" if self.file else self.message
        return f"{self.file}:{self.line}:{self.column}: {self.message}"

    @property
    def in_a_line(self) -> str:
        """Without the picture, whose carets mean nothing but in a terminal; with its hint."""
        first, *picture = str(self).split("\n")
        last = picture[-1].strip() if picture else ""
        return f"{first} ({last})" if last.startswith("hint: ") else first


class ConfigError(MonitorError):
    """The configuration can't be used; `mistakes` lists everything wrong with it at once."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


class QueryError(MonitorError):
    """A query can't be read: what is wrong, in which characters of it, and what to do."""

    def __init__(self, message: str, text: str, start: int, end: int, hint: str = "") -> None:
        """`start` and `end` are half-open offsets into `text`; the end of the text is inside."""
        super().__init__(message)
        self.message = message
        self.text = text
        self.start = start
        self.end = max(end, start)
        self.hint = hint


class StorageError(MonitorError):
    """The database can't be opened, is of a newer version, or belongs to another process."""


class WorkError(MonitorError):
    """A fetch or a parse did not give what was asked for."""

    def __init__(self, code: Code, detail: str, *, status: int | None = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.status = status  # the HTTP status, where there was one


class Transient(WorkError):
    """The same call may succeed later; `retry_after` is the server's own word, if it gave one."""

    def __init__(
        self,
        code: Code,
        detail: str,
        *,
        status: int | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(code, detail, status=status)
        self.retry_after = retry_after


class Permanent(WorkError):
    """The same call will fail again."""


class ParseError(WorkError):
    """These bytes are not a feed, or not a page with an article."""


class Refused(MonitorError):
    """What somebody asked for can't be done as things stand; the words are for them."""


class Superseded(MonitorError):
    """The row that this work was about is gone, its article merged into another; or another process
    has it now.
    """


def is_exhaustion(error: BaseException | None) -> bool:
    """Whether something failed because this process, or the machine, has no file to give any more."""
    return isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}
