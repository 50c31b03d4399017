"""How things stand at the moment: dolls, and what is used and left of the models' quota."""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from prometheus_client import Gauge

from relay.llm.admission import Link
from relay.llm.chain import LOCAL
from relay.metrics import models
from relay.metrics.registry import REGISTRY
from relay.quota.limits import family
from relay.quota.snapshot import ModelUse
from relay.quota.store import StoreError

_log = structlog.get_logger(__name__)

_dolls = Gauge("doll_connected", "Dolls that talk with the relay.", registry=REGISTRY)
_used = Gauge(
    "doll_quota_used",
    "What is used of a model's quota: requests and input tokens in the last minute, requests today "
    "(since midnight in California).",
    ["model", "of"],
    registry=REGISTRY,
)
_left = Gauge(
    "doll_quota_left",
    "What is left of it. Not there where the model has no such limit.",
    ["model", "of"],
    registry=REGISTRY,
)
_forecast = Gauge(
    "doll_quota_day_forecast",
    "Requests expected by the end of the day, if people go on like that.",
    ["model"],
    registry=REGISTRY,
)
_waiting = Gauge(
    "doll_quota_waiting", "Requests that wait for a model.", ["model"], registry=REGISTRY
)
_held_s = Gauge(
    "doll_quota_held_seconds",
    "For how long a model is left alone after it refused or failed; 0: it may be asked.",
    ["model"],
    registry=REGISTRY,
)


async def look(dolls: int, links: Iterable[Link]) -> None:
    """Look again, before somebody reads the numbers. `links` are those of the chain.

    What another relay has asked through the same store is none of this one's labels. Where the
    store does not answer the models' numbers are left out, rather than old.
    """
    links = list(links)
    uses: list[ModelUse] = []
    for quota in {id(link.quota): link.quota for link in links}.values():
        try:
            uses += await quota.snapshot()
        except StoreError as error:
            _log.error("quota store failed", reason=str(error))
    ours = {family(link.model.name) for link in links}
    # From here on at once: another one may be looking too.
    _dolls.set(dolls)
    for gauge in (_used, _left, _forecast, _waiting, _held_s):
        gauge.clear()
    for use in uses:
        if use.model in ours:
            _show(use)


def know(links: Iterable[Link]) -> None:
    """Let the models of a chain be labels, under their own names."""
    models.know((LOCAL, *(link.model.name for link in links)))


def _show(use: ModelUse) -> None:
    limits = use.limits
    for of, used, limit in (
        ("requests_minute", use.minute_requests, limits.requests_per_minute),
        ("tokens_minute", use.minute_tokens, limits.tokens_per_minute),
        ("requests_day", use.day_requests, limits.requests_per_day),
    ):
        _used.labels(use.model, of).set(used)
        if limit is not None:
            _left.labels(use.model, of).set(max(0, limit - used))
    _forecast.labels(use.model).set(use.day_forecast)
    _waiting.labels(use.model).set(use.waiting)
    _held_s.labels(use.model).set(use.held_s)
