"""How much a model may be asked: what is known, what the owner says, what a 429 has told."""

from __future__ import annotations

import fnmatch
import re
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import msgspec

from relay.quota.settings import Cap, LimitSettings

_TABLE = Path(__file__).with_name("limits.toml")
# Versions of one model share an allowance: `gemini-3-flash-preview` counts as `gemini-3-flash`.
_VERSION = re.compile(r"(-preview|-exp|-latest)?(-\d{2}-(\d{2}|\d{4})|-\d{3})?$")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one model of one project may be asked. None is no limit, 0 is never."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None  #: input tokens
    requests_per_day: int | None = None

    @property
    def never(self) -> bool:
        """Whether waiting is useless."""
        return 0 in (self.requests_per_minute, self.tokens_per_minute, self.requests_per_day)

    @property
    def unlimited(self) -> bool:
        """Whether nothing has to be counted."""
        return self == Limits()


class Learned(msgspec.Struct, omit_defaults=True):
    """The limits that 429s have told of one model, kept with its ledger."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    requests_per_day: int | None = None
    never: bool = False  #: the project has no allowance for this model
    at: float = 0.0  #: Unix time of the newest


def family(model: str) -> str:
    """The name under which the provider counts: without `models/`, `-preview`, dates, versions."""
    return _VERSION.sub("", model.strip().lower().removeprefix("models/"))


def known(model: str) -> Limits:
    """The limits of a model in the table; none for a model that is not Google's."""
    name = family(model)
    for pattern, limits in _table():
        if fnmatch.fnmatchcase(name, pattern):
            return limits
    return Limits()


@dataclass(frozen=True, slots=True)
class Allowance:
    """The three sources of a model's limits."""

    known: Limits = Limits()
    own: LimitSettings = field(default_factory=LimitSettings)

    def limits(self, learned: Learned) -> Limits:
        """What holds now.

        The owner goes before the table, and the provider knows better than both, in both
        directions. But an owner who allows less than the provider means it (another program may use
        the project too), so there the smaller one holds.
        """
        if learned.never:
            return Limits(0, 0, 0)
        return Limits(
            *(
                _limit(getattr(self.known, name), getattr(self.own, name), getattr(learned, name))
                for name in ("requests_per_minute", "tokens_per_minute", "requests_per_day")
            )
        )


def allowance(model: str, settings: dict[str, LimitSettings]) -> Allowance:
    """What is known of a model, with what the owner set for it (or for its family)."""
    by_family = {family(name): own for name, own in settings.items()}
    own = settings.get(model) or by_family.get(family(model)) or LimitSettings()
    return Allowance(known(model), own)


def _limit(known: int | None, own: Cap, learned: int | None) -> int | None:
    if learned is not None:
        return min(own, learned) if isinstance(own, int) else learned
    if own is None:
        return known
    return None if own == "unlimited" else own


@lru_cache(maxsize=1)
def _table() -> tuple[tuple[str, Limits], ...]:
    rows = tomllib.loads(_TABLE.read_text(encoding="utf-8"))["model"]
    return tuple(
        (
            row["pattern"],
            Limits(row["requests_per_minute"], row["tokens_per_minute"], row["requests_per_day"]),
        )
        for row in rows
    )
