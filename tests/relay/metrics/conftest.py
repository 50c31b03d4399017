"""Counters are of the whole process: a test looks at what they grew by."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from relay.metrics.registry import REGISTRY
from tests.relay.turn.conftest import cloud, services

__all__ = ["cloud", "services"]

Grown = Callable[..., float]


def sample(name: str, **labels: str) -> float | None:
    """What `/metrics` would say just now; None where there is no such line."""
    return REGISTRY.get_sample_value(name, labels)


@pytest.fixture
def grown() -> Grown:
    """`grown("doll_turns_total", outcome="cut")`: by how much, since the test began."""
    before = {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in REGISTRY.collect()
        for one in family.samples
    }

    def grown(name: str, **labels: str) -> float:
        now = sample(name, **labels) or 0.0
        return now - before.get((name, tuple(sorted(labels.items()))), 0.0)

    return grown
