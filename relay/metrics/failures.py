"""Models that failed, whatever became of the turn: mostly another one answered."""

from __future__ import annotations

from prometheus_client import Counter

from relay.metrics import models
from relay.metrics.registry import REGISTRY

_failed = Counter(
    "doll_model_failures_total",
    "Requests to a model that failed, by the model and the kind of the failure.",
    ["model", "kind"],
    registry=REGISTRY,
)


def model_failed(model: str, kind: str) -> None:
    """One request failed. `kind` is a `relay.llm.policy.Trouble`."""
    _failed.labels(models.label(model), kind).inc()
