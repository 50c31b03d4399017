"""Spans of turns, in memory and over a real socket."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from relay.errors import ErrorKind, ProviderError
from relay.metrics.settings import MetricsSettings
from relay.metrics.traces import Traces, open_traces
from relay.services import Services
from relay.turn.ended import Outcome, TurnEnded
from relay.turn.timeline import Timeline
from tests.fakes.connection import FakeConnection
from tests.fakes.session import talking

NOON_NS = 1_800_000_000 * 10**9


class Memory:
    """Traces whose spans stay here."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.traces = Traces(SimpleSpanProcessor(self.exporter), clock_ns=lambda: NOON_NS)

    def turn(self) -> tuple[ReadableSpan, dict[str, ReadableSpan]]:
        """The span of the only turn, and those within it by name."""
        spans = self.exporter.get_finished_spans()
        (turn,) = (span for span in spans if span.parent is None)
        inner = {span.name: span for span in spans if span is not turn}
        assert turn.context is not None
        assert all(s.parent and s.parent.span_id == turn.context.span_id for s in inner.values())
        return turn, inner


TURN = TurnEnded(
    "doll-1",
    7,
    Timeline(speech_start=100.0, speech_end=102.0, endpoint=102.6, first_filler=104.4),
    ended_at=110.0,
    outcome=Outcome.ANSWERED,
    language="ko",
    model="lite",
    fillers=1,
    waited_s=2.5,
)


def test_a_turn_is_a_span_with_its_stages_within_it_at_the_time_of_day() -> None:
    memory = Memory()
    memory.traces.observe(TURN)
    turn, inner = memory.turn()
    assert turn.name == "turn"
    assert (turn.start_time, turn.end_time) == (NOON_NS - 10 * 10**9, NOON_NS)
    assert set(inner) == {"speech", "endpoint"}
    assert inner["endpoint"].start_time == NOON_NS - 8 * 10**9
    assert inner["endpoint"].end_time == NOON_NS - 7_400_000_000
    assert [event.name for event in turn.events] == ["filler"]
    assert dict(turn.attributes or {}) == {
        "doll.device": "doll-1",
        "doll.turn": 7,
        "doll.outcome": "answered",
        "doll.language": "ko",
        "doll.model": "lite",
        "doll.fillers": 1,
        "doll.quota_wait_s": 2.5,
    }


def test_the_environment_names_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory()
    memory.traces.observe(TURN)
    assert memory.turn()[0].resource.attributes["service.name"] == "talking-doll"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "our doll")
    memory = Memory()
    memory.traces.observe(TURN)
    assert memory.turn()[0].resource.attributes["service.name"] == "our doll"


@pytest.mark.virtual_time
async def test_a_failed_turn_of_a_session_is_an_error_and_says_nothing_of_what_was_said(
    services: Services,
) -> None:
    memory = Memory()
    services.onlookers.append(memory.traces.observe)
    services.tts.error = ProviderError(ErrorKind.SERVER, "no voice")
    doll = FakeConnection()
    async with talking(services, doll):
        await doll.ask()
        await doll.until_stop()
    turn, inner = memory.turn()
    assert turn.status.status_code is StatusCode.ERROR
    assert (turn.attributes or {})["error.type"] == "server"
    assert {"speech", "endpoint", "recognition", "model"} <= set(inner)
    assert "안녕" not in turn.to_json(indent=None) + "".join(s.to_json() for s in inner.values())


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """An OTLP collector: its address, and the authorization and body of each request."""
    got: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append((self.headers.get("authorization", ""), body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", got
        server.shutdown()
        thread.join()


async def test_spans_go_where_the_environment_of_the_sdk_says(
    collector: tuple[str, list[tuple[str, bytes]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, got = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20pearl")
    traces = open_traces(MetricsSettings(traces=True))
    assert traces is not None
    traces.observe(TURN)
    await asyncio.to_thread(traces.close)  # what is left goes out then
    ((authorization, body),) = got
    assert authorization == "Bearer pearl"
    sent = ExportTraceServiceRequest.FromString(body)
    names = [span.name for span in sent.resource_spans[0].scope_spans[0].spans]
    assert sorted(names) == ["endpoint", "speech", "turn"]


async def test_a_collector_that_never_answers_does_not_keep_the_relay_from_ending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("relay.metrics.traces._GOODBYE_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
        traces = open_traces(MetricsSettings(traces=True))
        assert traces is not None
        traces.observe(TURN)
        async with asyncio.timeout(8):  # the SDK alone waits for ten
            await asyncio.to_thread(traces.close)


def test_nothing_of_the_sdk_is_imported_where_no_traces_are_wanted() -> None:
    assert open_traces(MetricsSettings()) is None
    code = (
        "import sys, relay.app, relay.serve\n"
        "print([n for n in sys.modules if n.startswith(('opentelemetry.sdk', "
        "'opentelemetry.exporter', 'requests'))])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert ran.stdout.strip() == "[]"


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(ImportError, match=r"pip install 'talking-doll\[otel\]'"):
        open_traces(MetricsSettings(traces=True))
