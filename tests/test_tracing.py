"""One trace for each article, whoever does a part of it; nothing at all where nobody listens."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from monitor import tracing
from monitor.storage import SqlStore
from tests.contracts.material import NOW
from tests.pipeline.conftest import Newsroom, newsroom, page  # noqa: F401 a fixture
from tests.webserver import Reply, WebServer, running


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """Whatever is recorded."""
    exporter = InMemorySpanExporter()
    stop = tracing.start({}, exporter)
    yield exporter
    stop()


def traces(exporter: InMemorySpanExporter) -> dict[int, dict[str, list[ReadableSpan]]]:
    """Spans by article and name."""
    found: dict[int, dict[str, list[ReadableSpan]]] = {}
    for span in exporter.get_finished_spans():
        assert span.attributes is not None
        article = int(str(span.attributes["monitor.article"]))
        assert span.context is not None
        assert span.context.trace_id == tracing.trace_of(article)
        found.setdefault(article, {}).setdefault(span.name, []).append(span)
    return found


async def test_an_article_is_one_trace_from_poll_to_delivery(
    newsroom: Newsroom,  # noqa: F811
    spans: InMemorySpanExporter,
) -> None:
    """Every stage below the poll that found it, in order; what no watch wants has no delivery."""
    newsroom.server.route("/a", page("A ceasefire is agreed"))
    newsroom.server.route("/b", page("Rain", "It rained all day over the hills and the plains."))
    newsroom.feed("wire", ("A ceasefire is agreed", "/a"), ("Rain", "/b"))
    await newsroom.declare("wire")
    await newsroom.settle()
    assert len(newsroom.shown()) == 1

    found = {frozenset(each): each for each in traces(spans).values()}
    stages = ["poll", "fetch", "extract", "match", "group and store", "deliver"]
    assert found.keys() == {frozenset(stages), frozenset(stages[:-1])}
    told = found[frozenset(stages)]
    assert {name: len(each) for name, each in told.items()} == dict.fromkeys(stages, 1)
    [poll] = told["poll"]
    assert (poll.parent, poll.attributes["monitor.feed"]) == (None, "wire")
    for name in stages[1:]:
        [span] = told[name]
        assert span.parent is not None
        assert span.parent.span_id == poll.context.span_id, name
        assert span.start_time <= span.end_time
    starts = [told[name][0].start_time for name in stages]
    assert starts == sorted(starts)
    said = {name: dict(told[name][0].attributes) for name in stages}
    assert said["fetch"]["monitor.url"] == newsroom.server.url("/a")
    assert said["match"]["monitor.hits"] == 1
    assert said["group and store"]["monitor.outcome"] == "done"
    assert (
        said["deliver"].items()
        >= {
            "monitor.channel": "#newsdesk",
            "monitor.sink": "memory",
            "monitor.shown": True,
            "monitor.edit": False,
        }.items()
    )


async def test_a_trace_goes_on_in_another_process(newsroom: Newsroom) -> None:  # noqa: F811
    """After a restart the same ids are made again; nothing was stored for it."""
    newsroom.server.route("/a", page("A ceasefire is agreed"))
    newsroom.feed("wire", ("A ceasefire is agreed", "/a"))
    await newsroom.declare("wire")
    before, after = InMemorySpanExporter(), InMemorySpanExporter()
    stop = tracing.start({}, before)
    await newsroom.work()
    stop()
    async with SqlStore(f"sqlite:///{newsroom.store.address.path}") as store:
        again = Newsroom(store, newsroom.server, newsroom.context.offload, newsroom.context.fetcher)
        stop = tracing.start({}, after)
        await again.settle(minutes=1)
        stop()
    [poll] = before.get_finished_spans()
    assert poll.name == "poll"
    rest = [each for each in after.get_finished_spans() if each.name != "poll"]
    assert {"fetch", "deliver"} < {each.name for each in rest}
    for each in rest:
        assert each.context.trace_id == poll.context.trace_id
        assert each.parent.span_id == poll.context.span_id
        assert each.parent.is_remote


async def test_what_goes_wrong_is_in_the_trace_without_secrets(
    newsroom: Newsroom,  # noqa: F811
    spans: InMemorySpanExporter,
) -> None:
    """A page that is not there; a password in its address."""
    newsroom.server.route("/gone", Reply("", status=404))
    newsroom.feed("wire", ("A ceasefire is agreed", "/gone"))
    await newsroom.declare("wire")
    await newsroom.settle()
    [found] = traces(spans).values()
    assert not found["fetch"][0].status.is_ok
    assert "extract" not in found
    tracing.record(7, "fetch", NOW, NOW, url="https://reader:hunter2@news.example/")
    assert "hunter2" not in str([each.to_json() for each in spans.get_finished_spans()])


async def test_an_edit_is_in_the_trace_of_what_is_new(
    newsroom: Newsroom,  # noqa: F811
    spans: InMemorySpanExporter,
) -> None:
    """A story of a thousand articles is not a thousand spans for each edit."""
    for name in ("/a", "/b"):
        newsroom.server.route(name, page("A ceasefire is agreed"))
    newsroom.feed("wire", ("A ceasefire is agreed", "/a"))
    newsroom.feed("post", ("A ceasefire is agreed today", "/b"))
    await newsroom.declare("wire")
    await newsroom.settle()
    await newsroom.declare("wire", "post")
    await newsroom.settle(minutes=10)
    await newsroom.settle(minutes=1)
    edits = {
        article: [span.attributes["monitor.edit"] for span in found.get("deliver", ())]
        for article, found in traces(spans).items()
    }
    assert edits == {1: [False], 2: [True]}


def test_ids_differ_and_are_the_same_again() -> None:
    """Neither is nought, which OpenTelemetry takes for none."""
    ids = {(tracing.trace_of(n), tracing.first_span_of(n)) for n in range(1, 1000)}
    assert len(ids) == 999
    assert all(trace and span for trace, span in ids)
    assert tracing.trace_of(1) == tracing.trace_of(1) < 1 << 128


def test_a_part_of_all_traces_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenTelemetry's own variable: of what is taken every span is, of the rest none."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    exporter = InMemorySpanExporter()
    stop = tracing.start({}, exporter)
    for article in range(1, 101):
        for name in ("poll", "fetch", "deliver"):
            tracing.record(article, name, NOW, NOW + timedelta(seconds=1))
    stop()
    counts = [sum(map(len, each.values())) for each in traces(exporter).values()]
    assert 20 < len(counts) < 80
    assert set(counts) == {3}


def test_without_a_place_to_send_to_nothing_is_recorded() -> None:
    """And it costs next to nothing: less than the look at the clock that it saves."""
    stop = tracing.start({"OTEL_SERVICE_NAME": "monitor"})
    assert not tracing.is_on()
    assert tracing.span(lambda: NOW, 1, "fetch") is tracing.span(lambda: NOW, 2, "match")
    began = time.process_time()
    for _ in range(10_000):
        with tracing.span(_never, 1, "fetch", url="https://news.example/") as span:
            span.note(words=1)
    assert (time.process_time() - began) / 10_000 < 20e-6
    stop()


def _never() -> object:
    raise AssertionError("nobody asks for the time")


def test_a_collector_that_is_away_does_not_hold_up_a_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What could not be sent is given up after a moment."""
    monkeypatch.setattr(tracing, "LAST_SECONDS", 0.2)
    address = "http://127.0.0.1:9"
    monkeypatch.setitem(os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT", address)
    stop = tracing.start({"OTEL_EXPORTER_OTLP_ENDPOINT": address})
    assert tracing.is_on()
    tracing.record(1, "poll", NOW, NOW)
    began = time.monotonic()
    stop()
    assert time.monotonic() - began < 2
    assert not tracing.is_on()


def test_a_place_without_the_extra_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the service runs without."""
    for name in [each for each in sys.modules if each.startswith("opentelemetry")]:
        monkeypatch.setitem(sys.modules, name, None)  # as it is where nothing of it is installed
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with capture_logs() as logs:
        stop = tracing.start({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"})
    assert "pip install 'monitor[otel]'" in str(logs)
    assert not tracing.is_on()
    stop()


def test_spans_arrive_at_a_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """By OpenTelemetry's own protocol over HTTP, at the end at the latest."""
    with running(WebServer()) as server:
        server.route("/v1/traces", Reply(""))
        address = server.url("").rstrip("/")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        stop = tracing.start({"OTEL_EXPORTER_OTLP_ENDPOINT": address})
        tracing.record(7, "poll", NOW, NOW + timedelta(seconds=1), feed="Wire")
        stop()
        assert [request.path for request in server.requests] == ["/v1/traces"]
