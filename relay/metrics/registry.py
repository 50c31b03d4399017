"""Everything that the relay counts, in one place."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    ProcessCollector,
    disable_created_metrics,
)

from relay import __version__

#: Its own, so that libraries add nothing to it.
REGISTRY = CollectorRegistry()

# When a counter was made: a third more lines, which nobody asks for.
disable_created_metrics()  # type: ignore[no-untyped-call]

ProcessCollector(registry=REGISTRY)  # processor time, memory, open files; nothing but on Linux

Gauge("doll_relay_info", "The relay's version.", ["version"], registry=REGISTRY).labels(
    __version__
).set(1)
