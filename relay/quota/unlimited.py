"""The quota of a model that runs at home: anything goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from relay.llm.gemini_errors import Refusal
from relay.quota.base import Admission, Now, Place, Priority
from relay.quota.snapshot import ModelUse


class Unlimited:
    """A Quota that admits everything at once and remembers nothing."""

    def place(
        self,
        model: str,  # noqa: ARG002 (the names are the contract's)
        *,
        doll: str,  # noqa: ARG002
        tokens: int,  # noqa: ARG002
        priority: Priority = Priority.TURN,  # noqa: ARG002
    ) -> AbstractAsyncContextManager[Place]:
        """See Quota.place."""
        return _place()

    async def refused(self, model: str, refusal: Refusal) -> None:
        """Nobody refuses."""

    async def failed(self, model: str) -> None:
        """It is asked again all the same."""

    async def answered(self, model: str) -> None:
        """Nothing to note."""

    async def retired(self, model: str) -> None:
        """It is the owner's."""

    async def snapshot(self) -> list[ModelUse]:
        """There is nothing to show."""
        return []

    async def close(self) -> None:
        """There is nothing to close."""


class _Free:
    """See Place."""

    @property
    def admission(self) -> Admission:
        """Always at once."""
        return Now()

    async def granted(self) -> None:
        """Always."""


@asynccontextmanager
async def _place() -> AsyncIterator[Place]:
    yield _Free()
