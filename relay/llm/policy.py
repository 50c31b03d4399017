"""What is done when a model fails: one table. The chain acts by it, docs/errors.md shows it.

The same model is never asked twice in a turn. (A model that refuses a system instruction or JSON
is asked anew without it; that is `relay.llm.meter`'s business, and counted as a request.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Literal

from relay.errors import ErrorKind, ModelGoneError, ProviderError


class Trouble(StrEnum):
    """A failure before the first word: an ErrorKind, and one that only the chain tells apart."""

    RATE = ErrorKind.RATE.value
    QUOTA = ErrorKind.QUOTA.value
    AUTH = ErrorKind.AUTH.value
    NETWORK = ErrorKind.NETWORK.value
    SERVER = ErrorKind.SERVER.value
    BAD_REQUEST = ErrorKind.BAD_REQUEST.value
    BLOCKED = ErrorKind.BLOCKED.value
    GONE = "gone"  #: the provider no longer has this model

    @classmethod
    def of(cls, error: ProviderError) -> Trouble:
        """The row of the table for an error."""
        return cls.GONE if isinstance(error, ModelGoneError) else cls(error.kind.value)


class Elsewhere(Enum):
    """Whether the next model of the chain is asked in the same turn."""

    NO = "no"
    ONCE = "one more"  #: overloaded servers count what they refuse, so a turn spends two at most
    YES = "yes"


class Away(Enum):
    """How long the model that failed is kept away from, and who sees to it."""

    HINT = "until its hint is over (quota)"
    DAY = "until its hint, else midnight Pacific (quota)"
    COOL_DOWN = "a cool-down that grows (quota)"
    FOR_GOOD = "until the relay starts anew"
    PROVIDER = "all models of the provider, `turn.auth_pause_s`"
    NOT = "not at all"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row."""

    elsewhere: Elsewhere
    away: Away
    level: Literal["info", "warning", "error"]  #: of the log line, which names kind and model
    local: bool = True  #: the embedded brain answers when no other model does


RULES: Mapping[Trouble, Rule] = MappingProxyType(
    {
        Trouble.RATE: Rule(Elsewhere.YES, Away.HINT, "warning"),
        Trouble.QUOTA: Rule(Elsewhere.YES, Away.DAY, "warning"),
        Trouble.GONE: Rule(Elsewhere.YES, Away.FOR_GOOD, "warning"),
        Trouble.AUTH: Rule(Elsewhere.NO, Away.PROVIDER, "error"),
        Trouble.NETWORK: Rule(Elsewhere.ONCE, Away.COOL_DOWN, "warning"),
        Trouble.SERVER: Rule(Elsewhere.ONCE, Away.COOL_DOWN, "warning"),
        Trouble.BAD_REQUEST: Rule(Elsewhere.ONCE, Away.NOT, "error"),
        Trouble.BLOCKED: Rule(Elsewhere.NO, Away.NOT, "info", local=False),
    }
)


def rule(error: ProviderError) -> Rule:
    """What is done about `error`."""
    return RULES[Trouble.of(error)]


def said(trouble: Trouble) -> str:
    """The key of the line (`relay/locales`) that is said about it.

    `outage.…` goes before the embedded brain's answer, once in an outage; `failure.…` is all that
    is said.
    """
    if not RULES[trouble].local:
        return f"failure.{trouble}"
    return "outage.server" if trouble is Trouble.GONE else f"outage.{trouble}"


def table() -> Iterator[str]:
    """The rules as a table in Markdown, line by line, as docs/errors.md has it."""
    yield "| failure | same model again | another model | kept away | embedded brain | said | log |"
    yield "|---|---|---|---|---|---|---|"
    for trouble, row in RULES.items():
        local = "answers" if row.local else "is not asked"
        yield (
            f"| `{trouble}` | no | {row.elsewhere.value} | {row.away.value} | {local} "
            f"| `{said(trouble)}` | {row.level} |"
        )
