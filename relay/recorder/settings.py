"""How much of the recorded turns is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderSettings:
    """It is off until `doll recorder on`, for one doll and for a time."""

    days: Annotated[int, Ge(1), Le(365)] = 7  #: after that a recording is deleted
    max_mb: Annotated[int, Ge(1), Le(1_000_000)] = 500  #: of all dolls; of more, the oldest goes
    answer_s: Annotated[int, Ge(1), Le(600)] = 120  #: what an answer is cut to
