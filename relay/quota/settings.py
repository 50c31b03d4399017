"""The `quota` section of the settings."""

from __future__ import annotations

from datetime import time
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict, Field, field_validator

#: The ledgers, in the relay's data folder.
FILE = "quota.sqlite3"

Cap = Annotated[int, Ge(0), Le(1_000_000_000)] | Literal["unlimited"] | None
"""A limit as an owner gives it; None takes what is known of the model."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LimitSettings(_Section):
    """What one model may be asked, where that is not what the table of known limits says."""

    requests_per_minute: Cap = None
    tokens_per_minute: Cap = None  #: input tokens
    requests_per_day: Cap = None  #: days end at midnight in California


class QuotaSettings(_Section):
    """How the allowances of a project are kept and shared out."""

    #: Empty: `relay.redis` if there is one, or `quota.sqlite3` in `relay.data`. Else another
    #: SQLite file; `redis://host:6379/0` (or `rediss://`) where relays on several machines share a
    #: project; `memory` forgets with the process. Not in `repr`: a URL may hold a password.
    store: str = Field(default="", repr=False)
    #: By model: `[quota.limits."gemini-3.5-flash-lite"]`.
    limits: dict[str, LimitSettings] = Field(default_factory=dict)
    waking_from: time = time(7)  #: the hours in which somebody may want to talk, by the clock …
    waking_to: time = time(22)  #: … at home (`persona.timezone`)
    #: The share of an even pace that is kept for the rest of the waking day; 0 keeps nothing.
    keep: Annotated[float, Ge(0), Le(1)] = 0.5
    #: Requests a minute that dolls in the middle of a talk leave to one that was silent.
    slots_for_silent: Annotated[int, Ge(0), Le(10)] = 2

    def kept_in(self, data: Path, redis_url: str = "") -> QuotaSettings:
        """The same, with the place named where they are kept if the owner has named none."""
        if self.store:
            return self
        return self.model_copy(update={"store": redis_url or str(data / FILE)})

    @field_validator("waking_from", "waking_to")
    @classmethod
    def _plain(cls, value: time) -> time:
        if value.tzinfo is not None:
            raise ValueError("must be a time of day such as 07:00, with no time zone")
        return value
