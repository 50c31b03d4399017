"""What a chain of models tells besides the answer itself."""

from __future__ import annotations

from dataclasses import dataclass

from relay.llm.base import Heard, Part
from relay.llm.policy import Trouble


@dataclass(frozen=True, slots=True)
class Waiting:
    """The answer will be asked for in about `seconds`: long enough that somebody notices."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Outage:
    """Why the embedded brain answers, and not the model that was chosen."""

    trouble: Trouble
    back_at: float | None  #: Unix time; None where nobody knows
    news: bool  #: this doll has not said so yet


@dataclass(frozen=True, slots=True)
class Answering:
    """Which model the answer comes from; comes before the first of it."""

    model: str
    granted_at: float | None = None  #: when the quota let the request go, in the loop's seconds
    outage: Outage | None = None


Event = Waiting | Answering | Heard | Part
