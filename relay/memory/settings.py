"""How much a doll remembers, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySettings:
    """Tokens are those of `relay.llm.tokens`: an estimate, rather too many than too few."""

    days: Annotated[int, Ge(0), Le(36_500)] = 365  #: what was said is kept for; 0: until deleted
    history_tokens: Annotated[int, Ge(0), Le(100_000)] = 1_500  #: of the newest turns, in a prompt
    facts: Annotated[int, Ge(0), Le(200)] = 40  #: about the owner; of more, the oldest goes
    summary: bool = True  #: what no longer fits the prompt is told there in short
    summary_chars: Annotated[int, Ge(100), Le(4_000)] = 600  #: how long that may be
    summary_every_tokens: Annotated[int, Ge(50)] = 600  #: it is renewed when so much has left
