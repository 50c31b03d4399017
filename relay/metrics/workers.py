"""One page of numbers for all workers of one `doll relay`, whichever of them is asked.

Each counts for itself, and whoever is asked asks the others over the bus: counting costs a worker
among many no more than one alone. (The client library's own way, files that all processes map,
costs each count a write there, knows no `process_…` numbers, and leaves a file behind for each
process that ever was.) Each worker's numbers have its place as the label `worker`, rather than
being added up: when one is started again its counters begin at 0, which Prometheus knows of a
series, and would take for lost in a sum.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Annotated, Final

import msgspec
from msgspec import Meta
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric

from relay.cluster.bus import BusError
from relay.cluster.cluster import Cluster
from relay.metrics.levels import look
from relay.metrics.registry import REGISTRY
from relay.services import Services

_PAGE: Final = "metrics.page"

#: For the others to answer.
_ANSWER_S: Final = 1.0

#: Of what all workers share: each would tell the same.
_SHARED: Final = frozenset(
    {
        "doll_quota_used",
        "doll_quota_left",
        "doll_quota_day_forecast",
        "doll_quota_held_seconds",
    }
)

_STARTED: Final = time.time()

_Name = Annotated[str, Meta(max_length=200)]


class Sample(msgspec.Struct, array_like=True, frozen=True):
    """One number."""

    name: _Name
    labels: dict[_Name, _Name]
    value: float


class Family(msgspec.Struct, array_like=True, frozen=True):
    """Numbers of one name."""

    name: _Name
    documentation: Annotated[str, Meta(max_length=500)]
    type: _Name
    samples: Annotated[list[Sample], Meta(max_length=5_000)]


class Question(msgspec.Struct, frozen=True):
    """Of the workers with this port, all shall tell their numbers."""

    group: _Name


class Numbers(msgspec.Struct, frozen=True):
    """A worker's; none if the question is not for it."""

    number: int = 0
    started: float = 0.0  #: Unix time
    families: Annotated[list[Family], Meta(max_length=200)] = []


class MetricsPage:
    """One for a worker. `dolls` counts those that are connected."""

    def __init__(
        self, dolls: Callable[[], int], services: Services, cluster: Cluster | None
    ) -> None:
        self._dolls = dolls
        self._links = services.brain.links
        self._bus = cluster.bus if cluster is not None else None
        self._place = cluster.place if cluster is not None else None
        if self._bus is not None:
            self._bus.serve(_PAGE, Question, self._answer)

    async def text(self) -> bytes:
        """All numbers, in Prometheus' text format."""
        await look(self._dolls(), self._links)
        if self._bus is None or self._place is None or not self._place.group:
            return generate_latest(REGISTRY)
        mine = self._numbers()
        try:
            question = Question(self._place.group)
            others = await self._bus.ask_all(_PAGE, question, Numbers, _ANSWER_S)
        except BusError:
            others = {}
        return generate_latest(_Merged(mine, list(others.values())))

    async def _answer(self, _worker: str, question: Question) -> Numbers:
        if self._place is None or question.group != self._place.group:
            return Numbers()
        await look(self._dolls(), self._links)
        return self._numbers()

    def _numbers(self) -> Numbers:
        families = [
            Family(
                metric.name,
                metric.documentation,
                metric.type,
                [Sample(each.name, dict(each.labels), each.value) for each in metric.samples],
            )
            for metric in REGISTRY.collect()
        ]
        return Numbers(self._place.number if self._place else 0, _STARTED, families)


class _Merged(CollectorRegistry):
    """The numbers of several workers, as if they were one registry's."""

    def __init__(self, mine: Numbers, others: list[Numbers]) -> None:
        super().__init__()
        newest = {mine.number: mine}
        for numbers in others:
            # While a worker is replaced two have its place: one series cannot be told twice.
            before = newest.get(numbers.number)
            if numbers.families and (before is None or before.started < numbers.started):
                newest[numbers.number] = numbers
        self._all = [newest[number] for number in sorted(newest)]

    def collect(self) -> Iterator[Metric]:
        """Each family once, with the numbers of all."""
        found: dict[str, Metric] = {}
        for numbers in self._all:
            for family in numbers.families:
                is_shared = family.name in _SHARED
                if is_shared and numbers is not self._all[0]:
                    continue
                label = {} if is_shared else {"worker": str(numbers.number)}
                metric = found.setdefault(
                    family.name, Metric(family.name, family.documentation, family.type)
                )
                for sample in family.samples:
                    metric.add_sample(sample.name, label | sample.labels, sample.value)
        yield from found.values()
