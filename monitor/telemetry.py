"""Logs and metrics: how both look, and every metric there is.

Logs are ``noun.verbed`` events with fields; JSON unless a person is watching. One canonical line
ends every unit of work, with its status, seconds and counts. Metric labels come from enums only:
never a URL, never a name that a feed can choose.
"""

from __future__ import annotations

import logging
import math
import re
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from time import monotonic
from typing import IO, Any, Literal

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
)

from monitor.errors import is_exhaustion
from monitor.model import Kind

REGISTRY = CollectorRegistry()
ProcessCollector(namespace="monitor", registry=REGISTRY)  # processor, memory, open files

SAY_EXHAUSTED = 60.0
"""Seconds between two lines that no file is left."""

_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_LATENCY = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 21600, 86400)

BUILD = Info("monitor_build", "Version of this process", registry=REGISTRY)
POLLS = Counter(
    "monitor_polls_total", "Polls of feeds by how they ended", ["outcome"], registry=REGISTRY
)
POLL_SECONDS = Histogram(
    "monitor_poll_seconds", "Duration of one poll", buckets=_SECONDS, registry=REGISTRY
)
POLL_LAG = Histogram(
    "monitor_poll_lag_seconds",
    "From when a poll was due to when it began",
    buckets=_LATENCY,
    registry=REGISTRY,
)
HUB_REQUESTS = Counter(
    "monitor_hub_requests_total",
    "Requests to hubs to push a feed, or not any more, by how they ended",
    ["mode", "outcome"],
    registry=REGISTRY,
)
HUB_CALLS = Counter(
    "monitor_hub_calls_total",
    "Questions and denials of hubs, by whether they were agreed with",
    ["mode", "outcome"],
    registry=REGISTRY,
)
SUBSCRIPTIONS = Gauge(
    "monitor_hub_subscriptions", "Feeds that are pushed: their hubs have agreed", registry=REGISTRY
)
PUSHES = Counter(
    "monitor_pushes_total",
    "Pushes of hubs: verified ones have a feed polled, all others are ignored",
    ["outcome"],
    registry=REGISTRY,
)
ENTRIES = Counter(
    "monitor_entries_total",
    "Entries not seen before: of a new article, or of one that was known",
    ["result"],
    registry=REGISTRY,
)
GAPS = Counter(
    "monitor_feed_gaps_total",
    "Polls that shared no item with the one before, so that items were lost",
    registry=REGISTRY,
)
FILLED = Counter(
    "monitor_entries_filled_total",
    "Entries that feeds had dropped and their sites' news sitemaps still listed",
    registry=REGISTRY,
)
ARTICLES = Counter(
    "monitor_articles_total", "Articles by how their ingest ended", ["outcome"], registry=REGISTRY
)
INGEST_SECONDS = Histogram(
    "monitor_ingest_seconds", "Duration of one ingest", buckets=_SECONDS, registry=REGISTRY
)
HITS = Counter("monitor_hits_total", "Articles matched by a watch", registry=REGISTRY)
UPDATES = Counter(
    "monitor_updates_total", "Replies under stories, by what happened", ["kind"], registry=REGISTRY
)
ESCALATIONS = Counter(
    "monitor_escalations_total", "Stories that grew as far as a watch says", registry=REGISTRY
)
CORROBORATED = Counter(
    "monitor_corroborated_total",
    "Held stories that were told, for others confirmed them",
    registry=REGISTRY,
)
STORIES_HELD = Gauge(
    "monitor_stories_held", "Stories that wait for others to confirm them", registry=REGISTRY
)
DELIVERIES = Counter(
    "monitor_deliveries_total",
    "Calls to show an alert, by sink and how they ended",
    ["sink", "outcome"],
    registry=REGISTRY,
)
SLACK_CALLS = Counter(
    "monitor_slack_requests_total",
    "Calls of Slack's API by method, and what they met",
    ["method", "outcome"],
    registry=REGISTRY,
)
ALERT_SECONDS = Histogram(
    "monitor_alert_seconds",
    "From first seeing the article to the message being shown",
    buckets=_LATENCY,
    registry=REGISTRY,
)
ALERT_PUBLISHED_SECONDS = Histogram(
    "monitor_alert_published_seconds",
    "From an article's own date to the message being shown, where it has one",
    buckets=_LATENCY,
    registry=REGISTRY,
)
SINK_STOPPED = Gauge(
    "monitor_sink_stopped",
    "1 while the main sink refuses us altogether, as Slack does with a revoked token",
    registry=REGISTRY,
)
PARSER_KILLS = Counter(
    "monitor_parser_kills_total",
    "Worker processes that were killed or died while they read a feed or a page, by why",
    ["reason"],
    registry=REGISTRY,
)
TICKED = Gauge(
    "monitor_last_tick_timestamp_seconds",
    "When the scheduler last looked at what is due",
    registry=REGISTRY,
)
JOB_SECONDS = Histogram(
    "monitor_job_seconds", "Duration of one job", ["kind"], buckets=_SECONDS, registry=REGISTRY
)
JOBS_CRASHED = Counter(
    "monitor_jobs_crashed_total", "Jobs ended by a bug", ["kind"], registry=REGISTRY
)
JOBS_RUNNING = Gauge("monitor_jobs_running", "Jobs at work now", ["kind"], registry=REGISTRY)
JOBS = Gauge(
    "monitor_jobs",
    "Jobs over all processes: queued, running, stalled in one that died",
    ["kind", "state"],
    registry=REGISTRY,
)
JOBS_OLDEST = Gauge(
    "monitor_jobs_oldest_seconds",
    "For how long the oldest queued job has waited",
    ["kind"],
    registry=REGISTRY,
)
WORKERS = Gauge("monitor_workers", "Processes that do jobs", registry=REGISTRY)
LEADER = Gauge("monitor_leader", "1 in the process that keeps the clock", registry=REGISTRY)
FEEDS = Gauge("monitor_feeds", "Declared feeds by how they are", ["health"], registry=REGISTRY)
FEEDS_DUE = Gauge("monitor_feeds_due", "Feeds whose time has come, and gone by", registry=REGISTRY)
OUTBOX = Gauge(
    "monitor_outbox",
    "Messages by state: of stories (delivery) and all others (notice)",
    ["kind", "state"],
    registry=REGISTRY,
)
OUTBOX_UNCERTAIN = Gauge(
    "monitor_outbox_uncertain",
    "Messages of which nobody knows yet whether they are shown",
    registry=REGISTRY,
)
OUTBOX_OLDEST = Gauge(
    "monitor_outbox_oldest_seconds",
    "Age of the oldest message that is not shown yet",
    registry=REGISTRY,
)
PRUNED = Counter(
    "monitor_pruned_rows_total",
    "Rows deleted because they were too old or too many, by table",
    ["table"],
    registry=REGISTRY,
)
DATABASE_BYTES = Gauge(
    "monitor_database_bytes", "What all rows and indexes take in the database", registry=REGISTRY
)
DISK_FREE = Gauge(
    "monitor_disk_free_bytes",
    "What is free where the SQLite file is; without one it is not told",
    registry=REGISTRY,
)
DATABASE_FAILED = Gauge(
    "monitor_database_failed", "1 while nothing can be stored, or not read", registry=REGISTRY
)
DATABASE_FAILURES = Counter(
    "monitor_database_failures_total",
    "How often it came to that nothing could be stored, or not read",
    registry=REGISTRY,
)
TRANSACTION_SECONDS = Histogram(
    "monitor_transaction_seconds",
    "Duration of one transaction, without the wait for its turn",
    ["kind"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
    registry=REGISTRY,
)
CONFIG_OK = Gauge(
    "monitor_config_last_reload_successful",
    "1 if the configuration in the file is the one in use",
    registry=REGISTRY,
)
CONFIG_AT = Gauge(
    "monitor_config_last_reload_success_timestamp_seconds",
    "When the configuration in use was read",
    registry=REGISTRY,
)

# at nought from the start: of what appears with its first event, no increase can be seen
for _kind in Kind:
    JOBS_CRASHED.labels(str(_kind))
for _reason in ("time", "memory", "died", "lost"):
    PARSER_KILLS.labels(_reason)

_SECRETS = re.compile(
    r"xox[a-z]-[\w-]+|xapp-[\w-]+"  # Slack's tokens
    r"|(?<=hooks\.slack\.com/)[\w/-]+"  # and webhooks
    r"|whsec_[\w+/=-]+"  # what a program's webhook is signed with
    r"|(?<=://)[^/\s?#\"<>@:]*:[^/\s?#\"<>]*(?=@)"  # user:password in any URL
    # the same, of a password that should have been escaped: it is no port, and holds a "/"
    r"|(?<=://)[^/\s?#\"<>@:\[]*:(?!\d{1,5}(?:[/?#\s\"'<>,;)]|$))"
    r"[^\s\"<>]{1,300}?(?:@[^/\s?#\"<>@]{0,300})*(?=@)"
    r"|(?i:(?<=http://)|(?<=https://))[^/\s?#\"<>@:]+(?=@)"  # a token in place of both
)


_BEGINNINGS = ("xox", "xapp-", "hooks.slack.com/", "whsec_")
"""Of what needs no URL around it: most texts have none, and are looked through no further."""

_SHOWN = {
    code: f"\\u{code:04x}"
    for codes in ((0x7F, 0x9F), (0x2028, 0x202E), (0x2066, 0x2069))
    for code in range(codes[0], codes[1] + 1)
}
"""What ends a line to some readers, or makes it read as what it is not: shown by its number."""


_ASKED = re.compile(
    # a name begins anew at each "%": or each of a hostile row of "%26" would be read to its end
    r"(?i)((?:[?&;#]|%(?:[0-9a-f]{2})?)"
    r"(?:[\w.-]*(?:token|secret|passw(?:or)?d|signature|credentials?|apikey)"
    r"|(?:[\w.-]*[_.-])?(?:access|auth|feed|private|rss|user)?(?:key|auth|sig|pass|pwd|jwt))"
    r"(?:=|%3d))[^&;#\s\"'<>]*"
)
"""A secret that a URL asks with, such as `?access_token=…`, also in a URL within a URL."""

_ASKED_OF_DATABASE = re.compile(r"(\b(?:ssl)?password=)(?:'[^'\\]*(?:\\.[^'\\]*)*'|[^&;#\s\"'<>]*)")


def redact(text: str) -> str:
    """The text without anything that looks like a secret."""
    if "://" in text or any(each in text for each in _BEGINNINGS):
        text = _SECRETS.sub("***", text)
    if "=" not in text and "%3" not in text:
        return text
    if "password=" in text:
        text = _ASKED_OF_DATABASE.sub(r"\1***", text)
    return _ASKED.sub(r"\1***", text)


def _tidy(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """When, how grave and what come first; no secret comes at all."""
    head = {key: event.pop(key) for key in ("time", "level", "event") if key in event}
    return {key: _redacted(value) for key, value in (head | dict(event)).items()}


def _redacted(value: Any) -> Any:
    match value:
        case str():
            return redact(value).translate(_SHOWN)
        case list() | tuple() | set() | frozenset():
            return [_redacted(each) for each in value]
        case Mapping():
            return {key: _redacted(each) for key, each in value.items()}
        case None | int() | float():
            return value
        case _:
            return _redacted(str(value))


class _Exhausted(logging.Filter):
    """That a connection can't be taken for want of files is said once a minute, in a line.

    asyncio says it with a traceback for each place in the socket's queue, each second, for as long as it
    lasts: sixty thousand lines in ten seconds (measured), which fill a disk as well.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said_at = -math.inf

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is to be shown as it is."""
        error = record.exc_info[1] if record.exc_info else None
        if not is_exhaustion(error):
            return True
        now = monotonic()
        if now - self._said_at >= SAY_EXHAUSTED:
            self._said_at = now
            get_logger().error(
                "files.exhausted",
                error=str(error),
                detail="who asks for the page or the probes has to wait: raise `ulimit -n`",
            )
        return False


def set_up_logging(
    style: Literal["auto", "json", "text"],
    *,
    level: str = "INFO",
    stream: IO[str] | None = None,
    colours: bool = True,
) -> None:
    """Send every log line, ours and the libraries', through one formatter to `stream` (stderr).

    `colours`: on a terminal, unless who sits there wants none (NO_COLOR).
    """
    stream = stream or sys.stderr
    as_text = style == "text" or (style == "auto" and stream.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(
            fmt="%H:%M:%S" if as_text else "iso", utc=not as_text, key="time"
        ),
    ]
    # Tracebacks as plain text, without local variables: those hold pages, tokens and whole feeds.
    render: Any = (
        structlog.dev.ConsoleRenderer(
            colors=colours and stream.isatty(),
            timestamp_key="time",
            pad_event_to=18,
            sort_keys=False,
            exception_formatter=structlog.dev.plain_traceback,
        )
        if as_text
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _tidy,
                render,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in _QUIET:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    of_loop = logging.getLogger("asyncio")
    of_loop.filters[:] = [_Exhausted()]
    # a tick that finds the one before still at work is skipped on purpose
    logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
    # trafilatura reports every page it can't read as an error; ours is the line that counts
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    logging.getLogger("slack_sdk").setLevel(logging.CRITICAL)  # at DEBUG it prints its URL


_QUIET: Iterable[str] = ("apscheduler", "alembic", "asyncio", "uvicorn", "watchfiles", "aiohttp")


def get_logger() -> structlog.stdlib.BoundLogger:
    """The logger that every module uses."""
    return structlog.stdlib.get_logger("monitor")
