"""A trace of each turn for OpenTelemetry: one span, and one within it for each of its stages.

The SDK is an extra, and is imported only where `metrics.traces` is set. Spans are made from the
timeline when a turn is over, so that tracing costs a turn nothing while somebody waits for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from relay import __version__
from relay.llm.extras import MissingExtraError
from relay.metrics.settings import MetricsSettings
from relay.metrics.stages import stages
from relay.turn.ended import Outcome, TurnEnded

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor


#: A collector that does not answer holds the relay's end up for so long, not for the SDK's ten.
_GOODBYE_S = 3.0


class Traces:
    """Makes spans, and hands them to `processor`."""

    def __init__(
        self, processor: SpanProcessor, clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        """`clock_ns` tells Unix time. Raises ImportError without the extra."""
        from opentelemetry import trace
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider

        # What the environment says (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES) goes before ours.
        ours = Resource.create({"service.name": "talking-doll", "service.version": __version__})
        self._provider = TracerProvider(
            resource=ours.merge(OTELResourceDetector().detect()), shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("relay", __version__)
        self._within = trace.set_span_in_context
        self._failed = trace.Status(trace.StatusCode.ERROR)
        self._clock_ns = clock_ns

    @classmethod
    def to_collector(cls) -> Traces:
        """Spans go out over OTLP/HTTP, in batches, from a thread of the SDK's.

        Where to, with which headers and how often is said by the environment that the SDK reads:
        OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS, OTEL_BSP_…, OTEL_TRACES_SAMPLER.
        Raises MissingExtraError.
        """
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError as error:
            raise MissingExtraError("OpenTelemetry", "otel", error) from None
        return cls(BatchSpanProcessor(OTLPSpanExporter()))

    def observe(self, ended: TurnEnded) -> None:
        """A turn is over."""
        # The relay's clock is monotonic; a span wants the time of day.
        offset_ns = self._clock_ns() - _ns(ended.ended_at)
        parts = list(stages(ended.timeline))
        begin = min((begin for _, begin, _ in parts), default=ended.ended_at)
        turn = self._tracer.start_span(
            "turn",
            start_time=offset_ns + _ns(begin),
            attributes={
                "doll.device": ended.device_id,
                "doll.turn": ended.turn,
                "doll.outcome": ended.outcome.value,
                "doll.language": ended.language,
                "doll.model": ended.model,
                "doll.fillers": ended.fillers,
                "doll.quota_wait_s": ended.waited_s,
            },
        )
        if ended.outcome is Outcome.FAILED:
            turn.set_attribute("error.type", ended.failure)
            turn.set_status(self._failed)
        context = self._within(turn)
        if (filler := ended.timeline.first_filler) is not None:
            turn.add_event("filler", timestamp=offset_ns + _ns(filler))
        for stage, first, last in parts:
            span = self._tracer.start_span(
                stage.value, context=context, start_time=offset_ns + _ns(first)
            )
            span.end(offset_ns + _ns(last))
        turn.end(offset_ns + _ns(ended.ended_at))

    def close(self) -> None:
        """Send what has not been sent, if that is done soon. Blocks for three seconds at most."""
        last = threading.Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        last.join(_GOODBYE_S)


def open_traces(settings: MetricsSettings) -> Traces | None:
    """What the settings choose. Raises MissingExtraError."""
    return Traces.to_collector() if settings.traces else None


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
