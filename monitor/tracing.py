"""Traces: one for each article, from the poll that found it to the message that told it.

Off, and of no cost, until `start` finds where traces go and OpenTelemetry installed (the extra
``otel``). A trace's id is made from the article's number, and so is that of its first span, the
poll: what another process does, or this one after a restart, is in the same trace, and nothing need
be stored for it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from monitor import __version__
from monitor.telemetry import get_logger, redact

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

log = get_logger()

POLL: Final = "poll"
"""The first span of a trace: all others are below it."""

WANTED: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""Either says where traces go, as OpenTelemetry defines it."""

LAST_SECONDS: Final = 2.0
"""At the end, for what was not sent yet: a stop has ten seconds in all."""

Value = str | int | float | bool

_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class Span(Protocol):
    """A part of a trace while it lasts."""

    def note(self, **attributes: Value) -> None:
        """Say more of it."""

    def __enter__(self) -> Self:
        """It begins."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """It ends; an error is noted, and goes on."""


class _Nothing:
    """What is recorded where nothing is."""

    def note(self, **attributes: Value) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


_NOTHING: Final = _Nothing()
_recorder: _Recorder | None = None


def span(now: Callable[[], datetime], article: int, name: str, **attributes: Value) -> Span:
    """A span of an article's trace, to be entered and left. `now` is the service's clock."""
    if _recorder is None:
        return _NOTHING
    return _Timed(_recorder, now, article, name, attributes)


def record(article: int, name: str, began: datetime, ended: datetime, **attributes: Value) -> None:
    """A span that is over already."""
    if _recorder is not None:
        _recorder.record(article, name, began, ended, attributes, None)


def is_on() -> bool:
    """Whether anything is recorded: for those to whom it is work to say what."""
    return _recorder is not None


def start(env: Mapping[str, str], exporter: SpanExporter | None = None) -> Callable[[], None]:
    """Record from now on if the environment says where to; returns what ends it.

    An `exporter` is for tests: it gets each span at once.
    """
    global _recorder  # noqa: PLW0603 one for the process, like its metrics
    if exporter is None and not any(env.get(name) for name in WANTED):
        return _do_nothing
    try:
        _recorder = _Recorder(exporter)
    except ImportError:
        log.warning(
            "traces.off",
            detail=f"{WANTED[1]} is set, and OpenTelemetry is not installed: "
            "pip install 'monitor[otel]'",
        )
        return _do_nothing
    return _stop


def _stop() -> None:
    global _recorder
    recorder, _recorder = _recorder, None
    if recorder is not None:
        recorder.close()


def _do_nothing() -> None:
    pass


def trace_of(article: int) -> int:
    """The id of an article's trace: 128 bits."""
    return int.from_bytes(_digest(article)[:16])


def first_span_of(article: int) -> int:
    """The id of the first span in it: 64 bits."""
    return int.from_bytes(_digest(article)[16:24])


def _digest(article: int) -> bytes:
    return hashlib.sha256(f"monitor article {article}".encode()).digest()


class _Timed:
    """A span between two looks at the clock."""

    __slots__ = ("_article", "_attributes", "_began", "_name", "_now", "_recorder")

    def __init__(
        self,
        recorder: _Recorder,
        now: Callable[[], datetime],
        article: int,
        name: str,
        attributes: dict[str, Value],
    ) -> None:
        self._recorder, self._now, self._article = recorder, now, article
        self._name, self._attributes = name, attributes
        self._began = _EPOCH

    def note(self, **attributes: Value) -> None:
        self._attributes |= attributes

    def __enter__(self) -> Self:
        self._began = self._now()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._recorder.record(
            self._article, self._name, self._began, self._now(), self._attributes, error
        )


class _Recorder:
    """OpenTelemetry, told which ids to use."""

    def __init__(self, exporter: SpanExporter | None) -> None:
        from opentelemetry import trace  # noqa: PLC0415 an extra
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import SpanProcessor, TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import (  # noqa: PLC0415
            BatchSpanProcessor,
            SimpleSpanProcessor,
        )
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator  # noqa: PLC0415

        class Ids(RandomIdGenerator):
            """Those of the article whose first span it is; else by chance."""

            def generate_trace_id(self) -> int:
                article = _beginning.get()
                return super().generate_trace_id() if article is None else trace_of(article)

            def generate_span_id(self) -> int:
                article = _beginning.get()
                return super().generate_span_id() if article is None else first_span_of(article)

        self._api = trace
        resource = Resource.create({"service.name": "monitor", "service.version": __version__})
        self._provider = TracerProvider(
            resource=resource, id_generator=Ids(), shutdown_on_exit=False
        )
        processor: SpanProcessor
        if exporter is None:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
                OTLPSpanExporter,
            )

            processor = BatchSpanProcessor(OTLPSpanExporter())
        else:
            processor = SimpleSpanProcessor(exporter)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("monitor", __version__)

    def record(
        self,
        article: int,
        name: str,
        began: datetime,
        ended: datetime,
        attributes: Mapping[str, Value],
        error: BaseException | None,
    ) -> None:
        """Hand a span over."""
        said = {
            f"monitor.{key}": redact(value) if isinstance(value, str) else value
            for key, value in attributes.items()
        }
        told = {"monitor.article": article, **said}
        is_first = name == POLL
        token = _beginning.set(article if is_first else None)
        try:
            span = self._tracer.start_span(
                name,
                context=self._api.set_span_in_context(
                    self._api.INVALID_SPAN if is_first else self._below(article)
                ),
                attributes=told,
                start_time=_nanoseconds(began),
            )
        finally:
            _beginning.reset(token)
        if error is not None:
            what = redact(str(error)) or type(error).__name__
            span.set_status(self._api.StatusCode.ERROR, what)
        span.end(_nanoseconds(max(began, ended)))

    def _below(self, article: int) -> Any:
        """The first span of a trace, as another process would know it.

        Whether the trace is taken was decided there by its id: the same is decided here.
        """
        from opentelemetry.sdk.trace.sampling import Decision  # noqa: PLC0415

        sampled = self._provider.sampler.should_sample(None, trace_of(article), POLL)
        taken = sampled.decision is Decision.RECORD_AND_SAMPLE
        flags = self._api.TraceFlags.SAMPLED if taken else self._api.TraceFlags.DEFAULT
        return self._api.NonRecordingSpan(
            self._api.SpanContext(
                trace_of(article),
                first_span_of(article),
                is_remote=True,
                trace_flags=self._api.TraceFlags(flags),
            )
        )

    def close(self) -> None:
        """Send what is left, if it takes no longer than it may."""
        # a collector that is away would be waited for, for half a minute
        last = threading.Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        last.join(LAST_SECONDS)


_beginning: ContextVar[int | None] = ContextVar("beginning", default=None)


def _nanoseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000
