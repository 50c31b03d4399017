"""What a turn asks of the quota, and what it is told: now, in some seconds, or not today."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from relay.llm.gemini_errors import Refusal

if TYPE_CHECKING:
    from relay.quota.snapshot import ModelUse


class Priority(IntEnum):
    """Whose request goes first."""

    TURN = 0  #: somebody waits for the answer
    BACKGROUND = 1  #: speculation, summaries: only what the turns leave over


@dataclass(frozen=True, slots=True)
class Now:
    """The request may be sent at once."""


@dataclass(frozen=True, slots=True)
class Later:
    """The request may be sent in about `seconds`, those that stand before it included."""

    seconds: float


@dataclass(frozen=True, slots=True)
class NotToday:
    """The allowance is used up, or none was ever given. `until` is Unix time; None is never."""

    until: float | None


Admission = Now | Later | NotToday


class SupersededError(Exception):
    """The same doll asked for something newer; nobody waits for this answer any more."""


class Place(Protocol):
    """A place in the queue for one request to one model."""

    @property
    def admission(self) -> Admission:
        """What was known when the place was taken."""
        ...

    async def granted(self) -> None:
        """Wait for the turn of this place, then write the request to the ledger.

        From then on it counts, whatever becomes of it: a failed request is a request. Call it
        immediately before the request is sent. Raises SupersededError, and OverError where the
        day's allowance ended while it waited.
        """
        ...


class OverError(Exception):
    """What was `Later` has become `NotToday`."""

    def __init__(self, until: float | None) -> None:
        super().__init__("the allowance has ended")
        self.until = until


class Quota(Protocol):
    """The allowances of one project, shared by all its dolls (and all processes of the relay)."""

    def place(
        self, model: str, *, doll: str, tokens: int, priority: Priority = Priority.TURN
    ) -> AbstractAsyncContextManager[Place]:
        """Queue for a request of about `tokens` input tokens.

        Leaving the context gives up a place that was not granted. Where it was, leave it when the
        answer begins, or the request failed: until then it counts as one that may yet arrive.
        """
        ...

    async def refused(self, model: str, refusal: Refusal) -> None:
        """The provider said 429 all the same: learn its limit, and keep away until it is over."""
        ...

    async def failed(self, model: str) -> None:
        """The provider said 503 or did not answer: it is under pressure."""
        ...

    async def answered(self, model: str) -> None:
        """The provider answered: it is well again."""
        ...

    async def retired(self, model: str) -> None:
        """The provider no longer has this model: 404. It is not asked for again."""
        ...

    async def snapshot(self) -> list[ModelUse]:
        """How each model stands that was ever asked. Raises StoreError."""
        ...

    async def close(self) -> None:
        """Close the store."""
        ...
