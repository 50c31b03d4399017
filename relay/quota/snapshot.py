"""How a model's allowance stands, for a dashboard and for `doll models`."""

from __future__ import annotations

from dataclasses import dataclass

from relay.quota.base import NotToday
from relay.quota.ledger import Ledger
from relay.quota.limits import Limits
from relay.quota.pacing import Step


@dataclass(frozen=True, slots=True)
class ModelUse:
    """One model of one project, all processes of the relay together unless said otherwise."""

    model: str  #: its family, under which the provider counts
    limits: Limits  #: as the table, the owner and the provider's 429s have them
    learned: bool  #: whether a 429 has told any of them
    minute_requests: int  #: sent in the last minute
    minute_tokens: int
    day_requests: int  #: sent since midnight in California
    day_forecast: int  #: expected by its end, if people go on like that
    step: Step
    held_s: float  #: the provider is left alone for so long (429, 503); 0 if it may be asked
    over: NotToday | None  #: nothing more today, or never
    retired: bool  #: the provider has this model no longer
    waiting: int  #: requests in this process's queue


def model_use(model: str, ledger: Ledger, waiting: int) -> ModelUse:
    """What a ledger says of its model at its moment."""
    requests, tokens = ledger.use()
    return ModelUse(
        model=model,
        limits=ledger.limits,
        learned=bool(ledger.state.learned.at),
        minute_requests=requests,
        minute_tokens=tokens,
        day_requests=ledger.used_today,
        day_forecast=ledger.forecast,
        step=ledger.step,
        held_s=round(ledger.held_s, 3),
        over=ledger.over,
        retired=ledger.state.retired_at is not None,
        waiting=waiting,
    )
